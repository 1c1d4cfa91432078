//! What the actors of one round share, and what must hold when it is over.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};

use asupersync_core::Handle;
use asupersync_core::channel::mpsc;
use asupersync_core::obligation::{Detached, Lease, Resolution};
use asupersync_core::region::{LeftoverKind, Totals};
use asupersync_core::sync::{self, Notify, RwLock, Semaphore};

use super::meddler::Meddle;
use super::random::Random;
use crate::probe::{Count, Counted};
use crate::runner::Ran;

/// How many actors a round has at most.
const ACTORS: usize = 300;
/// Room in the channel, and permits of the semaphore.
const ROOM: usize = 3;
/// How many handles, and how many detached leases, are kept for others.
const KEPT: usize = 16;

pub(super) type Loan = Detached<Lease<Counted>>;

pub(super) struct World {
    actors_left: AtomicUsize,
    pub(super) actors: Count,
    pub(super) values: Count,
    pub(super) lock: sync::Mutex<u64>,
    pub(super) shared: RwLock<u64>,
    pub(super) permits: Semaphore,
    pub(super) bell: Notify,
    pub(super) tx: mpsc::Sender<Counted>,
    pub(super) rx: sync::Mutex<mpsc::Receiver<Counted>>,
    handles: Mutex<Vec<Handle<()>>>,
    loans: Mutex<Vec<Loan>>,
    forgotten: Mutex<Vec<Loan>>,
    lent: AtomicUsize,
    ended: Arc<[AtomicUsize; 2]>,
    deferred: AtomicUsize,
    finalizers_begun: AtomicUsize,
    pub(super) meddlers: Mutex<Option<std::sync::mpsc::Sender<Meddle>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Puts something where another may find it. If there is no room, something else is dropped.
fn put<T>(kept: &Mutex<Vec<T>>, random: &mut Random, one: T) {
    let mut kept = lock(kept);
    let displaced = if kept.len() < KEPT {
        kept.push(one);
        None
    } else {
        let at = random.below(KEPT as u64) as usize;
        Some(std::mem::replace(&mut kept[at], one))
    };
    drop(kept);
    drop(displaced);
}

fn take<T>(kept: &Mutex<Vec<T>>, random: &mut Random) -> Option<T> {
    let mut kept = lock(kept);
    let at = random.below(kept.len() as u64) as usize;
    if at < kept.len() { Some(kept.swap_remove(at)) } else { None }
}

impl World {
    pub(super) fn new() -> Arc<World> {
        let (tx, rx) = mpsc::channel(ROOM);
        Arc::new(World {
            actors_left: AtomicUsize::new(ACTORS),
            actors: Count::default(),
            values: Count::default(),
            lock: sync::Mutex::new(0),
            shared: RwLock::new(0),
            permits: Semaphore::new(ROOM),
            bell: Notify::new(),
            tx,
            rx: sync::Mutex::new(rx),
            handles: Mutex::default(),
            loans: Mutex::default(),
            forgotten: Mutex::default(),
            lent: AtomicUsize::new(0),
            ended: Arc::default(),
            deferred: AtomicUsize::new(0),
            finalizers_begun: AtomicUsize::new(0),
            meddlers: Mutex::default(),
        })
    }

    /// The right to start one more actor.
    pub(super) fn has_room(&self) -> bool {
        self.actors_left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok()
    }

    pub(super) fn keep(&self, random: &mut Random, handle: Handle<()>) {
        put(&self.handles, random, handle);
    }

    pub(super) fn any_handle(&self, random: &mut Random) -> Option<Handle<()>> {
        take(&self.handles, random)
    }

    /// A lease whose end is counted.
    pub(super) fn lend(&self) -> Lease<Counted> {
        self.lent.fetch_add(1, SeqCst);
        let ended = self.ended.clone();
        Lease::new(self.values.one(), move |value, how| {
            drop(value);
            ended[usize::from(how == Resolution::Committed)].fetch_add(1, SeqCst);
        })
    }

    pub(super) fn keep_loan(&self, random: &mut Random, loan: Loan) {
        put(&self.loans, random, loan);
    }

    pub(super) fn any_loan(&self, random: &mut Random) -> Option<Loan> {
        take(&self.loans, random)
    }

    /// Leaves one to its region: as `mem::forget`, but its memory comes back after the round.
    pub(super) fn forget(&self, loan: Loan) {
        lock(&self.forgotten).push(loan);
    }

    /// A finalizer was registered.
    pub(super) fn note_deferred(&self) {
        self.deferred.fetch_add(1, SeqCst);
    }

    /// A finalizer begins.
    pub(super) fn note_begun(&self) {
        self.finalizers_begun.fetch_add(1, SeqCst);
    }

    /// What must hold once the root is Closed and nobody outside holds anything any more.
    pub(super) fn check(self: Arc<Self>, ran: &Ran<()>) -> Totals {
        let report = ran.report.as_ref().expect("every host tells how the root closed");
        let given_up = |kind| matches!(kind, LeftoverKind::Forced | LeftoverKind::Abandoned);
        let mut stuck = report.leftovers.iter().filter(|left| given_up(left.kind));
        assert!(stuck.next().is_none(), "it did not close by itself: {report}");
        let t = report.totals;
        assert_eq!(t.abandoned, 0, "{report}");
        assert_eq!(t.tasks, t.ok + t.err + t.cancelled + t.panicked + t.dropped, "{report}");
        assert_eq!(t.finalizers_registered, t.finalizers_run + t.finalizers_failed, "{report}");
        assert_eq!(t.obligations, t.obligations_committed + t.obligations_aborted, "{report}");

        let count = |count: &AtomicUsize| count.load(SeqCst);
        assert_eq!(self.actors.alive(), 0, "actors outlive their root");
        assert_eq!(count(&self.finalizers_begun), count(&self.deferred), "finalizers, once each");
        assert_eq!(t.finalizers_registered as usize, count(&self.deferred), "{report}");
        assert!(
            lock(&self.forgotten).iter().all(Detached::is_expired),
            "one that was forgotten is unresolved"
        );
        let ended = self.ended.iter().map(count).sum::<usize>();
        assert_eq!(ended, count(&self.lent), "leases, each ended once");
        assert_eq!(self.permits.available(), ROOM, "a permit was lost");
        assert!(self.lock.try_lock().is_some() && self.rx.try_lock().is_some(), "a lock was kept");
        assert!(self.shared.try_write().is_some(), "a lock was kept");
        let values = self.values.clone();
        let world = Arc::into_inner(self).expect("somebody holds the world of a root that is closed");
        drop(world);
        assert_eq!(values.alive(), 0, "values outlive their channel");
        t
    }
}
