//! The task cell of asupersync: one heap allocation per task, holding its
//! state word, its meta, and its future and later its outcome.
//!
//! This crate polls, wakes, shuts down and joins. It has no queue, thread or
//! policy: an executor is an implementation of [`Schedule`].
//!
//! # The safety case
//!
//! This is the argument that the `unsafe` blocks of the crate rest on; their
//! comments refer to it.
//!
//! A cell is reached through five handles, of which each is one counted
//! reference: [`Runnable`], [`TaskRef`], [`Part`], [`JoinHandle`] and
//! [`Waker`](std::task::Waker). The cell is freed by whoever drops the last
//! one, and by nobody else. Each field has, at any time, either only readers
//! or one party that may touch it:
//!
//! | field | who may touch it, and when |
//! |---|---|
//! | state word | everybody, by the named transitions of `state` only |
//! | vtable | everybody reads; never written after the birth |
//! | note | everybody, as an atomic; nothing depends on it |
//! | meta | everybody reads, by `&M` (`M: Sync`); dropped with the cell |
//! | stage, before COMPLETE | who set RUNNING: the maker, a runner, a shutdown, or the drop of a runnable |
//! | stage, after COMPLETE | the join handle if JOIN_INTEREST was set at completion, else the completer |
//! | join waker, before COMPLETE | the join handle while JOIN_WAKER is clear; else nobody |
//! | join waker, after COMPLETE | the completer if JOIN_WAKER was set at completion, else the join handle |
//! | all, after the last reference | who dropped that reference |
//!
//! Where the memory comes from and goes to is a story of its own: see `memory`.
//!
//! Ownership passes by the state word: who gives a field up does so with a
//! release, who takes it over with an acquire of that write or a later one in
//! its release sequence. RUNNING is set by a transition that found it clear
//! in the same step, so two parties cannot both set it; JOIN_INTEREST is
//! cleared only by the one join handle, so "set at completion" is a fact that
//! the completer and the handle agree on: one of the two transitions comes
//! first, and the other's answer says so.
//!
//! **A future is `Send`, and so is its output**: both may be dropped on a
//! thread that never polled. The cell does not move after [`new`] and the
//! stage is dropped in place, so the future may be pinned there.
//!
//! **User code** (a poll, a drop, a waker, `schedule`, `waker_used`) may do
//! anything, unwind and come back into this crate for the same task included.
//! It runs under no lock, since there is none, and only two kinds of it run
//! while the stage is claimed, the poll and the drop of the stage's content:
//! neither can get at the stage again, as RUNNING is set. Panics in a poll
//! become the outcome, panics in drops and in the joiner's waker end in this
//! crate, and after each of them a valid value is written before anything
//! else happens.
//! `schedule` borrows the meta from the cell, so each call of it is made with
//! a reference kept besides the one in the runnable that it is given;
//! `waker_used` does too, and comes before the waker's reference is given up.
//!
//! # States
//!
//! ```text
//!                 new
//!                  | transition_to_made
//!                  v        Runnable::run                    (Pending)
//!    +---------> queued ------------------> running ---------------------> idle
//!    |           |    ^  transition_to_running |  |    transition_to_idle   |  |
//!    |           |    |                        |  |                         |  |
//!    |           |    +---- transition_to_idle-+  |                         |  |
//!    |           |          (Pending, woken       |                         |  |
//!    |           |           meanwhile)           |                         |  |
//!    |           |                                |                         |  |
//!    +-----------|--------------------------------|-------------------------+  |
//!      wake, promote: transition_to_notified, _to_promoted                     |
//!                |                                |                            |
//!                | transition_to_shutdown,        | Ready, panic,              | transition_to_shutdown
//!                | _to_abandoned                  | or Pending with SHUTDOWN   |
//!                v                                |                            |
//!             running  <--------------------------|----------------------------+
//!         (being shut down)                       |
//!                |                                |
//!                +---------------+----------------+
//!                                | future dropped, outcome stored,
//!                                v transition_to_complete
//!                             complete
//! ```
//!
//! | state | bits |
//! |---|---|
//! | idle | none of NOTIFIED, RUNNING, COMPLETE |
//! | queued | NOTIFIED |
//! | running | RUNNING; with NOTIFIED: woken meanwhile; with SHUTDOWN: to be dropped |
//! | complete | COMPLETE |
//!
//! JOIN_INTEREST, JOIN_WAKER and the reference count are beside these.
//!
//! # A wake is never lost
//!
//! A wake sets NOTIFIED by a read-modify-write, even if it is set. If the
//! task was idle, the same step made the waker responsible for scheduling it.
//! If it was queued, the transition that starts its next poll comes later and
//! acquires the wake. If it was running, the runner's `transition_to_idle`
//! comes later, finds NOTIFIED and reschedules. In each case a poll begins
//! after the wake and sees what the waker did before.
//!
//! # Stale entries
//!
//! [`TaskRef::promote`] makes a second entry for a queued task, and the one
//! in the old lane stays where it is. Let *entry* be a [`Runnable`] that has
//! not tried to run yet. The crate keeps this invariant: **a queued task has
//! at least one entry**, so it will be polled if every entry is tried; and
//! that is all that a queued task needs, as entries differ in nothing.
//!
//! - An entry that finds its task queued takes it out of that state: the
//!   invariant asks for nothing any more. Others, if there are any, are *stale*.
//! - An entry that finds its task idle, running or complete does nothing
//!   ([`Ran::Stale`]): the invariant does not ask for it. If the task is
//!   running and was woken, the runner makes the next entry.
//! - If the task was queued again before the stale entry is tried, the task
//!   has two entries once more, the stale one and the one made by that wake.
//!   The first to be tried runs the task, once, for that wake; the other is
//!   the stale one now. So a stale entry may run a task earlier than the new
//!   one would have, never more often than it was woken and never two at a
//!   time.
//! - Every edge into *queued* makes an entry of its own, so no edge relies on
//!   an old one. That an entry may judge by a value of the state word that is
//!   older than the newest does not matter for the same reason.
//!
//! A stale entry costs its reference, which keeps the cell (not the future)
//! until the entry is tried or dropped. An entry that is *dropped* while its
//! task is queued shuts the task down, see [`Runnable`](Runnable#dropping-it).
//!
//! # Example
//!
//! An executor with one queue:
//!
//! ```
//! use asupersync_task::{Ran, Runnable, Schedule, Wake, new};
//! use std::collections::VecDeque;
//! use std::sync::{Arc, Mutex};
//!
//! #[derive(Clone, Default)]
//! struct Queue(Arc<Mutex<VecDeque<Runnable<Queue>>>>);
//!
//! impl Schedule for Queue {
//!     fn schedule(&self, runnable: Runnable<Self>, why: Wake) {
//!         let mut queue = self.0.lock().unwrap();
//!         match why {
//!             Wake::Promote => queue.push_front(runnable),
//!             Wake::Spawn | Wake::Wake | Wake::Yield => queue.push_back(runnable),
//!         }
//!     }
//! }
//!
//! let queue = Queue::default();
//! let (runnable, answer) = new(async { 42 }, queue.clone());
//! let (main, mut outcome) = new(async { answer.await.unwrap() + 1 }, queue.clone());
//! main.schedule();
//! runnable.schedule();
//!
//! let mut ran = Vec::new();
//! loop {
//!     // The lock is released before the task runs: its wakes take it again.
//!     let next = queue.0.lock().unwrap().pop_front();
//!     let Some(runnable) = next else { break };
//!     ran.push(runnable.run());
//! }
//! assert_eq!(ran, [Ran::Pending, Ran::Complete, Ran::Complete]);
//! assert_eq!(outcome.try_take().unwrap().unwrap(), 43);
//! ```
#![allow(
    unsafe_code,
    reason = "one allocation behind counted handles of four types, shared by a protocol \
              that the type system cannot see; everything above this crate is safe code"
)]

mod sync;

mod error;
mod tag;
mod why;

mod work;

mod unwind;

mod state;

mod cell;

mod memory;

mod shared;

mod waker;

mod task;

mod part;

mod join;

mod runnable;

mod life;

pub use error::JoinError;
pub use join::JoinHandle;
pub use life::{new, new_cyclic};
pub use memory::kept_bytes;
pub use part::Part;
pub use runnable::{Runnable, Schedule};
pub use shared::Shared;
pub use task::TaskRef;
pub use waker::{is_quiet, note};
pub use why::{Activity, Ran, Shutdown, Wake, WakerUse};
pub use work::Work;
