//! The ring under [`Local`](crate::Local): slots, positions, and who may touch what.
//!
//! # Positions
//!
//! Three `u32` counters run up forever and wrap; a position's slot is its low bits.
//!
//! ```text
//!        held         taken              tail
//!          |            |                  |
//!   free   |  a thief   |   waiting items  |   free
//!          |  is still  |                  |
//!          |  copying   |                  |
//! ```
//!
//! `held` and `taken` share one 64-bit word, `head`, so both move in one step. `held == taken`
//! unless a thief is between its claim and its release.
//!
//! | field | written by | to |
//! |---|---|---|
//! | `tail` | owner, plain store | publish a pushed item |
//! | `taken` | owner (`pop`, `claim_half`) or thief (`claim`), by compare-exchange on `head` | own the items passed over |
//! | `held` | whoever moved `taken` with no thief at work; the thief at its `release` | give the slots back for writing |
//!
//! # Invariants
//!
//! 1. `held <= taken <= tail <= held + CAPACITY`, in wrapping order.
//! 2. Slots in `taken..tail` are initialised and belong to nobody: whoever moves `taken` past
//!    one owns the item in it.
//! 3. Slots in `held..taken` are read by exactly one thief; nobody writes them.
//! 4. All other slots may be written, by the owner only.
//! 5. At most one thief is at work: a claim needs `held == taken`, and leaves them apart.
//!
//! # Why the orderings suffice
//!
//! - *Thief reads what the owner wrote*: the owner's `Release` store of `tail` after writing the
//!   slot pairs with the thief's `Acquire` load of `tail`.
//! - *Owner overwrites only what the thief has read*: the thief's `Release` of `held` after its
//!   copies pairs with the `Acquire` load of `head` in `push`.
//! - *`tail` is never seen behind `taken`*: whoever moves `taken` has seen the `tail` that allowed
//!   it and moves it with `Release`; readers load `head` (`Acquire`) before `tail`.
//! - *A claim on a stale `tail` fails or is valid*: `taken` unmoved since it was read means no item
//!   of `taken..tail` is gone.
//!
//! The word `head` could be mistaken for an older equal value only if a claim were delayed while
//! exactly 2^32 items pass, which at 10 ns an item is a stall of 43 s hitting one value in four
//! billion. Positions start just below the wrap, so every process crosses it early, not in a
//! year's time.
//!
//! The double head is the idea of Tokio's multi-thread run queue, whose ancestry its authors
//! trace to Go's scheduler.

use crate::sync::{AtomicU32, AtomicU64, CAPACITY, Ordering, UnsafeCell};
use std::mem::MaybeUninit;

type Slot<T> = UnsafeCell<MaybeUninit<T>>;

/// Where all positions start: close enough to the wrap that ordinary use crosses it.
const START: u32 = u32::MAX - CAPACITY / 2;

const MASK: u32 = CAPACITY - 1;
const _: () = assert!(CAPACITY.is_power_of_two() && CAPACITY >= 2);

/// The two halves of `head`.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Head {
    held: u32,
    taken: u32,
}

impl Head {
    fn unpack(word: u64) -> Self {
        Self { held: (word >> 32) as u32, taken: word as u32 }
    }

    fn pack(self) -> u64 {
        u64::from(self.held) << 32 | u64::from(self.taken)
    }

    fn is_claimed(self) -> bool {
        self.held != self.taken
    }

    /// `taken` moved on by `n`, and `held` with it unless a thief stands there.
    fn take(self, n: u32) -> Self {
        let taken = self.taken.wrapping_add(n);
        let held = if self.is_claimed() { self.held } else { taken };
        Self { held, taken }
    }
}

/// Shared by one owner and any number of thieves. On cache lines of its own (two, for the
/// prefetcher that fetches pairs).
#[repr(align(128))]
pub(crate) struct Ring<T> {
    head: AtomicU64,
    tail: AtomicU32,
    slots: Box<[Slot<T>; CAPACITY as usize]>, // sized: masked indices need no bounds check
}

