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
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Waker;

#[cfg(not(feature = "observe"))]
use asupersync_task::WakerUse;
#[cfg(feature = "observe")]
pub use asupersync_task::WakerUse;
pub use asupersync_task::{Ran, Wake};
use asupersync_task::{Runnable as RawRunnable, Schedule, TaskRef as RawTaskRef};

use crate::budget::Budget;
pub use crate::budget::Urgency;
use crate::cancel::{Level, Reason, Scope};
use crate::id::TaskId;
pub use crate::id::TimerKey;
use crate::io::Sockets;
pub use crate::name::Name;
use crate::observe::Object;
use crate::time::Time;
use crate::trace::TaskSpan;
use crate::verdict::Verdict;

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

    /// Whether it is `at` or later. A host may know without a look at its clock.
    fn is_past(&self, at: Time) -> bool {
        self.now() >= at
    }

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
    /// The scope that the task polls in.
    pub(crate) scope: Arc<Scope>,
    /// A scope within, if all of its work is done there.
    pub(crate) inside: Option<Arc<Scope>>,
    pub(crate) owner: Arc<dyn Owner>,
    /// Where the owner has it, once admitted: [`UNOWNED`] before that, and for the host's own, which nobody
    /// counts. Stored before the task is scheduled.
    pub(crate) key: AtomicUsize,
    /// Its end has been told. Only whoever polls or drops it looks at this.
    pub(crate) ended: AtomicBool,
    /// It ended well, which its owner counts when it is gone. As `ended`.
    pub(crate) ok: AtomicBool,
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
    fn host(&self) -> &dyn Host;

    /// The task at `key` has ended like this, other than well; its output may not be gone.
    fn task_ended(&self, key: usize, info: &TaskInfo, verdict: Verdict);

    /// The task's future is gone, and so is its output if nobody can take that. It ended well if `ok`.
    fn task_gone(&self, key: usize, id: TaskId, ok: bool);

    /// Asks what is in `scope` to stop; its drain ends within `drain`.
    fn request_task(&self, scope: &Arc<Scope>, reason: Reason, drain: Budget);

    /// As [`request_task`](Self::request_task), for what sees to its own drain budget.
    fn request_open_ended(&self, scope: &Arc<Scope>, reason: Reason);
}

/// Where a task is that no owner counts.
pub(crate) const UNOWNED: usize = usize::MAX;

/// Who a task is.
#[derive(Clone, Debug)]
pub struct TaskInfo {
    /// Its number within the runtime.
    pub id: TaskId,
    /// The name it was spawned under.
    pub name: Name,
    /// The line that spawned it.
    pub site: &'static Location<'static>,
    /// When it was spawned.
    pub spawned_at: Time,
}

impl TaskMeta {
    /// The scope that its work is done in.
    pub(crate) fn inside(&self) -> &Arc<Scope> {
        self.inside.as_ref().unwrap_or(&self.scope)
    }

    pub(crate) fn lane(&self) -> Lane {
        let scope = self.inside();
        Lane::of(scope.level(), scope.urgency())
    }

    /// Tells of the task's end, once, when its body is gone.
    pub(crate) fn end(&self, verdict: Verdict) {
        self.ended.store(true, Ordering::Relaxed);
        // A scope holds the task's memory through its waker, and the task the scope.
        if let Some(timer) = self.scope.end() {
            self.owner.host().cancel_timer(timer);
        }
        match verdict {
            Verdict::Ok => self.ok.store(true, Ordering::Relaxed),
            verdict => self.owner.task_ended(self.key.load(Ordering::Relaxed), &self.info, verdict),
        }
    }
}

impl Schedule for TaskMeta {
    fn schedule(&self, runnable: RawRunnable<Self>, why: Wake) {
        self.told.write();
        // The scorecard measures what lanes cost beside a build without them.
        let lane = if cfg!(one_lane) { Lane::Ready } else { self.lane() };
        self.owner.host().submit(Runnable(runnable), lane, why);
    }

    fn completed(&self) {
        self.told.write();
        if !self.ended.load(Ordering::Relaxed) {
            self.end(Verdict::Dropped(None));
        }
        let (key, ok) = (self.key.load(Ordering::Relaxed), self.ok.load(Ordering::Relaxed));
        self.owner.task_gone(key, self.info.id, ok);
    }

    fn follows_wakers(&self) -> bool {
        self.followed
    }

    fn waker_used(&self, what: WakerUse) {
        if matches!(what, WakerUse::Wake | WakerUse::WakeByRef) {
            self.told.write();
        }
        #[cfg(feature = "observe")]
        self.owner.host().waker_used(&self.info, what);
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
        if meta.key.load(Ordering::Relaxed) != UNOWNED {
            meta.owner.request_task(meta.inside(), reason, Budget::UNLIMITED);
        }
    }

    /// Who the task is.
    pub fn info(&self) -> &TaskInfo {
        &self.0.meta().info
    }
}
