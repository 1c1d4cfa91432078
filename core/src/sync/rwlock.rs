//! A lock for many readers or one writer, to hold across an await.
//!
//! It is a [`Semaphore`] of [`ALL`] permits, of which a reader takes one and a writer every one: so
//! it is FIFO, a writer that waits is not overtaken by readers, and readers next to each other in
//! the queue enter together.
//!
//! The value is behind an `Arc`. A reader clones it; a writer takes it out, and is its only owner.
//!
//! Invariant: a reader drops its `Arc` before its permit, and a writer puts the value back before its
//! permits go. A reader that is forgotten keeps its permit for ever, so no writer ever gets in.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::semaphore::{Permit, Semaphore};
use crate::cancel::{Cancelled, Use};
use crate::cx::Cx;
use crate::lock::{Mutex as Lock, lock};

/// What a writer takes; more readers than this wait.
const ALL: usize = usize::MAX >> 1;

/// Many readers or one writer.
///
/// FIFO: who waits first enters first, whether to read or to write. A reader that comes while a
/// writer waits stands behind it; so a task that reads must not ask to read again before it is done.
///
/// ```
/// # use asupersync::{Cx, Outcome, sync::RwLock};
/// # #[asupersync::main]
/// # async fn main(cx: &Cx) -> Outcome<()> {
/// let config = RwLock::new(1);
/// let writer = {
///     let (one, another) = (config.read(cx).await?, config.read(cx).await?);
///     assert_eq!(*one + *another, 2);
///     config.try_write()
/// };
/// assert!(writer.is_none());
/// let mut writer = config.write(cx).await?;
/// *writer = 3;
/// assert_eq!(*writer.downgrade(), 3);
/// # Ok(())
/// # }
/// ```
pub struct RwLock<T> {
    turn: Semaphore,
    /// `None` while a writer has it.
    value: Lock<Option<Arc<T>>>,
}

impl<T> RwLock<T> {
    /// A free lock around `value`.
    pub fn new(value: T) -> Self {
        RwLock { turn: Semaphore::new(ALL), value: Lock::new(Some(Arc::new(value))) }
    }

    /// Waits to read, together with other readers.
    ///
    /// # Errors
    /// `Cancelled` at Request.
    ///
    /// # Cancel safety
    /// A waiter that leaves loses its place and blocks nobody.
    pub async fn read<C>(&self, cx: &Cx<C>) -> Result<ReadGuard<'_, T>, Cancelled> {
        let turn = self.turn.acquire_as(Use::RwLockRead, cx, 1).await?;
        Ok(self.reader(turn))
    }

    /// Waits to write, alone. A guard dropped by a panic leaves the value as it was then; there is
    /// no poison.
    ///
    /// # Errors
    /// `Cancelled` at Request.
    ///
    /// # Cancel safety
    /// A waiter that leaves loses its place and blocks nobody: readers behind it enter.
    pub async fn write<C>(&self, cx: &Cx<C>) -> Result<WriteGuard<'_, T>, Cancelled> {
        let turn = self.turn.acquire_as(Use::RwLockWrite, cx, ALL).await?;
        Ok(self.writer(turn))
    }

    /// Reads if nobody writes or waits.
    pub fn try_read(&self) -> Option<ReadGuard<'_, T>> {
        let turn = self.turn.try_acquire(1)?;
        Some(self.reader(turn))
    }

    /// Writes if nobody reads, writes or waits.
    pub fn try_write(&self) -> Option<WriteGuard<'_, T>> {
        let turn = self.turn.try_acquire(ALL)?;
        Some(self.writer(turn))
    }

    fn reader<'a>(&'a self, turn: Permit<'a>) -> ReadGuard<'a, T> {
        let value = lock(&self.value).clone();
        ReadGuard { value: value.expect("no writer has it while there is a reader"), _turn: turn }
    }

    fn writer<'a>(&'a self, turn: Permit<'a>) -> WriteGuard<'a, T> {
        WriteGuard { value: lock(&self.value).take(), lock: self, turn: Some(turn) }
    }

    /// The value; nobody else can hold the lock.
    ///
    /// # Panics
    /// If a guard was leaked by `mem::forget`, and the value with it.
    pub fn into_inner(self) -> T {
        let value = self.value.into_inner();
        value.and_then(Arc::into_inner).expect("a guard was forgotten, and the value with it")
    }
}

/// A [`RwLock`] held to read; released when dropped.
#[must_use = "dropped at once, it locks nothing"]
pub struct ReadGuard<'a, T> {
    value: Arc<T>,
    /// Released after the value: fields drop in this order.
    _turn: Permit<'a>,
}

impl<T> Deref for ReadGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

/// A [`RwLock`] held to write; released when dropped.
#[must_use = "dropped at once, it locks nothing"]
pub struct WriteGuard<'a, T> {
    /// `None` only while it is dropped.
    value: Option<Arc<T>>,
    lock: &'a RwLock<T>,
    /// Released after the value is back: fields drop after `drop`.
    turn: Option<Permit<'a>>,
}

impl<'a, T> WriteGuard<'a, T> {
    /// Goes on as a reader. No writer gets in between; readers at the front of the queue enter.
    pub fn downgrade(mut self) -> ReadGuard<'a, T> {
        let value = self.value.take().expect("a guard has the value until it is dropped");
        let mut turn = self.turn.take().expect("and its turn");
        *lock(&self.lock.value) = Some(value.clone());
        turn.keep(1);
        ReadGuard { value, _turn: turn }
    }
}

impl<T> Deref for WriteGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.value.as_deref().expect("a guard has the value until it is dropped")
    }
}

impl<T> DerefMut for WriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        let alone = self.value.as_mut().and_then(Arc::get_mut);
        alone.expect("a writer is the value's only owner until it is dropped")
    }
}

impl<T> Drop for WriteGuard<'_, T> {
    fn drop(&mut self) {
        if let Some(value) = self.value.take() {
            *lock(&self.lock.value) = Some(value);
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for ReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: fmt::Debug> fmt::Debug for WriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.try_read() {
            Some(value) => f.debug_struct("RwLock").field("value", &*value).finish(),
            None => f.debug_struct("RwLock").field("value", &format_args!("<locked>")).finish(),
        }
    }
}
