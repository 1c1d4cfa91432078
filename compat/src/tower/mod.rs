//! tower: each request in a region of its own.
//!
//! [`RegionLayer`] opens a region of the service's for each call, and runs that inside. While the client
//! waits the connection's own task polls it, and no other is made: it is an [inline region][inline]. So a
//! client that leaves does not drop the handler where it waits. And it is [opened lazily][lazily]: when the handler
//! uses its `Cx`, the client leaves, the server closes, or somebody takes a dump; a request that none of these
//! happens to is over before anybody could tell.
//!
//! ```text
//!   the connection's task         region `request`
//!   ResponseFuture  ── polls ───▶ the handler, its children, its finalizers
//!        │  ◀── response head ──     │
//!   RegionBody      ── body ended ─▶ the region closes
//!        └── dropped before that ──▶ Request, reason ClientDisconnected; it goes on in a task of the
//!                                    service's region: drain; finalize
//! ```
//!
//! [inline]: asupersync_core::region::Builder::inline
//! [lazily]: asupersync_core::region::Builder::inline_lazily
//!
//! Invariants:
//! 1. The region is open until the response's body ended or is gone, or the budget is spent; that of
//!    an upgrade (WebSocket), until the upgraded stream is gone. Whether somebody polls the body or not.
//! 2. No end of a handler, a panic included, fails the service's region: it is the response's.
//! 3. The instance of the inner service that was made ready is the one that is called.
//!
//! What a server cannot see: over HTTP/1.1 that a client left is noticed only while nothing more can
//! be read from it, so not before an unread request body or a pipelined request was taken. A client
//! that ends only its sending direction counts as one that left, unless hyper's `half_close` is
//! set. Upgrades on other servers than [`hyper::Server`](crate::hyper::Server), and those of HTTP/2's CONNECT,
//! leave the region with their response.
//!
//! | | what it does |
//! |---|---|
//! | [`TimeoutLayer`] | limits how long a call may take, on any host |
//! | [`BudgetLayer`] | makes the client's deadline the budget of the request's region |
//! | [`DrainLayer`] | refuses requests once their server is going away |
//! | [`Worker`] | shares one instance of a service, which a task of a region owns |
//!
//! In axum, layer the whole `Router` from outside (`RegionLayer::of_connection().layer(router)`): the error
//! of a region is answered by the server and not by the router. Handlers get the `Cx` as
//! [`RequestCx`](crate::RequestCx): an argument with the feature `axum`, and `Extension<RequestCx>` without. In tonic the same layer goes around
//! `Routes`, and a method or an interceptor has it in `request.extensions()`, or by `cx_of` of
//! the feature `tonic`; a deadline of `grpc-timeout` is the region's with a [`BudgetLayer`].

mod body;
mod budget;
mod call;
mod drain;
mod error;
mod exchange;
mod future;
mod service;
mod timeout;
mod worker;

pub use body::RegionBody;
pub use budget::{BudgetLayer, BudgetService};
pub use drain::{DrainBody, DrainFuture, DrainLayer, DrainService};
pub use error::{BoxError, RegionError};
pub use future::ResponseFuture;
pub use service::{Disconnect, RegionLayer, RegionService};
pub use timeout::{TimeoutFuture, TimeoutLayer, TimeoutService};
pub use worker::{Worker, WorkerFuture};
