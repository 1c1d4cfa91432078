//! What can run in a run that is explored: any task that is queued, whatever its lane.
//!
//! Strict lanes would let one task keep another from running, which is no conflict that a footprint
//! shows; which lane is next is the policy's, and proved by itself.

use std::collections::HashMap;

use asupersync_core::host::{Job, Ran, Runnable, TaskInfo, Wake};
use asupersync_core::{Reason, ReasonKind, observe};

use crate::explore::{Access, Footprint, Kind, Nondeterminism, ObjectId, TaskId};
use crate::names::{CLOCK, Fast, Names, OUTSIDE, TIME};
use crate::random::Random;

/// The tasks of one run, by their numbers.
pub(crate) struct Steps {
    names: Names,
    tasks: Vec<Known>,
    /// Those that can take a step, sorted.
    enabled: Vec<TaskId>,
    /// Numbers of tasks by the address of what they are; a task that ended leaves its address to others.
    numbers: HashMap<usize, TaskId, Fast>,
    current: TaskId,
    now_read: bool,
    /// It is asked what the current step touches.
    seen: bool,
}

/// What is known of a task or a job.
#[derive(Default)]
struct Known {
    /// What its next step runs, if it can take one.
    queued: Option<Entry>,
    /// Who it is, if it is no job.
    info: Option<TaskInfo>,
    /// How many tasks, objects and seeds it has made.
    started: u32,
    made: u32,
    seeded: u64,
}

/// A task that can take a step, or a job that has not run.
pub(crate) enum Entry {
    /// One entry, and those that a move to another lane left behind: any of them will do.
    Task(Runnable, Vec<Runnable>),
    Job(Job),
}

impl Steps {
    /// Before the first run.
    pub(crate) fn new() -> Self {
        let (names, tasks, enabled, numbers) = (Names::default(), Vec::new(), Vec::new(), HashMap::default());
        Steps { names, tasks, enabled, numbers, current: OUTSIDE, now_read: false, seen: false }
    }

    /// The same before the next run, which has the same numbers.
    pub(crate) fn renewed(mut self) -> Self {
        self.tasks.clear();
        self.enabled.clear();
        self.numbers.clear();
        self.current = OUTSIDE;
        self
    }

    fn known(&mut self, task: TaskId) -> &mut Known {
        if self.tasks.len() <= task {
            self.tasks.resize_with(task + 1, Known::default);
        }
        &mut self.tasks[task]
    }

    /// A task has become runnable.
    pub(crate) fn submit(&mut self, runnable: Runnable, why: Wake) {
        let address = std::ptr::from_ref(runnable.info()) as usize;
        let number = match self.numbers.get(&address) {
            Some(number) if why != Wake::Spawn => *number,
            _ => {
                let number = self.start();
                self.numbers.insert(address, number);
                self.known(number).info = Some(runnable.info().clone());
                number
            }
        };
        match &mut self.known(number).queued {
            Some(Entry::Task(_, more)) => more.push(runnable),
            _ => self.enable(number, Entry::Task(runnable, Vec::new())),
        }
    }

    /// A job has been handed in.
    pub(crate) fn submit_job(&mut self, job: Job) {
        let number = self.start();
        self.enable(number, Entry::Job(job));
    }

    fn enable(&mut self, task: TaskId, entry: Entry) {
        self.known(task).queued = Some(entry);
        if let Err(place) = self.enabled.binary_search(&task) {
            self.enabled.insert(place, task);
        }
    }

    /// The number of what the current step starts.
    fn start(&mut self) -> TaskId {
        let current = self.current;
        let known = self.known(current);
        known.started += 1;
        let nth = known.started;
        self.names.task(current, nth)
    }

    /// Numbers of those that can take a step, sorted.
    pub(crate) fn enabled(&self) -> &[TaskId] {
        &self.enabled
    }

    /// Takes out what the step of a task runs, and begins to record for it what it touches, if that is asked.
    pub(crate) fn begin(&mut self, task: TaskId, seen: bool) -> Option<Entry> {
        (self.current, self.now_read, self.seen) = (task, false, seen);
        let known = self.known(task);
        let (made, queued) = (known.made, known.queued.take());
        observe::begin(task as u32, made, seen);
        if let Ok(place) = self.enabled.binary_search(&task) {
            self.enabled.remove(place);
        }
        queued
    }

