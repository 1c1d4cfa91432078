//! Restart intensity: how many restarts there may be within a period, as a sliding window.
//!
//! Invariant: at most `max` points in time are kept.

use std::collections::VecDeque;
use std::time::Duration;

use crate::time::Time;

/// The restarts of the last `period`.
#[derive(Clone, Debug)]
pub(super) struct Window {
    pub(super) max: u32,
    pub(super) period: Duration,
    restarts: VecDeque<Time>,
}

impl Window {
    pub(super) const fn new(max: u32, period: Duration) -> Self {
        Window { max, period, restarts: VecDeque::new() }
    }

    /// Counts a restart at `now`, unless that would be one too many.
    #[must_use]
    pub(super) fn admit(&mut self, now: Time) -> bool {
        while self.restarts.front().is_some_and(|&at| now - at > self.period) {
            self.restarts.pop_front();
        }
        let admitted = self.restarts.len() < self.max as usize;
        if admitted {
            self.restarts.push_back(now);
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Time {
        Time::ZERO + Duration::from_millis(ms)
    }

    /// Every sequence of 8 restarts with gaps of 0 to 3: compared with counting all of them anew.
    #[test]
    fn no_period_sees_more_than_max() {
        for max in 0..4 {
            for code in 0..4u32.pow(7) {
                let mut window = Window::new(max, Duration::from_millis(3));
                let (mut now, mut admitted) = (0, Vec::<u64>::new());
                for step in 0..8 {
                    let within = admitted.iter().filter(|&&then| now - then <= 3).count();
                    let fits = within < max as usize;
                    assert_eq!(window.admit(at(now)), fits, "max {max}, code {code}, at {now}");
                    if fits {
                        admitted.push(now);
                    }
                    assert!(window.restarts.len() <= max as usize);
                    now += u64::from(code / 4u32.pow(step.min(6)) % 4);
                }
            }
        }
    }
}
