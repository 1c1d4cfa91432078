//! Requests in regions: what a handler owns ends with its request, whoever leaves.
#![cfg(all(feature = "hyper", feature = "tower"))]

mod common;

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use asupersync_compat::RequestCx;
use asupersync_compat::hyper::{Server, Tower};
use asupersync_compat::tower::RegionLayer;
use asupersync_core::channel::mpsc;
use asupersync_core::region::CloseReport;
use asupersync_core::{Budget, Cx, Outcome, ReasonKind, Region};
use bytes::Bytes;
use common::{Client, Streamed, run, start};
use http::{Method, Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use tower::limit::ConcurrencyLimit;
use tower::{Layer, Service, ServiceExt, service_fn};

type Reports = mpsc::Receiver<CloseReport>;

/// A layer that tells of each region that closed.
fn layer(cx: &Cx) -> (RegionLayer, Reports) {
    let (tell, told) = mpsc::channel(8);
    (RegionLayer::new(cx).on_close(move |report| drop(tell.try_send(report.clone()))), told)
}

async fn report(cx: &Cx, reports: &mut Reports) -> Outcome<CloseReport> {
    Ok(reports.recv(cx).await?.expect("the layer lives"))
}

fn kind(report: &CloseReport) -> Option<ReasonKind> {
    report.reason.as_ref().map(|reason| reason.kind())
}

fn cx_of<B>(request: &Request<B>) -> Cx {
    Cx::clone(request.extensions().get::<RequestCx>().expect("the layer put it there"))
}

#[test]
fn a_client_that_leaves_does_not_drop_the_handler() {
    run(async |cx: &Cx| {
        let (started, mut starts) = mpsc::channel(1);
        let cleaned = Arc::new(AtomicBool::new(false));
        let finalized = Arc::new(AtomicBool::new(false));
        let (clean, finalize) = (cleaned.clone(), finalized.clone());
        let handler = move |request: Request<Incoming>| {
            let (started, clean, finalize) = (started.clone(), clean.clone(), finalize.clone());
            async move {
                let cx = cx_of(&request);
                cx.defer(async move |_: &Cx| finalize.store(true, Ordering::SeqCst))
                    .map_err(std::io::Error::from)?;
                started.try_send(()).expect("room");
                let why = cx.cancelled().await;
                // Work in flight: it waits, and is finished all the same.
                let finished = cx.finish(async |cx: &Cx| {
                    for _ in 0..10 {
                        cx.yield_now().await?;
                    }
                    Outcome::Ok(())
                });
                finished.await.expect("has time");
                clean.store(true, Ordering::SeqCst);
                Err::<Response<String>, std::io::Error>(why.into())
            }
        };
        let (layer, mut reports) = layer(cx);
        let service = Tower::new(layer.layer(service_fn(handler)));
        let (addr, server) = start(cx, Server::new(), service).await?;
        let (leave, mut told) = mpsc::channel::<()>(1);
        let client = cx.spawn_blocking("client", move || {
            let mut client = Client::connect(addr);
            client.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
            // Leaves when it is told, on a thread that may block.
            while told.try_recv().is_none() {
                std::thread::yield_now();
            }
            client.leave();
            Ok(())
        });
        starts.recv(cx).await?;
        leave.send(cx, ()).await?;
        let closed = report(cx, &mut reports).await?;
        assert_eq!(kind(&closed), Some(ReasonKind::ClientDisconnected));
        assert!(cleaned.load(Ordering::SeqCst) && finalized.load(Ordering::SeqCst));
        assert_eq!(closed.totals.finalizers_run, 1);
        client.join().await?;
        // The connection failed; the server did not.
        assert_eq!(server.cancel(Budget::UNLIMITED).await?.failed, 1);
        Ok(())
    });
}

#[test]
fn a_client_that_leaves_in_the_middle_of_a_body_ends_who_makes_it() {
    run(async |cx: &Cx| {
        let handler = async |request: Request<Incoming>| {
            let (data, body) = mpsc::channel(1);
            let feeder = cx_of(&request).spawn("feeder", async move |cx: &Cx| -> Outcome {
                loop {
                    data.send(cx, Bytes::from(vec![b'x'; 10_000])).await?;
                }
            });
            drop(feeder);
            Ok::<_, Infallible>(Response::new(Streamed(body)))
        };
        let (layer, mut reports) = layer(cx);
        let service = Tower::new(layer.layer(service_fn(handler)));
        let (addr, server) = start(cx, Server::new(), service).await?;
        let client = cx.spawn_blocking("client", move || {
            let mut client = Client::connect(addr);
            client.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
            client.head();
            client.leave();
            Ok(())
        });
        let closed = report(cx, &mut reports).await?;
        assert_eq!(kind(&closed), Some(ReasonKind::ClientDisconnected));
        assert_eq!(closed.totals.tasks, 1);
        client.join().await?;
        server.cancel(Budget::UNLIMITED).await?;
        Ok(())
    });
}

fn get() -> Request<()> {
    Request::new(())
}

#[test]
fn the_region_is_open_until_the_body_has_ended() {
    run(async |cx: &Cx| {
        let (data, body) = mpsc::channel(4);
        let body = Arc::new(Mutex::new(Some(Streamed(body))));
        let (layer, mut reports) = layer(cx);
        let mut service = layer.layer(service_fn(move |request: Request<()>| {
            let body = body.lock().expect("no panic").take().expect("one request");
            let child = cx_of(&request).spawn("child", async |cx: &Cx| drop(cx.cancelled().await));
            drop(child);
            async move { Ok::<_, Infallible>(Response::new(body)) }
        }));
        let response = service.ready().await?.call(get()).await?;
        let mut body = pin!(response.into_body());
        data.send(cx, Bytes::from_static(b"a")).await?;
        let frame = body.frame().await.expect("a frame").map_err(std::io::Error::other)?;
        assert_eq!(frame.into_data().expect("data"), "a");
        assert!(reports.try_recv().is_none());
        drop(data);
        assert!(body.frame().await.is_none());
        // By itself: the child was asked because the body of its region had returned.
        let closed = report(cx, &mut reports).await?;
        assert_eq!(kind(&closed), Some(ReasonKind::ParentClosed));
        assert_eq!(closed.totals.tasks, 1);
        Ok(())
    });
}

#[test]
fn a_request_whose_client_stays_is_no_task() {
    run(async |cx: &Cx| {
        let (outcome, report) = Region::builder("service")
            .open_with_report(cx, async |cx: &Cx| {
                let hello = service_fn(async |_: Request<()>| {
                    Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("hello")))
                });
                let mut service = RegionLayer::new(cx).layer(hello);
                for _ in 0..10 {
                    let response = service.ready().await?.call(get()).await?;
                    let body = response.into_body().collect().await.map_err(std::io::Error::other)?;
                    assert_eq!(body.to_bytes(), "hello");
                }
                drop(service.ready().await?.call(get()));
                Ok(())
            })
            .await;
        outcome?;
        // Only the one that was left behind.
        assert_eq!((report.totals.regions, report.totals.tasks), (12, 1), "{report}");
        Ok(())
    });
}

