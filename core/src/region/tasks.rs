//! The tasks of a region, apart from the rest of it: they come and go far more often than anything else
//! happens to a region, and need not wait for that.
//!
//! A task is listed in a table, whose lock is all that its coming and its going take. In a region that has many,
//! one table becomes several, when threads meet there or when it is long; tasks that come one after the other are
//! listed in the same one, so that whoever spawns is not in the way of those that end, nor are those in each
//! other's that end at the same time. A request goes through [parts](Tasks::parts) of all tables in turn, so that
//! this holds for all that it ends, too.
//!
//! # Who counts them
//!
//! While the region's body runs the region cannot become quiet, so nobody need know how many tasks there
//! are. When the body ends they are counted once, under the region's lock, and are part of
//! [`State`](super::state::State) from then on. What comes later is counted there first. What goes is told there
//! a table at a time, by whoever empties it: as long as a table is not empty the region is not quiet.
//!
//! Invariants:
//! 1. Once counted, [`State::tasks`](super::state::State) is how many are listed, with those that are gone
//!    and were not told, and those whose telling is on its way. So it is 0 only if none is left.
//! 2. Who is listed was admitted, and leaves once: its own end, or whoever gives it up.
//!
//! Lock order: the region's, then a table's.

use std::sync::OnceLock;
use std::{array, mem};

use super::list::List;
use crate::host::TaskRef;
use crate::id::TaskId;
use crate::lock::{Mutex, MutexGuard, lock, try_lock};

/// How many tables there are at most.
const TABLES: usize = if cfg!(loom) { 2 } else { 8 };
/// So many tasks that come one after the other go into the same table.
const RUN: u64 = if cfg!(loom) { 1 } else { 64 };
/// A region that has had fewer tasks is over before several tables are of use.
const MANY: u64 = 4 * RUN;

/// A region that has so many at a time has several tables, before any are in each other's way: its tasks do not move
/// when they are.
const LARGE: usize = 32 * RUN as usize;

/// All tasks of one region.
#[derive(Default)]
pub(super) struct Tasks {
    first: Mutex<Table>,
    /// Made when threads were in each other's way, or are bound to be.
    more: OnceLock<Box<[Apart; TABLES - 1]>>,
}

/// In lines of memory of its own.
#[derive(Default)]
#[repr(align(128))]
struct Apart(Mutex<Table>);

#[derive(Default)]
struct Table {
    tasks: List<TaskRef>,
    /// The region knows how many there are.
    counted: bool,
    /// Those that are gone since it does, and were not told.
    gone: u64,
    spawned: u64,
    ok: u64,
}

/// A task that was listed.
#[must_use = "the region may have to be told"]
pub(super) struct Left {
    /// Not to be dropped with a lock held.
    pub(super) task: TaskRef,
    /// So many are gone of those that the region counts.
    pub(super) told: u64,
}

impl Tasks {
    /// Lists a task; gives it back if the region is to count it first.
    #[inline]
    pub(super) fn enter(&self, task: TaskRef) -> Result<(), TaskRef> {
        let (which, mut table) = self.table_for(task.meta().info.id);
        if table.counted {
            return Err(task);
        }
        table.enter(which, task);
        Ok(())
    }

    /// Lists a task that the region has counted; under its lock.
    pub(super) fn enter_counted(&self, task: TaskRef) {
        let (which, mut table) = self.table_for(task.meta().info.id);
        table.enter(which, task);
    }

    /// The table for a task that comes.
    #[inline]
    fn table_for(&self, id: TaskId) -> (usize, MutexGuard<'_, Table>) {
        if let Some(more) = self.more.get() {
            let which = (id.get() / RUN) as usize % TABLES;
            return (which, lock(which.checked_sub(1).map_or(&self.first, |which| &more[which].0)));
        }
        let (met, table) = match try_lock(&self.first) {
            Some(table) => (false, table),
            None => (true, lock(&self.first)),
        };
        if met && table.spawned >= MANY || table.tasks.end() >= LARGE {
            self.more.get_or_init(|| Box::new(array::from_fn(|_| Apart(Mutex::new(table.next_to())))));
        }
        (0, table)
    }

    /// `None` if there is no such.
    fn table(&self, which: usize) -> Option<&Mutex<Table>> {
        match which.checked_sub(1) {
            None => Some(&self.first),
            Some(which) => self.more.get()?.get(which).map(|table| &table.0),
        }
    }

