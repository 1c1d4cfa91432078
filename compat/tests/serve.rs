//! A server's whole life, on every host: the clients are regions' too, so each case runs unchanged on the
//! native host, on Tokio, and in the lab under several seeds.
#![cfg(all(feature = "hosted", feature = "hyper", feature = "tower"))]

mod common;

use std::convert::Infallible;
use std::future::{pending, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use asupersync_compat::hyper::{ServeReport, Server, Tower, connect_http1, connect_http2};
use asupersync_compat::io::{ByteStreamExt, FromHyper};
use asupersync_compat::tower::{BoxError, RegionLayer};
use asupersync_compat::{Readiness, RequestCx, hosted};
use asupersync_core::channel::{mpsc, oneshot};
use asupersync_core::io::TcpStream;
use asupersync_core::{Budget, Cx, Handle, Outcome, Reason, ReasonKind, Region};
use asupersync_lab::Lab;
use bytes::Bytes;
use common::{Streamed, header, start};
use http::header::{CONNECTION, CONTENT_TYPE, UPGRADE};
use http::{Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use tower::{Layer, service_fn as tower_fn};

/// So long nothing takes here: only what never ends comes to the end of it.
const LONG: Duration = Duration::from_secs(3600);
/// A budget that is waited for.
const SHORT: Duration = Duration::from_millis(50);

/// Makes tests of cases, one for each host.
macro_rules! on_every_host {
    ($($case:ident,)*) => {
        mod native {
            $(#[test] fn $case() { super::common::run(async |cx: &super::Cx| super::$case(cx).await); })*
        }
        mod on_tokio {
            $(#[test] fn $case() {
                let mut tokio = tokio::runtime::Builder::new_multi_thread();
                let tokio = tokio.worker_threads(2).enable_all().build().expect("a runtime");
                let outcome = tokio.block_on(super::hosted::run(async |cx: &super::Cx| super::$case(cx).await));
                outcome.expect("it ends well");
            })*
        }
        mod in_the_lab {
            $(#[test] fn $case() {
                super::under_seeds(async |cx: &super::Cx| super::$case(cx).await);
            })*
        }
    };
}

fn under_seeds<F>(case: F)
where
    F: for<'a> asupersync_core::TaskFn<&'a Cx, Outcome, Fut: Send> + Clone + Send + 'static,
{
    for seed in 0..16 {
        let (outcome, report) = Lab::new(seed).run_with_report(case.clone());
        outcome.unwrap_or_else(|failure| panic!("seed {seed}: {failure:?}"));
        assert_eq!(report.totals.abandoned, 0, "seed {seed}: {report:?}");
    }
}

on_every_host! {
    both_versions_are_served_on_one_listener,
    a_stream_in_flight_is_answered_and_the_connection_ends,
    idle_connections_end_at_once,
    what_was_begun_and_not_finished_has_its_grace,
    an_upgrade_hears_of_request_and_says_goodbye,
    an_upgrade_that_goes_on_is_cut_with_the_drain,
    server_sent_events_come_to_an_end,
    each_request_of_a_connection_has_a_region_of_its_own,
    requests_without_a_connection_are_refused,
}

/// Where time is virtual, it goes on only while everybody waits.
async fn a_moment(cx: &Cx) -> Outcome {
    // a wait, not a synchronisation: whoever calls this looks again
    cx.sleep(Duration::from_millis(1)).await?;
    Ok(())
}

fn shut_down<T>(server: &Handle<T>) {
    server.request_cancel(Reason::new(ReasonKind::Shutdown));
}

async fn hello(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::new(format!("{:?} {}", request.version(), request.uri().path()).into())))
}

fn get(addr: SocketAddr, path: &str) -> Request<Empty<Bytes>> {
    Request::get(format!("http://{addr}{path}")).header("host", "x").body(Empty::new()).expect("a request")
}

