//! A streak: how many operations were ready in a row.
//!
//! Whoever counts is one thread at a time, so counting is a load and a store. See
//! [`turn`](super::turn) for what becomes of a long one.

use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};

/// How many operations may be ready in a row.
pub(super) const IN_A_ROW: u32 = 128;

/// Counts operations that were ready in a row.
#[derive(Debug, Default)]
pub(crate) struct Streak(AtomicU32);

impl Streak {
    /// Something waited, or let others run.
    #[inline]
    pub(super) fn end(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn is_long(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= IN_A_ROW
    }

    #[inline]
    pub(super) fn count(&self) {
        self.0.store(self.0.load(Ordering::Relaxed).saturating_add(1), Ordering::Relaxed);
    }

    /// Polls an operation that has no scope, of an object that counts its own.
    pub(crate) fn pace<T>(
        &self,
        task: &mut Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        if self.is_long() {
            self.end();
            task.waker().wake_by_ref();
            return Poll::Pending;
        }
        let polled = poll(task);
        match polled {
            Poll::Ready(_) => self.count(),
            Poll::Pending => self.end(),
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn a_paced_object_yields_once_in_a_row() {
        let (streak, task) = (Streak::default(), &mut Context::from_waker(Waker::noop()));
        for _ in 0..3 {
            for _ in 0..IN_A_ROW {
                assert!(streak.pace(task, |_| Poll::Ready(())).is_ready());
            }
            assert!(streak.pace(task, |_| -> Poll<()> { panic!("it began") }).is_pending());
        }
        // One that waits by itself starts anew.
        (1..IN_A_ROW).for_each(|_| assert!(streak.pace(task, |_| Poll::Ready(())).is_ready()));
        assert!(streak.pace(task, |_| Poll::<()>::Pending).is_pending());
        (0..IN_A_ROW).for_each(|_| assert!(streak.pace(task, |_| Poll::Ready(())).is_ready()));
    }
}
