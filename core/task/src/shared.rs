//! What a few parties have together, in memory that is kept.
//!
//! The safety case: a block is reached through [`Shared`]s only, and its count is how many there are. Whoever
//! finds itself the only one stays that, since a further one is only ever made of one that there is: so the
//! value is its alone. Whoever gives its count up does so with a release, and who takes the value for its own has
//! acquired all of those.

use crate::memory;
use crate::sync::{AtomicUsize, Ordering};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::process;
use std::ptr::NonNull;

/// More than so many would be a leak of them in a loop.
const MAX: usize = isize::MAX as usize;

/// A counted reference: an [`Arc`](std::sync::Arc) without weak ones, and as cheap to make and to free as a task.
///
/// # Examples
///
/// ```
/// use asupersync_task::Shared;
///
/// let one = Shared::new(String::from("together"));
/// let two = one.clone();
/// assert_eq!(*two, "together");
/// let two = two.into_inner().expect_err("there is another");
/// drop(one);
/// assert_eq!(two.into_inner().ok().as_deref(), Some("together"));
/// ```
pub struct Shared<T> {
    block: NonNull<Block<T>>,
    owns: PhantomData<Block<T>>,
}

struct Block<T> {
    count: AtomicUsize,
    value: T,
}

// SAFETY: it gives shared references to the value on any thread, and whichever is the last gives or drops the value
// there.
unsafe impl<T: Send + Sync> Send for Shared<T> {}
// SAFETY: as above; a shared one gives what a clone of it gives.
unsafe impl<T: Send + Sync> Sync for Shared<T> {}

impl<T> Shared<T> {
    /// The first.
    pub fn new(value: T) -> Self {
        let block = memory::allocate::<Block<T>>();
        // SAFETY: memory for it, which is ours alone.
        unsafe { block.write(Block { count: AtomicUsize::new(1), value }) };
        Shared { block, owns: PhantomData }
    }

    fn block(&self) -> &Block<T> {
        // SAFETY: the count that is ours keeps it there, and it is only ever shared meanwhile.
        unsafe { self.block.as_ref() }
    }

    /// There is no other.
    fn is_only(&self) -> bool {
        self.block().count.load(Ordering::Acquire) == 1
    }

    /// The value, if this is the only one.
    ///
    /// # Errors
    ///
    /// Itself, if there are others.
    pub fn into_inner(self) -> Result<T, Self> {
        if !self.is_only() {
            return Err(self);
        }
        let block = ManuallyDrop::new(self).block;
        // SAFETY: nobody else has it, and this is the last use of it.
        let Block { value, .. } = unsafe { block.read() };
        // SAFETY: it came from `allocate`, and nothing is left in it.
        unsafe { memory::free(block) };
        Ok(value)
    }

    /// Drops the value, and frees its memory.
    ///
    /// # Safety
    ///
    /// Nobody else has it, and this is the last use of it.
    unsafe fn free(&mut self) {
        // SAFETY: by the caller's word.
        unsafe { self.block.drop_in_place() };
        // SAFETY: it came from `allocate`, and nothing is left in it.
        unsafe { memory::free(self.block) }
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        // Relaxed: it comes of one that exists.
        if self.block().count.fetch_add(1, Ordering::Relaxed) > MAX {
            process::abort();
        }
        Shared { block: self.block, owns: PhantomData }
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.block().value
    }
}

impl<T> Drop for Shared<T> {
    #[inline]
    fn drop(&mut self) {
        // Most are two, of which the last need not count.
        if self.is_only() {
            // SAFETY: it is the only one, and has acquired what the others did.
            unsafe { self.free() }
        } else if self.block().count.fetch_sub(1, Ordering::AcqRel) == 1 {
            // SAFETY: the others went meanwhile, and what they did is acquired.
            unsafe { self.free() }
        }
    }
}
