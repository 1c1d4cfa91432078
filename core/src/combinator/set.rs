//! Futures that are polled together, but each only when it was woken.
//!
//! A member has a waker of its own, a [`Bell`]. Ringing it enters the member's key in a list, once, and
//! wakes the task that polls the set; a poll of the set polls those on the list, in that order.
//!
//! Invariants:
//! 1. A bell that was rung has its key on the list, or in the batch that is being polled, until its
//!    member's next poll begins: `rung` is cleared before that poll, so a wake during it is not lost.
//! 2. The task's waker is set before the list is taken, so a ring after that wakes the task.
//! 3. A key may be used again. A bell of its former member then causes a poll too many, nothing else.
//! 4. Wakers are called, and futures and wakers dropped, with no lock held.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use slab::Slab;

use crate::outcome::lock;

/// How many members one poll of the set polls, at most: a large set leaves room for other tasks.
const AT_ONCE: usize = 256;

/// Futures that are polled when they were woken.
pub(crate) struct Set<F: Future + ?Sized> {
    members: Slab<Member<F>>,
    tower: Arc<Tower>,
    batch: VecDeque<usize>,
}

struct Member<F: ?Sized> {
    bell: Arc<Bell>,
    waker: Waker,
    future: Pin<Box<F>>,
}

/// Whose bell was rung, and who comes to see.
#[derive(Default)]
struct Tower(Mutex<Rung>);

#[derive(Default)]
struct Rung {
    keys: VecDeque<usize>,
    task: Option<Waker>,
}

struct Bell {
    tower: Arc<Tower>,
    key: usize,
    rung: AtomicBool,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.rung.swap(true, Ordering::AcqRel) {
            return;
        }
        let task = {
            let mut rung = lock(&self.tower.0);
            rung.keys.push_back(self.key);
            rung.task.take()
        };
        if let Some(task) = task {
            task.wake();
        }
    }
}

impl<F: Future + ?Sized> Set<F> {
    pub(crate) fn new() -> Self {
        Set { members: Slab::new(), tower: Arc::default(), batch: VecDeque::new() }
    }

    /// Adds a future, to be polled for the first time. Hands out its waker, for the home of its scope.
    pub(crate) fn insert(&mut self, future: Pin<Box<F>>) -> Waker {
        let slot = self.members.vacant_entry();
        let bell =
            Arc::new(Bell { tower: self.tower.clone(), key: slot.key(), rung: AtomicBool::new(false) });
        let waker = Waker::from(bell.clone());
        slot.insert(Member { bell, waker: waker.clone(), future });
        waker.wake_by_ref();
        waker
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Polls those that were woken, or all of them, and tells of each that ended.
    pub(crate) fn poll(
        &mut self,
        task: &mut Context<'_>,
        all: bool,
        mut ended: impl FnMut(usize, F::Output),
    ) {
        debug_assert!(self.batch.is_empty(), "each poll empties its batch");
        let (waker, mut left) = (task.waker().clone(), false);
        let stale = {
            let mut rung = lock(&self.tower.0);
            std::mem::swap(&mut self.batch, &mut rung.keys);
            if self.batch.len() > AT_ONCE && !all {
                rung.keys = self.batch.split_off(AT_ONCE);
                left = true;
            }
            rung.task.replace(waker)
        };
        drop(stale);
        if all {
            self.batch.clear();
            self.batch.extend(self.members.iter().map(|(key, _)| key));
        }
        while let Some(key) = self.batch.pop_front() {
            let Some(member) = self.members.get_mut(key) else { continue };
            // A swap, so that the poll sees what was done before any ring that this one answers.
            member.bell.rung.swap(false, Ordering::AcqRel);
            let polled = member.future.as_mut().poll(&mut Context::from_waker(&member.waker));
            if let Poll::Ready(output) = polled {
                drop(self.members.remove(key));
                ended(key, output);
            }
        }
        // Those that did not have their turn have rung already, and will not do so again.
        if left {
            task.waker().wake_by_ref();
        }
    }
}

impl<F: Future + ?Sized> Drop for Set<F> {
    fn drop(&mut self) {
        // Bells may live on in somebody's list; the task's memory should not.
        let task = lock(&self.tower.0).task.take();
        drop(task);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::future::poll_fn;
    use std::sync::atomic::AtomicUsize;

    /// Counts its wakes.
    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    type Member<'a> = Pin<Box<dyn Future<Output = u32> + 'a>>;

    /// Tells of its polls, keeps its waker, and ends at the `polls`th poll.
    fn member<'a>(log: &'a RefCell<Vec<u32>>, name: u32, mut polls: usize) -> Member<'a> {
        Box::pin(poll_fn(move |_| {
            log.borrow_mut().push(name);
            polls -= 1;
            if polls == 0 { Poll::Ready(name) } else { Poll::Pending }
        }))
    }

