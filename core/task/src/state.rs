//! The state word: every transition of a task, by name.
//!
//! One `AtomicUsize` holds six bits and, above them, the reference count.
//! Nothing outside this module reads or writes a bit; each function below is
//! one edge of the diagram in the crate's documentation and says, in a result
//! that must be used, what the caller may or must do next.
//!
//! # Invariants
//!
//! In every value of the word's modification order:
//!
//! 1. RUNNING and COMPLETE are never both set; COMPLETE is never cleared.
//! 2. *Queued* is NOTIFIED without RUNNING and COMPLETE. A queued task has at
//!    least one `Runnable` that has not yet read the word (see
//!    [`State::transition_to_running`]).
//! 3. JOIN_WAKER implies JOIN_INTEREST.
//! 4. The count is the number of `Ref`s alive, those on their way into a
//!    `Runnable` included.
//!
//! A transition that gives the caller nothing to take over, or only what it
//! has already, may end without a write: `Stale`, `Complete`, a shutdown that
//! its runner finds, a waker that was not lent. Every other one is a
//! read-modify-write even where it changes nothing, a wake above all: each
//! continues the release sequence of those before it, and whoever claims the
//! task acquires them all.

mod answer;
#[cfg(all(test, not(loom)))]
mod tests;

pub(crate) use answer::{Claim, Complete, Completed, Detach, Enter, Leave, Made, Notify};

use crate::sync::{AtomicUsize, Ordering};
use crate::why::Activity;
use std::process;

/// Somebody has exclusive use of the stage: its maker, a runner, or a shutdown.
const RUNNING: usize = 1;
/// Woken since the last poll began.
const NOTIFIED: usize = 1 << 1;
/// The outcome is stored. Final.
const COMPLETE: usize = 1 << 2;
/// The join handle exists; it drops the output.
const JOIN_INTEREST: usize = 1 << 3;
/// The runner is to drop the future when its poll returns.
const SHUTDOWN: usize = 1 << 4;
/// The join waker is lent to the completer.
const JOIN_WAKER: usize = 1 << 5;
/// One reference.
const REF_ONE: usize = 1 << 6;

/// A count beyond this many references aborts the process. It takes a leak of
/// references in a loop to come near, and there is half the range between it
/// and a wrap-around for other threads that pass it meanwhile.
const MAX: usize = isize::MAX as usize;

/// The state word.
#[derive(Debug)]
pub(crate) struct State(AtomicUsize);

impl State {
    /// Being made, with a join handle: two references, and these others.
    pub(crate) fn new(others: usize) -> Self {
        Self(AtomicUsize::new(RUNNING | JOIN_INTEREST | ((2 + others) * REF_ONE)))
    }

    /// One edge: `step` maps a value to the next, or gives up without a write.
    fn step<R>(&self, step: impl Fn(usize) -> (Option<usize>, R)) -> R {
        let mut now = self.0.load(Ordering::Acquire);
        loop {
            let (next, answer) = step(now);
            let Some(next) = next else { return answer };
            let swap = self.0.compare_exchange_weak(now, next, Ordering::AcqRel, Ordering::Acquire);
            match swap {
                Ok(_) => return answer,
                Err(other) => now = other,
            }
        }
    }

    /// made: running -> queued, or still running to be shut down.
    pub(crate) fn transition_to_made(&self) -> Made {
        self.step(|now| match now & SHUTDOWN {
            0 => (Some((now & !RUNNING) | NOTIFIED), Made::Queued),
            // No write: the stage stays the caller's.
            _ => (None, Made::Shutdown),
        })
    }

    /// wake: idle -> queued. Always a write, so that what the waker did
    /// before is seen by the next poll even if another wake came first.
    pub(crate) fn transition_to_notified(&self) -> Notify {
        self.step(|now| match now & (NOTIFIED | RUNNING | COMPLETE) {
            0 => (Some(one_more(now | NOTIFIED)), Notify::Schedule),
            _ => (Some(now | NOTIFIED), Notify::Nothing),
        })
    }

    /// promote: as `transition_to_notified`, and queued -> queued with
    /// another entry.
    pub(crate) fn transition_to_promoted(&self) -> Notify {
        self.step(|now| match now & (NOTIFIED | RUNNING | COMPLETE) {
            0 => (Some(one_more(now | NOTIFIED)), Notify::Schedule),
            NOTIFIED => (Some(one_more(now)), Notify::ScheduleSecond),
            _ => (Some(now | NOTIFIED), Notify::Nothing),
        })
    }

    /// run: queued -> running.
    ///
    /// A stale answer may rest on an old value of the word, and may: the
    /// entry is used up as of that value, at which the task was not queued.
    /// Whatever edge made it queued later also made an entry of its own, so
    /// invariant 2 holds without this one.
    pub(crate) fn transition_to_running(&self) -> Enter {
        self.step(|now| match now & (NOTIFIED | RUNNING | COMPLETE) {
            NOTIFIED => (Some((now & !NOTIFIED) | RUNNING), Enter::Run),
            _ => (None, Enter::Stale),
        })
    }