    /// Sees each table, with its lock held. Whether there are more than one is looked up when the first was seen: see
    /// [`next_to`](Table::next_to).
    fn each_table(&self, mut see: impl FnMut(&mut Table)) {
        see(&mut lock(&self.first));
        for table in self.more.get().into_iter().flat_map(|more| more.iter()) {
            see(&mut lock(&table.0));
        }
    }

    /// From here on the region counts its tasks; tells how many there are that it did not count before, and the
    /// [totals](Self::totals). Under its lock.
    pub(super) fn count(&self) -> (u64, (u64, u64)) {
        let (mut count, mut totals) = (0, (0, 0));
        self.each_table(|table| {
            if !mem::replace(&mut table.counted, true) {
                count += table.tasks.len() as u64;
            }
            table.add_to(&mut totals);
        });
        (count, totals)
    }

    /// Strikes a task, if it is still listed: one that was given up, or refused, is not.
    #[inline]
    pub(super) fn leave(&self, key: usize, id: TaskId, ok: bool) -> Option<Left> {
        let mut table = lock(self.table(key % TABLES)?);
        let key = key / TABLES;
        let task = table.tasks.remove_if(key, |task| task.meta().info.id == id)?;
        table.ok += u64::from(ok);
        if !table.counted {
            return Some(Left { task, told: 0 });
        }
        table.gone += 1;
        let told = if table.tasks.is_empty() { mem::take(&mut table.gone) } else { 0 };
        Some(Left { task, told })
    }

    /// The task is still listed.
    pub(super) fn has(&self, key: usize, id: TaskId) -> bool {
        let Some(table) = self.table(key % TABLES) else { return false };
        lock(table).tasks.get(key / TABLES).is_some_and(|task| task.meta().info.id == id)
    }

    /// Shows each task, a table at a time, with its lock held.
    pub(super) fn each(&self, mut see: impl FnMut(&TaskRef)) {
        self.each_table(|table| table.tasks.iter().for_each(&mut see));
    }

    /// How many parts they have: as many as the longest table has, of each table. Those that come from here on may
    /// be in none.
    pub(super) fn parts(&self) -> usize {
        let mut longest = 0;
        self.each_table(|table| {
            longest = longest.max(if table.tasks.is_empty() { 0 } else { table.tasks.end() })
        });
        longest.div_ceil(RUN as usize) * TABLES
    }

    /// Shows each task of one part, with the lock of its table held. Parts that follow each other are of different
    /// tables.
    pub(super) fn each_of(&self, part: usize, see: impl FnMut(&TaskRef)) {
        let (which, run) = (part % TABLES, part / TABLES * RUN as usize);
        if let Some(table) = self.table(which) {
            lock(table).tasks.part(run..run + RUN as usize).for_each(see);
        }
    }

    /// Looks at one table, with its lock held; `None` if there is no such.
    pub(super) fn look<R>(&self, which: usize, see: impl FnOnce(&List<TaskRef>) -> R) -> Option<R> {
        self.table(which).map(|table| see(&lock(table).tasks))
    }

    /// How many came, and how many of those that are gone have ended well.
    pub(super) fn totals(&self) -> (u64, u64) {
        let mut totals = (0, 0);
        self.each_table(|table| table.add_to(&mut totals));
        totals
    }
}

impl Table {
    /// Another one, which counts as this one does. Made under this one's lock: whoever counts has either not
    /// been here, and comes to the new one too, or is to be followed.
    fn next_to(&self) -> Table {
        Table { counted: self.counted, ..Table::default() }
    }

    fn add_to(&self, (spawned, ok): &mut (u64, u64)) {
        *spawned += self.spawned;
        *ok += self.ok;
    }

    /// Lists a task, in the table that is `which`.
    #[inline]
    fn enter(&mut self, which: usize, task: TaskRef) {
        self.spawned += 1;
        self.tasks.enter(|key| {
            task.meta().mark.enter(key * TABLES + which);
            task
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Mark;

    #[test]
    fn one_that_was_never_listed_is_nowhere() {
        let tasks = Tasks::default();
        assert!(!tasks.has(Mark::UNOWNED, TaskId(1)));
        assert!(tasks.leave(Mark::UNOWNED, TaskId(1), false).is_none());
        assert_eq!((tasks.look(0, List::len), tasks.look(1, List::len)), (Some(0), None));
        assert_eq!((tasks.count(), tasks.totals()), ((0, (0, 0)), (0, 0)));
    }
}
