//! The one switch between `std` and loom.
//!
//! Locks, condition variables and atomics by which threads of a runtime talk to each other come from here,
//! so that a loom run checks the very code that ships.

#[cfg(loom)]
pub(crate) use loom::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, fence},
};
#[cfg(not(loom))]
pub(crate) use std::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, fence},
};

pub(crate) use std::sync::{PoisonError, atomic::Ordering::SeqCst};
