//! The slot of the join waker.

use crate::sync::UnsafeCell;
use std::mem::ManuallyDrop;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::task::{RawWakerVTable, Waker};

/// A waker that the join handle and the completer pass to each other, as the table in
/// [`join`](crate::join) says, in two halves: anybody may look at the one.
pub(crate) struct Slot {
    /// The waker's data, or null. Changed only by whoever the slot belongs to, and ordered as the
    /// other half is; to everybody else it is a hint, so loom need not know it.
    data: AtomicPtr<()>,
    /// `None` if there is no waker.
    vtable: UnsafeCell<Option<&'static RawWakerVTable>>,
}

impl Slot {
    pub(crate) fn new() -> Self {
        Self { data: AtomicPtr::new(ptr::null_mut()), vtable: UnsafeCell::new(None) }
    }

    /// Exchanges the content. No user code runs.
    ///
    /// # Safety
    ///
    /// The slot is the caller's.
    pub(crate) unsafe fn replace(&self, waker: Option<Waker>) -> Option<Waker> {
        let next = waker.map(ManuallyDrop::new);
        let data = next.as_ref().map_or(ptr::null(), |next| next.data()).cast_mut();
        let before = self.data.load(Ordering::Relaxed);
        self.data.store(data, Ordering::Relaxed);
        let vtable = self.vtable.with_mut(|vtable| {
            // SAFETY: the slot is ours, by the caller's word.
            unsafe { vtable.replace(next.map(|next| next.vtable())) }
        });
        vtable.map(|vtable| {
            // SAFETY: both halves are of one waker, which was not dropped when it was put here, and is
            // nowhere else now.
            unsafe { Waker::new(before, vtable) }
        })
    }

    /// The data of the waker that is here, or null. The answer may be out of date.
    pub(crate) fn data(&self) -> *const () {
        self.data.load(Ordering::Relaxed)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // SAFETY: nobody else has it any more.
        drop(unsafe { self.replace(None) });
    }
}
