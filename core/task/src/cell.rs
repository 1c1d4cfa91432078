//! The cell: what one allocation holds, and the counted reference to it.
//!
//! ```text
//! Cell<F, M>   = [ Head<M> | stage: F, then its outcome, then nothing ]
//! Head<M>      = [ Header | join waker | meta: M ]
//! Header       = [ state word | note | vtable ]   <- every pointer points here
//! ```
//!
//! `repr(C)` puts each of them at the start of the one before, so a pointer
//! to the header is a pointer to all three; it keeps the provenance of the
//! whole allocation. Wakers know only `Header`, a `TaskRef<M>` knows `Head<M>`,
//! and only the functions in the vtable know `F`. No reference ever spans
//! more than the field at hand: `&Header` and `&M` are shared by all, and the
//! rest is in `UnsafeCell`s, whose owner the state word names.

mod slot;
mod stage;
#[cfg(all(test, not(loom)))]
mod tests;

pub(crate) use slot::Slot;
pub(crate) use stage::Stage;

use crate::state::{Notify, State};
use crate::sync::UnsafeCell;
use crate::why::{Ran, Wake, WakerUse};
use crate::work::Work;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;

/// What does not depend on a type: where every pointer to a task points.
#[repr(C)]
pub(crate) struct Header {
    pub(crate) state: State,
    /// For whoever looks at the task from outside. No protocol rests on it, so
    /// loom need not know it.
    pub(crate) note: AtomicU64,
    pub(crate) vtable: &'static Vtable,
}

/// What only code that knows `F` (or, for `schedule`, `M`) can do.
///
/// All take the header of a live cell of the vtable's own types.
pub(crate) struct Vtable {
    /// Tries to run the task, with one counted reference, which it uses up.
    pub(crate) run: unsafe fn(Ref) -> Ran,
    /// Drops the future and completes with `Shutdown`. The caller has claimed
    /// the stage and holds a reference meanwhile.
    pub(crate) shut_down: unsafe fn(NonNull<Header>),
    /// Gives a `Runnable` made of the reference to the task's `Schedule`. The
    /// caller holds another meanwhile: it keeps the meta alive.
    pub(crate) schedule: unsafe fn(Ref, Wake),
    /// Tells the task's `Schedule`, if it follows that, what is done with a
    /// waker. The caller holds a reference meanwhile.
    pub(crate) tell: unsafe fn(NonNull<Header>, WakerUse),
    /// Moves the outcome to memory for a `Result<T, JoinError>`. The task is
    /// complete, and the caller is its join handle, which has not done so before.
    pub(crate) take_output: unsafe fn(NonNull<Header>, NonNull<()>),
    /// Drops all and frees the memory. The last reference is gone.
    pub(crate) free: unsafe fn(NonNull<Header>),
}

/// What does not depend on the future.
#[repr(C)]
pub(crate) struct Head<M> {
    pub(crate) header: Header,
    pub(crate) join_waker: Slot,
    pub(crate) meta: M,
}

/// All of it.
#[repr(C)]
pub(crate) struct Cell<F: Work<M>, M> {
    pub(crate) head: Head<M>,
    pub(crate) stage: UnsafeCell<Stage<F, F::Output>>,
}

/// One counted reference to a cell of any type.
///
/// It is the only thing that counts: each handle and each waker is one.
pub(crate) struct Ref(NonNull<Header>);

// SAFETY: what a reference reaches may be used and dropped on any thread:
// a cell is only made of a `Send` future with a `Send` output and of a
// `Send + Sync` meta, and the shared fields are guarded by the state word.
unsafe impl Send for Ref {}
// SAFETY: as above; a shared `Ref` gives what a clone of it gives.
unsafe impl Sync for Ref {}

impl Ref {
    /// Takes over one counted reference.
    ///
    /// # Safety
    ///
    /// `header` points to a live cell and one of its counted references is
    /// the caller's to give away.
    pub(crate) unsafe fn from_raw(header: NonNull<Header>) -> Self {
        Self(header)
    }

    /// Gives the counted reference to the caller, uncounted by the type.
    pub(crate) fn into_raw(self) -> NonNull<Header> {
        ManuallyDrop::new(self).0
    }

    pub(crate) fn as_ptr(&self) -> NonNull<Header> {
        self.0
    }

    pub(crate) fn header(&self) -> &Header {
        // SAFETY: the reference keeps the cell alive, and a header is only
        // ever shared.
        unsafe { self.0.as_ref() }
    }

    pub(crate) fn state(&self) -> &State {
        &self.header().state
    }

    /// The part of the cell that does not depend on the future.
    ///
    /// # Safety
    ///
    /// `M` is the cell's meta type.
    pub(crate) unsafe fn head<M>(&self) -> &Head<M> {
        // SAFETY: the reference keeps the cell alive; by the caller's word
        // there is a `Head<M>` at its start, which is only ever shared.
        unsafe { self.0.cast::<Head<M>>().as_ref() }
    }

    /// Wakes the task: it will be polled after this, unless it is complete.
    pub(crate) fn wake(&self) {
        self.hand_on(self.state().transition_to_notified());
    }

    /// Wakes the task, with a second entry if it is queued already.
    pub(crate) fn promote(&self) {
        self.hand_on(self.state().transition_to_promoted());
    }

    /// Tells what is done with a waker of the task.
    pub(crate) fn tell(&self, what: WakerUse) {
        // SAFETY: the vtable is this cell's, and `self` a reference.
        unsafe { (self.header().vtable.tell)(self.0, what) }
    }

    fn hand_on(&self, notify: Notify) {
        let why = match notify {
            Notify::Schedule => Wake::Wake,
            Notify::ScheduleSecond => Wake::Promote,
            Notify::Nothing => return,
        };
        // SAFETY: the transition counted a reference for this.
        let counted = unsafe { Self::from_raw(self.0) };
        // SAFETY: the vtable is this cell's, and `self` is another reference.
        unsafe { (self.header().vtable.schedule)(counted, why) }
    }
}

impl Ref {
    /// Drops both, which are of one cell, at once.
    pub(crate) fn drop_with(self, other: Ref) {
        if self.as_ptr() != other.as_ptr() {
            return drop(other);
        }
        let header = self.into_raw();
        other.into_raw();
        // SAFETY: two counted references keep it alive, those that are given up here.
        if unsafe { header.as_ref() }.state.ref_dec_by(2) {
            // SAFETY: the cell is there until it is freed, below.
            let free = unsafe { header.as_ref() }.vtable.free;
            // SAFETY: the vtable is this cell's and no reference is left.
            unsafe { free(header) }
        }
    }
}

impl Clone for Ref {
    fn clone(&self) -> Self {
        self.state().ref_inc();
        Self(self.0)
    }
}

impl Drop for Ref {
    fn drop(&mut self) {
        if self.state().ref_dec() {
            let free = self.header().vtable.free;
            // SAFETY: the vtable is this cell's and no reference is left.
            unsafe { free(self.0) }
        }
    }
}
