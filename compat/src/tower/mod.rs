//! tower: each request in a region of its own.
//!
//! [`RegionLayer`] moves the call of the inner service into a task of the service's region, with a
//! region of its own inside. So a client that leaves does not drop the handler where it waits:
//!
//! ```text
//!   caller                        task `request` of the service's region
//!   ResponseFuture  ── spawns ──▶ Region::open: handler, its children, its finalizers
//!        │  ◀── response head ──     │
//!   RegionBody      ── body ended ─▶ the region closes
//!        └── dropped before that ──▶ Request, reason ClientDisconnected; drain; finalize
//! ```
//!
//! Invariants:
//! 1. The region is open until the response's body ended or is gone, or the budget is spent.
//! 2. No end of a handler, a panic included, fails the service's region: it is the response's.
//! 3. The instance of the inner service that was made ready is the one that is called.

mod body;
mod error;
mod future;
mod service;

pub use body::RegionBody;
pub use error::{BoxError, RegionError};
pub use future::ResponseFuture;
pub use service::{RegionLayer, RegionService};
