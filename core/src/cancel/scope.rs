//! The cancel tree: one [`Scope`] for each region, task, shield, deadline and race arm.
//!
//! A request walks the subtree once, without recursion, and leaves each scope's level raised:
//! cancellation is level-triggered, so whoever looks later still sees it, and a scope made under
//! a requested one starts requested.
//!
//! Invariants:
//! 1. A level changes only under the scope's lock, and only by [`Standing::raise`].
//! 2. A child is linked, and inherits, under its parent's lock: a request either finds the child
//!    or is found by it. The scopes of a region's tasks are not linked: its listener has them, and each
//!    looks at the region's scope once it is there.
//! 3. Wakers and listeners are called with no lock held, and wakers cloned and dropped so.
//! 4. Links are weak both ways: a scope that outlives its tree keeps nothing alive but the scope of
//!    the task that polls in it, and no drop recurses.
//! 5. The scopes between a region's and its parent's may be gone before the region is, if the future
//!    that opened it was dropped: then its parent's has adopted it.
//! 6. A scope is due only when all inside that the same task polls are spent and what waits in them is
//!    woken, whoever has done that.
//!
//! Lock order: a scope's lock is never held while another one's is taken, nor while a reference to a
//! scope is dropped: the last one takes the parent's.

use std::panic::Location;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Weak};
use std::task::Waker;

use slab::Slab;

use super::{Cancelled, Level, Notes, Reason, Standing, Streak};
use crate::budget::{Budget, Limit, Urgency};
use crate::id::TimerKey;
use crate::lock::{Mutex, lock};
use crate::observe::Object;
use crate::primitive::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use crate::time::Time;

/// What a scope keeps from those inside it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Hold {
    /// Nothing: requests pass.
    Nothing,
    /// Request, but not the end of the drain budget: work in flight is finished.
    Request,
    /// Everything that comes from outside.
    All,
}

impl Hold {
    pub(super) fn passes(self, level: Level) -> bool {
        match self {
            Hold::Nothing => true,
            Hold::Request => level == Level::Spent,
            Hold::All => false,
        }
    }
}

/// What a new scope starts with.
struct Link {
    standing: Standing,
    hold: Hold,
    urgency: Urgency,
    until: Time,
    work: Option<Budget>,
    parent: Weak<Scope>,
    same_task: bool,
    listed: bool,
    head: Option<Arc<Scope>>,
    metered: bool,
    listener: Option<Weak<dyn Listener>>,
}

impl Default for Link {
    fn default() -> Self {
        Link {
            standing: Standing::CLEAR,
            hold: Hold::Nothing,
            urgency: Urgency::DEFAULT,
            until: Time::MAX,
            work: None,
            parent: Weak::new(),
            same_task: false,
            listed: false,
            head: None,
            metered: false,
            listener: None,
        }
    }
}

impl Link {
    /// With what the scope's own work may use.
    fn within(self, budget: Budget) -> Link {
        let work = budget.has_quota().then(|| budget.quotas());
        let (urgency, metered) = (self.urgency.within(budget), self.metered || work.is_some());
        Link { urgency, until: budget.end(), work, metered, ..self }
    }
}

/// Is told when a scope's standing was raised.
pub(crate) trait Listener: Send + Sync {
    /// Called once for each raise, with no lock held, before the children are visited.
    fn on_cancel(&self, standing: &Standing);

    /// Called when the budget of the scope's work is spent, with no lock held, to ask it to stop.
    fn on_spent(&self, limit: Limit);

    /// Adds the scopes of its tasks, which are under the scope that it listens to. Called with no lock held.
    fn scopes_of_tasks(&self, found: &mut Vec<Arc<Scope>>) {
        let _ = found;
    }
}

const UNLINKED: usize = usize::MAX;

