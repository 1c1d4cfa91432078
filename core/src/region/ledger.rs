//! The obligations that were detached in a region and are not resolved.
//!
//! The thing itself is in a cell that the ledger shares with whoever holds the obligation. Taking
//! it out of the cell is the right to resolve it, and happens once. The entry stays until the
//! resolution is over, so an empty ledger means that nothing is being resolved either.
//!
//! A region that never has one pays for an empty map: no allocation, and no lock of its own.

use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::Arc;

use crate::obligation::Kind;
use crate::time::Time;

/// The end of an obligation that its region makes.
pub(crate) trait Abort: Send + Sync {
    /// Aborts it, unless somebody has the right to resolve it already. Runs code of users.
    fn abort(&self) -> Aborting;
}

/// What became of an abort.
pub(crate) enum Aborting {
    Done,
    /// It is aborted, and its code panicked.
    Panicked,
    /// Somebody else resolves it.
    Taken,
}

/// An obligation, as its region knows it.
pub(crate) struct Entry {
    pub(crate) kind: Kind,
    pub(crate) site: &'static Location<'static>,
    pub(crate) since: Time,
    pub(crate) cell: Arc<dyn Abort>,
}

/// Unresolved obligations by number, in the order in which they were detached.
#[derive(Default)]
pub(super) struct Ledger {
    next: u64,
    entries: BTreeMap<u64, Entry>,
}

impl Ledger {
    pub(super) fn enter(&mut self, entry: Entry) -> u64 {
        let number = self.next;
        self.next += 1;
        self.entries.insert(number, entry);
        number
    }

    pub(super) fn strike(&mut self, number: u64) -> Option<Entry> {
        self.entries.remove(&number)
    }

    /// The last one before `bound`.
    pub(super) fn last_before(&self, bound: u64) -> Option<(u64, Arc<dyn Abort>)> {
        self.entries.range(..bound).next_back().map(|(number, entry)| (*number, entry.cell.clone()))
    }

    /// In the order in which they were detached.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
