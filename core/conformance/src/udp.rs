//! UDP: datagrams keep their bounds, go to whom they are meant for, and no operation loses one.

use std::future::poll_fn;
use std::io::ErrorKind;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use asupersync_core::caps::{Authority, Denied, Effect, NetAuthority, NetUse};
use asupersync_core::channel::oneshot;
use asupersync_core::io::{Direction, UdpSocket};
use asupersync_core::region::Close;
use asupersync_core::{Cx, Outcome, Reason, ReasonKind, Region};

use crate::probe::{Victim, cancelled_kind, poll_now};
use crate::runner::Runner;
use crate::tcp::ANY_PORT;

crate::cases![
    datagrams_are_answered needs (Sockets),
    datagrams_keep_their_bounds needs (Sockets),
    what_does_not_fit_is_lost needs (Sockets),
    a_connected_socket_hears_only_its_peer needs (Sockets),
    many_send_to_one needs (Sockets),
    one_task_sends_while_another_receives needs (Sockets),
    recv_and_connect_fail_at_request needs (Sockets),
    a_send_goes_on_until_the_budget_is_spent needs (Sockets),
    a_closing_region_ends_who_receives needs (Sockets),
    who_sends_where_nobody_receives_is_told needs (Sockets),
    a_socket_without_a_peer_says_what_to_do needs (Sockets),
    a_datagram_that_is_too_long_is_an_error needs (Sockets),
    a_busy_port_is_named_until_it_is_free needs (Sockets),
    each_address_is_asked_for needs (Sockets),
    polls_need_no_scope needs (Sockets),
];

/// A socket, and one that is connected to it.
async fn pair(cx: &Cx) -> Outcome<(UdpSocket, UdpSocket)> {
    let (server, client) = (cx.udp_bind(ANY_PORT).await?, cx.udp_bind(ANY_PORT).await?);
    client.connect(cx, server.local_addr()?).await?;
    Ok((server, client))
}

fn datagrams_are_answered(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (server, client) = pair(cx).await?;
        assert_eq!(client.peer_addr()?, server.local_addr()?);
        let server = cx.spawn("server", async move |cx: &Cx| -> Outcome {
            let mut buf = [0; 64];
            loop {
                let (len, peer) = server.recv_from(cx, &mut buf).await?;
                assert_eq!(server.send_to(cx, &buf[..len], peer).await?, len);
            }
        });
        let mut buf = [0; 64];
        for message in ["hello", "again", "and once more"] {
            assert_eq!(client.send(cx, message.as_bytes()).await?, message.len());
            let len = client.recv(cx, &mut buf).await?;
            assert_eq!(&buf[..len], message.as_bytes());
        }
        server.request_cancel(Reason::new(ReasonKind::UserRequest));
        assert_eq!(cancelled_kind(&server.join().await), ReasonKind::UserRequest);
        Ok(())
    });
}

fn datagrams_keep_their_bounds(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (server, client) = pair(cx).await?;
        let sent = [vec![1; 3], vec![], vec![2; 1400], vec![3; 1]];
        for datagram in &sent {
            client.send(cx, datagram).await?;
        }
        let (mut received, mut buf) = (Vec::new(), [0; 1500]);
        for _ in &sent {
            let (len, from) = server.recv_from(cx, &mut buf).await?;
            assert_eq!(from, client.local_addr()?);
            received.push(buf[..len].to_vec());
        }
        // One may overtake another.
        for datagram in sent {
            let at = received.iter().position(|other| *other == datagram).expect("it arrived");
            received.remove(at);
        }
        Ok(())
    });
}

fn what_does_not_fit_is_lost(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (server, client) = pair(cx).await?;
        client.send(cx, b"longer than that").await?;
        let mut buf = [0; 6];
        assert_eq!(server.recv(cx, &mut buf).await?, 6);
        assert_eq!(&buf, b"longer");
        client.send(cx, b"next").await?;
        assert_eq!(server.recv(cx, &mut buf).await?, 4);
        assert_eq!(&buf[..4], b"next");
        Ok(())
    });
}

fn a_connected_socket_hears_only_its_peer(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (peer, socket) = pair(cx).await?;
        let stranger = cx.udp_bind(ANY_PORT).await?;
        stranger.send_to(cx, b"a stranger", socket.local_addr()?).await?;
        peer.send_to(cx, b"the peer", socket.local_addr()?).await?;
        let mut buf = [0; 16];
        let (len, from) = socket.recv_from(cx, &mut buf).await?;
        assert_eq!((&buf[..len], from), (&b"the peer"[..], peer.local_addr()?));
        // Another peer, by a name.
        socket.connect(cx, format!("localhost:{}", stranger.local_addr()?.port())).await?;
        assert_eq!(socket.peer_addr()?, stranger.local_addr()?);
        peer.send_to(cx, b"the peer", socket.local_addr()?).await?;
        stranger.send_to(cx, b"the peer now", socket.local_addr()?).await?;
        // What it sent before may come in late.
        while socket.recv(cx, &mut buf).await? != 12 {
            assert_eq!(&buf[..10], b"a stranger");
        }
        assert_eq!(&buf[..12], b"the peer now");
        Ok(())
    });
}

