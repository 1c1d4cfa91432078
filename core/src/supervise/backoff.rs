//! How long a child that keeps ending has to wait: exponential, capped, with jitter.
//!
//! Pure: the jitter is a hash of seed, name and count. The seed is the host's, unless it is given: so
//! two machines wait different times, and a lab replays them.

use std::time::Duration;

/// The wait before a restart: it doubles with each restart in a row up to a cap.
///
/// A child that ran for longer than both the cap and the supervisor's period is in good health: its
/// next restart counts as the first again.
///
/// ```
/// use asupersync_core::supervise::Backoff;
/// use std::time::Duration;
/// let backoff = Backoff::exponential(Duration::from_millis(100), Duration::from_secs(1));
/// let waits: Vec<u128> = (1..=5).map(|n| backoff.delay("db", n).as_millis()).collect();
/// assert_eq!(waits, [100, 200, 400, 800, 1000]);
/// let spread = backoff.jitter(50).delay("db", 5).as_millis();
/// assert!((500..=1000).contains(&spread));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Backoff {
    first: Duration,
    cap: Duration,
    jitter: u8,
    seed: Option<u64>,
}

impl Backoff {
    /// No wait: a child is started again at once, as in OTP.
    pub const NONE: Backoff = Backoff { first: Duration::ZERO, cap: Duration::ZERO, jitter: 0, seed: None };

    /// Waits `first` before the first restart, twice that before the second, and never more than
    /// `cap`.
    pub const fn exponential(first: Duration, cap: Duration) -> Self {
        Backoff { first, cap, jitter: 0, seed: None }
    }

    /// Takes up to `percent` of each wait off it, so that children that failed together do not come
    /// back together. More than 100 counts as 100. Default: 0.
    #[must_use]
    pub const fn jitter(mut self, percent: u8) -> Self {
        self.jitter = if percent > 100 { 100 } else { percent };
        self
    }

    /// What the jitter depends on besides the child's name and the count of its restarts. Default: each
    /// run of a supervisor has a seed of its own, from the host, so that the machines of a fleet differ.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// With the seed that `draw` gives, if one is needed and none was given.
    pub(super) fn or_seed(mut self, draw: impl FnOnce() -> u64) -> Self {
        if self.jitter > 0 {
            self.seed.get_or_insert_with(draw);
        }
        self
    }

    /// The wait before the `restart`th restart in a row, counted from 1, of the child `name`. Without a
    /// seed, that of seed 0.
    pub fn delay(&self, name: &str, restart: u32) -> Duration {
        let doubled = 1u32.checked_shl(restart.saturating_sub(1)).unwrap_or(u32::MAX);
        let full = self.first.saturating_mul(doubled).min(self.cap);
        // The host's time has 64 bits, too; products then fit into 128.
        let full = u64::try_from(full.as_nanos()).unwrap_or(u64::MAX);
        let most = u128::from(full) * u128::from(self.jitter) / 100;
        let off = (most * u128::from(self.noise(name, restart))) >> 64;
        Duration::from_nanos(u64::try_from(u128::from(full) - off).unwrap_or(full))
    }

    pub(super) fn cap(&self) -> Duration {
        self.cap
    }

    /// A number that looks random and is not.
    fn noise(&self, name: &str, restart: u32) -> u64 {
        name.bytes().fold(stir(self.seed.unwrap_or(0) ^ u64::from(restart)), |hash, byte| {
            stir(hash ^ u64::from(byte))
        })
    }
}

/// Moves every bit of `x` about: steps that each can be undone, so that nothing falls together.
fn stir(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    let x = (x ^ (x >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    x ^ (x >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn waits_double_up_to_the_cap_and_never_overflow() {
        let backoff = Backoff::exponential(MS(3), MS(40));
        let waits: Vec<Duration> = [0, 1, 2, 3, 4, 5, 31, 32, 33, 64, u32::MAX]
            .into_iter()
            .map(|restart| backoff.delay("x", restart))
            .collect();
        let wanted = [3, 3, 6, 12, 24, 40, 40, 40, 40, 40, 40].map(MS);
        assert_eq!(waits, wanted);
        assert_eq!(Backoff::NONE.delay("x", 9), Duration::ZERO);
        let huge = Backoff::exponential(Duration::MAX, Duration::MAX).jitter(100);
        assert!(huge.delay("x", 40) > Duration::ZERO);
    }

    #[test]
    fn jitter_stays_within_its_share_and_is_the_same_each_time() {
        let backoff = Backoff::exponential(MS(1000), MS(1000)).jitter(30);
        let waits: Vec<Duration> = (1..=200).map(|restart| backoff.delay("x", restart)).collect();
        assert!(waits.iter().all(|wait| (MS(700)..=MS(1000)).contains(wait)));
        let (least, most) = (waits.iter().min().unwrap(), waits.iter().max().unwrap());
        assert!(*least < MS(730) && *most > MS(970), "not spread: {least:?} to {most:?}");
        assert_eq!(waits, (1..=200).map(|restart| backoff.delay("x", restart)).collect::<Vec<_>>());
    }

    #[test]
    fn name_count_and_seed_each_make_a_difference() {
        let backoff = Backoff::exponential(MS(1000), MS(1000)).jitter(100);
        let base = backoff.delay("a", 1);
        assert_ne!(base, backoff.delay("b", 1));
        assert_ne!(base, backoff.delay("a", 2));
        assert_ne!(base, backoff.seed(1).delay("a", 1));
    }
}
