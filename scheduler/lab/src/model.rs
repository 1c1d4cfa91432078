//! Small programs of tasks that share variables and locks, to be explored whole.
//!
//! ```
//! use asupersync_lab::Explore;
//! use asupersync_lab::model::Program;
//!
//! // Two tasks that each read, add one and write: the sum may be one.
//! let found = Explore::optimal().model(|program: &mut Program| {
//!     let x = program.var(0);
//!     for _ in 0..2 {
//!         program.task(async move |t| {
//!             let seen = t.read(x).await;
//!             t.write(x, seen + 1).await;
//!         });
//!     }
//!     program.at_end(move |end| assert_eq!(end.value(x), 2, "an update was lost"));
//! });
//! let failure = found.failure.unwrap();
//! assert!(failure.message.contains("an update was lost"));
//! assert_eq!(failure.choices.to_string(), "1:1,0x2,1"); // one reads, the other adds, and the one writes
//! ```
//!
//! Each operation is one step: the task waits before it, and goes on until its next one.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::explore::{
    Access, Ended, Explore, Explored, Footprint, Kind, Moment, Nondeterminism, ObjectId, Schedule, TaskId,
};

/// A variable, 0 or what it was made with at the start of each run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Var(ObjectId);

/// A lock that one task can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lock(ObjectId);

/// The variables and locks of one run. Of a lock, 1 is held.
#[derive(Default)]
struct Memory {
    values: RefCell<Vec<u64>>,
    /// What the task that was polled last waits to do.
    announced: Cell<Option<Access>>,
    /// What its step did.
    done: Cell<Option<Access>>,
}

/// A program that is about to run.
#[derive(Default)]
pub struct Program {
    memory: Rc<Memory>,
    tasks: Vec<Body>,
    at_end: Vec<Check>,
}

type Check = Box<dyn FnOnce(&End)>;
type Body = Pin<Box<dyn Future<Output = ()>>>;

/// What a task does its steps with.
#[derive(Clone)]
pub struct Task {
    memory: Rc<Memory>,
}

/// How the variables were left.
pub struct End {
    memory: Rc<Memory>,
}

impl Program {
    /// A variable.
    pub fn var(&mut self, value: u64) -> Var {
        Var(self.object(value))
    }

    /// `count` variables.
    pub fn vars(&mut self, count: usize, value: u64) -> Vec<Var> {
        (0..count).map(|_| self.var(value)).collect()
    }

    /// A lock that nobody holds.
    pub fn lock(&mut self) -> Lock {
        Lock(self.object(0))
    }

    /// `count` locks.
    pub fn locks(&mut self, count: usize) -> Vec<Lock> {
        (0..count).map(|_| self.lock()).collect()
    }

    fn object(&mut self, value: u64) -> ObjectId {
        let mut values = self.memory.values.borrow_mut();
        values.push(value);
        values.len() - 1
    }

    /// A task. They are numbered in this order, from 0.
    pub fn task(&mut self, body: impl AsyncFnOnce(Task) + 'static) {
        let task = Task { memory: self.memory.clone() };
        self.tasks.push(Box::pin(async move { body(task).await }));
    }

    /// What must hold when no task can go on any more.
    pub fn at_end(&mut self, check: impl FnOnce(&End) + 'static) {
        self.at_end.push(Box::new(check));
    }
}

impl End {
    /// What a variable was left as.
    pub fn value(&self, var: Var) -> u64 {
        self.memory.values.borrow()[var.0]
    }
}

impl Task {
    /// The variable's value.
    ///
    /// # Cancel safety
    /// Dropped before its turn, the step is not done.
    pub async fn read(&self, var: Var) -> u64 {
        self.step(var.0, Kind::Read, None, |value| value).await
    }

    /// Sets the variable.
    ///
    /// # Cancel safety
    /// Dropped before its turn, the step is not done.
    pub async fn write(&self, var: Var, value: u64) {
        self.step(var.0, Kind::Write, None, |_| value).await;
    }

    /// Adds to the variable, and tells what it was.
    ///
    /// # Cancel safety
    /// Dropped before its turn, the step is not done.
    pub async fn fetch_add(&self, var: Var, more: u64) -> u64 {
        self.step(var.0, Kind::Write, None, |value| value.wrapping_add(more)).await
    }

    /// Sets the variable to `new` if it is `expected`; tells whether it was.
    ///
    /// # Cancel safety
    /// Dropped before its turn, the step is not done.
    pub async fn compare_exchange(&self, var: Var, expected: u64, new: u64) -> bool {
        self.step(var.0, Kind::Write, Some(expected), |_| new).await == expected
    }

    /// Takes a lock, once it is free.
    ///
    /// # Cancel safety
    /// Dropped before its turn, the step is not done.
    pub async fn lock(&self, lock: Lock) {
        self.step(lock.0, Kind::Acquire, None, |_| 1).await;
    }

