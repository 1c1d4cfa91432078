//! The same service inside regions.
//!
//! ```text
//!   root ── service ── http ── a task for each connection
//!                └── request ── the handler, and what it spawns; its cleanup as finalizers
//! ```
//!
//! The signal closes `service`: the listener stops, connections are told to end after what they are
//! in the middle of, handlers hear of it through their `Cx`, and what has not ended when the drain
//! budget is spent is dropped. Then the finalizers run, whatever became of the handler.

use std::io;
use std::sync::Arc;

use asupersync::compat::RequestCx;
use asupersync::compat::hyper::{Tower, serve};
use asupersync::compat::tower::RegionLayer;
use asupersync::region::CloseReport;
use asupersync::{Budget, Cx, Failure, Outcome, Region, Runtime};
use http_body_util::channel::Sender;
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use tower::ServiceBuilder;

use crate::service::{self, CLEANUP, DRAIN, Ended, FINALIZE, Reply, Route, STEP, STEPS, Serve, TICK};
use crate::tally::{Cleanups, Tally, Ticket};

/// The regions side.
pub(crate) fn run(serve: Serve) -> io::Result<Ended> {
    let runtime = Runtime::builder()
        .drain(Budget::timeout(DRAIN))
        .finalize(Budget::timeout(FINALIZE))
        .signals(true)
        .build()?;
    let (outcome, report) = runtime.block_on_with_report(async move |cx: &Cx| service(cx, serve).await);
    let closed = outcome.map_err(into_io)?;
    // What the root region closed without, because its poll did not return.
    let alive_tasks = report.map_or(0, |root| root.totals.abandoned);
    Ok(Ended { alive_tasks, close_report: Some(closed.to_string()) })
}

async fn service(cx: &Cx, Serve { addr, ready, tally }: Serve) -> Outcome<CloseReport> {
    let listener = cx.tcp_bind(addr).await?;
    ready(listener.local_addr()?);
    let service = Region::builder("service").open_with_report(cx, async |cx| {
        let tally_there = Arc::clone(&tally);
        let http = ServiceBuilder::new()
            .layer(RegionLayer::new(cx))
            .service_fn(move |request| handle(request, Arc::clone(&tally_there)));
        drop(cx.spawn("http", async move |cx| {
            serve(cx, listener, Tower::new(http)).await?;
            Ok(())
        }));
        cx.shutdown_signal().await;
        tally.note_signal();
    });
    let (outcome, report) = service.await;
    outcome?;
    Ok(report)
}

async fn handle(request: Request<Incoming>, tally: Arc<Tally>) -> io::Result<Reply> {
    let ticket = service::admit(&tally, &request);
    let cx: &RequestCx = request.extensions().get().expect("RegionLayer puts it there");
    let route = ticket.route;
    let reply = match route {
        Route::Short => tally.watch(route, async { Ok(service::reply(ticket, "short\n")) }).await,
        Route::Work => tally.watch(route, work(cx, ticket, &tally)).await,
        Route::Never => tally.watch(route, never(cx, ticket, &tally)).await,
        Route::Events => events(cx, ticket, tally),
        Route::Help => Ok(service::reply(ticket, service::help(&tally))),
    };
    reply.map_err(into_io)
}

async fn work(cx: &Cx, ticket: Ticket, tally: &Arc<Tally>) -> Outcome<Reply> {
    let cleanups = tally.cleanups(Route::Work);
    take(cx, &cleanups)?;
    take(cx, &cleanups)?;
    // Work in flight: a request to stop lets it finish.
    cx.finish(async |cx| {
        for _ in 0..STEPS {
            cx.sleep(STEP).await?;
        }
        Ok(())
    })
    .await?;
    Ok(service::reply(ticket, "worked\n"))
}

async fn never(cx: &Cx, ticket: Ticket, tally: &Arc<Tally>) -> Outcome<Reply> {
    take(cx, &tally.cleanups(Route::Never))?;
    std::future::pending::<()>().await;
    Ok(service::reply(ticket, ""))
}

fn events(cx: &Cx, ticket: Ticket, tally: Arc<Tally>) -> Outcome<Reply> {
    let (sender, reply) = service::events(ticket);
    // The region of the request stays open until its body has ended, and the producer with it.
    drop(cx.spawn("events", async move |cx| tally.watch(Route::Events, produce(cx, sender, &tally)).await));
    Ok(reply)
}

async fn produce(cx: &Cx, mut sender: Sender<Bytes>, tally: &Arc<Tally>) -> Outcome {
    take(cx, &tally.cleanups(Route::Events))?;
    for n in 0.. {
        if cx.sleep(TICK).await.is_err() {
            let _ = sender.send_data(service::farewell()).await;
            break;
        }
        if sender.send_data(service::event(n)).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// Takes something, and registers the finalizer that gives it back.
fn take(cx: &Cx, cleanups: &Cleanups) -> Outcome {
    let held = cleanups.take();
    cx.defer(async move |cx| {
        cx.sleep(CLEANUP).await?;
        held.give_back();
        Ok(())
    })?;
    Ok(())
}

fn into_io(failure: Failure) -> io::Error {
    match failure {
        Failure::Cancelled(cancelled) => cancelled.into(),
        Failure::Err(error) => {
            let kind = error.downcast_ref::<io::Error>().map_or(io::ErrorKind::Other, io::Error::kind);
            io::Error::new(kind, error.to_string())
        }
        Failure::Panicked(panic) => io::Error::other(panic.to_string()),
    }
}
