//! The task reference: what regions, wakers' owners and watchers hold.

use crate::cell::Ref;
use crate::state::Claim;
use crate::waker;
use crate::why::{Activity, Shutdown};
use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::AtomicU64;
use std::task::Waker;

/// A counted reference to a task.
///
/// It keeps the task's memory and its meta, not the task: a task that nobody
/// can wake any more is dropped once the last reference goes, and its future
/// is dropped earlier, when it completes or is shut down.
///
/// # Examples
///
/// ```
/// use asupersync_task::{Runnable, Schedule, Shutdown, Wake, new};
///
/// struct Name(&'static str);
/// impl Schedule for Name {
///     fn schedule(&self, _: Runnable<Self>, _: Wake) {}
/// }
///
/// let (runnable, _handle) = new(async {}, Name("upload"));
/// let task = runnable.task();
/// assert_eq!(task.meta().0, "upload");
/// assert_eq!(task.shutdown(), Shutdown::Dropped);
/// assert!(task.is_complete());
/// ```
pub struct TaskRef<M> {
    task: Ref,
    // Covariant, and neither `Send` nor `Sync` depend on it: `new` asked for
    // both when the task was made.
    meta: PhantomData<fn() -> M>,
}

impl<M> TaskRef<M> {
    /// # Safety
    ///
    /// `M` is the meta type of the reference's cell.
    pub(crate) unsafe fn from_ref(task: Ref) -> Self {
        Self { task, meta: PhantomData }
    }

    pub(crate) fn into_ref(self) -> Ref {
        self.task
    }

    /// What the owner attached to the task.
    pub fn meta(&self) -> &M {
        // SAFETY: `from_ref` asked for the cell's own `M`.
        let head = unsafe { self.task.head::<M>() };
        &head.meta
    }

    /// Wakes the task: a poll will begin after this call, and it sees what
    /// the caller did before it. Nothing happens if the task is complete.
    ///
    /// An idle task is handed to [`Schedule::schedule`](crate::Schedule::schedule)
    /// before this returns; a queued one is queued already, and a running one
    /// is rescheduled after its poll.
    ///
    /// # Panics
    ///
    /// If `schedule` panics; the task is then shut down.
    pub fn wake(&self) {
        self.task.wake();
    }

    /// Wakes the task as [`wake`](Self::wake) does and, if it is queued
    /// already, schedules a second entry for it with
    /// [`Wake::Promote`](crate::Wake::Promote): the way to move a queued task
    /// to another lane without finding it in the first.
    ///
    /// Whichever entry runs first runs the task. The crate's documentation
    /// says [why the other is harmless](crate#stale-entries). An idle task is
    /// scheduled with `Wake::Wake`, since there is no first entry.
    ///
    /// # Panics
    ///
    /// As [`wake`](Self::wake).
    pub fn promote(&self) {
        self.task.promote();
    }

    /// Ends the task: its future is dropped and its join handle gets
    /// [`JoinError::Shutdown`](crate::JoinError::Shutdown).
    ///
    /// If the task is idle or queued, the future is dropped on this thread,
    /// before this returns. If its poll is on, here or on another thread, the
    /// future is dropped after that poll, unless the poll returns an output
    /// or panics: then that stands. The future's own drop cannot change the
    /// outcome; a panic in it is contained.
    pub fn shutdown(&self) -> Shutdown {
        match self.task.state().transition_to_shutdown() {
            Claim::Running => Shutdown::Running,
            Claim::Complete => Shutdown::AlreadyComplete,
            Claim::Claimed => {
                let shut_down = self.task.header().vtable.shut_down;
                // SAFETY: the vtable is this cell's, the transition gave us
                // the stage, and `self` is a reference.
                unsafe { shut_down(self.task.as_ptr()) };
                Shutdown::Dropped
            }
        }
    }

    /// Whether the task is done: its future is gone, its outcome is stored.
    pub fn is_complete(&self) -> bool {
        self.task.state().is_complete()
    }

    /// Whether somebody is polling the task, or dropping its future.
    ///
    /// The answer may be out of date when it arrives, unless the caller is
    /// that somebody.
    pub fn is_running(&self) -> bool {
        self.task.state().is_running()
    }

    /// What the task is doing.
    ///
    /// The answer may be out of date when it arrives.
    pub fn activity(&self) -> Activity {
        self.task.state().activity()
    }

    /// The task's note: what its future told by [`note`](crate::note), or 0.
    pub fn note(&self) -> &AtomicU64 {
        &self.task.header().note
    }

    /// Who waits for the outcome: the data pointer of the waker that the join handle was polled with,
    /// or 0.
    ///
    /// The answer may be out of date when it arrives.
    pub fn joiner(&self) -> usize {
        // SAFETY: `from_ref` asked for the cell's own `M`.
        let head = unsafe { self.task.head::<M>() };
        head.join_waker.data().addr()
    }

    /// A waker for the task: one more reference, no allocation.
    pub fn waker(&self) -> Waker {
        waker::waker(self.task.clone())
    }

    /// A waker whose wake is [`promote`](Self::promote). It has the data pointer of
    /// [`waker`](Self::waker), so the two can be told to be of one task.
    pub fn promote_waker(&self) -> Waker {
        waker::promote_waker(self.task.clone())
    }

    /// Whether `waker` wakes this task.
    pub fn will_wake(&self, waker: &Waker) -> bool {
        waker::is_waker_of(&self.task, waker)
    }

    /// Whether both refer to the same task.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        self.task.as_ptr() == other.task.as_ptr()
    }

    /// An address that is this task's alone for as long as a reference to it
    /// exists; the same as [`Runnable::id_addr`](crate::Runnable::id_addr).
    pub fn id_addr(&self) -> usize {
        self.task.as_ptr().addr().get()
    }
}

impl<M> Clone for TaskRef<M> {
    fn clone(&self) -> Self {
        Self { task: self.task.clone(), meta: PhantomData }
    }
}

impl<M> fmt::Debug for TaskRef<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TaskRef").field(&self.task.as_ptr()).finish()
    }
}
