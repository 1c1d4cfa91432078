//! Simulated sockets: what they do by themselves, and what is done to them.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use asupersync_core::io::TcpStream;
use asupersync_core::{Budget, Cx, Outcome, TaskFn};
use asupersync_lab::Lab;
use asupersync_lab::net::{Chunks, Link, Net};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// The same under several seeds.
fn under_seeds<F>(main: F)
where
    F: for<'a> TaskFn<&'a Cx, Outcome, Fut: Send> + Clone + Send + 'static,
{
    for seed in 0..16 {
        let (outcome, report) = Lab::new(seed).run_with_report(main.clone());
        if let Err(failure) = outcome {
            panic!("seed {seed}: {failure}");
        }
        assert!(report.leftovers.is_empty(), "seed {seed}: {:?}", report.leftovers);
    }
}

/// Two ends of one connection: the client's and the server's.
async fn pair(cx: &Cx) -> Outcome<(TcpStream, TcpStream)> {
    let listener = cx.tcp_bind("10.0.0.1:80").await?;
    let client = cx.tcp_connect("10.0.0.1:80").await?;
    Ok((client, listener.accept(cx).await?.0))
}

async fn read_to_end(cx: &Cx, stream: &TcpStream) -> Outcome<Vec<u8>> {
    let (mut all, mut buf) = (Vec::new(), [0; 1024]);
    loop {
        match stream.read(cx, &mut buf).await? {
            0 => return Ok(all),
            n => all.extend_from_slice(&buf[..n]),
        }
    }
}

