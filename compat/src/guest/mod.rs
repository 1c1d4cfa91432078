//! Libraries made for Tokio, inside of a region: in an *enclave*, a private Tokio runtime that the region
//! owns.
//!
//! ```
//! use asupersync_compat::guest::Enclave;
//! use asupersync_core::{Cx, Outcome, Region};
//! use tokio::time::{Duration, sleep};
//!
//! async fn service(cx: &Cx) -> Outcome<&'static str> {
//!     Region::open(cx, "service", async |cx: &Cx| {
//!         let tokio = Enclave::open(cx)?;
//!         // Anything that wants Tokio: its timers, sockets and spawns, and what is built on them.
//!         let answer = tokio.run(cx, async {
//!             sleep(Duration::from_millis(1)).await;
//!             tokio::spawn(async { "hello" }).await
//!         });
//!         Ok(answer.await??)
//!     })
//!     .await
//! }
//! # let runtime = asupersync_scheduler::Runtime::builder().build().unwrap();
//! # assert_eq!(runtime.block_on(async |cx: &Cx| service(cx).await).unwrap(), "hello");
//! ```
//!
//! | phase of the region | what the enclave does |
//! |---|---|
//! | Request | its [`token`](Enclave::token) is cancelled, which guests can hear; calls in flight go on |
//! | Drain | waits, on the host's clock, for calls, jobs and [tickets](Ticket), then closes what is [owned](Owned), then waits for the tasks that guests spawned; all of it within the region's drain budget |
//! | Finalize | jobs that have not begun never do; the runtime is shut down, on a thread of the host that may block, within the finalizers' budget; what was left is in the region's report, and in an [`EnclaveReport`] |
//!
//! Child regions share the enclave of their parent: pass them a clone, or a reference. A call belongs to
//! the region of the `Cx` it is given, so that region does not close before the call's future is gone.
//! Making an enclave and shutting it down takes some tens of microseconds, four file descriptors and one thread:
//! one for each service, not one for each request.
//!
//! **Inside or entered.** [`run`](Enclave::run) spawns the future inside, and the caller waits: it crosses
//! between the runtimes once for each call, however often the future waits. [`enter`](Enclave::enter) polls it
//! here, and has the hazards that are listed there.
//!
//! **What escapes.** `tokio::task::spawn_blocking` called by a guest queues a job that nobody here knows of;
//! Tokio runs what is queued even after its runtime was shut down, as long as a thread is busy with the
//! queue. [`blocking`](Enclave::blocking) does not have that. A poll or a job that never returns cannot be
//! stopped: its thread is left behind, and told of as [`Quarantined`](End::Quarantined). In the lab there is
//! no enclave: its threads and clock would be real ones.
//!
//! Invariants:
//! 1. The runtime is shut down exactly once: by the region's finalizer, or, if that never comes to it because the
//!    host is dropped, by a thread of its own, when its engine is dropped.
//! 2. A call's or job's entry in the ledger lives as long as its future or closure does, on whichever
//!    thread that is: what is in the ledger after the shutdown still runs.
//! 3. Nothing here waits on a timer of the enclave.

mod builder;
mod call;
mod close;
mod enclave;
mod engine;
mod enter;
mod job;
mod ledger;
mod owned;
mod shared;
mod ticket;

pub use builder::Builder;
pub use close::{EnclaveReport, End, Left};
pub use enclave::Enclave;
pub use enter::Entered;
pub use owned::Owned;
pub use ticket::{Held, Ticket};
