//! An HTTP service on a Tokio runtime becomes one in regions, by one line.

use std::io;

use asupersync_core::caps::All;
use asupersync_core::io::{Listener, TcpListener};
use asupersync_core::{Cx, Failure};
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use tower_layer::Layer;
use tower_service::Service;

use super::net::HostedListener;
use super::run::{Builder, tell_leftovers};
use crate::hyper::{BoxError, Server, Tower};
use crate::tower::RegionLayer;

/// Serves a tower service, such as axum's `Router` or tonic's `Routes`, until SIGINT or SIGTERM, and then
/// drains, with at most 10 seconds for what is in flight and 5 for cleanup. Each request runs in a region
/// of its own, whose `Cx` is in its extensions. It stands where `axum::serve(listener, app).await` stood.
///
/// It is [`hyper::Server`](crate::hyper::Server) and [`RegionLayer::of_connection`] in a
/// [`hosted::Builder`](Builder) with [`signals`](Builder::signals); use those for anything else, with
/// [`hosted::listener`](listener).
///
/// # Errors
/// The listener's, if it is no listening socket; `TimedOut` if the drain and cleanup took longer than
/// their budgets, and what was left is listed on stderr.
///
/// # Panics
/// Outside a Tokio runtime with time and I/O enabled.
///
/// # Cancel safety
/// As [`hosted::run`](super::run()).
pub async fn serve<S, B>(listener: tokio::net::TcpListener, service: S) -> io::Result<()>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error: Into<BoxError>, Future: Send>,
    S: Clone + Send + Sync + 'static,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    let listener = self::listener(listener);
    let service = Tower::new(RegionLayer::<All>::of_connection().layer(service));
    let (outcome, report) = Builder::default()
        .signals(true)
        .run_with_report(async move |cx: &Cx| {
            Server::new().systemd(true).serve(cx, listener, service).await?;
            Ok(())
        })
        .await;
    tell_leftovers(&report);
    outcome.map_err(|failure| match failure {
        Failure::Cancelled(cancelled) => io::Error::new(io::ErrorKind::TimedOut, cancelled.to_string()),
        Failure::Err(error) => {
            let kind = error.downcast_ref::<io::Error>().map_or(io::ErrorKind::Other, io::Error::kind);
            io::Error::new(kind, error.to_string())
        }
        Failure::Panicked(panic) => io::Error::other(panic.to_string()),
    })
}

/// A listener of Tokio's as one of ours, for regions on the same runtime.
pub fn listener(listener: tokio::net::TcpListener) -> TcpListener {
    let listener: Box<dyn Listener> = Box::new(HostedListener(listener));
    listener.into()
}
