//! Threads that may block: started on demand, kept for a while, never more than the limit.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use asupersync_core::host::Job;

/// How long a thread without work is kept.
const KEEP: Duration = Duration::from_secs(10);

/// The pool. Jobs run in order of arrival.
pub(crate) struct Pool {
    limit: usize,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Job>,
    threads: usize,
    idle: usize,
    closed: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pool {
    pub(crate) fn new(limit: usize) -> Self {
        Pool { limit, shared: Arc::default() }
    }

    /// Runs `job` on a thread of the pool; drops it unrun if the pool is closed, or if there is no
    /// thread and the system gives none.
    pub(crate) fn run(&self, job: Job) {
        let mut state = self.shared.state();
        if state.closed {
            return;
        }
        state.queue.push_back(job);
        if state.idle >= state.queue.len() || state.threads == self.limit {
            drop(state);
            self.shared.work.notify_one();
            return;
        }
        state.threads += 1;
        drop(state);
        if let Err(error) = self.start_thread() {
            let mut state = self.shared.state();
            state.threads -= 1;
            let stranded =
                if state.threads == 0 { std::mem::take(&mut state.queue) } else { VecDeque::new() };
            drop(state);
            eprintln!("asupersync: cannot start a thread for blocking work: {error}");
            drop(stranded);
        }
    }

    fn start_thread(&self) -> io::Result<()> {
        let shared = self.shared.clone();
        thread::Builder::new().name("asupersync-blocking".into()).spawn(move || shared.serve())?;
        Ok(())
    }

    /// Drops what has not started, and lets the threads go when they are done.
    pub(crate) fn close(&self) {
        let mut state = self.shared.state();
        state.closed = true;
        let unrun = std::mem::take(&mut state.queue);
        drop(state);
        self.shared.work.notify_all();
        drop(unrun);
    }
}

impl Shared {
    fn serve(&self) {
        let mut state = self.state();
        loop {
            if let Some(job) = state.queue.pop_front() {
                drop(state);
                // Core's jobs catch the panics of what they run.
                job();
                state = self.state();
                continue;
            }
            if state.closed {
                break;
            }
            state.idle += 1;
            let (woken, timeout) =
                self.work.wait_timeout(state, KEEP).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            if timeout.timed_out() && state.queue.is_empty() {
                break;
            }
        }
        state.threads -= 1;
    }
}
