//! When what is queued is left to those who are awake, though others sleep.
//!
//! A task that runs elsewhere than where it was queued brings its cell, its region and whoever joins it to the
//! cache of another core, which costs about half a microsecond, besides the wake of that worker. Where turns are
//! shorter than that, two workers need more time for the same than one. So while turns are *quick*, nobody is
//! woken for one more task; somebody who sleeps will *look*, soon.
//!
//! | who | when | does |
//! |---|---|---|
//! | a worker | it was awake for [`MEASURE`] | tells how many turns it had; all of them together say whether turns are quick: each took less than [`TURN`], and few were of tasks that yield, which have more to do and are worth moving |
//! | a worker | it takes a task that came from outside | is the *keeper* of those from then on, until it sleeps; while they are few, others leave them to it |
//! | whoever queues | turns are quick; from outside, few tasks wait there and they have a keeper | unless that is so already, sets the driver's alarm, which ends the wait of the one who sleeps there in [`LOOK`]; wakes one at once if nobody waits there |
//! | one who goes to sleep | at its last look | leaves to the others what is in their rings and in the Cancel lane, and to the keeper the few from outside, and will look again in [`LOOK`] |
//! | one who looks | another was *slow* since the last looks: it had far fewer turns than a quick one has | helps it: it is in a long poll |
//!
//! Where workers are in each other's way turns take longer than by themselves: those of up to twice [`TURN`] are
//! *tried*. If they are not quick then, the next try comes later and later.
//!
//! The Cancel lane is everybody's: whoever polls at all takes the next task from there. So what a worker queues
//! there is left to those who are awake while one of them is quick, above all itself; what comes from outside wakes
//! somebody at once.
//!
//! A task may so wait for four looks, a millisecond, behind a poll that is suddenly long. If whoever was to look
//! has got into a long poll itself, the [`monitor`](crate::monitor) wakes another.
//!
//! Invariant: whoever queues does so before it asks who sleeps, and whoever sleeps is listed before its last look;
//! so what is queued last is seen by that look, or told. The keeper is none from before its last look on.

use std::time::Duration;

use asupersync_core::Time;

use crate::primitive::{AtomicBool, AtomicUsize, Mutex, PoisonError, SeqCst, fence};
use crate::shared::Shared;

/// A quick turn takes less than this.
const TURN: Duration = Duration::from_micros(1);
/// One long poll among many short turns is no sign.
pub(crate) const MEASURE: Duration = Duration::from_millis(1);
/// How soon somebody looks.
pub(crate) const LOOK: Duration = Duration::from_micros(250);
/// After so long, what was seen at the last look tells nothing: the number of a turn has come back.
const STALE: Duration = Duration::from_millis(2);
/// One who has had a turn for each so many of the turns that it would have if all were of [`TURN`] is quick enough.
const SLOW: u32 = 8;
/// It is helped when it was slow at so many looks in a row: one poll that spawns a thousand tasks is no reason.
const PATIENCE: u8 = 3;
/// After a try that failed, the next comes after at most so many measures: about a second.
const BACK_OFF: u32 = 512;
/// Measures in which a try may be slow: what is already queued at several workers is run there first.
const GRACE: u32 = 4;
/// So many tasks from outside are more than those who are awake are left alone with.
const MANY: usize = 64;

/// No worker.
const NONE: usize = usize::MAX;

/// What all workers together measured.
pub(crate) struct Pace {
    quick: AtomicBool,
    keeper: AtomicUsize,
    measured: Mutex<Measured>,
}

#[derive(Default)]
struct Measured {
    all: Stretch,
    /// Measures until the next try.
    wait: u32,
    /// What that will be after one that fails.
    back_off: u32,
    /// Measures that may still be slow.
    grace: u32,
}

/// Some time in which workers were awake.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stretch {
    pub(crate) lasting: Duration,
    pub(crate) turns: u32,
    /// Turns of tasks that then yielded.
    pub(crate) yields: u32,
}

impl Pace {
    pub(crate) fn new() -> Self {
        let (quick, keeper) = (AtomicBool::new(false), AtomicUsize::new(NONE));
        Pace { quick, keeper, measured: Mutex::default() }
    }

