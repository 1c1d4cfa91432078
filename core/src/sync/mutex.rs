//! A mutex to hold across an await.
//!
//! The value is boxed once and moves by pointer into the guard and back, which makes a guard that
//! can be sent between threads without `unsafe`. FIFO: the lock is handed to the first waiter.

use std::fmt;
use std::ops::{Deref, DerefMut};

use super::semaphore::{Permit, Semaphore};
use crate::cancel::{Cancelled, Use};
use crate::cx::Cx;
use crate::lock::{Mutex as Lock, lock};

/// Mutual exclusion for asynchronous code.
///
/// ```
/// # use asupersync::{Cx, Outcome, sync::Mutex};
/// # #[asupersync::main]
/// # async fn main(cx: &Cx) -> Outcome<()> {
/// let count = Mutex::new(1);
/// *count.lock(cx).await? += 1;
/// assert_eq!(*count.lock(cx).await?, 2);
/// # Ok(())
/// # }
/// ```
pub struct Mutex<T> {
    turn: Semaphore,
    /// `None` while a guard has it.
    value: Lock<Option<Box<T>>>,
}

impl<T> Mutex<T> {
    /// A free mutex around `value`.
    pub fn new(value: T) -> Self {
        Mutex { turn: Semaphore::new(1), value: Lock::new(Some(Box::new(value))) }
    }

    /// Waits for the lock. A guard dropped by a panic leaves the value as it was then; there is no
    /// poison.
    ///
    /// # Errors
    /// `Cancelled` at Request.
    ///
    /// # Cancel safety
    /// A waiter that leaves loses its place and blocks nobody.
    pub async fn lock<C>(&self, cx: &Cx<C>) -> Result<MutexGuard<'_, T>, Cancelled> {
        let turn = self.turn.acquire_as(Use::Mutex, cx, 1).await?;
        Ok(self.guard(turn))
    }

    /// Takes the lock if it is free and nobody waits.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let turn = self.turn.try_acquire(1)?;
        Some(self.guard(turn))
    }

    fn guard<'a>(&'a self, turn: Permit<'a>) -> MutexGuard<'a, T> {
        MutexGuard { value: lock(&self.value).take(), mutex: self, _turn: turn }
    }

    /// The value; nobody else can hold the lock.
    ///
    /// # Panics
    /// If a guard was leaked by `mem::forget`, and the value with it.
    pub fn into_inner(self) -> T {
        let value = self.value.into_inner();
        *value.expect("the guard was forgotten, and the value with it")
    }
}

/// The lock of a [`Mutex`], held; released when dropped.
#[must_use = "dropped at once, it locks nothing"]
pub struct MutexGuard<'a, T> {
    /// `None` only while it is dropped.
    value: Option<Box<T>>,
    mutex: &'a Mutex<T>,
    /// Released after the value is back: fields drop after `drop`.
    _turn: Permit<'a>,
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.value.as_deref().expect("a guard has the value until it is dropped")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_deref_mut().expect("a guard has the value until it is dropped")
    }
}

impl<T: fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        *lock(&self.mutex.value) = self.value.take();
    }
}

impl<T: fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The value's own Debug may come back here, so it runs as anybody who has the lock.
        match self.try_lock() {
            Some(value) => f.debug_struct("Mutex").field("value", &*value).finish(),
            None => f.debug_struct("Mutex").field("value", &format_args!("<locked>")).finish(),
        }
    }
}
