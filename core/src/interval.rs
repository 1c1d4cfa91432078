//! Points in time at the same distance from each other.

use std::time::Duration;

use crate::cancel::Cancelled;
use crate::caps::HasTime;
use crate::clock::Clock;
use crate::cx::Cx;
use crate::time::Time;

/// Ticks with a period; from [`Cx::interval`] or [`Clock::interval`].
#[derive(Debug)]
#[must_use = "it ticks only for whoever awaits that"]
pub struct Interval {
    next: Time,
    period: Duration,
}

impl Interval {
    fn new(now: Time, period: Duration) -> Self {
        Interval { next: now, period }
    }

    /// Waits for the next tick, and tells when it was due. Ticks that passed while nobody waited are
    /// one, as with Tokio's `MissedTickBehavior::Skip`; those after it are due when they always were.
    ///
    /// # Errors
    /// `Cancelled` at Request.
    ///
    /// # Cancel safety
    /// The tick stays: the next call tells of it.
    pub async fn tick<C>(&mut self, cx: &Cx<C>) -> Result<Time, Cancelled> {
        cx.wait_until(self.next).await?;
        let (due, now) = (self.next, cx.host().now());
        let missed = (now - due).as_nanos().checked_div(self.period.as_nanos()).unwrap_or(0);
        let last = due + nanos(missed * self.period.as_nanos());
        self.next = last + self.period;
        Ok(last)
    }
}

/// Shorter than the host's time, which has 64 bits.
fn nanos(nanos: u128) -> Duration {
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

impl Clock {
    /// As [`Cx::interval`].
    pub fn interval(&self, period: Duration) -> Interval {
        Interval::new(self.now(), period)
    }
}

impl<C> Cx<C> {
    /// Ticks with this period, the first at once. With a period of zero, each is due at once.
    ///
    /// ```
    /// # use asupersync::{Cx, Outcome};
    /// # use std::time::Duration;
    /// # #[asupersync::main]
    /// # async fn main(cx: &Cx) -> Outcome {
    /// let mut ticks = cx.interval(Duration::from_millis(2));
    /// let first = ticks.tick(cx).await?;
    /// assert!(ticks.tick(cx).await? >= first + Duration::from_millis(2));
    /// # Ok(())
    /// # }
    /// ```
    pub fn interval(&self, period: Duration) -> Interval
    where
        C: HasTime,
    {
        Interval::new(self.now(), period)
    }
}