async fn both_versions_are_served_on_one_listener(cx: &Cx) -> Outcome {
    let (addr, server) = start(cx, Server::new(), service_fn(hello)).await?;
    let mut one = connect_http1(cx, cx.tcp_connect(addr).await?).await?;
    let mut two = connect_http2(cx, cx.tcp_connect(addr).await?).await?;
    for round in 0..3 {
        let path = format!("/{round}");
        // The end of a body comes before the connection takes the next request.
        one.ready().await?;
        let got = one.send_request(get(addr, &path)).await?;
        assert_eq!(got.into_body().collect().await?.to_bytes(), format!("HTTP/1.1 {path}"));
        let got = two.send_request(get(addr, &path)).await?;
        assert_eq!(got.version(), Version::HTTP_2);
        assert_eq!(got.into_body().collect().await?.to_bytes(), format!("HTTP/2.0 {path}"));
    }
    drop((one, two));
    let report = server.cancel(Budget::UNLIMITED).await?;
    assert_eq!((report.accepted, report.cut, report.faults), (2, 0, 0));
    Ok(())
}

/// A server whose handlers wait for a word, and tell when they begin.
async fn gated(cx: &Cx, options: Server) -> Outcome<(SocketAddr, Handle<ServeReport>, mpsc::Receiver<Go>)> {
    let (begun, begins) = mpsc::channel(8);
    let service = tower_fn(move |request: Request<Incoming>| {
        let begun = begun.clone();
        async move {
            let (go, mut gone) = oneshot::channel();
            drop(begun.try_send(go));
            poll_fn(|task| gone.poll_recv(task)).await.ok();
            hello(request).await
        }
    });
    let service = RegionLayer::<asupersync_core::All>::of_connection().layer(service);
    let (addr, server) = start(cx, options, Tower::new(service)).await?;
    Ok((addr, server, begins))
}

type Go = oneshot::Sender<()>;

async fn a_stream_in_flight_is_answered_and_the_connection_ends(cx: &Cx) -> Outcome {
    let (addr, server, mut begins) = gated(cx, Server::new().grace(LONG)).await?;
    let mut client = connect_http2(cx, cx.tcp_connect(addr).await?).await?;
    let answer = client.send_request(get(addr, "/slow"));
    let answer = cx.spawn_future("answer", async move { Ok(answer.await?.status()) });
    let go = begins.recv(cx).await?;
    // hyper's client sends a request, and then asks whether the connection takes more: a GOAWAY between the
    // two it takes for the end of what is sent already (hyperium/hyper#2500). Once it has an answer to the
    // next request, it is past that.
    let next = client.send_request(get(addr, "/next"));
    let next = cx.spawn_future("next", async move { Ok(next.await?.status()) });
    begins.recv(cx).await?.expect("the server serves").send(())?;
    assert_eq!(next.join().await?, StatusCode::OK);
    shut_down(&server);
    go.expect("the server serves").send(())?;
    assert_eq!(answer.join().await?, StatusCode::OK);
    // One that is sent before the client has heard of the GOAWAY may still be served, at once now.
    drop(begins);
    while client.send_request(get(addr, "/late")).await.is_ok() {}
    let report = server.join().await?;
    assert_eq!((report.accepted, report.cut, report.faults), (1, 0, 0));
    Ok(())
}

async fn idle_connections_end_at_once(cx: &Cx) -> Outcome {
    let (addr, server) = start(cx, Server::new().grace(LONG), service_fn(hello)).await?;
    let mut one = connect_http1(cx, cx.tcp_connect(addr).await?).await?;
    one.send_request(get(addr, "/")).await?.into_body().collect().await?;
    let mut two = connect_http2(cx, cx.tcp_connect(addr).await?).await?;
    two.send_request(get(addr, "/")).await?.into_body().collect().await?;
    let report = server.cancel(Budget::UNLIMITED).await?;
    assert_eq!((report.accepted, report.cut), (2, 0));
    Ok(())
}

