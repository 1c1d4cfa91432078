//! What all handles of one enclave share, and what its drain waits for.

use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use asupersync_core::{Cancelled, Cx, Reason, ReasonKind, Time};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::close::EnclaveReport;
use super::engine::Engine;
use super::ledger::{Entry, Kind, Ledger, lock};

/// An enclave.
pub(super) struct Shared {
    /// The line that opened it.
    pub(super) site: &'static Location<'static>,
    /// That of the region it belongs to.
    cx: Cx<()>,
    pub(super) ledger: Ledger,
    pub(super) token: CancellationToken,
    /// Its drain waits for the tasks that guests spawned, too.
    pub(super) awaits_tasks: bool,
    pub(super) quiet: Arc<Quiet>,
    /// Until the shutdown; a handle that is kept keeps file descriptors.
    handle: Mutex<Option<Handle>>,
    engine: Mutex<Option<Engine>>,
    belongings: Mutex<Vec<Arc<dyn Belonging>>>,
    /// How long more drain there may be, once there was one that ended.
    drain_until: Mutex<Time>,
    report: Mutex<Option<EnclaveReport>>,
}

/// Who waits until nothing is left to do.
#[derive(Default)]
pub(super) struct Quiet {
    draining: AtomicBool,
    /// How often a thread had nothing to do since the drain began.
    parks: AtomicUsize,
    changed: Notify,
}

impl Quiet {
    /// A thread has nothing to do.
    pub(super) fn park(&self) {
        if self.is_draining() {
            self.parks.fetch_add(1, Ordering::SeqCst);
            self.changed.notify_one();
        }
    }

    /// Something has ended.
    pub(super) fn look(&self) {
        if self.is_draining() {
            self.changed.notify_one();
        }
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }
}

/// A value that belongs to the enclave.
pub(super) trait Belonging: Send + Sync {
    /// Nobody can use it any more.
    fn is_gone(&self) -> bool;

    /// Takes it from its users, and ends it inside of the runtime.
    fn release(&self, tokio: &Handle);
}

impl Shared {
    pub(super) fn new(
        site: &'static Location<'static>,
        cx: &Cx<()>,
        awaits_tasks: bool,
        quiet: Arc<Quiet>,
        (engine, handle): (Engine, Handle),
    ) -> Arc<Shared> {
        Arc::new(Shared {
            site,
            cx: cx.clone(),
            awaits_tasks,
            quiet,
            handle: Mutex::new(Some(handle)),
            engine: Mutex::new(Some(engine)),
            ledger: Ledger::default(),
            token: CancellationToken::new(),
            belongings: Mutex::default(),
            drain_until: Mutex::new(Time::ZERO),
            report: Mutex::default(),
        })
    }

    /// What is aborted now had no more time. The region is asked before anybody can tell the enclave.
    pub(super) fn is_draining(&self) -> bool {
        self.quiet.is_draining() || self.cx.is_cancelled()
    }

    /// The runtime, until it is shut down.
    pub(super) fn handle(&self) -> Result<Handle, Cancelled> {
        lock(&self.handle).clone().ok_or_else(closed)
    }

    /// Enters a guest; it leaves when what this returns is dropped.
    pub(super) fn guest(
        self: &Arc<Self>,
        kind: Kind,
        site: &'static Location<'static>,
        since: Time,
    ) -> Guest {
        let key = self.ledger.enter(Entry { kind, site, since });
        Guest { shared: self.clone(), key }
    }

    /// Takes in a value to be released at the end of the drain.
    pub(super) fn adopt(&self, belonging: Arc<dyn Belonging>) {
        let mut belongings = lock(&self.belongings);
        let (gone, kept) = std::mem::take(&mut *belongings).into_iter().partition(|it| it.is_gone());
        *belongings = kept;
        belongings.push(belonging);
        drop(belongings);
        let _: Vec<_> = gone;
    }

    /// Releases the values that belong to the enclave.
    pub(super) fn release(&self) {
        let belongings = std::mem::take(&mut *lock(&self.belongings));
        if let Ok(tokio) = self.handle() {
            belongings.iter().for_each(|belonging| belonging.release(&tokio));
        }
    }

    /// How many tasks there are, known or not.
    pub(super) fn tasks(&self) -> usize {
        self.handle().map_or(0, |tokio| tokio.metrics().num_alive_tasks())
    }

    /// Waits until a thread has nothing to do that had time to see to what was asked before this.
    pub(super) async fn parked(&self) {
        self.quiet.draining.store(true, Ordering::SeqCst);
        let Ok(tokio) = self.handle() else { return };
        let quiet = self.quiet.clone();
        let seen = tokio.spawn(async move { quiet.parks.load(Ordering::SeqCst) });
        let Ok(seen) = seen.await else { return };
        while self.quiet.parks.load(Ordering::SeqCst) == seen {
            self.quiet.changed.notified().await;
        }
    }

    /// Waits until calls, jobs and tickets have ended, releases what is owned, and waits until tasks have
    /// ended. Can be dropped anywhere, and begun again.
    pub(super) async fn drained(&self) {
        self.quiet.draining.store(true, Ordering::SeqCst);
        // A thread that parked before it could know of the drain looks again.
        if !self.is_quiet()
            && let Ok(tokio) = self.handle()
        {
            // migrate-lint: allow(detached_spawn_finite) it ends at its first poll
            drop(tokio.spawn(std::future::ready(())));
        }
        while !self.ledger.is_empty() {
            self.quiet.changed.notified().await;
        }
        self.release();
        while !self.is_quiet() {
            self.quiet.changed.notified().await;
        }
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.ledger.is_empty() && (!self.awaits_tasks || self.tasks() == 0)
    }

    /// The drain has ended by itself; another may follow until then.
    pub(super) fn may_drain_until(&self, until: Time) {
        *lock(&self.drain_until) = until;
    }

    pub(super) fn drain_until(&self) -> Time {
        *lock(&self.drain_until)
    }

    /// The runtime is the caller's to shut down; nothing starts any more.
    pub(super) fn take_engine(&self) -> Option<Engine> {
        let handle = lock(&self.handle).take();
        drop(handle);
        lock(&self.engine).take()
    }

    pub(super) fn set_report(&self, report: EnclaveReport) {
        *lock(&self.report) = Some(report);
    }

    pub(super) fn report(&self) -> Option<EnclaveReport> {
        lock(&self.report).clone()
    }
}

/// A guest's entry in the ledger.
pub(super) struct Guest {
    pub(super) shared: Arc<Shared>,
    pub(super) key: u64,
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.shared.ledger.leave(self.key);
        self.shared.quiet.look();
    }
}

/// What whoever comes too late is told.
pub(super) fn closed() -> Cancelled {
    Cancelled::new(Reason::new(ReasonKind::ParentClosed).with_message("the enclave is shut down"))
}
