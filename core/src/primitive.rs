//! The one switch between `std` and loom.
//!
//! The lock beneath [`lock`](crate::lock), and the atomics by which threads talk to each other, come from
//! here, so that a loom run checks the very code that ships. Atomics that only count or give a hint are
//! `std`'s everywhere: a model need not try every value that they could have.

#[cfg(loom)]
pub(crate) use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize},
};
#[cfg(not(loom))]
pub(crate) use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize},
};

#[cfg(loom)]
pub(crate) use once::OnceLock;
#[cfg(not(loom))]
pub(crate) use std::sync::OnceLock;

pub(crate) use std::sync::{PoisonError, TryLockError, atomic::Ordering};

#[cfg(loom)]
mod once {
    use loom::sync::atomic::{AtomicBool, Ordering};

    /// `std`'s, with a flag by which loom knows what comes before what. Between the two of them it is set, and
    /// not yet seen.
    pub(crate) struct OnceLock<T> {
        value: std::sync::OnceLock<T>,
        seen: AtomicBool,
    }

    impl<T> OnceLock<T> {
        pub(crate) fn new() -> Self {
            OnceLock { value: std::sync::OnceLock::new(), seen: AtomicBool::new(false) }
        }

        pub(crate) fn get(&self) -> Option<&T> {
            self.value.get().filter(|_| self.seen.load(Ordering::Acquire))
        }

        pub(crate) fn set(&self, value: T) -> Result<(), T> {
            self.value.set(value)?;
            self.seen.store(true, Ordering::Release);
            Ok(())
        }
    }
}
