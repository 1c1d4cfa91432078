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

use std::any::Any;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Waker;

#[cfg(not(feature = "observe"))]
use asupersync_task::WakerUse;
#[cfg(feature = "observe")]
pub use asupersync_task::WakerUse;
pub use asupersync_task::{Ran, Wake, kept_bytes};
use asupersync_task::{Runnable as RawRunnable, Schedule, TaskRef as RawTaskRef};

use crate::budget::Budget;
pub use crate::budget::Urgency;
use crate::cancel::{Holder, Level, Reason, Scope, ScopeRef};
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

    /// A time that the clock showed while the present poll went on, or now: for what is only told of. A host may
    /// know one without a look at its clock.
    fn recent(&self) -> Time {
        self.now()
    }

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
    /// The scope that the task polls in, if there is none apart. It has the task's owner.
    pub(crate) own: Scope,
    pub(crate) apart: Option<Box<Apart>>,
    /// As what the owner is known here.
    pub(crate) as_owner: for<'a> fn(&'a (dyn Holder + 'static)) -> &'a dyn Owner,
    /// Where the owner has it, once admitted: [`UNOWNED`] before that, and for the host's own, which nobody
    /// counts. Stored before the task is scheduled.
    pub(crate) key: AtomicUsize,
    /// It was polled. Only whoever polls or drops it looks at this.
    pub(crate) begun: AtomicBool,
    /// Its end has been told. As `begun`.
    pub(crate) ended: AtomicBool,
    /// It ended well, which its owner counts when it is gone. As `begun`.
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

/// The scopes of a task in which a region runs, and which does nothing else.
pub(crate) struct Apart {
    /// The one that the task polls in.
    pub(crate) scope: ScopeRef,
    /// The region's, in which all of the work is done.
    pub(crate) inside: ScopeRef,
}

/// What a task belongs to.
pub(crate) trait Owner: Holder {
    fn host(&self) -> &dyn Host;

    /// The task at `key` has ended like this, other than well; its output may not be gone.
    fn task_ended(&self, key: usize, info: &TaskInfo, verdict: Verdict);

    /// The task's future is gone, and so is its output if nobody can take that. It ended well if `ok`.
    /// Returns the reference that the owner had.
    fn task_gone(&self, key: usize, id: TaskId, ok: bool) -> Option<TaskRef>;

    /// Asks the task to stop; its drain ends within `drain`.
    fn request_task(&self, task: &TaskRef, reason: Reason, drain: Budget);

    /// As [`request_task`](Self::request_task), for what sees to its own drain budget.
    fn request_open_ended(&self, scope: &ScopeRef, reason: Reason);
}

/// The owner of a task that was made with one of this type.
pub(crate) fn as_owner<'a, O: Owner>(holder: &'a (dyn Holder + 'static)) -> &'a dyn Owner {
    let any: &dyn Any = holder;
    any.downcast_ref::<O>().expect("the task was made with one of this type")
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
    /// When it was spawned, or a little before, in the same poll of whoever spawned it.
    pub spawned_at: Time,
}

impl TaskMeta {
    pub(crate) fn owner(&self) -> &dyn Owner {
        let holder = self.own.holder().expect("every task was made with an owner");
        (self.as_owner)(&**holder)
    }

    /// The scope that the task polls in.
    #[inline]
    pub(crate) fn scope(&self) -> &Scope {
        self.apart.as_ref().map_or(&self.own, |apart| &apart.scope)
    }

    /// The scope that its work is done in: that one, or one within.
    #[inline]
    pub(crate) fn inside(&self) -> &Scope {
        self.apart.as_ref().map_or(&self.own, |apart| &apart.inside)
    }

    pub(crate) fn lane(&self) -> Lane {
        let scope = self.inside();
        Lane::of(scope.level(), scope.urgency())
    }

    /// Tells of the task's end, once, when its body is gone.
    pub(crate) fn end(&self, verdict: Verdict) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(apart) = &self.apart {
            self.end_scope(&apart.scope);
        }
        match verdict {
            Verdict::Ok => self.ok.store(true, Ordering::Relaxed),
            verdict => self.owner().task_ended(self.key.load(Ordering::Relaxed), &self.info, verdict),
        }
    }

    /// What ran in the scope is gone.
    pub(crate) fn end_scope(&self, scope: &Scope) {
        if let Some(timer) = scope.end() {
            self.owner().host().cancel_timer(timer);
        }
    }
}

impl Schedule for TaskMeta {
    fn schedule(&self, runnable: RawRunnable<Self>, why: Wake) {
        self.told.write();
        // The scorecard measures what lanes cost beside a build without them.
        let lane = if cfg!(one_lane) { Lane::Ready } else { self.lane() };
        self.owner().host().submit(Runnable(runnable), lane, why);
    }

    fn completed(&self) -> Option<TaskRef> {
        self.told.write();
        if !self.ended.load(Ordering::Relaxed) {
            self.end(Verdict::Dropped(None));
        }
        let (key, ok) = (self.key.load(Ordering::Relaxed), self.ok.load(Ordering::Relaxed));
        let task = self.owner().task_gone(key, self.info.id, ok);
        // The owner does not list it any more: see `request_task`.
        if self.own.is_timed() {
            self.end_scope(&self.own);
        }
        task
    }

    fn follows_wakers(&self) -> bool {
        self.followed
    }

    fn waker_used(&self, what: WakerUse) {
        if matches!(what, WakerUse::Wake | WakerUse::WakeByRef) {
            self.told.write();
        }
        #[cfg(feature = "observe")]
        self.owner().host().waker_used(&self.info, what);
        self.span.tell(what);
    }
}

pub(crate) type TaskRef = RawTaskRef<TaskMeta>;

/// [`TaskMeta::scope`], to be kept.
pub(crate) fn scope_of(task: TaskRef) -> ScopeRef {
    match &task.meta().apart {
        Some(apart) => apart.scope.clone(),
        None => ScopeRef::OfTask(task.part(|meta| &meta.own)),
    }
}

/// [`TaskMeta::inside`], to be kept.
pub(crate) fn inside_of(task: TaskRef) -> ScopeRef {
    match &task.meta().apart {
        Some(apart) => apart.inside.clone(),
        None => ScopeRef::OfTask(task.part(|meta| &meta.own)),
    }
}

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
            meta.owner().request_task(&self.0.task(), reason, Budget::UNLIMITED);
        }
    }

    /// Who the task is.
    pub fn info(&self) -> &TaskInfo {
        &self.0.meta().info
    }
}
