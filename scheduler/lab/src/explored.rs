//! Exploring a program of tasks in regions: the same core as in production, under a schedule.

use std::sync::{Arc, Mutex, PoisonError};

use asupersync_core::region::dump::TaskState;
use asupersync_core::region::{CloseReport, Root};
use asupersync_core::{Cx, Failure, Outcome, TaskFn, TaskOutput, Time};

use crate::executor::{Executor, Step, TICK};
use crate::explore::{Ended, Explore, Explored, Moment, Nondeterminism, Schedule, TaskId};
use crate::lab::{Builder, Lab, Running, last};
use crate::names::{CLOCK, Names};

impl Explore {
    /// Explores a program in a lab of default settings: each run is the `main` of a root region.
    ///
    /// A run fails if its outcome is an error or a panic, if it ends in a deadlock, if something outlives
    /// its budget, or if an obligation is left unresolved.
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
    /// # Panics
    /// Inside a task of a lab.
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
    pub fn run_in<F, R>(&self, settings: &Builder, main: F) -> Explored
    where
        F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Clone + Send + 'static,
        R: TaskOutput<Ok: 'static> + 'static,
    {
        let mut names = Names::default();
        self.clone().deadlock_fails(true).drive(&mut |schedule| {
            let _running = Running::begin();
            let executor = Arc::new(Executor::explored(std::mem::take(&mut names)));
            let ran = once(settings, &executor, main.clone(), schedule);
            executor.close();
            names = executor.names();
            ran.map(|ran| ran.ended)
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
    pub fn run_by<F, R>(&self, schedule: &mut dyn Schedule, main: F) -> Result<Ran<R::Ok>, Nondeterminism>
    where
        F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Send + 'static,
        R: TaskOutput<Ok: 'static> + 'static,
    {
        let _running = Running::begin();
        let executor = Arc::new(Executor::explored(Names::default()));
        let ran = once(self.settings(), &executor, main, schedule);
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
    executor: &Arc<Executor>,
    main: F,
    schedule: &mut dyn Schedule,
) -> Result<Ran<R::Ok>, Nondeterminism>
where
    F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Send + 'static,
    R: TaskOutput<Ok: 'static> + 'static,
{
    let told = Arc::new(Mutex::new(None));
    let tell = told.clone();
    let mut root = None;
    executor.set_up(|| {
        let host = executor.clone();
        let made = root.insert(settings.root(host));
        made.start(main, move |outcome, report| {
            *tell.lock().unwrap_or_else(PoisonError::into_inner) = Some((outcome, report));
        });
    });
    let root = root.expect("it was set up");
    for _ in 0..settings.steps {
        if let Some((outcome, report)) = told.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Ok(Ran { ended: judge(&outcome, &report), told: Some((outcome, report)) });
        }
        let last = last(&root);
        if executor.time() > last {
            let (message, details) = ("the close budget is spent".into(), left(&root.force()));
            return Ok(Ran::untold(Ended::Failed { message, details }));
        }
        let (step, task) = match executor.step_by(schedule, last + TICK) {
            Ok(taken) => taken,
            Err(other) => {
                drop(root.force());
                return Err(other);
            }
        };
        match step {
            Step::Ran | Step::Waited => schedule.tell(&|| moment(executor, &root, task)),
            Step::GivenUp => {
                drop(root.force());
                return Ok(Ran::untold(Ended::GivenUp(Vec::new())));
            }
            Step::Stuck => {
                let told = root.dump().to_string();
                drop(root.force());
                return Ok(Ran::untold(Ended::Deadlock { told, waiting: Vec::new() }));
            }
        }
    }
    let details = root.dump().to_string();
    drop(root.force());
    let message = format!("more than {} steps: somebody goes on for ever", settings.steps);
    Ok(Ran::untold(Ended::Failed { message, details }))
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
    let tasks = dump.regions.iter().flat_map(|region| &region.tasks);
    let what = match tasks.into_iter().find(|other| other.id == info.id) {
        Some(other) if other.state == TaskState::Waiting => format!("waits for {}", other.awaits),
        Some(_) => "runs, and can go on".into(),
        None => "runs".into(),
    };
    named(&info.name, what)
}

/// What is left of a run that did not end.
fn left(report: &CloseReport) -> String {
    let left: Vec<String> = report.leftovers.iter().map(ToString::to_string).collect();
    left.join("; ")
}

fn judge<T>(outcome: &Outcome<T>, report: &CloseReport) -> Ended {
    match outcome {
        Err(failure @ (Failure::Err(_) | Failure::Panicked(_))) => Ended::failed(failure.to_string()),
        _ if !report.leftovers.is_empty() => {
            Ended::Failed { message: "something is left over".into(), details: left(report) }
        }
        _ => Ended::Completed,
    }
}