fn many_send_to_one(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let server = cx.udp_bind(ANY_PORT).await?;
        let addr = server.local_addr()?;
        Region::builder("clients")
            .close(Close::Join)
            .open(cx, async move |cx: &Cx| {
                for n in 0..50_u32 {
                    drop(cx.spawn("client", async move |cx: &Cx| {
                        let client = cx.udp_bind(ANY_PORT).await?;
                        client.connect(cx, addr).await?;
                        client.send(cx, &n.to_le_bytes()).await?;
                        let mut buf = [0; 8];
                        assert_eq!(client.recv(cx, &mut buf).await?, 4);
                        assert_eq!(buf[..4], n.to_le_bytes());
                        Ok(())
                    }));
                }
                let mut buf = [0; 8];
                for _ in 0..50 {
                    let (len, peer) = server.recv_from(cx, &mut buf).await?;
                    server.send_to(cx, &buf[..len], peer).await?;
                }
                Ok(())
            })
            .await
    });
}

fn one_task_sends_while_another_receives(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (server, client) = pair(cx).await?;
        let client = Arc::new(client);
        let receives = client.clone();
        let receiver = cx.spawn("receiver", async move |cx: &Cx| {
            let mut buf = [0; 8];
            Ok(receives.recv(cx, &mut buf).await?)
        });
        client.send(cx, b"hello").await?;
        let (_, peer) = server.recv_from(cx, &mut [0; 8]).await?;
        server.send_to(cx, b"answer", peer).await?;
        assert_eq!(receiver.join().await?, 6);
        Ok(())
    });
}

fn recv_and_connect_fail_at_request(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (server, client) = pair(cx).await?;
        client.send(cx, b"x").await?;
        let victim = Victim::new(cx).await;
        victim.request();
        let mut buf = [0; 8];
        let refused = server.recv(&victim.cx, &mut buf).await;
        assert_eq!(cancelled_kind(&refused.map_err(Into::into)), ReasonKind::UserRequest);
        assert!(server.connect(&victim.cx, client.local_addr()?).await.is_err());
        assert!(server.peer_addr().is_err());
        assert!(victim.cx.udp_bind(ANY_PORT).await.is_err());
        assert_eq!(server.recv(cx, &mut buf).await?, 1, "the datagram stayed in the socket");
        // And while it waits.
        let late = Victim::new(cx).await;
        {
            let mut receive = pin!(server.recv_from(&late.cx, &mut buf));
            assert!(poll_now(receive.as_mut()).is_pending());
            late.request();
            assert!(matches!(poll_now(receive), Poll::Ready(Err(_))));
        }
        client.send(cx, b"for the next").await?;
        assert_eq!(server.recv(cx, &mut buf).await?, 8);
        Ok(())
    });
}

fn a_send_goes_on_until_the_budget_is_spent(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (server, client) = pair(cx).await?;
        let (victim, mut buf) = (Victim::new(cx).await, [0; 8]);
        victim.request();
        client.send(&victim.cx, b"one").await?;
        assert_eq!(server.recv(cx, &mut buf).await?, 3);
        server.send_to(&victim.cx, b"four", client.local_addr()?).await?;
        assert_eq!(client.recv(cx, &mut buf).await?, 4);
        let spent = victim.spend().await;
        let refused = client.send(&spent, b"two").await;
        assert_eq!(cancelled_kind(&refused.map_err(Into::into)), ReasonKind::UserRequest);
        assert!(server.send_to(&spent, b"two", client.local_addr()?).await.is_err());
        client.send(cx, b"three").await?;
        assert_eq!(server.recv(cx, &mut buf).await?, 5, "what failed was not sent");
        Ok(())
    });
}

fn a_closing_region_ends_who_receives(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tell, mut told) = oneshot::channel();
        Region::open(cx, "service", async move |cx: &Cx| {
            let socket = cx.udp_bind(ANY_PORT).await?;
            let addr = socket.local_addr()?;
            drop(cx.spawn("receiver", async move |cx: &Cx| {
                assert_eq!(socket.cx().region_id(), cx.region_id());
                let received = socket.recv(cx, &mut [0; 8]).await;
                drop(tell.send(received.map_err(Into::into)));
                Ok(())
            }));
            Ok(addr)
        })
        .await?;
        let received: Outcome<usize> = told.recv(cx).await?;
        cancelled_kind(&received);
        Ok(())
    });
}

fn who_sends_where_nobody_receives_is_told(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (server, client) = pair(cx).await?;
        drop(server);
        client.send(cx, b"anybody?").await?;
        let error = client.recv(cx, &mut [0; 8]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        // Who is not connected cannot be told, and goes on.
        let (here, there) = (cx.udp_bind(ANY_PORT).await?, client.peer_addr()?);
        here.send_to(cx, b"anybody?", there).await?;
        client.connect(cx, here.local_addr()?).await?;
        client.send(cx, b"x").await?;
        assert_eq!(here.recv(cx, &mut [0; 8]).await?, 1);
        Ok(())
    });
}

