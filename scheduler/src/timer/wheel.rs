//! The wheel itself; the module above tells the structure and numbers the invariants.

use super::slab::{Key, NIL, Slab};
use std::fmt;

/// The resolution of a [`Wheel`] in nanoseconds: 2^16, about 65.5 us.
pub const TICK_NS: u64 = 1 << TICK_BITS;

const TICK_BITS: u32 = 16;
const DIGIT_BITS: u32 = 6;
const SLOTS: usize = 1 << DIGIT_BITS;
const LEVELS: usize = 8;
const _: () = assert!(TICK_BITS + DIGIT_BITS * LEVELS as u32 == u64::BITS);

/// The list of entries already due.
const DUE: usize = LEVELS * SLOTS;
/// The mark of an entry on no list, because its time cannot be reached.
const NEVER: u16 = DUE as u16 + 1;
/// The last tick that begins within `u64` nanoseconds.
const LAST_TICK: u64 = u64::MAX >> TICK_BITS;

#[derive(Clone, Copy, Debug)]
struct List {
    head: u32,
    tail: u32,
    /// Not after the tick of any entry; meaningless while the list is empty.
    earliest: u64,
}

const EMPTY: List = List { head: NIL, tail: NIL, earliest: 0 };

/// A set of deadlines with a value each, yielded when the caller says their time has come.
///
/// Insertion and cancel take constant time; each entry is moved down at most seven times. The
/// structure takes 8 KB, plus 32 bytes and the value for each entry at the highest count so far
/// (it does not shrink). Holds fewer than 2^32 entries.
///
/// ```
/// use asupersync_scheduler::timer::{TICK_NS, Wheel};
///
/// let mut wheel = Wheel::new(0);
/// let late = wheel.insert(5_000_000_000, "late");
/// wheel.insert(1_000_000, "soon");
/// let wake = wheel.next_deadline().unwrap();
/// assert!((1_000_000..1_000_000 + TICK_NS).contains(&wake));
///
/// let mut due = Vec::new();
/// wheel.advance(wake, &mut due);
/// assert_eq!(due, [(1_000_000, "soon")]);
/// assert_eq!(wheel.cancel(late), Some("late"));
/// assert!(wheel.is_empty() && wheel.next_deadline().is_none());
/// ```
pub struct Wheel<T> {
    slab: Slab<T>,
    /// The tick `advance` has reached; all before and in it has been yielded or is on `DUE`.
    now: u64,
    /// Which levels have entries, a bit each.
    levels: u8,
    /// Which slots of each level have entries, a bit each.
    slots: [u64; LEVELS],
    /// One list a slot, by level, and last the list of what is due.
    lists: Box<[List; DUE + 1]>,
}

impl<T> Wheel<T> {
    /// An empty wheel that has reached `start_ns`.
    #[must_use]
    pub fn new(start_ns: u64) -> Self {
        Self {
            slab: Slab::new(),
            now: start_ns >> TICK_BITS,
            levels: 0,
            slots: [0; LEVELS],
            lists: Box::new([EMPTY; DUE + 1]),
        }
    }

