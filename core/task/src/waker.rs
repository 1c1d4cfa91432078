//! The waker: a counted reference whose data pointer is the header.
//!
//! The `RawWakerVTable`s are those of all tasks, not one for each type: what
//! depends on the type is behind the header's own vtable. So a waker is the
//! task's exactly if it has one of these and the task's address. There are
//! three, and a waker's clones have its own:
//!
//! | table | a wake |
//! |---|---|
//! | `VTABLE` | wakes |
//! | `TOLD` | wakes, and as any other use, tells the task's `Schedule` before |
//! | `PROMOTE` | promotes, and tells if the task wants that |

use crate::cell::{Header, Ref};
use crate::why::WakerUse;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;
use std::task::{RawWaker, RawWakerVTable, Waker};

static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

/// A waker with a reference of its own.
pub(crate) fn waker(task: Ref) -> Waker {
    let data = task.into_raw().as_ptr().cast_const().cast();
    // SAFETY: the functions of the vtable keep the contract of `RawWaker` for
    // a data pointer that is one counted reference.
    unsafe { Waker::new(data, &VTABLE) }
}

/// A waker on loan: it has no reference of its own, and must not outlive
/// `task`'s. Its clones tell of their uses if it is `told`.
pub(crate) fn borrowed(task: &Ref, told: bool) -> ManuallyDrop<Waker> {
    let data = task.as_ptr().as_ptr().cast_const().cast();
    let table = if told { &TOLD } else { &VTABLE };
    // SAFETY: as in `waker`; it is never dropped, so it gives up no reference,
    // and the caller keeps one for as long as it is in use.
    ManuallyDrop::new(unsafe { Waker::new(data, table) })
}

/// Whether `waker` wakes the task.
pub(crate) fn is_waker_of(task: &Ref, waker: &Waker) -> bool {
    let table = std::ptr::from_ref(waker.vtable());
    waker.data() == task.as_ptr().as_ptr().cast_const().cast()
        && [&raw const VTABLE, &raw const TOLD].contains(&table)
}

/// Whether a clone of `waker` is no more than another reference to one of our
/// tasks: making it runs nobody's code, so a lock may be held meanwhile.
///
/// # Examples
///
/// ```
/// assert!(!asupersync_task::is_quiet(std::task::Waker::noop()));
/// ```
pub fn is_quiet(waker: &Waker) -> bool {
    std::ptr::eq(waker.vtable(), &raw const VTABLE)
}

/// The note of the task that `waker` wakes, if that is one of ours: a word in
/// which a future tells whoever looks at the task from outside what it is at.
///
/// # Examples
///
/// ```
/// use asupersync_task::{Runnable, Schedule, Wake, new, note};
/// use std::future::poll_fn;
/// use std::sync::atomic::Ordering::Relaxed;
/// use std::task::{Poll, Waker};
///
/// struct Nowhere;
/// impl Schedule for Nowhere {
///     fn schedule(&self, _: Runnable<Self>, _: Wake) {}
/// }
///
/// let waits = poll_fn(|cx| {
///     note(cx.waker()).unwrap().store(7, Relaxed);
///     Poll::<()>::Pending
/// });
/// let (runnable, handle) = new(waits, Nowhere);
/// let _ = runnable.run();
/// assert_eq!(handle.task().note().load(Relaxed), 7);
/// assert!(note(Waker::noop()).is_none());
/// ```
pub fn note(waker: &Waker) -> Option<&AtomicU64> {
    let table = std::ptr::from_ref(waker.vtable());
    if ![&raw const VTABLE, &raw const TOLD, &raw const PROMOTE].contains(&table) {
        return None;
    }
    let header = waker.data().cast::<Header>();
    // SAFETY: a waker with a vtable of this module has a header's address as
    // its data, and a reference, its own or one it is lent, that keeps the cell
    // alive for as long as the waker is borrowed. Headers are only ever shared.
    Some(unsafe { &(*header).note })
}

/// What [`TaskRef::promote_waker`](crate::TaskRef::promote_waker) hands out: the same data pointer,
/// but waking is promoting.
static PROMOTE: RawWakerVTable = RawWakerVTable::new(clone_promote, promote, promote_by_ref, drop_waker);

