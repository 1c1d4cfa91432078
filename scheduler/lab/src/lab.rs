//! A run from start to end.

use std::cell::Cell;
use std::collections::HashMap;
use std::panic::Location;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use asupersync_core::host::{Host, TaskInfo};
use asupersync_core::id::TaskId;
use asupersync_core::region::dump::Dump;
use asupersync_core::region::{CloseReport, Root, Roots};
use asupersync_core::{
    Budget, Cancelled, Cx, Error, Failure, Outcome, Reason, ReasonKind, TaskFn, TaskOutput, Time,
};

use crate::executor::{Executor, Step, TICK};
use crate::net::Entered;
use crate::outside::PATIENCE;
use crate::panics;

/// A deterministic runtime on the caller's thread.
///
/// ```
/// use asupersync_core::Cx;
/// use asupersync_lab::Lab;
/// use std::time::Duration;
///
/// let outcome = Lab::new(7).run(async |cx: &Cx| {
///     let begin = cx.now();
///     cx.sleep(Duration::from_secs(3600)).await?;
///     Ok(cx.now() - begin)
/// });
/// assert!(outcome.unwrap() >= Duration::from_secs(3600)); // and no hour has passed
/// ```
#[derive(Clone, Debug)]
pub struct Lab {
    settings: Builder,
    roots: Roots,
}

/// Settings of a [`Lab`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct Builder {
    seed: u64,
    drain: Budget,
    finalize: Budget,
    pub(crate) steps: Option<usize>,
}

impl Builder {
    /// How many steps a run may have while its time stands still, which it does as long as anybody can run: one
    /// that has more is taken for endless, and fails. Default: 20 million. Where a schedule decides, so many
    /// in all; default: a million.
    pub fn steps(mut self, most: usize) -> Self {
        self.steps = Some(most);
        self
    }

    /// As of the native runtime: how long work in flight may go on after Request. Default: 10 s.
    pub fn drain(mut self, budget: Budget) -> Self {
        self.drain = budget;
        self
    }

    /// As of the native runtime: how long finalizers may take. Default: 5 s.
    pub fn finalize(mut self, budget: Budget) -> Self {
        self.finalize = budget;
        self
    }

    pub(crate) fn root(&self, host: Arc<Executor>, site: &'static Location<'static>) -> Root {
        Root::new_at(site, host, "root", self.drain, self.finalize)
    }

    /// The lab.
    pub fn build(self) -> Lab {
        Lab { settings: self, roots: Roots::default() }
    }
}

impl Lab {
    /// A lab whose schedule is given by `seed`.
    pub fn new(seed: u64) -> Lab {
        Lab::builder(seed).build()
    }

    pub(crate) fn settings(&self) -> &Builder {
        &self.settings
    }

    /// Settings to choose.
    pub fn builder(seed: u64) -> Builder {
        let (drain, finalize) = (Duration::from_secs(10), Duration::from_secs(5));
        Builder { seed, drain: Budget::timeout(drain), finalize: Budget::timeout(finalize), steps: None }
    }

    /// What runs in it: a region tree for each [`run`](Self::run) that has not returned, of this lab or a
    /// clone of it. Any thread may ask, also while a task is in a poll that does not return, which
    /// stops a lab.
    pub fn dump(&self) -> Vec<Dump> {
        self.roots.dump()
    }

    /// Runs `main` in the root region, and closes that.
    ///
    /// # Errors
    /// Those of the body and the root's children; a deadlock, with the [`dump`](Dump) that says who waits
    /// for what; more [steps](Builder::steps) than can be without time going on, with the task that took
    /// most of them; `Cancelled` with reason `Deadline` when the close budget is spent.
    ///
    /// # Panics
    /// Inside a task of a lab.
    #[track_caller]
    pub fn run<F, R>(&self, main: F) -> Outcome<R::Ok>
    where
        F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Send + 'static,
        R: TaskOutput<Ok: 'static> + 'static,
    {
        self.run_with_report(main).0
    }

