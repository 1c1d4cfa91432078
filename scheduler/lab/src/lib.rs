//! The lab: the same core and the same lane policy as in production, run on one thread, in virtual
//! time. A seed decides what production leaves to chance, so that a run can be had again.
//!
//! | file | what it is |
//! |---|---|
//! | `random` | the choices of a seed |
//! | `executor` | the queues, the clock and the timers of one run; a [`Host`](asupersync_core::host::Host) |
//! | [`Lab`] | settings, and a run from start to end |
//!
//! Which Ready task runs next is the seed's choice; Cancel and Timed are served by
//! [`policy`](asupersync_scheduler::policy), as in production. Time stands still while anything can
//! run, and then jumps to the next timer. A run in which nothing can run and no timer is set, though
//! it has not ended, is a deadlock, and says so.
//!
//! Not simulated yet: sockets (they fail with `Unsupported`); nothing explores schedules beyond the
//! one that a seed gives.

#![forbid(unsafe_code)]

mod executor;
mod lab;
mod random;

pub use lab::{Builder, Lab};