    /// run, after `Pending`: running -> idle or queued, or still running to
    /// be shut down.
    pub(crate) fn transition_to_idle(&self) -> Leave {
        self.step(|now| {
            if now & SHUTDOWN != 0 {
                // No write: the stage stays the caller's.
                (None, Leave::Shutdown)
            } else if now & NOTIFIED != 0 {
                (Some(one_more(now & !RUNNING)), Leave::Queued)
            } else {
                let next = (now & !RUNNING) - REF_ONE;
                let last = next < REF_ONE;
                (Some(next), if last { Leave::IdleAndLast } else { Leave::Idle })
            }
        })
    }

    /// shutdown: idle or queued -> running, to drop the future; running ->
    /// running with the request noted.
    pub(crate) fn transition_to_shutdown(&self) -> Claim {
        self.step(|now| {
            if now & COMPLETE != 0 {
                (None, Claim::Complete)
            } else if now & RUNNING != 0 {
                (Some(now | SHUTDOWN), Claim::Running)
            } else {
                (Some((now & !NOTIFIED) | RUNNING | SHUTDOWN), Claim::Claimed)
            }
        })
    }

    /// A `Runnable` dropped unrun: queued -> running, to drop the future.
    pub(crate) fn transition_to_abandoned(&self) -> Enter {
        self.step(|now| match now & (NOTIFIED | RUNNING | COMPLETE) {
            NOTIFIED => (Some((now & !NOTIFIED) | RUNNING | SHUTDOWN), Enter::Run),
            _ => (None, Enter::Stale),
        })
    }

    /// The outcome is stored: running -> complete.
    pub(crate) fn transition_to_complete(&self) -> Completed {
        // The one bit is set, and the other is not: a sum changes both, in one instruction where to change bits
        // takes a loop.
        let before = self.0.fetch_add(COMPLETE - RUNNING, Ordering::AcqRel);
        debug_assert_eq!(before & (RUNNING | COMPLETE), RUNNING, "invariant 1");
        match before & (JOIN_INTEREST | JOIN_WAKER) {
            0 => Completed::Detached,
            JOIN_INTEREST => Completed::Joined,
            _ => Completed::JoinedWithWaker,
        }
    }

    /// The join handle lends its waker to the completer.
    pub(crate) fn lend_join_waker(&self) -> Result<(), Complete> {
        self.step(|now| match now & COMPLETE {
            0 => (Some(now | JOIN_WAKER), Ok(())),
            _ => (None, Err(Complete)),
        })
    }

    /// The join handle takes its waker back, if it is lent, to change it.
    pub(crate) fn reclaim_join_waker(&self) -> Result<(), Complete> {
        self.step(|now| match now & (COMPLETE | JOIN_WAKER) {
            0 => (None, Ok(())),
            JOIN_WAKER => (Some(now & !JOIN_WAKER), Ok(())),
            _ => (None, Err(Complete)),
        })
    }

    /// The join handle goes. From here on the output is the completer's, if
    /// there is none yet.
    pub(crate) fn transition_to_detached(&self) -> Detach {
        self.step(|now| {
            let complete = now & COMPLETE != 0;
            let lent = now & JOIN_WAKER != 0;
            let gone = if complete { JOIN_INTEREST } else { JOIN_INTEREST | JOIN_WAKER };
            let detach = Detach { owns_output: complete, owns_waker: !(complete && lent) };
            (Some(now & !gone), detach)
        })
    }

    /// Counts one more reference. Relaxed: it comes from one that exists.
    pub(crate) fn ref_inc(&self) {
        let before = self.0.fetch_add(REF_ONE, Ordering::Relaxed);
        if before > MAX {
            process::abort();
        }
    }

    /// Counts one reference less; true if it was the last: free the cell.
    #[must_use]
    pub(crate) fn ref_dec(&self) -> bool {
        self.ref_dec_by(1)
    }

    /// As [`ref_dec`](Self::ref_dec), so many at once.
    #[must_use]
    pub(crate) fn ref_dec_by(&self, refs: usize) -> bool {
        let before = self.0.fetch_sub(refs * REF_ONE, Ordering::AcqRel);
        debug_assert!(before >= refs * REF_ONE, "invariant 4");
        before < (refs + 1) * REF_ONE
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.0.load(Ordering::Acquire) & COMPLETE != 0
    }

    /// Of a task whose last reference is gone: its future is still in the stage. If its making
    /// failed, nothing is; if it completed, whoever the outcome belonged to has seen to that.
    pub(crate) fn has_future(&self) -> bool {
        // Whoever gave the last reference up has acquired what the others did.
        self.0.load(Ordering::Relaxed) & (RUNNING | COMPLETE) == 0
    }

    pub(crate) fn is_running(&self) -> bool {
        self.0.load(Ordering::Acquire) & RUNNING != 0
    }

    pub(crate) fn activity(&self) -> Activity {
        match self.0.load(Ordering::Acquire) & (NOTIFIED | RUNNING | COMPLETE) {
            0 => Activity::Idle,
            NOTIFIED => Activity::Queued,
            now if now & COMPLETE != 0 => Activity::Complete,
            _ => Activity::Running,
        }
    }
}

/// `now` with one more reference, which the transition counts for a `Runnable`.
fn one_more(now: usize) -> usize {
    if now > MAX {
        process::abort();
    }
    now + REF_ONE
}
