//! A part of a task's meta that is shared by itself.

use crate::cell::Ref;
use crate::task::TaskRef;
use crate::waker;
use std::fmt;
use std::ops::Deref;
use std::ptr::NonNull;
use std::task::Waker;

/// A part of what the owner attached to a task, and a counted reference to that task, which keeps it.
///
/// To those that share it, what an [`Arc`](std::sync::Arc) is; it needs no allocation of its own.
///
/// # Examples
///
/// ```
/// use asupersync_task::{Part, Runnable, Schedule, Wake, new};
///
/// struct Name(String);
/// impl Schedule for Name {
///     fn schedule(&self, _: Runnable<Self>, _: Wake) {}
/// }
///
/// let (runnable, handle) = new(async {}, Name("upload".into()));
/// let name: Part<str> = handle.task().part(|name| &*name.0);
/// drop((runnable, handle));
/// assert_eq!(&*name, "upload");
/// ```
pub struct Part<T: ?Sized> {
    part: NonNull<T>,
    task: Ref,
}

// SAFETY: it gives no more than a shared reference to the part, and drops a reference to the task,
// which may be done anywhere.
unsafe impl<T: ?Sized + Sync> Send for Part<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Sync> Sync for Part<T> {}

impl<M> TaskRef<M> {
    /// The part of the meta that `of` points out, with this reference.
    pub fn part<T: ?Sized>(self, of: impl FnOnce(&M) -> &T) -> Part<T> {
        let part = NonNull::from(of(self.meta()));
        Part { part, task: self.into_ref() }
    }
}

impl<T: ?Sized> Part<T> {
    /// A waker whose wake is [`promote`](TaskRef::promote): see
    /// [`promote_waker`](TaskRef::promote_waker).
    pub fn promote_waker(&self) -> Waker {
        waker::promote_waker(self.task.clone())
    }

    /// As [`promote_waker`](Self::promote_waker), made of this reference.
    pub fn into_promote_waker(self) -> Waker {
        waker::promote_waker(self.task)
    }

    /// As [`TaskRef::id_addr`].
    pub fn id_addr(&self) -> usize {
        self.task.as_ptr().addr().get()
    }
}

impl<T: ?Sized> Deref for Part<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: `part` was borrowed from the meta, for any lifetime in which that is there: it neither
        // moves nor changes as long as the cell lives, and `task` keeps the cell alive.
        unsafe { self.part.as_ref() }
    }
}

impl<T: ?Sized> Clone for Part<T> {
    fn clone(&self) -> Self {
        Self { part: self.part, task: self.task.clone() }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Part<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
