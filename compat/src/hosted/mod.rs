//! Regions on the Tokio runtime that a program already has: no second reactor, no extra threads.
//!
//! ```
//! use asupersync_compat::hosted;
//! use asupersync_core::{Cx, Outcome};
//!
//! #[tokio::main]
//! async fn main() -> std::process::ExitCode {
//!     let outcome: Outcome<u32> = hosted::run(async |cx: &Cx| {
//!         let answer = cx.spawn("answer", async |cx| {
//!             // Tokio's own timers, sockets and libraries work in here.
//!             tokio::time::sleep(std::time::Duration::from_millis(1)).await;
//!             cx.checkpoint()?;
//!             Ok(42)
//!         });
//!         answer.join().await
//!     })
//!     .await;
//!     assert_eq!(outcome.unwrap(), 42);
//!     std::process::ExitCode::SUCCESS
//! }
//! ```
//!
//! | what core asks for | what Tokio gives |
//! |---|---|
//! | submit | a few Tokio tasks, at most two for each worker, that poll the next of ours, picked by the same lane policy as on the native host; Tokio's cooperative budget holds for each poll |
//! | timers | one task that turns a wheel of ours on Tokio's clock, paused time included |
//! | blocking | `spawn_blocking` |
//! | sockets | `tokio::net` |
//! | an end though a poll does not return | of several workers, one that sleeps is woken now and then while the root closes |
//!
//! Invariants:
//! 1. While an entry is in the lanes a Tokio task is on its way to take one, so none is left lying.
//! 2. [`run`] returns at most drain + finalize + 250 ms after the root was asked to close, if a
//!    worker is free to poll it.

mod host;
mod net;
mod run;
#[cfg(all(feature = "hyper", feature = "tower"))]
mod serve;
mod signals;
mod timers;
mod udp;

pub use run::{Builder, run};
#[cfg(all(feature = "hyper", feature = "tower"))]
pub use serve::{listener, serve};