fn a_socket_without_a_peer_says_what_to_do(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let socket = cx.udp_bind(ANY_PORT).await?;
        assert_eq!(socket.peer_addr().unwrap_err().kind(), ErrorKind::NotConnected);
        let error = socket.send(cx, b"x").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotConnected);
        assert!(error.to_string().contains("use `send_to`, or `connect` it first"), "{error}");
        Ok(())
    });
}

fn a_datagram_that_is_too_long_is_an_error(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (server, client) = pair(cx).await?;
        client.send(cx, &vec![0; 70_000]).await.unwrap_err();
        client.send(cx, b"x").await?;
        assert_eq!(server.recv(cx, &mut [0; 8]).await?, 1);
        Ok(())
    });
}

fn a_busy_port_is_named_until_it_is_free(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let first = cx.udp_bind(ANY_PORT).await?;
        let addr = first.local_addr()?;
        let error = cx.udp_bind(addr).await.map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        let text = error.to_string();
        assert!(text.contains(&format!("cannot bind {addr}")) && text.contains("in use"), "{text}");
        drop(first);
        assert_eq!(cx.udp_bind(addr).await?.local_addr()?, addr);
        Ok(())
    });
}

/// Allows these uses.
struct Only(&'static [NetUse]);

impl NetAuthority for Only {
    fn check(&self, how: NetUse, _: std::net::SocketAddr) -> std::io::Result<()> {
        match self.0.contains(&how) {
            true => Ok(()),
            false => Err(std::io::Error::other("outside of the fence")),
        }
    }
}

/// How the denial that it is was told.
#[track_caller]
fn denied<T>(result: std::io::Result<T>) -> String {
    let error = result.map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    let denied = error.get_ref().and_then(|inner| inner.downcast_ref::<Denied>()).expect("a denial");
    assert_eq!(denied.effect(), Effect::Net);
    denied.to_string()
}

fn each_address_is_asked_for(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (server, client) = pair(cx).await?;
        let to = server.local_addr()?;
        let binds = cx.net().limited_to(Only(&[NetUse::Bind]));
        let socket = binds.udp_bind(cx, ANY_PORT).await?;
        assert!(denied(socket.send_to(cx, b"x", to).await).contains(&format!("sending to {to}")));
        assert!(denied(socket.connect(cx, to).await).contains(&format!("connecting to {to}")));
        denied(poll_fn(|task| socket.poll_send_to(task, b"x", to)).await);
        let sends = cx.net().limited_to(Only(&[NetUse::Send]));
        denied(sends.udp_bind(cx, ANY_PORT).await);
        // The right of whoever sends counts as well as that of who opened it.
        cx.attenuate(Authority::only([]), async |cx: &Cx| {
            denied(client.send_to(cx, b"x", to).await);
            denied(client.connect(cx, to).await);
            denied(cx.udp_bind(ANY_PORT).await);
            // The peer was asked for when it was connected.
            client.send(cx, b"x").await?;
            assert_eq!(server.recv(cx, &mut [0; 8]).await?, 1);
            Ok(())
        })
        .await
    });
}

fn polls_need_no_scope(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (server, client) = pair(cx).await?;
        let (to, mut buf) = (server.local_addr()?, [0; 8]);
        let polled = poll_fn(|task| client.poll_send(task, b"x"));
        assert_eq!(cx.or_spent(polled).await??, 1);
        let polled = poll_fn(|task| client.poll_send_to(task, b"yz", to));
        assert_eq!(cx.or_spent(polled).await??, 2);
        let mut lens = Vec::new();
        for _ in 0..2 {
            let polled = poll_fn(|task| server.poll_recv_from(task, &mut buf));
            lens.push(cx.or_cancel(polled).await??.0);
        }
        lens.sort_unstable();
        assert_eq!(lens, [1, 2]);
        let (_flooded, floods) = pair(cx).await?;
        // A host need not know of a new socket at once that it takes something.
        floods.send(cx, b"x").await?;
        let in_a_row = poll_fn(|task| {
            let sends = (0..1000).take_while(|_| floods.poll_send(task, b"x").is_ready());
            Poll::Ready(sends.count())
        });
        assert!((1..1000).contains(&in_a_row.await), "it does not let others run");
        // What the system offers beyond that.
        let Ok(system) = server.system() else { return Ok(()) };
        let again = cx.net().udp_adopt(cx, system)?;
        assert_eq!(again.local_addr()?, to);
        let system = again.system()?;
        let peeked = cx.spawn("peek", async move |cx: &Cx| {
            let peek = || system.peek(&mut [0; 8]);
            let peeked = poll_fn(|task| again.poll_io(task, Direction::Read, peek));
            Ok(cx.or_cancel(peeked).await??)
        });
        client.send(cx, b"abc").await?;
        assert_eq!(peeked.join().await?, 3);
        assert_eq!(server.recv(cx, &mut buf).await?, 3);
        Ok(())
    });
}