/// One node of the cancel tree.
pub struct Scope {
    /// Stored under the lock, and read without it: who sees a level sees what came before the request.
    pub(super) level: AtomicU8,
    /// Stands for what is told without the lock: the level, and whether the budget is spent.
    pub(super) told: Object,
    /// Data pointer of `home`, for the quick test in `Watch::poll`; 0 when there is none. Stored under the
    /// lock. Whoever finds its own waker here stored it in an earlier step; to others it is a hint.
    pub(super) home_data: AtomicUsize,
    /// What the task that polls in this scope waits for here.
    pub(super) note: AtomicU64,
    pub(super) hold: Hold,
    /// The earliest deadline and the lowest priority of this scope and those around it; puts the
    /// tasks inside into the Timed lane.
    pub(super) urgency: Urgency,
    /// When its own work should be over.
    pub(super) until: Time,
    pub(super) parent: Weak<Scope>,
    /// Where the parent has it; [`UNLINKED`] if a listener does, or nobody.
    key: usize,
    /// Polled by the task that polls in the parent.
    pub(super) same_task: bool,
    /// Of a task, or of what is told of as one: what is awaited here is not told of the parent's task.
    listed: bool,
    /// The scope of that task, if that is another.
    head: Option<Arc<Scope>>,
    /// Counts for the scopes whose head this is.
    streak: Streak,
    /// It, or one around it, has a quota; see [`meter`](super::meter). Stored under the lock; a charge that
    /// sees an older value is one from before the quota.
    pub(super) metered: AtomicBool,
    /// The budget is spent, and everything inside has been woken for it: after one more poll what
    /// still waits is dropped. Stored last: who sees it sees all those levels.
    pub(super) due: AtomicBool,
    /// How many inside go on past the end of the drain budget. Counted and looked at in polls of one task;
    /// to whoever gives tasks up it is a hint.
    pub(super) kept: AtomicUsize,
    pub(super) inner: Mutex<Inner>,
}

/// A scope inside, as the one around it knows it.
pub(super) struct Child {
    pub(super) scope: Weak<Scope>,
    listed: bool,
}

pub(super) struct Inner {
    pub(super) standing: Standing,
    /// Moves the task that polls in this scope into the Cancel lane.
    pub(super) home: Option<Waker>,
    pub(super) listener: Option<Weak<dyn Listener>>,
    /// What ran in it is gone.
    ended: bool,
    /// What most tasks' scopes never have.
    rare: Option<Box<Rare>>,
}

#[derive(Default)]
pub(super) struct Rare {
    pub(super) children: Slab<Child>,
    /// Wakers of futures polled under another waker than the task's.
    pub(super) waiters: Slab<Waker>,
    /// What is left of the quotas of its work, which count before Request.
    pub(super) work: Option<Budget>,
    /// What is left of the quotas of its drain, which count from Request.
    pub(super) drain: Option<Budget>,
    /// Ends the drain budget of this scope's own request.
    timer: Option<(Time, TimerKey)>,
    /// The scope that has adopted it, and its key there.
    foster: Option<(Weak<Scope>, usize)>,
}

impl Scope {
    /// A scope under nobody.
    pub(crate) fn root() -> Arc<Scope> {
        Arc::new(Scope::new(Link::default()))
    }

    /// A scope under nobody, with what it may use.
    pub(crate) fn limited_root(budget: Budget) -> Arc<Scope> {
        let link = Link { hold: Hold::All, ..Link::default() };
        Arc::new(Scope::new(link.within(budget)))
    }

    /// A scope under nobody that tells `listener` of every raise.
    pub(crate) fn listening_root(listener: Weak<dyn Listener>) -> Arc<Scope> {
        Arc::new(Scope::new(Link { listener: Some(listener), ..Link::default() }))
    }

    /// A scope under this one, polled by the same task.
    pub(crate) fn child(self: &Arc<Self>, hold: Hold) -> Arc<Scope> {
        self.link(hold, None, true, false, None)
    }

    /// A scope under this one, polled by the same task, with what it may use.
    pub(crate) fn limited_child(self: &Arc<Self>, hold: Hold, budget: Budget) -> Arc<Scope> {
        self.link(hold, Some(budget), true, false, None)
    }

    /// The scope of a new task under this one, which is a region's. It has no home until
    /// [`Scope::set_home`], and hears of no request until the region [has](Scope::catch_up_with) the task.
    pub(crate) fn of_task(self: &Arc<Self>) -> Arc<Scope> {
        let standing = if self.level() > Level::Clear { self.standing() } else { Standing::CLEAR };
        Arc::new(Scope::new(Link {
            standing,
            urgency: self.urgency,
            parent: Arc::downgrade(self),
            listed: true,
            metered: self.metered.load(Ordering::Relaxed),
            ..Link::default()
        }))
    }

