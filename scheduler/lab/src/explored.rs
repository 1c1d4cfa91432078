//! Exploring a program of tasks in regions: the same core as in production, under a schedule.

use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use asupersync_core::cancel::{Awaits, Wait};
use asupersync_core::region::dump::{Dump, TaskDump, TaskState};
use asupersync_core::region::{CloseReport, Root};
use asupersync_core::{Cx, Failure, Outcome, TaskFn, TaskOutput, Time};

use crate::executor::{Executor, Step, TICK};
use crate::explore::{Ended, Explore, Explored, Moment, Nondeterminism, Schedule, TaskId};
use crate::lab::{Builder, Lab, Running, Told, last};
use crate::names::CLOCK;
use crate::net::Entered;
use crate::outside::PATIENCE;
use crate::steps::Steps;
use crate::watch;

impl Explore {
    /// Explores a program in a lab of default settings: each run is the `main` of a root region.
    ///
    /// A run fails if its outcome is an error or a panic, if it ends in a deadlock, or if its report has
    /// [leftovers](Self::leftovers_fail): something outlives its budget, a finalizer fails, or an obligation
    /// is left unresolved.
    ///
    /// What tasks share must be seen by the lab: this crate's channels and locks, all else that regions
    /// own, and primitives made of [`Shared`](crate::Shared). Any state beside that (a `std` mutex or
    /// atomic) is invisible, and so is its order.
    ///
    /// # Time
    ///
    /// A step takes no time. Time goes on when no task can run, to the next timer; all that are due then fire
    /// as one step, and those that they wake go on in every order. A deadline that is due asks its scope to
    /// stop in that same step, so before anybody else who is woken then.
    ///
    /// Orders in which a timer fires while a task could still run are not explored, though a machine that
    /// is slow enough has them. If any step could take any time, each deadline might pass before anything is
    /// done, so that a timeout failed every test of what it guards, and an interval had no end. To have such
    /// an order, let the slow task [sleep](Cx::sleep), longer or shorter than what it competes with.
    ///
    /// A run that cannot be repeated is a failure too. One that fails is had once more and compared, step by
    /// step, and so are the first, the second, the fourth and so on of those that are drawn; of those that are
    /// explored the first, the 16th, the 256th and so on, and each as far as it repeats the one before. What
    /// differs is told, with the likely [`Cause`](crate::explore::Cause); a wake by a thread that is not the
    /// lab's is told at once.
    ///
    /// # Panics
    /// Inside a task of a lab.
    #[track_caller]
    pub fn run<F, R>(&self, main: F) -> Explored
    where
        F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Clone + Send + 'static,
        R: TaskOutput<Ok: 'static> + 'static,
    {
        self.run_in(&Lab::builder(0), main)
    }

    /// As [`run`](Self::run), with the budgets of a lab's settings.
    ///
    /// # Panics
    /// As [`run`](Self::run).
    #[track_caller]
    pub fn run_in<F, R>(&self, settings: &Builder, main: F) -> Explored
    where
        F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Clone + Send + 'static,
        R: TaskOutput<Ok: 'static> + 'static,
    {
        let (mut steps, site) = (Steps::new(), Location::caller());
        // The first time that nothing can go on, another thread may only be slow.
        let mut patience = PATIENCE;
        self.clone().deadlock_fails(true).drive(&mut |schedule| {
            let _running = Running::begin();
            let executor = Arc::new(Executor::explored(std::mem::replace(&mut steps, Steps::new())));
            watch::running(&executor);
            let ran = once(settings, site, &executor, main.clone(), schedule, &mut patience);
            executor.close();
            steps = executor.take_steps();
            ran.map(|ran| match &ran.told {
                Some((outcome, report)) => judge(outcome, report, self.leftovers_fail),
                None => ran.ended,
            })
        })
    }
}

impl Lab {
    /// Runs `main` in the root region as a schedule decides. Tells how the run ended, and what the root told
    /// if it closed.
    ///
    /// # Errors
    /// What the schedule says of the program's not being deterministic.
    ///
    /// # Panics
    /// Inside a task of a lab.
    #[track_caller]
    pub fn run_by<F, R>(&self, schedule: &mut dyn Schedule, main: F) -> Result<Ran<R::Ok>, Nondeterminism>
    where
        F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Send + 'static,
        R: TaskOutput<Ok: 'static> + 'static,
    {
        let _running = Running::begin();
        let executor = Arc::new(Executor::explored(Steps::new()));
        let mut patience = Duration::ZERO;
        let ran = once(self.settings(), Location::caller(), &executor, main, schedule, &mut patience);
        executor.close();
        ran
    }
}

/// A run that a schedule decided.
#[derive(Debug)]
pub struct Ran<T> {
    /// How it ended.
    pub ended: Ended,
    /// What the root told, if it is Closed.
    pub told: Option<(Outcome<T>, CloseReport)>,
}

impl<T> Ran<T> {
    fn untold(ended: Ended) -> Self {
        Ran { ended, told: None }
    }
}

