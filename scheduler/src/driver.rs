//! The reactor and the timer wheels, turned by one thread at a time.
//!
//! Whoever has nothing to do turns it with a wait; a busy worker now and then without one. Each worker has
//! a wheel to put timers in, so that workers do not wait for each other. What ends a wait for a timer is the
//! reactor's [alarm](Reactor::set_alarm), which whoever adds the earliest timer sets, on any thread,
//! without waking the one that waits.
//!
//! Invariants:
//! 1. The alarm is never set to later than the earliest deadline of all wheels, or the end of a
//!    [rest](REST) if that is later: whoever adds a timer looks at the alarm when that is in its wheel, and
//!    whoever turns takes the alarm for gone before it looks at the wheels.
//! 2. `alarm_at` changes only under the lock `setting`, and the reactor's alarm with it.
//!
//! An alarm stays where it is when its timer is cancelled: to set it again costs more than one turn for
//! nothing, and whoever sets and drops timers sets it once.

use std::io;
use std::sync::TryLockError;
use std::sync::atomic::{AtomicU64 as Hint, Ordering::Relaxed};
use std::task::Waker;
use std::time::{Duration, Instant};

use asupersync_core::Time;
use asupersync_core::host::TimerKey;

use crate::primitive::{AtomicBool, AtomicU64, Mutex, MutexGuard, PoisonError, SeqCst, fence};
use crate::reactor::{Reactor, Turn as ReactorTurn};
use crate::timer::{Key, Wheel};

/// After a turn in which several timers fired there is no alarm for so long: a crowd of timers is served in
/// batches, since to wake a thread costs more than to fire many of them. With 200,000 a second, half of this
/// costs a third more of CPU time.
const REST: Duration = Duration::from_millis(1);
/// Wheels, at most: each turn looks at all of them.
const WHEELS: usize = 8;

/// The reactor, the wheels and the clock of one runtime.
pub(crate) struct Driver {
    start: Instant,
    pub(crate) reactor: Reactor,
    turning: Mutex<Turning>,
    wheels: Box<[Mutex<Wheel<Waker>>]>,
    /// The alarm is not set to before this. Whoever sees an older time wakes a thread too early.
    rest_until: Hint,
    /// The right to set the alarm.
    setting: Mutex<()>,
    /// When the alarm goes off; `u64::MAX` if it is not set.
    alarm_at: AtomicU64,
    /// The alarm ends a wait soon, for somebody to look at what is queued.
    watched: AtomicBool,
    /// Somebody sleeps elsewhere who would wait in the reactor, but another was turning it.
    wanted: AtomicBool,
    /// A thread waits in the reactor. To the monitor a hint: a worker that leaves the wait stirs.
    waiting: AtomicBool,
    /// When the driver was last turned, in nanoseconds on its clock: it is that late, or later. A hint to the
    /// monitor, which looks again.
    last_turn: Hint,
}

struct Turning {
    reactor: ReactorTurn,
    /// Kept for their memory.
    due: Vec<(u64, Waker)>,
    ready: Vec<Waker>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Driver {
    /// For so many workers.
    pub(crate) fn new(workers: usize) -> io::Result<Self> {
        let (reactor, turn) = Reactor::new()?;
        Ok(Driver {
            start: Instant::now(),
            reactor,
            turning: Mutex::new(Turning { reactor: turn, due: Vec::new(), ready: Vec::new() }),
            wheels: (0..workers.clamp(1, WHEELS)).map(|_| Mutex::new(Wheel::new(0))).collect(),
            rest_until: Hint::new(0),
            setting: Mutex::new(()),
            alarm_at: AtomicU64::new(u64::MAX),
            watched: AtomicBool::new(false),
            wanted: AtomicBool::new(false),
            waiting: AtomicBool::new(false),
            last_turn: Hint::new(0),
        })
    }

    pub(crate) fn now(&self) -> Time {
        if cfg!(loom) {
            // A model must take the same way each time that it is asked to.
            return Time::ZERO;
        }
        Time::from_nanos(u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    /// Whoever is woken by a timer learns it from the turn that fired that.
    pub(crate) fn is_past(&self, at: Time) -> bool {
        self.last_turn.load(Relaxed) >= at.as_nanos() || self.now() >= at
    }

    /// On behalf of this worker, or of any.
    pub(crate) fn add_timer(&self, worker: usize, at: Time, waker: Waker) -> TimerKey {
        let which = worker % self.wheels.len();
        let (key, next) = {
            let mut wheel = locked(&self.wheels[which]);
            let key = wheel.insert(at.as_nanos(), waker);
            // Most timers are set for later than when the alarm rings anyway.
            let sooner = at.as_nanos() < self.alarm_at.load(SeqCst);
            (key, sooner.then(|| wheel.next_deadline()).flatten())
        };
        if let Some(next) = next {
            self.set_alarm(next);
        }
        TimerKey(key.to_bits() | (which as u64) << Key::BITS)
    }

    /// Sees to it that the wait ends at this time, or after the rest.
    fn set_alarm(&self, at: u64) {
        let at = at.max(self.rest_until.load(Relaxed));
        if at >= self.alarm_at.load(SeqCst) {
            return;
        }
        let _alone = locked(&self.setting);
        if at < self.alarm_at.load(SeqCst) {
            self.alarm_at.store(at, SeqCst);
            self.reactor.set_alarm(Time::from_nanos(at) - self.now());
        }
    }

    /// Whoever waits now wakes within this time, or has woken since it was last asked for.
    pub(crate) fn is_watched(&self, within: Duration) -> bool {
        self.watched.load(SeqCst) || {
            let waits = self.is_waiting();
            if waits {
                self.watch(within);
            }
            waits
        }
    }

    /// Sees to it that the present wait, or the next, ends within this time.
    pub(crate) fn watch(&self, within: Duration) {
        if !self.watched.swap(true, SeqCst) {
            self.set_alarm((self.now() + within).as_nanos());
        }
    }

    pub(crate) fn cancel_timer(&self, key: TimerKey) {
        let which = usize::try_from(key.0 >> Key::BITS).ok().and_then(|which| self.wheels.get(which));
        let waker = which.zip(Key::from_bits(key.0)).and_then(|(wheel, key)| locked(wheel).cancel(key));
        drop(waker);
    }

    /// Forgets all timers.
    pub(crate) fn clear(&self) {
        for wheel in &self.wheels {
            let wheel = std::mem::replace(&mut *locked(wheel), Wheel::new(0));
            drop(wheel);
        }
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

    /// The right to turn it, for one who would wait: if somebody else has it and does not wait, that one is
    /// told by [`take_wanted`](Self::take_wanted).
    pub(crate) fn try_turn_or_want(&self) -> Option<Turn<'_>> {
        self.wanted.store(true, SeqCst);
        // Either this sees that nobody turns it any more, or whoever did sees that it is wanted.
        fence(SeqCst);
        let turn = self.try_turn();
        if turn.is_some() || self.is_waiting() {
            self.wanted.store(false, SeqCst);
        }
        turn
    }

    /// Whether somebody sleeps who is to be woken, now that nobody turns it. For whoever did.
    pub(crate) fn take_wanted(&self) -> bool {
        fence(SeqCst);
        self.wanted.load(SeqCst) && self.wanted.swap(false, SeqCst)
    }

    /// A thread waits in the reactor.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.load(SeqCst)
    }

    /// Nobody waits in the reactor, and nobody turned it for at least `time`.
    pub(crate) fn is_neglected(&self, time: Duration) -> bool {
        !self.is_waiting() && self.now() - Time::from_nanos(self.last_turn.load(Relaxed)) >= time
    }
}

/// The right to turn the driver.
pub(crate) struct Turn<'a> {
    driver: &'a Driver,
    turning: MutexGuard<'a, Turning>,
}

impl Turn<'_> {
    /// Waits until something is due, or [`Driver::wake`].
    pub(crate) fn wait(&mut self) {
        self.driver.waiting.store(true, SeqCst);
        self.turning.reactor.wait(true);
        self.driver.waiting.store(false, SeqCst);
    }