    /// What one of so many workers measured.
    pub(crate) fn add(&self, stretch: Stretch, workers: usize) {
        let mut measured = self.measured.lock().unwrap_or_else(PoisonError::into_inner);
        let all = &mut measured.all;
        all.lasting += stretch.lasting;
        all.turns = all.turns.saturating_add(stretch.turns);
        all.yields = all.yields.saturating_add(stretch.yields);
        if all.lasting >= MEASURE * workers as u32 {
            let quick = measured.judge(self.is_quick());
            self.quick.store(quick, SeqCst);
        }
    }

    fn is_quick(&self) -> bool {
        self.quick.load(SeqCst)
    }

    fn keeper(&self) -> Option<usize> {
        Some(self.keeper.load(SeqCst)).filter(|&keeper| keeper != NONE)
    }

    /// This worker takes a task that came from outside.
    pub(crate) fn keep(&self, me: usize) {
        if self.is_quick() && self.keeper() != Some(me) {
            self.keeper.store(me, SeqCst);
        }
    }

    /// Before the last look of one who goes to sleep.
    pub(crate) fn keep_no_longer(&self, me: usize) {
        // Another may take that over at this very moment.
        if self.keeper() == Some(me) {
            let _ = self.keeper.compare_exchange(me, NONE, SeqCst, SeqCst);
        }
    }
}

impl Measured {
    /// Are turns quick from now on, if until now they were taken for that?
    fn judge(&mut self, quick: bool) -> bool {
        let all = std::mem::take(&mut self.all);
        let limit = if quick { TURN } else { TURN * 2 };
        let holds = all.lasting < limit * all.turns && all.yields < all.turns / 4;
        match (quick, holds) {
            (true, true) => self.back_off /= 2,
            (true, false) if self.grace > 0 => self.grace -= 1,
            (true, false) => {
                self.back_off = (self.back_off * 2).clamp(1, BACK_OFF);
                self.wait = self.back_off;
                return false;
            }
            (false, true) if self.wait == 0 => self.grace = GRACE,
            (false, _) => {
                self.wait = self.wait.saturating_sub(1);
                return false;
            }
        }
        true
    }
}

/// What is queued where a worker could take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Left {
    Nothing,
    /// It is left to those who are awake.
    ToOthers,
    Work,
}

/// The others' progress, as one worker saw it last.
pub(crate) struct Watch {
    seen: Box<[Seen]>,
}

#[derive(Clone, Copy, Default)]
struct Seen {
    turn: u16,
    at: Option<Time>,
    /// At how many looks in a row it was slow.
    slow: u8,
}

impl Watch {
    pub(crate) fn new(workers: usize) -> Self {
        Watch { seen: vec![Seen::default(); workers].into() }
    }

    /// Sees what progress the others have made since it last looked.
    pub(crate) fn look(&mut self, shared: &Shared) {
        if shared.pace.is_quick() {
            let now = shared.driver.now();
            for (seen, polling) in self.seen.iter_mut().zip(&shared.polling) {
                seen.see(polling.turn(), now);
            }
        }
    }

    /// What this worker queued is its own business.
    pub(crate) fn leaves(&self, shared: &Shared, worker: usize) -> bool {
        shared.pace.is_quick() && self.seen[worker].slow < PATIENCE
    }

    /// What came from outside is the keeper's, who is not `me`.
    pub(crate) fn leaves_injected(&self, shared: &Shared, me: usize) -> bool {
        let keeper = shared.pace.keeper().filter(|&keeper| keeper != me);
        keeper.is_some_and(|keeper| self.leaves(shared, keeper)) && shared.lanes.ready.len() < MANY
    }

    /// What is in the Cancel lane is the business of others, who are awake if fewer `sleep` than there are others.
    pub(crate) fn leaves_cancelled(&self, shared: &Shared, me: usize, sleep: usize) -> bool {
        sleep + 1 < shared.workers
            && (0..shared.workers).any(|other| other != me && self.leaves(shared, other))
    }

    /// What there is to do, for `me` or any other.
    pub(crate) fn left(&self, shared: &Shared, me: usize) -> Left {
        let lanes = &shared.lanes;
        if !lanes.timed.is_empty() {
            return Left::Work;
        }
        // Whoever looks is on the list of those who sleep, or is awake, which is as good as another one.
        let sleep = || shared.idle.sleeping().saturating_sub(1);
        let cancelled = (!lanes.cancel.is_empty()).then(|| self.leaves_cancelled(shared, me, sleep()));
        let rings = shared.stealers.iter().enumerate().filter(|(_, stealer)| !stealer.is_empty());
        let rings = rings.map(|(worker, _)| self.leaves(shared, worker));
        let outside = (!lanes.ready.is_empty()).then(|| self.leaves_injected(shared, me));
        let left = rings
            .chain(outside)
            .chain(cancelled)
            .map(|leaves| if leaves { Left::ToOthers } else { Left::Work });
        left.max().unwrap_or(Left::Nothing)
    }
}

