//! The only seam between core and what runs it.
//!
//! # What a host must do
//!
//! 1. `submit` makes the runnable run, once, some time later; in which order is the host's policy,
//!    which must serve every lane within a stated bound. It may be called from any thread, and
//!    from inside a poll. It never runs the task inline.
//! 2. `now` is monotone. A timer fires at or after its time, never before; firing is waking.
//! 3. A cancelled timer drops its waker soon; cancelling one that fired is no error.
//! 4. A blocking job runs to its end on a thread that may block, or is dropped unrun at shutdown.
//! 5. Sockets follow the traits of [`io`](crate::io).
//! 6. Seeds differ from each other and from those of other runs; a host that replays gives the same
//!    ones again.
//!
//! Core asks for nothing else: no thread-locals, no ambient runtime.

use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::task::Waker;

#[cfg(not(feature = "observe"))]
use asupersync_task::WakerUse;
#[cfg(feature = "observe")]
pub use asupersync_task::WakerUse;
pub use asupersync_task::{Ran, Wake};
use asupersync_task::{Runnable as RawRunnable, Schedule, TaskRef as RawTaskRef};

pub use crate::budget::Urgency;
#[cfg(feature = "observe")]
use crate::cancel::Reason;
use crate::cancel::{Level, Scope};
use crate::id::TaskId;
pub use crate::id::TimerKey;
use crate::io::Sockets;
use crate::observe::Object;
use crate::time::Time;
use crate::trace::TaskSpan;

/// Which queue a runnable task belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Its scope is under Request.
    Cancel,
    /// It has a deadline; the greatest urgency goes first, and among equals the first that came.
    Timed(Urgency),
    /// Everything else, in order of arrival.
    Ready,
}

impl Lane {
    pub(crate) fn of(level: Level, urgency: Urgency) -> Lane {
        if level >= Level::Requested {
            Lane::Cancel
        } else if urgency.deadline < Time::MAX {
            Lane::Timed(urgency)
        } else {
            Lane::Ready
        }
    }
}

/// A job for a thread that may block.
pub type Job = Box<dyn FnOnce() + Send>;

/// What runs tasks: the native scheduler, a lab, or somebody else's runtime.
pub trait Host: Send + Sync + 'static {
    /// Queues a runnable in its lane.
    fn submit(&self, runnable: Runnable, lane: Lane, why: Wake);

    /// The host's clock.
    fn now(&self) -> Time;

    /// Wakes `waker` once, at or after `at`.
    fn add_timer(&self, at: Time, waker: Waker) -> TimerKey;

    /// Forgets a timer and drops its waker.
    fn cancel_timer(&self, key: TimerKey);

    /// Runs `job` on a thread that may block.
    fn spawn_blocking(&self, job: Job);

    /// A seed for a stream of random numbers.
    fn random_seed(&self) -> u64;

    /// The host's sockets.
    fn net(&self) -> &dyn Sockets;

    /// A waker of a task is used that was spawned while its steps were observed. Called on any thread, also
    /// inside of polls (feature `observe`).
    #[cfg(feature = "observe")]
    fn waker_used(&self, task: &TaskInfo, what: WakerUse) {
        let _ = (task, what);
    }
}

/// What core attaches to each task.
pub struct TaskMeta {
    pub(crate) host: Arc<dyn Host>,
    pub(crate) scope: Arc<Scope>,
    pub(crate) urgency: Urgency,
    /// Whom to tell when it is gone; nobody counts the host's own.
    pub(crate) owner: Option<(Arc<dyn Owner>, Place)>,
    /// Who waits for its end: the data pointer of that waker, or 0. For dumps, nothing depends on it.
    pub(crate) joiner: AtomicUsize,
    /// Stands for what is told without a lock: that it can run, and that it has ended.
    pub(crate) told: Object,
    /// Uses of its wakers are told: to a console, or to what observes steps.
    pub(crate) followed: bool,
    pub(crate) info: TaskInfo,
    pub(crate) span: TaskSpan,
}

/// What a task belongs to.
pub(crate) trait Owner: Send + Sync {
    /// The task's future is gone, and so is its output if nobody can take that.
    fn task_gone(&self, place: Place);

    /// Asks the task in `scope` to stop.
    #[cfg(feature = "observe")]
    fn request_task(&self, scope: &Arc<Scope>, reason: Reason);
}

/// A task's place with its owner. Keys are used again, numbers are not.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) key: usize,
    pub(crate) number: u64,
}

/// Who a task is.
#[derive(Clone, Debug)]
pub struct TaskInfo {
    /// Its number within the runtime.
    pub id: TaskId,
    /// The name it was spawned under.
    pub name: Arc<str>,
    /// The line that spawned it.
    pub site: &'static Location<'static>,
    /// When it was spawned.
    pub spawned_at: Time,
}

impl TaskMeta {
    pub(crate) fn lane(&self) -> Lane {
        Lane::of(self.scope.level(), self.urgency)
    }
}

impl Schedule for TaskMeta {
    fn schedule(&self, runnable: RawRunnable<Self>, why: Wake) {
        self.told.write();
        self.host.submit(Runnable(runnable), self.lane(), why);
    }

    fn completed(&self) {
        self.told.write();
        if let Some((owner, place)) = &self.owner {
            owner.task_gone(*place);
        }
    }

    fn follows_wakers(&self) -> bool {
        self.followed
    }

    fn waker_used(&self, what: WakerUse) {
        if matches!(what, WakerUse::Wake | WakerUse::WakeByRef) {
            self.told.write();
        }
        #[cfg(feature = "observe")]
        self.host.waker_used(&self.info, what);
        self.span.tell(what);
    }
}

pub(crate) type TaskRef = RawTaskRef<TaskMeta>;

/// A task that can be polled once. Dropping it unrun shuts the task down.
pub struct Runnable(pub(crate) RawRunnable<TaskMeta>);

impl Runnable {
    /// Polls the task once. Panics of the task are caught and become its outcome.
    pub fn run(self) -> Ran {
        self.0.meta().told.write();
        self.0.run()
    }

    /// An address that is this task's alone while a reference to it exists, as during its poll.
    pub fn address(&self) -> usize {
        self.0.id_addr()
    }

    /// Asks the task to stop, as its handle would; not one that no region owns. For hosts that try what
    /// then happens (feature `observe`).
    #[cfg(feature = "observe")]
    pub fn request_cancel(&self, reason: Reason) {
        let meta = self.0.meta();
        if let Some((owner, _)) = &meta.owner {
            owner.request_task(&meta.scope, reason);
        }
    }

    /// Who the task is.
    pub fn info(&self) -> &TaskInfo {
        &self.0.meta().info
    }
}
