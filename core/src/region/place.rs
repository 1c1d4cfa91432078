//! What has become of a promised region, and of those that had its place before: one word.
//!
//! ```text
//!   Promised ──┬── open ──▶ Opened
//!    ▲         ├── end, and nobody keeps the place ──▶ Ended ◀──┐
//!    │         └── end ──▶ Vacant ── nobody keeps it any more, ─┤
//!    └──── the next one ◀────┘       or a request takes it ─────┘
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

const STAGE: u64 = 0b011;
/// Somebody keeps the place for the next one.
const KEPT: u64 = 0b100;
/// One that had the place before.
const ONE: u64 = 0b1000;

/// The stage, whether the place is kept, and how many regions have had it before.
pub(super) struct Place(AtomicU64);

impl Place {
    pub(super) fn new(kept: bool) -> Self {
        Place(AtomicU64::new(Stage::Promised as u64 | if kept { KEPT } else { 0 }))
    }

    pub(super) fn is(&self, stage: Stage) -> bool {
        self.0.load(Ordering::Acquire) & STAGE == stage as u64
    }

    /// Goes from one stage to another, if it is in that one; tells how many had the place before.
    pub(super) fn step(&self, from: Stage, to: Stage) -> Option<u64> {
        self.change(|word| (word & STAGE == from as u64).then_some(word & !STAGE | to as u64))
            .map(|old| old / ONE)
    }

    /// The one that is promised ends, if the place is kept.
    pub(super) fn vacate(&self) -> bool {
        let kept = Stage::Promised as u64 | KEPT;
        self.change(|word| (word & (STAGE | KEPT) == kept).then_some(word & !STAGE | Stage::Vacant as u64))
            .is_some()
    }

    /// The next one has the place, if that is vacant.
    pub(super) fn promise(&self) -> bool {
        let vacant = Stage::Vacant as u64;
        self.change(|word| (word & STAGE == vacant).then_some((word & !STAGE | Stage::Promised as u64) + ONE))
            .is_some()
    }

    /// Nobody keeps it any more. Tells whether it was vacant.
    pub(super) fn give_up(&self) -> bool {
        self.0.fetch_and(!KEPT, Ordering::AcqRel) & STAGE == Stage::Vacant as u64
    }

    fn change(&self, next: impl FnMut(u64) -> Option<u64>) -> Option<u64> {
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, next).ok()
    }
}
