//! How one worker sleeps: in the driver if nobody else does, else on a condition variable.
//!
//! An unpark leaves a token, so one that comes before the sleep is not lost.

use std::hint;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::driver::{Driver, Turn};
use crate::primitive::{Condvar, Mutex, MutexGuard, PoisonError};

/// One worker's bed.
#[derive(Default)]
pub(crate) struct Parker {
    state: Mutex<State>,
    woken: Condvar,
    /// There may be a token; a hint for who has not begun to wait.
    called: AtomicBool,
}

#[derive(Default)]
struct State {
    token: bool,
    in_driver: bool,
    /// Waits on the condition variable.
    waits: bool,
}

/// How often a worker looks for the token before it waits: a few microseconds, which is what it costs to put a
/// thread to sleep and to wake it. Where tasks are queued one after the other for workers that are as fast, it
/// does neither. In a model there is nothing to hope for.
const LOOKS: u32 = if cfg!(loom) { 0 } else { 64 };

impl Parker {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps until unparked, or, in the driver, until something is due there, which is then to be
    /// [handled](Turn::handle). `watched`: somebody is to wait in the driver, whom its alarm wakes; who turns it
    /// and does not wait is told to see to that.
    pub(crate) fn park<'a>(&self, driver: &'a Driver, watched: bool) -> Option<Turn<'a>> {
        let turn = driver.try_turn();
        let Some(mut turn) = turn.or_else(|| watched.then(|| driver.try_turn_or_want()).flatten()) else {
            self.wait();
            return None;
        };
        {
            let mut state = self.state();
            if std::mem::take(&mut state.token) {
                return None;
            }
            state.in_driver = true;
        }
        turn.wait();
        let mut state = self.state();
        state.in_driver = false;
        state.token = false;
        Some(turn)
    }

    fn wait(&self) {
        for _ in 0..LOOKS {
            if self.called.load(Relaxed) {
                break;
            }
            hint::spin_loop();
        }
        let mut state = self.state();
        while !state.token {
            state.waits = true;
            state = self.woken.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        (state.waits, state.token) = (false, false);
        self.called.store(false, Relaxed);
    }

    pub(crate) fn unpark(&self, driver: &Driver) {
        let (in_driver, waits) = {
            let mut state = self.state();
            state.token = true;
            (state.in_driver, state.waits)
        };
        self.called.store(true, Relaxed);
        // Without the lock, which the woken one takes first.
        if in_driver {
            driver.wake();
        } else if waits {
            self.woken.notify_one();
        }
    }
}
