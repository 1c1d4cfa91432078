//! What a dump consists of.

use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use crate::budget::Budget;
use crate::cancel::{Level, Reason, Waits};
use crate::host::{Lane, Name};
use crate::id::{RegionId, TaskId};
use crate::obligation::Kind;
use crate::region::state::Phase;
use crate::time::Time;

/// The region tree of one runtime, as it was at one moment: who owns whom, how far each has gone,
/// and what it waits for. Made by [`Cx::dump`](crate::Cx::dump), or by the host.
///
/// `Display` writes a tree for people, with what is alike folded; [`to_json`](Dump::to_json) writes
/// everything for programs, and [`to_dot`](Dump::to_dot) a graph.
///
/// Nobody is polled or stopped for it. What it tells of one region was so at one moment, and of one
/// task likewise; between two of them things may have gone on.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Dump {
    /// When, on the host's clock.
    pub at: Time,
    /// Every region that is not Closed, parents before their children, the root first.
    pub regions: Vec<RegionDump>,
    /// Who waits for whom in a circle.
    pub cycles: Vec<Cycle>,
}

/// One region.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RegionDump {
    /// Its number.
    pub id: RegionId,
    /// The region around it.
    pub parent: Option<RegionId>,
    /// The name it was opened under.
    pub name: Arc<str>,
    /// Names from the root to it, joined by `/`.
    pub path: String,
    /// The line that opened it.
    pub site: &'static Location<'static>,
    /// How old it is.
    pub age: Duration,
    /// How far its life has gone.
    pub phase: Phase,
    /// Its body still runs.
    pub body: bool,
    /// The task that runs its body, and waits for its closing after that.
    pub opened_by: Option<TaskId>,
    /// Why it closes, once it was asked to.
    pub reason: Option<Reason>,
    /// What is left for its work, or, once it was asked to close, for its drain.
    pub budget: Budget,
    /// When it must be closed, once it was asked to.
    pub close_by: Option<Time>,
    /// Its tasks, in no order.
    pub tasks: Vec<TaskDump>,
    /// How many children have failed so far.
    pub failed: usize,
    /// How many finalizers wait for their turn.
    pub finalizers: usize,
    /// The finalizer that runs.
    pub finalizer: Option<Box<FinalizerDump>>,
    /// What was detached in it and is not resolved, the oldest first.
    pub obligations: Vec<ObligationDump>,
}

/// One task.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TaskDump {
    /// Its number.
    pub id: TaskId,
    /// The name it was spawned under.
    pub name: Name,
    /// The line that spawned it.
    pub site: &'static Location<'static>,
    /// How old it is.
    pub age: Duration,
    /// What it is doing.
    pub state: TaskState,
    /// Where it queues when it can be polled.
    pub lane: Lane,
    /// How far the cancel protocol has gone for it.
    pub level: Level,
    /// Why it is to stop, once it was asked to.
    pub reason: Option<Reason>,
    /// What is left for it to use.
    pub budget: Budget,
    /// What it waits for; for one that does not wait, what it has not withdrawn yet.
    pub awaits: Waits,
    /// It is a child of a local scope, which lives in its region's own future.
    pub local: bool,
    /// The task that waits for its end.
    pub joined_by: Option<TaskId>,
}

/// What a task is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaskState {
    /// It is being polled, or its future dropped.
    Running,
    /// It waits for its turn to be polled.
    Queued,
    /// It waits to be woken.
    Waiting,
}

/// A finalizer that runs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FinalizerDump {
    /// The line that registered it.
    pub site: &'static Location<'static>,
    /// How long it runs.
    pub age: Duration,
    /// It is being polled; otherwise it waits.
    pub running: bool,
    /// What is left for it to use.
    pub budget: Budget,
    /// What it waits for.
    pub awaits: Waits,
}

/// An obligation that is not resolved.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ObligationDump {
    /// Its kind.
    pub kind: Kind,
    /// The line that detached it.
    pub site: &'static Location<'static>,
    /// How long ago that was.
    pub age: Duration,
}

/// A circle of tasks and regions, of which each waits for the next, and the last for the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// Its members; never empty.
    pub members: Vec<Member>,
}

/// One that waits in a [`Cycle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Member {
    /// A task, for the end of the next or for its closing.
    Task(TaskId),
    /// A region, for what is in it.
    Region(RegionId),
}

impl Dump {
    /// For each region, the place of the one around it: regions stand in the order of their parents.
    pub(super) fn parents(&self) -> Vec<Option<usize>> {
        let mut parent = 0;
        let places = self.regions.iter().map(|region| {
            let id = region.parent?;
            while self.regions[parent].id != id {
                parent += 1;
            }
            Some(parent)
        });
        places.collect()
    }
}

impl TaskState {
    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            TaskState::Running => "running",
            TaskState::Queued => "queued",
            TaskState::Waiting => "waiting",
        }
    }
}
