//! The TCP server and its lines, over real sockets.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr};
use std::time::Duration;

use asupersync_core::channel::mpsc;
use asupersync_core::io::TcpStream;
use asupersync_core::{Budget, Cx, Handle, Outcome, Reason, ReasonKind, TaskFn};
use asupersync_protocols::lines::{Lines, TooLong};
use asupersync_protocols::tcp::{self, ServeReport};
use asupersync_scheduler::Runtime;

fn run<F>(test: F)
where
    F: for<'a> TaskFn<&'a Cx, Outcome, Fut: Send> + Send + 'static,
{
    let runtime = Runtime::builder().workers(2).build().expect("a runtime");
    if let Err(failure) = runtime.block_on(test) {
        panic!("{failure:?}");
    }
}

/// Sends each line back, panics at `panic`, fails at `fail`, and waits for ever at `wait`.
async fn talk(cx: &Cx, stream: TcpStream) -> Outcome {
    let mut lines = Lines::new(&stream, 100);
    while let Some(line) = lines.next(cx).await? {
        match line {
            b"panic" => panic!("on purpose"),
            b"fail" => return Err(asupersync_core::Failure::Err(asupersync_core::Error::msg("on purpose"))),
            b"wait" => {
                stream.write_all(cx, b"waiting\n").await?;
                std::future::pending::<()>().await;
            }
            line => {
                let answer = [line, b"\n"].concat();
                stream.write_all(cx, &answer).await?;
            }
        }
    }
    Ok(())
}

async fn start(cx: &Cx) -> Outcome<(SocketAddr, Handle<ServeReport>)> {
    let listener = cx.tcp_bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    let serve = async move |cx: &Cx| {
        tcp::serve(cx, listener, async |cx: &Cx, stream: TcpStream| talk(cx, stream).await).await
    };
    Ok((addr, cx.spawn("server", serve)))
}

/// Sends `lines` and takes what comes back until the server closes.
fn client(cx: &Cx, addr: SocketAddr, lines: &'static str, ends: bool) -> Handle<Vec<String>> {
    cx.spawn_blocking("client", move || {
        let mut stream = std::net::TcpStream::connect(addr)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        stream.write_all(lines.as_bytes())?;
        if ends {
            stream.shutdown(Shutdown::Write)?;
        }
        Ok(BufReader::new(stream).lines().map_while(Result::ok).collect())
    })
}

#[test]
fn one_connection_fails_one_panics_and_the_others_are_served() {
    run(async |cx: &Cx| {
        let (addr, server) = start(cx).await?;
        assert_eq!(client(cx, addr, "a\r\nb\nc", true).join().await?, ["a", "b", "c"]);
        assert_eq!(client(cx, addr, "panic\n", false).join().await?, [""; 0]);
        assert_eq!(client(cx, addr, "x\nfail\n", false).join().await?, ["x"]);
        assert_eq!(client(cx, addr, "again\n", true).join().await?, ["again"]);
        let report = server.cancel(Budget::UNLIMITED).await?;
        assert_eq!((report.accepted, report.ok, report.failed, report.panicked), (4, 2, 1, 1));
        assert_eq!((report.cancelled, report.cut), (0, 0));
        Ok(())
    });
}

#[test]
fn at_request_an_idle_connection_ends_and_a_stuck_one_is_cut() {
    run(async |cx: &Cx| {
        let listener = cx.tcp_bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let server = cx.spawn("server", async move |cx: &Cx| {
            let server = tcp::Server::new().drain(Budget::timeout(Duration::from_millis(50)));
            server.serve(cx, listener, async |cx: &Cx, stream: TcpStream| talk(cx, stream).await).await
        });
        let (told, mut answered) = mpsc::channel(2);
        let clients = ["hello\nhalf a li", "wait\n"].map(|sent| {
            let told = told.clone();
            cx.spawn_blocking("client", move || {
                let mut stream = std::net::TcpStream::connect(addr)?;
                stream.set_read_timeout(Some(Duration::from_secs(60)))?;
                stream.write_all(sent.as_bytes())?;
                let mut lines = BufReader::new(stream).lines();
                lines.next().expect("an answer")?;
                told.try_send(()).expect("room");
                Ok(lines.count())
            })
        });
        answered.recv(cx).await?;
        answered.recv(cx).await?;
        server.request_cancel(Reason::new(ReasonKind::Shutdown));
        let report = server.join().await?;
        assert_eq!((report.accepted, report.cancelled, report.cut), (2, 1, 1));
        for client in clients {
            client.join().await?;
        }
        Ok(())
    });
}

#[test]
fn a_read_that_was_cancelled_lost_nothing_and_too_long_a_line_is_told_as_such() {
    run(async |cx: &Cx| {
        let listener = cx.tcp_bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let (go, mut going) = mpsc::channel::<()>(1);
        let (told, mut sent) = mpsc::channel(1);
        let peer = cx.spawn_blocking("peer", move || {
            let mut stream = std::net::TcpStream::connect(addr)?;
            stream.write_all(b"fir")?;
            told.try_send(()).expect("room");
            while going.try_recv().is_none() {
                std::thread::yield_now();
            }
            stream.write_all(b"st\r\nsecond\nfar too long a line\n")?;
            Ok(stream)
        });
        let (stream, _) = listener.accept(cx).await?;
        sent.recv(cx).await?;
        let mut lines = Lines::new(&stream, 8);
        let cancelled = cx.race(
            async |cx: &Cx| Ok(lines.next(cx).await?.is_some()),
            async |cx: &Cx| {
                for _ in 0..100 {
                    cx.yield_now().await?;
                }
                Ok(false)
            },
        );
        assert!(!cancelled.await?);
        go.send(cx, ()).await?;
        assert_eq!(lines.next(cx).await?, Some(&b"first"[..]));
        assert_eq!(lines.next(cx).await?, Some(&b"second"[..]));
        let error = lines.next(cx).await.expect_err("too long");
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<TooLong>());
        assert_eq!(inner, Some(&TooLong { longest: 8 }));
        drop(peer.join().await?);
        Ok(())
    });
}
