//! Graceful shutdown, row by row: what a connection is doing when the server is asked to close,
//! and how it ends.
#![cfg(all(feature = "hyper", feature = "tower"))]

mod common;

use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use asupersync_compat::RequestCx;
use asupersync_compat::hyper::{Counters, ServeReport, Server, Tower};
use asupersync_compat::tower::RegionLayer;
use asupersync_core::channel::{mpsc, oneshot};
use asupersync_core::io::{Listener, Stream, TcpListener};
use asupersync_core::{Budget, Cx, Handle, Outcome, Region};
use bytes::Bytes;
use common::{Client, Gate, Got, Streamed, header, run, shut_down, start};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use tower::{Layer, service_fn as tower_fn};

/// Short: these tests wait for the end of it.
fn short() -> Budget {
    Budget::timeout(Duration::from_millis(50))
}

async fn accepted(cx: &Cx, counters: &Counters) -> Outcome {
    while counters.report().accepted == 0 {
        cx.yield_now().await?;
    }
    Ok(())
}

/// A client that asks for `/` once and takes what comes until the server closes.
fn asks_once(cx: &Cx, addr: SocketAddr) -> Handle<Vec<u8>> {
    cx.spawn_blocking("client", move || {
        let mut client = Client::connect(addr);
        client.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
        Ok(client.rest())
    })
}

#[test]
fn idle_keep_alive_ends_at_once() {
    run(async |cx: &Cx| {
        let service = service_fn(async |_| Ok::<_, Infallible>(Response::new(String::from("hi"))));
        // Unlimited: only a connection that ends by itself lets this test end.
        let (addr, server) = start(cx, Server::new(), service).await?;
        let (told, mut idle) = mpsc::channel(1);
        let client = cx.spawn_blocking("client", move || {
            let mut client = Client::connect(addr);
            assert_eq!(client.get("/").status, 200);
            told.try_send(()).expect("room");
            Ok(client.rest())
        });
        idle.recv(cx).await?;
        shut_down(&server);
        assert_eq!(client.join().await?, b"");
        assert_eq!(server.join().await?.well, 1);
        Ok(())
    });
}

#[test]
fn a_connection_that_sent_nothing_ends_at_once() {
    run(async |cx: &Cx| {
        let options = Server::new();
        let counters = options.counters();
        let service = service_fn(async |_| Ok::<_, Infallible>(Response::new(String::from("hi"))));
        let (addr, server) = start(cx, options, service).await?;
        let client = cx.spawn_blocking("client", move || Ok(Client::connect(addr).rest()));
        accepted(cx, &counters).await?;
        shut_down(&server);
        assert_eq!(client.join().await?, b"");
        assert_eq!(server.join().await?.open(), 0);
        Ok(())
    });
}

#[test]
fn a_request_in_flight_is_answered_and_its_connection_closed() {
    run(async |cx: &Cx| {
        let (open, gate) = Gate::new();
        let (started, mut starts) = mpsc::channel(1);
        let service = service_fn(move |_: Request<Incoming>| {
            let (gate, started) = (gate.clone(), started.clone());
            async move {
                started.try_send(()).expect("room");
                gate.passed().await;
                Ok::<_, Infallible>(Response::new(String::from("late")))
            }
        });
        let (addr, server) = start(cx, Server::new(), service).await?;
        let client = cx.spawn_blocking("client", move || {
            let mut client = Client::connect(addr);
            let Got { status, head, body } = client.get("/");
            assert_eq!((status, &*body), (200, &b"late"[..]));
            assert_eq!(header(&head, "connection"), Some("close"));
            Ok(client.rest())
        });
        starts.recv(cx).await?;
        shut_down(&server);
        open.send(())?;
        assert_eq!(client.join().await?, b"");
        let report = server.join().await?;
        assert_eq!((report.accepted, report.well), (1, 1));
        Ok(())
    });
}

