//! Blocks, by their size, and lists of those that are free.

use std::alloc::{Layout, dealloc};
use std::mem;
use std::ptr::{self, NonNull};

/// How many sizes there are.
pub(crate) const CLASSES: usize = 64;
/// Their steps, and what no block aligns beyond: what allocators give unasked.
const STEP: usize = 16;
/// All sizes are odd multiples of it: of those, common allocators waste nothing.
const ODD: usize = 8;

/// The size of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Class(u8);

impl Class {
    /// The class for this layout; none for what is large, or wants much alignment.
    pub(crate) const fn of(layout: Layout) -> Option<Class> {
        let steps = layout.size().saturating_sub(ODD).div_ceil(STEP);
        if steps == 0 || steps > CLASSES || layout.align() > STEP {
            None
        } else {
            Some(Class(steps as u8 - 1))
        }
    }

    /// Each, in order.
    pub(crate) fn all() -> impl Iterator<Item = Class> {
        (0..CLASSES as u8).map(Class)
    }

    /// Which it is, below [`CLASSES`].
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }

    /// Bytes of a block.
    pub(crate) const fn size(self) -> usize {
        (self.index() + 1) * STEP + ODD
    }

    pub(crate) const fn layout(self) -> Layout {
        // SAFETY: a power of two, and a size that is far below what is too much for it.
        unsafe { Layout::from_size_align_unchecked(self.size(), STEP) }
    }

    /// The layout that memory for `layout` is allocated with.
    pub(crate) const fn layout_of(layout: Layout) -> Layout {
        match Class::of(layout) {
            Some(class) => class.layout(),
            None => layout,
        }
    }

    /// Gives a block back to the global allocator.
    ///
    /// # Safety
    ///
    /// It is a block of this class and the caller's alone, with nothing in it.
    pub(crate) unsafe fn free(self, block: NonNull<u8>) {
        // SAFETY: all blocks of a class are allocated with its layout.
        unsafe { dealloc(block.as_ptr(), self.layout()) }
    }
}

/// Free blocks of one class; the last one that came is the first that goes.
pub(crate) struct List {
    first: *mut Free,
    len: usize,
}

// SAFETY: its blocks are memory that belongs to it alone, see the safety case.
unsafe impl Send for List {}

/// What is written into a block while it is free.
struct Free {
    next: *mut Free,
}

impl List {
    pub(crate) const EMPTY: List = List { first: ptr::null_mut(), len: 0 };

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Takes this list, and leaves an empty one.
    pub(crate) fn take(&mut self) -> List {
        mem::replace(self, List::EMPTY)
    }

    /// # Safety
    ///
    /// A block of the class that all in this list are of, the caller's to give away.
    pub(crate) unsafe fn push(&mut self, block: NonNull<u8>) {
        let block = block.cast::<Free>();
        // SAFETY: the block is ours by the caller's word, and has room and alignment for it.
        unsafe { block.write(Free { next: self.first }) };
        self.first = block.as_ptr();
        self.len += 1;
    }

    pub(crate) fn pop(&mut self) -> Option<NonNull<u8>> {
        let block = NonNull::new(self.first)?;
        // SAFETY: a block in the list belongs to it, and `push` has written there.
        self.first = unsafe { block.as_ref().next };
        self.len -= 1;
        Some(block.cast())
    }

    /// Gives all blocks back to the global allocator.
    ///
    /// # Safety
    ///
    /// They are of this class.
    pub(crate) unsafe fn free_all(mut self, class: Class) {
        while let Some(block) = self.pop() {
            // SAFETY: of this class by the caller's word, and no longer in the list.
            unsafe { class.free(block) }
        }
    }
}
