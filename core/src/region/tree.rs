//! The region tree: who owns whom, and what closing one node does.
//!
//! A [`Node`] owns tasks, child nodes and finalizers. Its counts change only through
//! [`State::step`]; its cancel standing lives in its [`Scope`], which tells it of every raise.
//!
//! Invariants:
//! 1. A local child's entry and its count in `state.tasks` come and go under one hold of the lock, and so do an
//!    obligation's in the ledger and in `state.obligations`. How tasks are counted, [`Tasks`] says.
//! 2. A node is in its parent's `children` exactly while the parent counts it; what the parent counts besides
//!    is [promised](Promised).
//! 3. A node that is not Closed has a driver of [`Node::close`], or will get one: the future
//!    that opened it, and when that is dropped, a closer task of its own.
//! 4. Parents are held weakly and children strongly: nothing recurses on drop, and a leaked `Cx`
//!    keeps one node, not the tree.
//!
//! No two nodes' locks are held together: a child is closed in its own first, then in its parent's. Scopes, hosts,
//! wakers and user code are called with none held.

use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::{Arc, Weak};
use std::task::Waker;

use slab::Slab;

use super::finalizer::{Finalizer, Running, Started};
use super::ledger::Ledger;
use super::policy::{Close, OnFailure, Policy};
use super::report::{CloseReport, Leftover, LeftoverKind, Totals};
use super::state::{Event, Phase, State};
use super::tasks::Tasks;
use crate::budget::Budget;
use crate::cancel::{By, Cancelled, Level, Listener, Reason, ReasonKind, Scope, ScopeRef, Waits};
use crate::host::{Host, TaskInfo, TaskRef, TimerKey};
use crate::id::{RegionId, TaskId};
use crate::lock::{Mutex, MutexGuard, lock};
use crate::name::Name;
use crate::primitive::{AtomicBool, Ordering};
use crate::set::Bell;
use crate::time::Time;
use crate::verdict::{Failed, Verdict};

/// What all regions of one runtime share.
pub(crate) struct Tree {
    pub(crate) host: Arc<dyn Host>,
    /// Raised by the first shutdown signal.
    pub(crate) shutdown: ScopeRef,
    /// Somebody waits for the signal and will see to the closing. Stored before `shutdown` is looked at, and
    /// looked at after that was raised; the scope's lock keeps both from missing the other.
    pub(crate) shutdown_watched: AtomicBool,
    /// A counter, which whoever spawns writes to.
    next_id: Apart<AtomicU64>,
}

/// In a line of memory that holds nothing else which is written or read often.
#[repr(align(128))]
struct Apart<T>(T);

impl Tree {
    pub(crate) fn new(host: Arc<dyn Host>) -> Arc<Tree> {
        let shutdown_watched = AtomicBool::new(false);
        Arc::new(Tree { host, shutdown: Scope::root(), shutdown_watched, next_id: Apart(AtomicU64::new(0)) })
    }

    fn next_id(&self) -> u64 {
        self.next_id.0.fetch_add(1, Ordering::Relaxed)
    }
}

pub(crate) struct Node {
    pub(crate) id: RegionId,
    pub(crate) name: Name,
    pub(crate) tree: Arc<Tree>,
    pub(crate) scope: ScopeRef,
    pub(crate) policy: Policy,
    pub(super) opened_at: Time,
    pub(super) parent: Weak<Node>,
    pub(super) site: &'static Location<'static>,
    pub(super) tasks: Tasks,
    /// Where this node stands in its parent's `children`, or [`UNLISTED`]. Stored before anybody else can have this
    /// node, or end it.
    key: AtomicUsize,
    pub(super) inner: Mutex<Inner>,
}

const UNLISTED: usize = usize::MAX;