    /// The scope of a task under one that is nobody's.
    #[cfg(test)]
    pub(crate) fn task_child(self: &Arc<Self>) -> Arc<Scope> {
        self.link(Hold::Nothing, None, false, true, None)
    }

    /// The scope of what is told of as a task, but polled by the task that polls in this one.
    pub(crate) fn local_child(self: &Arc<Self>) -> Arc<Scope> {
        self.link(Hold::Nothing, None, true, true, None)
    }

    /// A scope under this one, with what its work may use, that tells `listener` of every raise. It is polled
    /// by the same task, or `apart`: by whoever makes itself its home.
    pub(crate) fn listening_child(
        self: &Arc<Self>,
        budget: Budget,
        listener: Weak<dyn Listener>,
        apart: bool,
    ) -> Arc<Scope> {
        self.link(Hold::Nothing, Some(budget), !apart, apart, Some(listener))
    }

    fn link(
        self: &Arc<Self>,
        hold: Hold,
        budget: Option<Budget>,
        same_task: bool,
        listed: bool,
        listener: Option<Weak<dyn Listener>>,
    ) -> Arc<Scope> {
        let link = Link {
            hold,
            urgency: self.urgency,
            parent: Arc::downgrade(self),
            same_task,
            listed,
            head: same_task.then(|| self.head.clone().unwrap_or_else(|| self.clone())),
            listener,
            ..Link::default()
        };
        let link = if let Some(budget) = budget { link.within(budget) } else { link };
        let mut child = Arc::new(Scope::new(link));
        let mut inner = lock(&self.inner);
        if let Some(new) = Arc::get_mut(&mut child) {
            new.key = inner.rare().children.vacant_key();
            new.inherit(self, &inner);
        }
        inner.rare().children.insert(Child { scope: Arc::downgrade(&child), listed });
        drop(inner);
        child
    }

    /// Takes over what the scope around it has by now.
    fn inherit(&mut self, around: &Scope, outer: &Inner) {
        let inner = self.inner.get_mut();
        if self.hold.passes(outer.standing.level) {
            inner.standing = outer.standing.clone();
            self.level = AtomicU8::new(inner.standing.level as u8);
            self.due = AtomicBool::new(inner.standing.level == Level::Spent);
        }
        if self.same_task {
            inner.home = outer.home.clone();
            self.home_data = AtomicUsize::new(inner.home.as_ref().map_or(0, address));
        }
        if around.metered.load(Ordering::Relaxed) {
            self.metered = AtomicBool::new(true);
        }
    }

    fn new(link: Link) -> Scope {
        Scope {
            level: AtomicU8::new(link.standing.level as u8),
            told: Object::new(),
            home_data: AtomicUsize::new(0),
            note: AtomicU64::new(0),
            hold: link.hold,
            urgency: link.urgency,
            until: link.until,
            parent: link.parent,
            key: UNLINKED,
            same_task: link.same_task,
            listed: link.listed,
            head: link.head,
            streak: Streak::default(),
            metered: AtomicBool::new(link.metered),
            due: AtomicBool::new(link.standing.level == Level::Spent),
            kept: AtomicUsize::new(0),
            inner: Mutex::new(Inner {
                standing: link.standing,
                home: None,
                listener: link.listener,
                ended: false,
                rare: link.work.map(|work| Box::new(Rare { work: Some(work), ..Rare::default() })),
            }),
        }
    }

    /// Links a scope further below to this one directly, once, since those between may end before it.
    pub(crate) fn adopt(self: &Arc<Self>, orphan: &Arc<Scope>) {
        let (key, standing, metered) = {
            let mut inner = lock(&self.inner);
            let key = inner.rare().children.insert(Child { scope: Arc::downgrade(orphan), listed: true });
            (key, inner.standing.clone(), self.metered.load(Ordering::Relaxed))
        };
        lock(&orphan.inner).rare().foster = Some((Arc::downgrade(self), key));
        if metered {
            orphan.mark_metered();
        }
        if standing.level > Level::Clear {
            // The end of the drain comes here when it comes. Known before it would be handed down a level at
            // a time, each time to all below.
            orphan.raise(Standing { drain_until: Time::MAX, ..standing });
        }
    }

