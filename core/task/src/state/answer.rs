//! The answers of the transitions: what a caller may or must do next.

/// What the maker of a task must do when the future is there.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Made {
    /// Nothing: the stage is given up, and the `Runnable` may be used.
    Queued,
    /// The stage is still the caller's: drop the future and complete.
    Shutdown,
}

/// What a waker must do.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Notify {
    /// The task was idle: schedule a `Runnable`, whose reference is counted.
    Schedule,
    /// The task was queued and a second entry was asked for: schedule one,
    /// whose reference is counted.
    ScheduleSecond,
    /// Somebody else will poll it, or nobody need.
    Nothing,
}

/// What an entry that was taken from a queue may do.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Enter {
    /// The stage is the caller's, until it goes idle or completes.
    Run,
    /// The entry is out of date; it only has a reference to drop.
    Stale,
}

/// What the runner must do after a poll that returned `Pending`.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// Nothing: the stage and the runner's reference are given up.
    Idle,
    /// As `Idle`, and that reference was the last: free the cell.
    IdleAndLast,
    /// Woken meanwhile. The stage is given up and the task is queued:
    /// schedule a `Runnable`, whose reference is counted besides the runner's.
    Queued,
    /// The stage is still the caller's: drop the future and complete.
    Shutdown,
}

/// What a shutdown may do.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// The stage is the caller's: drop the future and complete.
    Claimed,
    /// Somebody is at the stage; a runner will see the request.
    Running,
    /// There is nothing left to shut down.
    Complete,
}

/// What the completer must do.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Completed {
    /// No join handle: the output is the completer's to drop.
    Detached,
    /// The output is the join handle's, which has not left a waker.
    Joined,
    /// As `Joined`, and the join waker is the completer's to take and wake.
    JoinedWithWaker,
}

/// The task is complete: the stage is the join handle's.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Complete;

/// What a dropped join handle must do.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Detach {
    /// The output is the caller's to drop.
    pub(crate) owns_output: bool,
    /// The join waker is the caller's to drop.
    pub(crate) owns_waker: bool,
}
