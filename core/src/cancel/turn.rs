//! Turns: no task keeps its thread by operations that never wait.
//!
//! A task is polled until something that it awaits is not ready. Where everything always is, a full
//! channel at one end or a fast peer at the other, it would never let others run. So after a
//! [streak](super::streak) of operations that were ready within one poll, the next one yields: it
//! wakes the task and returns `Pending` before it has begun, so that nothing is lost. The rule and
//! the number are those of Tokio's `coop` ("Reducing tail latencies with automatic cooperative task
//! yielding"); instead of in a thread-local the count is in the scope of the task, whichever scope
//! within the task an operation runs in.
//!
//! A task is polled by one thread at a time, so counting needs no read-modify-write. A `Cx` that
//! another task borrows is counted there; counts that are lost so only put off a yield.
//!
//! Invariants:
//! 1. An operation yields once at most, and then begins: whoever polls it by hand gets on.
//! 2. The count starts anew with each poll of the task, and where one that has yielded begins.
//! 3. Nothing yields at the end of the drain budget: what waits after that one poll is dropped.

use std::task::{Context, Poll};

use super::Level;
use super::scope::ScopeRef;

/// The turn of one operation.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    yielded: bool,
}

impl Turn {
    /// Ready once the operation may begin. One that was ready then is [counted](ScopeRef::count_ready).
    #[inline]
    pub(crate) fn poll_begin(&mut self, scope: &ScopeRef, task: &mut Context<'_>) -> Poll<()> {
        if scope.streak().is_long() { self.poll_yielded(scope, task) } else { Poll::Ready(()) }
    }

    #[cold]
    fn poll_yielded(&mut self, scope: &ScopeRef, task: &mut Context<'_>) -> Poll<()> {
        if !self.yielded && scope.level() < Level::Spent {
            self.yielded = true;
            task.waker().wake_by_ref();
            return Poll::Pending;
        }
        scope.streak().end();
        Poll::Ready(())
    }
}

impl ScopeRef {
    /// An operation of the task that polls in this scope was ready.
    #[inline]
    pub(crate) fn count_ready(&self) {
        self.streak().count();
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use crate::cancel::Scope;
    use crate::cancel::scope::Hold;
    use crate::cancel::streak::IN_A_ROW;

    /// Polls an operation that is always ready, once.
    fn poll(turn: &mut Turn, scope: &ScopeRef) -> bool {
        let begun = turn.poll_begin(scope, &mut Context::from_waker(Waker::noop())).is_ready();
        if begun {
            scope.count_ready();
        }
        begun
    }

    #[test]
    fn one_operation_in_so_many_yields_and_then_begins() {
        let scope = Scope::root();
        for _ in 0..3 {
            for _ in 0..IN_A_ROW {
                assert!(poll(&mut Turn::default(), &scope));
            }
            let mut turn = Turn::default();
            assert!(!poll(&mut turn, &scope));
            assert!(!poll(&mut Turn::default(), &scope), "nor does another in the same poll begin");
            assert!(poll(&mut turn, &scope));
            scope.begin_poll();
        }
    }

    #[test]
    fn all_scopes_of_a_task_count_together() {
        let root = Scope::root();
        let task = root.task_child();
        let inside = task.child(Hold::Nothing).child(Hold::Request);
        (0..IN_A_ROW).for_each(|_| assert!(poll(&mut Turn::default(), &inside)));
        assert!(!poll(&mut Turn::default(), &task));
        assert!(poll(&mut Turn::default(), &root), "the other task");
        inside.begin_poll();
        assert!(!poll(&mut Turn::default(), &task), "only the task's own poll begins a turn");
        task.begin_poll();
        assert!(poll(&mut Turn::default(), &inside));
    }
}
