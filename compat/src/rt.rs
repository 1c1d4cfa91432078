//! hyper's runtime traits on a region and its host: what hyper spawns is owned, and what it waits
//! for is the host's clock, real or simulated.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use asupersync_core::caps::{HasSpawn, HasTime};
use asupersync_core::{Alarm, Cx, Time};
use hyper::rt;

/// Spawns into a region: hyper's background work ends before the region closes.
pub struct Executor<C = asupersync_core::All> {
    cx: Cx<C>,
}

impl<C> Executor<C> {
    /// Spawns into the region of `cx`. Once that is under Request nothing starts any more, nor
    /// where the authority to start tasks was taken away.
    pub fn new(cx: &Cx<C>) -> Self {
        Executor { cx: cx.clone() }
    }
}

impl<C> Clone for Executor<C> {
    fn clone(&self) -> Self {
        Executor::new(&self.cx)
    }
}

impl<C, F> rt::Executor<F> for Executor<C>
where
    C: HasSpawn,
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, future: F) {
        drop(self.cx.spawn_future("hyper", async move { drop(future.await) }));
    }
}

/// hyper's timer on the host's clock.
///
/// hyper speaks of [`Instant`]s; they are made from the host's time, counted from the moment this
/// timer was made, so a simulated clock moves them too.
///
/// Best used by one connection: hyper starts and drops a wait for each request, and this keeps the
/// host's timer of the last one, to be used by the next. A clone keeps its own.
pub struct Timer<C = asupersync_core::All> {
    clock: Clock<C>,
    epoch: Instant,
    since: Time,
}

/// The host's timers, and the one that is kept.
struct Clock<C> {
    cx: Cx<C>,
    kept: Arc<Mutex<Option<Alarm>>>,
}

impl<C> Clock<C> {
    fn new(cx: &Cx<C>, kept: Arc<Mutex<Option<Alarm>>>) -> Self {
        Clock { cx: cx.clone(), kept }
    }

    fn kept(&self) -> MutexGuard<'_, Option<Alarm>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn at(&self, deadline: Time) -> Sleep<C> {
        Sleep { clock: Clock::new(&self.cx, self.kept.clone()), deadline, alarm: None }
    }
}

impl<C: HasTime> Timer<C> {
    /// The clock of the host that `cx` runs on.
    pub fn new(cx: &Cx<C>) -> Self {
        Timer { clock: Clock::new(cx, Arc::default()), epoch: Instant::now(), since: cx.now() }
    }

    fn time_of(&self, instant: Instant) -> Time {
        self.since + instant.saturating_duration_since(self.epoch)
    }
}

impl<C> Clone for Timer<C> {
    fn clone(&self) -> Self {
        Timer { clock: Clock::new(&self.clock.cx, Arc::default()), ..*self }
    }
}

impl<C: HasTime> rt::Timer for Timer<C> {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn rt::Sleep>> {
        Box::pin(self.clock.at(self.clock.cx.now() + duration))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn rt::Sleep>> {
        Box::pin(self.clock.at(self.time_of(deadline)))
    }

    fn now(&self) -> Instant {
        self.epoch + (self.clock.cx.now() - self.since)
    }

    fn reset(&self, sleep: &mut Pin<Box<dyn rt::Sleep>>, deadline: Instant) {
        match sleep.as_mut().downcast_mut_pin::<Sleep<C>>() {
            Some(mut sleep) => sleep.deadline = self.time_of(deadline),
            None => *sleep = self.sleep_until(deadline),
        }
    }
}

/// The wait for a point of the host's time. No request ends it: when a wait is over early is
/// hyper's to say.
///
/// Its alarm may ring earlier, never later: one that was kept from another wait wakes once for
/// nothing, and is then set anew.
struct Sleep<C> {
    clock: Clock<C>,
    deadline: Time,
    alarm: Option<Alarm>,
}

impl<C: HasTime> Future for Sleep<C> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<()> {
        let Sleep { clock, deadline, alarm } = &mut *self;
        let alarm = match alarm {
            Some(alarm) if alarm.deadline() <= *deadline => alarm,
            _ => {
                let kept = clock.kept().take().filter(|kept| kept.deadline() <= *deadline);
                alarm.insert(kept.unwrap_or_else(|| clock.cx.alarm(*deadline)))
            }
        };
        loop {
            ready!(Pin::new(&mut *alarm).poll(task));
            if alarm.deadline() >= *deadline {
                return Poll::Ready(());
            }
            *alarm = clock.cx.alarm(*deadline);
        }
    }
}

impl<C> Drop for Sleep<C> {
    fn drop(&mut self) {
        let stale = match self.alarm.take() {
            Some(alarm) => self.clock.kept().replace(alarm),
            None => None,
        };
        drop(stale);
    }
}

impl<C: HasTime> rt::Sleep for Sleep<C> {}
