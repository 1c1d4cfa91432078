//! A server of HTTP/1.1 and HTTP/2 over hyper, with a whole life: it says when it is ready, and its
//! shutdown has a deadline.
//!
//! ```text
//!   serve(cx, ..) ── Region `http` ── accept loop
//!                        ├── task `conn 192.0.2.1:40000`: hyper's connection, polled in place
//!                        └── task `conn 192.0.2.1:40001`, and one for each stream of HTTP/2
//! ```
//!
//! The first bytes of a connection say which HTTP it is. Upgrades (WebSocket) are in flight until the
//! upgraded stream is dropped.
//!
//! | phase | what a connection does |
//! |---|---|
//! | [`min_drain`](Server::min_drain) | everything as before, but [`Readiness`](crate::Readiness) says no, and answers `Connection: close` |
//! | Request | the listener is closed, once what the system had accepted is taken from it; an idle connection ends at once; one in the middle of a request answers it with `Connection: close` and ends; on HTTP/2 a GOAWAY is sent; a handler in a region hears of it through its `Cx`; a new connection whose first request is still to come, a header or preface that is sent by half, and a stream of server-sent events, have the [`grace`](Server::grace) to come to their end |
//! | Drain | requests, bodies and upgrades in flight go on, for as long as the drain budget lasts |
//! | Finalize | connections that have not ended are dropped, upgraded ones cut; they are counted and told of as [`Cut`](ConnectionEnd::Cut) |
//!
//! Invariants:
//! 1. A connection is a task of the region: none outlives [`serve`].
//! 2. Whatever becomes of a connection, the region and the other connections go on; each is
//!    counted exactly once, in one of [`ServeReport`]'s ends.
//! 3. A request that was read is answered, if only with 500 or 503, unless the connection is cut.
//!
//! Each request has the [`Cx`] of its connection in its extensions; [`RegionLayer`] makes a region of it
//! for the request ([`of_connection`]).
//!
//! # In Kubernetes
//! A pod is taken from its service's endpoints while it is being stopped, not before: new requests still
//! come for some seconds after SIGTERM. Either `min_drain` serves those, or a `preStop` hook that sleeps
//! delays the SIGTERM; not both. The readiness probe asks [`Server::readiness`]. Then
//! `terminationGracePeriodSeconds` must be more than the time of the `preStop` hook, `min_drain`, the drain
//! and the finalize budget of the program together, or else SIGKILL comes first.
//!
//! [`RegionLayer`]: crate::tower::RegionLayer
//! [`of_connection`]: crate::tower::RegionLayer::of_connection

mod answer;
mod client;
mod conn;
mod exchange;
mod http2;
mod report;
mod server;
#[cfg(feature = "tower")]
mod tower;
mod wire;

use asupersync_core::caps::{HasSpawn, HasTime};
use asupersync_core::io::TcpListener;
use asupersync_core::{Cx, Outcome};
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::service::Service;

pub use client::{connect_http1, connect_http2};
pub use report::{ConnectionEnd, Counters, ServeReport};
pub use server::Server;

#[cfg(feature = "tower")]
pub use self::tower::{Tower, TowerFuture};
#[cfg(feature = "tower")]
pub(crate) use self::wire::Held;

/// Any error, as services return it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Serves HTTP on `listener` until Request, then drains; [`Server`] has options.
///
/// ```no_run
/// use asupersync_compat::hyper::serve;
/// use asupersync_core::{Cx, Outcome};
/// use http::Response;
/// use hyper::service::service_fn;
///
/// async fn hello(cx: &Cx) -> Outcome<()> {
///     let listener = cx.tcp_bind("127.0.0.1:8080").await?;
///     let service = service_fn(async |_| std::io::Result::Ok(Response::new(String::from("hello"))));
///     println!("{}", serve(cx, listener, service).await?);
///     Ok(())
/// }
/// ```
///
/// # Errors
/// As [`Server::serve`].
///
/// # Cancel safety
/// As [`Server::serve`].
pub async fn serve<C, S, B>(cx: &Cx<C>, listener: TcpListener, service: S) -> Outcome<ServeReport>
where
    C: HasSpawn + HasTime,
    S: Service<Request<Incoming>, Response = Response<B>, Error: Into<BoxError>, Future: Send>,
    S: Clone + Send + 'static,
    S::Future: 'static,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    Server::new().serve(cx, listener, service).await
}
