//! The reactor and the timer wheel, turned by one thread at a time.
//!
//! Whoever has nothing to do turns it with a wait; a busy worker now and then without one. A timer
//! that is set earlier than the end of the present wait wakes the waiting thread.
//!
//! Invariant: `wait_until` is written only under the wheel's lock, so an insertion either is seen
//! when the wait is computed, or sees the wait.

use std::io;
use std::sync::TryLockError;
use std::sync::atomic::AtomicU64;
use std::task::Waker;
use std::time::{Duration, Instant};

use asupersync_core::Time;
use asupersync_core::host::TimerKey;

use crate::primitive::{AtomicBool, Mutex, MutexGuard, PoisonError, SeqCst};
use crate::reactor::{Reactor, Turn as ReactorTurn};
use crate::timer::{Key, Wheel};

/// The reactor, the wheel and the clock of one runtime.
pub(crate) struct Driver {
    start: Instant,
    pub(crate) reactor: Reactor,
    turning: Mutex<Turning>,
    timers: Mutex<Timers>,
    /// A thread waits in the reactor. To the monitor a hint: a worker that leaves the wait stirs.
    waiting: AtomicBool,
    /// When the driver was last turned, in nanoseconds on its clock. A hint to the monitor, which looks again.
    last_turn: AtomicU64,
}

struct Turning {
    reactor: ReactorTurn,
    due: Vec<(u64, Waker)>,
}

struct Timers {
    wheel: Wheel<Waker>,
    /// End of the present wait; `None` when nobody waits.
    wait_until: Option<u64>,
}

impl Driver {
    pub(crate) fn new() -> io::Result<Self> {
        let (reactor, turn) = Reactor::new()?;
        Ok(Driver {
            start: Instant::now(),
            reactor,
            turning: Mutex::new(Turning { reactor: turn, due: Vec::new() }),
            timers: Mutex::new(Timers { wheel: Wheel::new(0), wait_until: None }),
            waiting: AtomicBool::new(false),
            last_turn: AtomicU64::new(0),
        })
    }

    pub(crate) fn now(&self) -> Time {
        Time::from_nanos(u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    fn timers(&self) -> MutexGuard<'_, Timers> {
        self.timers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add_timer(&self, at: Time, waker: Waker) -> TimerKey {
        let mut timers = self.timers();
        let key = timers.wheel.insert(at.as_nanos(), waker);
        let sooner = timers.wait_until.is_some_and(|until| at.as_nanos() < until);
        if sooner {
            timers.wait_until = None;
        }
        drop(timers);
        if sooner {
            self.wake();
        }
        TimerKey(key.to_bits())
    }

    pub(crate) fn cancel_timer(&self, key: TimerKey) {
        let waker = Key::from_bits(key.0).and_then(|key| self.timers().wheel.cancel(key));
        drop(waker);
    }

    /// Forgets all timers.
    pub(crate) fn clear(&self) {
        let wheel = std::mem::replace(&mut self.timers().wheel, Wheel::new(0));
        drop(wheel);
    }

    /// Ends the present wait, or the next.
    pub(crate) fn wake(&self) {
        self.reactor.wake();
    }

    /// The right to turn, unless somebody has it.
    pub(crate) fn try_turn(&self) -> Option<Turn<'_>> {
        let turning = match self.turning.try_lock() {
            Ok(turning) => turning,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some(Turn { driver: self, turning })
    }

    /// A thread waits in the reactor.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.load(SeqCst)
    }

    /// Nobody waits in the reactor, and nobody turned it for at least `time`.
    pub(crate) fn is_neglected(&self, time: Duration) -> bool {
        !self.is_waiting() && self.now() - Time::from_nanos(self.last_turn.load(SeqCst)) >= time
    }
}

/// The right to turn the driver.
pub(crate) struct Turn<'a> {
    driver: &'a Driver,
    turning: MutexGuard<'a, Turning>,
}

impl Turn<'_> {
    /// Waits until something is due, or [`Driver::wake`].
    pub(crate) fn park(&mut self) {
        let now = self.driver.now().as_nanos();
        let wait = {
            let mut timers = self.driver.timers();
            let next = timers.wheel.next_deadline();
            timers.wait_until = Some(next.unwrap_or(u64::MAX));
            next.map(|next| Duration::from_nanos(next.saturating_sub(now)))
        };
        self.driver.waiting.store(true, SeqCst);
        self.turn(wait);
    }

    /// Handles what is due now.
    pub(crate) fn poll(&mut self) {
        self.turn(Some(Duration::ZERO));
    }

    fn turn(&mut self, wait: Option<Duration>) {
        let Turning { reactor, due } = &mut *self.turning;
        reactor.wait(wait);
        self.driver.waiting.store(false, SeqCst);
        let now = self.driver.now().as_nanos();
        self.driver.last_turn.store(now, SeqCst);
        let mut timers = self.driver.timers();
        timers.wait_until = None;
        timers.wheel.advance(now, due);
        drop(timers);
        reactor.dispatch(&self.driver.reactor);
        for (_, waker) in due.drain(..) {
            waker.wake();
        }
    }
}
