//! The Cancel lane: a queue that is everybody's, of which each worker takes a handful where there is much.
//!
//! Where thousands of tasks are asked to stop at once, workers that took them one by one would spend half of
//! their time on waiting for each other. So whoever finds a long queue takes several, under one lock, and
//! runs them in that order, before any that it leaves there. A hand is no place of its own, though: what is
//! held is still in the lane, to whoever asks whether that is empty, and open to all. One who finds the queue
//! empty takes from the hands of others before it turns to a lower lane; and whoever is busy looks there now
//! and then, lest a hand wait behind a poll that does not return.
//!
//! Invariants:
//! 1. `held` is how many hands are not empty, and changes under the lock of such a hand. What goes to a hand is
//!    counted there before the queue's length tells that it has left: whoever finds nothing in the queue, and
//!    nobody who holds anything after that, has missed nothing but what comes.
//! 2. A hand is filled by its worker only, and only when it is empty.
//!
//! Lock order: the queue's, then a hand's.

use std::collections::VecDeque;
use std::collections::vec_deque::Drain;

use asupersync_queue::Injector;

use crate::primitive::{AtomicUsize, Mutex, MutexGuard, PoisonError, SeqCst};

/// So many tasks share the price of a lock. There are few enough that one who finds the queue empty need not
/// wait for what others hold.
const HANDFUL: usize = if cfg!(loom) { 2 } else { 32 };

/// Tasks that are asked to stop, and can run.
pub(crate) struct Cancelled<T> {
    queue: Injector<T>,
    held: AtomicUsize,
    hands: Box<[Hand<T>]>,
}

/// What one worker has taken. In lines of memory of its own.
#[repr(align(128))]
struct Hand<T>(Mutex<VecDeque<T>>);

impl<T> Hand<T> {
    fn lock(&self) -> MutexGuard<'_, VecDeque<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Cancelled<T> {
    /// Empty, and for so many workers.
    pub(crate) fn new(workers: usize) -> Self {
        let hands = (0..workers).map(|_| Hand(Mutex::new(VecDeque::new()))).collect();
        Cancelled { queue: Injector::new(), held: AtomicUsize::new(0), hands }
    }

    pub(crate) fn push(&self, task: T) {
        self.queue.push(task);
    }

    /// The next task for the worker `me`.
    pub(crate) fn pop(&self, me: usize) -> Option<T> {
        self.pop_from(me).or_else(|| self.deal(me)).or_else(|| self.pop_held(me))
    }

    /// One that another than `me` has taken, and not yet come to.
    pub(crate) fn pop_held(&self, me: usize) -> Option<T> {
        let workers = self.hands.len();
        (1..workers).find_map(|n| self.pop_from((me + n) % workers))
    }

    /// Whether nothing waits, in the queue or in a hand: two loads.
    pub(crate) fn is_empty(&self) -> bool {
        // In this order: invariant 1.
        self.queue.is_empty() && self.is_none_held()
    }

    fn is_none_held(&self) -> bool {
        self.held.load(SeqCst) == 0
    }

    fn pop_from(&self, worker: usize) -> Option<T> {
        if self.is_none_held() {
            return None;
        }
        let mut hand = self.hands[worker].lock();
        let task = hand.pop_front()?;
        if hand.is_empty() {
            self.held.fetch_sub(1, SeqCst);
        }
        Some(task)
    }

    /// The oldest of the queue. The hand of `me`, which is empty, gets some of those that follow.
    fn deal(&self, me: usize) -> Option<T> {
        let share = (self.queue.len() / self.hands.len()).clamp(1, HANDFUL);
        self.queue.pop_batch(share, |rest: Drain<'_, T>| {
            let mut hand = self.hands[me].lock();
            hand.extend(rest);
            self.held.fetch_add(1, SeqCst);
        })
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn each_is_taken_once_and_a_worker_takes_its_own_in_order() {
        let lane = Cancelled::new(3);
        (0..1000).for_each(|task| lane.push(task));
        let (mut last, mut taken) = ([None; 3], Vec::new());
        for me in (0..3).cycle() {
            // The second one is busy with others most of the time.
            if me == 1 && taken.len() % 5 > 0 {
                continue;
            }
            let Some(task) = lane.pop(me) else { break };
            assert!(lane.queue.is_empty() || last[me] < Some(task), "{task} after {:?}", last[me]);
            last[me] = Some(task);
            taken.push(task);
        }
        assert!(lane.is_empty() && lane.is_none_held());
        taken.sort_unstable();
        assert!(taken.into_iter().eq(0..1000));
    }

    #[test]
    fn what_a_worker_does_not_come_to_is_open_to_others() {
        let lane = Cancelled::new(2);
        (0..40).for_each(|task| lane.push(task));
        assert_eq!(lane.pop(0), Some(0));
        assert_eq!(lane.pop_held(1), Some(1), "though the queue is not empty");
        assert_eq!(lane.pop(1), Some(20), "a hand of its own");
        assert_eq!(lane.pop(0), Some(2));
        let rest: Vec<_> = std::iter::from_fn(|| lane.pop(1)).collect();
        assert_eq!(rest.len(), 36);
        assert_eq!(rest[35], 19, "from the other's hand, last");
        assert!(lane.is_empty());
    }

    #[test]
    fn few_are_taken_one_by_one() {
        let lane = Cancelled::new(4);
        (0..7).for_each(|task| lane.push(task));
        for task in 0..7 {
            assert_eq!(lane.pop(task % 4), Some(task));
            assert!(lane.is_none_held());
        }
    }
}

#[cfg(all(test, loom))]
mod loom {
    use std::sync::Arc;

    use loom::thread;

    use super::Cancelled;

    /// One takes a handful, and runs but the first of them. Whoever then finds the lane empty has had the rest.
    #[test]
    fn who_finds_nothing_has_missed_nothing() {
        loom::model(|| {
            let lane = Arc::new(Cancelled::new(2));
            (0..4).for_each(|task| lane.push(task));
            let stuck = thread::spawn({
                let lane = lane.clone();
                move || lane.pop(0)
            });
            let mut rest = 0;
            while !lane.is_empty() {
                rest += usize::from(lane.pop(1).is_some());
            }
            let first = stuck.join().unwrap();
            assert_eq!(rest + usize::from(first.is_some()), 4);
            assert!(lane.is_none_held());
        });
    }

    /// Two that take, and take from each other.
    #[test]
    fn each_task_is_taken_once() {
        loom::model(|| {
            let lane = Arc::new(Cancelled::new(2));
            (0..4).for_each(|task| lane.push(task));
            let other = thread::spawn({
                let lane = lane.clone();
                move || [(); 2].map(|()| lane.pop(0)).into_iter().flatten().sum::<usize>()
            });
            let mine: usize = [(); 2].map(|()| lane.pop(1)).into_iter().flatten().sum();
            let other = other.join().unwrap();
            let rest: usize = std::iter::from_fn(|| lane.pop(1)).sum();
            assert_eq!(mine + other + rest, 6);
            assert!(lane.is_empty());
        });
    }
}
