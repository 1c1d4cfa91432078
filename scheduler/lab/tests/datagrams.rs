//! Simulated datagrams: which get lost, which overtake, and what the seed has to do with it.

use std::collections::BTreeSet;
use std::time::Duration;

use asupersync_core::io::UdpSocket;
use asupersync_core::{Cx, Outcome};
use asupersync_lab::Lab;
use asupersync_lab::net::{Link, Net};

const MS: Duration = Duration::from_millis(1);

/// A server, and a client that is connected to it.
async fn pair(cx: &Cx) -> Outcome<(UdpSocket, UdpSocket)> {
    let (server, client) = (cx.udp_bind("10.0.0.1:53").await?, cx.udp_bind("0.0.0.0:0").await?);
    client.connect(cx, "10.0.0.1:53").await?;
    Ok((server, client))
}

/// What has arrived by now and in the next moments, of datagrams of one byte each.
async fn arrived(cx: &Cx, socket: &UdpSocket) -> Outcome<Vec<u8>> {
    let (mut all, mut buf) = (Vec::new(), [0; 8]);
    let next = async |cx: &Cx, buf: &mut [u8]| Ok(socket.recv(cx, buf).await?);
    while cx.timeout(10 * MS, async |cx: &Cx| next(cx, &mut buf).await).await.is_ok() {
        all.push(buf[0]);
    }
    Ok(all)
}

#[test]
fn a_partition_loses_what_is_under_way_and_what_is_sent() {
    for seed in 0..16 {
        let told = Lab::new(seed).run(async |cx: &Cx| {
            let (server, client) = pair(cx).await?;
            let net = Net::current();
            client.send(cx, &[0]).await?;
            assert_eq!(arrived(cx, &server).await?, [0]);
            client.send(cx, &[1]).await?;
            net.partition(client.local_addr()?);
            client.send(cx, &[2]).await?;
            assert_eq!(arrived(cx, &server).await?, []);
            net.heal(Link::ALL);
            client.send(cx, &[3]).await?;
            assert_eq!(arrived(cx, &server).await?, [3], "what was lost stays lost");
            Ok(())
        });
        told.unwrap_or_else(|failure| panic!("seed {seed}: {failure}"));
    }
}

/// Which of 100 datagrams arrive, in which order.
fn of_a_hundred(seed: u64, one_in: u32) -> Vec<u8> {
    let ran = Lab::new(seed).run(async move |cx: &Cx| {
        let (server, client) = pair(cx).await?;
        Net::current().loss(server.local_addr()?, one_in);
        for n in 0..100 {
            client.send(cx, &[n]).await?;
        }
        arrived(cx, &server).await
    });
    ran.expect("it runs")
}

#[test]
fn the_seed_says_which_are_lost_and_which_overtake() {
    let whole = of_a_hundred(7, 0);
    assert!(!whole.is_sorted(), "none overtook another");
    assert_eq!(whole.iter().copied().collect::<BTreeSet<_>>(), (0..100).collect());
    let lossy = of_a_hundred(7, 4);
    assert!((50..95).contains(&lossy.len()), "{} of 100 arrived", lossy.len());
    assert_eq!(lossy, of_a_hundred(7, 4), "the same seed");
    assert_ne!(lossy, of_a_hundred(8, 4), "another seed");
    assert_eq!(of_a_hundred(7, 1), []);
}

#[test]
fn what_a_receiver_has_no_room_for_is_lost_and_the_log_says_so() {
    let log = Lab::new(7).run(async |cx: &Cx| {
        let (server, client) = pair(cx).await?;
        let net = Net::current();
        net.record();
        net.capacity(server.local_addr()?, 2);
        for n in 0..3 {
            client.send(cx, &[n]).await?;
            // They do not overtake each other.
            cx.sleep(MS).await?;
        }
        assert_eq!(arrived(cx, &server).await?, [0, 1]);
        client.send(cx, &[4]).await?;
        assert_eq!(arrived(cx, &server).await?, [4], "there is room again");
        drop(server);
        client.send(cx, &[5]).await?;
        client.recv(cx, &mut [0; 8]).await.unwrap_err();
        Ok(net.log())
    });
    let log = log.expect("it runs");
    for (part, times) in [("a datagram of 1 bytes\n", 3), ("is lost\n", 1), ("nobody receives\n", 1)] {
        assert_eq!(log.matches(part).count(), times, "{part:?} in {log}");
    }
}

#[test]
fn no_socket_of_the_system_comes_into_a_lab() {
    let told = Lab::new(7).run(async |cx: &Cx| {
        let socket = cx.udp_bind("127.0.0.1:0").await?;
        let text = socket.system().map(drop).unwrap_err().to_string();
        assert!(text.contains("the lab has no sockets of the system's"), "{text}");
        let six = socket.send_to(cx, b"x", "[::1]:9".parse().expect("an address")).await.unwrap_err();
        assert!(six.to_string().contains("cannot send to [::1]:9"), "{six}");
        Ok(())
    });
    told.expect("it runs");
}
