//! The layers around a region: refused while it drains, limited by the client's deadline, owned by a worker,
//! and what becomes of a request whose client left.
#![cfg(all(feature = "hyper", feature = "tower"))]

mod common;

use std::convert::Infallible;
use std::future::{pending, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use asupersync_compat::tower::{BudgetLayer, Disconnect, DrainLayer, RegionLayer, Worker};
use asupersync_compat::{Readiness, RequestCx};
use asupersync_core::channel::{mpsc, oneshot};
use asupersync_core::{Cx, Outcome, ReasonKind, Region};
use common::run;
use http::{Request, Response};
use tower::limit::ConcurrencyLimitLayer;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

#[test]
fn what_was_made_ready_is_called_though_the_server_drains_since() {
    run(async |_: &Cx| {
        let readiness = Readiness::new();
        readiness.set(true);
        let inner = service_fn(async |()| Ok::<_, Infallible>(Response::new(String::from("hi"))));
        // A limit panics when a clone is called that was not made ready.
        let mut service = ServiceBuilder::new()
            .layer(DrainLayer::new(readiness.clone()))
            .layer(ConcurrencyLimitLayer::new(1))
            .service(inner);
        service.ready().await?;
        readiness.set(false);
        assert_eq!(service.call(()).await?.status(), 200);
        for _ in 0..2 {
            let refused = service.ready().await?.call(()).await?;
            assert_eq!(refused.status(), 503);
            assert_eq!(refused.headers()["retry-after"], "1");
        }
        Ok(())
    });
}

#[test]
fn a_clients_deadline_is_its_regions() {
    run(async |cx: &Cx| {
        let (tell, mut told) = mpsc::channel(1);
        let handler = service_fn(move |request: Request<()>| {
            let tell = tell.clone();
            async move {
                let cx: &RequestCx = request.extensions().get().expect("the layer put it there");
                let cancelled = cx.cancelled().await;
                let _ = tell.try_send(cancelled.reason().kind());
                Err::<Response<String>, _>(io::Error::from(cancelled))
            }
        });
        let service =
            ServiceBuilder::new().layer(BudgetLayer::new()).layer(RegionLayer::new(cx)).service(handler);
        let request = Request::get("/").header("grpc-timeout", "1m").body(())?;
        let error = service.oneshot(request).await.err().expect("too late");
        assert_eq!(told.recv(cx).await?, Some(ReasonKind::Deadline));
        assert!(error.as_inner().is_some(), "{error}");
        Ok(())
    });
}

/// Calls a service and leaves once its handler has begun; tells how handler and child ended.
async fn leaves(cx: &Cx, disconnect: Disconnect) -> Outcome<[&'static str; 2]> {
    let service = cx.spawn("service", async move |cx: &Cx| {
        let (tell, mut told) = mpsc::channel(4);
        let [(open, handlers), (opens, childs)] = [oneshot::channel::<()>(), oneshot::channel::<()>()];
        let gates = Arc::new(Mutex::new(Some((handlers, childs))));
        let handler = service_fn(move |request: Request<()>| {
            let tell = tell.clone();
            let (mut gate, mut childs) = gates.lock().expect("no panic").take().expect("one request");
            async move {
                let cx: RequestCx =
                    request.extensions().get::<RequestCx>().expect("the layer put it there").clone();
                let child = tell.clone();
                drop(cx.spawn("child", async move |cx: &Cx| {
                    let passed = childs.recv(cx).await.is_ok();
                    let _ = child.try_send(if passed { "child done" } else { "child stopped" });
                }));
                let _ = tell.try_send("begun");
                let passed = gate.recv(&cx).await;
                let _ = tell.try_send(if passed.is_ok() { "handler done" } else { "handler stopped" });
                passed.map_err(io::Error::other)?;
                Ok::<_, io::Error>(Response::new(String::from("hi")))
            }
        });
        let layer = RegionLayer::new(cx).on_disconnect_by(move |_, _| disconnect);
        let answer = layer.layer(handler).oneshot(Request::new(()));
        let mut answer: Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(answer);
        poll_fn(|task| {
            assert!(answer.as_mut().poll(task).is_pending());
            told.poll_recv(task)
        })
        .await;
        drop(answer);
        if disconnect != Disconnect::Cancel {
            drop(open.send(()));
        }
        let first = told.recv(cx).await?.expect("they tell");
        if disconnect == Disconnect::HandOver {
            drop(opens.send(()));
        }
        let mut ends = [first, told.recv(cx).await?.expect("they tell")];
        ends.sort_unstable();
        Ok(ends)
    });
    service.join().await
}

#[test]
fn a_request_whose_client_left_stops_or_goes_on_as_its_policy_says() {
    run(async |cx: &Cx| {
        assert_eq!(leaves(cx, Disconnect::Cancel).await?, ["child stopped", "handler stopped"]);
        assert_eq!(leaves(cx, Disconnect::Drain).await?, ["child stopped", "handler done"]);
        assert_eq!(leaves(cx, Disconnect::HandOver).await?, ["child done", "handler done"]);
        Ok(())
    });
}

#[test]
fn a_worker_ends_with_its_region_and_refuses_whoever_waits() {
    run(async |cx: &Cx| {
        let (begun, mut begins) = mpsc::channel(1);
        let service = service_fn(move |()| {
            let _ = begun.try_send(());
            pending::<Result<(), io::Error>>()
        });
        let limited = ConcurrencyLimitLayer::new(1).layer(service);
        let mut kept = None;
        Region::open(cx, "owner", async |cx: &Cx| {
            let worker = Worker::new(cx, "worker", limited, 1);
            // One is called and never ends, one has the room, one waits for room.
            let mut calls: Vec<_> = (0..3).map(|_| Box::pin(worker.clone().oneshot(()))).collect();
            let mut called = pin!(begins.recv(cx));
            poll_fn(|task| {
                for call in &mut calls {
                    assert!(call.as_mut().poll(task).is_pending());
                }
                called.as_mut().poll(task).map(drop)
            })
            .await;
            kept = Some((worker, calls));
            Ok(())
        })
        .await?;
        let (worker, mut calls) = kept.expect("it ran");
        for waits in calls.split_off(1) {
            let error = waits.await.expect_err("nobody is there");
            let failure = asupersync_core::Failure::<asupersync_core::Error>::from(io::Error::other(error));
            assert!(failure.as_cancelled().is_some(), "{failure:?}");
        }
        // What was called is whoever's it is.
        poll_fn(|task| {
            assert!(calls[0].as_mut().poll(task).is_pending());
            Poll::Ready(())
        })
        .await;
        assert!(worker.oneshot(()).await.is_err());
        Ok(())
    });
}
