//! Cancel-correct channels. What is not delivered comes back: a send that fails returns its value.

pub mod broadcast;
pub mod call;
pub mod delivery;
mod error;
#[cfg(all(test, loom))]
mod loom;
pub mod mpsc;
pub mod oneshot;
pub mod watch;

pub use error::{RecvError, SendError};
