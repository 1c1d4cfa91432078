//! TCP over the system's sockets: what is sent arrives, whole and in order, both ways.

use std::io;
use std::net::SocketAddr;

use asupersync_core::channel::oneshot;
use asupersync_core::io::TcpStream;
use asupersync_core::region::Close;
use asupersync_core::{Budget, Cx, Outcome, Reason, ReasonKind, Region};

use crate::probe::{MS, Victim, cancelled_kind};
use crate::runner::{Runner, short};

crate::cases![
    an_echo needs (Sockets),
    many_connections needs (Sockets),
    a_large_payload_both_ways_at_once needs (Sockets),
    a_half_closed_connection_goes_on needs (Sockets),
    accept_read_and_connect_fail_at_request needs (Sockets),
    a_write_goes_on_through_request needs (Sockets),
    a_write_ends_with_the_budget needs (Sockets),
    a_stream_knows_its_region needs (Sockets),
    a_dropped_connection_ends_for_its_peer needs (Sockets),
    a_listener_ends_without_a_loss needs (Sockets),
];

pub(crate) const ANY_PORT: &str = "127.0.0.1:0";

/// Starts a server in the region of `cx` that serves each connection with `serve`, until Request.
pub(crate) async fn echo_server(cx: &Cx) -> Outcome<SocketAddr> {
    let (tell, mut told) = oneshot::channel();
    drop(cx.spawn("server", async move |cx: &Cx| -> Outcome {
        let listener = cx.tcp_bind(ANY_PORT).await?;
        drop(tell.send(listener.local_addr()?));
        loop {
            let (stream, _) = listener.accept(cx).await?;
            drop(cx.spawn("echo", async move |cx: &Cx| {
                let mut buf = vec![0; 16 * 1024];
                loop {
                    match stream.read(cx, &mut buf).await? {
                        0 => return Ok(stream.shutdown(cx).await?),
                        n => stream.write_all(cx, &buf[..n]).await?,
                    }
                }
            }));
        }
    }));
    Ok(told.recv(cx).await?)
}

async fn read_to_end(cx: &Cx, stream: &TcpStream) -> io::Result<Vec<u8>> {
    let (mut all, mut buf) = (Vec::new(), vec![0; 16 * 1024]);
    loop {
        match stream.read(cx, &mut buf).await? {
            0 => return Ok(all),
            n => all.extend_from_slice(&buf[..n]),
        }
    }
}

/// Two ends of one connection.
pub(crate) async fn pair(cx: &Cx) -> Outcome<(TcpStream, TcpStream)> {
    let listener = cx.tcp_bind(ANY_PORT).await?;
    let addr = listener.local_addr()?;
    let client = cx.tcp_connect(addr).await?;
    let (server, peer) = listener.accept(cx).await?;
    assert_eq!(peer, client.local_addr()?);
    assert_eq!(client.peer_addr()?, addr);
    Ok((client, server))
}

fn an_echo(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let addr = echo_server(cx).await?;
        let stream = cx.tcp_connect(addr).await?;
        stream.set_nodelay(true)?;
        for message in ["hello", "again", "and once more"] {
            stream.write_all(cx, message.as_bytes()).await?;
            let mut back = vec![0; message.len()];
            let mut got = 0;
            while got < back.len() {
                got += stream.read(cx, &mut back[got..]).await?;
            }
            assert_eq!(back, message.as_bytes());
        }
        stream.shutdown(cx).await?;
        assert_eq!(read_to_end(cx, &stream).await?, b"");
        Ok(())
    });
}

fn many_connections(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let addr = echo_server(cx).await?;
        Region::builder("clients")
            .close(Close::Join)
            .open(cx, async move |cx: &Cx| {
                for n in 0..100_u32 {
                    drop(cx.spawn("client", async move |cx: &Cx| {
                        let stream = cx.tcp_connect(addr).await?;
                        let payload = n.to_le_bytes().repeat(100);
                        stream.write_all(cx, &payload).await?;
                        stream.shutdown(cx).await?;
                        assert_eq!(read_to_end(cx, &stream).await?, payload);
                        Ok(())
                    }));
                }
                Ok(())
            })
            .await
    });
}

fn a_large_payload_both_ways_at_once(host: &dyn Runner) {
    let size = 32 * 1024 * 1024 / host.scale().min(8);
    host.ok(async move |cx: &Cx| {
        let addr = echo_server(cx).await?;
        let payload: std::sync::Arc<[u8]> = (0..size).map(|n| (n ^ (n >> 8) ^ (n >> 16)) as u8).collect();
        let stream = std::sync::Arc::new(cx.tcp_connect(addr).await?);
        let (sends, data) = (stream.clone(), payload.clone());
        // One task writes while this one reads: with neither, both directions would fill up.
        let writer = cx.spawn("writer", async move |cx: &Cx| {
            sends.write_all(cx, &data).await?;
            Ok(sends.shutdown(cx).await?)
        });
        let back = read_to_end(cx, &stream).await?;
        writer.join().await?;
        assert_eq!(back.len(), payload.len());
        assert!(*back == *payload, "the bytes differ");
        Ok(())
    });
}

