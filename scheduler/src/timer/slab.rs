//! Where a wheel's entries live: a slab of nodes with links, and the [`Key`]s that name them.
//!
//! # Protocol
//!
//! A node is free (on the free list, through `next`) or in use (on exactly one list of the wheel,
//! through `prev` and `next`, or parked on none). The slab hands nodes out and takes them back; the
//! lists are the wheel's.
//!
//! # Invariants
//!
//! - A node in use holds a value; a free one does not.
//! - A node's generation grows each time it is freed. One whose generations are used up is not
//!   put on the free list again, so an old key never names a new entry. That wastes one node in
//!   sixteen million reuses.

use std::num::NonZeroU32;

/// The end of a list.
pub(super) const NIL: u32 = u32::MAX;

const GENERATION_BITS: u32 = 24;
const LAST_GENERATION: u32 = u32::MAX >> (u32::BITS - GENERATION_BITS);

/// Names an entry of a [`Wheel`](super::Wheel) from its insertion until it is yielded or
/// cancelled; after that it names nothing, ever. Eight bytes, and so is `Option<Key>`.
///
/// A key means nothing to another wheel than its own: there it may name nothing or a stranger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    index: u32,
    generation: NonZeroU32,
}

impl Key {
    /// How many bits of a number a key takes, the lowest; the others are the caller's.
    pub const BITS: u32 = u32::BITS + GENERATION_BITS;

    /// The key as one number, to hand through an interface that knows no wheels.
    #[must_use]
    pub fn to_bits(self) -> u64 {
        u64::from(self.generation.get()) << 32 | u64::from(self.index)
    }

    /// The key in the lowest bits of a number; `None` for one that no key gives.
    #[must_use]
    pub fn from_bits(bits: u64) -> Option<Key> {
        let generation = NonZeroU32::new((bits >> 32) as u32 & LAST_GENERATION)?;
        Some(Key { index: bits as u32, generation })
    }
}

#[derive(Debug)]
pub(super) struct Node<T> {
    pub(super) prev: u32,
    pub(super) next: u32,
    generation: NonZeroU32,
    /// The list this node is on, as the wheel numbers them.
    pub(super) list: u16,
    pub(super) deadline_ns: u64,
    value: Option<T>,
}

#[derive(Debug)]
pub(super) struct Slab<T> {
    nodes: Vec<Node<T>>,
    free: u32,
    len: usize,
}

impl<T> Slab<T> {
    pub(super) const fn new() -> Self {
        Self { nodes: Vec::new(), free: NIL, len: 0 }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// A node in use, on no list yet.
    pub(super) fn insert(&mut self, deadline_ns: u64, value: T) -> (u32, Key) {
        self.len += 1;
        if let Some(node) = self.nodes.get_mut(self.free as usize) {
            let index = self.free;
            self.free = node.next;
            node.deadline_ns = deadline_ns;
            node.value = Some(value);
            let generation = node.generation;
            return (index, Key { index, generation });
        }
        assert!(self.nodes.len() < NIL as usize, "a wheel of 2^32 timers");
        let (index, generation) = (self.nodes.len() as u32, NonZeroU32::MIN);
        self.nodes.push(Node { prev: NIL, next: NIL, generation, list: 0, deadline_ns, value: Some(value) });
        (index, Key { index, generation })
    }

    /// The index of the entry that `key` names, if it is still there.
    pub(super) fn find(&self, key: Key) -> Option<u32> {
        let node = self.nodes.get(key.index as usize)?;
        (node.generation == key.generation && node.value.is_some()).then_some(key.index)
    }

    /// Frees a node that is on no list any more. `None` if it was free already.
    pub(super) fn remove(&mut self, index: u32) -> Option<T> {
        let node = &mut self.nodes[index as usize];
        let value = node.value.take()?;
        self.len -= 1;
        if node.generation.get() < LAST_GENERATION {
            node.generation = node.generation.saturating_add(1);
            node.next = self.free;
            self.free = index;
        }
        Some(value)
    }

    pub(super) fn node(&self, index: u32) -> &Node<T> {
        &self.nodes[index as usize]
    }

    pub(super) fn node_mut(&mut self, index: u32) -> &mut Node<T> {
        &mut self.nodes[index as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_small_and_freed_nodes_are_used_again_under_new_ones() {
        assert_eq!(size_of::<Option<Key>>(), 8);
        let mut slab = Slab::new();
        let (index, old) = slab.insert(0, 'a');
        assert_eq!(slab.remove(index), Some('a'));
        let (again, new) = slab.insert(0, 'b');
        assert_eq!(again, index);
        assert_eq!((slab.find(old), slab.find(new)), (None, Some(index)));
        assert_eq!(slab.len(), 1);
    }

    #[test]
    fn a_node_without_generations_left_is_retired() {
        let mut slab = Slab::new();
        let (index, _) = slab.insert(0, 'a');
        slab.remove(index);
        slab.node_mut(index).generation = NonZeroU32::new(LAST_GENERATION).unwrap();
        let (last, key) = slab.insert(0, 'b');
        assert_eq!((last, slab.remove(last)), (index, Some('b')));
        assert_eq!(slab.find(key), None);
        assert_ne!(slab.insert(0, 'c').0, index);
    }
}