pub(super) struct Inner {
    pub(super) state: State,
    /// By their numbers.
    pub(super) locals: BTreeMap<u64, Arc<Local>>,
    pub(super) children: Slab<Arc<Node>>,
    /// Those that are counted with the children, and have no node yet. Few regions ever have such.
    pub(super) promised: Option<Box<Slab<Arc<dyn Promised>>>>,
    pub(super) finalizers: Vec<Finalizer>,
    pub(super) running: Option<Box<Running>>,
    /// What is known of the running finalizer, wherever that is polled.
    pub(super) started: Option<Started>,
    /// The host gave up on the region: nothing drives it any more.
    pub(super) forced: bool,
    pub(super) ledger: Ledger,
    pub(super) failures: Vec<Failed>,
    /// Wakes the driver of `close`.
    pub(super) closer: Option<Waker>,
    /// That driver, if it is a task of its own, which no region owns.
    pub(super) driver: Option<TaskRef>,
    pub(super) requested_at: Option<Time>,
    pub(super) drained_at: Option<Time>,
    /// When drain and finalize must both be over.
    pub(super) close_by: Time,
    /// Requests the region when the time of its work is over.
    pub(super) work_timer: Option<TimerKey>,
    pub(super) drain_timer: Option<TimerKey>,
    /// When the drain ends, for which there is no timer, as nothing ran that it would end.
    pub(super) unarmed: Option<Time>,
    /// The quotas of the finalize budget, without what finalizers that ended have used.
    pub(super) finalizers_left: Budget,
    pub(super) totals: Totals,
    pub(super) leftovers: Vec<Leftover>,
    child_reports: Vec<CloseReport>,
}

/// A child that lives in the region's own future. It counts as a task.
pub(super) struct Local {
    pub(super) info: TaskInfo,
    pub(super) scope: ScopeRef,
    pub(super) bell: Arc<Bell>,
    /// Who waits for its end: the data pointer of that waker, or 0. For dumps, nothing depends on it.
    pub(super) joiner: AtomicUsize,
}

/// What a region that is Closed leaves to be done.
struct Last {
    driver: Option<TaskRef>,
    timers: [Option<TimerKey>; 2],
    totals: Totals,
    leftovers: Vec<Leftover>,
}

/// A region is Closed since its body has ended.
pub(crate) struct Closed {
    /// A child of it has failed.
    pub(super) failed: bool,
}

/// What a child region is to be.
pub(crate) struct Plan<'a> {
    pub(crate) name: &'a Name,
    pub(crate) policy: Policy,
    pub(crate) site: &'static Location<'static>,
    /// When it counts as opened, if that is not now.
    pub(crate) since: Option<Time>,
}

/// A child region that has no node while nobody could tell it from one.
pub(super) trait Promised: Send + Sync {
    /// Gives it its node. Called with no lock held.
    fn keep(&self);
}

/// How many reports of children, and of leftovers, a region keeps; more are only counted.
pub(super) const KEPT: usize = 64;

/// How many names a path has, and how many levels of children a report: what a region tells must
/// not grow with the depth of its tree, or closing a deep one takes a time that is not linear.
pub(super) const LONGEST_PATH: usize = 64;
const REPORT_LEVELS: usize = 8;

impl Node {
    pub(crate) fn root(
        tree: Arc<Tree>,
        name: &str,
        policy: Policy,
        site: &'static Location<'static>,
    ) -> Arc<Node> {
        let now = tree.host.now();
        Arc::new_cyclic(|node: &Weak<Node>| {
            let scope = Scope::listening_root(node.clone());
            Node::new(tree, scope, Weak::new(), name.into(), policy, site, now)
        })
    }

    /// Admits a child region, cancelled together with `scope`, whose level must be below `until`. Its body is
    /// polled by the task that polls in there, or `apart`.
    pub(crate) fn open_child(
        self: &Arc<Self>,
        scope: &ScopeRef,
        until: Level,
        plan: Plan<'_>,
        apart: bool,
    ) -> Result<Arc<Node>, Cancelled> {
        scope.check(until)?;
        let child = self.make_child(scope, plan, apart);
        let mut inner = lock(&self.inner);
        if !inner.admit_child() {
            drop(inner);
            return Err(self.refusal());
        }
        inner.list_child(&child);
        self.arm_late(inner);
        child.begin();
        Ok(child)
    }

    /// A node below this one, which does not have it yet.
    pub(super) fn make_child(self: &Arc<Self>, scope: &ScopeRef, plan: Plan<'_>, apart: bool) -> Arc<Node> {
        let Plan { name, policy, site, since } = plan;
        let opened_at = since.unwrap_or_else(|| policy.begins(&*self.tree.host));
        let policy = Policy {
            drain: policy.drain.meet(self.policy.drain),
            finalize: policy.finalize.meet(self.policy.finalize),
            ..policy
        };
        Arc::new_cyclic(|node: &Weak<Node>| {
            let work = policy.work.starting_at(opened_at);
            let scope = scope.listening_child(work, node.clone(), apart);
            Node::new(self.tree.clone(), scope, Arc::downgrade(self), name.clone(), policy, site, opened_at)
        })
    }