    fn poll(set: &mut Set<dyn Future<Output = u32> + '_>, all: bool, task: &Waker) -> Vec<u32> {
        let mut ended = Vec::new();
        set.poll(&mut Context::from_waker(task), all, |_, name| ended.push(name));
        ended
    }

    #[test]
    fn those_that_were_woken_are_polled_in_that_order() {
        let log = RefCell::default();
        let count = Arc::new(Count::default());
        let (task, wakes) = (Waker::from(count.clone()), || count.0.load(Ordering::SeqCst));
        let mut set = Set::new();
        let wakers: Vec<Waker> = (0..4).map(|name| set.insert(member(&log, name, 2))).collect();
        assert!(poll(&mut set, false, &task).is_empty());
        assert_eq!(log.take(), [0, 1, 2, 3]);
        assert_eq!(wakes(), 0);
        wakers[2].wake_by_ref();
        wakers[2].wake_by_ref();
        wakers[1].wake_by_ref();
        assert_eq!(wakes(), 1, "the first wake is enough");
        assert_eq!(poll(&mut set, false, &task), [2, 1]);
        assert_eq!(log.take(), [2, 1]);
        assert!(poll(&mut set, false, &task).is_empty() && log.take().is_empty());
        assert_eq!(poll(&mut set, true, &task), [0, 3]);
        assert!(set.is_empty());
        // Those are gone.
        wakers.iter().for_each(Waker::wake_by_ref);
        assert!(poll(&mut set, false, &task).is_empty());
    }

    #[test]
    fn a_new_member_may_have_an_old_key() {
        let log = RefCell::default();
        let mut set = Set::new();
        let old = set.insert(member(&log, 0, 1));
        assert_eq!(poll(&mut set, false, Waker::noop()), [0]);
        set.insert(member(&log, 1, 3));
        old.wake_by_ref();
        assert!(poll(&mut set, false, Waker::noop()).is_empty());
        let [0, polls @ ..] = &log.take()[..] else { unreachable!("the old one was first") };
        assert!((1..=2).contains(&polls.len()), "one poll too many at most");
    }

    #[test]
    fn a_large_set_gives_way_and_comes_back() {
        let log = RefCell::default();
        let count = Arc::new(Count::default());
        let mut set = Set::new();
        (0..AT_ONCE as u32 + 1).for_each(|name| drop(set.insert(member(&log, name, 1))));
        let task = Waker::from(count.clone());
        assert_eq!(poll(&mut set, false, &task).len(), AT_ONCE);
        assert_eq!(count.0.load(Ordering::SeqCst), 1, "there is more to do");
        assert_eq!(poll(&mut set, false, &task), [AT_ONCE as u32]);
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn no_wake_of_another_thread_is_lost() {
        let (members, rounds) = (4, 2000);
        let wanted = Arc::new(AtomicUsize::new(0));
        let mut set: Set<dyn Future<Output = ()>> = Set::new();
        let mut wakers = Vec::new();
        for _ in 0..members {
            let wanted = wanted.clone();
            wakers.push(set.insert(Box::pin(poll_fn(move |_| {
                if wanted.load(Ordering::Relaxed) == rounds { Poll::Ready(()) } else { Poll::Pending }
            }))));
        }
        let ringing = std::thread::spawn(move || {
            for round in 1..=rounds {
                wanted.store(round, Ordering::Relaxed);
                wakers.iter().for_each(Waker::wake_by_ref);
            }
        });
        struct Unpark(std::thread::Thread);
        impl Wake for Unpark {
            fn wake(self: Arc<Self>) {
                self.0.unpark();
            }
        }
        let task = Waker::from(Arc::new(Unpark(std::thread::current())));
        while !set.is_empty() {
            set.poll(&mut Context::from_waker(&task), false, |_, ()| {});
            if !set.is_empty() {
                std::thread::park();
            }
        }
        ringing.join().expect("it only rings");
    }

    #[test]
    fn a_dropped_set_forgets_its_task() {
        let task = Arc::new(Count::default());
        let mut set: Set<std::future::Pending<()>> = Set::new();
        let bell = set.insert(Box::pin(std::future::pending()));
        set.poll(&mut Context::from_waker(&Waker::from(task.clone())), false, |_, ()| {});
        assert_eq!(Arc::strong_count(&task), 2);
        drop(set);
        assert_eq!(Arc::strong_count(&task), 1);
        bell.wake_by_ref();
    }
}
