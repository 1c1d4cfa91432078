//! The seam between the suite and a host.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use asupersync_core::region::CloseReport;
use asupersync_core::{Budget, Cx, Failure, Outcome, TaskFn, TaskOutput};

/// What a host may lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// TCP and UDP sockets, the system's or simulated, and `localhost`.
    Sockets,
    /// Threads on which jobs may block each other's progress for a while.
    BlockingThreads,
    /// Threads outside the runtime may wake, request and drop.
    ForeignThreads,
    /// It goes on, and ends within its budgets, though a poll does not return.
    StuckPoll,
    /// So it does though as many polls as it has threads do not return.
    StuckPolls,
    /// It can be made again, and run on a blocking thread of another.
    Nested,
    /// It polls one task at a time, so that the order in which tasks run can be seen.
    OneAtATime,
}

/// How a main body is run.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The root's drain budget.
    pub drain: Budget,
    /// The root's finalize budget.
    pub finalize: Budget,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            drain: Budget::timeout(Duration::from_secs(10)),
            finalize: Budget::timeout(Duration::from_secs(5)),
        }
    }
}

/// Settings with short budgets, for what does not end by itself. `finalize` is also how late a busy host
/// may be before it gives up: long, unless that is the subject.
pub(crate) fn short(drain: u64, finalize: u64) -> Settings {
    Settings {
        drain: Budget::timeout(Duration::from_millis(drain)),
        finalize: Budget::timeout(Duration::from_millis(finalize)),
    }
}

/// Plays what must begin before a time is over, with more of it each time: a machine that is busy may be late.
/// `play` tells whether it began.
pub(crate) fn in_time(play: impl Fn(Duration) -> bool) {
    assert!([2, 20, 200, 2000].into_iter().map(Duration::from_millis).any(play), "it never began");
}

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A main body whose type is hidden.
pub type Main = Box<dyn FnOnce(Cx) -> BoxFuture<Outcome> + Send>;

/// How a run ended.
#[derive(Debug)]
pub struct Ran<T> {
    /// What main returned, or what it failed with.
    pub outcome: Outcome<T>,
    /// How the root closed; a host that cannot tell says `None`.
    pub report: Option<CloseReport>,
}

/// What a host does for the suite.
pub trait Runner: Sync {
    /// Runs `main` with these settings until its root is Closed, or its budgets are spent.
    fn run_main(&self, settings: Settings, main: Main) -> Ran<()>;

    /// Time passes only when nothing runs.
    fn is_virtual(&self) -> bool;

    /// The host offers this.
    fn has(&self, capability: Capability) -> bool;

    /// What sizes of heavy cases are divided by.
    fn scale(&self) -> usize;

    /// Another host like this one, if that is possible.
    fn another(&self) -> Option<Arc<dyn Runner + Send>> {
        None
    }
}

impl dyn Runner + '_ {
    /// Runs `main`, and tells how that ended.
    pub fn run<F, R>(&self, settings: Settings, main: F) -> Ran<R::Ok>
    where
        F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Send + 'static,
        R: TaskOutput<Ok: 'static> + 'static,
    {
        let value = Arc::new(Mutex::new(None));
        let slot = value.clone();
        let main: Main = Box::new(move |cx| {
            Box::pin(async move {
                let returned = main(&cx).await.into_outcome()?;
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(returned);
                Ok(())
            })
        });
        let Ran { outcome, report } = self.run_main(settings, main);
        let value = value.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ran { outcome: outcome.map(|()| value.expect("the host told of a success that was none")), report }
    }

    /// How deep a tree is that would overflow a stack if anything recursed. A host that divides sizes by more
    /// than a thousand runs a case once for each of its steps, so that its time grows with the square.
    pub(crate) fn depth(&self) -> usize {
        match self.scale() {
            1 => 10_000,
            ..=1000 => 1000,
            _ => 100,
        }
    }

    /// Runs `main` with the default settings; fails the case unless it succeeds.
    pub fn ok<F, R>(&self, main: F) -> R::Ok
    where
        F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Send + 'static,
        R: TaskOutput<Ok: 'static> + 'static,
    {
        succeed(self.run(Settings::default(), main).outcome)
    }
}

/// The value, or the panic or failure of the body as this case's own.
pub(crate) fn succeed<T>(outcome: Outcome<T>) -> T {
    match outcome {
        Ok(value) => value,
        Err(Failure::Panicked(panic)) => match panic.take_payload() {
            Some(payload) => std::panic::resume_unwind(payload),
            None => panic!("{}", panic.message()),
        },
        Err(failure) => panic!("the body failed: {failure:?}"),
    }
}

/// One thing that every host must do.
#[derive(Clone, Copy)]
pub struct Case {
    /// What it is that must hold.
    pub name: &'static str,
    /// What a host must have for it.
    pub needs: &'static [Capability],
    /// Panics if it does not hold.
    pub run: fn(&dyn Runner),
}

impl Case {
    /// The host has what this case needs.
    pub fn fits(&self, runner: &dyn Runner) -> bool {
        self.needs.iter().all(|need| runner.has(*need))
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case").field("name", &self.name).field("needs", &self.needs).finish_non_exhaustive()
    }
}