    /// Its parent has it.
    pub(super) fn begin(self: &Arc<Self>) {
        // A request between the link of the scope and here may have come before its parent had it.
        if self.scope.level() >= Level::Requested {
            self.on_cancel(&self.scope.standing());
        }
        self.start_work();
    }

    fn new(
        tree: Arc<Tree>,
        scope: ScopeRef,
        parent: Weak<Node>,
        name: Name,
        policy: Policy,
        site: &'static Location<'static>,
        opened_at: Time,
    ) -> Node {
        let inner = Inner {
            state: State::OPEN,
            locals: BTreeMap::new(),
            children: Slab::new(),
            promised: None,
            finalizers: Vec::new(),
            running: None,
            started: None,
            forced: false,
            ledger: Ledger::default(),
            failures: Vec::new(),
            closer: None,
            driver: None,
            requested_at: None,
            drained_at: None,
            close_by: Time::MAX,
            work_timer: None,
            drain_timer: None,
            unarmed: None,
            finalizers_left: policy.finalize.quotas(),
            totals: Totals { regions: 1, ..Totals::default() },
            leftovers: Vec::new(),
            child_reports: Vec::new(),
        };
        let id = RegionId(tree.next_id());
        let (tasks, key, inner) = (Tasks::default(), AtomicUsize::new(UNLISTED), Mutex::new(inner));
        Node { id, name, tree, scope, policy, opened_at, parent, site, tasks, key, inner }
    }

    /// The cancellation of whoever comes too late.
    pub(crate) fn refusal(&self) -> Cancelled {
        match self.scope.reason() {
            Some(reason) => Cancelled::new(reason),
            None => Cancelled::new(
                Reason::at_site(ReasonKind::ParentClosed, self.site).stamp(&self.name, self.tree.host.now()),
            ),
        }
    }

    /// A number for a task that is about to be admitted.
    pub(crate) fn next_task(&self) -> TaskId {
        TaskId(self.tree.next_id())
    }

    /// Admits a task whose scope is under this node's, and which is not scheduled yet.
    #[inline]
    pub(crate) fn admit(&self, task: TaskRef) -> Result<(), Cancelled> {
        // While the body runs, and nobody gave up on the region, it is never refused, and the end of the drain has
        // something to end in any case.
        match self.tasks.enter(task) {
            Ok(()) => Ok(()),
            Err(task) => self.admit_counted(task),
        }
    }

    #[cold]
    fn admit_counted(&self, task: TaskRef) -> Result<(), Cancelled> {
        let mut inner = lock(&self.inner);
        if !inner.admit() {
            drop(inner);
            return Err(self.refusal());
        }
        self.tasks.enter_counted(task);
        self.arm_late(inner);
        Ok(())
    }

    /// Something was admitted: now there is something that the end of the drain ends.
    pub(super) fn arm_late(&self, mut inner: MutexGuard<'_, Inner>) {
        let unarmed = inner.unarmed.take();
        drop(inner);
        if let Some(until) = unarmed {
            self.arm_drain_at(until);
        }
    }

    /// Registers a finalizer.
    pub(crate) fn defer(&self, finalizer: Finalizer) -> Result<(), Cancelled> {
        let mut inner = lock(&self.inner);
        match inner.state.step(Event::Defer) {
            Some(next) => {
                inner.state = next;
                inner.totals.finalizers_registered += 1;
                inner.finalizers.push(finalizer);
                Ok(())
            }
            None => {
                drop(inner);
                Err(self.refusal())
            }
        }
    }

    /// Notes how a child ended, and does what that asks for.
    pub(super) fn judge(&self, mut inner: MutexGuard<'_, Inner>, info: &TaskInfo, verdict: Verdict) {
        inner.totals.count(&verdict);
        if let Verdict::Dropped(awaited) = &verdict
            && inner.leftovers.len() < KEPT
        {
            let leftover = self.leftover(info, inner.state.phase, LeftoverKind::Dropped, awaited.clone());
            inner.keep(leftover);
        }
        let failed = matches!(verdict, Verdict::Err(_) | Verdict::Panicked(_));
        if failed {
            inner.failures.push(Failed { id: info.id, name: (&info.name).into(), verdict });
        }
        drop(inner);
        if failed && self.policy.on_failure == OnFailure::CancelSiblings {
            let reason = Reason::at_site(ReasonKind::SiblingFailed, info.site);
            self.request(reason.with_message(format!("task `{}`", info.name)));
        }
    }