async fn what_was_begun_and_not_finished_has_its_grace(cx: &Cx) -> Outcome {
    let begun = ["", "GET / HT", "PRI * HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"];
    let options = Server::new().grace(SHORT);
    let counters = options.counters();
    let (addr, server) = start(cx, options, service_fn(hello)).await?;
    let mut clients = Vec::new();
    for begun in begun {
        let client = cx.tcp_connect(addr).await?;
        client.write_all(cx, begun.as_bytes()).await?;
        clients.push(client);
    }
    while counters.report().accepted < 4 {
        a_moment(cx).await?;
    }
    // Unlimited: only the grace ends it.
    let report = server.cancel(Budget::UNLIMITED).await?;
    assert_eq!(report.open(), 0, "{report}");
    for client in clients {
        let mut bytes = [0; 256];
        while client.read(cx, &mut bytes).await.is_ok_and(|n| n > 0) {}
    }
    Ok(())
}

/// Takes the upgrade of a request, echoes, and at Request says `1001`, if it hears of that.
async fn upgraded(
    mut request: Request<Incoming>,
    hears: bool,
    ended: mpsc::Sender<()>,
) -> Result<Response<Empty<Bytes>>, BoxError> {
    let cx: RequestCx = request.extensions().get::<RequestCx>().expect("the layer put it there").clone();
    let upgrade = hyper::upgrade::on(&mut request);
    drop(cx.spawn("websocket", async move |cx: &Cx| -> Outcome {
        let mut stream = FromHyper::new(upgrade.await?);
        let reads = if hears { cx.clone() } else { cx.in_flight() };
        let mut bytes = [0; 64];
        loop {
            match stream.read(&reads, &mut bytes).await {
                Ok(0) => break,
                Ok(n) => {
                    stream.write_all(cx, &bytes[..n]).await?;
                    stream.flush(cx).await?;
                }
                Err(_) => break,
            }
        }
        if hears {
            stream.write_all(cx, b"1001").await?;
            stream.shutdown(cx).await?;
        }
        let _ = ended.try_send(());
        Ok(())
    }));
    let response = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS);
    Ok(response.header(CONNECTION, "upgrade").header(UPGRADE, "echo").body(Empty::new())?)
}

/// A client whose connection was upgraded, and has echoed.
async fn upgrade(cx: &Cx, addr: SocketAddr) -> Outcome<TcpStream> {
    let client = cx.tcp_connect(addr).await?;
    client
        .write_all(cx, b"GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\nping")
        .await?;
    let mut got = Vec::new();
    while !got.ends_with(b"ping") {
        let mut bytes = [0; 256];
        match client.read(cx, &mut bytes).await? {
            0 => return Err(io::Error::other(String::from_utf8_lossy(&got)).into()),
            n => got.extend_from_slice(&bytes[..n]),
        }
    }
    let head = String::from_utf8(got)?;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    assert_eq!(header(&head, "upgrade"), Some("echo"));
    Ok(client)
}

async fn read_to_end(cx: &Cx, stream: &TcpStream) -> Outcome<Vec<u8>> {
    let mut got = Vec::new();
    loop {
        let mut bytes = [0; 256];
        match stream.read(cx, &mut bytes).await? {
            0 => return Ok(got),
            n => got.extend_from_slice(&bytes[..n]),
        }
    }
}

async fn upgrades(
    cx: &Cx,
    options: Server,
    hears: bool,
) -> Outcome<(SocketAddr, Handle<ServeReport>, mpsc::Receiver<()>)> {
    let (ended, ends) = mpsc::channel(1);
    let service = tower_fn(move |request| upgraded(request, hears, ended.clone()));
    let service = RegionLayer::<asupersync_core::All>::of_connection().layer(service);
    let (addr, server) = start(cx, options, Tower::new(service)).await?;
    Ok((addr, server, ends))
}

async fn an_upgrade_hears_of_request_and_says_goodbye(cx: &Cx) -> Outcome {
    let (addr, server, mut ends) = upgrades(cx, Server::new(), true).await?;
    let client = upgrade(cx, addr).await?;
    shut_down(&server);
    assert_eq!(read_to_end(cx, &client).await?, b"1001");
    let report = server.join().await?;
    assert_eq!((report.accepted, report.well), (1, 1));
    ends.recv(cx).await?;
    Ok(())
}