fn once<F, R>(
    settings: &Builder,
    site: &'static Location<'static>,
    executor: &Arc<Executor>,
    main: F,
    schedule: &mut dyn Schedule,
    patience: &mut Duration,
) -> Result<Ran<R::Ok>, Nondeterminism>
where
    F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Send + 'static,
    R: TaskOutput<Ok: 'static> + 'static,
{
    let _entered = Entered::new(&executor.net);
    let told = Told::new();
    let tell = told.clone();
    let mut root = None;
    executor.set_up(|| {
        let made = root.insert(settings.root(executor.clone(), site));
        made.start_at(site, main, move |outcome, report| {
            tell.tell((outcome, report));
        });
    });
    let root = root.expect("it was set up");
    let most = settings.steps.unwrap_or(MOST);
    for steps in 0..most {
        if let Some(intruder) = executor.outside().intruder() {
            drop(root.force());
            return Err(intruder.told(steps));
        }
        if let Some((outcome, report)) = told.take() {
            return Ok(Ran { ended: judge(&outcome, &report, true), told: Some((outcome, report)) });
        }
        let (step, task) = match executor.step_by(schedule, || last(&root) + TICK) {
            Ok(taken) => taken,
            Err(other) => {
                drop(root.force());
                return Err(executor.introduce(other));
            }
        };
        match step {
            Step::Ran => schedule.tell(&|| moment(executor, &root, task)),
            Step::Waited => {
                schedule.tell(&|| moment(executor, &root, task));
                if executor.time() > last(&root) && !told.is_there() {
                    let (message, details) = ("the close budget is spent".into(), left(&root.force()));
                    return Ok(Ran::untold(Ended::Failed { message, details }));
                }
            }
            Step::GivenUp => {
                drop(root.force());
                return Ok(Ran::untold(Ended::GivenUp(Vec::new())));
            }
            Step::Stuck => {
                if executor.outside().wait_for_intruder(std::mem::take(patience)).is_some() {
                    continue;
                }
                let dump = root.dump();
                let outside = awaited_outside(executor, &dump);
                let told = format!("{outside}{dump}");
                drop(root.force());
                return Ok(Ran::untold(match outside.is_empty() {
                    true => Ended::Deadlock { told, waiting: Vec::new() },
                    false => Ended::Outside { told },
                }));
            }
        }
    }
    let details = root.dump().to_string();
    drop(root.force());
    let message = format!("more than {most} steps: somebody goes on for ever");
    Ok(Ran::untold(Ended::Failed { message, details }))
}

/// The steps that a run may have, unless others are asked for.
const MOST: usize = 1_000_000;

/// Tasks that something may wake which the lab does not know, a line each.
fn awaited_outside(executor: &Executor, dump: &Dump) -> String {
    let foreign = |task: &&TaskDump| {
        let knows_no_cx = |wait: &Wait| matches!(wait.awaits, Awaits::Unknown | Awaits::Foreign);
        task.awaits.now.iter().any(knows_no_cx) && executor.outside().can_wake(task.id)
    };
    let tasks = dump.regions.iter().flat_map(|region| &region.tasks).filter(foreign);
    let line = |task: &TaskDump| {
        format!(
            "`{}`, spawned at {}, waits for a future that knows no `Cx` and that holds its waker: if a thread, a \
             real socket or another runtime is to wake it, the lab cannot wait for that; if another task is, \
             this is a deadlock\n",
            task.name, task.site
        )
    };
    tasks.map(line).collect()
}

/// What a step was: what its task waits for after it.
fn moment(executor: &Executor, root: &Root, task: TaskId) -> Moment {
    let at = executor.time() - Time::ZERO;
    let named = |name: &str, what: String| Moment { at, task, name: name.into(), what };
    if task == CLOCK {
        return named("time", "goes on to the next timer".into());
    }
    let Some(info) = executor.info(task) else { return named("job", "runs".into()) };
    let dump = root.dump();
    let tasks = || dump.regions.iter().flat_map(|region| &region.tasks);
    let awaited = |wait: &Wait| match wait.awaits {
        Awaits::Join(id) => match tasks().find(|other| other.id == id) {
            Some(other) => format!("the end of `{}` ({id:?})", other.name),
            None => format!("the end of {id:?}"),
        },
        other => other.to_string(),
    };
    let what = match tasks().find(|other| other.id == info.id) {
        Some(other) if other.state == TaskState::Waiting => {
            let awaited: Vec<_> = other.awaits.now.iter().map(awaited).collect();
            format!("waits for {}", awaited.join(" or "))
        }
        Some(_) => "runs, and can go on".into(),
        // What closes regions is no task of anybody's.
        None if info.id.get() == u64::MAX => "runs".into(),
        None => "runs, and ends".into(),
    };
    named(&info.name, what)
}

/// What is left of a run that did not end.
fn left(report: &CloseReport) -> String {
    let left: Vec<String> = report.leftovers.iter().map(ToString::to_string).collect();
    left.join("; ")
}

/// What Tokio says where none of its runtimes is.
const NO_TOKIO: &str = "Tokio 1.x runtime";

const TOKIO_HINT: &str = "\n  in the lab no Tokio runtime runs: `cx.sleep`, `cx.spawn` and `cx.net()` are simulated, \
    Tokio's timers, tasks and sockets are not";

fn judge<T>(outcome: &Outcome<T>, report: &CloseReport, leftovers_fail: bool) -> Ended {
    match outcome {
        Err(failure @ (Failure::Err(_) | Failure::Panicked(_))) => {
            let message = failure.to_string();
            let hint = if message.contains(NO_TOKIO) { TOKIO_HINT } else { "" };
            Ended::failed(message + hint)
        }
        _ if leftovers_fail && !report.leftovers.is_empty() => {
            Ended::Failed { message: "something is left over".into(), details: left(report) }
        }
        _ => Ended::Completed,
    }
}
