//! Futures that are polled together, but each only when it was woken.
//!
//! A member has a [`Bell`] for a waker. Ringing it enters the member's number in a list, once, and wakes
//! the task that polls the set; a poll of the set polls those on the list, in that order. A bell may be
//! made and rung before its future is here.
//!
//! Invariants:
//! 1. A bell that was rung has its number on the list, or in the batch that is being polled, until its
//!    member's next poll begins: `rung` is cleared before that poll, so a wake during it is not lost.
//! 2. The task's waker is set before the list is taken, so a ring after that wakes the task.
//! 3. Members are numbered in the order in which they came, and no number is used again.
//! 4. Wakers are called, and futures and wakers dropped, with no lock held.

use crate::lock::{Mutex, lock};
use crate::primitive::{AtomicBool, AtomicUsize, Ordering};
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

/// How many members one poll of the set polls, at most: a large set leaves room for other tasks.
const AT_ONCE: usize = 256;

/// Futures that are polled when they were woken.
pub(crate) struct Set<F: Future + ?Sized> {
    members: BTreeMap<usize, Member<F>>,
    tower: Arc<Tower>,
    batch: VecDeque<usize>,
}

struct Member<F: ?Sized> {
    bell: Arc<Bell>,
    waker: Waker,
    future: Pin<Box<F>>,
}

/// Where the bells of a set hang: who was rung for, and who comes to see.
#[derive(Default)]
pub(crate) struct Tower {
    /// A counter.
    next: AtomicUsize,
    rung: Mutex<Rung>,
}

#[derive(Default)]
struct Rung {
    numbers: VecDeque<usize>,
    task: Option<Waker>,
}

/// Wakes one member.
pub(crate) struct Bell {
    tower: Arc<Tower>,
    number: usize,
    rung: AtomicBool,
    /// For dumps, which may be told what was so a moment ago.
    polled: AtomicBool,
}

impl Tower {
    /// A bell for the next member.
    pub(crate) fn bell(self: &Arc<Self>) -> Arc<Bell> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        Arc::new(Bell {
            tower: self.clone(),
            number,
            rung: AtomicBool::default(),
            polled: AtomicBool::default(),
        })
    }
}

impl Bell {
    /// Its member is to be polled.
    pub(crate) fn is_rung(&self) -> bool {
        self.rung.load(Ordering::Relaxed)
    }

    /// Its member is being polled.
    pub(crate) fn is_polled(&self) -> bool {
        self.polled.load(Ordering::Relaxed)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.tower.rung.object().write();
        if self.rung.swap(true, Ordering::AcqRel) {
            return;
        }
        let task = {
            let mut rung = lock(&self.tower.rung);
            rung.numbers.push_back(self.number);
            rung.task.take()
        };
        if let Some(task) = task {
            task.wake();
        }
    }
}

impl<F: Future + ?Sized> Set<F> {
    pub(crate) fn new() -> Self {
        Set { members: BTreeMap::new(), tower: Arc::default(), batch: VecDeque::new() }
    }

    /// Where bells for it are made.
    pub(crate) fn tower(&self) -> Arc<Tower> {
        self.tower.clone()
    }

    /// Adds a future, which is polled when its bell was rung, and not before.
    pub(crate) fn insert(&mut self, bell: Arc<Bell>, future: Pin<Box<F>>) {
        let (number, waker) = (bell.number, Waker::from(bell.clone()));
        self.members.insert(number, Member { bell, waker, future });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Finds out who was woken; who is woken from here on wakes `task`. Then comes
    /// [`poll`](Self::poll), and before that the futures of bells that were rung already.
    pub(crate) fn gather(&mut self, task: &Waker) {
        let task = task.clone();
        let stale = {
            let mut rung = lock(&self.tower.rung);
            self.batch.append(&mut rung.numbers);
            rung.task.replace(task)
        };
        drop(stale);
    }

    /// Polls those that were woken, or all of them, and tells of each that ended.
    pub(crate) fn poll(&mut self, task: &Waker, all: bool, mut ended: impl FnMut(usize, F::Output)) {
        let mut turns = AT_ONCE;
        if all {
            turns = self.members.len();
            self.batch.clear();
            self.batch.extend(self.members.keys());
        }
        while let Some(number) = self.batch.pop_front() {
            let Some(member) = self.members.get_mut(&number) else { continue };
            // A swap, so that the poll sees what was done before any ring that this one answers.
            member.bell.rung.swap(false, Ordering::AcqRel);
            member.bell.polled.store(true, Ordering::Relaxed);
            let polled = member.future.as_mut().poll(&mut Context::from_waker(&member.waker));
            member.bell.polled.store(false, Ordering::Relaxed);
            if let Poll::Ready(output) = polled {
                drop(self.members.remove(&number));
                ended(number, output);
            }
            turns -= 1;
            if turns == 0 {
                break;
            }
        }
        // Those that did not have their turn have rung already, and will not do so again.
        if !self.batch.is_empty() {
            task.wake_by_ref();
        }
    }
}

impl<F: Future + ?Sized> Drop for Set<F> {
    fn drop(&mut self) {
        // Bells may live on in somebody's list; the task's memory should not.
        let task = lock(&self.tower.rung).task.take();
        drop(task);
    }
}

#[cfg(all(test, loom))]
mod loom;

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
        set.gather(task);
        set.poll(task, all, |_, name| ended.push(name));
        ended
    }

    fn add<F: Future + ?Sized>(set: &mut Set<F>, future: Pin<Box<F>>) -> Waker {
        let bell = set.tower.bell();
        set.insert(bell.clone(), future);
        bell.wake_by_ref();
        Waker::from(bell)
    }

    #[test]
    fn those_that_were_woken_are_polled_in_that_order() {
        let log = RefCell::default();
        let count = Arc::new(Count::default());
        let (task, wakes) = (Waker::from(count.clone()), || count.0.load(Ordering::SeqCst));
        let mut set = Set::new();
        let wakers: Vec<Waker> = (0..4).map(|name| add(&mut set, member(&log, name, 2))).collect();
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
    fn a_bell_may_be_rung_before_its_future_is_here() {
        let log = RefCell::default();
        let mut set = Set::new();
        let early = set.tower().bell();
        early.wake_by_ref();
        add(&mut set, member(&log, 1, 1));
        set.gather(Waker::noop());
        set.insert(early, member(&log, 0, 1));
        let mut ended = Vec::new();
        set.poll(Waker::noop(), false, |_, name| ended.push(name));
        assert_eq!(ended, [0, 1], "in the order of their rings");
        assert!(set.is_empty());
    }

    #[test]
    fn a_large_set_gives_way_and_comes_back() {
        let log = RefCell::default();
        let count = Arc::new(Count::default());
        let mut set = Set::new();
        (0..AT_ONCE as u32 + 1).for_each(|name| drop(add(&mut set, member(&log, name, 1))));
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
            let future = poll_fn(move |_| {
                if wanted.load(Ordering::Relaxed) == rounds { Poll::Ready(()) } else { Poll::Pending }
            });
            wakers.push(add(&mut set, Box::pin(future)));
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
            set.gather(&task);
            set.poll(&task, false, |_, ()| {});
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
        let bell = add(&mut set, Box::pin(std::future::pending()));
        set.gather(&Waker::from(task.clone()));
        assert_eq!(Arc::strong_count(&task), 2);
        drop(set);
        assert_eq!(Arc::strong_count(&task), 1);
        bell.wake_by_ref();
    }
}
