//! How one worker sleeps: in the driver if nobody else does, else on a condition variable.
//!
//! An unpark leaves a token, so one that comes before the sleep is not lost.

use crate::driver::{Driver, Turn};
use crate::primitive::{Condvar, Mutex, MutexGuard, PoisonError};

/// One worker's bed.
#[derive(Default)]
pub(crate) struct Parker {
    state: Mutex<State>,
    woken: Condvar,
}

#[derive(Default)]
struct State {
    token: bool,
    in_driver: bool,
}

impl Parker {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps until unparked, or, in the driver, until something is due there, which is then to be
    /// [handled](Turn::handle).
    pub(crate) fn park<'a>(&self, driver: &'a Driver) -> Option<Turn<'a>> {
        let Some(mut turn) = driver.try_turn() else {
            let mut state = self.state();
            while !state.token {
                state = self.woken.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.token = false;
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

    pub(crate) fn unpark(&self, driver: &Driver) {
        let in_driver = {
            let mut state = self.state();
            state.token = true;
            state.in_driver
        };
        // Without the lock, which the woken one takes first.
        if in_driver {
            driver.wake();
        } else {
            self.woken.notify_one();
        }
    }
}