    /// Entries that are left of a task that took a step. Dropping one ends a task that is queued again.
    pub(crate) fn keep(&mut self, task: TaskId, left: Vec<Runnable>) -> Vec<Runnable> {
        match &mut self.known(task).queued {
            Some(Entry::Task(_, more)) => {
                more.extend(left);
                Vec::new()
            }
            _ => left,
        }
    }

    /// The step is over: what it touched.
    pub(crate) fn end(&mut self) -> Footprint {
        let (current, now_read) = (self.current, self.now_read);
        if !self.seen {
            self.known(current).made = observe::end(|made, _| made);
            return Footprint::Unknown;
        }
        let names = &mut self.names;
        let (made, touched) = observe::end(|made, touches| {
            let now = now_read.then(|| Access::new(TIME, Kind::Read));
            let kind = |write| if write { Kind::Write } else { Kind::Read };
            let touches =
                touches.iter().map(|touch| Access::new(names.object(touch.object), kind(touch.write)));
            (made, now.into_iter().chain(touches).collect())
        });
        self.known(current).made = made;
        Footprint::Observed(touched)
    }

    /// A seed for the current task: the same whatever others have asked for.
    pub(crate) fn seed(&mut self) -> u64 {
        let current = self.current;
        let known = self.known(current);
        known.seeded += 1;
        Random::new((current as u64) << 32 | known.seeded).bits()
    }

    /// The current step has asked what time it is.
    pub(crate) fn read_now(&mut self) {
        self.now_read = true;
    }

    /// Who a task is, if it is no job.
    pub(crate) fn info(&self, task: TaskId) -> Option<TaskInfo> {
        self.tasks.get(task)?.info.clone()
    }

    /// Whose step it is.
    pub(crate) fn current(&self) -> String {
        match self.tasks.get(self.current).and_then(|known| known.info.as_ref()) {
            Some(info) => format!("task `{}`, spawned at {},", info.name, info.site),
            None => "a blocking job".into(),
        }
    }

    /// Who the tasks and the objects of a message are.
    pub(crate) fn introduce(&self, other: &mut Nondeterminism) {
        let task = |task: TaskId| match self.tasks.get(task).and_then(|known| known.info.as_ref()) {
            Some(info) => format!("task {task} is `{}`, spawned at {}", info.name, info.site),
            None if task == CLOCK => format!("task {task} is the time that passes"),
            None => format!("task {task} is a blocking job, or was not started in this run"),
        };
        let object = |object: ObjectId| match self.names.maker(object) {
            _ if object == TIME => format!("object {object} is the lab's clock"),
            Some((OUTSIDE, nth)) => format!("object {object} is the runtime's own, number {nth}"),
            Some((maker, nth)) => format!("object {object} is number {nth} of those that task {maker} made"),
            None => format!("object {object} was made outside of the run"),
        };
        other.details.extend(other.tasks.iter().map(|id| task(*id)));
        other.details.extend(other.objects.iter().map(|id| object(*id)));
    }

    /// Everything that is queued, to be dropped.
    pub(crate) fn take_all(&mut self) -> Vec<Entry> {
        self.enabled.clear();
        self.tasks.iter_mut().filter_map(|known| known.queued.take()).collect()
    }
}

impl Entry {
    /// Asks the task to stop; a job cannot be.
    pub(crate) fn request_cancel(&self) {
        if let Entry::Task(entry, _) = self {
            entry.request_cancel(Reason::new(ReasonKind::UserRequest).with_message("injected by the lab"));
        }
    }

    /// Polls the task once, or runs the job. Hands back what was left behind.
    pub(crate) fn run(self) -> Vec<Runnable> {
        match self {
            // Any entry is as good as another.
            Entry::Task(first, mut more) => {
                let mut next = Some(first);
                while let Some(entry) = next {
                    next = if entry.run() == Ran::Stale { more.pop() } else { None };
                }
                more
            }
            Entry::Job(job) => {
                job();
                Vec::new()
            }
        }
    }
}
