//! What has become of a promised region, and of those that had its place before: one word.
//!
//! ```text
//!   Promised ──┬── open ──▶ Opened
//!    ▲         ├── end ───▶ Ended
//!    │         └── end, and its place stays ──▶ Vacant ── withdrawn ──▶ Ended
//!    └───────────────── the next one ◀───────────┘
//! ```

use crate::primitive::{AtomicU64, Ordering};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub(super) enum Stage {
    Promised,
    /// It has ended, and the parent counts it still, for the next one.
    Vacant,
    Opened,
    Ended,
}

const STAGES: u64 = 4;

/// The stage, and how many regions have had this place before.
pub(super) struct Place(AtomicU64);

impl Place {
    pub(super) fn new() -> Self {
        Place(AtomicU64::new(Stage::Promised as u64))
    }

    pub(super) fn is(&self, stage: Stage) -> bool {
        self.0.load(Ordering::Acquire) % STAGES == stage as u64
    }

    /// Goes from one stage to another, if it is in that one; tells how many had the place before.
    pub(super) fn step(&self, from: Stage, to: Stage) -> Option<u64> {
        let word = self.0.load(Ordering::Acquire);
        let before = word / STAGES;
        self.change(before, from, before, to).then_some(before)
    }

    /// The next one has the place, if it is vacant.
    pub(super) fn promise(&self) -> bool {
        let before = self.0.load(Ordering::Acquire) / STAGES;
        self.change(before, Stage::Vacant, before + 1, Stage::Promised)
    }

    fn change(&self, before: u64, from: Stage, after: u64, to: Stage) -> bool {
        let (old, new) = (before * STAGES + from as u64, after * STAGES + to as u64);
        self.0.compare_exchange(old, new, Ordering::SeqCst, Ordering::Acquire).is_ok()
    }
}