async fn an_upgrade_that_goes_on_is_cut_with_the_drain(cx: &Cx) -> Outcome {
    let (addr, server, _ends) = upgrades(cx, Server::new().drain(Budget::timeout(SHORT)), false).await?;
    let client = upgrade(cx, addr).await?;
    shut_down(&server);
    let report = server.join().await?;
    assert_eq!((report.accepted, report.cut), (1, 1));
    assert!(!matches!(client.read(cx, &mut [0]).await, Ok(1..)));
    Ok(())
}

async fn server_sent_events_come_to_an_end(cx: &Cx) -> Outcome {
    let (body, receiver) = mpsc::channel(1);
    let bodies = Arc::new(Mutex::new(vec![Streamed(receiver)]));
    let (other, receiver) = mpsc::channel(1);
    bodies.lock().expect("no panic").push(Streamed(receiver));
    let handler = move |_: Request<Incoming>| {
        let body = bodies.lock().expect("no panic").pop().expect("two requests");
        async move { Response::builder().header(CONTENT_TYPE, "text/event-stream").body(body) }
    };
    let service = RegionLayer::<asupersync_core::All>::of_connection().layer(tower_fn(handler));
    let (addr, server) = start(cx, Server::new().grace(SHORT), Tower::new(service)).await?;
    let mut one = connect_http1(cx, cx.tcp_connect(addr).await?).await?;
    let mut two = connect_http2(cx, cx.tcp_connect(addr).await?).await?;
    other.send(cx, Bytes::from_static(b"data: 1\n\n")).await?;
    body.send(cx, Bytes::from_static(b"data: 2\n\n")).await?;
    let first = one.send_request(get(addr, "/")).await?;
    let second = two.send_request(get(addr, "/")).await?;
    shut_down(&server);
    // A stream that was cut would be an error here.
    assert_eq!(first.into_body().collect().await?.to_bytes(), "data: 1\n\n");
    assert_eq!(second.into_body().collect().await?.to_bytes(), "data: 2\n\n");
    drop((one, two));
    let report = server.join().await?;
    assert_eq!((report.accepted, report.well), (2, 2), "{report}");
    assert!(body.is_closed() && other.is_closed());
    Ok(())
}

/// What one request leaves behind is nothing to the next, whatever that was: each ends, counts, and hears of its own.
async fn each_request_of_a_connection_has_a_region_of_its_own(cx: &Cx) -> Outcome {
    let every =
        ["/", "/empty", "/", "/asks", "/waits", "/", "/fails", "/panics", "/keeps", "/", "/late", "/"];
    let (one, all) = (regions(cx, &["/"]).await?, regions(cx, &every).await?);
    assert_eq!(all - one, every.len() as u64 - 1);
    Ok(())
}

