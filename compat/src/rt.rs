//! hyper's runtime traits on a region and its host: what hyper spawns is owned, and what it waits
//! for is the host's clock, real or simulated.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use asupersync_core::{Alarm, Cx, Time};
use hyper::rt;

/// Spawns into a region: hyper's background work ends before the region closes.
pub struct Executor<C = asupersync_core::All> {
    cx: Cx<C>,
}

impl<C> Executor<C> {
    /// Spawns into the region of `cx`. Once that is under Request nothing starts any more.
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
    C: Send + Sync + 'static,
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
pub struct Timer<C = asupersync_core::All> {
    cx: Cx<C>,
    epoch: Instant,
    since: Time,
}

impl<C> Timer<C> {
    /// The clock of the host that `cx` runs on.
    pub fn new(cx: &Cx<C>) -> Self {
        Timer { cx: cx.clone(), epoch: Instant::now(), since: cx.now() }
    }

    fn at(&self, deadline: Time) -> Pin<Box<dyn rt::Sleep>> {
        Box::pin(Sleep { alarm: self.cx.alarm(deadline) })
    }

    fn time_of(&self, instant: Instant) -> Time {
        self.since + instant.saturating_duration_since(self.epoch)
    }
}

impl<C> Clone for Timer<C> {
    fn clone(&self) -> Self {
        Timer { cx: self.cx.clone(), ..*self }
    }
}

impl<C: Send + Sync + 'static> rt::Timer for Timer<C> {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn rt::Sleep>> {
        self.at(self.cx.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn rt::Sleep>> {
        self.at(self.time_of(deadline))
    }

    fn now(&self) -> Instant {
        self.epoch + (self.cx.now() - self.since)
    }

    fn reset(&self, sleep: &mut Pin<Box<dyn rt::Sleep>>, deadline: Instant) {
        let deadline = self.time_of(deadline);
        match sleep.as_mut().downcast_mut_pin::<Sleep>() {
            Some(mut sleep) => sleep.alarm = self.cx.alarm(deadline),
            None => *sleep = self.at(deadline),
        }
    }
}

/// The wait for a point of the host's time. No request ends it: when a wait is over early is
/// hyper's to say.
struct Sleep {
    alarm: Alarm,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.alarm).poll(task)
    }
}

impl rt::Sleep for Sleep {}
