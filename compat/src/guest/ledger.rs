//! What an enclave knows of its guests: calls, jobs and tickets, each from its start to its end.

use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use asupersync_core::Time;

/// One guest.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) site: &'static Location<'static>,
    pub(super) since: Time,
}

/// What a guest is.
#[derive(Clone)]
pub(super) enum Kind {
    /// A future inside of the runtime.
    Call,
    /// A closure on a thread that may block, or on its way to one.
    Job(Arc<dyn Withdraw>),
    /// What somebody holds, by its name.
    Ticket(Arc<str>),
}

/// A job that may not have begun.
pub(super) trait Withdraw: Send + Sync {
    /// Sees to it that the job never begins; it has begun if this is false.
    fn withdraw(&self) -> bool;
}

impl Kind {
    /// Of a job that has not begun: now it never will.
    pub(super) fn withdraw(&self) -> bool {
        matches!(self, Kind::Job(job) if job.withdraw())
    }

    pub(super) fn name(self) -> Arc<str> {
        match self {
            Kind::Call => "call".into(),
            Kind::Job(_) => "job".into(),
            Kind::Ticket(name) => name,
        }
    }
}

#[derive(Default)]
pub(super) struct Ledger(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    next: u64,
    guests: BTreeMap<u64, Entry>,
    /// Those that were aborted during the drain, whether they are gone or not.
    aborted: BTreeMap<u64, Entry>,
}

impl Ledger {
    pub(super) fn enter(&self, entry: Entry) -> u64 {
        let mut entries = self.entries();
        let key = entries.next;
        entries.next += 1;
        entries.guests.insert(key, entry);
        key
    }

    pub(super) fn leave(&self, key: u64) {
        let gone = self.entries().guests.remove(&key);
        drop(gone);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries().guests.is_empty()
    }

    /// A guest was aborted while the enclave drained.
    pub(super) fn abort(&self, key: u64) {
        let entries = &mut *self.entries();
        if let Some(entry) = entries.guests.get(&key) {
            entries.aborted.insert(key, entry.clone());
        }
    }

    /// Withdraws the jobs that have not begun, and tells who is there, or was aborted, in the order in which
    /// they came.
    pub(super) fn close(&self) -> BTreeMap<u64, Entry> {
        let mut left = {
            let mut entries = self.entries();
            let mut left = std::mem::take(&mut entries.aborted);
            left.extend(entries.guests.clone());
            left
        };
        left.retain(|_, guest| !guest.kind.withdraw());
        left
    }

    /// How many calls are there.
    pub(super) fn calls(&self) -> usize {
        self.entries().guests.values().filter(|guest| matches!(guest.kind, Kind::Call)).count()
    }

    pub(super) fn has(&self, key: u64) -> bool {
        self.entries().guests.contains_key(&key)
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        lock(&self.0)
    }
}

/// Locks, ignoring poison: no lock here is held while user code runs.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
