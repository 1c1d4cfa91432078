//! The one switch between `std` and loom.
//!
//! The rest of the crate imports its atomics, cells, locks and `Arc` from here and nowhere else,
//! so a loom run checks the very code that ships. Constants shrink with the switch: a model
//! checker must reach the full ring and the wrap-around within a handful of steps.

#[cfg(loom)]
pub(crate) use loom::{
    cell::UnsafeCell,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU32, AtomicU64, AtomicUsize, fence},
    },
};
#[cfg(not(loom))]
pub(crate) use std::sync::{
    Arc, Mutex, MutexGuard,
    atomic::{AtomicU32, AtomicU64, AtomicUsize, fence},
};

pub(crate) use std::sync::{PoisonError, atomic::Ordering};

/// How many items a ring holds. A power of two.
pub(crate) const CAPACITY: u32 = if cfg!(loom) { 4 } else { 1024 };

/// `std`'s cell with the closure interface of loom's.
#[cfg(not(loom))]
#[derive(Debug)]
pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

#[cfg(not(loom))]
impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    /// Runs `f` with a pointer for reading.
    pub(crate) fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        f(self.0.get())
    }

    /// Runs `f` with a pointer for writing.
    pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }
}
