//! The one switch between `std` and loom.
//!
//! Everything the state word and the shared fields are made of comes from
//! here, so that a loom build model-checks the same code that ships. The
//! `UnsafeCell` has loom's closure interface in both builds: loom can then
//! see where each access begins and ends.

#[cfg(loom)]
pub(crate) use loom::{
    cell::UnsafeCell,
    sync::{Mutex, MutexGuard, atomic::AtomicUsize},
};
#[cfg(not(loom))]
pub(crate) use std::sync::{Mutex, MutexGuard, atomic::AtomicUsize};

pub(crate) use std::sync::atomic::Ordering;

use std::sync::PoisonError;

/// Locks, ignoring poison: no lock of this crate is held while user code runs.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `std`'s cell behind loom's interface.
#[cfg(not(loom))]
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

#[cfg(not(loom))]
impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    /// Gives `f` the pointer for exclusive access; the caller answers for
    /// the exclusiveness.
    pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }
}
