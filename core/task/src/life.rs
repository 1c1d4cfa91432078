//! A task's life from its birth to the freeing of its cell: the functions
//! that know the type of its future.
//!
//! The order at the end of every task is: future dropped, outcome stored,
//! COMPLETE, joiner woken. What decided the outcome came before all of it, so
//! nothing that the future's drop does can change it.

use crate::cell::{Cell, Head, Header, Ref, Slot, Stage, Vtable};
use crate::error::JoinError;
use crate::join::JoinHandle;
use crate::memory;
use crate::runnable::{Runnable, Schedule};
use crate::state::{Completed, Enter, Leave, Made, State};
use crate::sync::UnsafeCell;
use crate::task::TaskRef;
use crate::unwind::contain;
use crate::waker::borrowed;
use crate::why::{Ran, Wake, WakerUse};
use crate::work::Work;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;
use std::task::{Context, Poll};

/// Creates a task, in one allocation.
///
/// It is *queued* but in no queue yet: its entry is the [`Runnable`], which
/// the caller passes on, by [`Runnable::schedule`] or straight to a queue.
///
/// # Examples
///
/// See the [crate's example](crate#example).
pub fn new<F, M>(work: F, meta: M) -> (Runnable<M>, JoinHandle<F::Output, M>)
where
    F: Work<M, Output: Send + 'static> + Send + 'static,
    M: Schedule,
{
    let (runnable, handle, []) = new_cyclic(|| meta, |[]| work);
    (runnable, handle)
}

/// As [`new`], of what `make` makes, which may hold references to the task itself. It is given so
/// many, and so many are returned: they cost less here than later. The meta is made where it stays, too.
///
/// Until `make` returns the task counts as running: it is not polled, and if it is shut down its work
/// is dropped as soon as it was made.
///
/// # Panics
///
/// If `meta` or `make` does; nothing is left of the task then.
///
/// # Examples
///
/// ```
/// use asupersync_task::{Runnable, Schedule, Wake, new_cyclic};
///
/// struct Name(&'static str);
/// impl Schedule for Name {
///     fn schedule(&self, _: Runnable<Self>, _: Wake) {}
/// }
///
/// let (runnable, mut handle, [task]) = new_cyclic(|| Name("you"), |[me]| async move {
///     format!("hello, {}", me.meta().0)
/// });
/// assert!(task.ptr_eq(&handle.task()));
/// let _ = runnable.run();
/// assert_eq!(handle.try_take().unwrap().unwrap(), "hello, you");
/// ```
#[expect(clippy::type_complexity, reason = "handles of three types, which say it best")]
pub fn new_cyclic<F, M, const N: usize>(
    meta: impl FnOnce() -> M,
    make: impl FnOnce([TaskRef<M>; N]) -> F,
) -> (Runnable<M>, JoinHandle<F::Output, M>, [TaskRef<M>; N])
where
    F: Work<M, Output: Send + 'static> + Send + 'static,
    M: Schedule,
{
    let header = Header { state: State::new(2 * N), note: AtomicU64::new(0), vtable: &Life::<F, M>::VTABLE };
    // Each part is moved to its place, and not the whole once more: futures may be large.
    let memory = memory::Unused::<Cell<F, M>>::new();
    let to = memory.as_ptr();
    let meta = meta();
    // SAFETY: `to` points to memory for a cell that is ours alone.
    let head = unsafe { &raw mut (*to).head };
    // SAFETY: as above; nothing was there before.
    unsafe { head.write(Head { header, join_waker: Slot::new(), meta }) };
    // SAFETY: as for the head.
    let stage = unsafe { &raw mut (*to).stage };
    // SAFETY: as for the head; with that the cell is whole.
    unsafe { stage.write(UnsafeCell::new(Stage { nothing: () })) };
    let cell = memory.into_used();
    let header = cell.cast::<Header>();
    let refs = || {
        std::array::from_fn(|_| {
            // SAFETY: a new cell has two references and twice N; this is one of the latter.
            let one = unsafe { Ref::from_raw(header) };
            // SAFETY: `M` is the cell's.
            unsafe { TaskRef::from_ref(one) }
        })
    };
    // SAFETY: this is one of the two.
    let one = unsafe { Ref::from_raw(header) };
    // SAFETY: this is the other.
    let other = unsafe { Ref::from_raw(header) };
    // SAFETY: `M` is the cell's.
    let runnable = unsafe { Runnable::from_ref(one) };
    // SAFETY: both types are the cell's, and a new cell has JOIN_INTEREST.
    let handle = unsafe { JoinHandle::from_ref(other) };
    let (others, theirs) = (refs(), refs());
    // If it unwinds all references are dropped, and the last frees a cell whose stage is empty.
    let work = make(theirs);
    // SAFETY: the handles keep the cell alive.
    let cell = unsafe { Life::<F, M>::cell(header) };
    // SAFETY: a new cell is RUNNING, which makes the stage ours.
    unsafe { cell.put(work) };
    match cell.head.header.state.transition_to_made() {
        Made::Queued => {}
        // SAFETY: RUNNING is still ours, and the handles are references.
        Made::Shutdown => unsafe { Life::<F, M>::shut_down(header) },
    }
    (runnable, handle, others)
}

