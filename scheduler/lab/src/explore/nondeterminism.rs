//! That a run did not repeat what another had done after the same choices: where, in what, and what that
//! may come of.

use std::fmt;
use std::fmt::Write as _;

use super::access::{Access, Footprint, Kind, ObjectId, TaskId};

/// A run did not repeat what an earlier one had done after the same choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nondeterminism {
    /// How many steps were the same.
    pub step: usize,
    /// What differed.
    pub what: String,
    /// The same at length, a line each: what was done then and now, and who those are that did it.
    pub details: Vec<String>,
    /// What it comes of.
    pub cause: Cause,
    /// Whom it is about.
    pub(crate) tasks: Vec<TaskId>,
    pub(crate) objects: Vec<ObjectId>,
}

/// What makes runs differ, as far as can be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It was not looked for.
    Unknown,
    /// The run differs from one time to the next.
    EachRun,
    /// It is now the same each time, and was different before.
    EarlierRun,
    /// A thread that is not the lab's.
    Thread,
    /// The choices are those of another program.
    Choices,
}

impl Cause {
    fn advice(self) -> &'static str {
        match self {
            Cause::Unknown => {
                "look for clocks, threads, addresses, the order of hash maps, and what earlier runs left behind"
            }
            Cause::EachRun => {
                "likely causes: the wall clock (`Instant::now`, `SystemTime`; the lab's is `cx.now()`), random \
                 numbers (the run's own are `cx.random()`), the order of a `HashMap` or `HashSet` (a `BTreeMap` \
                 has one), an address, or a `static` or `thread_local!` that each run changes"
            }
            Cause::EarlierRun => {
                "later runs are the same, so an earlier one left something behind: look for a `static`, a \
                 `thread_local!`, a `OnceLock`, and for what the body shares with the code around it"
            }
            Cause::Thread => {
                "other threads, real sockets and other runtimes run beside the lab, which cannot order what they \
                 do: use `cx.spawn`, `cx.spawn_blocking`, `cx.sleep` and `cx.net()` in their place"
            }
            Cause::Choices => {
                "are these the choices of another program, or of this one before it was changed?"
            }
        }
    }
}

impl Nondeterminism {
    fn new(step: usize, what: String, cause: Cause) -> Self {
        let (details, tasks, objects) = (Vec::new(), Vec::new(), Vec::new());
        Nondeterminism { step, what, details, cause, tasks, objects }
    }

    /// Other tasks can go on.
    pub(crate) fn enabled(step: usize, then: &[TaskId], now: &[TaskId]) -> Self {
        let what = format!("tasks {then:?} could go on, and now {now:?}");
        let differs = |task: &&TaskId| then.contains(task) != now.contains(task);
        let tasks = then.iter().chain(now).filter(differs).copied().collect();
        Nondeterminism { tasks, ..Self::new(step, what, Cause::Unknown) }
    }

    /// A task's step did something else.
    pub(crate) fn touched(step: usize, task: TaskId, then: &Footprint, now: &Footprint) -> Self {
        let what = format!("task {task} did something else");
        let details = vec![format!("then: {}", told(then)), format!("now:  {}", told(now))];
        let all = then.accesses().iter().chain(now.accesses());
        let one_sided =
            |access: &&Access| then.accesses().contains(access) != now.accesses().contains(access);
        let mut objects: Vec<ObjectId> = all.filter(one_sided).map(|access| access.object).collect();
        objects.sort_unstable();
        objects.dedup();
        Nondeterminism { details, tasks: vec![task], objects, ..Self::new(step, what, Cause::Unknown) }
    }

    /// A run ended otherwise.
    pub(crate) fn ended(step: usize, then: &str, now: &str) -> Self {
        let details = vec![format!("then: {then}"), format!("now:  {now}")];
        Nondeterminism { details, ..Self::new(step, "the run ended otherwise".into(), Cause::Unknown) }
    }

    /// A task that is to be chosen cannot go on.
    pub(crate) fn refused(step: usize, task: TaskId, now: &[TaskId], cause: Cause) -> Self {
        let what = format!("task {task} was next, and now only {now:?} can go on");
        Nondeterminism { tasks: vec![task], ..Self::new(step, what, cause) }
    }

    /// Somebody else woke a task.
    pub(crate) fn woken(step: usize, name: &str, site: &str, thread: &str) -> Self {
        let what = format!("task `{name}` was woken by the thread {thread}, which is not the lab's");
        let details = vec![format!("`{name}` was spawned at {site}")];
        Nondeterminism { details, ..Self::new(step, what, Cause::Thread) }
    }

    /// The cause is this, unless it is known.
    pub(crate) fn because(mut self, cause: impl FnOnce() -> Cause) -> Self {
        if self.cause == Cause::Unknown {
            self.cause = cause();
        }
        self
    }

    /// What is wrong, in one line.
    pub(crate) fn headline(&self) -> String {
        let Nondeterminism { step, what, .. } = self;
        format!("the program is not deterministic: after the same {step} steps, {what}")
    }

    /// The rest.
    pub(crate) fn rest(&self) -> String {
        let mut rest = String::new();
        for line in &self.details {
            let _ = writeln!(rest, "  {line}");
        }
        rest + "  " + self.cause.advice()
    }
}

impl fmt::Display for Nondeterminism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.headline(), self.rest())
    }
}

impl std::error::Error for Nondeterminism {}

/// A footprint in words.
fn told(footprint: &Footprint) -> String {
    let verb = |kind| match kind {
        Kind::Read => "read",
        Kind::Write => "wrote",
        Kind::Acquire => "took",
        Kind::Release => "gave back",
    };
    let value = |access: &Access| match footprint {
        Footprint::Announced(_) => format!(" ({} to {})", access.found, access.left),
        _ => String::new(),
    };
    match footprint {
        Footprint::Barrier => "time went on".into(),
        Footprint::Unknown => "it was not seen".into(),
        Footprint::Announced(_) | Footprint::Observed(_) if footprint.accesses().is_empty() => {
            "touched nothing".into()
        }
        Footprint::Announced(_) | Footprint::Observed(_) => {
            let mut text = String::new();
            for by_verb in footprint.accesses().chunk_by(|a, b| a.kind == b.kind) {
                let objects = by_verb.iter().map(|access| format!("{}{}", access.object, value(access)));
                let comma = if text.is_empty() { "" } else { ", " };
                let _ = write!(
                    text,
                    "{comma}{} {}",
                    verb(by_verb[0].kind),
                    objects.collect::<Vec<_>>().join(" ")
                );
            }
            text
        }
    }
}
