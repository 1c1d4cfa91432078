//! Waiting for a scope's level.
//!
//! The task that polls in a scope is woken by the request itself (the scope's home). A future that is
//! polled under another waker leaves that waker with the scope, and takes it back when dropped.

use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use super::scope::{Scope, address};
use super::{Cancelled, Level};
use crate::outcome::lock;

/// A future's interest in a scope; dropping it withdraws the interest.
pub(crate) struct Watch<'a> {
    scope: &'a Scope,
    key: Option<usize>,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(scope: &'a Scope) -> Self {
        Watch { scope, key: None }
    }

    /// Ready once the scope's level is at least `at`.
    pub(crate) fn poll(&mut self, at: Level, cx: &mut Context<'_>) -> Poll<Cancelled> {
        if self.scope.level() >= at {
            return Poll::Ready(self.scope.cancelled());
        }
        // A request wakes the task itself, so its own waker need not be kept. The level is stored
        // before that wake, and a wake during this poll makes the task be polled again.
        let home = self.scope.home_data.load(Ordering::Relaxed);
        if home != 0 && home == address(cx.waker()) {
            return Poll::Pending;
        }
        let waker = cx.waker().clone();
        let mut inner = lock(&self.scope.inner);
        if inner.standing.level >= at {
            drop(inner);
            return Poll::Ready(self.scope.cancelled());
        }
        let before = match self.key {
            Some(key) => Some(std::mem::replace(&mut inner.waiters[key], waker)),
            None => {
                self.key = Some(inner.waiters.insert(waker));
                None
            }
        };
        drop(inner);
        drop(before);
        Poll::Pending
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let waker = lock(&self.scope.inner).waiters.remove(key);
            drop(waker);
        }
    }
}
