//! Structured concurrency and cancel-correctness for Rust services.
//!
//! Every task lives in a [`Region`]. A region that closes asks everything in it to stop
//! (**Request**), lets work in flight finish within a budget (**Drain**), runs its cleanup, the last
//! registered first (**Finalize**), and returns only when nothing is left.
//!
//! ```
//! use asupersync::{Cx, Outcome, Region};
//!
//! #[asupersync::main]
//! async fn main(cx: &Cx) -> Outcome<()> {
//!     Region::open(cx, "pair", async |cx| {
//!         cx.defer(async |_| println!("last of all"))?;
//!         let answer = cx.spawn("answer", async |_| Ok(42));
//!         println!("{}", answer.join().await?);
//!         Ok(())
//!     })
//!     .await
//! }
//! ```
//!
//! This crate only re-exports: the contract is documented in [`asupersync_core`], the runtime in
//! [`asupersync_scheduler`].

#![forbid(unsafe_code)]

pub use asupersync_core::{
    All, Budget, Cancelled, ChildRegion, Clock, Cx, Either, Error, Exit, Failure, Handle, Interval, ItemFn,
    NoCaps, Outcome, Panic, Priority, Random, Reason, ReasonKind, Region, Selected, SelectedAll, Severity,
    TaskFn, TaskOutput, Time,
};
pub use asupersync_core::{cancel, caps, channel, host, id, obligation, region, supervise, sync};
pub use asupersync_scheduler::{Builder, Runtime};

#[cfg(feature = "macros")]
pub use asupersync_macros::{main, test};

#[cfg(all(feature = "macros", feature = "lab"))]
pub use asupersync_macros::lab_test;

/// Files, as far as the core knows them: the right to use them.
pub mod fs {
    pub use asupersync_core::io::Fs;
}

/// The network: TCP and UDP sockets, and who may open them.
pub mod net {
    pub use asupersync_core::io::{Net, TcpListener, TcpStream, ToAddr, UdpSocket};
}

#[cfg(feature = "compat")]
pub use asupersync_compat as compat;
#[cfg(feature = "lab")]
pub use asupersync_lab as lab;
#[cfg(feature = "protocols")]
pub use asupersync_protocols as protocols;

#[doc(hidden)]
pub use asupersync_scheduler::entry as __rt;
