//! Requests whose handlers never ask for their `Cx`: who looks finds their regions all the same.
#![cfg(all(feature = "hyper", feature = "tower"))]

mod common;

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use asupersync_compat::RequestCx;
use asupersync_compat::tower::{BudgetLayer, Disconnect, RegionLayer};
use asupersync_core::channel::mpsc;
use asupersync_core::region::{LeftoverKind, Phase};
use asupersync_core::{Budget, Cx, Outcome, Region};
use bytes::Bytes;
use common::{Streamed, run};
use http::{Request, Response};
use http_body_util::BodyExt;
use std::time::Duration;
use tower::{Layer, Service, ServiceExt, service_fn};

const MS: Duration = Duration::from_millis(1);

fn get() -> Request<()> {
    Request::new(())
}

/// A handler that answers with this body, once.
fn answers(
    body: Streamed,
) -> impl Service<
    Request<()>,
    Response = Response<Streamed>,
    Error = Infallible,
    Future = impl Future<Output = Result<Response<Streamed>, Infallible>> + Send,
> + Clone
+ Send
+ 'static {
    let body = Arc::new(Mutex::new(Some(body)));
    service_fn(move |_: Request<()>| {
        let body = body.lock().expect("no panic").take().expect("one request");
        async move { Ok(Response::new(body)) }
    })
}

fn phase_of(cx: &Cx, name: &str) -> Option<Phase> {
    cx.dump().regions.iter().find(|region| &*region.name == name).map(|region| region.phase)
}

#[test]
fn a_handler_that_was_left_goes_on() {
    for disconnect in [Disconnect::Cancel, Disconnect::Drain, Disconnect::HandOver] {
        run(async move |cx: &Cx| {
            let ((go, gate), (tell, mut told)) = (mpsc::channel::<()>(1), mpsc::channel(1));
            let gates = Arc::new(Mutex::new(Some(gate)));
            let (outcome, report) = Region::builder("service")
                .open_with_report(cx, async |cx: &Cx| {
                    let handler = service_fn(move |_: Request<()>| {
                        let mut gate = gates.lock().expect("no panic").take().expect("one request");
                        let tell = tell.clone();
                        async move {
                            // Knows no `Cx`, so hears nothing.
                            poll_fn(|task| gate.poll_recv(task)).await.expect("it is let go");
                            tell.try_send(()).expect("room");
                            Ok::<_, Infallible>(Response::new(String::new()))
                        }
                    });
                    let layer = RegionLayer::new(cx).on_disconnect_by(move |_, _| disconnect);
                    let mut answer = Box::pin(layer.layer(handler).oneshot(get()));
                    poll_fn(|task| {
                        assert!(answer.as_mut().poll(task).is_pending());
                        Poll::Ready(())
                    })
                    .await;
                    drop(answer);
                    assert!(phase_of(cx, "request").is_some());
                    go.send(cx, ()).await?;
                    told.recv(cx).await?.expect("it goes on");
                    Ok(())
                })
                .await;
            outcome?;
            assert_eq!((report.totals.regions, report.totals.tasks), (2, 1), "{report}");
            assert!(report.leftovers.is_empty(), "{report}");
            Ok(())
        });
    }
}

#[test]
fn a_response_in_flight_is_told_of_and_ends_well() {
    run(async |cx: &Cx| {
        let (data, body) = mpsc::channel(1);
        let response = RegionLayer::new(cx).layer(answers(Streamed(body))).oneshot(get()).await?;
        assert_eq!(phase_of(cx, "request"), Some(Phase::Open));
        data.send(cx, Bytes::from_static(b"data")).await?;
        drop(data);
        let body = response.into_body().collect().await.map_err(std::io::Error::other)?;
        assert_eq!(body.to_bytes(), "data");
        assert_eq!(phase_of(cx, "request"), None);
        Ok(())
    });
}

#[test]
fn a_region_that_closes_waits_for_a_response_in_flight_and_names_it() {
    run(async |cx: &Cx| {
        let (data, body) = mpsc::channel::<Bytes>(1);
        let (outcome, report) = Region::builder("service")
            .drain(Budget::timeout(2 * MS))
            .open_with_report(cx, async |cx: &Cx| {
                Ok(RegionLayer::new(cx).layer(answers(Streamed(body))).oneshot(get()).await?)
            })
            .await;
        let [left] = &report.leftovers[..] else { panic!("{report}") };
        assert_eq!((left.kind, &*left.name), (LeftoverKind::Dropped, "request"));
        // And whoever reads the body is told.
        let mut body = pin!(outcome?.into_body());
        assert!(body.frame().await.expect("an end").is_err());
        drop(data);
        Ok(())
    });
}

#[test]
fn a_deadline_drops_a_handler_that_never_asks() {
    run(async |cx: &Cx| {
        let never =
            service_fn(|_: Request<()>| std::future::pending::<Result<Response<String>, Infallible>>());
        let regions = RegionLayer::new(cx).drain(Budget::timeout(MS));
        let request = Request::get("/").header("grpc-timeout", "1m").body(())?;
        let error = BudgetLayer::new().layer(regions.layer(never)).oneshot(request).await.err();
        assert!(error.expect("too late").as_cancelled().is_some());
        Ok(())
    });
}

#[test]
fn a_body_that_asks_late_has_the_region_of_its_request() {
    run(async |cx: &Cx| {
        let (data, body) = mpsc::channel(1);
        let body = Arc::new(Mutex::new(Some(Streamed(body))));
        let given = Arc::new(Mutex::new(None));
        let keep = given.clone();
        let handler = service_fn(move |request: Request<()>| {
            *keep.lock().expect("no panic") = request.extensions().get::<RequestCx>().cloned();
            let body = body.lock().expect("no panic").take().expect("one request");
            async move { Ok::<_, Infallible>(Response::new(body)) }
        });
        let response = RegionLayer::new(cx).layer(handler).oneshot(get()).await?;
        let late: RequestCx = given.lock().expect("no panic").take().expect("it was called");
        assert_eq!(late.path(), format!("{}/request", cx.path()));
        let child = late.spawn("child", async |cx: &Cx| drop(cx.cancelled().await));
        drop(data);
        let mut body = pin!(response.into_body());
        assert!(body.frame().await.is_none());
        child.join().await?;
        assert!(late.is_cancelled());
        // The task that closes it hears of the child's end when this one does.
        while phase_of(cx, "request").is_some() {
            cx.yield_now().await?;
        }
        Outcome::Ok(())
    });
}