#[test]
fn the_drain_of_a_request_ends_though_nobody_takes_its_body() {
    run(async |cx: &Cx| {
        let (layer, mut reports) = layer(cx);
        let ended = Arc::new(AtomicBool::new(false));
        let finalized = ended.clone();
        let handler = service_fn(move |request: Request<()>| {
            let (cx, finalized) = (cx_of(&request), finalized.clone());
            async move {
                cx.defer(async move |_: &Cx| finalized.store(true, Ordering::SeqCst))
                    .map_err(std::io::Error::from)?;
                let inside = cx.clone();
                let fails = cx.spawn("fails", async move |_: &Cx| {
                    inside.yield_now().await?;
                    Outcome::<()>::Err(asupersync_core::Failure::Err(asupersync_core::Error::msg(
                        "on purpose",
                    )))
                });
                drop(fails);
                let (data, body) = mpsc::channel::<Bytes>(1);
                Ok::<_, std::io::Error>((Response::new(Streamed(body)), data))
            }
        });
        // What would feed the body is kept, so it neither ends nor fails.
        let kept = Arc::new(Mutex::new(None));
        let keep = kept.clone();
        let handler = handler.map_response(move |(response, data)| {
            *keep.lock().expect("no panic") = Some(data);
            response
        });
        let mut service = layer.drain(Budget::timeout(std::time::Duration::from_millis(1))).layer(handler);
        let response = service.ready().await?.call(get()).await?;
        // The failure of a child is a request to its region.
        let closed = report(cx, &mut reports).await?;
        assert_eq!(kind(&closed), Some(ReasonKind::SiblingFailed));
        assert!(ended.load(Ordering::SeqCst), "it was finalized");
        let mut body = pin!(response.into_body());
        assert!(body.frame().await.expect("an end").is_err(), "its region has gone");
        drop(kept);
        Ok(())
    });
}

