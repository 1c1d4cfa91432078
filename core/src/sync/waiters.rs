//! A FIFO queue of waiting futures, from which any can leave in constant time.
//!
//! Invariants:
//! 1. An entry is linked from `join` until it is `grant`ed or its owner `leave`s.
//! 2. `leave` tells whether the entry had been granted: its owner must then pass on, or give back,
//!    what it was granted. That is what makes a cancelled waiter lose nothing.
//! 3. A waker is cloned, woken and dropped with no lock held: all three may run somebody's code,
//!    which may come back to the very object. [`poll_locked`] sees to the first, its caller and that
//!    of `leave` and `grant` to the others. Only the clone of a task's own waker is certain to run
//!    nothing else, and is made on the spot.

use std::task::{Context, Poll, Waker};

use asupersync_task::is_quiet;
use slab::Slab;

use crate::lock::{Mutex, lock};

/// The waker of a poll, for a step under a lock that may have to keep it.
pub(crate) struct Parking<'a> {
    task: &'a Waker,
    /// A clone to keep; afterwards what it replaced, to be dropped when the lock is released.
    spare: Option<Waker>,
    wanted: bool,
}

impl Parking<'_> {
    /// Keeps the waker of this poll in `kept`. Whether there was a clone to keep; if not, the step
    /// runs again.
    pub(super) fn keep(&mut self, kept: &mut Option<Waker>) -> bool {
        if kept.as_ref().is_some_and(|kept| kept.will_wake(self.task)) {
            return true;
        }
        if self.spare.is_none() && is_quiet(self.task) {
            self.spare = Some(self.task.clone());
        }
        self.wanted = self.spare.is_none();
        if !self.wanted {
            std::mem::swap(kept, &mut self.spare);
        }
        !self.wanted
    }

    /// Waits with the waker in `kept`, the place of a single waiter.
    pub(crate) fn wait<T>(&mut self, kept: &mut Option<Waker>) -> Poll<T> {
        self.keep(kept);
        Poll::Pending
    }
}

