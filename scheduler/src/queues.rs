//! The lanes as plain queues: the order of Timed, and all three for a host that keeps them behind
//! one lock.
//!
//! Which lane is next is [`policy`](crate::policy)'s. Within Cancel it is the first that came;
//! within Timed the most urgent, and among equals the first that came; within Ready it is the
//! host's choice.
//!
//! In Timed one that came later may be more urgent, so a task may wait there while its lane is
//! served; what bounds that is its own deadline, at which it moves to Cancel.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

use asupersync_core::host::{Lane, Urgency};

use crate::policy::{Choice, Policy, Waiting};

/// The tasks of all three lanes.
///
/// ```
/// use asupersync_core::host::Lane;
/// use asupersync_scheduler::queues::Queues;
///
/// let mut queues = Queues::default();
/// queues.push(Lane::Ready, "first");
/// queues.push(Lane::Ready, "second");
/// queues.push(Lane::Cancel, "to be cancelled");
/// assert_eq!(queues.take(|_| 0), Some("to be cancelled"));
/// assert_eq!(queues.take(|waiting| waiting - 1), Some("second"));
/// ```
#[derive(Debug)]
pub struct Queues<T> {
    cancel: VecDeque<T>,
    timed: Timed<T>,
    ready: VecDeque<T>,
    policy: Policy,
}

impl<T> Default for Queues<T> {
    fn default() -> Self {
        let (cancel, ready) = (VecDeque::new(), VecDeque::new());
        Queues { cancel, timed: Timed::default(), ready, policy: Policy::new() }
    }
}

impl<T> Queues<T> {
    /// Queues a task in its lane.
    pub fn push(&mut self, lane: Lane, task: T) {
        match lane {
            Lane::Cancel => self.cancel.push_back(task),
            Lane::Timed(urgency) => self.timed.push(urgency, task),
            Lane::Ready => self.ready.push_back(task),
        }
    }

    /// Takes the next task; `None` when there is none. If that is one of the Ready lane, `choose`
    /// says which: of so many, the one at this index. The one at 0 is the first that came, for
    /// whoever always takes that.
    pub fn take(&mut self, choose: impl FnOnce(usize) -> usize) -> Option<T> {
        let waiting = Waiting {
            cancel: !self.cancel.is_empty(),
            timed: !self.timed.is_empty(),
            ready: !self.ready.is_empty(),
        };
        let (choice, policy) = self.policy.pick(waiting)?;
        self.policy = policy;
        match choice {
            Choice::Cancel => self.cancel.pop_front(),
            Choice::Timed => self.timed.pop(),
            Choice::Ready => {
                let chosen = choose(self.ready.len());
                self.ready.swap_remove_front(chosen)
            }
        }
    }

    /// Nothing is queued.
    pub fn is_empty(&self) -> bool {
        self.cancel.is_empty() && self.timed.is_empty() && self.ready.is_empty()
    }
}

/// The tasks of the Timed lane: the most urgent first, and among equals the first that came.
#[derive(Debug)]
pub struct Timed<T> {
    came: u64,
    heap: BinaryHeap<Entry<T>>,
}

impl<T> Default for Timed<T> {
    fn default() -> Self {
        Timed { came: 0, heap: BinaryHeap::new() }
    }
}

impl<T> Timed<T> {
    /// Queues a task.
    pub fn push(&mut self, urgency: Urgency, task: T) {
        let number = self.came;
        self.came += 1;
        self.heap.push(Entry { urgency, number, task });
    }

    /// Takes the next task.
    pub fn pop(&mut self) -> Option<T> {
        self.heap.pop().map(|entry| entry.task)
    }

    /// How many tasks there are.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}

#[derive(Debug)]
struct Entry<T> {
    urgency: Urgency,
    number: u64,
    task: T,
}

impl<T> Ord for Entry<T> {
    /// The heap's greatest goes first.
    fn cmp(&self, other: &Self) -> Ordering {
        (self.urgency, other.number).cmp(&(other.urgency, self.number))
    }
}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Entry<T> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::CANCEL_BURST;
    use asupersync_core::{Priority, Time};

    fn urgency(deadline: u64, priority: u8) -> Urgency {
        Urgency { deadline: Time::from_nanos(deadline), priority: Priority::new(priority) }
    }

    #[test]
    fn timed_goes_by_deadline_then_priority_then_arrival() {
        let mut timed = Timed::default();
        let tasks = [((2, 9), 'e'), ((1, 3), 'c'), ((1, 7), 'a'), ((1, 3), 'd'), ((1, 7), 'b')];
        for ((deadline, priority), task) in tasks {
            timed.push(urgency(deadline, priority), task);
        }
        assert_eq!(timed.len(), 5);
        let order: String = std::iter::from_fn(|| timed.pop()).collect();
        assert_eq!(order, "abcde");
    }

    #[test]
    fn ready_is_first_come_first_served_if_the_host_says_so() {
        let mut queues = Queues::default();
        (0..100).for_each(|n| queues.push(Lane::Ready, n));
        let order: Vec<i32> = std::iter::from_fn(|| queues.take(|_| 0)).collect();
        assert!(order.is_sorted() && order.len() == 100);
    }

    #[test]
    fn each_choice_of_a_ready_task_is_taken_once() {
        let mut queues = Queues::default();
        (0..100).for_each(|n| queues.push(Lane::Ready, n));
        let mut taken: Vec<i32> = std::iter::from_fn(|| queues.take(|waiting| waiting * 2 / 3)).collect();
        taken.sort_unstable();
        assert!(taken.into_iter().eq(0..100));
    }

    #[test]
    fn the_policy_picks_the_lane() {
        let mut queues = Queues::default();
        for _ in 0..2 * CANCEL_BURST {
            queues.push(Lane::Cancel, 'c');
        }
        queues.push(Lane::Timed(urgency(1, 0)), 't');
        queues.push(Lane::Ready, 'r');
        let order: String = std::iter::from_fn(|| queues.take(|_| 0)).collect();
        let burst = "c".repeat(CANCEL_BURST as usize);
        assert_eq!(order, format!("{burst}tr{burst}"));
        assert!(queues.is_empty());
    }
}
