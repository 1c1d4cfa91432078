//! How a region closes, as its opener chose.

use crate::budget::Budget;
use crate::host::Host;
use crate::time::Time;

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

impl Policy {
    /// Since when a region that is opened now counts as open. If nothing ends with its time, that is only told of.
    pub(super) fn begins(&self, host: &dyn Host) -> Time {
        if self.work == Budget::UNLIMITED { host.recent() } else { host.now() }
    }
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
