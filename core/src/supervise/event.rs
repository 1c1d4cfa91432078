//! The words in which a supervisor is told what happened, and tells what to do.

use std::sync::Arc;

use super::policy::{ChildId, Restart};

/// What happened.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// A child is added, after all there are. Its number is greater than theirs.
    Add(ChildId, Traits),
    /// Somebody wants a child stopped and forgotten.
    Remove(ChildId),
    /// A child told that it is ready.
    Ready(ChildId),
    /// A child's region is Closed.
    Ended { id: ChildId, abnormal: bool },
    /// The time of the next start came, or nothing: it is always allowed.
    Tick,
    /// Nobody can add children any more.
    Sealed,
    /// The supervisor is asked to stop.
    Request,
}

/// What to do, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Start(ChildId),
    /// Ask the child to stop; its end will be told.
    Stop(ChildId),
    /// The child is gone for good.
    Forget(ChildId),
    /// Nothing runs, and nothing will.
    Finish(Ending),
}

/// How a supervisor ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ending {
    /// Every child is done.
    Done,
    Requested,
    /// The child that ended last was one restart too many.
    Escalated,
}

/// What is to be known of a child.
#[derive(Clone, Debug)]
pub(super) struct Traits {
    pub(super) name: Arc<str>,
    pub(super) restart: Restart,
    /// Children after it are started once it tells that it is ready.
    pub(super) tells_ready: bool,
}
