//! How a task ended, as its region sees it.

use crate::cancel::Waits;
use crate::outcome::{Error, Panic};

/// The end of one task.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    Ok,
    Err(Error),
    Panicked(Panic),
    Cancelled,
    /// Dropped while it waited, for what it says: the drain budget was spent, or the host shut down.
    Dropped(Option<Waits>),
}