/// How many regions a server had, with these requests on one connection.
async fn regions(cx: &Cx, paths: &[&str]) -> Outcome<u64> {
    let kept = Arc::new(Mutex::new(Vec::<RequestCx>::new()));
    let keep = kept.clone();
    let service = tower_fn(move |request: Request<Incoming>| {
        let cx: RequestCx = request.extensions().get::<RequestCx>().expect("the layer put it there").clone();
        let keep = keep.clone();
        async move {
            match request.uri().path() {
                "/asks" => assert!(!cx.is_cancelled()),
                "/waits" => breathe().await,
                "/late" => {
                    breathe().await;
                    assert!(cx.path().ends_with("/request"));
                }
                "/keeps" => keep.lock().expect("no panic").push(cx),
                "/empty" => return Ok(Response::new(Full::default())),
                "/fails" => return Err(io::Error::other("as it was asked to")),
                "/panics" => resume_unwind(Box::new("as it was asked to")),
                _ => {}
            }
            Ok(Response::new(Full::new(Bytes::from_static(b"done"))))
        }
    });
    let service = RegionLayer::<asupersync_core::All>::of_connection().layer(service);
    let (outcome, report) = Region::builder("service")
        .open_with_report(cx, async |cx: &Cx| {
            let (addr, server) = start(cx, Server::new(), Tower::new(service)).await?;
            let mut client = connect_http1(cx, cx.tcp_connect(addr).await?).await?;
            for path in paths {
                // The end of a body comes before the connection takes the next request.
                client.ready().await?;
                let got = client.send_request(get(addr, path)).await?;
                let fails = ["/fails", "/panics"].contains(path);
                assert_eq!(got.status().is_server_error(), fails, "{path}");
                let body = got.into_body().collect().await?.to_bytes();
                assert_eq!(body, if fails || *path == "/empty" { "" } else { "done" }, "{path}");
            }
            for over in kept.lock().expect("no panic").iter() {
                assert!(over.checkpoint().is_err());
            }
            // The connection is open, and has nothing to end.
            let report = server.cancel(Budget::UNLIMITED).await?;
            assert_eq!((report.accepted, report.well, report.cut), (1, 1, 0), "{report}");
            Ok(())
        })
        .await;
    outcome?;
    Ok(report.totals.regions)
}

/// Waits for nothing but its turn.
async fn breathe() {
    let mut breathed = false;
    poll_fn(|task| {
        task.waker().wake_by_ref();
        if std::mem::replace(&mut breathed, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

async fn requests_without_a_connection_are_refused(_: &Cx) -> Outcome {
    let mut service = RegionLayer::<asupersync_core::All>::of_connection()
        .layer(tower_fn(|_: Request<()>| pending::<Result<Response<String>, Infallible>>()));
    let error = tower::Service::call(&mut service, Request::new(())).await.err().expect("refused");
    assert!(error.to_string().contains("RegionLayer::new(cx)"), "{error}");
    Ok(())
}

/// Time is the subject, so only where it is virtual.
#[test]
fn a_server_serves_on_for_a_while_after_its_readiness_has_turned() {
    under_seeds(async |cx: &Cx| {
        let begun = cx.now();
        let options = Server::new().min_drain(Duration::from_secs(5)).drain(Budget::timeout(LONG));
        let readiness: Readiness = options.readiness();
        assert!(!readiness.is_ready());
        let heard = Arc::new(AtomicBool::new(false));
        let told = heard.clone();
        let service = tower_fn(move |request: Request<Incoming>| {
            let cx: RequestCx =
                request.extensions().get::<RequestCx>().expect("the layer put it there").clone();
            let told = told.clone();
            async move {
                // Ends at Request, which must not have come yet.
                told.fetch_or(cx.sleep(Duration::from_secs(1)).await.is_err(), SeqCst);
                hello(request).await
            }
        });
        let service = RegionLayer::<asupersync_core::All>::of_connection().layer(service);
        let (addr, server) = start(cx, options, Tower::new(service)).await?;
        let mut kept = connect_http1(cx, cx.tcp_connect(addr).await?).await?;
        kept.send_request(get(addr, "/")).await?.into_body().collect().await?;
        assert!(readiness.is_ready());
        shut_down(&server);
        while readiness.is_ready() {
            a_moment(cx).await?;
        }
        for _ in 0..3 {
            let mut new = connect_http1(cx, cx.tcp_connect(addr).await?).await?;
            let got = new.send_request(get(addr, "/")).await?;
            assert_eq!(got.status(), StatusCode::OK);
            assert_eq!(got.headers()[CONNECTION], "close");
        }
        // Idle, it stays until the drain.
        assert!(!kept.is_closed() && !heard.load(SeqCst));
        let report = server.join().await?;
        assert_eq!((report.accepted, report.well), (4, 4));
        let took = cx.now() - begun;
        assert!((Duration::from_secs(6)..Duration::from_secs(8)).contains(&took), "{took:?}");
        assert!(cx.tcp_connect(addr).await.is_err(), "nobody listens any more");
        Ok(())
    });
}
