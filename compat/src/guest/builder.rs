//! How an enclave is made, and what its region then owns of it.

use std::panic::Location;
use std::sync::Arc;

use asupersync_core::caps::{Effect, HasBlocking, HasNet, HasSpawn, HasTime};
use asupersync_core::{Cx, Outcome};

use super::close::{finalize, keep};
use super::enclave::Enclave;
use super::engine::{Engine, Plan};
use super::shared::{Quiet, Shared};

/// An enclave with other than the default settings; from [`Enclave::builder`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it opens"]
pub struct Builder {
    plan: Plan,
    awaits_tasks: bool,
}

impl Builder {
    pub(super) fn new() -> Self {
        let plan = Plan { workers: Some(1), blocking_limit: 512, name: "enclave".into() };
        Builder { plan, awaits_tasks: true }
    }

    /// How many workers the runtime has, of Tokio's flavour for several threads. Default: 1.
    ///
    /// # Panics
    /// If `workers` is 0.
    pub fn workers(mut self, workers: usize) -> Self {
        assert!(workers > 0, "an enclave needs a worker, or `current_thread`");
        self.plan.workers = Some(workers);
        self
    }

    /// Tokio's flavour for one thread. It has a thread here, too: nobody needs to poll it.
    pub fn current_thread(mut self) -> Self {
        self.plan.workers = None;
        self
    }

    /// How many jobs that block run at a time, each on a thread; others wait. Default: 512.
    ///
    /// # Panics
    /// If `threads` is 0.
    pub fn blocking_limit(mut self, threads: usize) -> Self {
        assert!(threads > 0, "jobs that block need a thread");
        self.plan.blocking_limit = threads;
        self
    }

    /// The name of its threads. Default: `enclave`.
    pub fn thread_name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.plan.name = name.into();
        self
    }

    /// Whether the drain waits for the tasks that guests spawned, besides calls, jobs and tickets.
    /// Default: yes. Without it, they are dropped once those have ended: for a client that is never dropped
    /// and keeps tasks for its idle connections, such as one in a `static`.
    pub fn await_tasks(mut self, on: bool) -> Self {
        self.awaits_tasks = on;
        self
    }

    /// Opens an enclave that belongs to the region of `cx`, as [`Enclave::open`].
    ///
    /// # Errors
    /// As [`Enclave::open`].
    #[track_caller]
    pub fn open<C>(self, cx: &Cx<C>) -> Outcome<Enclave>
    where
        C: HasBlocking + HasNet + HasSpawn + HasTime,
    {
        cx.checkpoint()?;
        for effect in [Effect::Spawn, Effect::Blocking, Effect::Net] {
            cx.check(effect)?;
        }
        let quiet = Arc::<Quiet>::default();
        let parks = quiet.clone();
        let engine = Engine::start(&self.plan, move || parks.park())?;
        let shared = Shared::new(Location::caller(), cx.restrict(), self.awaits_tasks, quiet, engine);
        let (keeps, ends, opened_at) = (shared.clone(), shared.clone(), cx.now());
        let (enclave, released) = Enclave::new(shared);
        // Of a region that is Closed, the runtime is dropped with it.
        cx.defer(async move |cx: &Cx<C>| finalize(cx, &ends, opened_at).await)?;
        drop(cx.spawn("enclave", async move |cx: &Cx<C>| keep(cx, &keeps, &released).await));
        Ok(enclave)
    }
}
