//! Timers without a clock: a hierarchical [`Wheel`] that is told the time.
//!
//! Each worker owns one wheel, asks it how long it may sleep ([`Wheel::next_deadline`]), and tells
//! it the time when it wakes ([`Wheel::advance`]). Whoever calls decides what time is, so the lab
//! drives the same structure with a simulated clock. Times are `u64` nanoseconds since any fixed
//! origin.
//!
//! # The structure
//!
//! Scheme 7 of G. Varghese and T. Lauck, *Hashed and Hierarchical Timing Wheels: Data Structures
//! for the Efficient Implementation of a Timer Facility* (SOSP 1987): time is cut into ticks, and
//! a tick number, read in base 64, is a path through levels of 64 slots. An entry sits at the
//! highest digit in which its tick differs from the current one, so insertion is a subtraction of
//! leading zeros and an append to a list. When time reaches a slot above the lowest level, its
//! entries move down.
//!
//! Three choices of ours:
//!
//! - A tick is 2^16 ns ([`TICK_NS`], about 65.5 us) and there are eight levels: 16 + 8 x 6 = 64
//!   bits, so every `u64` deadline has a slot and nothing overflows. The three levels above 52 days
//!   cost 3 KB and one test of a bitmap.
//! - Each slot remembers its earliest tick. A sleeper is told that tick, not the slot's start, so
//!   an idle worker does not wake merely to move entries down; and entries that do move go
//!   straight to the level they belong to.
//! - Entries live in a slab and lists are links between its indices: safe code, one allocation in
//!   a while, and a cancel that unlinks and frees at once.
//!
//! # Invariants
//!
//! 1. An entry in level *L* agrees with the current tick in all digits above *L*. In levels above
//!    the lowest, its digit *L* is greater than the current one.
//! 2. Hence all entries of a level are due before all entries of the levels above it, and within a
//!    level slots are in order of time.
//! 3. A bit in the occupancy maps is set exactly when that slot, or that level, has entries.
//! 4. A slot's earliest tick is not after that of any entry in it.
//! 5. Within a slot, entries of one tick are in order of insertion.
//! 6. A key is never valid for two entries: a slab place whose generations are used up is retired.
//!
//! # What is promised about firing
//!
//! *Never early*: an entry is yielded by the first `advance(now)` with `now` at or past its
//! deadline rounded up to a tick. *At most one tick late*, given that call. An entry whose tick has
//! been reached when it is inserted is yielded by the next `advance`. One `advance` yields in order of deadline, equal
//! deadlines in order of insertion.

mod slab;
mod wheel;

pub use slab::Key;
pub use wheel::{TICK_NS, Wheel};

#[cfg(test)]
mod tests;
