//! The [`Host`] over a handle of Tokio's runtime.
//!
//! Pumps, at most two for each worker, are Tokio tasks that poll ours: each poll of a pump is a poll of one of
//! ours, so Tokio's cooperative budget holds for each. One that finds nothing waits. Several of ours in a row would
//! be cheaper, but then finalizers beside a poll that does not return sometimes have no turn, on a busy machine.
//!
//! Invariant: while something is queued, a pump is on its way that has not looked since; or all there may be
//! are. A pump goes to wait under the lock, after it has found nothing.

use std::future::poll_fn;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

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
    most_pumps: usize,
    timers: Timers,
    net: TokioNet,
}

/// What is queued, and the pumps.
#[derive(Default)]
struct Lanes {
    queues: Queues<Runnable>,
    /// Those that wait.
    idle: Vec<Waker>,
    pumps: usize,
    closed: bool,
}

impl TokioHost {
    pub(super) fn new(handle: Handle) -> Arc<Self> {
        let timers = Timers::start(&handle);
        // A worker that is stuck in a poll may hold two: the one that polls, and one it was to poll next.
        let most_pumps = 2 * handle.metrics().num_workers();
        let net = TokioNet(handle.clone());
        Arc::new(TokioHost { net, lanes: Arc::default(), most_pumps, timers, handle })
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
            let idle = std::mem::take(&mut lanes.idle);
            lanes.closed = true;
            drop(lanes);
            idle.into_iter().for_each(Waker::wake);
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
        if let Some(pump) = lanes.idle.pop() {
            drop(lanes);
            pump.wake();
        } else if lanes.pumps < self.most_pumps {
            lanes.pumps += 1;
            drop(lanes);
            let lanes = self.lanes.clone();
            // migrate-lint: allow(detached_spawn_finite) it ends with the root, by `close`
            drop(self.handle.spawn(poll_fn(move |task| pump(&lanes, task))));
        }
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

/// Polls one of ours, if there is one, and wants to be polled again if there are more.
fn pump(lanes: &Mutex<Lanes>, task: &mut Context<'_>) -> Poll<()> {
    let (next, more) = {
        let mut queued = lock(lanes);
        (queued.queues.take(|_| 0), !queued.queues.is_empty())
    };
    next.map(Runnable::run);
    if !more {
        let mut queued = lock(lanes);
        if queued.queues.is_empty() {
            if queued.closed {
                return Poll::Ready(());
            }
            queued.idle.push(task.waker().clone());
            return Poll::Pending;
        }
    }
    task.waker().wake_by_ref();
    Poll::Pending
}

/// Locks, ignoring poison: no lock here is held while user code runs.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