    /// How many entries wait, those that never fire included.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.slab.len()
    }

    /// Whether no entry waits.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds an entry that is due at `deadline_ns`.
    ///
    /// A deadline not after the start of the tick that time has reached makes the entry due at the
    /// next [`advance`](Self::advance), whatever time that is given. One within the last tick of `u64` time, such as `u64::MAX`, means never: the entry can be
    /// cancelled, is counted, and costs no wake-up.
    ///
    /// # Panics
    ///
    /// If there are 2^32 - 1 entries already.
    pub fn insert(&mut self, deadline_ns: u64, value: T) -> Key {
        let (index, key) = self.slab.insert(deadline_ns, value);
        let tick = due_tick(deadline_ns);
        if tick <= self.now {
            self.append(DUE, index, tick);
        } else if tick > LAST_TICK {
            self.slab.node_mut(index).list = NEVER;
        } else {
            self.place(index, tick);
        }
        key
    }

    /// Removes the entry and returns its value; `None` if it has been yielded or cancelled before.
    pub fn cancel(&mut self, key: Key) -> Option<T> {
        let index = self.slab.find(key)?;
        if self.slab.node(index).list != NEVER {
            self.unlink(index);
        }
        self.slab.remove(index)
    }

    /// Moves time on to `now_ns` and appends to `due` every entry whose time has come, as
    /// `(deadline_ns, value)`: in order of deadline, equal ones in order of insertion.
    ///
    /// A time before the one already reached counts as that one. Time that passes over nothing
    /// costs nothing, however long.
    pub fn advance(&mut self, now_ns: u64, due: &mut Vec<(u64, T)>) {
        let target = self.now.max(now_ns >> TICK_BITS);
        self.yield_list(DUE, due);
        while let Some((level, list)) = self.first() {
            let start = self.start(level, list);
            if start > target {
                break;
            }
            if level == 0 {
                self.now = start;
                self.yield_list(list, due);
                self.vacate(list);
            } else {
                // No entry is before `earliest`, so time may go there at once (invariants 2, 4).
                self.now = self.lists[list].earliest.min(target);
                self.move_down(list);
            }
        }
        self.now = target;
    }

    /// When to call [`advance`](Self::advance) next, in nanoseconds; `None` if nothing will be due.
    ///
    /// A call at that time yields the earliest entry, and none before that time yields anything
    /// (the time may have passed already). It is a lower bound only: an entry that was the earliest
    /// of its slot and has been cancelled may leave its time behind, and `advance` then yields
    /// nothing and sets it right.
    #[must_use]
    pub fn next_deadline(&self) -> Option<u64> {
        if self.lists[DUE].head != NIL {
            return Some(self.now << TICK_BITS);
        }
        let (_, list) = self.first()?;
        Some(self.lists[list].earliest << TICK_BITS)
    }

    /// The first occupied level and its first occupied list: the earliest entries (invariant 2).
    fn first(&self) -> Option<(usize, usize)> {
        if self.levels == 0 {
            return None;
        }
        let level = self.levels.trailing_zeros() as usize;
        let slot = self.slots[level].trailing_zeros() as usize;
        Some((level, level * SLOTS + slot))
    }

    /// The tick at which an occupied slot begins: the current one's digits above `level`
    /// (invariant 1), the slot's own, and zeros.
    fn start(&self, level: usize, list: usize) -> u64 {
        let shift = DIGIT_BITS * level as u32;
        let above = self.now >> shift >> DIGIT_BITS << DIGIT_BITS;
        (above | (list % SLOTS) as u64) << shift
    }

    /// Puts an entry of a reachable tick, not before the current one, into its slot.
    fn place(&mut self, index: u32, tick: u64) {
        // `| 1`: the current tick itself belongs to the lowest level.
        let level = ((tick ^ self.now) | 1).ilog2() / DIGIT_BITS;
        let slot = (tick >> (DIGIT_BITS * level)) as usize % SLOTS;
        let level = level as usize;
        self.levels |= 1 << level;
        self.slots[level] |= 1 << slot;
        self.append(level * SLOTS + slot, index, tick);
    }

    /// Empties a list into `due`, ordered.
    fn yield_list(&mut self, list: usize, due: &mut Vec<(u64, T)>) {
        let from = due.len();
        let mut index = self.lists[list].head;
        while index != NIL {
            let node = self.slab.node(index);
            let (next, deadline_ns) = (node.next, node.deadline_ns);
            due.extend(self.slab.remove(index).map(|value| (deadline_ns, value)));
            index = next;
        }
        self.lists[list] = EMPTY;
        // Lists are in order of insertion, and this sort is stable.
        due[from..].sort_by_key(|&(deadline_ns, _)| deadline_ns);
    }

    /// Places the entries of a slot that time has reached anew, in order (invariant 5).
    fn move_down(&mut self, list: usize) {
        let mut index = self.lists[list].head;
        self.lists[list] = EMPTY;
        self.vacate(list);
        while index != NIL {
            let node = self.slab.node(index);
            let (next, tick) = (node.next, due_tick(node.deadline_ns));
            self.place(index, tick);
            index = next;
        }
    }

    /// Clears the bits of a slot that has become empty (invariant 3).
    fn vacate(&mut self, list: usize) {
        let (level, slot) = (list / SLOTS, list % SLOTS);
        self.slots[level] &= !(1 << slot);
        if self.slots[level] == 0 {
            self.levels &= !(1 << level);
        }
    }

    fn append(&mut self, to: usize, index: u32, tick: u64) {
        let list = &mut self.lists[to];
        let last = list.tail;
        list.tail = index;
        if last == NIL {
            (list.head, list.earliest) = (index, tick);
        } else {
            list.earliest = list.earliest.min(tick);
            self.slab.node_mut(last).next = index;
        }
        let node = self.slab.node_mut(index);
        (node.prev, node.next, node.list) = (last, NIL, to as u16);
    }

    fn unlink(&mut self, index: u32) {
        let node = self.slab.node(index);
        let (prev, next, from) = (node.prev, node.next, node.list as usize);
        match prev {
            NIL => self.lists[from].head = next,
            prev => self.slab.node_mut(prev).next = next,
        }
        match next {
            NIL => self.lists[from].tail = prev,
            next => self.slab.node_mut(next).prev = prev,
        }
        if from != DUE && self.lists[from].head == NIL {
            self.vacate(from);
        }
    }
}

impl<T> fmt::Debug for Wheel<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wheel")
            .field("len", &self.len())
            .field("now_ns", &(self.now << TICK_BITS))
            .field("next_deadline", &self.next_deadline())
            .finish_non_exhaustive()
    }
}

/// The first tick that begins at or after the deadline; past `LAST_TICK` if none does.
const fn due_tick(deadline_ns: u64) -> u64 {
    deadline_ns.div_ceil(TICK_NS)
}
