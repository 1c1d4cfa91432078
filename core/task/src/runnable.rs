//! The runnable: an entry in a queue, with the permission to try to run.

use crate::cell::Ref;
use crate::state::Enter;
use crate::task::TaskRef;
use crate::why::{Ran, Wake, WakerUse};
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;

/// What the owner of tasks attaches to each of them; how a runnable reaches
/// its executor.
///
/// # Contract
///
/// - `schedule` may do anything, running the task on the spot included: the
///   crate holds no lock and no claim on the task while it is called.
/// - It is called wherever a waker is, so on any thread, and inside of polls
///   and drops.
/// - Sending the runnable to another thread must order what came before it
///   (as every queue and channel does).
/// - It should not panic. If it does, the panic reaches whoever woke the task
///   (or [`Runnable::run`] for a reschedule), and the runnable, dropped on the
///   way, shuts the task down.
///
/// # Examples
///
/// See the [crate's example](crate#example).
pub trait Schedule: Sized + Send + Sync + 'static {
    /// Takes a task that has become runnable.
    fn schedule(&self, runnable: Runnable<Self>, why: Wake);

    /// The task is complete, and nothing of it is left but its output, if a join handle may still
    /// take that. Called once, however the task ended, before a waiting join handle is woken. A
    /// panic in it is swallowed. A reference to this task that it returns is given up together with the
    /// caller's own, which costs less than to drop both.
    fn completed(&self) -> Option<TaskRef<Self>> {
        None
    }

    /// Whether [`waker_used`](Self::waker_used) is to be called for this task; always the same. It
    /// is asked at each poll, and costs nothing where the answer is a constant.
    fn follows_wakers(&self) -> bool {
        false
    }

    /// Somebody is about to do this with a waker that a poll of the task was given, or with a clone
    /// of one; or wakes it by [`promote_waker`](TaskRef::promote_waker). Called wherever a waker is
    /// used, after the task's end too. If it panics, the use does not happen, except that a waker
    /// which was to be dropped is.
    fn waker_used(&self, what: WakerUse) {
        let _ = what;
    }
}

/// An entry for a task in a queue: one reference, and the permission to *try*
/// to run it.
///
/// # Dropping it
///
/// A runnable that is dropped without being run, by a queue that goes away
/// for example, **shuts the task down** if the task is queued at that moment:
/// the future is dropped on this thread and the join handle gets
/// [`JoinError::Shutdown`](crate::JoinError::Shutdown). Otherwise the task
/// would wait for ever in a queue that does not exist, as nothing schedules a
/// task that is queued. A task with two entries
/// ([`TaskRef::promote`]) is shut down by the first of them that is dropped,
/// since nobody can know whether the other will ever run: to get rid of an
/// entry without ending its task, run it. If the task is running or complete,
/// only the reference is dropped.
///
/// # Examples
///
/// ```
/// use asupersync_task::{JoinError, Runnable, Schedule, Wake, new};
///
/// struct Nowhere;
/// impl Schedule for Nowhere {
///     fn schedule(&self, runnable: Runnable<Self>, _: Wake) {
///         drop(runnable);
///     }
/// }
///
/// let (runnable, mut handle) = new(std::future::ready(()), Nowhere);
/// runnable.schedule();
/// assert!(matches!(handle.try_take(), Some(Err(JoinError::Shutdown))));
/// ```
#[must_use = "dropping a runnable shuts its task down"]
pub struct Runnable<M> {
    task: Ref,
    meta: PhantomData<fn() -> M>,
}

impl<M> Runnable<M> {
    /// # Safety
    ///
    /// `M` is the meta type of the reference's cell.
    pub(crate) unsafe fn from_ref(task: Ref) -> Self {
        Self { task, meta: PhantomData }
    }

    /// The reference, without what dropping a runnable does besides.
    fn into_ref(self) -> Ref {
        let this = ManuallyDrop::new(self);
        // SAFETY: `this` is neither used nor dropped after this.
        unsafe { std::ptr::read(&raw const this.task) }
    }

    /// Polls the task once, if this entry is not out of date.
    ///
    /// Panics of the future are caught and become its outcome.
    ///
    /// # Panics
    ///
    /// If the task was woken meanwhile and [`Schedule::schedule`] panics.
    pub fn run(self) -> Ran {
        let task = self.into_ref();
        let run = task.header().vtable.run;
        // SAFETY: the vtable is this cell's.
        unsafe { run(task) }
    }

    /// What the owner attached to the task.
    pub fn meta(&self) -> &M {
        // SAFETY: `from_ref` asked for the cell's own `M`.
        let head = unsafe { self.task.head::<M>() };
        &head.meta
    }

    /// Hands the runnable to its own [`Schedule::schedule`], as
    /// [`Wake::Spawn`].
    ///
    /// # Panics
    ///
    /// If `schedule` panics; the task is then shut down.
    pub fn schedule(self) {
        let task = self.into_ref();
        let keeps_meta = task.clone();
        let schedule = keeps_meta.header().vtable.schedule;
        // SAFETY: the vtable is this cell's, and `keeps_meta` is another
        // reference.
        unsafe { schedule(task, Wake::Spawn) }
    }

    /// Another reference to the task.
    pub fn task(&self) -> TaskRef<M> {
        // SAFETY: `from_ref` asked for the cell's own `M`.
        unsafe { TaskRef::from_ref(self.task.clone()) }
    }

    /// An address that is this task's alone for as long as a reference to it
    /// exists: a key for maps.
    pub fn id_addr(&self) -> usize {
        self.task.as_ptr().addr().get()
    }
}

impl<M> Drop for Runnable<M> {
    fn drop(&mut self) {
        match self.task.state().transition_to_abandoned() {
            Enter::Stale => {}
            Enter::Run => {
                let shut_down = self.task.header().vtable.shut_down;
                // SAFETY: the vtable is this cell's, the transition gave us
                // the stage, and `self` is a reference.
                unsafe { shut_down(self.task.as_ptr()) }
            }
        }
    }
}

impl<M> fmt::Debug for Runnable<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Runnable").field(&self.task.as_ptr()).finish()
    }
}
