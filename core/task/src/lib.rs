#![allow(
    unsafe_code,
    reason = "one allocation behind counted handles of four types, shared by a protocol \
              that the type system cannot see; everything above this crate is safe code"
)]
//! The task cell of asupersync: one heap allocation per task.

mod sync;

mod cell;
mod error;
mod join;
mod life;
mod runnable;
mod state;
mod task;
mod unwind;
mod waker;
mod why;

pub use error::JoinError;
pub use join::JoinHandle;
pub use life::new;
pub use runnable::{Runnable, Schedule};
pub use task::TaskRef;
pub use why::{Ran, Shutdown, Wake};
