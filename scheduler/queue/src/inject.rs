//! The queue for work from outside, and for what a full ring sheds: [`Injector`].
//!
//! A locked deque with its length beside the lock. Workers ask "is there anything?" before every
//! search, far more often than there is, and that question is one load. Batches make the lock
//! cheap where traffic is heavy: one acquisition moves up to a ring's worth.
//!
//! # Invariants
//!
//! - The published length is the deque's length whenever the lock is free: the guard writes it
//!   back as it unlocks, also when a caller's iterator panics.
//! - FIFO: items leave in the order in which their pushes got the lock; a batch stays together.
//! - No code of `T`'s runs under the lock. What is given to `push_batch` and `pop_batch` does.

use crate::{
    Local,
    sync::{AtomicUsize, Mutex, MutexGuard, Ordering, PoisonError},
};
use std::{
    collections::{VecDeque, vec_deque::Drain},
    fmt,
};

/// An unbounded FIFO that any thread may push to and take from.
///
/// ```
/// let queue = asupersync_queue::Injector::new();
/// queue.push(1);
/// queue.push_batch([2, 3]);
/// assert_eq!(queue.len(), 3);
/// assert_eq!(queue.pop(), Some(1));
/// ```
#[repr(align(128))]
pub struct Injector<T> {
    items: Mutex<VecDeque<T>>,
    len: AtomicUsize,
}

impl<T> Injector<T> {
    /// An empty queue.
    #[must_use]
    pub fn new() -> Self {
        Self { items: Mutex::new(VecDeque::new()), len: AtomicUsize::new(0) }
    }

    /// How many items wait, without the lock.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len.load(Ordering::Acquire)
    }

    /// Whether nothing waits: one load, no lock. See the crate's protocol for its use in parking.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends `item`.
    pub fn push(&self, item: T) {
        self.lock().items.push_back(item);
    }

    /// Appends all of `items` under one lock, with nothing in between.
    ///
    /// The iterator runs under the lock, so it must not use this queue (it would deadlock); if it
    /// panics, what it had yielded stays queued.
    pub fn push_batch(&self, items: impl IntoIterator<Item = T>) {
        let items = items.into_iter();
        self.lock().items.extend(items);
    }

    /// Takes the oldest item.
    #[must_use]
    pub fn pop(&self) -> Option<T> {
        if self.is_empty() {
            return None;
        }
        self.lock().items.pop_front()
    }

    /// Takes up to `max` items under one lock: returns the oldest, to be run at once, and appends
    /// the others to `dst` as far as it has room.
    ///
    /// ```
    /// use asupersync_queue::{Injector, Local};
    ///
    /// let (queue, mine) = (Injector::new(), Local::new());
    /// queue.push_batch(0..10);
    /// assert_eq!(queue.pop_batch_into(&mine, 4), Some(0));
    /// assert_eq!((mine.len(), queue.len()), (3, 6));
    /// ```
    #[must_use]
    pub fn pop_batch_into(&self, dst: &Local<T>, max: usize) -> Option<T> {
        if max == 0 || self.is_empty() {
            return None;
        }
        let mut queue = self.lock();
        let oldest = queue.items.pop_front()?;
        for _ in 1..max {
            let Some(item) = queue.items.pop_front() else {
                break;
            };
            if let Err(item) = dst.push(item) {
                queue.items.push_front(item);
                break;
            }
        }
        Some(oldest)
    }

    /// Takes up to `max` items under one lock: returns the oldest, to be run at once, and gives the others, if
    /// there are any, to `keep`, which runs under the lock and must not use this queue. They count as waiting
    /// here until it is done.
    ///
    /// ```
    /// let (queue, mut mine) = (asupersync_queue::Injector::new(), Vec::new());
    /// queue.push_batch(0..10);
    /// assert_eq!(queue.pop_batch(4, |rest| mine.extend(rest)), Some(0));
    /// assert_eq!((mine, queue.len()), (vec![1, 2, 3], 6));
    /// ```
    #[must_use]
    pub fn pop_batch(&self, max: usize, keep: impl FnOnce(Drain<'_, T>)) -> Option<T> {
        if max == 0 || self.is_empty() {
            return None;
        }
        let mut queue = self.lock();
        let oldest = queue.items.pop_front()?;
        let rest = queue.items.len().min(max - 1);
        if rest > 0 {
            keep(queue.items.drain(..rest));
        }
        Some(oldest)
    }

    fn lock(&self) -> Locked<'_, T> {
        Locked {
            // A panic under the lock comes from a caller's iterator and leaves a sound deque.
            items: self.items.lock().unwrap_or_else(PoisonError::into_inner),
            len: &self.len,
        }
    }
}

/// The held lock; publishes the length when it lets go (fields drop after `drop`).
struct Locked<'a, T> {
    items: MutexGuard<'a, VecDeque<T>>,
    len: &'a AtomicUsize,
}

impl<T> Drop for Locked<'_, T> {
    fn drop(&mut self) {
        self.len.store(self.items.len(), Ordering::Release);
    }
}

impl<T> Default for Injector<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Injector<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Injector").field("len", &self.len()).finish_non_exhaustive()
    }
}
