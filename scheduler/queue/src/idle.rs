//! Who sleeps, who searches, and whom to wake.
#![doc = ""]
#![doc = include_str!("idle.md")]

use std::fmt;

use crate::sync::Ordering::SeqCst;
use crate::sync::{AtomicUsize, Mutex, MutexGuard, PoisonError, fence};

/// The list of sleeping workers.
///
/// ```
/// let idle = asupersync_queue::Idle::new();
/// assert_eq!(idle.worker_to_notify(), None);
/// idle.begin_sleep(3, false);
/// assert_eq!(idle.worker_to_notify(), Some(3));
/// assert!(idle.end_sleep(3), "it was taken off the list, and searches");
/// assert!(idle.end_search());
/// ```
#[derive(Default)]
pub struct Idle {
    sleeping: AtomicUsize,
    searching: AtomicUsize,
    list: Mutex<Vec<usize>>,
}

impl Idle {
    /// Nobody sleeps or searches.
    #[must_use]
    pub fn new() -> Self {
        Idle::default()
    }

    fn list(&self) -> MutexGuard<'_, Vec<usize>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After something was queued: the worker to unpark, which now searches.
    #[must_use = "it is counted as searching"]
    pub fn worker_to_notify(&self) -> Option<usize> {
        fence(SeqCst);
        if self.searching.load(SeqCst) > 0 || self.sleeping.load(SeqCst) == 0 {
            return None;
        }
        self.take_sleeper()
    }

    /// Any sleeper, which now searches.
    #[must_use = "it is counted as searching"]
    pub fn take_sleeper(&self) -> Option<usize> {
        let mut list = self.list();
        let worker = list.pop()?;
        self.sleeping.store(list.len(), SeqCst);
        self.searching.fetch_add(1, SeqCst);
        Some(worker)
    }

    /// Lists a worker as sleeping, and no longer searching. It must look at every queue after this.
    pub fn begin_sleep(&self, worker: usize, searching: bool) {
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
    pub fn end_sleep(&self, worker: usize) -> bool {
        let mut list = self.list();
        let Some(at) = list.iter().position(|&listed| listed == worker) else { return true };
        list.remove(at);
        self.sleeping.store(list.len(), SeqCst);
        false
    }

    /// A worker that slept or ran begins to search.
    pub fn begin_search(&self) {
        self.searching.fetch_add(1, SeqCst);
    }

    /// A worker found something, or gives up. Tells whether it was the last that searched, which must look
    /// whether there is more after this.
    pub fn end_search(&self) -> bool {
        let last = self.searching.fetch_sub(1, SeqCst) == 1;
        // Whoever queued something and saw this search is seen by the look that follows it.
        fence(SeqCst);
        last
    }

    /// How many sleep.
    #[must_use]
    pub fn sleeping(&self) -> usize {
        self.sleeping.load(SeqCst)
    }
}

impl fmt::Debug for Idle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Idle").field("sleeping", &self.sleeping()).finish_non_exhaustive()
    }
}
