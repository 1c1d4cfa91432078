//! The scheduler's two run queues, and who sleeps when they are empty.
//!
//! | queue | who pushes | who takes | cost of a push |
//! |---|---|---|---|
//! | [`Local`] | its one owner | the owner, one by one; any [`Stealer`], half at a time | two loads and a store |
//! | [`Injector`] | any thread | any thread, singly or in batches | a lock |
//!
//! A worker owns one `Local` and hands `Stealer`s to its siblings. Work that comes from outside,
//! and what a full ring cannot hold, goes to the runtime's `Injector`. All three are FIFO, hold
//! any `T`, allocate nothing per item once warm, and run no code of `T`'s while an item moves.
//!
//! # Protocol
//!
//! The queues carry items; they wake nobody. A producer pushes, *then* decides whether to wake a
//! worker; a worker that wants to park announces itself, issues a `SeqCst` fence, and only then
//! looks at the queues for the last time. `is_empty` alone, without that fence, may be stale.
//! [`Idle`] is that decision.
//!
//! # Where the unsafe code is
//!
//! In the private module `ring` (the slots and who may touch each one when) and in `local` (which
//! hands out the two roles). `inject` and `idle` are safe code. The module `sync` switches both between `std`
//! and loom; under loom the ring has four slots, so a model reaches wrap-around and overflow.
//!
//! ```
//! use asupersync_queue::{Injector, Local};
//!
//! let outside = Injector::new();
//! let (mine, yours) = (Local::new(), Local::new());
//! outside.push_batch(0..8);
//!
//! assert_eq!(outside.pop_batch_into(&mine, 5), Some(0)); // run 0 at once; 1, 2, 3, 4 wait in `mine`
//! assert_eq!(mine.stealer().steal_into(&yours), Some(1)); // half of four: run 1 at once; 2 waits
//! assert_eq!((mine.pop(), yours.pop(), outside.pop()), (Some(3), Some(2), Some(5)));
//! ```
#![allow(unsafe_code, reason = "slots shared between an owner and its thieves without a lock; see `ring`")]

pub mod idle;
pub mod inject;
pub mod local;
mod ring;
mod sync;

pub use idle::Idle;
pub use inject::Injector;
pub use local::{Local, Stealer};