/// The reason for which the region of a request closes whose response is `response`, and whose
/// body is dropped after `frames` frames.
async fn reason_after<B>(cx: &Cx, method: Method, response: Response<B>, frames: usize) -> Outcome<ReasonKind>
where
    B: Body<Data = Bytes, Error = Infallible> + Send + Unpin + 'static,
{
    let response = Arc::new(Mutex::new(Some(response)));
    let (layer, mut reports) = layer(cx);
    let mut service = layer.layer(service_fn(move |_: Request<()>| {
        let response = response.lock().expect("no panic").take().expect("one request");
        async move { Ok::<_, Infallible>(response) }
    }));
    let mut request = get();
    *request.method_mut() = method;
    let mut response = service.ready().await?.call(request).await?;
    for _ in 0..frames {
        let frame = response.body_mut().frame().await.expect("a frame");
        frame.map_err(std::io::Error::other)?;
    }
    drop(response);
    Ok(kind(&report(cx, &mut reports).await?).expect("a reason"))
}

#[test]
fn a_body_dropped_before_its_end_says_that_the_client_left_and_no_other() {
    run(async |cx: &Cx| {
        use ReasonKind::{ClientDisconnected, ParentClosed};
        let full = || Response::new(Full::from("data"));
        let streamed = |length: Option<&str>| {
            let (data, body) = mpsc::channel(2);
            data.try_send(Bytes::from_static(b"data")).expect("room");
            let mut response = Response::new(Streamed(body));
            if let Some(length) = length {
                response.headers_mut().insert("content-length", length.parse().expect("a value"));
            }
            (response, data)
        };
        assert_eq!(reason_after(cx, Method::GET, full(), 0).await?, ClientDisconnected);
        assert_eq!(reason_after(cx, Method::GET, full(), 1).await?, ParentClosed);
        // Nobody takes the body of these.
        assert_eq!(reason_after(cx, Method::HEAD, full(), 0).await?, ParentClosed);
        let empty = Response::new(Empty::<Bytes>::new());
        assert_eq!(reason_after(cx, Method::GET, empty, 0).await?, ParentClosed);
        let mut not_modified = full();
        *not_modified.status_mut() = http::StatusCode::NOT_MODIFIED;
        assert_eq!(reason_after(cx, Method::GET, not_modified, 0).await?, ParentClosed);
        // A server stops asking where the announced length ends.
        let (response, _data) = streamed(Some("4"));
        assert_eq!(reason_after(cx, Method::GET, response, 1).await?, ParentClosed);
        let (response, _data) = streamed(Some("5"));
        assert_eq!(reason_after(cx, Method::GET, response, 1).await?, ClientDisconnected);
        let (response, _data) = streamed(None);
        assert_eq!(reason_after(cx, Method::GET, response, 1).await?, ClientDisconnected);
        Ok(())
    });
}

