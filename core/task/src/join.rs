//! The join handle: waiting for the outcome and taking it.
//!
//! The slot of the join waker needs no lock, because the state word always
//! names one party that may touch it:
//!
//! | COMPLETE | JOIN_WAKER | the slot is |
//! |---|---|---|
//! | no  | no  | the handle's |
//! | no  | yes | on loan: nobody's; the handle may take it back (`reclaim_join_waker`) |
//! | yes | yes | the completer's, which takes the waker and wakes it |
//! | yes | no  | the handle's |
//!
//! A wake cannot be lost: a completer that finds the bit clear made the
//! handle's `lend_join_waker`, which comes later, fail, and the handle then
//! returns the outcome instead of `Pending`.

use crate::cell::Ref;
use crate::error::JoinError;
use crate::state::Complete;
use crate::task::TaskRef;
use crate::unwind::contain;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker};

/// The right to a task's outcome: a future that waits for it.
///
/// Dropping it detaches the task, which goes on; its output is then dropped
/// when the task completes, or at once if it has.
///
/// # Cancel safety
///
/// Polling loses nothing: a handle that was polled and set aside can be
/// polled again, by any task. Dropping the handle drops the outcome.
///
/// # Panics
///
/// Polling panics if the outcome was taken before.
///
/// # Examples
///
/// ```
/// use asupersync_task::{Ran, Runnable, Schedule, Wake, new};
///
/// struct Nowhere;
/// impl Schedule for Nowhere {
///     fn schedule(&self, _: Runnable<Self>, _: Wake) {}
/// }
///
/// let (runnable, mut handle) = new(async { 6 * 7 }, Nowhere);
/// assert!(handle.try_take().is_none());
/// assert_eq!(runnable.run(), Ran::Complete);
/// assert!(handle.is_finished());
/// assert_eq!(handle.try_take().unwrap().unwrap(), 42);
/// ```
#[must_use = "dropping a join handle detaches the task"]
pub struct JoinHandle<T, M> {
    task: Ref,
    /// The outcome is not in the cell any more.
    taken: bool,
    types: PhantomData<fn() -> (T, M)>,
}

impl<T, M> JoinHandle<T, M> {
    /// # Safety
    ///
    /// `task` is of a cell with output `T` and meta `M`, and JOIN_INTEREST
    /// is this handle's.
    pub(crate) unsafe fn from_ref(task: Ref) -> Self {
        Self { task, taken: false, types: PhantomData }
    }

    /// Another reference to the task.
    pub fn task(&self) -> TaskRef<M> {
        // SAFETY: `from_ref` asked for the cell's own `M`.
        unsafe { TaskRef::from_ref(self.task.clone()) }
    }

    /// What the owner attached to the task.
    pub fn meta(&self) -> &M {
        // SAFETY: `from_ref` asked for the cell's own `M`.
        let head = unsafe { self.task.head::<M>() };
        &head.meta
    }

    /// Whether the task is done.
    pub fn is_finished(&self) -> bool {
        self.task.state().is_complete()
    }

    /// Takes the outcome, if the task is done and it was not taken before.
    ///
    /// # Errors
    ///
    /// The outcome is a [`JoinError`] if the task was shut down or panicked.
    pub fn try_take(&mut self) -> Option<Result<T, JoinError>> {
        if self.taken || !self.task.state().is_complete() {
            return None;
        }
        // SAFETY: complete, and not taken.
        Some(unsafe { self.take() })
    }

    /// Takes back the waker that the last poll left, unless the task is done:
    /// nobody will be woken.
    pub fn take_waker(&mut self) -> Option<Waker> {
        self.task.state().reclaim_join_waker().ok()?;
        // SAFETY: not complete and not lent.
        unsafe { self.swap_waker(None) }
    }

    /// The outcome.
    ///
    /// # Safety
    ///
    /// The caller has seen COMPLETE, and the outcome was not taken before.
    unsafe fn take(&mut self) -> Result<T, JoinError> {
        self.taken = true;
        let mut outcome = MaybeUninit::<Result<T, JoinError>>::uninit();
        let take_output = self.task.header().vtable.take_output;
        // SAFETY: the vtable is this cell's, the task is complete, this is
        // its join handle, and the output's type is `T`; that it was not taken is the caller's word.
        unsafe { take_output(self.task.as_ptr(), NonNull::from(&mut outcome).cast()) };
        // SAFETY: `take_output` has written it.
        unsafe { outcome.assume_init() }
    }

    /// Exchanges the slot's content.
    ///
    /// # Safety
    ///
    /// By the table above, the slot is the handle's.
    unsafe fn swap_waker(&self, waker: Option<Waker>) -> Option<Waker> {
        // SAFETY: `from_ref` asked for the cell's own `M`.
        let head = unsafe { self.task.head::<M>() };
        // SAFETY: the slot is ours, by the caller's word.
        unsafe { head.join_waker.replace(waker) }
    }

    /// Leaves `waker` for the completer, or learns that there was one.
    fn leave_waker(&self, waker: &Waker) -> Result<(), Complete> {
        self.task.state().reclaim_join_waker()?;
        // The slot is ours now, and stays so if anything below unwinds. User
        // code (`clone`, `drop`) runs outside of the accesses.
        // SAFETY: not complete and not lent.
        let mut left = unsafe { self.swap_waker(None) };
        if !left.as_ref().is_some_and(|left| left.will_wake(waker)) {
            left = Some(waker.clone());
        }
        // SAFETY: not lent.
        let none = unsafe { self.swap_waker(left) };
        debug_assert!(none.is_none());
        self.task.state().lend_join_waker().inspect_err(|Complete| {
            // SAFETY: complete and not lent.
            let unused = unsafe { self.swap_waker(None) };
            contain(|| drop(unused));
        })
    }
}

impl<T, M> Future for JoinHandle<T, M> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        assert!(!self.taken, "a join handle was polled after it gave the outcome");
        if !self.task.state().is_complete() && self.leave_waker(cx.waker()).is_ok() {
            return Poll::Pending;
        }
        // SAFETY: complete, as we saw or as `leave_waker` did, and not taken.
        Poll::Ready(unsafe { self.take() })
    }
}

impl<T, M> Drop for JoinHandle<T, M> {
    #[inline]
    fn drop(&mut self) {
        if self.taken {
            return;
        }
        if self.task.state().is_complete() {
            // Whoever completed it has looked for this handle, and has its waker if that was left.
            // SAFETY: complete, and not taken.
            let outcome = unsafe { self.take() };
            return contain(|| drop(outcome));
        }
        let detach = self.task.state().transition_to_detached();
        if detach.owns_waker {
            // SAFETY: the transition said so.
            let waker = unsafe { self.swap_waker(None) };
            contain(|| drop(waker));
        }
        if detach.owns_output {
            // SAFETY: the transition said so: complete; and not taken.
            let outcome = unsafe { self.take() };
            contain(|| drop(outcome));
        }
    }
}

impl<T, M> fmt::Debug for JoinHandle<T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JoinHandle").field(&self.task.as_ptr()).finish()
    }
}