    /// As [`run`](Self::run), and tells how the root region closed.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    ///
    /// # Panics
    /// As [`run`](Self::run).
    #[track_caller]
    pub fn run_with_report<F, R>(&self, main: F) -> (Outcome<R::Ok>, CloseReport)
    where
        F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Send + 'static,
        R: TaskOutput<Ok: 'static> + 'static,
    {
        let _running = Running::begin();
        let executor = Arc::new(Executor::new(self.settings.seed));
        let _entered = Entered::new(&executor.net);
        let root = self.settings.root(executor.clone(), Location::caller());
        let _listed = self.roots.list(&root);
        let told = Told::new();
        let tell = told.clone();
        root.start(main, move |outcome, report| tell.tell((outcome, report)));
        let most = self.settings.steps.unwrap_or(MOST);
        let forced = drive(&executor, &root, most, || told.is_there());
        executor.close();
        match (forced, told.take()) {
            (Err(forced), _) => {
                let (failure, report) = *forced;
                (Err(failure), report)
            }
            (Ok(()), Some(ended)) => ended,
            (Ok(()), None) => unreachable!("the drive ends when the root has told"),
        }
    }
}

/// What the root tells when it is Closed. Asked after each step, which the flag makes cheap.
pub(crate) struct Told<T> {
    there: AtomicBool,
    value: Mutex<Option<T>>,
}

impl<T> Told<T> {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Told { there: AtomicBool::new(false), value: Mutex::new(None) })
    }

    pub(crate) fn tell(&self, value: T) {
        *self.value.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
        self.there.store(true, Release);
    }

    pub(crate) fn is_there(&self) -> bool {
        self.there.load(Acquire)
    }

    pub(crate) fn take(&self) -> Option<T> {
        if !self.is_there() {
            return None;
        }
        self.value.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

thread_local! {
    /// A lab runs on this thread.
    static RUNNING: Cell<bool> = const { Cell::new(false) };
}

/// A lab runs on this thread.
pub(crate) fn is_running() -> bool {
    RUNNING.get()
}

/// That a lab runs on this thread.
pub(crate) struct Running;

impl Running {
    pub(crate) fn begin() -> Self {
        assert!(
            !RUNNING.replace(true),
            "a lab run inside a task would stop the lab that runs the task; spawn a task instead"
        );
        panics::clear();
        Running
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.set(false);
    }
}

/// When the run must be over, once the root was asked to close.
pub(crate) fn last(root: &Root) -> Time {
    let close_by = root.close_by();
    if close_by == Time::MAX { close_by } else { close_by + TICK }
}

/// The steps that a run may have while time stands still, unless others are asked for.
const MOST: usize = 20_000_000;

/// The last of these in which it is counted who took them.
const COUNTED: usize = 1000;

/// Steps until `ended`, or the close budget is spent, or nothing can go on, or nothing but steps comes, or
/// another thread intrudes.
fn drive(
    executor: &Executor,
    root: &Root,
    most: usize,
    ended: impl Fn() -> bool,
) -> Result<(), Box<(Failure, CloseReport)>> {
    let failed = |told: String| Err(Box::new((Failure::Err(Error::msg(told)), root.force())));
    let (mut steps, mut patience, mut standing) = (0, PATIENCE, 0);
    let mut counts = Counts::default();
    while !ended() {
        if let Some(intruder) = executor.outside().intruder() {
            return failed(intruder.told(steps).to_string());
        }
        steps += 1;
        let last = last(root);
        if executor.now() > last {
            let reason =
                Reason::new(ReasonKind::Deadline).with_message("the close budget of the lab is spent");
            return Err(Box::new((Cancelled::new(reason).into(), root.force())));
        }
        let counted = (standing + COUNTED > most).then_some(&mut counts);
        match executor.step(last + TICK, counted) {
            Step::Ran => standing += 1,
            Step::Waited => {
                standing = 0;
                counts.clear();
            }
            Step::Stuck => {
                if executor.outside().wait_for_intruder(std::mem::take(&mut patience)).is_some() {
                    continue;
                }
                return failed(format!("deadlock: nothing can run and no timer is set\n{}", root.dump()));
            }
            Step::GivenUp => unreachable!("nobody decides this run"),
        }
        if standing > most {
            return failed(endless(most, &counts));
        }
    }
    Ok(())
}

/// How many steps each task has taken, and who it is.
pub(crate) type Counts = HashMap<TaskId, (usize, TaskInfo)>;

fn endless(most: usize, counts: &Counts) -> String {
    let who = match counts.values().max_by_key(|(count, info)| (*count, info.id)) {
        Some((count, TaskInfo { name, site, .. })) => {
            format!("task `{name}`, spawned at {site}, took {count} of the last {COUNTED}")
        }
        None => "jobs took the last of them".into(),
    };
    format!(
        "more than {most} steps while time stood still: {who}\n  time goes on only when nobody can run: a loop \
         around `yield_now` never lets it; wait for what is to come instead, with a channel, a `Notify` or \
         `cx.sleep`. `Builder::steps` allows more"
    )
}