impl Seen {
    fn see(&mut self, turn: u16, now: Time) {
        let Some(at) = self.at.filter(|&at| now - at < STALE) else {
            *self = Seen { turn, at: Some(now), slow: 0 };
            return;
        };
        let lasting = now - at;
        if lasting >= LOOK / 2 {
            let turns = u32::from(turn.wrapping_sub(self.turn));
            let slow = if TURN * turns * SLOW < lasting { self.slow.saturating_add(1) } else { 0 };
            *self = Seen { turn, at: Some(now), slow };
        }
    }
}

impl Shared {
    /// Wakes a worker for something that a worker queued, or leaves it to that.
    pub(crate) fn notify_of_own(&self) {
        self.notify_unless(|| true);
    }

    /// Wakes a worker for something that was queued from outside, or leaves it to the keeper.
    pub(crate) fn notify_of_injected(&self) {
        self.notify_unless(|| self.pace.keeper().is_some() && self.lanes.ready.len() < MANY);
    }

    /// Wakes a worker, unless turns are quick, somebody awake `has` what was queued, and nobody sleeps or one
    /// who does will look.
    fn notify_unless(&self, has: impl FnOnce() -> bool) {
        let left = self.pace.is_quick() && {
            // After it was queued, as the invariant says.
            fence(SeqCst);
            has() && (self.idle.sleeping() == 0 || self.driver.is_watched(LOOK))
        };
        if !left {
            self.notify();
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn at(micros: u64) -> Time {
        Time::from_nanos(micros * 1000)
    }

    #[test]
    fn who_has_few_turns_is_slow_until_it_has_many() {
        let mut seen = Seen::default();
        let mut slow = |turn, micros| {
            seen.see(turn, at(micros));
            seen.slow
        };
        assert_eq!(slow(10, 0), 0, "nothing is known yet");
        assert_eq!(slow(10, 100), 0, "it is too early to tell");
        assert_eq!(slow(10, 250), 1);
        assert_eq!(slow(11, 500), 2, "one turn, however long the poll was");
        assert_eq!(slow(300, 750), 0);
        assert_eq!(slow(300, 5000), 0, "that was too long ago");
    }

    #[test]
    fn the_number_of_a_turn_comes_back() {
        let mut seen = Seen::default();
        seen.see(u16::MAX - 10, at(0));
        seen.see(300, at(250));
        assert_eq!(seen.slow, 0);
    }

    #[test]
    fn turns_are_quick_if_they_are_for_all_workers_together() {
        let pace = Pace::new();
        let add = |turns, yields| {
            pace.add(Stretch { lasting: MEASURE, turns, yields }, 2);
            pace.is_quick()
        };
        assert!(!add(1200, 0), "the other has not told yet");
        assert!(add(4, 0), "one queues a thousand, the other runs them, and both are in each other's way");
        assert!((0..2 * GRACE).all(|_| add(999, 0)), "what several have queued is run by several");
        add(999, 0);
        assert!(!add(999, 0), "without that they are as slow");
    }

    #[test]
    fn turns_of_tasks_that_yield_are_not_quick() {
        let pace = Pace::new();
        pace.add(Stretch { lasting: MEASURE, turns: 5000, yields: 4000 }, 1);
        assert!(!pace.is_quick());
        pace.add(Stretch { lasting: MEASURE, turns: 5000, yields: 1000 }, 1);
        assert!(pace.is_quick());
    }

    #[test]
    fn tries_that_fail_come_later_and_later() {
        let pace = Pace::new();
        let tried = (0..2000).filter(|_| {
            pace.add(Stretch { lasting: MEASURE, turns: 600, yields: 0 }, 1);
            pace.is_quick()
        });
        let tries = tried.count() as u32 / (GRACE + 1);
        assert!((8..16).contains(&tries), "{tries} of 2000");
    }
}
