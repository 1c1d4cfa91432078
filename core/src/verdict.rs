//! How a task ended, as its region sees it, and as it tells of it.

use std::sync::Arc;

use crate::cancel::Waits;
use crate::id::TaskId;
use crate::outcome::{Error, Failure, Outcome, Panic};

/// One child that failed.
#[derive(Clone, Debug)]
pub struct ChildFailure {
    /// The task's name.
    pub name: Arc<str>,
    /// Its error, or its panic's message.
    pub error: Error,
}

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

impl Verdict {
    /// Of a body that ended with `outcome`, or was dropped, awaiting what `dropped` says.
    pub(crate) fn of<T>(outcome: &Outcome<T>, dropped: Option<Waits>) -> Self {
        match outcome {
            Ok(_) => Verdict::Ok,
            Err(_) if dropped.is_some() => Verdict::Dropped(dropped),
            Err(Failure::Err(error)) => Verdict::Err(error.clone()),
            Err(Failure::Panicked(panic)) => Verdict::Panicked(panic.clone()),
            Err(Failure::Cancelled(_)) => Verdict::Cancelled,
        }
    }
}

/// A child's error or panic, kept until the region closes.
#[derive(Clone)]
pub(crate) struct Failed {
    pub(crate) id: TaskId,
    pub(crate) name: Arc<str>,
    pub(crate) verdict: Verdict,
}

impl Failed {
    /// As users see it.
    pub(crate) fn to_failure(&self) -> Option<ChildFailure> {
        let error = match &self.verdict {
            Verdict::Err(error) => error.clone(),
            Verdict::Panicked(panic) => Error::msg(panic),
            Verdict::Ok | Verdict::Cancelled | Verdict::Dropped(_) => return None,
        };
        Some(ChildFailure { name: self.name.clone(), error })
    }
}
