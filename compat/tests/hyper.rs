//! The HTTP/1.1 server over real sockets: what it serves, and what it survives.
#![cfg(all(feature = "hyper", feature = "tower"))]

mod common;

use std::convert::Infallible;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::task::{Context, Poll};
use std::time::Duration;

use asupersync_compat::hyper::{Server, Tower, serve};
use asupersync_compat::tower::RegionLayer;
use asupersync_core::io::{Listener, Stream, TcpListener};
use asupersync_core::{Budget, Cx, Region};
use common::{Client, header, run, shut_down, start};
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use tower::{Layer, service_fn as tower_fn};

async fn hello(request: Request<Incoming>) -> Result<Response<String>, Infallible> {
    Ok(Response::new(format!("hello {}", request.uri().path())))
}

#[test]
fn a_connection_is_kept_and_requests_may_be_pipelined() {
    run(async |cx: &Cx| {
        let (addr, server) = start(cx, Server::new(), service_fn(hello)).await?;
        let client = cx.spawn_blocking("client", move || {
            let mut client = Client::connect(addr);
            assert_eq!(client.get("/a").body, b"hello /a");
            client.send("GET /b HTTP/1.1\r\nhost: x\r\n\r\nGET /c HTTP/1.1\r\nhost: x\r\n\r\n");
            assert_eq!(client.response().body, b"hello /b");
            assert_eq!(client.response().body, b"hello /c");
            client.send("GET /d HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
            assert_eq!(client.response().body, b"hello /d");
            assert_eq!(client.rest(), b"");
            Ok(())
        });
        client.join().await?;
        let report = server.cancel(Budget::UNLIMITED).await?;
        assert_eq!((report.accepted, report.well, report.open()), (1, 1, 0));
        Ok(())
    });
}

#[test]
fn large_bodies_arrive_byte_for_byte_both_ways() {
    run(async |cx: &Cx| {
        let echo = service_fn(async |request: Request<Incoming>| {
            Ok::<_, Infallible>(Response::new(request.into_body()))
        });
        let (addr, server) = start(cx, Server::new(), echo).await?;
        let client = cx.spawn_blocking("client", move || {
            let sent: Vec<u8> =
                (0..6_000_001u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
            let mut client = Client::connect(addr);
            let mut writer = client.0.try_clone().expect("clones");
            let body = sent.clone();
            let writing = std::thread::spawn(move || {
                let head = format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
                writer.write_all(head.as_bytes()).expect("sends");
                writer.write_all(&body).expect("sends");
            });
            let got = client.response();
            writing.join().expect("writes");
            assert!(got.body == sent, "{} of {} bytes", got.body.len(), sent.len());
            Ok(())
        });
        client.join().await?;
        server.cancel(Budget::UNLIMITED).await?;
        Ok(())
    });
}

#[test]
fn a_panic_and_an_error_are_answered_with_500_and_the_server_lives() {
    run(async |cx: &Cx| {
        let service = async |request: Request<Incoming>| match request.uri().path() {
            "/panic" => panic!("on purpose"),
            "/error" => Err(io::Error::other("on purpose")),
            path => Ok(Response::new(path.to_owned())),
        };
        let (plain_addr, plain) = start(cx, Server::new(), service_fn(service)).await?;
        let layered = RegionLayer::new(cx).layer(tower_fn(service));
        let (layered_addr, layered) = start(cx, Server::new(), Tower::new(layered)).await?;
        for addr in [plain_addr, layered_addr] {
            let client = cx.spawn_blocking("client", move || {
                let mut client = Client::connect(addr);
                assert_eq!(client.get("/panic").status, 500);
                assert_eq!(client.get("/error").status, 500);
                assert_eq!(client.get("/fine").body, b"/fine");
                Ok(())
            });
            client.join().await?;
        }
        for server in [plain, layered] {
            let report = server.cancel(Budget::UNLIMITED).await?;
            assert_eq!((report.accepted, report.well, report.faults), (1, 1, 2));
        }
        Ok(())
    });
}

#[test]
fn a_request_that_its_region_refuses_is_answered_with_503() {
    run(async |cx: &Cx| {
        let closed = Region::open(cx, "closed", async |cx: &Cx| Ok(cx.clone())).await?;
        let service = RegionLayer::new(&closed).layer(tower_fn(hello));
        let (addr, server) = start(cx, Server::new(), Tower::new(service)).await?;
        let client = cx.spawn_blocking("client", move || {
            let mut client = Client::connect(addr);
            assert_eq!(client.get("/").status, 503);
            assert_eq!(client.get("/").status, 503);
            Ok(())
        });
        client.join().await?;
        assert_eq!(server.cancel(Budget::UNLIMITED).await?.faults, 2);
        Ok(())
    });
}

#[test]
fn one_connections_nonsense_is_counted_and_the_others_go_on() {
    run(async |cx: &Cx| {
        let (addr, server) = start(cx, Server::new(), service_fn(hello)).await?;
        let client = cx.spawn_blocking("client", move || {
            let mut good = Client::connect(addr);
            assert_eq!(good.get("/1").status, 200);
            let mut bad = Client::connect(addr);
            // More than hyper reads; what it left must not reset its answer away.
            bad.send([&b"\0\0 nonsense\r\n\r\n"[..], &[b'x'; 100_000]].concat());
            let mut got = Vec::new();
            bad.0.read_to_end(&mut got)?;
            assert!(got.starts_with(b"HTTP/1.1 400"), "{}", String::from_utf8_lossy(&got));
            assert_eq!(good.get("/2").status, 200);
            Ok(())
        });
        client.join().await?;
        let report = server.cancel(Budget::UNLIMITED).await?;
        assert_eq!((report.accepted, report.failed, report.well), (2, 1, 1));
        Ok(())
    });
}

#[test]
fn a_header_that_takes_too_long_ends_its_connection() {
    run(async |cx: &Cx| {
        let options = Server::new().header_read_timeout(Duration::from_millis(20));
        let (addr, server) = start(cx, options, service_fn(hello)).await?;
        let client = cx.spawn_blocking("client", move || {
            let mut client = Client::connect(addr);
            client.send("GET / HT");
            client.rest();
            Ok(())
        });
        client.join().await?;
        assert_eq!(server.cancel(Budget::UNLIMITED).await?.failed, 1);
        Ok(())
    });
}

#[test]
fn connections_beyond_the_limit_wait_for_a_place() {
    run(async |cx: &Cx| {
        let (addr, server) = start(cx, Server::new().max_connections(1), service_fn(hello)).await?;
        let client = cx.spawn_blocking("client", move || {
            let mut first = Client::connect(addr);
            assert_eq!(first.get("/1").status, 200);
            let mut second = Client::connect(addr);
            second.send("GET /2 HTTP/1.1\r\nhost: x\r\n\r\n");
            second.0.set_nonblocking(true).expect("does not wait");
            assert_eq!(first.get("/3").status, 200);
            // The only place is the first's.
            assert!(second.0.read(&mut [0]).is_err());
            second.0.set_nonblocking(false).expect("waits");
            first.leave();
            assert_eq!(second.response().body, b"hello /2");
            Ok(())
        });
        client.join().await?;
        assert_eq!(server.cancel(Budget::UNLIMITED).await?.accepted, 2);
        Ok(())
    });
}

#[test]
fn the_observer_hears_of_each_end_and_the_region_of_nothing() {
    run(async |cx: &Cx| {
        let (tell, mut told) = asupersync_core::channel::mpsc::channel(8);
        let options = Server::new().keep_alive(false).observe(move |peer, end| {
            drop(tell.try_send(format!("{} {end:?}", peer.ip())));
        });
        let (addr, server) = start(cx, options, service_fn(hello)).await?;
        let client = cx.spawn_blocking("client", move || {
            let mut client = Client::connect(addr);
            let got = client.get("/");
            assert_eq!(header(&got.head, "connection"), Some("close"));
            client.rest();
            Ok(())
        });
        client.join().await?;
        assert_eq!(told.recv(cx).await?.as_deref(), Some("127.0.0.1 Well"));
        shut_down(&server);
        server.join().await?;
        Ok(())
    });
}

#[test]
fn a_body_that_is_read_inside_a_handler_is_whole() {
    run(async |cx: &Cx| {
        let count = async |request: Request<Incoming>| -> Result<_, hyper::Error> {
            let body = request.into_body().collect().await?.to_bytes();
            Ok(Response::new(body.len().to_string()))
        };
        let service = RegionLayer::new(cx).layer(tower_fn(count));
        let (addr, server) = start(cx, Server::new(), Tower::new(service)).await?;
        let client = cx.spawn_blocking("client", move || {
            let mut client = Client::connect(addr);
            client.send("POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
            for _ in 0..100 {
                client.send("3e8\r\n");
                client.send(vec![b'x'; 1000]);
                client.send("\r\n");
            }
            client.send("0\r\n\r\n");
            assert_eq!(client.response().body, b"100000");
            Ok(())
        });
        client.join().await?;
        server.cancel(Budget::UNLIMITED).await?;
        Ok(())
    });
}

/// Fails some times before it accepts, as a process does that has no file left.
struct Short {
    inner: Box<dyn Listener>,
    errors: Mutex<Vec<i32>>,
}

impl Listener for Short {
    fn poll_accept(&self, task: &mut Context<'_>) -> Poll<io::Result<(Box<dyn Stream>, SocketAddr)>> {
        match self.errors.lock().expect("no panic").pop() {
            Some(code) => Poll::Ready(Err(io::Error::from_raw_os_error(code))),
            None => self.inner.poll_accept(task),
        }
    }

    fn accept_queued(&self) -> io::Result<(Box<dyn Stream>, SocketAddr)> {
        self.inner.accept_queued()
    }

    fn stop_queueing(&self) -> io::Result<()> {
        self.inner.stop_queueing()
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

#[cfg(target_os = "linux")]
#[test]
fn errors_of_accept_are_lived_through_and_counted() {
    run(async |cx: &Cx| {
        let listener = cx.tcp_bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        // EMFILE, ENFILE and ECONNABORTED.
        let short = Short { inner: listener.into(), errors: Mutex::new(vec![103, 23, 24]) };
        let listener = TcpListener::from(Box::new(short) as Box<dyn Listener>);
        let server = cx.spawn("server", async move |cx: &Cx| serve(cx, listener, service_fn(hello)).await);
        let client = cx.spawn_blocking("client", move || {
            assert_eq!(Client::connect(addr).get("/").status, 200);
            Ok(())
        });
        client.join().await?;
        let report = server.cancel(Budget::UNLIMITED).await?;
        assert_eq!((report.accepted, report.accept_errors), (1, 3));
        Ok(())
    });
}
