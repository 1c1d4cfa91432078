//! The seam for the same service inside regions.
//!
//! The side is one function, `fn run(serve: Serve) -> io::Result<Ended>`, put here as
//! `SIDE = Some(run)`; nothing else in the example changes. As [`Side`] says, it must
//!
//! 1. listen on `serve.addr`, and call `serve.ready` with the real address once the listener
//!    accepts and SIGTERM and Ctrl-C are caught; an address that cannot be had is the `Err`;
//! 2. open one region for the service with the budgets [`DRAIN`] and [`FINALIZE`], run each
//!    connection as a task of it and each request in a region of its own, until the signal;
//! 3. call `serve.tally.note_signal()` first thing when the signal is known, before any request
//!    can be told to stop;
//! 4. return after the runtime has ended: `alive_tasks` counts the tasks alive after the region
//!    closed and before the runtime was dropped, `close_report` is the region's close report.
//!
//! Its handlers do what those of `plain.rs` do, with the same timing, and count alike:
//!
//! - `service::admit` first: the ticket says the route, and goes into `service::reply` or
//!   `service::events`. Any status but 200 counts as lost in the table, as it should.
//! - the handler's body inside `tally.watch(route, ..)` (not for `/`), in the task that runs it;
//! - `tally.cleanups(route).take()` for each thing taken, in the order seat, lock for `/work`; a
//!   finalizer per thing, deferred at once, that waits [`CLEANUP`] and calls `give_back`;
//! - `/work` sleeps [`STEPS`] x [`STEP`] as work in flight, which a request to cancel lets finish;
//!   `/events` ticks each [`TICK`] until it is told to stop, then sends `service::farewell`;
//!   `/never` awaits `std::future::pending` with a seat taken.
//!
//! [`CLEANUP`]: crate::service::CLEANUP
//! [`DRAIN`]: crate::service::DRAIN
//! [`FINALIZE`]: crate::service::FINALIZE
//! [`STEP`]: crate::service::STEP
//! [`STEPS`]: crate::service::STEPS
//! [`TICK`]: crate::service::TICK

use crate::service::Side;

/// The regions side; `None` until hyper can be served inside a region.
pub(crate) const SIDE: Option<Side> = None;
