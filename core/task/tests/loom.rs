//! The races of a task's life, each in every order within a bound.
//!
//! ```text
//! RUSTFLAGS="--cfg loom" cargo test -p asupersync-task --release --test loom
//! ```
//!
//! Each test bounds how often a thread is preempted; `LOOM_MAX_PREEMPTIONS`
//! takes the place of all these bounds.
//!
//! A lost wake shows as a task that is idle at the end, a double use of the
//! stage or the waker slot as an access that loom reports, and anything that
//! is freed twice or not at all as a wrong count or a leaked `Arc`.
#![cfg(loom)]

use asupersync_task::{
    JoinError, JoinHandle, Ran, Runnable, Schedule, Shared, Shutdown, TaskRef, Wake, WakerUse, new,
    new_cyclic,
};
use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use loom::sync::{Arc, Mutex};
use loom::thread;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

/// The executor of a test: one queue, which nobody runs unasked.
type Queue = Arc<Mutex<VecDeque<(Runnable<Meta>, Wake)>>>;

struct Meta {
    queue: Queue,
    /// Counts the uses of wakers, if the task follows them.
    uses: Option<Arc<AtomicUsize>>,
    _dropped: Count,
}

impl Schedule for Meta {
    fn schedule(&self, runnable: Runnable<Self>, why: Wake) {
        self.queue.lock().unwrap().push_back((runnable, why));
    }

    fn follows_wakers(&self) -> bool {
        self.uses.is_some()
    }

    fn waker_used(&self, _: WakerUse) {
        self.uses.iter().for_each(|uses| drop(uses.fetch_add(1, Relaxed)));
    }
}

/// Counts its drops.
struct Count(Arc<AtomicUsize>);

impl Drop for Count {
    fn drop(&mut self) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// Ready once `need` events have happened; a wake announces each of them.
struct Events {
    seen: Arc<AtomicUsize>,
    need: usize,
    output: Option<Count>,
    _dropped: Count,
}

impl Future for Events {
    type Output = Count;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Count> {
        // Relaxed: that the poll sees the event is what the wake is for.
        if self.seen.load(Relaxed) < self.need {
            return Poll::Pending;
        }
        Poll::Ready(self.output.take().expect("polled after it was ready"))
    }
}

struct World {
    queue: Queue,
    seen: Arc<AtomicUsize>,
    futures: Arc<AtomicUsize>,
    outputs: Arc<AtomicUsize>,
    metas: Arc<AtomicUsize>,
}

type Handle = JoinHandle<Count, Meta>;

impl World {
    /// A world with one task, which needs `need` events.
    fn new(need: usize) -> (Self, Runnable<Meta>, Handle) {
        Self::made(need, drop)
    }

    /// As `new`, where `making` is given the task before its future is there.
    fn made(need: usize, making: impl FnOnce(TaskRef<Meta>)) -> (Self, Runnable<Meta>, Handle) {
        let zero = || Arc::new(AtomicUsize::new(0));
        let world =
            Self { queue: Queue::default(), seen: zero(), futures: zero(), outputs: zero(), metas: zero() };
        let future = Events {
            seen: world.seen.clone(),
            need,
            output: Some(Count(world.outputs.clone())),
            _dropped: Count(world.futures.clone()),
        };
        let meta = Meta { queue: world.queue.clone(), uses: None, _dropped: Count(world.metas.clone()) };
        let (runnable, handle, [_]) = new_cyclic(
            || meta,
            |[me]| {
                making(me);
                future
            },
        );
        (world, runnable, handle)
    }

    fn event(&self) -> impl FnOnce(&TaskRef<Meta>) + Send + 'static {
        let seen = self.seen.clone();
        move |task| {
            seen.fetch_add(1, Relaxed);
            task.wake();
        }
    }

    fn next(&self) -> Option<Runnable<Meta>> {
        Some(self.queue.lock().unwrap().pop_front()?.0)
    }