// SAFETY: the ring owns its items; moving it to a thread moves them there.
unsafe impl<T: Send> Send for Ring<T> {}
// SAFETY: a shared ring only ever moves items between threads (invariants 2 to 4 give each slot
// one user at a time); no two threads get a reference to the same item, so `T: Sync` is not needed.
unsafe impl<T: Send> Sync for Ring<T> {}

impl<T> Ring<T> {
    pub(crate) fn new() -> Self {
        let head = Head { held: START, taken: START };
        let slots: Vec<_> = (0..CAPACITY).map(|_| UnsafeCell::new(MaybeUninit::uninit())).collect();
        let Ok(slots) = slots.try_into() else { unreachable!("collected CAPACITY slots") };
        Self { head: AtomicU64::new(head.pack()), tail: AtomicU32::new(START), slots }
    }

    /// How many items wait; exact for the owner when no thief is at work, else a recent value.
    pub(crate) fn len(&self) -> u32 {
        let head = self.load_head();
        let tail = self.tail.load(Ordering::Acquire);
        tail.wrapping_sub(head.taken).min(CAPACITY)
    }

    /// Appends `item`, or returns it when every slot is in use.
    ///
    /// # Safety
    /// The caller is the owner: no other thread is in a method marked so.
    pub(crate) unsafe fn push(&self, item: T) -> Result<(), T> {
        let tail = self.tail.load(Ordering::Relaxed); // only the owner writes it
        let head = self.load_head();
        if tail.wrapping_sub(head.held) >= CAPACITY {
            return Err(item);
        }
        // SAFETY: the slot is outside `held..tail`, so invariant 4 gives it to the owner, whom the
        // caller promises to be; the `Acquire` above orders a thief's last read before this write.
        unsafe { self.write(tail, item) };
        self.tail.store(tail.wrapping_add(1), Ordering::Release);
        Ok(())
    }

    /// Takes the oldest item.
    ///
    /// # Safety
    /// The caller is the owner: no other thread is in a method marked so.
    pub(crate) unsafe fn pop(&self) -> Option<T> {
        let tail = self.tail.load(Ordering::Relaxed);
        let mut head = self.load_head();
        while head.taken != tail {
            match self.swap_head(head, head.take(1)) {
                // SAFETY: the exchange moved `taken` past an initialised slot (invariant 2), and
                // the owner, who is here, is the only one that could write it again.
                Ok(()) => return Some(unsafe { self.read(head.taken) }),
                Err(now) => head = now,
            }
        }
        None
    }

