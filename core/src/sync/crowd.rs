//! Waiting futures that are woken all at once and never one by one; any can leave in constant time.
//!
//! Invariants:
//! 1. A waker is here from `wait` until everybody is `release`d or its owner `leave`s.
//! 2. A place is of one turn, which a release ends: afterwards it names nobody. So whoever was released need
//!    not come back to leave.
//!
//! A waker is woken and dropped with no lock held, as [`waiters`](super::waiters) tells.

use std::task::{Poll, Waker};

use slab::Slab;

use super::waiters::{Parking, Woken};

/// Who waits for the end of a turn.
pub(crate) struct Crowd {
    turn: u64,
    /// `None` is nobody's.
    wakers: Slab<Option<Waker>>,
}

/// The place of one waiter.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    turn: u64,
    key: usize,
}

impl Crowd {
    pub(crate) const fn new() -> Self {
        Crowd { turn: 0, wakers: Slab::new() }
    }

    /// The turn of this place is over.
    pub(crate) fn is_over(&self, place: Place) -> bool {
        place.turn != self.turn
    }

    /// Waits for the end of this turn, in the same place if there is one.
    pub(crate) fn wait<T>(&mut self, place: &mut Option<Place>, parking: &mut Parking<'_>) -> Poll<T> {
        match *place {
            Some(place) if !self.is_over(place) => {
                parking.keep(&mut self.wakers[place.key]);
            }
            _ => {
                let mut waker = None;
                if parking.keep(&mut waker) {
                    *place = Some(Place { turn: self.turn, key: self.wakers.insert(waker) });
                }
            }
        }
        Poll::Pending
    }

    /// Ends the turn for everybody.
    pub(crate) fn release(&mut self) -> Woken {
        self.turn += 1;
        let mut woken = Woken::for_so_many(self.wakers.len());
        woken.extend(self.wakers.drain().flatten());
        woken
    }

    /// Gives up a place, if its turn is not over: tells whose it was.
    pub(crate) fn leave(&mut self, place: Place) -> Option<Waker> {
        if self.is_over(place) { None } else { self.wakers.remove(place.key) }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::task::{Context, Waker};

    use super::*;
    use crate::lock::{Mutex, lock};
    use crate::sync::waiters::poll_locked;

    #[test]
    fn a_place_is_given_up_or_released_once() {
        let crowd = Mutex::new(Crowd::new());
        let task = Context::from_waker(Waker::noop());
        let mut places = [None; 3];
        let wait = |place: &mut Option<Place>| {
            assert!(
                poll_locked(&crowd, &task, |crowd, parking| crowd.wait::<()>(place, parking)).is_pending()
            );
        };
        places.iter_mut().for_each(wait);
        let [first, second, _] = places.map(Option::unwrap);
        wait(&mut places[1]);
        assert_eq!(lock(&crowd).wakers.len(), 3, "it waits in the place that it has");
        assert!(lock(&crowd).leave(first).is_some());
        lock(&crowd).release().wake();
        assert!(lock(&crowd).is_over(second));
        wait(&mut places[1]);
        assert!(lock(&crowd).leave(second).is_none(), "another has its place now");
        assert_eq!(lock(&crowd).wakers.len(), 1);
    }
}