    /// Admits a child that lives in the region's own future.
    pub(super) fn admit_local(&self, local: &Arc<Local>) -> Result<(), Cancelled> {
        let mut inner = lock(&self.inner);
        if !inner.admit() {
            drop(inner);
            return Err(self.refusal());
        }
        inner.totals.tasks += 1;
        inner.locals.insert(local.info.id.get(), local.clone());
        self.arm_late(inner);
        Ok(())
    }

    /// Such a child is gone, and so is its output if nobody can take that.
    pub(super) fn local_ended(&self, local: &Local, verdict: Verdict) {
        let number = local.info.id.get();
        let inner = lock(&self.inner);
        if !inner.locals.contains_key(&number) {
            return;
        }
        self.judge(inner, &local.info, verdict);
        let mut inner = lock(&self.inner);
        let Some(gone) = inner.locals.remove(&number) else { return };
        inner.apply(Event::TasksEnded(1));
        let closer = inner.quiet_closer();
        drop(inner);
        drop(gone);
        if let Some(closer) = closer {
            closer.wake();
        }
    }

    /// The body's future is gone, as whoever polled it says. Tells if nothing else was left, so that the region is
    /// Closed.
    pub(crate) fn body_ended(self: &Arc<Self>, failed: bool) -> Option<Closed> {
        let last = {
            let mut inner = lock(&self.inner);
            let totals = self.end_body(&mut inner);
            // With no task left the totals are final.
            let closes = inner.close_if_empty();
            closes.then(|| (self.last_of(&mut inner, totals), Closed { failed: !inner.failures.is_empty() }))
        };
        // A region that closes already keeps the reason it was told.
        let told = self.scope.level() >= Level::Requested;
        if !told && (failed || self.policy.close == Close::Cancel) {
            let reason = Reason::at_site(ReasonKind::ParentClosed, self.site);
            let by = if last.is_some() { By::Listener } else { By::Home };
            self.scope.request_by(by, reason.stamp(&self.name, self.tree.host.recent()));
        }
        let (last, closed) = last?;
        self.leave_with(last);
        Some(closed)
    }

    /// From here on it is the tasks that keep the region from being quiet, so they are counted.
    pub(super) fn end_body(&self, inner: &mut Inner) -> (u64, u64) {
        let totals = self.count_tasks(inner);
        inner.apply(Event::BodyEnded);
        totals
    }

    /// Those that come from here on are counted before they are listed, or refused. Tells the tasks' totals.
    pub(super) fn count_tasks(&self, inner: &mut Inner) -> (u64, u64) {
        let (uncounted, totals) = self.tasks.count();
        if uncounted > 0 {
            inner.apply(Event::Spawn(uncounted));
        }
        totals
    }

    /// So many of the tasks that are counted are gone: tells who waits for the last one.
    pub(super) fn tasks_gone(&self, tasks: u64) -> Option<Waker> {
        if tasks == 0 {
            return None;
        }
        let mut inner = lock(&self.inner);
        inner.apply(Event::TasksEnded(tasks));
        inner.quiet_closer()
    }

    /// It has no parent, and no body: it goes on until it is asked to close.
    pub(super) fn is_root(&self) -> bool {
        self.parent.ptr_eq(&Weak::new())
    }

    /// The body's future was dropped at the end of the drain budget.
    pub(super) fn body_dropped(&self, awaited: Waits) {
        let age = self.tree.host.now() - self.opened_at;
        let (kind, name, site, path) = (LeftoverKind::Dropped, (&self.name).into(), self.site, self.path());
        let mut inner = lock(&self.inner);
        let phase = inner.state.phase;
        let (task, awaited) = (None, Some(awaited));
        inner.keep(Leftover { kind, name, site, path, phase, age, task, awaited });
    }

    pub(crate) fn phase(&self) -> Phase {
        lock(&self.inner).state.phase
    }

    /// Names from the root to here, joined by `/`; of a very long path the end, after a `…`.
    pub(crate) fn path(&self) -> String {
        let mut names = vec![self.name.clone()];
        let mut next = self.parent.upgrade();
        while let Some(node) = next {
            if names.len() == LONGEST_PATH {
                names.push("…".into());
                break;
            }
            names.push(node.name.clone());
            next = node.parent.upgrade();
        }
        names.reverse();
        names.join("/")
    }

    /// The last step of a region's life: tells its parent.
    pub(super) fn leave(self: &Arc<Self>) {
        let last = self.last_of(&mut lock(&self.inner), self.tasks.totals());
        self.leave_with(last);
    }

