//! Budgets: how much a drain, a finalizer or a piece of work may still use.
//!
//! A budget is a product of optional limits, combined with [`Budget::meet`], the component-wise
//! minimum. A child's budget is always met with its parent's, so it never exceeds it.

use std::time::Duration;

use crate::time::Time;

/// A limit on time: relative to when its clock starts, absolute, or both.
///
/// The clock of a *drain* budget starts at Request, that of a *finalize* budget when the region
/// has drained.
///
/// ```
/// use asupersync_core::{Budget, Time};
/// use std::time::Duration;
/// let five = Budget::timeout(Duration::from_secs(5));
/// let two = Budget::timeout(Duration::from_secs(2));
/// let now = Time::ZERO;
/// assert_eq!(five.meet(two).deadline_from(now), now + Duration::from_secs(2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Budget {
    timeout: Option<Duration>,
    deadline: Option<Time>,
}

impl Budget {
    /// No limit at all.
    pub const UNLIMITED: Budget = Budget { timeout: None, deadline: None };

    /// At most `timeout` from the moment the budget's clock starts.
    pub const fn timeout(timeout: Duration) -> Self {
        Budget { timeout: Some(timeout), deadline: None }
    }

    /// Until the absolute point `deadline` on the host's clock.
    pub const fn deadline(deadline: Time) -> Self {
        Budget { timeout: None, deadline: Some(deadline) }
    }

    /// Component-wise minimum: what satisfies both budgets.
    #[must_use]
    pub fn meet(self, other: Budget) -> Budget {
        Budget { timeout: least(self.timeout, other.timeout), deadline: least(self.deadline, other.deadline) }
    }

    /// Where this budget ends if its clock starts at `now`; [`Time::MAX`] when unlimited. One whose
    /// deadline is past ends when it begins, at `now`.
    pub fn deadline_from(self, now: Time) -> Time {
        let relative = self.timeout.map_or(Time::MAX, |timeout| now + timeout);
        relative.min(self.deadline.unwrap_or(Time::MAX)).max(now)
    }
}

fn least<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn meet_is_the_lower_bound_and_never_grows() {
        let a = Budget::timeout(MS(5));
        let b = Budget::deadline(Time::ZERO + MS(3));
        for now in [Time::ZERO, Time::ZERO + MS(1), Time::ZERO + MS(10)] {
            let met = a.meet(b).deadline_from(now);
            assert_eq!(met, a.deadline_from(now).min(b.deadline_from(now)));
            assert_eq!(met, b.meet(a).deadline_from(now));
        }
        assert_eq!(a.meet(a), a);
        assert_eq!(a.meet(Budget::UNLIMITED), a);
    }

    #[test]
    fn one_that_is_over_ends_when_it_begins() {
        let now = Time::ZERO + MS(9);
        assert_eq!(Budget::deadline(Time::ZERO).deadline_from(now), now);
        assert_eq!(Budget::timeout(MS(0)).deadline_from(now), now);
    }

    #[test]
    fn unlimited_never_ends() {
        assert_eq!(Budget::UNLIMITED.deadline_from(Time::from_nanos(7)), Time::MAX);
    }
}