/// One poll of what `state` guards. A step that has to wait leaves its waker through the
/// [`Parking`], as the last thing it does: it is run once more if there is no clone of it yet.
pub(crate) fn poll_locked<S, T>(
    state: &Mutex<S>,
    task: &Context<'_>,
    mut step: impl FnMut(&mut S, &mut Parking<'_>) -> Poll<T>,
) -> Poll<T> {
    let mut parking = Parking { task: task.waker(), spare: None, wanted: false };
    let mut polled = step(&mut lock(state), &mut parking);
    if parking.wanted {
        parking.spare = Some(task.waker().clone());
        polled = step(&mut lock(state), &mut parking);
    }
    polled
}

/// Waiters with a demand of type `D`, first come, first served.
pub(crate) struct Waiters<D> {
    entries: Slab<Entry<D>>,
    head: Option<usize>,
    tail: Option<usize>,
    /// How many are linked.
    linked: usize,
}

struct Entry<D> {
    demand: D,
    /// `None` once granted.
    waker: Option<Waker>,
    before: Option<usize>,
    after: Option<usize>,
}

/// Who was granted something, to be woken when the lock is released. Most often that is one at most, which
/// costs no allocation.
#[derive(Default)]
#[must_use = "whoever is not woken waits for ever"]
pub(crate) struct Woken {
    first: Option<Waker>,
    others: Vec<Waker>,
}

impl Woken {
    /// With memory for so many.
    pub(crate) fn for_so_many(count: usize) -> Self {
        Woken { first: None, others: Vec::with_capacity(count.saturating_sub(1)) }
    }

    /// Mostly nobody.
    #[inline]
    pub(crate) fn wake(self) {
        if let Some(first) = self.first {
            first.wake();
            self.others.into_iter().for_each(Waker::wake);
        }
    }
}

impl Extend<Waker> for Woken {
    fn extend<I: IntoIterator<Item = Waker>>(&mut self, wakers: I) {
        let mut wakers = wakers.into_iter();
        if self.first.is_none() {
            self.first = wakers.next();
        }
        self.others.extend(wakers);
    }
}

/// Who left the queue. Has its waker still, so it is dropped when the lock is released.
pub(crate) struct Left<D> {
    pub(crate) demand: D,
    /// It must pass on, or give back, what it was granted.
    pub(crate) granted: bool,
    _waker: Option<Waker>,
}

impl<D> Waiters<D> {
    pub(crate) const fn new() -> Self {
        Waiters { entries: Slab::new(), head: None, tail: None, linked: 0 }
    }

    /// Nobody waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.head.is_none()
    }

    /// Waits: at the back with `demand` if `key` names no entry yet, else where it is.
    pub(crate) fn wait<T>(
        &mut self,
        key: &mut Option<usize>,
        demand: D,
        parking: &mut Parking<'_>,
    ) -> Poll<T> {
        if let Some(key) = *key {
            parking.keep(&mut self.entries[key].waker);
            return Poll::Pending;
        }
        let mut waker = None;
        if parking.keep(&mut waker) {
            *key = Some(self.join(demand, waker));
        }
        Poll::Pending
    }

    fn join(&mut self, demand: D, waker: Option<Waker>) -> usize {
        let before = self.tail;
        let key = self.entries.insert(Entry { demand, waker, before, after: None });
        match before {
            Some(before) => self.entries[before].after = Some(key),
            None => self.head = Some(key),
        }
        self.tail = Some(key);
        self.linked += 1;
        key
    }

    /// Whether the entry was granted.
    pub(crate) fn is_granted(&self, key: usize) -> bool {
        self.entries[key].waker.is_none()
    }

    /// What the first in the queue demands.
    pub(crate) fn first(&self) -> Option<&D> {
        self.head.map(|key| &self.entries[key].demand)
    }

    /// Grants the first in the queue, which leaves the queue but keeps its entry.
    pub(crate) fn grant(&mut self) -> Option<Waker> {
        let key = self.head?;
        self.unlink(key);
        self.entries[key].waker.take()
    }

    /// Grants everybody.
    pub(crate) fn grant_all(&mut self) -> Woken {
        self.grant_each(|_| {})
    }

    /// Grants everybody, and notes how.
    pub(crate) fn grant_each(&mut self, mut note: impl FnMut(&mut D)) -> Woken {
        let mut woken = Woken::for_so_many(self.linked);
        let mut next = self.head.take();
        (self.tail, self.linked) = (None, 0);
        while let Some(entry) = next.map(|key| &mut self.entries[key]) {
            note(&mut entry.demand);
            woken.extend(entry.waker.take());
            next = entry.after;
        }
        woken
    }

    /// Grants everybody, whose entries then are gone: nobody comes back to leave. `None` if somebody who was
    /// granted before has an entry still.
    pub(crate) fn release(&mut self) -> Option<Woken> {
        if self.linked < self.entries.len() {
            return None;
        }
        let woken = self.grant_all();
        self.entries.clear();
        Some(woken)
    }

    /// Removes an entry.
    pub(crate) fn leave(&mut self, key: usize) -> Left<D> {
        let granted = self.is_granted(key);
        if !granted {
            self.unlink(key);
        }
        let Entry { demand, waker, .. } = self.entries.remove(key);
        Left { demand, granted, _waker: waker }
    }

    fn unlink(&mut self, key: usize) {
        let Entry { before, after, .. } = self.entries[key];
        match before {
            Some(before) => self.entries[before].after = after,
            None => self.head = after,
        }
        match after {
            Some(after) => self.entries[after].before = before,
            None => self.tail = before,
        }
        self.linked -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_come_first_served_and_anyone_may_leave() {
        let mut waiters = Waiters::new();
        let keys: Vec<usize> = (0..4).map(|n| waiters.join(n, Some(Waker::noop().clone()))).collect();
        let left = |left: Left<i32>| (left.demand, left.granted);
        assert_eq!(left(waiters.leave(keys[1])), (1, false));
        assert!(waiters.grant().is_some());
        assert!(waiters.is_granted(keys[0]));
        assert_eq!(waiters.first(), Some(&2));
        assert_eq!(left(waiters.leave(keys[0])), (0, true));
        assert_eq!(left(waiters.leave(keys[3])), (3, false));
        assert!(waiters.grant().is_some());
        assert!(waiters.release().is_none(), "one has its entry still");
        assert_eq!(left(waiters.leave(keys[2])), (2, true));
        let again = waiters.join(4, Some(Waker::noop().clone()));
        assert!(waiters.release().is_some());
        assert!(!waiters.entries.contains(again));
        assert!(waiters.is_empty() && waiters.grant().is_none());
    }
}
