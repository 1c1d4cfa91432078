//! How a region closes, as its opener chose.

use crate::budget::Budget;

/// What happens to children that still run when a region's body returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Close {
    /// They are cancelled through the protocol, and awaited.
    #[default]
    Cancel,
    /// They are awaited.
    Join,
}

/// What a region does when a child fails with an error or a panic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OnFailure {
    /// Requests the cancel of everything else in the region.
    #[default]
    CancelSiblings,
    /// Goes on, and tells of all failures at the end.
    Collect,
}

/// How a region closes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    pub(crate) close: Close,
    pub(crate) on_failure: OnFailure,
    pub(crate) work: Budget,
    pub(crate) drain: Budget,
    pub(crate) finalize: Budget,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            close: Close::Cancel,
            on_failure: OnFailure::CancelSiblings,
            work: Budget::UNLIMITED,
            drain: Budget::UNLIMITED,
            finalize: Budget::UNLIMITED,
        }
    }
}
