//! hyper on Tokio, shut down as its documentation advises: every connection is told, and all are waited for.

use std::convert::Infallible;
use std::pin::pin;

use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::service::{Body, DRAIN, Event, Stage, Watch, endless, switching, text};

pub(crate) fn side(stage: Stage) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(serve(stage));
}

async fn serve(stage: Stage) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    stage.listens(listener.local_addr().expect("bound"));
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new());
    let graceful = GracefulShutdown::new();
    let mut stop = pin!(stage.stop.notified());
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted.expect("a connection").0,
            () = &mut stop => break,
        };
        let stage = stage.clone();
        let service = service_fn(move |request| handle(request, stage.clone()));
        let connection = server.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
        let watched = graceful.watch(connection);
        tokio::spawn(async move { drop(watched.await) });
    }
    drop(listener);
    let stopped = tokio::time::timeout(DRAIN, graceful.shutdown()).await;
    stage.tell(if stopped.is_ok() { Event::Stopped } else { Event::Late });
    // What is left is looked at from outside before the runtime is dropped.
    stage.stop.notified().await;
}

async fn handle(mut request: Request<Incoming>, stage: Stage) -> Result<Response<Body>, Infallible> {
    let mut watch = Watch::begin(&stage);
    Ok(match request.uri().path() {
        "/work" => {
            stage.gate.notified().await;
            watch.end = Event::Done;
            // A Tokio program cleans up here: after its work.
            stage.tell(Event::Cleaned);
            text("worked")
        }
        "/never" => std::future::pending().await,
        "/events" => endless("text/event-stream", watch),
        "/stream" => endless("text/plain", watch),
        "/upload" => match request.into_body().collect().await {
            Ok(body) => text(body.to_bytes()),
            Err(_) => text("no upload"),
        },
        "/upgrade" => {
            let upgrade = hyper::upgrade::on(&mut request);
            tokio::spawn(async move {
                let _watch = watch;
                let Ok(upgraded) = upgrade.await else { return };
                let mut stream = TokioIo::new(upgraded);
                let mut word = [0; 4];
                while stream.read_exact(&mut word).await.is_ok() {
                    if stream.write_all(&word).await.is_err() {
                        break;
                    }
                }
            });
            switching()
        }
        _ => text("hello"),
    })
}
