//! How one worker sleeps: in the driver if nobody else does, else on a condition variable.
//!
//! An unpark leaves a token, so one that comes before the sleep is not lost.

use crate::driver::Driver;
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

    /// Sleeps until unparked, or, in the driver, until something is due there.
    pub(crate) fn park(&self, driver: &Driver) {
        let Some(mut turn) = driver.try_turn() else {
            let mut state = self.state();
            while !state.token {
                state = self.woken.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.token = false;
            return;
        };
        {
            let mut state = self.state();
            if std::mem::take(&mut state.token) {
                return;
            }
            state.in_driver = true;
        }
        turn.park();
        let mut state = self.state();
        state.in_driver = false;
        state.token = false;
    }

    pub(crate) fn unpark(&self, driver: &Driver) {
        let mut state = self.state();
        state.token = true;
        if state.in_driver {
            driver.wake();
        } else {
            self.woken.notify_one();
        }
    }
}