#[test]
fn a_request_that_has_arrived_but_was_not_read_is_answered() {
    run(async |cx: &Cx| {
        let listener = cx.tcp_bind("127.0.0.1:0").await?;
        let client = asks_once(cx, listener.local_addr()?);
        let options = Server::new();
        let counters = options.counters();
        let server = cx.spawn("server", async move |cx: &Cx| {
            let service = service_fn(async |_| Ok::<_, Infallible>(Response::new(String::from("hi"))));
            options.serve(cx, listener, service).await
        });
        // Seen or not: from here on it is the server's.
        accepted(cx, &counters).await?;
        shut_down(&server);
        let got = String::from_utf8(client.join().await?).expect("text");
        // A connection on which nothing has arrived is closed; one on which it has is answered.
        assert!(got.is_empty() || got.ends_with("hi"), "{got}");
        assert_eq!(server.join().await?.open(), 0);
        Ok(())
    });
}

#[test]
fn requests_behind_the_last_one_answered_do_not_reset_the_connection() {
    run(async |cx: &Cx| {
        let (open, gate) = Gate::new();
        let (started, mut starts) = mpsc::channel(4);
        let service = service_fn(move |_: Request<Incoming>| {
            let (gate, started) = (gate.clone(), started.clone());
            async move {
                started.try_send(()).expect("room");
                gate.passed().await;
                Ok::<_, Infallible>(Response::new("x".repeat(1000)))
            }
        });
        let (addr, server) = start(cx, Server::new(), service).await?;
        let (go, mut going) = mpsc::channel::<()>(1);
        let (told, mut sent) = mpsc::channel(1);
        let client = cx.spawn_blocking("client", move || {
            let mut client = Client::connect(addr);
            client.send("GET /1 HTTP/1.1\r\nhost: x\r\n\r\n");
            while going.try_recv().is_none() {
                std::thread::yield_now();
            }
            // More than hyper reads ahead.
            client.send("GET /2 HTTP/1.1\r\nhost: x\r\n\r\n".repeat(3000));
            told.try_send(()).expect("room");
            let got = client.response();
            let mut rest = Vec::new();
            std::io::Read::read_to_end(&mut client.0, &mut rest)?;
            Ok((got.body.len(), rest.len()))
        });
        starts.recv(cx).await?;
        go.send(cx, ()).await?;
        sent.recv(cx).await?;
        shut_down(&server);
        open.send(())?;
        assert_eq!(client.join().await?, (1000, 0));
        assert_eq!(server.join().await?.well, 1);
        Ok(())
    });
}

#[test]
fn a_header_sent_by_half_is_cut_at_the_end_of_the_budget() {
    run(async |cx: &Cx| {
        let listener = cx.tcp_bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let (told, mut sent) = mpsc::channel(1);
        let client = cx.spawn_blocking("client", move || {
            let mut client = Client::connect(addr);
            client.send("GET / HT");
            told.try_send(()).expect("room");
            Ok(client.rest())
        });
        // Sent before the server looks, so that it finds the half.
        sent.recv(cx).await?;
        let options = Server::new().drain(short());
        let counters = options.counters();
        let server = cx.spawn("server", async move |cx: &Cx| {
            let service = service_fn(async |_| Ok::<_, Infallible>(Response::new(String::new())));
            options.serve(cx, listener, service).await
        });
        accepted(cx, &counters).await?;
        shut_down(&server);
        assert_eq!(client.join().await?, b"");
        assert_eq!(server.join().await?.cut, 1);
        Ok(())
    });
}

/// Serves `/` with a handler that never ends, in regions with a short budget of their own.
async fn serve_endless(cx: &Cx, options: Server) -> Outcome<(ServeReport, bool, Vec<u8>)> {
    let finalized = Arc::new(AtomicBool::new(false));
    let (started, mut starts) = mpsc::channel(1);
    let (addr_told, mut addr) = oneshot::channel();
    let flag = finalized.clone();
    let app = cx.spawn("app", async move |cx: &Cx| {
        Region::open(cx, "app", async |cx: &Cx| {
            let handler = move |request: Request<Incoming>| {
                let (flag, started) = (flag.clone(), started.clone());
                async move {
                    let cx: &RequestCx = request.extensions().get().expect("the layer put it there");
                    let finalizer = async move |_: &Cx| flag.store(true, Ordering::SeqCst);
                    cx.defer(finalizer).map_err(std::io::Error::from)?;
                    started.try_send(()).expect("room");
                    pending::<std::io::Result<Response<String>>>().await
                }
            };
            let service = RegionLayer::new(cx).drain(short()).layer(tower_fn(handler));
            let listener = cx.tcp_bind("127.0.0.1:0").await?;
            addr_told.send(listener.local_addr()?)?;
            options.serve(cx, listener, Tower::new(service)).await
        })
        .await
    });
    let client = asks_once(cx, addr.recv(cx).await?);
    starts.recv(cx).await?;
    shut_down(&app);
    let report = app.join().await?;
    Ok((report, finalized.load(Ordering::SeqCst), client.join().await?))
}

