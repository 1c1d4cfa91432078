//! The queues that all workers share: Cancel, Timed, and the injector of Ready.
//!
//! A worker's own Ready tasks are in its ring; what comes from outside, or overflows, is here.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, PoisonError};

use asupersync_core::Time;
use asupersync_core::host::Runnable;
use asupersync_queue::Injector;

/// The shared lanes.
pub(crate) struct Lanes {
    pub(crate) cancel: Injector<Runnable>,
    pub(crate) timed: Timed,
    pub(crate) ready: Injector<Runnable>,
}

impl Lanes {
    pub(crate) fn new() -> Self {
        Lanes { cancel: Injector::new(), timed: Timed::default(), ready: Injector::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.cancel.is_empty() && self.timed.is_empty() && self.ready.is_empty()
    }

    /// Drops everything that is queued, which shuts those tasks down. Tells whether there was any.
    pub(crate) fn clear(&self) -> bool {
        let mut any = false;
        while let Some(runnable) = self.cancel.pop().or_else(|| self.timed.pop()).or_else(|| self.ready.pop())
        {
            drop(runnable);
            any = true;
        }
        any
    }
}

/// Runnable tasks with a deadline, the earliest first, and the first come first among equals.
#[derive(Default)]
pub(crate) struct Timed {
    len: AtomicUsize,
    heap: Mutex<(u64, BinaryHeap<Entry>)>,
}

struct Entry {
    deadline: Time,
    number: u64,
    runnable: Runnable,
}

impl Timed {
    pub(crate) fn push(&self, deadline: Time, runnable: Runnable) {
        let mut heap = self.heap.lock().unwrap_or_else(PoisonError::into_inner);
        let number = heap.0;
        heap.0 += 1;
        heap.1.push(Entry { deadline, number, runnable });
        self.len.store(heap.1.len(), SeqCst);
    }

    pub(crate) fn pop(&self) -> Option<Runnable> {
        if self.is_empty() {
            return None;
        }
        let mut heap = self.heap.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = heap.1.pop();
        self.len.store(heap.1.len(), SeqCst);
        entry.map(|entry| entry.runnable)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len.load(SeqCst) == 0
    }
}

impl Ord for Entry {
    /// The heap's greatest is the earliest.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.deadline, other.number).cmp(&(self.deadline, self.number))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}
