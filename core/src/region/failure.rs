//! What a region's outcome is, from its body's and its children's.
//!
//! The gravest wins. Cancellations of children are absorbed: the region, or somebody above it,
//! asked for them. All children's errors and panics are kept, ordered by spawn number, so that the
//! result does not depend on the schedule; those that the outcome does not tell are in the report.

use std::error::Error as StdError;
use std::fmt;

use super::tree::Node;
use crate::lock::lock;
use crate::outcome::{Failure, Outcome};
use crate::verdict::{ChildFailure, Failed, Verdict};

/// All children of a region that failed, in the order in which they were spawned.
#[derive(Clone, Debug)]
pub struct ChildFailures {
    failures: Vec<ChildFailure>,
}

impl ChildFailures {
    /// The failures, in the order in which the children were spawned; never empty.
    pub fn failures(&self) -> &[ChildFailure] {
        &self.failures
    }
}

impl fmt::Display for ChildFailures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, ChildFailure { name, error }) in self.failures.iter().enumerate() {
            let separator = if n > 0 { "; " } else { "" };
            write!(f, "{separator}task `{name}` failed: {error}")?;
        }
        Ok(())
    }
}

impl StdError for ChildFailures {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.failures.first().map(|first| first.error.as_std() as _)
    }
}

/// The outcome of a closed region whose body ended with `body`.
pub(super) fn conclude<T>(node: &Node, body: Outcome<T>) -> Outcome<T> {
    let mut failed = match &lock(&node.inner).failures {
        // Mostly none.
        failed if failed.is_empty() || matches!(body, Err(Failure::Panicked(_))) => return body,
        failed => failed.clone(),
    };
    failed.sort_by_key(|failed| failed.id);
    let mut panicked = failed.iter().filter_map(|failed| match &failed.verdict {
        Verdict::Panicked(panic) => Some(panic.clone()),
        _ => None,
    });
    if let Some(panic) = panicked.next() {
        return Err(Failure::Panicked(panic));
    }
    // The body's own error usually is a child's, seen through its handle.
    if matches!(body, Err(Failure::Err(_))) {
        return body;
    }
    let failures = failed.iter().filter_map(Failed::to_failure).collect();
    Err(Failure::Err(ChildFailures { failures }.into()))
}
