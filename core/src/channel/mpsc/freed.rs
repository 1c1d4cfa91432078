//! Slots that the receiver has emptied and nobody has taken over yet, in one word: the receiver counts there
//! without the lock, and hears there that somebody looks for room.
//!
//! Invariants:
//! 1. Only the receiver counts. All else is done under the channel's lock.
//! 2. Whoever waits for room has called, and took what was counted before: the receiver, who counts the next
//!    one in the same word, hears of it. A call stands until the receiver finds that nobody waits.

use crate::primitive::{AtomicU64, Ordering};

/// On a line of memory of its own: the receiver writes it for each value, senders seldom.
#[repr(align(64))]
pub(super) struct Freed(AtomicU64);

/// Somebody looked for room.
const CALLED: u64 = 1;
const ONE: u64 = 2;

impl Freed {
    pub(super) fn new() -> Self {
        Freed(AtomicU64::new(0))
    }

    /// Counts a slot. Tells whether somebody called, so that the receiver must pass on what is free.
    pub(super) fn count(&self) -> bool {
        self.0.fetch_add(ONE, Ordering::AcqRel) & CALLED != 0
    }

    /// Takes over what was counted, and calls.
    pub(super) fn take(&self) -> u64 {
        self.0.swap(CALLED, Ordering::AcqRel) / ONE
    }

    /// The receiver finds that nobody waits.
    pub(super) fn end_call(&self) {
        self.0.fetch_and(!CALLED, Ordering::AcqRel);
    }
}
