//! What the tests share: an executor with one queue, and things that count.
#![allow(dead_code, reason = "each test binary uses a part")]

use asupersync_task::{Runnable, Schedule, Wake};
use std::cell::Cell;
use std::collections::VecDeque;
use std::future::Future;
use std::panic;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::task::{Context, Poll};
use std::thread;

/// A counter of drops.
pub(crate) type Counter = Arc<AtomicUsize>;

pub(crate) fn counter() -> Counter {
    Counter::default()
}

pub(crate) fn count(counter: &Counter) -> usize {
    counter.load(Ordering::SeqCst)
}

/// Counts its own drop.
pub(crate) struct Count(pub(crate) Counter);

impl Drop for Count {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// One queue, which runs nothing unasked.
#[derive(Clone, Default)]
pub(crate) struct Executor(Arc<Mutex<Entries>>);

type Entries = VecDeque<(Runnable<Exec>, Wake)>;

/// The meta of its tasks.
pub(crate) struct Exec {
    executor: Executor,
    _dropped: Option<Count>,
}

impl Schedule for Exec {
    fn schedule(&self, runnable: Runnable<Self>, why: Wake) {
        self.executor.0.lock().unwrap().push_back((runnable, why));
    }
}

impl Executor {
    pub(crate) fn meta(&self) -> Exec {
        Exec { executor: self.clone(), _dropped: None }
    }

    pub(crate) fn counted(&self, dropped: &Counter) -> Exec {
        Exec { executor: self.clone(), _dropped: Some(Count(dropped.clone())) }
    }

    pub(crate) fn pop(&self) -> Option<Runnable<Exec>> {
        Some(self.0.lock().unwrap().pop_front()?.0)
    }

    pub(crate) fn next(&self) -> Runnable<Exec> {
        self.pop().expect("something is queued")
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().unwrap().is_empty()
    }

    pub(crate) fn whys(&self) -> Vec<Wake> {
        self.0.lock().unwrap().iter().map(|entry| entry.1).collect()
    }

    pub(crate) fn run_all(&self) {
        while let Some(runnable) = self.pop() {
            let _ = runnable.run();
        }
    }
}

/// Yields a number of times, and then is ready, or pending for ever.
pub(crate) struct Script {
    yields: usize,
    pending: bool,
}

impl Script {
    pub(crate) fn yields(yields: usize) -> Self {
        Self { yields, pending: false }
    }

    pub(crate) fn then_pending(self) -> Self {
        Self { pending: true, ..self }
    }
}

impl Future for Script {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.yields > 0 {
            self.yields -= 1;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.pending { Poll::Pending } else { Poll::Ready(()) }
    }
}

/// Panics when dropped.
pub(crate) struct Bomb(&'static str);

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("{}", self.0);
    }
}

pub(crate) fn panics_when_dropped(message: &'static str) -> Bomb {
    Bomb(message)
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs `f`, whose panics are expected: this thread's are not printed.
pub(crate) fn quietly<R>(f: impl FnOnce() -> R) -> R {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                loud(info);
            }
        }));
    });
    QUIET.set(true);
    let result = f();
    QUIET.set(false);
    result
}

/// A mutex that race detectors understand even if they cannot see into
/// `std`'s: its flag, in code of ours, carries the ordering.
#[derive(Default)]
pub(crate) struct Lock<T> {
    held: AtomicBool,
    value: Mutex<T>,
}

impl<T> Lock<T> {
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        while self.held.swap(true, Ordering::Acquire) {
            thread::yield_now();
        }
        let result = f(&mut self.value.lock().unwrap());
        self.held.store(false, Ordering::Release);
        result
    }
}