    /// The scope around this one.
    pub(super) fn outer(&self) -> Option<Arc<Scope>> {
        let foster = lock(&self.inner).known().and_then(|known| Some(known.foster.as_ref()?.0.clone()));
        foster.as_ref().unwrap_or(&self.parent).upgrade()
    }

    /// How urgent the tasks inside are.
    pub(crate) fn urgency(&self) -> Urgency {
        self.urgency
    }

    /// How far the protocol has gone here.
    #[inline]
    pub fn level(&self) -> Level {
        self.told.read();
        Level::from_u8(self.level.load(Ordering::Acquire))
    }

    /// Why, once requested.
    pub fn reason(&self) -> Option<Reason> {
        lock(&self.inner).standing.reason.clone()
    }

    pub(crate) fn standing(&self) -> Standing {
        lock(&self.inner).standing.clone()
    }

    /// Fails if the level is at least `at`.
    pub(crate) fn check(&self, at: Level) -> Result<(), Cancelled> {
        if self.level() < at { Ok(()) } else { Err(self.cancelled()) }
    }

    /// The cancellation that this scope is under, or that the end of its budget makes.
    pub(crate) fn cancelled(&self) -> Cancelled {
        Cancelled::new(self.reason_or(Limit::Time))
    }

    /// Why, or that this limit of its own budget is spent.
    pub(super) fn reason_or(&self, limit: Limit) -> Reason {
        self.reason().unwrap_or_else(|| Reason::spent(limit, Location::caller()))
    }

    /// Names the waker that moves the task of this scope into the Cancel lane.
    pub(crate) fn set_home(&self, home: Waker) {
        let before = {
            let mut inner = lock(&self.inner);
            self.home_data.store(address(&home), Ordering::Relaxed);
            inner.home.replace(home)
        };
        drop(before);
    }

    /// Makes the task of `waker` the one that polls in this scope, unless it is.
    pub(crate) fn make_home_of(&self, waker: &Waker) {
        if self.home_data.load(Ordering::Relaxed) != address(waker) {
            self.set_home(waker.clone());
        }
    }

    /// Forgets the task, whose memory the waker holds.
    pub(crate) fn clear_home(&self) {
        let home = self.take_home(&mut lock(&self.inner));
        drop(home);
    }

    fn take_home(&self, inner: &mut Inner) -> Option<Waker> {
        self.home_data.store(0, Ordering::Relaxed);
        inner.home.take()
    }

    /// What ran here is gone: forgets the task, and hands back the timer of its budget.
    #[must_use = "a timer is cancelled at the host"]
    pub(crate) fn end(&self) -> Option<TimerKey> {
        let (home, timer) = {
            let mut inner = lock(&self.inner);
            inner.ended = true;
            let timer = inner.rare.as_mut().and_then(|rare| rare.timer.take());
            (self.take_home(&mut inner), timer)
        };
        drop(home);
        timer.map(|(_, key)| key)
    }

    pub(crate) fn has_ended(&self) -> bool {
        lock(&self.inner).ended
    }

    /// Keeps the timer that spends this scope at `until`, or the one it has if that is earlier;
    /// hands back the other.
    #[must_use = "a timer is cancelled at the host"]
    pub(crate) fn keep_timer(&self, until: Time, key: TimerKey) -> Option<TimerKey> {
        let mut inner = lock(&self.inner);
        if inner.ended {
            return Some(key);
        }
        let timer = &mut inner.rare().timer;
        match timer {
            Some((kept, _)) if *kept <= until => Some(key),
            _ => timer.replace((until, key)).map(|(_, stale)| stale),
        }
    }

    /// This scope and those around it, up to that of the task which polls in them.
    pub(super) fn around(self: &Arc<Self>) -> impl Iterator<Item = Arc<Scope>> + use<> {
        std::iter::successors(
            Some(self.clone()),
            |scope| {
                if scope.same_task { scope.parent.upgrade() } else { None }
            },
        )
    }