    /// Takes the older half of a full ring at once; `None` if a thief is or was at work.
    ///
    /// # Safety
    /// The caller is the owner, has seen the ring full, and pushes nothing until it is done with
    /// the returned iterator.
    pub(crate) unsafe fn claim_half(&self) -> Option<Claimed<'_, T>> {
        let head = self.load_head();
        let tail = self.tail.load(Ordering::Relaxed);
        // That many after `taken` means, by invariant 1, that `held` is there too: no thief.
        if tail.wrapping_sub(head.taken) != CAPACITY {
            return None;
        }
        self.swap_head(head, head.take(CAPACITY / 2)).ok()?;
        Some(Claimed { ring: self, next: head.taken, left: CAPACITY / 2 })
    }

    /// Takes half of what waits (rounded up): returns the oldest, appends the others to `dst`.
    /// `None` when nothing waits or another thief is at work.
    ///
    /// # Safety
    /// The caller is the owner of `dst`, and `dst` is another ring than `self`.
    pub(crate) unsafe fn steal_into(&self, dst: &Self) -> Option<T> {
        let dst_tail = dst.tail.load(Ordering::Relaxed);
        // The room can only grow from here: nobody but us moves this tail.
        let room = CAPACITY - dst_tail.wrapping_sub(dst.load_head().held);
        let (first, count) = self.claim(room + 1)?; // the one that is returned needs no slot

        // SAFETY: `claim` put `first..first + count`, initialised, between `held` and `taken`;
        // invariants 3 and 5 give them to this thief alone until `release`.
        let oldest = unsafe { self.read(first) };
        for i in 1..count {
            // SAFETY: as above; each position is read once.
            let item = unsafe { self.read(first.wrapping_add(i)) };
            // SAFETY: we own `dst` and `count - 1 <= room`, so the slot is free (invariant 4).
            unsafe { dst.write(dst_tail.wrapping_add(i - 1), item) };
        }
        self.release();
        if count > 1 {
            let tail = dst_tail.wrapping_add(count - 1);
            dst.tail.store(tail, Ordering::Release);
        }
        Some(oldest)
    }

    /// A thief's first half: moves `taken`, leaves `held`. Returns the first position and how many.
    fn claim(&self, most: u32) -> Option<(u32, u32)> {
        let mut head = self.load_head();
        loop {
            if head.is_claimed() {
                return None;
            }
            let waiting = self.tail.load(Ordering::Acquire).wrapping_sub(head.taken);
            let count = waiting.div_ceil(2).min(most);
            if count == 0 {
                return None;
            }
            let claimed = Head { held: head.held, taken: head.taken.wrapping_add(count) };
            match self.swap_head(head, claimed) {
                Ok(()) => return Some((head.taken, count)),
                Err(now) => head = now,
            }
        }
    }

    /// A thief's second half: its copies are made, the slots are free for the owner.
    fn release(&self) {
        let mut head = self.load_head();
        loop {
            let free = Head { held: head.taken, taken: head.taken };
            match self.swap_head(head, free) {
                Ok(()) => return,
                Err(now) => head = now, // the owner popped meanwhile
            }
        }
    }

    fn load_head(&self) -> Head {
        Head::unpack(self.head.load(Ordering::Acquire))
    }

    fn swap_head(&self, from: Head, to: Head) -> Result<(), Head> {
        self.head
            .compare_exchange(from.pack(), to.pack(), Ordering::AcqRel, Ordering::Acquire)
            .map(drop)
            .map_err(Head::unpack)
    }

    fn slot(&self, position: u32) -> &Slot<T> {
        &self.slots[(position & MASK) as usize]
    }

    /// # Safety
    /// The slot is free and the caller's (invariant 4).
    unsafe fn write(&self, position: u32, item: T) {
        self.slot(position).with_mut(|slot| {
            // SAFETY: in bounds, aligned, and by the caller's promise nobody else's.
            unsafe { slot.write(MaybeUninit::new(item)) }
        });
    }

    /// # Safety
    /// The slot is initialised and the caller's (invariants 2 and 3), who reads it once.
    unsafe fn read(&self, position: u32) -> T {
        self.slot(position).with(|slot| {
            // SAFETY: initialised and the caller's, who thereby becomes the owner of the item;
            // `MaybeUninit<T>` has the layout of `T`.
            unsafe { slot.cast::<T>().read() }
        })
    }
}

impl<T> Drop for Ring<T> {
    /// Drops what still waits. `Local` has drained the ring by then, unless an item's own drop
    /// panicked.
    fn drop(&mut self) {
        // SAFETY: `&mut self`: no other thread is anywhere in this ring.
        while unsafe { self.pop() }.is_some() {}
    }
}

/// The owner's overflow batch, oldest first. Dropping it drops the rest.
pub(crate) struct Claimed<'a, T> {
    ring: &'a Ring<T>,
    next: u32,
    left: u32,
}

impl<T> Iterator for Claimed<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.left = self.left.checked_sub(1)?;
        let position = self.next;
        self.next = position.wrapping_add(1);
        // SAFETY: `claim_half` moved `taken` past this initialised slot, each is read once, and
        // the owner, who could write it, has promised not to push meanwhile.
        Some(unsafe { self.ring.read(position) })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

impl<T> Drop for Claimed<'_, T> {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}
