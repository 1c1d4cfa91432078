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
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;

#[cfg(not(feature = "observe"))]
use asupersync_task::WakerUse;
#[cfg(feature = "observe")]
pub use asupersync_task::WakerUse;
pub use asupersync_task::{Ran, Wake, kept_bytes};
use asupersync_task::{Runnable as RawRunnable, TaskRef as RawTaskRef};

#[cfg(feature = "observe")]
use crate::budget::Budget;
pub use crate::budget::Urgency;
#[cfg(feature = "observe")]
use crate::cancel::Reason;
use crate::cancel::{Level, Scope, ScopeRef};
use crate::id::TaskId;
pub use crate::id::TimerKey;
use crate::io::Sockets;
pub use crate::name::Name;
use crate::observe::{Object, is_recording};
use crate::region::Node;
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
    /// The scope that the task polls in, if there is none apart. It has the task's region.
    pub(crate) own: Scope,
    /// What most tasks have nothing of.
    rare: Option<Box<Rare>>,
    pub(crate) mark: Mark,
    /// Stands for what is told without a lock: that it can run, and that it has ended.
    pub(crate) told: Object,
    pub(crate) info: TaskInfo,
}

/// What few tasks have.
#[derive(Default)]
pub(crate) struct Rare {
    pub(crate) apart: Option<Apart>,
    pub(crate) span: TaskSpan,
    /// What runs the task if no region counts it.
    pub(crate) host: Option<Arc<dyn Host>>,
}

/// The scopes of a task in which a region runs, and which does nothing else.
pub(crate) struct Apart {
    /// The one that the task polls in.
    pub(crate) scope: ScopeRef,
    /// The region's, in which all of the work is done.
    pub(crate) inside: ScopeRef,
}

/// Where its owner has a task, and how far that has come; one word, since each task has room for it.
pub(crate) struct Mark(AtomicUsize);

impl Mark {
    /// It was polled. Only whoever polls or drops the task looks at this, or changes it.
    pub(crate) const BEGUN: usize = 1;
    /// Its end has been told. As `BEGUN`.
    pub(crate) const ENDED: usize = 1 << 1;
    /// It ended well, which its owner counts when it is gone. As `BEGUN`.
    pub(crate) const OK: usize = 1 << 2;
    /// Uses of its wakers are told: to a console, or to what observes steps.
    pub(crate) const FOLLOWED: usize = 1 << 3;
    const KEY: u32 = 4;
    /// Where a task is that no owner counts, or not yet.
    pub(crate) const UNOWNED: usize = usize::MAX >> Mark::KEY;

    #[inline]
    fn new(followed: bool) -> Self {
        Mark(AtomicUsize::new(Mark::UNOWNED << Mark::KEY | if followed { Mark::FOLLOWED } else { 0 }))
    }

    #[inline]
    pub(crate) fn has(&self, what: usize) -> bool {
        self.0.load(Ordering::Relaxed) & what != 0
    }

    #[inline]
    pub(crate) fn set(&self, what: usize) {
        self.0.store(self.0.load(Ordering::Relaxed) | what, Ordering::Relaxed);
    }

    /// Where the owner has it.
    #[inline]
    pub(crate) fn key(&self) -> usize {
        self.0.load(Ordering::Relaxed) >> Mark::KEY
    }

    /// The owner has it at `key`. Before anybody polls it, or knows it from there.
    #[inline]
    pub(crate) fn enter(&self, key: usize) {
        let rest = self.0.load(Ordering::Relaxed) & ((1 << Mark::KEY) - 1);
        self.0.store(key << Mark::KEY | rest, Ordering::Relaxed);
    }
}

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
    /// Of a task of `region`, whose scope is `around` its own, or else of the host in `rare`.
    #[inline]
    pub(crate) fn new(
        region: Option<Arc<Node>>,
        around: Option<&Scope>,
        rare: Option<Box<Rare>>,
        info: impl FnOnce() -> TaskInfo,
    ) -> Self {
        let is_followed = rare.as_ref().is_some_and(|rare| rare.span.is_some()) || is_recording();
        TaskMeta {
            own: Scope::of_task(region, around),
            rare,
            mark: Mark::new(is_followed),
            told: Object::new(),
            info: info(),
        }
    }

    /// Of a task that no region counts.
    #[inline]
    pub(crate) fn host_of_uncounted(&self) -> Option<&dyn Host> {
        self.rare.as_ref()?.host.as_deref()
    }

    pub(crate) fn tell_span(&self, what: WakerUse) {
        self.rare.iter().for_each(|rare| rare.span.tell(what));
    }

    #[inline]
    pub(crate) fn apart(&self) -> Option<&Apart> {
        self.rare.as_ref()?.apart.as_ref()
    }

    /// The scope that the task polls in.
    #[inline]
    pub(crate) fn scope(&self) -> &Scope {
        self.apart().map_or(&self.own, |apart| &apart.scope)
    }

    /// The scope that its work is done in: that one, or one within.
    #[inline]
    pub(crate) fn inside(&self) -> &Scope {
        self.apart().map_or(&self.own, |apart| &apart.inside)
    }
}

pub(crate) type TaskRef = RawTaskRef<TaskMeta>;

/// [`TaskMeta::scope`], to be kept.
pub(crate) fn scope_of(task: TaskRef) -> ScopeRef {
    match task.meta().apart() {
        Some(apart) => apart.scope.clone(),
        None => ScopeRef::OfTask(task.part(|meta| &meta.own)),
    }
}

/// [`TaskMeta::inside`], to be kept.
pub(crate) fn inside_of(task: TaskRef) -> ScopeRef {
    match task.meta().apart() {
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
        self.0.meta().request(&self.0.task(), reason, Budget::UNLIMITED);
    }

    /// Who the task is.
    pub fn info(&self) -> &TaskInfo {
        &self.0.meta().info
    }
}