    /// A poll of what runs in this scope begins.
    #[inline]
    pub(crate) fn begin_poll(&self) {
        if !self.same_task {
            self.streak.end();
        }
    }

    /// Counts the operations that were ready since the task's poll began.
    #[inline]
    pub(super) fn streak(&self) -> &Streak {
        &self.head.as_deref().unwrap_or(self).streak
    }

    /// It is polled, and told of, apart from the one around it.
    pub(crate) fn is_apart(&self) -> bool {
        self.listed && !self.same_task
    }

    /// Those inside that are polled, and told of, with this one, the outer ones first.
    pub(crate) fn all_inside(&self) -> Vec<Arc<Scope>> {
        let mut all = self.inside();
        Scope::extend_inside(&mut all);
        all
    }

    fn inside(&self) -> Vec<Arc<Scope>> {
        lock(&self.inner).inside()
    }

    /// Its standing, and what is left of its own budget, as they are together.
    pub(crate) fn look(&self) -> (Standing, Budget) {
        let mut inner = lock(&self.inner);
        (inner.standing.clone(), self.budget_of(&mut inner))
    }

    /// [`look`](Self::look), together with those directly inside that are polled by the same task.
    pub(crate) fn look_inside(&self) -> (Standing, Budget, Vec<Arc<Scope>>) {
        let mut inner = lock(&self.inner);
        (inner.standing.clone(), self.budget_of(&mut inner), inner.inside())
    }

    /// Reads a little of what [`look`](Self::look) locks; the result means nothing.
    pub(crate) fn touch(&self) -> usize {
        self.level() as usize ^ self.home() ^ self.inner.touch()
    }

    /// Adds those inside of all of these.
    pub(crate) fn extend_inside(all: &mut Vec<Arc<Scope>>) {
        let mut at = 0;
        while at < all.len() {
            let inside = all[at].inside();
            all.extend(inside);
            at += 1;
        }
    }

    /// Who polls in it, by the data pointer of that waker; 0 if nobody does.
    pub(crate) fn home(&self) -> usize {
        self.home_data.load(Ordering::Relaxed)
    }

    /// What still waits after a poll that begins now is to be dropped.
    #[inline]
    pub(crate) fn is_due(&self) -> bool {
        self.told.read();
        self.due.load(Ordering::Acquire)
    }

    /// Something inside goes on past the end of the drain budget.
    pub(crate) fn is_kept(&self) -> bool {
        self.told.read();
        self.kept.load(Ordering::Acquire) > 0
    }
}

impl Inner {
    pub(super) fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// What there is of the rare.
    pub(super) fn known(&self) -> Option<&Rare> {
        self.rare.as_deref()
    }

    pub(super) fn known_mut(&mut self) -> Option<&mut Rare> {
        self.rare.as_deref_mut()
    }

    /// Those directly inside that are told of with this one.
    fn inside(&self) -> Vec<Arc<Scope>> {
        let children = self.known().into_iter().flat_map(|known| &known.children);
        let unlisted = children.filter(|(_, child)| !child.listed);
        unlisted.filter_map(|(_, child)| child.scope.upgrade()).collect()
    }
}

impl Rare {
    pub(super) fn children(&self) -> impl Iterator<Item = Arc<Scope>> {
        self.children.iter().filter_map(|(_, child)| child.scope.upgrade())
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        if self.key != UNLINKED
            && let Some(parent) = self.parent.upgrade()
        {
            if !self.listed {
                parent.note.inherit(&self.note);
            }
            lock(&parent.inner).rare().children.try_remove(self.key);
        }
        if let Some((foster, key)) = self.inner.get_mut().known_mut().and_then(|known| known.foster.take())
            && let Some(foster) = foster.upgrade()
        {
            lock(&foster.inner).rare().children.try_remove(key);
        }
    }
}

/// What [`Watch`](super::watch::Watch) knows a waker by.
pub(super) fn address(waker: &Waker) -> usize {
    waker.data() as usize
}

#[cfg(test)]
mod tests;
