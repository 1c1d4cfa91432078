//! The private runtime itself: made, counted by its threads, and shut down.

use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::runtime::{self, Handle, Runtime};
use tokio::sync::oneshot;

use super::ledger::lock;

/// What an engine that nobody shut down may still take, when its host is gone.
const UNOWNED: Duration = Duration::from_secs(1);

/// How a runtime is made.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// `None`: the flavour with one thread only.
    pub(super) workers: Option<usize>,
    pub(super) blocking_limit: usize,
    pub(super) name: Arc<str>,
}

/// A running runtime. Dropped before it was shut down, it is so by a thread of its own.
pub(super) struct Engine {
    body: Option<Body>,
    threads: Threads,
}

enum Body {
    /// Its workers drive it.
    Many(Runtime),
    /// A thread of ours drives it until it is told to shut it down.
    One { stop: oneshot::Sender<()>, thread: JoinHandle<()> },
}

/// How many threads of a runtime are there.
#[derive(Clone, Default)]
pub(super) struct Threads(Arc<(Mutex<usize>, Condvar)>);

impl Threads {
    fn one_more(&self) {
        *lock(&self.0.0) += 1;
    }

    fn one_less(&self) {
        *lock(&self.0.0) -= 1;
        self.0.1.notify_all();
    }

    pub(super) fn count(&self) -> usize {
        *lock(&self.0.0)
    }

    /// Waits until none is left, or until `until`.
    fn wait_for_none(&self, until: Instant) {
        let mut count = lock(&self.0.0);
        while *count > 0 {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            count = self.0.1.wait_timeout(count, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Engine {
    /// Starts a runtime that calls `parks` each time one of its threads has nothing to do.
    pub(super) fn start(
        plan: &Plan,
        parks: impl Fn() + Send + Sync + 'static,
    ) -> io::Result<(Engine, Handle)> {
        let threads = Threads::default();
        let mut builder = match plan.workers {
            Some(_) => runtime::Builder::new_multi_thread(),
            None => runtime::Builder::new_current_thread(),
        };
        if let Some(workers) = plan.workers {
            builder.worker_threads(workers);
        }
        let (starts, stops) = (threads.clone(), threads.clone());
        builder
            .enable_all()
            .max_blocking_threads(plan.blocking_limit)
            .thread_name(&*plan.name)
            .on_thread_start(move || starts.one_more())
            .on_thread_stop(move || stops.one_less())
            .on_thread_park(parks);
        let runtime = builder.build()?;
        let handle = runtime.handle().clone();
        let body = match plan.workers {
            Some(_) => Body::Many(runtime),
            None => drive(&plan.name, runtime, &threads)?,
        };
        Ok((Engine { body: Some(body), threads }, handle))
    }

    pub(super) fn threads(&self) -> Threads {
        self.threads.clone()
    }

    /// Drops all tasks and ends all threads, and waits for that until `until`. Blocks.
    pub(super) fn shut_down(mut self, until: Instant) {
        if let Some(body) = self.body.take() {
            body.shut_down(until, &self.threads);
        }
    }
}

impl Body {
    fn shut_down(self, until: Instant, threads: &Threads) {
        match self {
            Body::Many(runtime) => runtime.shutdown_timeout(until.saturating_duration_since(Instant::now())),
            Body::One { stop, thread } => {
                // Refused if the thread panicked, which ends it as well.
                let _ = stop.send(());
                threads.wait_for_none(until);
                if threads.count() == 0 {
                    drop(thread.join());
                }
            }
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let Some(body) = self.body.take() else { return };
        // Here nothing may block: it may be a worker of another runtime that drops this.
        let (give, given) = mpsc::channel();
        let threads = self.threads.clone();
        let shuts = thread::Builder::new().spawn(move || {
            if let Ok::<Body, _>(body) = given.recv() {
                body.shut_down(Instant::now() + UNOWNED, &threads);
            }
        });
        match (shuts, body) {
            (Ok(_), body) => drop(give.send(body)),
            (Err(_), Body::Many(runtime)) => runtime.shutdown_background(),
            // Its thread shuts it down when nobody can tell it to any more.
            (Err(_), Body::One { .. }) => {}
        }
    }
}

/// Starts the one thread of a runtime that has no workers.
fn drive(name: &str, runtime: Runtime, threads: &Threads) -> io::Result<Body> {
    /// However the thread ends.
    struct Ends(Threads);
    impl Drop for Ends {
        fn drop(&mut self) {
            self.0.one_less();
        }
    }
    let (stop, told) = oneshot::channel();
    threads.one_more();
    let ends = Ends(threads.clone());
    let thread = thread::Builder::new().name(name.into()).spawn(move || {
        let _ends = ends;
        drop(runtime.block_on(told));
        // Asks the threads that block to end, and drops the tasks, here; who is left is counted elsewhere.
        runtime.shutdown_timeout(Duration::ZERO);
    })?;
    Ok(Body::One { stop, thread })
}
