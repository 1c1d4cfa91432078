//! The lab: the same core and the same lane policy as in production, run on one thread, in virtual
//! time. A seed decides what production leaves to chance, so that a run can be had again.
//!
//! | file | what it is |
//! |---|---|
//! | `random` | the choices of a seed |
//! | `executor` | the queues, the clock and the timers of one run; a [`Host`](asupersync_core::host::Host) |
//! | [`Lab`] | settings, and a run from start to end |
//! | [`explore`] | which order of the steps comes next: all that differ, or some that are drawn |
//! | `names`, `steps` | tasks and objects that are the same in each order, and who can take a step |
//! | `outside` | who wakes tasks that is not of the lab |
//! | `explored` | [`Explore::run`]: a program of regions under such an order |
//! | `check` | [`Explore::check`]: the same for a test, which tells how to have a failing run again |
//! | [`net`] | simulated sockets: latency, partitions, slow peers and resets |
//! | [`Shared`] | what primitives under test are made of, so that the lab sees them |
//! | `panics`, `watch` | where tasks panicked; steps that do not return |
//! | `entry` | what `#[asupersync::lab_test]` expands to |
//! | [`model`] | small programs of variables and locks, explored likewise |
//!
//! Which Ready task runs next is the seed's choice; Cancel and Timed are served by
//! [`policy`](asupersync_scheduler::policy), as in production. Time stands still while anything can
//! run, and then jumps to the next timer. A run in which nothing can run and no timer is set, though
//! it has not ended, is a deadlock, and says so.
//!
//! With [`Explore`], any task that can run may be next, whatever its lane, and a schedule says which:
//!
//! ```
//! use asupersync_core::{Cx, channel::mpsc};
//! use asupersync_lab::Explore;
//!
//! let found = Explore::optimal().run(async |cx: &Cx| {
//!     let (tx, mut rx) = mpsc::channel(1);
//!     for n in [1, 2] {
//!         let tx = tx.clone();
//!         drop(cx.spawn("send", async move |cx| Ok(tx.send(cx, n).await?)));
//!     }
//!     drop(tx);
//!     assert_eq!(rx.recv(cx).await?, Some(1), "the first that is spawned need not be the first to run");
//!     Ok(())
//! });
//! assert!(found.failure.is_some_and(|failure| failure.message.contains("need not be")));
//! ```

#![forbid(unsafe_code)]

mod check;
#[doc(hidden)]
pub mod entry;
mod executor;
pub mod explore;
mod explored;
mod lab;
pub mod model;
mod names;
pub mod net;
mod outside;
mod panics;
mod random;
mod shared;
mod steps;
mod watch;

pub use explore::Explore;
pub use explored::Ran;
pub use lab::{Builder, Lab};
pub use shared::{Locked, Looking, Pause, Shared, pause};
