//! The thread that called `block_on` sees that the runtime goes on, and ends.
//!
//! While workers come and go it looks every [`WATCH`]: if nobody turned the driver meanwhile,
//! because those awake are in long polls, it wakes a sleeper to do it, or does it itself. When it finds
//! all workers asleep it sleeps too, and costs nothing; once woken it looks again after [`WATCH`], not as soon
//! as they sleep again, so that a runtime with little to do does not wake it for each bit of that.
//!
//! At each look the [`watchdog`](crate::watchdog) has its turn, too.
//!
//! After Request it keeps the close budget:
//!
//! | when | what |
//! |---|---|
//! | drain ended, plus [`GRACE`] | tasks whose poll does not return are abandoned, and a stand-in worker is started if every worker is stuck, so that finalizers run |
//! | drain and finalize ended, plus [`GRACE`] | what is left is dropped, listed, and left behind |

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use asupersync_core::Time;
use asupersync_core::host::Runnable;
use asupersync_core::region::{CloseReport, Root};
use asupersync_queue::Local;

use crate::primitive::{AtomicBool, Condvar, Mutex, MutexGuard, PoisonError, SeqCst, fence};
use crate::shared::Shared;
use crate::watchdog::Watchdog;
use crate::worker;

/// How often a stirring runtime is looked at.
const WATCH: Duration = Duration::from_millis(10);
/// How long a poll may still take after its budget is spent.
const GRACE: Duration = Duration::from_millis(50);
/// As long as the system can wait.
const FOR_EVER: Duration = Duration::from_secs(1 << 30);

/// Wakes the monitor.
#[derive(Default)]
pub(crate) struct Alarm {
    /// Stored before the monitor's last look, and looked at after a worker is off the list: one sees the
    /// other.
    asleep: AtomicBool,
    rung: Mutex<bool>,
    bell: Condvar,
}

impl Alarm {
    fn rung(&self) -> MutexGuard<'_, bool> {
        self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A worker is off the list of those that sleep. One load unless the monitor sleeps.
    pub(crate) fn stirred(&self) {
        // Either this sees that the monitor sleeps, or the monitor's last look sees the worker.
        fence(SeqCst);
        if self.asleep.load(SeqCst) {
            self.ring();
        }
    }

    pub(crate) fn ring(&self) {
        *self.rung() = true;
        self.bell.notify_one();
    }

    /// Waits for the bell, or at most for `wait`.
    pub(crate) fn wait(&self, wait: Duration) {
        let mut rung = self.rung();
        // In a model time passes at once, and for ever is for ever.
        let waits = !cfg!(loom) || wait == FOR_EVER;
        if waits && !*rung {
            (rung, _) = self.bell.wait_timeout(rung, wait).unwrap_or_else(PoisonError::into_inner);
        }
        *rung = false;
    }

    /// [`wait`](Self::wait) until somebody has stirred, too, for as long as a last look says, if it does.
    pub(crate) fn sleep(&self, look: impl FnOnce() -> Option<Duration>) {
        self.asleep.store(true, SeqCst);
        // Whoever stirred before this was not heard, but is seen.
        fence(SeqCst);
        if let Some(wait) = look() {
            self.wait(wait);
        }
        self.asleep.store(false, SeqCst);
    }
}

/// Watches until `done` tells that the root is closed, or its close budget is spent. Tells what was
/// left then.
pub(crate) fn watch(
    shared: &Arc<Shared>,
    root: &Root,
    done: &AtomicBool,
    spare: Local<Runnable>,
    mut watchdog: Watchdog,
) -> Option<CloseReport> {
    let mut spare = Some(spare);
    let mut stuck = HashSet::new();
    let mut woken = false;
    loop {
        if done.load(SeqCst) {
            return None;
        }
        let now = shared.driver.now();
        let (drain_until, close_by) = (root.drain_until(), root.close_by());
        if now >= close_by + GRACE {
            return Some(root.force());
        }
        if now >= drain_until + GRACE
            && root.abandon_stuck(&mut stuck) > 0
            && let Some(ring) = spare.take()
        {
            stand_in(shared, ring);
        }
        let all_asleep = spare.is_some() && shared.all_asleep() && shared.driver.is_waiting();
        if !all_asleep || std::mem::take(&mut woken) {
            shared.alarm.wait(WATCH);
            if shared.driver.is_neglected(WATCH) {
                turn_driver(shared);
            }
            watchdog.look(&shared.polling, root);
            continue;
        }
        watchdog.rest();
        sleep(shared, root, done);
        woken = true;
    }
}

/// Sleeps while all workers do, and until a budget is spent at most.
pub(crate) fn sleep(shared: &Shared, root: &Root, done: &AtomicBool) {
    shared.alarm.sleep(|| {
        // The budgets come last: a worker that sleeps again may have asked the root to close, unheard.
        let quiet = shared.all_asleep() && !done.load(SeqCst);
        quiet.then(|| until_spent(shared.driver.now(), root))
    });
}

/// How long it is until the next of the root's budgets is spent, and the grace over.
fn until_spent(now: Time, root: &Root) -> Duration {
    let drain_until = root.drain_until();
    let next = if now < drain_until + GRACE { drain_until } else { root.close_by() };
    if next == Time::MAX { FOR_EVER } else { ((next + GRACE) - now).min(FOR_EVER) }
}

fn turn_driver(shared: &Shared) {
    match shared.idle.take_sleeper() {
        Some(sleeper) => shared.unpark(sleeper),
        None => {
            if let Some(mut turn) = shared.driver.try_turn() {
                turn.poll();
            }
            shared.hand_over_driver();
        }
    }
}

/// Every worker may be in a poll that does not return: one more thread runs what is queued.
fn stand_in(shared: &Arc<Shared>, ring: Local<Runnable>) {
    if let Err(error) = worker::start(shared, ring, shared.workers) {
        eprintln!("asupersync: cannot start a stand-in worker: {error}");
    }
}