/// The vtable's functions for one pair of types.
struct Life<F, M>(PhantomData<(F, M)>);

impl<F, M> Life<F, M>
where
    F: Work<M, Output: Send + 'static> + Send + 'static,
    M: Schedule,
{
    const VTABLE: Vtable = Vtable {
        run: Self::run,
        shut_down: Self::shut_down,
        schedule: Self::schedule,
        tell: Self::tell,
        take_output: Self::take_output,
        free: Self::free,
    };

    /// # Safety
    ///
    /// The header of a live cell of these types, alive for `'a`.
    unsafe fn cell<'a>(header: NonNull<Header>) -> &'a Cell<F, M> {
        // SAFETY: by the caller's word; what is not shared is in `UnsafeCell`s.
        unsafe { header.cast::<Cell<F, M>>().as_ref() }
    }

    /// `Vtable::run`.
    unsafe fn run(task: Ref) -> Ran {
        match task.state().transition_to_running() {
            Enter::Stale => return Ran::Stale,
            Enter::Run => {}
        }
        // SAFETY: `task` keeps the cell alive for longer than `cell` is used:
        // it is given up only where noted below.
        let cell = unsafe { Self::cell(task.as_ptr()) };
        let waker = borrowed(&task, cell.head.meta.follows_wakers());
        let mut cx = Context::from_waker(&waker);
        // SAFETY: it is `task`'s, and goes into what never gives it up.
        let same = unsafe { Ref::from_raw(task.as_ptr()) };
        // SAFETY: `M` is the cell's.
        let lent = ManuallyDrop::new(unsafe { TaskRef::from_ref(same) });
        // SAFETY: RUNNING makes the stage ours, and a cell never moves.
        let polled = unsafe { cell.poll(&lent, &mut cx) };
        let outcome = match polled {
            Ok(Poll::Ready(output)) => Ok(output),
            Err(payload) => Err(JoinError::Panicked(payload)),
            Ok(Poll::Pending) => match task.state().transition_to_idle() {
                Leave::Idle => {
                    // The transition gave the reference up.
                    let _ = task.into_raw();
                    return Ran::Pending;
                }
                Leave::IdleAndLast => {
                    // SAFETY: the reference that the transition gave up was
                    // the last.
                    unsafe { Self::free(task.into_raw()) };
                    return Ran::Pending;
                }
                Leave::Queued => {
                    // SAFETY: the transition counted a reference for this.
                    let counted = unsafe { Ref::from_raw(task.as_ptr()) };
                    // SAFETY: the types are ours, and `task` is another.
                    unsafe { Self::schedule(counted, Wake::Yield) };
                    return Ran::Rescheduled;
                }
                Leave::Shutdown => Err(JoinError::Shutdown),
            },
        };
        // SAFETY: RUNNING is still ours, and `task` a reference.
        let other = unsafe { Self::complete(cell, outcome) };
        if let Some(other) = other {
            task.drop_with(other.into_ref());
        }
        Ran::Complete
    }

    /// Ends the task with `outcome`. Returns the reference that its owner gave up.
    ///
    /// # Safety
    ///
    /// RUNNING is the caller's, and ends with this; the caller has a reference.
    // Inlined, and the outcome never at an address of its own, which one that is dropped has: written there in
    // parts, and copied from there as a whole, it would be read before it was written, as far as the processor can
    // tell, which is a stall for each task.
    #[inline(always)]
    unsafe fn complete(cell: &Cell<F, M>, outcome: Result<F::Output, JoinError>) -> Option<TaskRef<M>> {
        let outcome = ManuallyDrop::new(outcome);
        // SAFETY: RUNNING makes the stage ours, and it holds the future until this.
        unsafe { cell.end(outcome) };
        let completed = cell.head.header.state.transition_to_complete();
        if matches!(completed, Completed::Detached) {
            // SAFETY: without a join handle the stage stays ours.
            let outcome = unsafe { cell.take_outcome() };
            contain(|| drop(outcome));
        }
        let mut given = None;
        contain(|| given = cell.head.meta.completed());
        match completed {
            Completed::Joined | Completed::Detached => {}
            Completed::JoinedWithWaker => {
                // SAFETY: the transition made the slot ours.
                let waker = unsafe { cell.head.join_waker.replace(None) };
                contain(|| waker.into_iter().for_each(|waker| waker.wake()));
            }
        }
        given
    }

    /// `Vtable::shut_down`.
    unsafe fn shut_down(header: NonNull<Header>) {
        // SAFETY: the caller's reference keeps the cell alive.
        let cell = unsafe { Self::cell(header) };
        // SAFETY: the caller has claimed RUNNING, and has a reference.
        drop(unsafe { Self::complete(cell, Err(JoinError::Shutdown)) });
    }

    /// `Vtable::schedule`.
    unsafe fn schedule(task: Ref, why: Wake) {
        // SAFETY: another reference, the caller's, keeps the cell alive.
        let cell = unsafe { Self::cell(task.as_ptr()) };
        // SAFETY: `M` is the cell's.
        let runnable = unsafe { Runnable::from_ref(task) };
        cell.head.meta.schedule(runnable, why);
    }

    /// `Vtable::tell`.
    unsafe fn tell(header: NonNull<Header>, what: WakerUse) {
        // SAFETY: the caller's reference keeps the cell alive.
        let cell = unsafe { Self::cell(header) };
        if cell.head.meta.follows_wakers() {
            cell.head.meta.waker_used(what);
        }
    }

    /// `Vtable::take_output`.
    unsafe fn take_output(header: NonNull<Header>, to: NonNull<()>) {
        // SAFETY: the caller's reference keeps the cell alive.
        let cell = unsafe { Self::cell(header) };
        // SAFETY: the task is complete, and the caller its join handle, which takes it once.
        let outcome = unsafe { cell.take_outcome() };
        // SAFETY: the caller points to memory for this type.
        unsafe { to.cast::<Result<F::Output, JoinError>>().write(outcome) }
    }

    /// `Vtable::free`: the future first, if it is still there, the meta last.
    unsafe fn free(header: NonNull<Header>) {
        // SAFETY: the cell is still there.
        let whole = unsafe { Self::cell(header) };
        if whole.head.header.state.has_future() {
            // SAFETY: it is ours alone, and the future is there.
            unsafe { whole.drop_future() }
        }
        let cell = header.cast::<Cell<F, M>>();
        // SAFETY: as above; nobody looks at it after this.
        contain(|| unsafe { cell.drop_in_place() });
        // SAFETY: `new_cyclic` had it from `allocate`, and nothing is left in it.
        unsafe { memory::free(cell) };
    }
}