#[test]
fn an_endless_handler_is_dropped_at_its_budget_finalized_and_answered_with_503() {
    run(async |cx: &Cx| {
        let (report, finalized, got) = serve_endless(cx, Server::new()).await?;
        assert!(finalized);
        let got = String::from_utf8(got).expect("text");
        assert!(got.starts_with("HTTP/1.1 503"), "{got}");
        assert_eq!(header(&got, "connection"), Some("close"));
        assert_eq!((report.well, report.faults, report.cut), (1, 1, 0));
        Ok(())
    });
}

#[test]
fn an_endless_handler_without_a_region_is_cut_with_its_connection() {
    run(async |cx: &Cx| {
        let (started, mut starts) = mpsc::channel(1);
        let service = service_fn(move |_: Request<Incoming>| {
            started.try_send(()).expect("room");
            pending::<Result<Response<String>, Infallible>>()
        });
        let (addr, server) = start(cx, Server::new().drain(short()), service).await?;
        let client = asks_once(cx, addr);
        starts.recv(cx).await?;
        shut_down(&server);
        assert_eq!(client.join().await?, b"");
        assert_eq!(server.join().await?.cut, 1);
        Ok(())
    });
}

/// A server whose one response streams what is sent into the channel.
async fn streaming(
    cx: &Cx,
    options: Server,
) -> Outcome<(SocketAddr, Handle<ServeReport>, mpsc::Sender<Bytes>)> {
    let (sender, receiver) = mpsc::channel(1);
    let body = Arc::new(std::sync::Mutex::new(Some(Streamed(receiver))));
    let handler = move |_: Request<Incoming>| {
        let body = body.lock().expect("no panic").take().expect("one request");
        async move { Ok::<_, Infallible>(Response::new(body)) }
    };
    let service = RegionLayer::new(cx).layer(tower_fn(handler));
    let (addr, server) = start(cx, options, Tower::new(service)).await?;
    Ok((addr, server, sender))
}

#[test]
fn a_streaming_body_goes_on_to_its_end() {
    run(async |cx: &Cx| {
        let (addr, server, body) = streaming(cx, Server::new()).await?;
        let client = asks_once(cx, addr);
        body.send(cx, Bytes::from_static(b"one ")).await?;
        // There is room for the second once the first was taken: the response is on its way.
        body.send(cx, Bytes::from_static(b"two ")).await?;
        body.send(cx, Bytes::from_static(b"three ")).await?;
        shut_down(&server);
        body.send(cx, Bytes::from_static(b"four")).await?;
        drop(body);
        let got = String::from_utf8(client.join().await?).expect("text");
        for word in ["one ", "two ", "three ", "four", "\r\n0\r\n\r\n"] {
            assert!(got.contains(word), "{got}");
        }
        assert_eq!(server.join().await?.well, 1);
        Ok(())
    });
}

#[test]
fn a_streaming_body_without_an_end_is_cut_at_the_budget() {
    run(async |cx: &Cx| {
        let (addr, server, body) = streaming(cx, Server::new().drain(short())).await?;
        let client = asks_once(cx, addr);
        body.send(cx, Bytes::from_static(b"one ")).await?;
        body.send(cx, Bytes::from_static(b"two ")).await?;
        body.send(cx, Bytes::from_static(b"three ")).await?;
        shut_down(&server);
        let got = String::from_utf8(client.join().await?).expect("text");
        assert!(got.contains("one ") && !got.ends_with("\r\n0\r\n\r\n"), "{got}");
        assert_eq!(server.join().await?.cut, 1);
        // The region of the request has closed too: nobody takes from the channel any more.
        assert!(body.is_closed());
        Ok(())
    });
}