    /// Gives a lock back.
    ///
    /// # Panics
    /// If nobody holds it.
    ///
    /// # Cancel safety
    /// Dropped before its turn, the step is not done.
    pub async fn unlock(&self, lock: Lock) {
        let held = self.step(lock.0, Kind::Release, None, |_| 0).await;
        assert_eq!(held, 1, "a lock that nobody held was given back");
    }

    /// Waits for its turn, and then does one access; tells what was there before.
    async fn step(
        &self,
        object: ObjectId,
        kind: Kind,
        expects: Option<u64>,
        then: impl Fn(u64) -> u64,
    ) -> u64 {
        let memory = &self.memory;
        let access = Access { expects, ..Access::new(object, kind) };
        let mut waited = false;
        poll_fn(|_| {
            if !std::mem::replace(&mut waited, true) {
                memory.announced.set(Some(access));
                return Poll::Pending;
            }
            let value = &mut memory.values.borrow_mut()[object];
            let found = *value;
            let kind = if expects.is_some_and(|expected| expected != found) { Kind::Read } else { kind };
            if kind != Kind::Read {
                *value = then(found);
            }
            memory.done.set(Some(Access { kind, found, left: *value, ..access }));
            Poll::Ready(found)
        })
        .await
    }
}

impl Explore {
    /// Explores a program. A deadlock is no failure, unless [that is asked for](Self::deadlock_fails).
    pub fn model(&self, program: impl Fn(&mut Program)) -> Explored {
        self.drive(&mut |schedule| run(&program, schedule))
    }
}

/// Runs a program once.
///
/// # Errors
/// What the schedule says of the program's not being deterministic.
pub fn run(program: &impl Fn(&mut Program), schedule: &mut dyn Schedule) -> Result<Ended, Nondeterminism> {
    let mut made = Program::default();
    program(&mut made);
    let Program { memory, mut tasks, at_end } = made;
    let mut waits: Vec<Option<Access>> = vec![None; tasks.len()];
    let poll = |task: &mut Body| -> Result<Option<Access>, Ended> {
        let polled =
            catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(&mut Context::from_waker(Waker::noop()))));
        match polled {
            Ok(Poll::Ready(())) => Ok(None),
            Ok(Poll::Pending) => Ok(memory.announced.take()),
            Err(panic) => Err(Ended::failed(message(&*panic))),
        }
    };
    for (task, waits) in tasks.iter_mut().zip(&mut waits) {
        match poll(task) {
            Ok(access) => *waits = access,
            Err(panicked) => return Ok(panicked),
        }
    }
    let free = |access: &Access| access.kind != Kind::Acquire || memory.values.borrow()[access.object] == 0;
    let mut enabled = Vec::with_capacity(tasks.len());
    // Who can go on is only looked for where that may have changed.
    let mut changed = true;
    loop {
        if std::mem::take(&mut changed) {
            enabled.clear();
            enabled.extend((0..tasks.len()).filter(|task| waits[*task].as_ref().is_some_and(free)));
        }
        if enabled.is_empty() {
            break;
        }
        let Some(chosen) = schedule.choose(&enabled)? else {
            enabled.iter().for_each(|task| waits[*task] = None);
            return Ok(Ended::GivenUp(stuck(&waits)));
        };
        let polled = poll(&mut tasks[chosen]);
        if let Some(done) = memory.done.take() {
            changed = matches!(done.kind, Kind::Acquire | Kind::Release);
            schedule.stepped(Footprint::Announced(done))?;
            schedule.tell(&|| moment(chosen, &done));
        }
        match polled {
            Ok(access) => {
                changed |= !access.as_ref().is_some_and(free);
                waits[chosen] = access;
            }
            Err(panicked) => return Ok(panicked),
        }
    }
    if waits.iter().any(Option::is_some) {
        let waiting = stuck(&waits);
        let waits = |(task, lock): &(TaskId, ObjectId)| format!("task {task} waits for object {lock}");
        let told = waiting.iter().map(waits).collect::<Vec<_>>().join(", ");
        return Ok(Ended::Deadlock { told, waiting });
    }
    let end = End { memory: memory.clone() };
    let checked = catch_unwind(AssertUnwindSafe(|| at_end.into_iter().for_each(|check| check(&end))));
    Ok(checked.map_or_else(|panic| Ended::failed(message(&*panic)), |()| Ended::Completed))
}

fn moment(task: TaskId, done: &Access) -> Moment {
    let Access { object, kind, found, left, expects } = *done;
    let what = match (kind, expects) {
        (Kind::Acquire, _) => format!("takes lock {object}"),
        (Kind::Release, _) => format!("gives back lock {object}"),
        (Kind::Read, None) => format!("reads {found} from {object}"),
        (Kind::Read, Some(expected)) => format!("finds {found} in {object}, not {expected}"),
        (Kind::Write, _) => format!("finds {found} in {object}, leaves {left}"),
    };
    Moment { at: Duration::ZERO, task, name: "task".into(), what }
}

fn stuck(waits: &[Option<Access>]) -> Vec<(TaskId, ObjectId)> {
    waits.iter().enumerate().filter_map(|(task, access)| Some((task, access.as_ref()?.object))).collect()
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic".into())
}
