//! The same service on plain Tokio and hyper, shut down as their own documentation advises.
//!
//! - the accept loop, [`GracefulShutdown`] and the budget beside it:
//!   <https://hyper.rs/guides/1/server/graceful-shutdown>, and for the accept errors the example it
//!   comes from, <https://github.com/hyperium/hyper-util/blob/master/examples/server_graceful.rs>
//! - a [`CancellationToken`] to tell the endless streams that the service ends:
//!   <https://tokio.rs/tokio/topics/shutdown>
//! - both signals: <https://docs.rs/tokio/latest/tokio/signal/index.html>
//! - [`Runtime::shutdown_timeout`], so that this side too is given time after its drain:
//!   <https://docs.rs/tokio/latest/tokio/runtime/struct.Runtime.html#shutdown>
//!
//! Cleanup is ordinary code after an await. When a client leaves, hyper drops the handler's future
//! where it waits, and what stands after that await does not run. A handler can be written to
//! survive that (its work spawned as a task of its own and tracked to its end, at the price that
//! nothing stops it when nobody waits for it any more), but none of these pages tells to, and the
//! straight way to write it is this one. The producer of a stream *is* a task of its own, as a
//! channel's sender has to be, and cleans up when its client leaves.

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{interval, sleep};
use tokio_util::sync::CancellationToken;

use crate::service::{self, CLEANUP, DRAIN, Ended, FINALIZE, Reply, Route, STEP, STEPS, Serve, TICK};
use crate::tally::{Tally, Ticket};

/// The plain side.
pub(crate) fn run(serve: Serve) -> io::Result<Ended> {
    let runtime = Runtime::new()?;
    runtime.block_on(accept_loop(serve))?;
    let alive_tasks = runtime.metrics().num_alive_tasks() as u64;
    runtime.shutdown_timeout(FINALIZE);
    Ok(Ended { alive_tasks, close_report: None })
}

async fn accept_loop(serve: Serve) -> io::Result<()> {
    let Serve { addr, ready, tally } = serve;
    let listener = TcpListener::bind(addr).await?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    ready(listener.local_addr()?);

    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new());
    let graceful = GracefulShutdown::new();
    let stop = CancellationToken::new();
    let mut shutdown_signal = pin!(async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    });

    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else {
                    sleep(Duration::from_secs(1)).await;
                    continue;
                };
                let (tally, stop) = (Arc::clone(&tally), stop.clone());
                let handler = service_fn(move |request| {
                    handle(request, Arc::clone(&tally), stop.clone())
                });
                let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), handler));
                // A connection's error is its client's: here some leave on purpose.
                // migrate-lint: allow(detached_spawn) what the documentation advises is what is measured
                tokio::spawn(async move { let _ = connection.await; });
            }
            () = &mut shutdown_signal => {
                tally.note_signal();
                drop(listener);
                break;
            }
        }
    }

    stop.cancel();
    tokio::select! {
        () = graceful.shutdown() => {}
        () = sleep(DRAIN) => {}
    }
    Ok(())
}

async fn handle(
    request: Request<Incoming>,
    tally: Arc<Tally>,
    stop: CancellationToken,
) -> Result<Reply, Infallible> {
    let ticket = service::admit(&tally, &request);
    let route = ticket.route;
    let reply = match route {
        Route::Short => tally.watch(route, async { service::reply(ticket, "short\n") }).await,
        Route::Work => tally.watch(route, work(ticket, &tally)).await,
        Route::Never => tally.watch(route, never(ticket, &tally)).await,
        Route::Events => events(ticket, tally, stop),
        Route::Help => service::reply(ticket, service::help(&tally)),
    };
    Ok(reply)
}

async fn work(ticket: Ticket, tally: &Arc<Tally>) -> Reply {
    let cleanups = tally.cleanups(Route::Work);
    let seat = cleanups.take();
    let lock = cleanups.take();
    for _ in 0..STEPS {
        sleep(STEP).await;
    }
    sleep(CLEANUP).await;
    lock.give_back();
    sleep(CLEANUP).await;
    seat.give_back();
    service::reply(ticket, "worked\n")
}

async fn never(ticket: Ticket, tally: &Arc<Tally>) -> Reply {
    let seat = tally.cleanups(Route::Never).take();
    pending::<()>().await;
    sleep(CLEANUP).await;
    seat.give_back();
    service::reply(ticket, "")
}

fn events(ticket: Ticket, tally: Arc<Tally>, stop: CancellationToken) -> Reply {
    let (mut sender, reply) = service::events(ticket);
    // migrate-lint: allow(detached_spawn_finite) the plain side is the one that has such tasks
    tokio::spawn(async move {
        let producer = async {
            let subscription = tally.cleanups(Route::Events).take();
            let mut tick = interval(TICK);
            for n in 0.. {
                tokio::select! {
                    _ = tick.tick() => {
                        if sender.send_data(service::event(n)).await.is_err() {
                            break;
                        }
                    }
                    () = stop.cancelled() => {
                        let _ = sender.send_data(service::farewell()).await;
                        break;
                    }
                }
            }
            sleep(CLEANUP).await;
            subscription.give_back();
        };
        tally.watch(Route::Events, producer).await;
    });
    reply
}