    /// Runs what is queued until nothing is; gives the polls that completed.
    fn drain(&self) -> usize {
        let mut complete = 0;
        while let Some(runnable) = self.next() {
            complete += usize::from(runnable.run() == Ran::Complete);
        }
        complete
    }

    /// All handles are gone: everything was dropped, and once.
    fn assert_gone(self) {
        assert!(self.next().is_none());
        assert_eq!(self.futures.load(Relaxed), 1, "futures dropped");
        assert_eq!(self.outputs.load(Relaxed), 1, "outputs dropped");
        assert_eq!(self.metas.load(Relaxed), 1, "metas dropped");
    }
}

fn model(bound: usize, test: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = model.preemption_bound.or(Some(bound));
    model.check(test);
}

#[test]
fn wake_against_run() {
    model(4, || {
        let (world, runnable, mut handle) = World::new(1);
        let (task, event) = (handle.task(), world.event());
        let waker = thread::spawn(move || event(&task));
        let first = runnable.run();
        waker.join().unwrap();
        let later = world.drain();
        assert_eq!(usize::from(first == Ran::Complete) + later, 1);
        assert!(handle.try_take().unwrap().is_ok());
        drop(handle);
        world.assert_gone();
    });
}

#[test]
fn two_wakes_against_run() {
    model(3, || {
        let (world, runnable, mut handle) = World::new(2);
        let threads = [(); 2].map(|()| {
            let (task, event) = (handle.task(), world.event());
            thread::spawn(move || event(&task))
        });
        let _ = runnable.run();
        for thread in threads {
            thread.join().unwrap();
        }
        world.drain();
        assert!(handle.try_take().unwrap().is_ok());
        drop(handle);
        world.assert_gone();
    });
}

#[test]
fn wake_by_value_against_the_last_handles() {
    model(4, || {
        let (world, runnable, handle) = World::new(1);
        let waker = handle.task().waker();
        let waking = thread::spawn(move || waker.wake());
        let detaching = thread::spawn(move || drop(handle));
        let _ = runnable.run();
        waking.join().unwrap();
        detaching.join().unwrap();
        world.drain();
        world.assert_gone();
    });
}

/// The meta hears of a use while the waker's own reference may be the last.
#[test]
fn uses_of_wakers_against_the_last_handles() {
    model(4, || {
        let zero = || Arc::new(AtomicUsize::new(0));
        let (queue, uses, metas, left) = (Queue::default(), zero(), zero(), Arc::new(Mutex::new(None)));
        let meta = Meta { queue: queue.clone(), uses: Some(uses.clone()), _dropped: Count(metas.clone()) };
        let leave = left.clone();
        let leaves = poll_fn(move |cx| {
            *leave.lock().unwrap() = Some(cx.waker().clone());
            Poll::<()>::Pending
        });
        let (runnable, handle) = new(leaves, meta);
        assert_eq!(runnable.run(), Ran::Pending);
        let waker: Waker = left.lock().unwrap().take().expect("the poll left it");
        let detaching = thread::spawn(move || drop(handle));
        let dropping = thread::spawn(move || drop(waker.clone()));
        detaching.join().unwrap();
        dropping.join().unwrap();
        assert_eq!(uses.load(Relaxed), 4, "a clone in the poll and one outside, and both dropped");
        assert_eq!((metas.load(Relaxed), Arc::strong_count(&left)), (1, 1));
    });
}

#[test]
fn promoted_entries_on_two_threads() {
    model(4, || {
        let (world, runnable, mut handle) = World::new(0);
        handle.task().promote();
        let second = world.next().expect("promote schedules a queued task again");
        let other = thread::spawn(move || second.run());
        let here = runnable.run();
        let there = other.join().unwrap();
        assert!(matches!((here, there), (Ran::Complete, Ran::Stale) | (Ran::Stale, Ran::Complete)));
        assert!(handle.try_take().unwrap().is_ok());
        drop(handle);
        world.assert_gone();
    });
}

