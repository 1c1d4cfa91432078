//! The queues that all workers share: Cancel, Timed, and the injector of Ready.
//!
//! A worker's own Ready tasks are in its ring; what comes from outside, or overflows, is here.

use asupersync_core::host::{Runnable, Urgency};
use asupersync_queue::Injector;

use crate::cancelled::Cancelled;
use crate::primitive::{AtomicUsize, Mutex, PoisonError, SeqCst};
use crate::queues;

/// The shared lanes.
pub(crate) struct Lanes {
    pub(crate) cancel: Cancelled<Runnable>,
    pub(crate) timed: Timed,
    pub(crate) ready: Injector<Runnable>,
}

impl Lanes {
    /// For so many workers.
    pub(crate) fn new(workers: usize) -> Self {
        Lanes { cancel: Cancelled::new(workers), timed: Timed::default(), ready: Injector::new() }
    }

    /// Drops everything that is queued, which shuts those tasks down. Tells whether there was any.
    pub(crate) fn clear(&self) -> bool {
        let mut any = false;
        while let Some(runnable) =
            self.cancel.pop(0).or_else(|| self.timed.pop()).or_else(|| self.ready.pop())
        {
            drop(runnable);
            any = true;
        }
        any
    }
}

/// The Timed lane, behind a lock that a worker takes only when there is something in it.
#[derive(Default)]
pub(crate) struct Timed {
    /// Stored under the lock. Whoever goes to sleep looks at it as [`Idle`](asupersync_queue::Idle) says;
    /// to others it is a hint.
    len: AtomicUsize,
    queue: Mutex<queues::Timed<Runnable>>,
}

impl Timed {
    pub(crate) fn push(&self, urgency: Urgency, runnable: Runnable) {
        self.locked(|queue| queue.push(urgency, runnable));
    }

    pub(crate) fn pop(&self) -> Option<Runnable> {
        if self.is_empty() {
            return None;
        }
        self.locked(queues::Timed::pop)
    }

    fn locked<R>(&self, change: impl FnOnce(&mut queues::Timed<Runnable>) -> R) -> R {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = change(&mut queue);
        self.len.store(queue.len(), SeqCst);
        changed
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len.load(SeqCst) == 0
    }
}