/// A waker that promotes `task`, and owns that reference.
pub(crate) fn promote_waker(task: Ref) -> Waker {
    let data = task.into_raw().as_ptr().cast_const().cast();
    // SAFETY: the functions of the vtable keep the contract of `RawWaker` for
    // a data pointer that is one counted reference.
    unsafe { Waker::new(data, &PROMOTE) }
}

unsafe fn clone_promote(data: *const ()) -> RawWaker {
    // SAFETY: the waker is alive during the call.
    let task = unsafe { lend(data) };
    let another = Ref::clone(&task);
    RawWaker::new(another.into_raw().as_ptr().cast_const().cast(), &PROMOTE)
}

unsafe fn promote(data: *const ()) {
    // SAFETY: the waker is used up by this call, so the reference is ours.
    let task = ManuallyDrop::into_inner(unsafe { lend(data) });
    task.tell(WakerUse::WakeByRef);
    task.promote();
}

unsafe fn promote_by_ref(data: *const ()) {
    // SAFETY: the waker is alive during the call.
    let task = unsafe { lend(data) };
    task.tell(WakerUse::WakeByRef);
    task.promote();
}

/// The reference behind a waker, still the waker's.
///
/// # Safety
///
/// `data` is the data pointer of a waker of this module that is alive for as
/// long as the result is used.
unsafe fn lend(data: *const ()) -> ManuallyDrop<Ref> {
    let header = NonNull::new(data.cast_mut().cast::<Header>());
    // SAFETY: the data pointer comes from a `NonNull`.
    let header = unsafe { header.unwrap_unchecked() };
    // SAFETY: the waker's reference is counted, and `ManuallyDrop` leaves it
    // with the waker.
    ManuallyDrop::new(unsafe { Ref::from_raw(header) })
}

/// The contract of `RawWakerVTable`: `data` is a live waker's.
unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: the waker is alive during the call.
    let task = unsafe { lend(data) };
    let another = Ref::clone(&task);
    RawWaker::new(another.into_raw().as_ptr().cast_const().cast(), &VTABLE)
}

/// The contract of `RawWakerVTable`: `data` is a waker's that is used up.
unsafe fn wake(data: *const ()) {
    // SAFETY: the waker is used up by this call, so the reference is ours.
    let task = ManuallyDrop::into_inner(unsafe { lend(data) });
    task.wake();
}

/// The contract of `RawWakerVTable`: `data` is a live waker's.
unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: the waker is alive during the call.
    let task = unsafe { lend(data) };
    task.wake();
}

/// The contract of `RawWakerVTable`: `data` is a waker's that is used up.
unsafe fn drop_waker(data: *const ()) {
    // SAFETY: the waker is used up by this call, so the reference is ours.
    drop(ManuallyDrop::into_inner(unsafe { lend(data) }));
}

static TOLD: RawWakerVTable = RawWakerVTable::new(clone_told, wake_told, wake_by_ref_told, drop_told);

/// The contract of `RawWakerVTable`: `data` is a live waker's.
unsafe fn clone_told(data: *const ()) -> RawWaker {
    // SAFETY: the waker is alive during the call.
    let task = unsafe { lend(data) };
    task.tell(WakerUse::Clone);
    let another = Ref::clone(&task);
    RawWaker::new(another.into_raw().as_ptr().cast_const().cast(), &TOLD)
}

/// The contract of `RawWakerVTable`: `data` is a waker's that is used up.
unsafe fn wake_told(data: *const ()) {
    // SAFETY: the waker is used up by this call, so the reference is ours.
    let task = ManuallyDrop::into_inner(unsafe { lend(data) });
    task.tell(WakerUse::Wake);
    task.wake();
}

/// The contract of `RawWakerVTable`: `data` is a live waker's.
unsafe fn wake_by_ref_told(data: *const ()) {
    // SAFETY: the waker is alive during the call.
    let task = unsafe { lend(data) };
    task.tell(WakerUse::WakeByRef);
    task.wake();
}

/// The contract of `RawWakerVTable`: `data` is a waker's that is used up.
unsafe fn drop_told(data: *const ()) {
    // SAFETY: the waker is used up by this call, so the reference is ours.
    let task = ManuallyDrop::into_inner(unsafe { lend(data) });
    task.tell(WakerUse::Drop);
}