/// The stale entry may find the task queued again, run it, and so make the
/// newer entry stale.
#[test]
fn promoted_entries_against_a_wake() {
    model(3, || {
        let (world, runnable, mut handle) = World::new(1);
        let (task, event) = (handle.task(), world.event());
        task.promote();
        let second = world.next().unwrap();
        let waker = thread::spawn(move || event(&task));
        let other = thread::spawn(move || {
            let _ = second.run();
        });
        let _ = runnable.run();
        waker.join().unwrap();
        other.join().unwrap();
        world.drain();
        assert!(handle.try_take().unwrap().is_ok());
        drop(handle);
        world.assert_gone();
    });
}

#[test]
fn promote_against_run() {
    model(4, || {
        let (world, runnable, mut handle) = World::new(0);
        let task = handle.task();
        let promoting = thread::spawn(move || task.promote());
        assert_eq!(runnable.run(), Ran::Complete);
        promoting.join().unwrap();
        assert_eq!(world.drain(), 0);
        assert!(handle.try_take().unwrap().is_ok());
        drop(handle);
        world.assert_gone();
    });
}

#[test]
fn shutdown_against_run_and_wake() {
    model(3, || {
        let (world, runnable, mut handle) = World::new(1);
        let (task, event) = (handle.task(), world.event());
        let waker = thread::spawn(move || event(&task));
        let task = handle.task();
        let ending = thread::spawn(move || task.shutdown());
        let _ = runnable.run();
        waker.join().unwrap();
        let said = ending.join().unwrap();
        world.drain();
        match (said, handle.try_take().expect("a task that was shut down completes")) {
            (Shutdown::Dropped, Err(JoinError::Shutdown))
            | (Shutdown::AlreadyComplete, Ok(_))
            | (Shutdown::Running, Err(JoinError::Shutdown) | Ok(_)) => {}
            (said, outcome) => panic!("{said:?}, {:?}", outcome.map(|_| ())),
        }
        drop(handle);
        world.assert_gone();
    });
}

/// No event comes: only the shutdown, or the request that its runner finds,
/// ends the task.
#[test]
fn shutdown_against_the_poll() {
    model(4, || {
        let (world, runnable, mut handle) = World::new(1);
        let task = handle.task();
        let ending = thread::spawn(move || task.shutdown());
        let ran = runnable.run();
        match (ending.join().unwrap(), ran) {
            (Shutdown::Running, Ran::Complete) => {}
            (Shutdown::Dropped, Ran::Pending | Ran::Stale) => {}
            other => panic!("{other:?}"),
        }
        assert!(matches!(handle.try_take(), Some(Err(JoinError::Shutdown))));
        drop(handle);
        world.assert_gone();
    });
}

/// The runner's rescheduling, its completion and a promotion at once.
#[test]
fn promote_and_wake_against_run() {
    model(3, || {
        let (world, runnable, mut handle) = World::new(1);
        let (task, event) = (handle.task(), world.event());
        let waking = thread::spawn(move || event(&task));
        let task = handle.task();
        let promoting = thread::spawn(move || task.promote());
        let _ = runnable.run();
        waking.join().unwrap();
        promoting.join().unwrap();
        world.drain();
        assert!(handle.try_take().unwrap().is_ok());
        drop(handle);
        world.assert_gone();
    });
}

#[test]
fn two_shutdowns() {
    model(4, || {
        let (world, runnable, mut handle) = World::new(1);
        let _ = runnable.run();
        let task = handle.task();
        let other = thread::spawn(move || task.shutdown());
        let here = handle.task().shutdown();
        let there = other.join().unwrap();
        let dropped = [here, there].into_iter().filter(|&said| said == Shutdown::Dropped);
        assert_eq!(dropped.count(), 1);
        assert!(matches!(handle.try_take(), Some(Err(JoinError::Shutdown))));
        drop(handle);
        world.assert_gone();
    });
}