    /// What is to be done with it when it leaves, once, with these totals of its tasks.
    fn last_of(&self, inner: &mut Inner, tasks: (u64, u64)) -> Last {
        let timers = [inner.work_timer.take(), inner.drain_timer.take()];
        let leftovers = inner.leftovers.clone();
        Last { driver: inner.driver.take(), timers, totals: inner.totals.with_tasks(tasks), leftovers }
    }

    fn leave_with(self: &Arc<Self>, Last { driver, timers, totals, leftovers }: Last) {
        drop(driver);
        let timers = timers.into_iter().chain([self.scope.end()]);
        timers.flatten().for_each(|timer| self.tree.host.cancel_timer(timer));
        let (Some(parent), key) = (self.parent.upgrade(), self.key.load(Ordering::Relaxed)) else { return };
        if key == UNLISTED {
            return;
        }
        let wanted = parent.scope.level() >= Level::Requested;
        let report = wanted.then(|| self.report().pruned(REPORT_LEVELS));
        let mut inner = lock(&parent.inner);
        let me = inner.children.try_remove(key);
        inner.apply(Event::ChildClosed);
        inner.totals += &totals;
        leftovers.into_iter().for_each(|leftover| inner.keep(leftover));
        if let Some(report) = report
            && inner.child_reports.len() < KEPT
        {
            inner.child_reports.push(report);
        }
        let closer = inner.quiet_closer();
        drop(inner);
        drop(me);
        if let Some(closer) = closer {
            closer.wake();
        }
    }

    /// What there is to tell of a region that was closed just now.
    pub(super) fn report(&self) -> CloseReport {
        let now = self.tree.host.now();
        let path = self.path();
        let mut inner = lock(&self.inner);
        let requested_at = inner.requested_at.unwrap_or(now);
        inner.failures.sort_by_key(|failed| failed.id);
        CloseReport {
            path,
            site: self.site,
            reason: self.scope.reason(),
            open: requested_at - self.opened_at,
            drain: inner.drained_at.unwrap_or(now) - requested_at,
            finalize: now - inner.drained_at.unwrap_or(now),
            totals: inner.totals.with_tasks(self.tasks.totals()),
            failures: inner.failures.iter().filter_map(Failed::to_failure).collect(),
            leftovers: inner.leftovers.clone(),
            children: inner.child_reports.clone(),
        }
    }

    pub(super) fn leftover(
        &self,
        info: &TaskInfo,
        phase: Phase,
        kind: LeftoverKind,
        awaited: Option<Waits>,
    ) -> Leftover {
        Leftover {
            kind,
            name: (&info.name).into(),
            site: info.site,
            path: self.path(),
            phase,
            age: self.tree.host.now() - info.spawned_at,
            task: Some(info.id),
            awaited,
        }
    }

    /// This node and all below it, parents first.
    pub(crate) fn subtree(self: &Arc<Self>) -> Vec<Arc<Node>> {
        let mut all = vec![self.clone()];
        let mut at = 0;
        while at < all.len() {
            let children: Vec<_> =
                lock(&all[at].inner).children.iter().map(|(_, child)| child.clone()).collect();
            all.extend(children);
            at += 1;
        }
        all
    }
}

impl Inner {
    /// Applies an event that cannot be refused here.
    pub(super) fn apply(&mut self, event: Event) {
        match self.state.step(event) {
            Some(next) => self.state = next,
            None => debug_assert!(false, "{event:?} refused in {:?}", self.state),
        }
    }

    /// Counts one more child region, unless it is refused.
    pub(super) fn admit_child(&mut self) -> bool {
        self.state.step(Event::OpenChild).inspect(|next| self.state = *next).is_some()
    }

    /// Enters a child that is counted.
    pub(super) fn list_child(&mut self, child: &Arc<Node>) {
        child.key.store(self.children.vacant_key(), Ordering::Relaxed);
        self.children.insert(child.clone());
    }

    /// Counts one more task, unless it is refused.
    fn admit(&mut self) -> bool {
        // Nobody would give up on one that comes later.
        let next = self.state.step(Event::Spawn(1)).filter(|_| !self.forced);
        next.inspect(|next| self.state = *next).is_some()
    }

    pub(super) fn quiet_closer(&mut self) -> Option<Waker> {
        if self.state.is_quiet() { self.closer.take() } else { None }
    }

    pub(super) fn keep(&mut self, leftover: Leftover) {
        if self.leftovers.len() < KEPT {
            self.leftovers.push(leftover);
        }
    }
}
