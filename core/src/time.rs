//! Time as a host tells it: nanoseconds since that host started.
//!
//! Core has no clock of its own. Every reading comes from [`Host::now`](crate::host::Host::now),
//! so the same code runs on the wall clock of the native host and on the virtual time of a lab.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// A point in a host's time, in nanoseconds since the host started. Monotone.
///
/// Arithmetic saturates: [`Time::MAX`] reads as "never".
///
/// ```
/// use asupersync_core::Time;
/// use std::time::Duration;
/// let t = Time::ZERO + Duration::from_millis(5);
/// assert_eq!(t - Time::ZERO, Duration::from_millis(5));
/// assert_eq!(Time::MAX + Duration::from_secs(1), Time::MAX);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(u64);

impl Time {
    /// The moment the host started.
    pub const ZERO: Time = Time(0);
    /// A moment that never comes.
    pub const MAX: Time = Time(u64::MAX);

    /// The point `nanos` nanoseconds after the host's start.
    pub const fn from_nanos(nanos: u64) -> Self {
        Time(nanos)
    }

    /// Nanoseconds since the host's start.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }
}

impl Add<Duration> for Time {
    type Output = Time;
    fn add(self, rhs: Duration) -> Time {
        let nanos = u64::try_from(rhs.as_nanos()).unwrap_or(u64::MAX);
        Time(self.0.saturating_add(nanos))
    }
}

impl Sub for Time {
    type Output = Duration;
    /// The time from `rhs` to `self`; zero when `rhs` is later.
    fn sub(self, rhs: Time) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(rhs.0))
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Time::MAX => f.write_str("never"),
            Time(nanos) => write!(f, "{:?}", Duration::from_nanos(nanos)),
        }
    }
}
