//! A FIFO queue of waiting futures, from which any can leave in constant time.
//!
//! Invariants:
//! 1. An entry is linked from `join` until it is `grant`ed or its owner `leave`s.
//! 2. `leave` tells whether the entry had been granted: its owner must then pass on, or give back,
//!    what it was granted. That is what makes a cancelled waiter lose nothing.

use std::task::Waker;

use slab::Slab;

/// Waiters with a demand of type `D`, first come, first served.
pub(crate) struct Waiters<D> {
    entries: Slab<Entry<D>>,
    head: Option<usize>,
    tail: Option<usize>,
}

struct Entry<D> {
    demand: D,
    /// `None` once granted.
    waker: Option<Waker>,
    before: Option<usize>,
    after: Option<usize>,
}

impl<D> Waiters<D> {
    pub(crate) const fn new() -> Self {
        Waiters { entries: Slab::new(), head: None, tail: None }
    }

    /// Nobody waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.head.is_none()
    }

    /// Joins at the back.
    pub(crate) fn join(&mut self, demand: D, waker: &Waker) -> usize {
        let before = self.tail;
        let entry = Entry { demand, waker: Some(waker.clone()), before, after: None };
        let key = self.entries.insert(entry);
        match before {
            Some(before) => self.entries[before].after = Some(key),
            None => self.head = Some(key),
        }
        self.tail = Some(key);
        key
    }

    /// Whether the entry was granted; otherwise `waker` is kept for then.
    pub(crate) fn is_granted(&mut self, key: usize, waker: &Waker) -> bool {
        match &mut self.entries[key].waker {
            Some(kept) => {
                kept.clone_from(waker);
                false
            }
            None => true,
        }
    }

    /// What the first in the queue demands.
    pub(crate) fn first(&self) -> Option<&D> {
        self.head.map(|key| &self.entries[key].demand)
    }

    /// What the first in the queue demands, to be changed.
    pub(crate) fn first_mut(&mut self) -> Option<&mut D> {
        self.head.map(|key| &mut self.entries[key].demand)
    }

    /// Grants the first in the queue, which leaves the queue but keeps its entry.
    pub(crate) fn grant(&mut self) -> Option<Waker> {
        let key = self.head?;
        self.unlink(key);
        self.entries[key].waker.take()
    }

    /// Removes an entry. Tells its demand, and whether it had been granted.
    pub(crate) fn leave(&mut self, key: usize) -> (D, bool) {
        let granted = self.entries[key].waker.is_none();
        if !granted {
            self.unlink(key);
        }
        (self.entries.remove(key).demand, granted)
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
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_come_first_served_and_anyone_may_leave() {
        let mut waiters = Waiters::new();
        let keys: Vec<usize> = (0..4).map(|n| waiters.join(n, Waker::noop())).collect();
        assert_eq!(waiters.leave(keys[1]), (1, false));
        assert!(waiters.grant().is_some());
        assert!(waiters.is_granted(keys[0], Waker::noop()));
        assert_eq!(waiters.first(), Some(&2));
        assert_eq!(waiters.leave(keys[0]), (0, true));
        assert_eq!(waiters.leave(keys[3]), (3, false));
        assert!(waiters.grant().is_some());
        assert!(waiters.is_empty() && waiters.grant().is_none());
    }
}