#[test]
fn a_body_that_outlasts_its_regions_budget_fails_and_ends_its_connection() {
    run(async |cx: &Cx| {
        let (sender, receiver) = mpsc::channel(1);
        let body = Arc::new(std::sync::Mutex::new(Some(Streamed(receiver))));
        let (addr_told, mut addr) = oneshot::channel();
        let app = cx.spawn("app", async move |cx: &Cx| {
            Region::open(cx, "app", async |cx: &Cx| {
                let handler = move |_: Request<Incoming>| {
                    let body = body.lock().expect("no panic").take().expect("one request");
                    async move { Ok::<_, Infallible>(Response::new(body)) }
                };
                let service = RegionLayer::new(cx).drain(short()).layer(tower_fn(handler));
                let listener = cx.tcp_bind("127.0.0.1:0").await?;
                addr_told.send(listener.local_addr()?)?;
                // Unlimited: only a body that fails lets the connection end.
                Server::new().serve(cx, listener, Tower::new(service)).await
            })
            .await
        });
        let client = asks_once(cx, addr.recv(cx).await?);
        for word in [&b"one "[..], b"two ", b"three "] {
            sender.send(cx, Bytes::from_static(word)).await?;
        }
        shut_down(&app);
        let got = String::from_utf8(client.join().await?).expect("text");
        assert!(got.contains("one ") && !got.ends_with("\r\n0\r\n\r\n"), "{got}");
        let report = app.join().await?;
        assert_eq!((report.failed, report.cut), (1, 0));
        Ok(())
    });
}

/// Accepts nothing until it is opened, as a loop that is late.
struct Late {
    inner: Box<dyn Listener>,
    open: Arc<AtomicBool>,
    asked: mpsc::Sender<()>,
}

impl Listener for Late {
    fn poll_accept(&self, task: &mut Context<'_>) -> Poll<std::io::Result<(Box<dyn Stream>, SocketAddr)>> {
        if self.open.load(Ordering::SeqCst) {
            return self.inner.poll_accept(task);
        }
        // Once is enough: the rest finds no room.
        let _ = self.asked.try_send(());
        Poll::Pending
    }

    fn accept_queued(&self) -> std::io::Result<(Box<dyn Stream>, SocketAddr)> {
        if !self.open.load(Ordering::SeqCst) {
            return Err(std::io::ErrorKind::WouldBlock.into());
        }
        self.inner.accept_queued()
    }

    fn stop_queueing(&self) -> std::io::Result<()> {
        self.inner.stop_queueing()
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

#[test]
fn a_connection_in_the_backlog_is_served_and_not_reset() {
    run(async |cx: &Cx| {
        let listener = cx.tcp_bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let open = Arc::new(AtomicBool::new(false));
        let (asked, mut asks) = mpsc::channel(1);
        let late = Late { inner: listener.into(), open: open.clone(), asked };
        let listener = TcpListener::from(Box::new(late) as Box<dyn Listener>);
        let options = Server::new().grace(Duration::from_secs(3600));
        let counters = options.counters();
        let server = cx.spawn("server", async move |cx: &Cx| {
            let service = service_fn(async |_| Ok::<_, Infallible>(Response::new(String::from("hi"))));
            options.serve(cx, listener, service).await
        });
        asks.recv(cx).await?;
        let (told, mut connected) = mpsc::channel(1);
        let (go, asked) = std::sync::mpsc::channel();
        let client = cx.spawn_blocking("client", move || {
            let mut client = Client::connect(addr);
            told.try_send(()).expect("room");
            // Its request is still on the way when the server stops.
            asked.recv().expect("it is told");
            client.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
            Ok((client.response().status, client.rest()))
        });
        connected.recv(cx).await?;
        open.store(true, Ordering::SeqCst);
        shut_down(&server);
        while counters.report().accepted < 1 {
            cx.in_flight().sleep(Duration::from_millis(1)).await?;
        }
        go.send(()).expect("it waits");
        assert_eq!(client.join().await?, (200, Vec::new()));
        let report = server.join().await?;
        assert_eq!((report.accepted, report.well), (1, 1));
        Ok(())
    });
}
