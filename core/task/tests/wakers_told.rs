//! `Schedule::waker_used`: each use of a waker that a poll was given, for tasks that follow them.
#![cfg(not(loom))]

use asupersync_task::{Ran, Runnable, Schedule, Wake, WakerUse, new, note};
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

#[derive(Clone, Default)]
struct Meta {
    follows: bool,
    uses: Arc<Mutex<Vec<WakerUse>>>,
    queue: Arc<Mutex<Vec<Runnable<Meta>>>>,
    panics: Arc<AtomicBool>,
}

impl Meta {
    fn told(&self) -> Vec<WakerUse> {
        std::mem::take(&mut self.uses.lock().unwrap())
    }

    fn run(&self) -> Option<Ran> {
        let next = self.queue.lock().unwrap().pop();
        next.map(Runnable::run)
    }
}

impl Schedule for Meta {
    fn schedule(&self, runnable: Runnable<Self>, _: Wake) {
        self.queue.lock().unwrap().push(runnable);
    }

    fn follows_wakers(&self) -> bool {
        self.follows
    }

    fn waker_used(&self, what: WakerUse) {
        assert!(!self.panics.load(Relaxed), "told to panic");
        self.uses.lock().unwrap().push(what);
    }
}

type Slot = Arc<Mutex<Option<Waker>>>;

/// A task that leaves its waker at each poll and waits; queued.
fn leaves_its_waker(meta: &Meta) -> Slot {
    let slot = Slot::default();
    let inner = slot.clone();
    let future = poll_fn(move |cx| {
        let stale = inner.lock().unwrap().replace(cx.waker().clone());
        drop(stale);
        Poll::<()>::Pending
    });
    let (runnable, handle) = new(future, meta.clone());
    drop(handle);
    runnable.schedule();
    slot
}

fn take(slot: &Slot) -> Waker {
    slot.lock().unwrap().take().expect("the task left its waker")
}

#[test]
fn each_use_is_told_in_order() {
    let meta = Meta { follows: true, ..Meta::default() };
    let slot = leaves_its_waker(&meta);
    assert_eq!(meta.run(), Some(Ran::Pending));
    assert_eq!(meta.told(), [WakerUse::Clone]);

    take(&slot).wake();
    assert_eq!(meta.told(), [WakerUse::Wake]);
    assert_eq!(meta.run(), Some(Ran::Pending));
    assert_eq!(meta.told(), [WakerUse::Clone]);

    let waker = take(&slot);
    let another = waker.clone();
    assert!(another.will_wake(&waker), "a clone tells as well");
    another.wake_by_ref();
    assert_eq!(meta.run(), Some(Ran::Pending));
    drop((another, waker));
    let uses = [WakerUse::Clone, WakerUse::WakeByRef, WakerUse::Clone, WakerUse::Drop, WakerUse::Drop];
    assert_eq!(meta.told(), uses);
}

#[test]
fn a_promotion_is_told_as_a_wake() {
    let meta = Meta { follows: true, ..Meta::default() };
    let (runnable, handle) = new(std::future::pending::<()>(), meta.clone());
    let promote = runnable.task().promote_waker();
    assert_eq!(runnable.run(), Ran::Pending);
    drop(promote.clone());
    assert_eq!(meta.told(), [], "it is its owner's, and not counted");
    promote.wake_by_ref();
    promote.wake();
    assert_eq!(meta.told(), [WakerUse::WakeByRef, WakerUse::WakeByRef]);
    handle.task().shutdown();
    meta.queue.lock().unwrap().clear();
}

#[test]
fn a_task_that_does_not_follow_hears_nothing() {
    let meta = Meta::default();
    let slot = leaves_its_waker(&meta);
    assert_eq!(meta.run(), Some(Ran::Pending));
    take(&slot).wake();
    assert_eq!(meta.run(), Some(Ran::Pending));
    drop(take(&slot));
    assert_eq!(meta.told(), []);
}

#[test]
fn a_followed_waker_is_known_as_its_tasks() {
    let meta = Meta { follows: true, ..Meta::default() };
    let slot = Slot::default();
    let inner = slot.clone();
    let (runnable, handle) = new(
        poll_fn(move |cx| {
            *inner.lock().unwrap() = Some(cx.waker().clone());
            Poll::<()>::Pending
        }),
        meta,
    );
    let task = handle.task();
    assert_eq!(runnable.run(), Ran::Pending);
    let waker = take(&slot);
    assert!(task.will_wake(&waker) && !task.will_wake(Waker::noop()));
    note(&waker).expect("it is ours").store(7, Relaxed);
    assert_eq!(task.note().load(Relaxed), 7);
    task.shutdown();
}

/// Nor is the reference lost, or given up twice.
#[test]
fn a_panic_in_it_passes_through() {
    for what in [WakerUse::Clone, WakerUse::Wake, WakerUse::WakeByRef, WakerUse::Drop] {
        let meta = Meta { follows: true, ..Meta::default() };
        let slot = leaves_its_waker(&meta);
        assert_eq!(meta.run(), Some(Ran::Pending));
        let waker = take(&slot);
        let mut kept = None;
        meta.panics.store(true, Relaxed);
        let used = catch_unwind(AssertUnwindSafe(|| match what {
            WakerUse::Clone => drop(kept.insert(waker).clone()),
            WakerUse::Wake => waker.wake(),
            WakerUse::WakeByRef => kept.insert(waker).wake_by_ref(),
            WakerUse::Drop => drop(waker),
        }));
        meta.panics.store(false, Relaxed);
        assert!(used.is_err() && meta.told() == [WakerUse::Clone]);
        assert_eq!(meta.run(), None, "a wake that panicked is none");
        // With its last reference the task goes, and what it captured.
        drop(kept);
        assert_eq!(Arc::strong_count(&slot), 1, "{what:?}");
    }
}
