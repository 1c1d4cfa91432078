//! Byte streams between families: whole, in both directions, and with the classes of the cancel
//! protocol.
#![cfg(all(feature = "futures", feature = "hyper", feature = "tokio"))]

mod common;

use std::io;
use std::time::Duration;

use asupersync_compat::io::{ByteStreamExt, FromFutures, FromHyper, FromTokio, Futures, Hyper, Tokio};
use asupersync_core::io::TcpStream;
use asupersync_core::{Budget, Cx, Failure, Outcome, Reason, ReasonKind};
use common::run;
use futures_util::{AsyncReadExt as _, AsyncWriteExt as _, SinkExt, StreamExt};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};
use tokio_util::codec::{Framed, LinesCodec};

/// Both ends of a connection.
async fn pair(cx: &Cx) -> Outcome<(TcpStream, TcpStream)> {
    let listener = cx.tcp_bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    let connecting = cx.spawn("connects", async move |cx: &Cx| Ok(cx.tcp_connect(addr).await?));
    let (accepted, _) = listener.accept(cx).await?;
    Ok((connecting.join().await?, accepted))
}

fn data() -> Vec<u8> {
    (0..1_000_003u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 11) as u8).collect()
}

#[test]
fn tokio_copies_over_our_streams() {
    run(async |cx: &Cx| {
        let (ours, theirs) = pair(cx).await?;
        let echo = cx.spawn("echo", async move |_: &Cx| {
            let (mut read, mut write) = tokio::io::split(Tokio::new(theirs));
            let copied = tokio::io::copy(&mut read, &mut write).await?;
            write.shutdown().await?;
            Ok(copied)
        });
        let (mut read, mut write) = tokio::io::split(Tokio::new(ours));
        let sender = cx.spawn("sender", async move |_: &Cx| {
            write.write_all(&data()).await?;
            write.shutdown().await?;
            Ok(())
        });
        let mut got = Vec::new();
        read.read_to_end(&mut got).await?;
        sender.join().await?;
        assert_eq!(echo.join().await?, got.len() as u64);
        assert!(got == data());
        Ok(())
    });
}

#[test]
fn tokios_buffers_and_codecs_work_over_our_streams() {
    run(async |cx: &Cx| {
        let (ours, theirs) = pair(cx).await?;
        let mut lines = Framed::new(Tokio::new(ours), LinesCodec::new());
        lines.send("one").await.map_err(io::Error::other)?;
        lines.send("two").await.map_err(io::Error::other)?;
        let mut reader = tokio::io::BufReader::new(Tokio::new(theirs));
        let mut line = String::new();
        reader.read_line(&mut line).await?;
        reader.read_line(&mut line).await?;
        assert_eq!(line, "one\ntwo\n");
        reader.get_mut().write_all(b"three\n").await?;
        let answer = lines.next().await.expect("a line").map_err(io::Error::other)?;
        assert_eq!(answer, "three");
        Ok(())
    });
}

#[test]
fn the_futures_traits_work_over_our_streams() {
    run(async |cx: &Cx| {
        let (ours, theirs) = pair(cx).await?;
        let sender = cx.spawn("sender", async move |_: &Cx| {
            let mut stream = Futures::new(ours);
            stream.write_all(&data()).await?;
            stream.close().await?;
            Ok(())
        });
        let mut got = Vec::new();
        Futures::new(theirs).read_to_end(&mut got).await?;
        sender.join().await?;
        assert!(got == data());
        Ok(())
    });
}

#[test]
fn wrappers_combine_and_lose_nothing() {
    run(async |cx: &Cx| {
        let (ours, theirs) = pair(cx).await?;
        // Ours, seen through every family and back.
        let mut long =
            FromTokio::new(Tokio::new(FromFutures::new(Futures::new(FromHyper::new(Hyper::new(ours))))));
        let sender = cx.spawn("sender", async move |cx: &Cx| {
            long.write_all(cx, &data()).await?;
            long.flush(cx).await?;
            long.shutdown(cx).await?;
            Ok(long)
        });
        let mut theirs = FromHyper::new(Hyper::new(theirs));
        let (mut got, mut buf) = (Vec::new(), vec![0; 100_000]);
        loop {
            match theirs.read(cx, &mut buf).await? {
                0 => break,
                n => got.extend_from_slice(&buf[..n]),
            }
        }
        assert!(got == data());
        let mut long = sender.join().await?;
        theirs.write_all(cx, b"back").await?;
        let mut buf = [0; 16];
        let n = long.read(cx, &mut buf).await?;
        assert_eq!(&buf[..n], b"back");
        Ok(())
    });
}

#[test]
fn under_request_a_foreign_stream_is_not_read_but_written_until_the_budget_ends() {
    run(async |cx: &Cx| {
        let (ours, mut theirs) = tokio::io::duplex(4);
        let (told, mut ready) = asupersync_core::channel::mpsc::channel(1);
        let task = cx.spawn("task", async move |cx: &Cx| {
            let mut ours = FromTokio::new(ours);
            told.try_send(()).expect("room");
            let mut buf = [0; 4];
            let read: Failure = ours.read(cx, &mut buf).await.expect_err("there is nothing").into();
            assert!(read.as_cancelled().is_some());
            // In flight: the peer takes it, four bytes at a time.
            ours.write_all(cx, b"twelve bytes").await?;
            // And this nobody takes.
            let write: Failure = ours.write_all(cx, b"a wall").await.expect_err("nobody reads").into();
            assert!(write.as_cancelled().is_some());
            Ok(ours)
        });
        ready.recv(cx).await?;
        let (reader_told, mut reader_done) = asupersync_core::channel::oneshot::channel();
        let reader = cx.spawn("reader", async move |cx: &Cx| {
            let mut got = [0; 12];
            theirs.read_exact(&mut got).await?;
            assert_eq!(&got, b"twelve bytes");
            reader_told.send(())?;
            // Kept open, so that the last write has to wait.
            Err::<(), Failure>(cx.cancelled().await.into())
        });
        task.request_cancel(Reason::new(ReasonKind::UserRequest));
        reader_done.recv(cx).await?;
        task.cancel(Budget::timeout(Duration::from_millis(20))).await?;
        assert!(reader.cancel(Budget::UNLIMITED).await.is_err());
        Ok(())
    });
}
