//! What all threads keep together, and what each keeps for itself.

use super::block::{CLASSES, Class, List};
use crate::sync::{Mutex, lock};
use std::cell::RefCell;
use std::mem;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many blocks make a magazine: so many tasks share the price of a lock.
pub(super) const MAGAZINE: usize = if cfg!(loom) { 1 } else { 32 };
/// How many magazines of each class there are at most.
pub(super) const MOST: usize = if cfg!(loom) { 1 } else { 64 };

/// Full magazines, by class.
pub(crate) struct Depot([Mutex<Shelf>; CLASSES]);

/// Those of one class: so many are full.
struct Shelf {
    magazines: [List; MOST],
    full: usize,
}

impl Shelf {
    const EMPTY: Shelf = Shelf { magazines: [const { List::EMPTY }; MOST], full: 0 };
}

impl Depot {
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Depot {
        Depot([const { Mutex::new(Shelf::EMPTY) }; CLASSES])
    }

    #[cfg(loom)]
    pub(crate) fn new() -> Depot {
        Depot(std::array::from_fn(|_| Mutex::new(Shelf::EMPTY)))
    }

    /// A full magazine, if there is one.
    fn take(&self, class: Class) -> Option<List> {
        let mut shelf = lock(&self.0[class.index()]);
        shelf.full = shelf.full.checked_sub(1)?;
        let top = shelf.full;
        Some(shelf.magazines[top].take())
    }

    /// Gives the magazine back if there is no room.
    fn put(&self, class: Class, magazine: List) -> Result<(), List> {
        let mut shelf = lock(&self.0[class.index()]);
        let top = shelf.full;
        let Some(place) = shelf.magazines.get_mut(top) else { return Err(magazine) };
        *place = magazine;
        shelf.full += 1;
        Ok(())
    }

    /// Bytes of all blocks here.
    pub(crate) fn kept_bytes(&self) -> usize {
        let blocks = self.0.iter().map(|shelf| lock(shelf).full * MAGAZINE);
        blocks.zip(Class::all()).map(|(blocks, class)| blocks * class.size()).sum()
    }
}

/// What one thread keeps.
pub(crate) struct Pool<'a> {
    depot: &'a Depot,
    magazines: RefCell<[Magazines; CLASSES]>,
    /// Bytes of all blocks here, for others to see.
    kept: Arc<AtomicUsize>,
}

/// Two of them, so that one who takes and puts in turn does so without the depot.
struct Magazines {
    loaded: List,
    /// Empty or full.
    spare: List,
}

impl<'a> Pool<'a> {
    pub(crate) fn new(depot: &'a Depot, kept: Arc<AtomicUsize>) -> Self {
        let empty = [const { Magazines { loaded: List::EMPTY, spare: List::EMPTY } }; CLASSES];
        Pool { depot, magazines: RefCell::new(empty), kept }
    }

    /// A free block, if one is kept.
    #[inline]
    pub(crate) fn take(&self, class: Class) -> Option<NonNull<u8>> {
        let Magazines { loaded, spare } = &mut self.magazines.borrow_mut()[class.index()];
        let block = match loaded.pop() {
            Some(block) => block,
            None => {
                mem::swap(loaded, spare);
                if loaded.len() == 0 {
                    *loaded = self.depot.take(class)?;
                    self.count(|kept| kept + MAGAZINE * class.size());
                }
                loaded.pop()?
            }
        };
        self.count(|kept| kept - class.size());
        Some(block)
    }

    /// Keeps a block; if that is too much, here and at the depot, frees a magazine.
    ///
    /// # Safety
    ///
    /// A block of this class, the caller's to give away, with nothing in it.
    #[inline]
    pub(crate) unsafe fn put(&self, class: Class, block: NonNull<u8>) {
        let mut surplus = None;
        {
            let Magazines { loaded, spare } = &mut self.magazines.borrow_mut()[class.index()];
            if loaded.len() == MAGAZINE {
                if spare.len() > 0 {
                    surplus = self.depot.put(class, spare.take()).err();
                    self.count(|kept| kept - MAGAZINE * class.size());
                }
                mem::swap(loaded, spare);
            }
            // SAFETY: by the caller's word; blocks of other classes are in other lists.
            unsafe { loaded.push(block) }
            self.count(|kept| kept + class.size());
        }
        // The allocator may be anybody's, and is not called with the lists borrowed.
        if let Some(surplus) = surplus {
            // SAFETY: it was a list of this class.
            unsafe { surplus.free_all(class) }
        }
    }

    /// Nobody else writes there.
    fn count(&self, change: impl FnOnce(usize) -> usize) {
        self.kept.store(change(self.kept.load(Ordering::Relaxed)), Ordering::Relaxed);
    }
}

impl Drop for Pool<'_> {
    fn drop(&mut self) {
        self.count(|_| 0);
        for (Magazines { loaded, spare }, class) in self.magazines.get_mut().iter_mut().zip(Class::all()) {
            // SAFETY: lists of this class.
            unsafe { loaded.take().free_all(class) }
            // SAFETY: as above.
            unsafe { spare.take().free_all(class) }
        }
    }
}

#[cfg(all(test, loom))]
mod loom {
    use super::super::from_system;
    use super::*;
    use ::loom::cell::UnsafeCell;
    use ::loom::thread;
    use std::alloc::Layout;

    const CLASS: Class = match Class::of(Layout::new::<[u64; 3]>()) {
        Some(class) => class,
        None => panic!("it is small"),
    };

    /// By its address, what the owner of a block may touch: two at a time show.
    struct Owned([(usize, UnsafeCell<()>); 6]);

    impl Owned {
        fn touch(&self, block: NonNull<u8>) {
            let own = self.0.iter().find(|(address, _)| *address == block.addr().get());
            own.expect("one of them").1.with_mut(|_| ());
        }
    }

    /// Frees some blocks, makes use of all that can be had, and gives it to the allocator.
    fn exchange(depot: &Depot, owned: &Owned, mut blocks: List) {
        let pool = Pool::new(depot, Arc::default());
        while let Some(block) = blocks.pop() {
            owned.touch(block);
            // SAFETY: of this class, and the test's alone.
            unsafe { pool.put(CLASS, block) }
        }
        while let Some(block) = pool.take(CLASS) {
            owned.touch(block);
            // SAFETY: as above.
            unsafe { CLASS.free(block) }
        }
    }

    /// What one puts at the depot, and another takes, is the other's alone; and so if there is no room.
    #[test]
    fn a_block_has_one_owner() {
        ::loom::model(|| {
            let blocks = [(); 6].map(|()| from_system(CLASS.layout()));
            let owned = Arc::new(Owned(blocks.map(|block| (block.addr().get(), UnsafeCell::new(())))));
            let depot = Arc::new(Depot::new());
            let mut each = blocks.chunks(3).map(|blocks| {
                let mut list = List::EMPTY;
                // SAFETY: of one class, and the test's alone.
                blocks.iter().for_each(|block| unsafe { list.push(*block) });
                list
            });
            let (mine, theirs) = (each.next().expect("six"), each.next().expect("six"));
            let other = {
                let (depot, owned) = (depot.clone(), owned.clone());
                thread::spawn(move || exchange(&depot, &owned, theirs))
            };
            exchange(&depot, &owned, mine);
            other.join().expect("it does not panic");
            exchange(&depot, &owned, List::EMPTY);
        });
    }
}
