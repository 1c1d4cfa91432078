//! Which lane runs next: one pure function, the same in production and in the lab.
//!
//! Three lanes: *Cancel* (tasks under a cancel request) over *Timed* (tasks with a deadline) over
//! *Ready*. Priority is strict, with a bound on starvation: a waiting lane that has been passed
//! over a fixed number of times is *due*, and a due lane goes first.
//!
//! # Protocol
//!
//! Before each poll the worker says which lanes have something runnable and calls [`Policy::pick`].
//! It polls one task of the chosen lane and keeps the policy that came back. No clock, no queue, no
//! memory beyond two counters: the same inputs always give the same picks. A limit in time (one
//! long cancel poll) is the worker's business.
//!
//! # The rule
//!
//! 1. Timed is due once [`CANCEL_BURST`] picks in a row went to Cancel over its head, Ready once
//!    [`TIMED_BURST`] picks went to Cancel or Timed. A pick of the lane itself, or a pick made
//!    while it has nothing waiting, starts its count anew.
//! 2. If a due lane waits, take the highest such lane; otherwise the highest lane that waits.
//!
//! # The bounds
//!
//! *B* of a lane is the greatest number of successive picks that can pass it over while it waits.
//!
//! | lane | B | as a constant | the worst case |
//! |---|---|---|---|
//! | Cancel | 2 | [`CANCEL_BOUND`] | Timed and Ready are both due |
//! | Timed | 17 | [`TIMED_BOUND`] | one due Ready, then 16 times Cancel |
//! | Ready | 17 | [`READY_BOUND`] | 16 times Cancel or Timed, then a due Timed |
//!
//! These are exact: a test walks every reachable state under every input an adversary can choose,
//! finds no longer wait, and finds each of these. Two consequences:
//!
//! - A task with *p* others before it in its lane is picked within *(p + 1)(B + 1)* picks.
//! - With all three lanes flooded, 18 picks are 16 of Cancel, one of Timed and one of Ready.
//!
//! # Invariants
//!
//! - Each counter is at most its burst: a due lane that is passed over again stays due.
//! - `pick` is total: it gives a choice exactly when something waits, and only a lane that waits.

/// Picks of Cancel in a row that may pass over a waiting Timed lane before it is due.
pub const CANCEL_BURST: u32 = 16;

/// Picks of Cancel or Timed in a row that may pass over a waiting Ready lane before it is due.
pub const TIMED_BURST: u32 = 16;

/// A waiting Cancel lane is passed over at most this many times: by a due Timed and a due Ready.
pub const CANCEL_BOUND: u32 = 2;

/// A waiting Timed lane is passed over at most this many times: by a burst and a due Ready.
pub const TIMED_BOUND: u32 = CANCEL_BURST + 1;

/// A waiting Ready lane is passed over at most this many times: by a burst and a due Timed.
pub const READY_BOUND: u32 = TIMED_BURST + 1;

/// Which lanes have something runnable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Waiting {
    /// A task under a cancel request.
    pub cancel: bool,
    /// A task with a deadline.
    pub timed: bool,
    /// Any other task.
    pub ready: bool,
}

/// The lane to take the next task from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Choice {
    /// Tasks under a cancel request.
    Cancel,
    /// Tasks with a deadline.
    Timed,
    /// All other tasks.
    Ready,
}

/// How often each lower lane has been passed over since it last had its turn.
///
/// ```
/// use asupersync_scheduler::policy::{CANCEL_BURST, Choice, Policy, Waiting};
///
/// let flood = Waiting { cancel: true, timed: false, ready: true };
/// let mut policy = Policy::new();
/// for _ in 0..CANCEL_BURST {
///     let (choice, next) = policy.pick(flood).unwrap();
///     assert_eq!(choice, Choice::Cancel);
///     policy = next;
/// }
/// assert_eq!(policy.pick(flood).unwrap().0, Choice::Ready);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Policy {
    /// Picks of Cancel since Timed began to wait or had its turn.
    over_timed: u32,
    /// Picks of Cancel or Timed since Ready began to wait or had its turn.
    over_ready: u32,
}

impl Policy {
    /// No lane has been passed over.
    #[must_use]
    pub const fn new() -> Self {
        Self { over_timed: 0, over_ready: 0 }
    }

    /// The lane to run next and the policy to ask after that; `None` when nothing waits, and then
    /// the policy stays as it is.
    ///
    /// With neither Cancel nor Timed waiting the answer is Ready and a fresh policy, two tests
    /// away.
    #[inline]
    #[must_use]
    pub const fn pick(self, waiting: Waiting) -> Option<(Choice, Self)> {
        if !waiting.cancel && !waiting.timed {
            return if waiting.ready { Some((Choice::Ready, Self::new())) } else { None };
        }
        Some(self.pick_contended(waiting))
    }

    /// `pick` when Cancel or Timed waits.
    const fn pick_contended(self, waiting: Waiting) -> (Choice, Self) {
        let timed_due = waiting.timed && self.over_timed >= CANCEL_BURST;
        let ready_due = waiting.ready && self.over_ready >= TIMED_BURST;
        let choice = if timed_due {
            Choice::Timed
        } else if ready_due {
            Choice::Ready
        } else if waiting.cancel {
            Choice::Cancel
        } else {
            Choice::Timed
        };
        (choice, self.after(choice, waiting))
    }

    /// The counters once `choice` has been picked with `waiting` at hand.
    const fn after(self, choice: Choice, waiting: Waiting) -> Self {
        let over_timed = match choice {
            _ if !waiting.timed => 0,
            Choice::Cancel => up_to(CANCEL_BURST, self.over_timed),
            Choice::Timed => 0,
            Choice::Ready => self.over_timed, // Ready is not above Timed
        };
        let over_ready = match choice {
            _ if !waiting.ready => 0,
            Choice::Cancel | Choice::Timed => up_to(TIMED_BURST, self.over_ready),
            Choice::Ready => 0,
        };
        Self { over_timed, over_ready }
    }
}

/// One more, but never above `burst`.
const fn up_to(burst: u32, count: u32) -> u32 {
    if count < burst { count + 1 } else { burst }
}

#[cfg(test)]
mod tests;
