//! The worker's own queue: [`Local`] for its owner, [`Stealer`] for everyone else.
//!
//! A bounded FIFO ring. The owner's push is two loads and a store; its pop is one
//! compare-exchange, because a thief may be after the same item. A thief takes half of what waits
//! and gets the oldest item back to run at once.
//!
//! # Protocol
//!
//! There is exactly one `Local` per ring. It is `Send` but neither `Sync` nor `Clone`, so at any
//! time one thread is the owner; that is all the unsafe part (`ring`) asks for. Stealing needs a
//! `Local` as its destination, so a thief is itself an owner, of another ring.
//!
//! # Invariants
//!
//! - Every item pushed comes out exactly once: by a pop, a steal, an overflow, or a drop.
//! - Items leave one ring in the order they entered it, whoever takes them.
//! - No call waits for another thread. A thief that stops in mid-copy keeps other thieves away
//!   and holds at most half of the slots; the owner goes on.

use crate::{
    Injector,
    ring::Ring,
    sync::{Arc, CAPACITY},
};
use std::{cell::Cell, fmt, marker::PhantomData};

/// The owner's end of a ring of [`capacity`](Self::capacity) items.
///
/// Dropping it drops what still waits; items in a thief's hands go on.
///
/// ```
/// let queue = asupersync_queue::Local::new();
/// queue.push("first").unwrap();
/// queue.push("second").unwrap();
/// assert_eq!(queue.pop(), Some("first"));
/// assert_eq!(queue.len(), 1);
/// ```
///
/// One thread at a time owns it:
///
/// ```compile_fail,E0277
/// fn shared<T: Sync>(_: T) {}
/// shared(asupersync_queue::Local::<u32>::new());
/// ```
pub struct Local<T> {
    ring: Arc<Ring<T>>,
    /// Not `Sync`: the ring's owner methods want one caller at a time.
    one_owner: PhantomData<Cell<()>>,
}

impl<T> Local<T> {
    /// An empty ring. Allocates its slots once.
    #[must_use]
    pub fn new() -> Self {
        Self { ring: Arc::new(Ring::new()), one_owner: PhantomData }
    }

    /// A thief's end of this ring.
    #[must_use]
    pub fn stealer(&self) -> Stealer<T> {
        Stealer { ring: Arc::clone(&self.ring) }
    }

    /// How many items the ring can hold: 1024.
    #[must_use]
    pub fn capacity(&self) -> usize {
        CAPACITY as usize
    }

    /// How many items wait. Thieves may take some at any time; only the owner adds any.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ring.len() as usize
    }

    /// Whether nothing waits. Stays true until the owner adds an item.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends `item`.
    ///
    /// # Errors
    ///
    /// Returns the item when no slot is free: the ring is full, or nearly so while a thief still
    /// copies out of it.
    pub fn push(&self, item: T) -> Result<(), T> {
        // SAFETY: a `Local` is not `Sync` and not `Clone`, so we are its ring's only owner; no
        // batch is under way, since `push_or_overflow` ends its own before it calls this.
        unsafe { self.ring.push(item) }
    }

    /// Appends `item`; a full ring first sheds its older half to `overflow` in one batch.
    ///
    /// When a thief is at work on the full ring, the item itself goes to `overflow` instead: slots
    /// are about to be free. Returns whether anything went to `overflow`, so that the caller can
    /// wake a worker for it.
    ///
    /// ```
    /// use asupersync_queue::{Injector, Local};
    ///
    /// let (queue, overflow) = (Local::new(), Injector::new());
    /// for i in 0..=queue.capacity() {
    ///     queue.push_or_overflow(i, &overflow);
    /// }
    /// assert_eq!(overflow.len(), queue.capacity() / 2);
    /// assert_eq!(overflow.pop(), Some(0));
    /// ```
    pub fn push_or_overflow(&self, item: T, overflow: &Injector<T>) -> bool {
        let Err(item) = self.push(item) else {
            return false;
        };
        // SAFETY: we are the owner (see `push`), a push has just found no free slot, and we push
        // nothing before `push_batch` has consumed the batch.
        if let Some(batch) = unsafe { self.ring.claim_half() } {
            overflow.push_batch(batch);
            if let Err(item) = self.push(item) {
                unreachable_full(item, overflow);
            }
        } else if let Err(item) = self.push(item) {
            overflow.push(item);
        } else {
            return false; // a thief has come and gone
        }
        true
    }

    /// Takes the oldest item.
    #[must_use]
    pub fn pop(&self) -> Option<T> {
        // SAFETY: a `Local` is not `Sync` and not `Clone`, so we are its ring's only owner.
        unsafe { self.ring.pop() }
    }
}

/// Half of the ring has just been freed and only the owner fills it, so this does not happen; if
/// it did, the item would still not be lost.
#[cold]
fn unreachable_full<T>(item: T, overflow: &Injector<T>) {
    debug_assert!(false, "no room after half of the ring was freed");
    overflow.push(item);
}

impl<T> Default for Local<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Drop for Local<T> {
    /// Thieves keep the ring alive, but nothing waits in it for an owner that is gone.
    fn drop(&mut self) {
        while self.pop().is_some() {}
    }
}

impl<T> fmt::Debug for Local<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// A thief's end of a ring; any number may exist, and any thread may use them.
///
/// ```
/// use asupersync_queue::Local;
///
/// let (victim, mine) = (Local::new(), Local::new());
/// for i in 0..5 {
///     victim.push(i).unwrap();
/// }
/// assert_eq!(victim.stealer().steal_into(&mine), Some(0)); // three of five; 1 and 2 wait in `mine`
/// assert_eq!((mine.len(), victim.len()), (2, 2));
/// ```
pub struct Stealer<T> {
    ring: Arc<Ring<T>>,
}

impl<T> Stealer<T> {
    /// Takes half of what waits, rounded up and limited to the room in `dst`. Returns the oldest
    /// item, to be run at once; the others are appended to `dst` in order.
    ///
    /// `None` when nothing waits, when another thief is at work on this ring (try another victim),
    /// or when `dst` is this ring's own `Local`. Never waits for another thread, except that it
    /// tries again when the owner pops in the middle.
    pub fn steal_into(&self, dst: &Local<T>) -> Option<T> {
        if Arc::ptr_eq(&self.ring, &dst.ring) {
            return None;
        }
        // SAFETY: `&Local` makes us the owner of `dst` (it is neither `Sync` nor `Clone`), and it
        // has just been seen to be another ring.
        unsafe { self.ring.steal_into(&dst.ring) }
    }

    /// How many items wait, at some recent moment.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ring.len() as usize
    }

    /// Whether nothing waited, at some recent moment.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Clone for Stealer<T> {
    fn clone(&self) -> Self {
        Self { ring: Arc::clone(&self.ring) }
    }
}

impl<T> fmt::Debug for Stealer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stealer").field("len", &self.len()).finish_non_exhaustive()
    }
}
