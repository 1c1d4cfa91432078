//! What can run in a run that is explored: any task that is queued, whatever its lane.
//!
//! Strict lanes would let one task keep another from running, which is no conflict that a footprint
//! shows; which lane is next is the policy's, and proved by itself.

use std::collections::{BTreeMap, HashMap};

use asupersync_core::host::{Job, Ran, Runnable, TaskInfo, Wake};
use asupersync_core::{Reason, ReasonKind, observe};

use crate::explore::{Access, Footprint, Kind, Nondeterminism, ObjectId, TaskId};
use crate::names::{CLOCK, Names, OUTSIDE, TIME};
use crate::random::Random;

/// The tasks of one run, by their numbers.
pub(crate) struct Steps {
    names: Names,
    queued: BTreeMap<TaskId, Entry>,
    /// Numbers of tasks by the address of what they are; a task that ended leaves its address to others.
    numbers: HashMap<usize, TaskId>,
    /// Who they are.
    infos: HashMap<TaskId, TaskInfo>,
    /// How many tasks, and objects, each has made.
    started: HashMap<TaskId, u32>,
    made: HashMap<TaskId, u32>,
    seeded: HashMap<TaskId, u64>,
    current: TaskId,
    now_read: bool,
}

/// A task that can take a step, or a job that has not run.
pub(crate) enum Entry {
    /// One entry, and those that a move to another lane left behind: any of them will do.
    Task(Vec<Runnable>),
    Job(Job),
}

impl Steps {
    pub(crate) fn new(names: Names) -> Self {
        Steps {
            names,
            queued: BTreeMap::new(),
            numbers: HashMap::new(),
            infos: HashMap::new(),
            started: HashMap::new(),
            made: HashMap::new(),
            seeded: HashMap::new(),
            current: OUTSIDE,
            now_read: false,
        }
    }

    pub(crate) fn into_names(self) -> Names {
        self.names
    }

    /// A task has become runnable.
    pub(crate) fn submit(&mut self, runnable: Runnable, why: Wake) {
        let address = std::ptr::from_ref(runnable.info()) as usize;
        let number = match self.numbers.get(&address) {
            Some(number) if why != Wake::Spawn => *number,
            _ => {
                let number = self.start();
                self.numbers.insert(address, number);
                self.infos.insert(number, runnable.info().clone());
                number
            }
        };
        match self.queued.get_mut(&number) {
            Some(Entry::Task(entries)) => entries.push(runnable),
            _ => drop(self.queued.insert(number, Entry::Task(vec![runnable]))),
        }
    }

    /// A job has been handed in.
    pub(crate) fn submit_job(&mut self, job: Job) {
        let number = self.start();
        self.queued.insert(number, Entry::Job(job));
    }

    /// The number of what the current step starts.
    fn start(&mut self) -> TaskId {
        let nth = self.started.entry(self.current).or_default();
        *nth += 1;
        self.names.task(self.current, *nth)
    }

    /// Numbers of those that can take a step, sorted.
    pub(crate) fn enabled(&self) -> Vec<TaskId> {
        self.queued.keys().copied().collect()
    }

    /// Takes out what the step of a task runs, and begins to record for it.
    pub(crate) fn begin(&mut self, task: TaskId) -> Option<Entry> {
        (self.current, self.now_read) = (task, false);
        observe::begin(task as u32, self.made.get(&task).copied().unwrap_or(0));
        self.queued.remove(&task)
    }

    /// Entries that are left of a task that took a step. Dropping one ends a task that is queued again.
    pub(crate) fn keep(&mut self, task: TaskId, left: Vec<Runnable>) -> Vec<Runnable> {
        match self.queued.get_mut(&task) {
            Some(Entry::Task(entries)) => {
                entries.extend(left);
                Vec::new()
            }
            _ => left,
        }
    }

    /// The step is over: what it touched.
    pub(crate) fn end(&mut self) -> Footprint {
        let (made, touches) = observe::end();
        self.made.insert(self.current, made);
        let now = self.now_read.then(|| Access::new(TIME, Kind::Read));
        let kind = |write| if write { Kind::Write } else { Kind::Read };
        let names = &mut self.names;
        let touches = touches.iter().map(|touch| Access::new(names.object(touch.object), kind(touch.write)));
        Footprint::Observed(now.into_iter().chain(touches).collect())
    }

    /// A seed for the current task: the same whatever others have asked for.
    pub(crate) fn seed(&mut self) -> u64 {
        let nth = self.seeded.entry(self.current).or_default();
        *nth += 1;
        Random::new((self.current as u64) << 32 | *nth).bits()
    }

    /// The current step has asked what time it is.
    pub(crate) fn read_now(&mut self) {
        self.now_read = true;
    }

    /// Who a task is, if it is no job.
    pub(crate) fn info(&self, task: TaskId) -> Option<TaskInfo> {
        self.infos.get(&task).cloned()
    }

    /// Whose step it is.
    pub(crate) fn current(&self) -> String {
        match self.infos.get(&self.current) {
            Some(info) => format!("task `{}`, spawned at {},", info.name, info.site),
            None => "a blocking job".into(),
        }
    }

    /// Who the tasks and the objects of a message are.
    pub(crate) fn introduce(&self, other: &mut Nondeterminism) {
        let task = |task: TaskId| match self.infos.get(&task) {
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
    pub(crate) fn take_all(&mut self) -> BTreeMap<TaskId, Entry> {
        std::mem::take(&mut self.queued)
    }
}

impl Entry {
    /// Asks the task to stop; a job cannot be.
    pub(crate) fn request_cancel(&self) {
        if let Entry::Task(entries) = self
            && let Some(entry) = entries.first()
        {
            entry.request_cancel(Reason::new(ReasonKind::UserRequest).with_message("injected by the lab"));
        }
    }

    /// Polls the task once, or runs the job. Hands back what was left behind.
    pub(crate) fn run(self) -> Vec<Runnable> {
        match self {
            // Any entry is as good as another.
            Entry::Task(mut entries) => {
                while let Some(entry) = entries.pop() {
                    if entry.run() != Ran::Stale {
                        break;
                    }
                }
                entries
            }
            Entry::Job(job) => {
                job();
                Vec::new()
            }
        }
    }
}