/// Neither a dropped entry nor the wake and shutdown that race with it leave
/// a task that nobody can run.
#[test]
fn entry_dropped_against_wake_and_shutdown() {
    model(3, || {
        let (world, runnable, mut handle) = World::new(1);
        let (task, event) = (handle.task(), world.event());
        let waker = thread::spawn(move || event(&task));
        let task = handle.task();
        let ending = thread::spawn(move || task.shutdown());
        drop(runnable);
        waker.join().unwrap();
        let _ = ending.join().unwrap();
        assert_eq!(world.drain(), 0);
        assert!(matches!(handle.try_take(), Some(Err(JoinError::Shutdown))));
        drop(handle);
        world.assert_gone();
    });
}

#[test]
fn one_entry_dropped_the_other_run() {
    model(4, || {
        let (world, runnable, mut handle) = World::new(1);
        handle.task().promote();
        let second = world.next().unwrap();
        let (task, event) = (handle.task(), world.event());
        let other = thread::spawn(move || drop(second));
        let _ = runnable.run();
        event(&task);
        other.join().unwrap();
        world.drain();
        assert!(handle.try_take().is_some(), "complete or shut down, not stranded");
        drop((task, handle));
        world.assert_gone();
    });
}

#[test]
fn join_against_complete() {
    model(4, || {
        let (world, runnable, handle) = World::new(0);
        let runner = thread::spawn(move || runnable.run());
        // A wake that is lost is a deadlock here.
        assert!(loom::future::block_on(handle).is_ok());
        assert_eq!(runner.join().unwrap(), Ran::Complete);
        world.assert_gone();
    });
}

#[test]
fn join_against_shutdown() {
    model(4, || {
        let (world, runnable, handle) = World::new(1);
        let task = handle.task();
        let ending = thread::spawn(move || task.shutdown());
        assert!(matches!(loom::future::block_on(handle), Err(JoinError::Shutdown)));
        assert_eq!(ending.join().unwrap(), Shutdown::Dropped);
        assert_eq!(runnable.run(), Ran::Stale);
        world.assert_gone();
    });
}

/// One handle polled with a waker that changes: the last one is woken.
#[test]
fn join_with_another_waker_against_complete() {
    model(4, || {
        let (world, runnable, handle) = World::new(0);
        let runner = thread::spawn(move || runnable.run());
        loom::future::block_on(async {
            let mut handle = pin!(handle);
            let first = handle.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            match first {
                Poll::Ready(outcome) => assert!(outcome.is_ok()),
                Poll::Pending => assert!(handle.await.is_ok()),
            }
        });
        assert_eq!(runner.join().unwrap(), Ran::Complete);
        world.assert_gone();
    });
}

#[test]
fn join_dropped_against_complete() {
    model(4, || {
        let (world, runnable, handle) = World::new(0);
        let runner = thread::spawn(move || runnable.run());
        drop(handle);
        assert_eq!(runner.join().unwrap(), Ran::Complete);
        world.assert_gone();
    });
}

/// As above, with a waker in the slot, which must be dropped once too: it is
/// another task's, whose end the test then asks for.
#[test]
fn join_polled_and_dropped_against_complete() {
    model(4, || {
        let (world, runnable, mut handle) = World::new(0);
        let (joiner, joiner_runnable, joiner_handle) = World::new(1);
        drop(joiner_handle);
        let waker = joiner_runnable.task().waker();
        let runner = thread::spawn(move || runnable.run());
        let polled = Pin::new(&mut handle).poll(&mut Context::from_waker(&waker));
        drop((waker, handle, polled));
        assert_eq!(runner.join().unwrap(), Ran::Complete);
        world.assert_gone();
        let _ = joiner_runnable.run();
        joiner.drain();
        joiner.assert_gone();
    });
}

