//! The lock around what tasks share.

use crate::observe::Object;
pub(crate) use crate::primitive::MutexGuard;
use crate::primitive::{self, PoisonError, TryLockError};

/// A mutex whose uses can be observed. It is held for a few lines at a time, never across an await or while
/// user code runs.
#[derive(Debug)]
pub(crate) struct Mutex<T: ?Sized> {
    object: Object,
    inner: primitive::Mutex<T>,
}

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Mutex { object: Object::new(), inner: primitive::Mutex::new(value) }
    }

    /// In a constant, for statics. Loom has none of those.
    #[cfg(not(loom))]
    pub(crate) const fn of_static(value: T) -> Self {
        Mutex { object: Object::of_static(), inner: primitive::Mutex::new(value) }
    }

    pub(crate) fn into_inner(self) -> T {
        self.inner.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Mutex::new(T::default())
    }
}

impl<T: ?Sized> Mutex<T> {
    /// What is inside, for whoever is the last to have it.
    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.inner.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stands for what is inside where that is used without the lock.
    pub(crate) fn object(&self) -> &Object {
        &self.object
    }

    /// Reads a little of the lock itself, so that it is at hand; the result means nothing.
    pub(crate) fn touch(&self) -> usize {
        #[cfg(not(loom))]
        return usize::from(self.inner.is_poisoned());
        #[cfg(loom)]
        return 0;
    }
}

/// Locks, ignoring poison: no lock of this crate is held while user code runs.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.object.write();
    mutex.inner.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Locks, unless somebody holds it.
pub(crate) fn try_lock<T: ?Sized>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    mutex.object.write();
    match mutex.inner.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}
