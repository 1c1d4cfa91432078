//! Who sleeps, who searches, and whom to wake.
#![doc = ""]
#![doc = include_str!("idle.md")]

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst, fence};
use std::sync::{Mutex, PoisonError};

/// The list of sleeping workers.
pub(crate) struct Idle {
    sleeping: AtomicUsize,
    searching: AtomicUsize,
    list: Mutex<Vec<usize>>,
}

impl Idle {
    pub(crate) fn new() -> Self {
        Idle { sleeping: AtomicUsize::new(0), searching: AtomicUsize::new(0), list: Mutex::new(Vec::new()) }
    }

    fn list(&self) -> std::sync::MutexGuard<'_, Vec<usize>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After something was queued: the worker to unpark, which now searches.
    pub(crate) fn worker_to_notify(&self) -> Option<usize> {
        fence(SeqCst);
        if self.searching.load(SeqCst) > 0 || self.sleeping.load(SeqCst) == 0 {
            return None;
        }
        self.take_sleeper()
    }

    /// Any sleeper, which now searches.
    pub(crate) fn take_sleeper(&self) -> Option<usize> {
        let mut list = self.list();
        let worker = list.pop()?;
        self.sleeping.store(list.len(), SeqCst);
        self.searching.fetch_add(1, SeqCst);
        Some(worker)
    }

    /// Lists a worker as sleeping, and no longer searching. It must look at every queue after this.
    pub(crate) fn begin_sleep(&self, worker: usize, searching: bool) {
        let mut list = self.list();
        list.push(worker);
        self.sleeping.store(list.len(), SeqCst);
        drop(list);
        if searching {
            self.searching.fetch_sub(1, SeqCst);
        }
        fence(SeqCst);
    }

    /// Takes a worker off the list. Tells whether somebody else did, and so counted it as searching.
    pub(crate) fn end_sleep(&self, worker: usize) -> bool {
        let mut list = self.list();
        let Some(at) = list.iter().position(|&listed| listed == worker) else { return true };
        list.remove(at);
        self.sleeping.store(list.len(), SeqCst);
        false
    }

    /// A worker that slept or ran begins to search.
    pub(crate) fn begin_search(&self) {
        self.searching.fetch_add(1, SeqCst);
    }

    /// A worker found something, or gives up. Tells whether it was the last that searched.
    pub(crate) fn end_search(&self) -> bool {
        self.searching.fetch_sub(1, SeqCst) == 1
    }

    pub(crate) fn sleeping(&self) -> usize {
        self.sleeping.load(SeqCst)
    }
}
