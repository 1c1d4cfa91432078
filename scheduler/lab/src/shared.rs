//! What hand-written primitives are made of, so that the lab sees them.
//!
//! A channel or lock of one's own is state behind a lock, and the wakers of those who wait. The lab sees
//! the lock if it is a [`Shared`]. Wakers it sees by itself: to wake is to write that the task can run.
//! Nothing else is seen: the fields of an `Arc`, a `Cell`, an atomic. An atomic is a `Shared` of a number,
//! of which each operation locks once.
//!
//! What happens between two awaits is one step, also if it locks twice. On several threads others may come
//! between the two; [`pause`] is where the lab lets them.

use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::{Context, Poll};

use asupersync_core::observe::Object;

use crate::lab::is_running;

/// A value that tasks share, behind a lock; which steps use it, the lab sees. For primitives under test.
///
/// Made inside the program that is explored, or each run begins with what the last has left.
///
/// Beside the lab it is a mutex. In a lab there is one thread, so that whoever finds it locked has locked
/// it itself, and waits for ever: that is a panic. Poison is ignored.
///
/// Here a flag is looked at, and then the waker is left, each under the lock. If the flag is set between
/// the two, nobody is woken:
///
/// ```
/// use asupersync_core::Cx;
/// use asupersync_lab::{Explore, Shared, pause};
/// use std::future::poll_fn;
/// use std::sync::Arc;
/// use std::task::{Poll, Waker};
///
/// #[derive(Default)]
/// struct Flag {
///     set: bool,
///     waiter: Option<Waker>,
/// }
///
/// async fn wait(flag: &Shared<Flag>, between: bool) {
///     if flag.read().set {
///         return;
///     }
///     if between {
///         pause().await; // on another thread, somebody may come here
///     }
///     let mut left = false;
///     poll_fn(|task| {
///         let mut flag = flag.lock();
///         if left && flag.set {
///             return Poll::Ready(());
///         }
///         left = true;
///         flag.waiter = Some(task.waker().clone());
///         Poll::Pending
///     })
///     .await;
/// }
///
/// async fn program(cx: &Cx, between: bool) {
///     let flag = Arc::new(Shared::new(Flag::default()));
///     let other = flag.clone();
///     drop(cx.spawn("set", async move |_| {
///         let mut flag = other.lock();
///         flag.set = true;
///         let waiter = flag.waiter.take();
///         drop(flag);
///         waiter.into_iter().for_each(Waker::wake);
///     }));
///     wait(&flag, between).await;
/// }
///
/// // As one step it is right:
/// let found = Explore::optimal().run(async |cx: &Cx| program(cx, false).await);
/// assert!(found.complete && found.failure.is_none());
/// // As two it is not:
/// let found = Explore::optimal().run(async |cx: &Cx| program(cx, true).await);
/// assert!(found.failure.unwrap().message.contains("no task can go on"));
/// ```
///
/// # Drops
///
/// A destructor is part of the step that runs it. Which of several `Arc`s is dropped last, the lab does not
/// see: where the last one does something, let the drop of each lock a `Shared`, as where a count is kept.
pub struct Shared<T: ?Sized> {
    object: Object,
    value: Mutex<T>,
}

impl<T> Shared<T> {
    /// Shares `value`.
    pub fn new(value: T) -> Self {
        Shared { object: Object::new(), value: Mutex::new(value) }
    }

    /// The value, for whoever is the last to have it.
    pub fn into_inner(self) -> T {
        self.value.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: ?Sized> Shared<T> {
    /// Locks it to change it. It cannot be held across an await of a task.
    ///
    /// # Panics
    /// In a lab, if it is locked.
    #[track_caller]
    pub fn lock(&self) -> Locked<'_, T> {
        self.object.write();
        Locked(self.locked())
    }

    /// Locks it to look at it: steps that only do that are not tried in other orders.
    ///
    /// # Panics
    /// In a lab, if it is locked.
    #[track_caller]
    pub fn read(&self) -> Looking<'_, T> {
        self.object.read();
        Looking(self.locked())
    }

    #[track_caller]
    fn locked(&self) -> MutexGuard<'_, T> {
        match self.value.try_lock() {
            Ok(value) => value,
            Err(TryLockError::Poisoned(value)) => value.into_inner(),
            Err(TryLockError::WouldBlock) if is_running() => {
                let here = Location::caller();
                panic!("deadlock: what {here} locks is locked already, by the same step");
            }
            Err(TryLockError::WouldBlock) => self.value.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }
}

impl<T: Default> Default for Shared<T> {
    fn default() -> Self {
        Shared::new(T::default())
    }
}

impl<T: ?Sized> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

/// A [`Shared`] that is locked, until this is dropped.
#[must_use = "dropped at once, it locks nothing"]
pub struct Locked<'a, T: ?Sized>(MutexGuard<'a, T>);

impl<T: ?Sized> Deref for Locked<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized> DerefMut for Locked<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// A [`Shared`] that is locked to look at it, until this is dropped.
#[must_use = "dropped at once, nobody has looked"]
pub struct Looking<'a, T: ?Sized>(MutexGuard<'a, T>);

impl<T: ?Sized> Deref for Looking<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

/// Ends the step: others may run, as they might at this point on other threads. Knows no scope, and goes on
/// through Request.
pub fn pause() -> Pause {
    Pause { ended: false }
}

/// Made by [`pause`].
///
/// # Cancel safety
/// Nothing is lost.
#[must_use = "a pause that nobody awaits is none"]
#[derive(Debug)]
pub struct Pause {
    ended: bool,
}

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.ended, true) {
            return Poll::Ready(());
        }
        task.waker().wake_by_ref();
        Poll::Pending
    }
}