/// The waker is taken back: it is the handle's or the completer's, never both.
#[test]
fn join_waker_taken_back_against_complete() {
    model(4, || {
        let (world, runnable, mut handle) = World::new(0);
        let (joiner, joiner_runnable, joiner_handle) = World::new(1);
        drop(joiner_handle);
        let waker = joiner_runnable.task().waker();
        let runner = thread::spawn(move || runnable.run());
        let polled = Pin::new(&mut handle).poll(&mut Context::from_waker(&waker));
        let taken = handle.take_waker();
        assert!(taken.is_none() || polled.is_pending());
        drop((waker, taken, polled));
        assert_eq!(runner.join().unwrap(), Ran::Complete);
        drop(handle);
        world.assert_gone();
        let _ = joiner_runnable.run();
        joiner.drain();
        joiner.assert_gone();
    });
}

#[test]
fn last_references_on_three_threads() {
    model(4, || {
        let (world, runnable, handle) = World::new(1);
        let (task, waker) = (handle.task(), handle.task().waker());
        drop(handle);
        let one = thread::spawn(move || drop(task));
        let other = thread::spawn(move || drop(waker));
        assert_eq!(runnable.run(), Ran::Pending);
        one.join().unwrap();
        other.join().unwrap();
        world.assert_gone();
    });
}

#[test]
fn last_references_of_an_untaken_output() {
    model(4, || {
        let (world, runnable, handle) = World::new(0);
        let task = handle.task();
        let one = thread::spawn(move || drop(handle));
        let other = thread::spawn(move || drop(task));
        assert_eq!(runnable.run(), Ran::Complete);
        one.join().unwrap();
        other.join().unwrap();
        world.assert_gone();
    });
}

#[test]
fn woken_and_promoted_while_it_is_made() {
    model(4, || {
        let mut threads = Vec::new();
        let (world, runnable, handle) = World::made(0, |me| {
            let other = me.clone();
            threads.push(thread::spawn(move || me.wake()));
            threads.push(thread::spawn(move || other.promote()));
        });
        let complete = usize::from(runnable.run() == Ran::Complete);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(complete + world.drain(), 1);
        drop(handle);
        world.assert_gone();
    });
}

#[test]
fn shut_down_while_it_is_made() {
    model(4, || {
        let mut other = None;
        let (world, runnable, mut handle) = World::made(0, |me| {
            other = Some(thread::spawn(move || drop(me.shutdown())));
        });
        let ran = runnable.run();
        other.unwrap().join().unwrap();
        let outcome = handle.try_take().expect("one of them has ended it");
        assert_eq!(ran == Ran::Complete, outcome.is_ok());
        drop((outcome, handle));
        assert_eq!(world.futures.load(Relaxed), 1, "futures dropped");
        assert_eq!(world.metas.load(Relaxed), 1, "metas dropped");
    });
}

/// What its drop, or whoever takes it, must have alone.
struct Together {
    looked_at: UnsafeCell<()>,
    _dropped: Count,
}

impl Drop for Together {
    fn drop(&mut self) {
        self.looked_at.with_mut(|_| ());
    }
}

/// Three have a value and look at it, and one of them asks whether it is alone: the last takes or drops it.
#[test]
fn what_is_shared_is_the_last_ones_alone() {
    loom::model(|| {
        let dropped = Arc::new(AtomicUsize::new(0));
        let one = Shared::new(Together { looked_at: UnsafeCell::new(()), _dropped: Count(dropped.clone()) });
        let (two, three) = (one.clone(), one.clone());
        let others = [two, three].map(|other| {
            thread::spawn(move || {
                other.looked_at.with(|_| ());
                drop(other);
            })
        });
        one.looked_at.with(|_| ());
        match one.into_inner() {
            Ok(value) => drop(value),
            Err(one) => drop(one),
        }
        others.into_iter().for_each(|other| other.join().unwrap());
        assert_eq!(dropped.load(Relaxed), 1);
    });
}
