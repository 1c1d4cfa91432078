//! The memory of cells, and of what tasks share: what a freed one had is kept for the next.
//!
//! A task is often made by one thread and freed by another, which is where a
//! general allocator has threads wait for each other. So each thread keeps
//! some freed blocks of each size, in *magazines* that it exchanges whole
//! with a depot that all share, and meets others once for so many tasks
//! (Bonwick and Adams, "Magazines and Vmem", USENIX 2001).
//!
//! # The safety case
//!
//! A block is a piece of memory with the size and the alignment of its class,
//! from the global allocator, and belongs to one party: a cell, or the one
//! list that it is in. Lists are owned values: a thread's are in its own
//! storage, the depot's behind its locks. A block in a list is written to by
//! that list only.

mod block;
mod depot;
#[cfg(all(test, not(loom)))]
mod tests;

#[cfg(not(loom))]
use depot::{Depot, Pool};

use block::Class;

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

/// Memory for a `T`, with nothing in it.
pub(crate) fn allocate<T>() -> NonNull<T> {
    const { assert!(size_of::<T>() > 0, "the allocator is not asked for nothing") };
    let layout = Layout::new::<T>();
    let kept = Class::of(layout).and_then(of_thread::take);
    kept.unwrap_or_else(|| from_system(Class::layout_of(layout))).cast()
}

/// Memory from [`allocate`] that goes back unless it comes into use.
pub(crate) struct Unused<T>(NonNull<T>);

impl<T> Unused<T> {
    pub(crate) fn new() -> Self {
        Unused(allocate())
    }

    pub(crate) fn as_ptr(&self) -> *mut T {
        self.0.as_ptr()
    }

    /// There is a `T` in it.
    pub(crate) fn into_used(self) -> NonNull<T> {
        ManuallyDrop::new(self).0
    }
}

impl<T> Drop for Unused<T> {
    fn drop(&mut self) {
        // SAFETY: it came from `allocate`, is ours alone, and what is in it is not yet a `T`.
        unsafe { free(self.0) }
    }
}

/// Frees what [`allocate`] gave.
///
/// # Safety
///
/// The memory is of a `T`, the caller's alone, and nothing in it is to be dropped.
pub(crate) unsafe fn free<T>(memory: NonNull<T>) {
    let layout = Layout::new::<T>();
    let memory = memory.cast::<u8>();
    if let Some(class) = Class::of(layout) {
        // SAFETY: `allocate` gave a block of this class, and it is the caller's.
        unsafe { of_thread::put(class, memory) }
    } else {
        // SAFETY: it is the caller's, and came from `from_system` with this layout.
        unsafe { dealloc(memory.as_ptr(), layout) }
    }
}

/// Memory from the global allocator. The layout is not empty.
fn from_system(layout: Layout) -> NonNull<u8> {
    // SAFETY: the layout is not empty.
    let memory = unsafe { alloc(layout) };
    NonNull::new(memory).unwrap_or_else(|| handle_alloc_error(layout))
}

/// How many bytes of tasks that are gone, and of what was [`Shared`](crate::Shared), are kept for those
/// to come, by all threads together.
///
/// Of each size up to 1,032 bytes, in steps of 16, a thread keeps no more
/// than 64 until it ends, and all threads together 2,048. The sum is exact
/// while no task is made or freed.
///
/// # Examples
///
/// ```
/// // What the process has allocated for tasks that are there, and for all else:
/// # let allocated = asupersync_task::kept_bytes();
/// let in_use = allocated - asupersync_task::kept_bytes();
/// # assert_eq!(in_use, 0);
/// ```
pub fn kept_bytes() -> usize {
    of_thread::kept_bytes()
}

/// What this thread has, with one depot for the process.
#[cfg(not(loom))]
mod of_thread {
    use super::{Class, Depot, Pool};
    use std::ptr::NonNull;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex, PoisonError, Weak};

    static DEPOT: Depot = Depot::new();
    /// What each thread has.
    static THREADS: Mutex<Vec<Weak<AtomicUsize>>> = Mutex::new(Vec::new());

    thread_local! {
        static POOL: Pool<'static> = Pool::new(&DEPOT, counted());
    }

    fn counted() -> Arc<AtomicUsize> {
        let kept = Arc::new(AtomicUsize::new(0));
        let mut threads = THREADS.lock().unwrap_or_else(PoisonError::into_inner);
        threads.retain(|thread| thread.strong_count() > 0);
        threads.push(Arc::downgrade(&kept));
        kept
    }

    #[inline]
    pub(super) fn take(class: Class) -> Option<NonNull<u8>> {
        POOL.try_with(|pool| pool.take(class)).ok()?
    }

    /// # Safety
    ///
    /// As [`Pool::put`].
    #[inline]
    pub(super) unsafe fn put(class: Class, block: NonNull<u8>) {
        // SAFETY: by the caller's word.
        if POOL.try_with(|pool| unsafe { pool.put(class, block) }).is_err() {
            // The thread is ending.
            // SAFETY: by the caller's word; nobody else has it.
            unsafe { class.free(block) }
        }
    }

    pub(super) fn kept_bytes() -> usize {
        let threads = THREADS.lock().unwrap_or_else(PoisonError::into_inner);
        let of_threads = threads.iter().filter_map(Weak::upgrade).map(|kept| kept.load(Ordering::Relaxed));
        of_threads.sum::<usize>() + DEPOT.kept_bytes()
    }
}

/// Nothing is kept where each execution is to leave nothing behind.
#[cfg(loom)]
mod of_thread {
    use super::Class;
    use std::ptr::NonNull;

    pub(super) fn take(_: Class) -> Option<NonNull<u8>> {
        None
    }

    /// # Safety
    ///
    /// As `Pool::put`.
    pub(super) unsafe fn put(class: Class, block: NonNull<u8>) {
        // SAFETY: by the caller's word.
        unsafe { class.free(block) }
    }

    pub(super) fn kept_bytes() -> usize {
        0
    }
}
