//! Steps that do not return: a poll that blocks its thread stops the lab, which has no other.
//!
//! One thread for the process looks at the labs of tests now and then. It counts how often it saw the same
//! step, not seconds, so that a process that is stopped, as by a debugger, is not blamed.

use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError, Weak};
use std::time::Duration;
use std::{cell::RefCell, env, process, thread};

use crate::executor::Executor;

const TICK: Duration = Duration::from_millis(100);

/// A test, and its current run.
struct Watched {
    name: String,
    executor: Mutex<Weak<Executor>>,
}

static ALL: Mutex<Vec<Weak<Watched>>> = Mutex::new(Vec::new());

thread_local! {
    /// The test of this thread.
    static OWN: RefCell<Option<Arc<Watched>>> = const { RefCell::new(None) };
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// That the test of this thread is watched.
pub(crate) struct Watching;

impl Drop for Watching {
    fn drop(&mut self) {
        OWN.set(None);
    }
}

/// Watches what this thread runs from now on.
pub(crate) fn begin(name: &str) -> Watching {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let seconds = env::var("ASUPERSYNC_LAB_PATIENCE").ok().and_then(|seconds| seconds.parse().ok());
        let ticks = seconds.unwrap_or(10_u64).saturating_mul(10);
        if ticks > 0 {
            // Without it, a test that is stuck is only not told of.
            drop(thread::Builder::new().name("lab watch".into()).spawn(move || watch(ticks)));
        }
    });
    let watched = Arc::new(Watched { name: name.to_owned(), executor: Mutex::default() });
    lock(&ALL).push(Arc::downgrade(&watched));
    OWN.set(Some(watched));
    Watching
}

/// A run begins on this thread.
pub(crate) fn running(executor: &Arc<Executor>) {
    OWN.with_borrow(|own| {
        if let Some(own) = own {
            *lock(&own.executor) = Arc::downgrade(executor);
        }
    });
}

/// Where a test is: its run, and the step that is being taken.
type At = (usize, u64);

fn watch(most: u64) {
    let mut before: Vec<(usize, At, u64)> = Vec::new();
    loop {
        // a wait, not a synchronisation: time is what this is about
        thread::sleep(TICK);
        let mut now = Vec::new();
        lock(&ALL).retain(|watched| {
            let Some(watched) = watched.upgrade() else { return false };
            let executor = lock(&watched.executor).upgrade();
            if let Some(executor) = executor
                && let Some(step) = executor.step_in_progress()
            {
                let test = Arc::as_ptr(&watched) as usize;
                let at = (Arc::as_ptr(&executor) as usize, step);
                let same = before.iter().find(|(other, was, _)| *other == test && *was == at);
                let ticks = same.map_or(0, |(.., ticks)| ticks + 1);
                if ticks >= most {
                    give_up(&watched.name, &executor, ticks / 10);
                }
                now.push((test, at, ticks));
            }
            true
        });
        before = now;
    }
}

fn give_up(name: &str, executor: &Executor, seconds: u64) -> ! {
    eprintln!(
        "{name}: {} has not returned from a step for {seconds} s, and the lab has no other thread to go on \
         with.\n  Look for what blocks a thread (a real socket, a `std` mutex or channel, `block_on`) and for a \
         loop without an await.\n  ASUPERSYNC_LAB_PATIENCE=60 waits a minute, and 0 for ever. This ends the \
         process.",
        executor.current()
    );
    process::exit(101)
}