    /// Handles what is due now.
    pub(crate) fn poll(&mut self) {
        self.turning.reactor.wait(false);
        self.handle();
    }

    /// Wakes whoever waited for what the wait has found.
    pub(crate) fn handle(&mut self) {
        let Turning { reactor, due, ready } = &mut *self.turning;
        let driver = self.driver;
        let now = driver.now();
        driver.last_turn.store(now.as_nanos(), Relaxed);
        let rung = driver.alarm_at.load(SeqCst) <= now.as_nanos();
        if rung {
            let _alone = locked(&driver.setting);
            driver.alarm_at.store(u64::MAX, SeqCst);
            driver.watched.store(false, SeqCst);
        }
        let mut next = u64::MAX;
        for wheel in &driver.wheels {
            let mut wheel = locked(wheel);
            wheel.advance(now.as_nanos(), due);
            next = next.min(wheel.next_deadline().unwrap_or(u64::MAX));
        }
        if due.len() > 1 {
            driver.rest_until.store((now + REST).as_nanos(), Relaxed);
        }
        if rung {
            driver.set_alarm(next);
        }
        reactor.dispatch(&driver.reactor, ready);
        due.drain(..).for_each(|(_, waker)| waker.wake());
        ready.drain(..).for_each(Waker::wake);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::Arc;
    use std::task::Wake;

    use super::*;

    /// Its references are the timers that have not fired, and the test's own.
    struct Counted;

    impl Wake for Counted {
        fn wake(self: Arc<Self>) {}
    }

    #[test]
    fn a_timer_is_found_in_the_wheel_that_it_is_in() {
        let driver = Driver::new(3).unwrap();
        let counted = Arc::new(Counted);
        let set = |worker, at| driver.add_timer(worker, at, counted.clone().into());
        let (soon, late) = (Time::ZERO, driver.now() + Duration::from_secs(3600));
        let keys: Vec<_> = (0..5).map(|worker| (set(worker, soon), set(worker, late))).collect();
        assert_eq!(Arc::strong_count(&counted), 11);
        driver.try_turn().unwrap().poll();
        assert_eq!(Arc::strong_count(&counted), 6);
        for (fired, waiting) in keys {
            driver.cancel_timer(fired);
            let before = Arc::strong_count(&counted);
            driver.cancel_timer(waiting);
            driver.cancel_timer(waiting);
            assert_eq!(Arc::strong_count(&counted), before - 1);
        }
        assert_eq!(Arc::strong_count(&counted), 1);
    }

    #[test]
    fn the_alarm_stays_at_the_earliest_timer_that_was_set() {
        let driver = Driver::new(2).unwrap();
        let set = |worker, seconds| {
            let at = driver.now() + Duration::from_secs(seconds);
            driver.add_timer(worker, at, Waker::noop().clone())
        };
        let alarm = || driver.alarm_at.load(SeqCst);
        assert_eq!(alarm(), u64::MAX);
        set(0, 200);
        let first = alarm();
        set(1, 300);
        assert_eq!(alarm(), first);
        let sooner = set(1, 100);
        let second = alarm();
        assert!(second < first);
        driver.cancel_timer(sooner);
        driver.try_turn().unwrap().poll();
        assert_eq!(alarm(), second);
    }
}
