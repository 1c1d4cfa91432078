//! Supervisors: children that are started again when they fail, in the way of Erlang/OTP, on regions.
//!
//! A [`Supervisor`] is an operation that runs in a region of its own. Each child is a region within
//! that; what the child spawned is gone before the child is started again. A child may run a
//! supervisor itself: that makes a tree, in which a supervisor that gives up is a failure of the
//! child that it is.
//!
//! | | |
//! |---|---|
//! | [`Strategy`] | who is started again together |
//! | [`Restart`] | whether a child is started again at all, after which ends |
//! | [`Supervisor::intensity`] | when to give up, with [`TooManyRestarts`] |
//! | [`Backoff`] | how long a restart waits |
//! | [`ChildSpec::with_ready`] | when those after a child may start |
//! | [`SupervisorHandle`] | children added and removed while it runs |
//!
//! # Where this is not OTP
//!
//! - A child has no `init`: it is started when its task is. One that [tells](ChildSpec::with_ready)
//!   when it is ready and ends before has failed to start; that counts as a restart, the first time
//!   too, where OTP's supervisor gives up at once.
//! - A supervisor whose children are all done, and to which nobody can add one, returns.
//! - While a restart waits for its back-off, the supervisor goes on seeing to other children.
//! - There is no `brutal_kill`: a drain budget of zero is the nearest. Without a budget of its own, a
//!   child has the supervisor's, not five seconds.
//! - A child that is terminated through the handle is forgotten, too.
//! - A supervisor under Request has its region's drain budget for all children together.
//!
//! # Inside
//!
//! `state` decides, as a pure step, and `driver` does what it says; `backoff` and `window` are what
//! it decides with, `event` the words between the two. Children tell their ends through `mailbox`; nothing here polls them.

mod backoff;
mod child;
mod driver;
mod error;
mod event;
mod handle;
mod mailbox;
mod policy;
mod state;
mod supervisor;
mod window;

pub use backoff::Backoff;
pub use child::{ChildSpec, ReadyFn};
pub use error::{ChildError, TooManyRestarts};
pub use handle::{ChildInfo, ChildStatus, SupervisorHandle};
pub use mailbox::Ready;
pub use policy::{ChildId, Restart, Strategy};
pub use supervisor::Supervisor;
