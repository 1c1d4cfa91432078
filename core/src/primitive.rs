//! The one switch between `std` and loom.
//!
//! The lock beneath [`lock`](crate::lock), and the atomics by which threads talk to each other, come from
//! here, so that a loom run checks the very code that ships. Atomics that only count or give a hint are
//! `std`'s everywhere: a model need not try every value that they could have.

#[cfg(loom)]
pub(crate) use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize},
};
#[cfg(not(loom))]
pub(crate) use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize},
};

pub(crate) use std::sync::{PoisonError, atomic::Ordering};
