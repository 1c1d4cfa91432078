//! What goes on past the end of the drain budget around it: a shield, the closing of a region. Each has
//! a limit of its own.

use std::future::{Future, poll_fn};
use std::pin::pin;

use super::Level;
use super::scope::ScopeRef;
use crate::primitive::Ordering;

/// Keeps the bodies around a scope from being dropped at the end of the drain budget.
struct Keep(Vec<ScopeRef>);

impl Keep {
    fn new(scope: &ScopeRef) -> Self {
        let kept: Vec<_> = scope.around().collect();
        for scope in &kept {
            scope.told.write();
            scope.kept.fetch_add(1, Ordering::AcqRel);
        }
        Keep(kept)
    }
}

impl Drop for Keep {
    fn drop(&mut self) {
        for scope in &self.0 {
            scope.told.write();
            scope.kept.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// Awaits a future with a limit of its own, which the end of the drain budget of `scope` does not
/// cut short: a shield, the closing of a region.
pub(crate) async fn past_the_drain<F: Future>(scope: &ScopeRef, future: F) -> F::Output {
    let mut future = pin!(future);
    let mut keep = None;
    poll_fn(|cx| {
        let polled = future.as_mut().poll(cx);
        // Whoever would drop this looks after the poll.
        if polled.is_pending() && keep.is_none() && scope.around().any(|scope| scope.level() == Level::Spent)
        {
            keep = Some(Keep::new(scope));
        }
        polled
    })
    .await
}
