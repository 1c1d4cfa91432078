//! Well-known crates made for Tokio, each inside of a region: does it do its job, is it drained, is it
//! cancelled, and is nothing left of it.
//!
//! | column | what is done | what is asked |
//! |---|---|---|
//! | works | one operation, in a region of its own | it succeeds, and the enclave drains |
//! | drained | the region closes in the middle of the operation, which then goes on | it succeeds within the budget, and the enclave drains |
//! | cancelled | the same, but the operation never goes on | it is dropped when the budget is spent, and the enclave tells so |
//! | contained | after each of the three | the process has no more threads and file descriptors than before, and the enclave quarantined none |
//!
//! What runs natively, with no Tokio runtime, is in `tests/native`.
//!
//! Each row is run with both flavours of the enclave. The rows are in `tests/table`; what they expect is written
//! there, so that a crate that begins to leave something behind, or ceases to, fails the test.

#![forbid(unsafe_code)]

mod check;
mod dns;
mod pace;
mod process;
mod servers;
mod table;
mod tls;

pub use check::{Checked, Expected, Row, check};
pub use dns::{ADDRESS, dns_answer, dns_config};
pub use pace::{Pace, Place};
pub use process::Has;
pub use servers::{Postgres, Redis, require};
pub use table::Table;
pub use tls::tls_configs;

/// What goes wrong in a crate.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