fn kind<T>(result: std::io::Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

#[test]
fn nothing_arrives_across_a_partition_and_nothing_is_lost() {
    under_seeds(async |cx: &Cx| {
        let (client, server) = pair(cx).await?;
        let net = Net::current();
        client.write_all(cx, b"before ").await?;
        cx.sleep(10 * MS).await?;
        net.partition(client.local_addr()?);
        client.write_all(cx, b"within ").await?;
        let mut buf = [0; 64];
        let mut got = 0;
        while got < 7 {
            got += server.read(cx, &mut buf[got..]).await?;
        }
        // Under way when it came, and sent since: an hour changes nothing, only the time.
        let waits =
            cx.timeout(Duration::from_secs(600), async |cx: &Cx| Ok(server.read(cx, &mut [0]).await?));
        assert!(waits.await.is_err());
        net.heal(Link::ALL);
        client.write_all(cx, b"after").await?;
        client.shutdown(cx).await?;
        assert_eq!(read_to_end(cx, &server).await?, b"within after");
        assert_eq!(&buf[..7], b"before ");
        Ok(())
    });
}

#[test]
fn a_partition_fills_buffers_and_in_the_end_gives_up() {
    under_seeds(async |cx: &Cx| {
        let (client, server) = pair(cx).await?;
        let net = Net::current();
        net.capacity(Link::ALL, 1000);
        net.partition(Link::ALL);
        let begin = cx.now();
        let failed = client.write_all(cx, &[7; 5000]).await;
        assert_eq!(kind(failed), Some(ErrorKind::TimedOut));
        assert!(cx.now() - begin >= Duration::from_secs(924), "{:?}", cx.now() - begin);
        // Nobody could tell the other end; once it speaks, it is told.
        net.heal(Link::ALL);
        server.write_all(cx, b"x").await?;
        assert_eq!(kind(server.read(cx, &mut [0]).await), Some(ErrorKind::ConnectionReset));
        Ok(())
    });
}

#[test]
fn connecting_across_a_partition_waits_or_times_out() {
    under_seeds(async |cx: &Cx| {
        let net = Net::current();
        let listener = cx.tcp_bind("0.0.0.0:80").await?;
        net.partition(listener.local_addr()?);
        let (begin, refused) = (cx.now(), cx.tcp_connect("10.0.0.1:80").await);
        assert_eq!(kind(refused), Some(ErrorKind::TimedOut));
        assert!(cx.now() - begin >= Duration::from_secs(127));
        assert_eq!(net.connections(), 0);
        let heal = cx.spawn("heal", async |cx| {
            cx.sleep(Duration::from_secs(100)).await?;
            Net::current().heal(Link::ALL);
            Ok(())
        });
        let client = cx.tcp_connect("10.0.0.1:80").await?;
        let (server, peer) = listener.accept(cx).await?;
        assert_eq!(
            (peer, server.local_addr()?),
            (client.local_addr()?, "10.0.0.1:80".parse::<SocketAddr>()?)
        );
        heal.join().await
    });
}

#[test]
fn a_slow_peer_gives_few_bytes_in_much_time() {
    under_seeds(async |cx: &Cx| {
        let (client, server) = pair(cx).await?;
        Net::current().bandwidth(client.local_addr()?, 100);
        server.write_all(cx, &[7; 1000]).await?;
        let (begin, mut got) = (cx.now(), 0);
        while got < 1000 {
            got += client.read(cx, &mut [0; 1000]).await?;
            // 100 bytes a second, each by itself, and the latency of the first.
            let most = 1 + ((cx.now() - begin).as_millis() + 1) / 10;
            assert!(got as u128 <= most, "{got} bytes after {:?}", cx.now() - begin);
        }
        let took = cx.now() - begin;
        assert!(took >= Duration::from_millis(9_990) && took < Duration::from_secs(11), "{took:?}");
        // A limit that is lifted holds no more.
        Net::current().bandwidth(Link::ALL, None);
        let begin = cx.now();
        server.write_all(cx, &[7; 1000]).await?;
        drop(server);
        assert_eq!(read_to_end(cx, &client).await?.len(), 1000);
        assert!(cx.now() - begin < 20 * MS);
        Ok(())
    });
}

#[test]
fn latency_is_what_was_set() {
    under_seeds(async |cx: &Cx| {
        Net::current().latency(Link::ALL, 50 * MS..=60 * MS);
        let begin = cx.now();
        let (client, server) = pair(cx).await?;
        let took = cx.now() - begin;
        assert!(took >= 100 * MS && took <= 125 * MS, "there and back: {took:?}");
        let begin = cx.now();
        client.write_all(cx, b"x").await?;
        assert_eq!(server.read(cx, &mut [0]).await?, 1);
        let took = cx.now() - begin;
        assert!(took >= 50 * MS && took <= 62 * MS, "{took:?}");
        Ok(())
    });
}

#[test]
fn a_reset_reaches_both_ends_and_only_the_chosen_ones() {
    under_seeds(async |cx: &Cx| {
        let listener = cx.tcp_bind("10.0.0.1:80").await?;
        let (first, second) = (cx.tcp_connect("10.0.0.1:80").await?, cx.tcp_connect("10.0.0.1:80").await?);
        let (one, two) = (listener.accept(cx).await?.0, listener.accept(cx).await?.0);
        let net = Net::current();
        first.write_all(cx, b"lost").await?;
        let waits = cx.spawn("waits", async move |cx| {
            let failed = kind(one.read(cx, &mut [0; 16]).await);
            assert_eq!(failed, Some(ErrorKind::ConnectionReset));
            // Told once, as on Linux.
            assert_eq!(one.read(cx, &mut [0; 16]).await?, 0);
            assert_eq!(kind(one.write(cx, b"x").await), Some(ErrorKind::BrokenPipe));
            Ok(())
        });
        assert_eq!(net.reset(first.local_addr()?), 1);
        assert_eq!(kind(first.write(cx, b"x").await), Some(ErrorKind::ConnectionReset));
        first.shutdown(cx).await?;
        waits.join().await?;
        second.write_all(cx, b"whole").await?;
        drop(second);
        assert_eq!(read_to_end(cx, &two).await?, b"whole");
        assert_eq!(net.reset(Link::from("10.0.0.2".parse::<IpAddr>()?)), 0);
        Ok(())
    });
}

#[test]
fn who_writes_to_an_end_that_is_closed_gets_a_broken_pipe() {
    under_seeds(async |cx: &Cx| {
        let (client, server) = pair(cx).await?;
        drop(server);
        assert_eq!(read_to_end(cx, &client).await?, b"");
        // The first goes out, and what comes back is the reset.
        client.write_all(cx, b"x").await?;
        cx.sleep(10 * MS).await?;
        assert_eq!(kind(client.write(cx, b"x").await), Some(ErrorKind::BrokenPipe));
        assert_eq!(client.read(cx, &mut [0]).await?, 0);
        assert_eq!(Net::current().connections(), 1);
        drop(client);
        assert_eq!(Net::current().connections(), 0);
        Ok(())
    });
}

#[test]
fn a_full_backlog_lets_clients_wait_and_a_closed_one_resets_them() {
    under_seeds(async |cx: &Cx| {
        let listener = cx.tcp_bind("10.0.0.1:80").await?;
        Net::current().backlog(listener.local_addr()?, 1);
        let stands = cx.tcp_connect("10.0.0.1:80").await?;
        let begin = cx.now();
        let late = cx.timeout(SECOND, async |cx: &Cx| Ok(cx.tcp_connect("10.0.0.1:80").await?)).await;
        assert!(late.is_err(), "there is no room for it");
        assert_eq!(kind(cx.tcp_connect("10.0.0.1:80").await), Some(ErrorKind::TimedOut));
        assert!(cx.now() - begin >= 127 * SECOND);
        let waits = cx.spawn("waits", async |cx| Ok(cx.tcp_connect("10.0.0.1:80").await?));
        cx.sleep(10 * MS).await?;
        // The one that stands, and the one that waits; not those that left.
        let (server, _) = listener.accept(cx).await?;
        assert_eq!(server.peer_addr()?, stands.local_addr()?);
        let waited = waits.join().await?;
        let (server, _) = listener.accept(cx).await?;
        assert_eq!(server.peer_addr()?, waited.local_addr()?);
        assert!(listener.accept_queued(cx).await?.is_none());
        // Nobody accepts these two, one of which stands.
        let unheard = cx.tcp_connect("10.0.0.1:80").await?;
        let waits = cx.spawn("waits", async |cx| Ok(kind(cx.tcp_connect("10.0.0.1:80").await)));
        cx.sleep(10 * MS).await?;
        drop(listener);
        assert_eq!(kind(unheard.read(cx, &mut [0]).await), Some(ErrorKind::ConnectionReset));
        assert_eq!(waits.join().await?, Some(ErrorKind::ConnectionRefused));
        assert_eq!(kind(cx.tcp_connect("10.0.0.1:80").await), Some(ErrorKind::ConnectionRefused));
        Ok(())
    });
}

#[test]
fn addresses_overlap_as_the_systems_do() {
    under_seeds(async |cx: &Cx| {
        let any = cx.tcp_bind("0.0.0.0:80").await?;
        assert_eq!(kind(cx.tcp_bind("10.0.0.1:80").await), Some(ErrorKind::AddrInUse));
        drop(any);
        let one = cx.tcp_bind("10.0.0.1:80").await?;
        let _other = cx.tcp_bind("10.0.0.2:80").await?;
        let six = cx.tcp_bind("[::1]:80").await?;
        assert_eq!(kind(cx.tcp_connect("10.0.0.3:80").await), Some(ErrorKind::ConnectionRefused));
        let client = cx.tcp_connect("10.0.0.1:80").await?;
        assert_eq!(client.peer_addr()?, one.local_addr()?);
        assert!(cx.tcp_connect(six.local_addr()?).await?.local_addr()?.is_ipv6());
        let net = Net::current();
        net.name("db.test", "10.0.0.3".parse::<IpAddr>()?);
        net.name("db.test", "10.0.0.2".parse::<IpAddr>()?);
        // The first is refused, the second is there.
        assert_eq!(cx.tcp_connect("db.test:80").await?.peer_addr()?, "10.0.0.2:80".parse::<SocketAddr>()?);
        let unknown = cx.tcp_connect("web.test:80").await.map(drop).unwrap_err();
        assert!(unknown.to_string().contains("Net::name"), "{unknown}");
        Ok(())
    });
}

#[test]
fn bytes_come_whole_and_in_order_however_they_are_cut() {
    for chunks in [Chunks::Whole, Chunks::Drawn, Chunks::Most(1), Chunks::Most(0), Chunks::Most(7)] {
        under_seeds(async move |cx: &Cx| {
            let (client, server) = pair(cx).await?;
            let net = Net::current();
            net.chunks(Link::ALL, chunks);
            net.capacity(Link::ALL, 100);
            let bytes: Vec<u8> = (0..2000).map(|n| (n % 251) as u8).collect();
            let sent = bytes.clone();
            let writer = cx.spawn("writer", async move |cx| {
                client.write_all(cx, &sent).await?;
                Ok(())
            });
            assert!(read_to_end(cx, &server).await? == bytes);
            writer.join().await
        });
    }
}

/// What a run with some of everything writes down.
fn log(seed: u64) -> String {
    let net = Lab::new(seed).run(async |cx: &Cx| {
        let net = Net::current();
        net.record();
        let listener = cx.tcp_bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        net.bandwidth(addr, 100_000);
        let server = cx.spawn("server", async move |cx| -> Outcome {
            loop {
                let (stream, _) = listener.accept(cx).await?;
                drop(cx.spawn("echo", async move |cx| {
                    let mut buf = [0; 256];
                    loop {
                        match stream.read(cx, &mut buf).await? {
                            0 => return Ok(()),
                            n => stream.write_all(cx, &buf[..n]).await?,
                        }
                    }
                }));
            }
        });
        let clients: Vec<_> = (1..=3)
            .map(|n| {
                cx.spawn("client", async move |cx| {
                    let stream = cx.tcp_connect(addr).await?;
                    stream.write_all(cx, &[n; 1000]).await?;
                    stream.shutdown(cx).await?;
                    assert_eq!(read_to_end(cx, &stream).await?, [n; 1000]);
                    Ok(())
                })
            })
            .collect();
        cx.sleep(3 * MS).await?;
        net.partition(addr);
        cx.sleep(30 * MS).await?;
        net.heal(addr);
        for client in clients {
            client.join().await?;
        }
        drop(server.cancel(Budget::timeout(MS)).await);
        Ok(net)
    });
    net.expect("the run succeeds").log()
}

/// Set where a test runs itself as another process, to say what it writes down.
const OTHER: &str = "ASUPERSYNC_LAB_NET_OTHER";

#[test]
fn the_same_seed_writes_the_same_log_in_another_process_too() {
    let mine = log(1);
    if std::env::var_os(OTHER).is_some() {
        println!("<<<{mine}>>>");
        return;
    }
    assert_eq!(mine, log(1));
    assert!((2..6).all(|seed| log(seed) != mine), "the seed decides");
    for what in ["listens", "Syn", "SynAck", "bytes", "Fin", "Cut(true)", "Cut(false)"] {
        assert!(mine.contains(what), "{what}:\n{mine}");
    }
    let name = "the_same_seed_writes_the_same_log_in_another_process_too";
    let other = std::process::Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", name, "--nocapture"])
        .env(OTHER, "1")
        .output()
        .expect("runs");
    let told = String::from_utf8(other.stdout).expect("text");
    let told = told.split_once("<<<").and_then(|(_, rest)| rest.split_once(">>>")).map(|(told, _)| told);
    assert_eq!(told, Some(&*mine));
}

#[test]
fn a_wait_that_nobody_ends_is_a_deadlock_and_told_as_one() {
    let outcome: Outcome = Lab::new(1).run(async |cx: &Cx| {
        let (client, server) = pair(cx).await?;
        let reads = cx.spawn("reads", async move |cx| Ok(server.read(cx, &mut [0]).await?));
        client.read(cx, &mut [0]).await?;
        reads.join().await.map(drop)
    });
    let told = outcome.unwrap_err().to_string();
    assert!(told.contains("deadlock") && told.contains("bytes from a socket"), "{told}");
}

#[test]
#[should_panic(expected = "no lab runs on this thread")]
fn there_is_no_network_outside_of_a_run() {
    drop(Lab::new(1).run(async |_: &Cx| Ok(())));
    Net::current();
}
