//! A mutex to hold across an await.
//!
//! The value is boxed once and moves by pointer into the guard and back, which makes a guard that
//! can be sent between threads without `unsafe`. FIFO: the lock is handed to the first waiter.
//!
//! Invariant: while somebody is in the queue, not granted, the value is out or promised to who is granted.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::task::{Context, Poll, Waker};

use super::waiters::{Waiters, poll_locked};
use crate::cancel::{Cancelled, Level, Note, Use};
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
    state: Lock<State<T>>,
}

struct State<T> {
    /// `None` while a guard has it.
    value: Option<Box<T>>,
    /// The value is there, for the one that was granted.
    promised: bool,
    waiters: Waiters<()>,
}

impl<T> State<T> {
    fn take(&mut self) -> Option<Box<T>> {
        if self.promised { None } else { self.value.take() }
    }

    /// The value is there, and nobody's: promises it to the first waiter.
    fn promise(&mut self) -> Option<Waker> {
        let woken = self.waiters.grant();
        self.promised = woken.is_some();
        woken
    }
}

impl<T> Mutex<T> {
    /// A free mutex around `value`.
    pub fn new(value: T) -> Self {
        let state = State { value: Some(Box::new(value)), promised: false, waiters: Waiters::new() };
        Mutex { state: Lock::new(state) }
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
        let mut wait = Wait { mutex: self, key: None };
        cx.op(Level::Requested, Note::on(Use::Mutex, self), |task| wait.poll(task).map(Ok)).await
    }

    /// Takes the lock if it is free and nobody waits.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let value = lock(&self.state).take()?;
        Some(MutexGuard { value: Some(value), mutex: self })
    }

    /// The value; nobody else can hold the lock.
    ///
    /// # Panics
    /// If a guard was leaked by `mem::forget`, and the value with it.
    pub fn into_inner(self) -> T {
        let value = self.state.into_inner().value;
        *value.expect("the guard was forgotten, and the value with it")
    }
}

/// The wait for the lock. Leaves the queue when dropped.
struct Wait<'a, T> {
    mutex: &'a Mutex<T>,
    key: Option<usize>,
}

impl<'a, T> Wait<'a, T> {
    fn poll(&mut self, task: &mut Context<'_>) -> Poll<MutexGuard<'a, T>> {
        let Wait { mutex, ref mut key } = *self;
        let polled = poll_locked(&mutex.state, task, |state, parking| {
            if let Some(granted) = *key
                && state.waiters.is_granted(granted)
            {
                state.waiters.leave(granted);
                *key = None;
                state.promised = false;
            }
            if key.is_none()
                && let Some(value) = state.take()
            {
                return Poll::Ready(value);
            }
            state.waiters.wait(key, (), parking)
        });
        polled.map(|value| MutexGuard { value: Some(value), mutex })
    }
}

impl<T> Drop for Wait<'_, T> {
    fn drop(&mut self) {
        let Some(key) = self.key else { return };
        let mut state = lock(&self.mutex.state);
        let left = state.waiters.leave(key);
        let woken = if left.granted { state.promise() } else { None };
        drop(state);
        drop(left);
        woken.into_iter().for_each(Waker::wake);
    }
}

/// The lock of a [`Mutex`], held; released when dropped.
#[must_use = "dropped at once, it locks nothing"]
pub struct MutexGuard<'a, T> {
    /// `None` only while it is dropped.
    value: Option<Box<T>>,
    mutex: &'a Mutex<T>,
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
        let mut state = lock(&self.mutex.state);
        state.value = self.value.take();
        let woken = state.promise();
        drop(state);
        woken.into_iter().for_each(Waker::wake);
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
