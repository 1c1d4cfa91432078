//! The [`Host`] over a handle of Tokio's runtime.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use asupersync_core::Time;
use asupersync_core::host::{Host, Job, Lane, Runnable, TimerKey, Wake};
use asupersync_core::io::Sockets;
use asupersync_scheduler::queues::Queues;
use tokio::runtime::Handle;

use super::net::TokioNet;
use super::timers::Timers;

/// One root region's host.
pub(super) struct TokioHost {
    handle: Handle,
    lanes: Arc<Mutex<Lanes>>,
    timers: Timers,
    net: TokioNet,
}

/// What is queued for the Tokio tasks that are on their way.
#[derive(Default)]
struct Lanes {
    queues: Queues<Runnable>,
    closed: bool,
}

impl TokioHost {
    pub(super) fn new(handle: Handle) -> Arc<Self> {
        let timers = Timers::start(&handle);
        Arc::new(TokioHost { net: TokioNet(handle.clone()), lanes: Arc::default(), timers, handle })
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        lock(&self.lanes)
    }

    /// Drops what is queued, and takes nothing more: tasks there hold the host alive otherwise.
    pub(super) fn close(&self) {
        loop {
            let mut lanes = self.lanes();
            let left = std::mem::take(&mut lanes.queues);
            lanes.closed = true;
            drop(lanes);
            if left.is_empty() {
                break;
            }
        }
        self.timers.close();
    }
}

impl Host for TokioHost {
    fn submit(&self, runnable: Runnable, lane: Lane, _: Wake) {
        let mut lanes = self.lanes();
        if lanes.closed {
            drop(lanes);
            drop(runnable);
            return;
        }
        lanes.queues.push(lane, runnable);
        drop(lanes);
        let lanes = self.lanes.clone();
        // migrate-lint: allow(detached_spawn_finite) a region owns it, and our side tracks that
        self.handle.spawn(async move {
            let next = lock(&lanes).queues.take(|_| 0);
            if let Some(runnable) = next {
                let _ = runnable.run();
            }
        });
    }

    fn now(&self) -> Time {
        self.timers.now()
    }

    fn add_timer(&self, at: Time, waker: Waker) -> TimerKey {
        self.timers.add(at, waker)
    }

    fn cancel_timer(&self, key: TimerKey) {
        self.timers.cancel(key);
    }

    fn spawn_blocking(&self, job: Job) {
        // migrate-lint: allow(detached_spawn_finite) the job tells its region itself that it is done
        self.handle.spawn_blocking(job);
    }

    fn random_seed(&self) -> u64 {
        // The system's, and another one for each hasher.
        RandomState::new().hash_one(())
    }

    fn net(&self) -> &dyn Sockets {
        &self.net
    }
}

/// Locks, ignoring poison: no lock here is held while user code runs.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
