//! Why a supervisor gave up, and why a request to one was not granted.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::policy::ChildId;
use crate::outcome::{Failure, Outcome};

/// A supervisor gave up: a child ended once more than the restart intensity allows.
///
/// Its source is the child's last error. In a tree of supervisors that is the `TooManyRestarts` of
/// the one below, down to what failed first.
#[derive(Clone, Debug)]
pub struct TooManyRestarts {
    pub(super) child: Arc<str>,
    pub(super) restarts: u64,
    pub(super) intensity: u32,
    pub(super) period: Duration,
    pub(super) last: Outcome,
}

impl TooManyRestarts {
    /// The name of the child whose end was one too many.
    pub fn child(&self) -> &str {
        &self.child
    }

    /// How often that child had been started again before, in the supervisor's whole life.
    pub fn restarts(&self) -> u64 {
        self.restarts
    }

    /// How many restarts of all children together the supervisor allows within its
    /// [`period`](Self::period).
    pub fn intensity(&self) -> u32 {
        self.intensity
    }

    /// The period that the intensity is about.
    pub fn period(&self) -> Duration {
        self.period
    }

    /// How the child ended; `Ok` for a permanent one that returned.
    pub fn last(&self) -> &Outcome {
        &self.last
    }
}

impl fmt::Display for TooManyRestarts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TooManyRestarts { child, restarts, intensity, period, last } = self;
        write!(f, "child `{child}` ended again after {restarts} restarts of its own, ")?;
        write!(f, "and more than {intensity} within {period:?} are not allowed")?;
        match last {
            Ok(()) => f.write_str("; it returned, but is permanent"),
            // Told by `source`.
            Err(Failure::Err(_)) => Ok(()),
            Err(failure) => write!(f, "; it {failure}"),
        }
    }
}

impl StdError for TooManyRestarts {
    /// The child's error. A cancellation is no source: it would be found again as this supervisor's
    /// own.
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.last {
            Err(Failure::Err(error)) => Some(error.as_std()),
            _ => None,
        }
    }
}

/// Why a supervisor did not do what its handle asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChildError {
    /// The supervisor stops, or has ended, or was dropped before it ran.
    Stopped,
    /// It has as many children as it may.
    MaxChildren(usize),
    /// It has no such child, or no more.
    NotFound(ChildId),
}

impl fmt::Display for ChildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChildError::Stopped => f.write_str("the supervisor does not run any more"),
            ChildError::MaxChildren(max) => write!(f, "the supervisor has {max} children already"),
            ChildError::NotFound(id) => write!(f, "the supervisor has no child {id:?}"),
        }
    }
}

impl StdError for ChildError {}