#[test]
fn a_response_that_nobody_waits_for_any_more_says_that_the_client_left() {
    run(async |cx: &Cx| {
        let (layer, mut reports) = layer(cx);
        let mut service = layer.layer(service_fn(async |request: Request<()>| {
            Err::<Response<String>, std::io::Error>(cx_of(&request).cancelled().await.into())
        }));
        drop(service.ready().await?.call(get()));
        // The request may have been refused even before it began; it is asked either way.
        let closed = report(cx, &mut reports).await?;
        assert_eq!(kind(&closed), Some(ReasonKind::ClientDisconnected));
        Ok(())
    });
}

#[test]
fn errors_tell_the_inner_error_a_panic_and_a_cancellation_apart() {
    run(async |cx: &Cx| {
        let mut service =
            RegionLayer::new(cx).layer(service_fn(async |request: Request<()>| match request.uri().path() {
                "/panic" => panic!("on purpose"),
                _ => Err::<Response<String>, _>(std::io::Error::other("on purpose")),
            }));
        let error = service.ready().await?.call(get()).await.err().expect("an error");
        assert!(error.as_inner().expect("the inner").is::<std::io::Error>());
        let mut request = get();
        *request.uri_mut() = "/panic".parse().expect("a path");
        let error = service.ready().await?.call(request).await.err().expect("an error");
        assert_eq!(error.as_panic().expect("a panic").message(), "on purpose");

        let closed = Region::open(cx, "closed", async |cx: &Cx| Ok(cx.clone())).await?;
        let mut service = RegionLayer::new(&closed)
            .layer(service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(String::new()))));
        let error = service.ready().await?.call(get()).await.err().expect("an error");
        let reason = error.as_cancelled().expect("a cancellation").reason().kind();
        assert_eq!(reason, ReasonKind::ParentClosed);
        // And `?` finds it.
        let failure: asupersync_core::Failure = error.into();
        assert!(failure.as_cancelled().is_some());
        Ok(())
    });
}

/// Panics when it is called before it was made ready, as tower's own limits do.
struct Strict {
    ready: bool,
    calls: Arc<AtomicU64>,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Strict { ready: false, calls: self.calls.clone() }
    }
}

impl<A: Send + 'static> Service<Request<A>> for Strict {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<A>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called before it was ready");
        self.calls.fetch_add(1, Ordering::SeqCst);
        std::future::ready(Ok(Response::new(String::from("called"))))
    }
}

#[test]
fn the_instance_that_is_ready_is_the_one_that_is_called() {
    run(async |cx: &Cx| {
        let calls = Arc::new(AtomicU64::new(0));
        let strict = ConcurrencyLimit::new(Strict { ready: false, calls: calls.clone() }, 1);
        let mut service = RegionLayer::new(cx).layer(strict);
        for _ in 0..3 {
            let ready = ServiceExt::<Request<()>>::ready(&mut service).await?;
            assert_eq!(ready.call(get()).await?.status(), 200);
        }
        let (addr, server) = start(cx, Server::new(), Tower::new(service)).await?;
        let clients = [(); 4].map(|()| {
            cx.spawn_blocking("client", move || {
                let mut client = Client::connect(addr);
                for _ in 0..5 {
                    assert_eq!(client.get("/").body, b"called");
                }
                Ok(())
            })
        });
        for client in clients {
            client.join().await?;
        }
        assert_eq!(server.cancel(Budget::UNLIMITED).await?.faults, 0);
        assert_eq!(calls.load(Ordering::SeqCst), 23);
        Ok(())
    });
}

#[test]
fn a_limit_holds_back_calls_through_the_layer() {
    run(async |cx: &Cx| {
        let (open, gate) = common::Gate::new();
        let inner = service_fn(move |_: Request<()>| {
            let gate = gate.clone();
            async move {
                gate.passed().await;
                Ok::<_, Infallible>(Response::new(String::new()))
            }
        });
        let mut service = RegionLayer::new(cx).layer(ConcurrencyLimit::new(inner, 1));
        let first = service.ready().await?.call(get());
        poll_fn(|task| {
            assert!(Service::<Request<()>>::poll_ready(&mut service, task).is_pending());
            Poll::Ready(())
        })
        .await;
        open.send(())?;
        first.await?;
        service.ready().await?;
        Ok(())
    });
}