fn a_half_closed_connection_goes_on(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (client, server) = pair(cx).await?;
        client.write_all(cx, b"request").await?;
        client.shutdown(cx).await?;
        client.shutdown(cx).await?;
        assert_eq!(read_to_end(cx, &server).await?, b"request");
        cx.yield_now().await?;
        server.write_all(cx, b"response").await?;
        drop(server);
        assert_eq!(read_to_end(cx, &client).await?, b"response");
        Ok(())
    });
}

fn accept_read_and_connect_fail_at_request(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let listener = cx.tcp_bind(ANY_PORT).await?;
        let addr = listener.local_addr()?;
        let client = cx.tcp_connect(addr).await?;
        let victim = Victim::new(cx).await;
        victim.request();
        // A connection waits to be accepted, and stays there.
        let refused = listener.accept(&victim.cx).await.map(drop);
        assert_eq!(cancelled_kind(&refused.map_err(Into::into)), ReasonKind::UserRequest);
        let (server, _) = listener.accept(cx).await?;
        client.write_all(cx, b"x").await?;
        let mut buf = [0; 8];
        assert!(server.read(&victim.cx, &mut buf).await.is_err());
        assert_eq!(server.read(cx, &mut buf).await?, 1, "the byte stayed in the socket");
        assert!(victim.cx.tcp_connect(addr).await.is_err());
        assert!(victim.cx.tcp_bind(ANY_PORT).await.is_err());
        // And while it waits.
        let late = Victim::new(cx).await;
        {
            let mut read = std::pin::pin!(server.read(&late.cx, &mut buf));
            assert!(crate::probe::poll_now(read.as_mut()).is_pending());
            let mut accept = std::pin::pin!(listener.accept(&late.cx));
            assert!(crate::probe::poll_now(accept.as_mut()).is_pending());
            late.request();
            assert!(matches!(crate::probe::poll_now(read), std::task::Poll::Ready(Err(_))));
            assert!(matches!(crate::probe::poll_now(accept), std::task::Poll::Ready(Err(_))));
        }
        Ok(())
    });
}

fn a_write_goes_on_through_request(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (client, server) = pair(cx).await?;
        let size = 8 * 1024 * 1024;
        let (tell, mut ready) = oneshot::channel();
        let writer = cx.spawn("writer", async move |cx: &Cx| {
            drop(tell.send(()));
            cx.cancelled().await;
            // More than the system keeps: it must wait for the reader, under Request.
            server.write_all(cx, &vec![7; size]).await?;
            Ok(())
        });
        ready.recv(cx).await?;
        writer.request_cancel(Reason::new(ReasonKind::UserRequest));
        assert_eq!(read_to_end(cx, &client).await?.len(), size);
        writer.join().await
    });
}

fn a_write_ends_with_the_budget(host: &dyn Runner) {
    let ran = host.run(short(20, 10_000), async |cx: &Cx| {
        let (client, server) = pair(cx).await?;
        let (tell, mut ready) = oneshot::channel();
        let writer = cx.spawn("writer", async move |cx: &Cx| {
            drop(tell.send(()));
            let data = vec![7; 64 * 1024];
            loop {
                server.write_all(cx, &data).await?;
            }
            #[expect(unreachable_code, reason = "names the type of the endless loop")]
            Outcome::Ok(())
        });
        ready.recv(cx).await?;
        let ended = writer.cancel(Budget::timeout(MS(10))).await;
        drop(client);
        assert_eq!(cancelled_kind(&ended), ReasonKind::UserRequest);
        Ok(())
    });
    ran.outcome.expect("the body succeeds");
}

fn a_stream_knows_its_region(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (client, server) = pair(cx).await?;
        let _keep = client;
        let (tell, mut told) = oneshot::channel();
        let reader = cx.spawn_future("reader", async move {
            drop(tell.send(server.cx().region_id()));
            let mut buf = [0; 8];
            server.read(server.cx(), &mut buf).await?;
            Ok(())
        });
        assert_eq!(told.recv(cx).await?, cx.region_id());
        // The root closes under it when main ends.
        drop(reader);
        Ok(())
    });
}

fn a_dropped_connection_ends_for_its_peer(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (client, server) = pair(cx).await?;
        let reader = cx.spawn("reader", async move |cx: &Cx| Ok(read_to_end(cx, &server).await?));
        drop(client);
        assert_eq!(reader.join().await?, b"");
        Ok(())
    });
}

fn a_listener_ends_without_a_loss(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let listener = cx.tcp_bind(ANY_PORT).await?;
        let addr = listener.local_addr()?;
        let early = cx.tcp_connect(addr).await?;
        listener.stop_queueing()?;
        let late = async |cx: &Cx| Ok(cx.tcp_connect(addr).await.map(drop).map_err(|error| error.kind()));
        let end = async |cx: &Cx| {
            let queued = listener.accept_queued(cx).await?;
            assert!(listener.accept_queued(cx).await?.is_none());
            drop(listener);
            Ok(queued)
        };
        // The second begins when the first has.
        let (late, queued) = cx.join(late, end).await?;
        let (server, peer) = queued.expect("it was there before");
        assert_eq!(peer, early.local_addr()?);
        server.write_all(cx, b"x").await?;
        assert_eq!(early.read(cx, &mut [0]).await?, 1);
        if cfg!(target_os = "linux") {
            assert_eq!(late, Err(io::ErrorKind::ConnectionRefused));
        }
        Ok(())
    });
}
