//! An HTTP/1.1 server over hyper, whose shutdown has a deadline.
//!
//! ```text
//!   serve(cx, ..) ── Region `http` ── accept loop
//!                        ├── task `conn 192.0.2.1:40000`: hyper's connection, polled in place
//!                        └── task `conn 192.0.2.1:40001`
//! ```
//!
//! | phase | what a connection does |
//! |---|---|
//! | Request | the listener is closed, once what the system had accepted is taken from it; an idle connection ends at once; one in the middle of a request answers it with `Connection: close` and ends; a handler in a region hears of it through its `Cx` |
//! | Drain | requests and bodies in flight go on, for as long as the drain budget lasts; a header that is sent by half waits no longer than that either |
//! | Finalize | connections that have not ended are dropped, counted and told of as [`Cut`](ConnectionEnd::Cut) |
//!
//! Invariants:
//! 1. A connection is a task of the region: none outlives [`serve`].
//! 2. Whatever becomes of a connection, the region and the other connections go on; each is
//!    counted exactly once, in one of [`ServeReport`]'s ends.
//! 3. A request that was read is answered, if only with 500 or 503, unless the connection is cut.

mod answer;
mod conn;
mod report;
mod server;
#[cfg(feature = "tower")]
mod tower;

use asupersync_core::caps::{HasSpawn, HasTime};
use asupersync_core::io::TcpListener;
use asupersync_core::{Cx, Outcome};
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::service::Service;

pub use answer::Reply;
pub use report::{ConnectionEnd, Counters, ServeReport};
pub use server::Server;

#[cfg(feature = "tower")]
pub use self::tower::{Tower, TowerFuture};

/// Any error, as services return it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Serves HTTP/1.1 on `listener` until Request, then drains; [`Server`] has options.
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
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    Server::new().serve(cx, listener, service).await
}
