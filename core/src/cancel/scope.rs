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
//! 4. Links are weak both ways: a scope that outlives its tree keeps nothing alive but the memory of
//!    the task that polls in it, whose scope is a part of that, and no drop recurses. A task's scope has the
//!    region of the task, as the task itself must.
//! 5. The scopes between a region's and its parent's may be gone before the region is, if the future
//!    that opened it was dropped: then its parent's has adopted it.
//! 6. A scope is due only when all inside that the same task polls are spent and what waits in them is
//!    woken, whoever has done that.
//!
//! Lock order: a scope's lock, then that of its home. It is never held while another scope's is taken, nor while a
//! reference to a scope is dropped: the last one takes the parent's.

mod home;
mod link;
mod shared;

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
use crate::primitive::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use crate::region::Node;
use crate::time::Time;

use home::Home;
pub(super) use home::Polled;
pub(crate) use shared::{ScopeRef, WeakScope};

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

/// Is told when a scope's standing was raised.
pub(crate) trait Listener: Send + Sync {
    /// Called once for each raise, with no lock held, before the children are visited.
    fn on_cancel(&self, standing: &Standing);

    /// Called when the budget of the scope's work is spent, with no lock held, to ask it to stop.
    fn on_spent(&self, limit: Limit);

    /// In how many parts it tells of its tasks, whose scopes are under the one that it listens to. Called with
    /// no lock held.
    fn parts(&self) -> usize {
        0
    }

    /// Tells the scopes of the tasks in one of these parts, which are few. Those that come after the parts were
    /// counted may be in none. Called with no lock held.
    fn scopes_of_part(&self, part: usize, found: &mut dyn FnMut(ScopeRef)) {
        let _ = (part, found);
    }
}

const UNLINKED: usize = usize::MAX;

/// One node of the cancel tree, as a part of the task that polls in it: what each scope has. Each task has room
/// for it, so what it can know from its region is not here.
pub struct Scope {
    /// Stored under the lock, and read without it: who sees a level sees what came before the request.
    pub(super) level: AtomicU8,
    pub(super) hold: Hold,
    /// Polled by the task that polls in the parent.
    pub(super) same_task: bool,
    /// Of a task, or of what is told of as one: what is awaited here is not told of the parent's task.
    listed: bool,
    /// It, or one around it, has a quota; see [`meter`](super::meter). Stored under the lock; a charge that
    /// sees an older value is one from before the quota.
    pub(super) metered: AtomicBool,
    /// The budget is spent, and everything inside has been woken for it: after one more poll what
    /// still waits is dropped. Stored last: who sees it sees all those levels.
    pub(super) due: AtomicBool,
    /// It has a timer, or had one. Stored under the lock; who else looks has seen to it that one of the two, that
    /// this is stored and that the scope has ended, comes first.
    timed: AtomicBool,
    /// What ran in it is gone. Stored and read under the lock.
    ended: AtomicBool,
    /// Counts for the scopes whose [head](ScopeRef::head) this is.
    streak: Streak,
    /// How many inside go on past the end of the drain budget. Counted and looked at in polls of one task;
    /// to whoever gives tasks up it is a hint.
    pub(super) kept: AtomicU32,
    /// Stands for what is told without the lock: the level, and whether the budget is spent.
    pub(super) told: Object,
    /// What the task that polls in this scope waits for here.
    pub(super) note: AtomicU64,
    /// The region of the task that this is the scope of; the region's is around this.
    region: Option<Arc<Node>>,
    pub(super) inner: Mutex<Inner>,
}

/// A scope that is not a part of a task, and what only such have.
pub(crate) struct Own {
    scope: Scope,
    /// The earliest deadline and the lowest priority of this scope and those around it; puts the
    /// tasks inside into the Timed lane.
    urgency: Urgency,
    /// When its own work should be over.
    until: Time,
    parent: WeakScope,
    /// Where the parent has it; [`UNLINKED`] if a listener does, or nobody.
    key: usize,
    /// The scope of the task that polls in it, if that is neither this one nor the parent.
    head: Option<ScopeRef>,
    listener: Option<Weak<dyn Listener>>,
    home: Home,
}

/// A scope inside, as the one around it knows it.
pub(super) struct Child {
    pub(super) scope: WeakScope,
    listed: bool,
}

pub(crate) struct Inner {
    /// Why, and until when: with the level, its [`Standing`].
    reason: Option<Reason>,
    pub(super) drain_until: Time,
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
    foster: Option<(WeakScope, usize)>,
}

impl Scope {
    /// How far the protocol has gone here.
    #[inline]
    pub fn level(&self) -> Level {
        self.told.read();
        Level::from_u8(self.level.load(Ordering::Acquire))
    }

    /// Why, once requested.
    pub fn reason(&self) -> Option<Reason> {
        lock(&self.inner).reason.clone()
    }

    pub(crate) fn standing(&self) -> Standing {
        self.standing_in(&lock(&self.inner))
    }

    /// Its standing, by who has its lock.
    pub(super) fn standing_in(&self, inner: &Inner) -> Standing {
        Standing { level: self.level_in(inner), reason: inner.reason.clone(), drain_until: inner.drain_until }
    }

    /// As [`standing_in`](Self::standing_in).
    pub(super) fn level_in(&self, _: &Inner) -> Level {
        Level::from_u8(self.level.load(Ordering::Relaxed))
    }

    /// Raises it by what is asked; tells whether that changes anything.
    pub(super) fn raise_in(&self, inner: &mut Inner, asked: &Standing) -> bool {
        let (level, drain_until) = (self.level_in(inner), inner.drain_until);
        let before = Standing { level, reason: inner.reason.take(), drain_until };
        let Some(raised) = before.raise(asked) else {
            inner.reason = before.reason;
            return false;
        };
        self.told.write();
        self.level.store(raised.level as u8, Ordering::Release);
        (inner.reason, inner.drain_until) = (raised.reason, raised.drain_until);
        true
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

    /// The region that counts the task that this is the scope of, if it is a task's and one does.
    #[inline]
    pub(crate) fn region(&self) -> Option<&Arc<Node>> {
        self.region.as_ref()
    }

    /// What ran here is gone: hands back the timer of its budget.
    #[must_use = "a timer is cancelled at the host"]
    pub(crate) fn end_work(&self) -> Option<TimerKey> {
        let (timer, rare) = {
            let mut inner = lock(&self.inner);
            self.ended.store(true, Ordering::Relaxed);
            let timer = inner.rare.as_mut().and_then(|rare| rare.timer.take());
            // Whoever has a handle of the task may keep the scope for long.
            (timer, inner.rare.take_if(|rare| rare.is_empty()))
        };
        drop(rare);
        timer.map(|(_, key)| key)
    }

    /// There may be a timer for [`end_work`](Self::end_work) to hand back.
    pub(crate) fn is_timed(&self) -> bool {
        self.timed.load(Ordering::Relaxed)
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended_in(&lock(&self.inner))
    }

    fn has_ended_in(&self, _: &Inner) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// Keeps the timer that spends this scope at `until`, or the one it has if that is earlier;
    /// hands back the other.
    #[must_use = "a timer is cancelled at the host"]
    pub(crate) fn keep_timer(&self, until: Time, key: TimerKey) -> Option<TimerKey> {
        let mut inner = lock(&self.inner);
        if self.has_ended_in(&inner) {
            return Some(key);
        }
        self.timed.store(true, Ordering::Relaxed);
        let timer = &mut inner.rare().timer;
        match timer {
            Some((kept, _)) if *kept <= until => Some(key),
            _ => timer.replace((until, key)).map(|(_, stale)| stale),
        }
    }

    /// How urgent the task is that this is the scope of: as all of its region.
    pub(crate) fn urgency_around(&self) -> Urgency {
        self.region.as_ref().map_or(Urgency::DEFAULT, |region| region.scope.urgency())
    }

    /// A poll of what runs in this scope begins.
    #[inline]
    pub(crate) fn begin_poll(&self) {
        if !self.same_task {
            self.streak.end();
        }
    }

    /// It is polled, and told of, apart from the one around it.
    pub(crate) fn is_apart(&self) -> bool {
        self.listed && !self.same_task
    }

    fn inside(&self) -> Vec<ScopeRef> {
        lock(&self.inner).inside()
    }

    /// Reads a little of what [`look`](ScopeRef::look) locks; the result means nothing.
    pub(crate) fn touch(&self) -> usize {
        self.level() as usize ^ self.inner.touch()
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

impl ScopeRef {
    /// The scope around this one.
    pub(super) fn outer(&self) -> Option<ScopeRef> {
        let foster = lock(&self.inner).known().and_then(|known| Some(known.foster.as_ref()?.0.clone()));
        match (foster, &self.region, self) {
            (Some(foster), _, _) => foster.upgrade(),
            (None, Some(region), _) => Some(region.scope.clone()),
            (None, None, ScopeRef::Own(own)) => own.parent.upgrade(),
            (None, None, ScopeRef::OfTask(_)) => None,
        }
    }

    /// How urgent the tasks inside are.
    pub(crate) fn urgency(&self) -> Urgency {
        match self {
            ScopeRef::Own(own) => own.urgency,
            ScopeRef::OfTask(task) => task.urgency_around(),
        }
    }

    /// When its own work should be over.
    pub(super) fn until(&self) -> Time {
        match self {
            ScopeRef::Own(own) => own.until,
            ScopeRef::OfTask(_) => Time::MAX,
        }
    }

    /// What ran here is gone: forgets who polls in it, and hands back the timer of its budget.
    #[must_use = "a timer is cancelled at the host"]
    pub(crate) fn end(&self) -> Option<TimerKey> {
        let timer = self.end_work();
        self.clear_home();
        timer
    }

    /// Those inside that are polled, and told of, with this one, the outer ones first.
    pub(crate) fn all_inside(&self) -> Vec<ScopeRef> {
        let mut all = self.inside();
        ScopeRef::extend_inside(&mut all);
        all
    }

    /// Adds those inside of all of these.
    pub(crate) fn extend_inside(all: &mut Vec<ScopeRef>) {
        let mut at = 0;
        while at < all.len() {
            let inside = all[at].inside();
            all.extend(inside);
            at += 1;
        }
    }

    /// Its standing, and what is left of its own budget, as they are together.
    pub(crate) fn look(&self) -> (Standing, Budget) {
        let mut inner = lock(&self.inner);
        (self.standing_in(&inner), self.budget_of(&mut inner))
    }

    /// [`look`](Self::look), together with those directly inside that are polled by the same task.
    pub(crate) fn look_inside(&self) -> (Standing, Budget, Vec<ScopeRef>) {
        let mut inner = lock(&self.inner);
        (self.standing_in(&inner), self.budget_of(&mut inner), inner.inside())
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
    fn inside(&self) -> Vec<ScopeRef> {
        let children = self.known().into_iter().flat_map(|known| &known.children);
        let unlisted = children.filter(|(_, child)| !child.listed);
        unlisted.filter_map(|(_, child)| child.scope.upgrade()).collect()
    }
}

impl Rare {
    /// Nobody has a key for what is in it, and nothing else is there.
    fn is_empty(&self) -> bool {
        let Rare { children, waiters, work, drain, timer, foster } = self;
        let known = work.is_some() || drain.is_some() || timer.is_some() || foster.is_some();
        !known && children.is_empty() && waiters.is_empty()
    }

    pub(super) fn children(&self) -> impl Iterator<Item = ScopeRef> {
        self.children.iter().filter_map(|(_, child)| child.scope.upgrade())
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let scope = &mut self.scope;
        if self.key != UNLINKED {
            self.parent.with(|parent| {
                if !scope.listed {
                    parent.note.inherit(&scope.note);
                }
                lock(&parent.inner).rare().children.try_remove(self.key);
            });
        }
        if let Some((foster, key)) = scope.inner.get_mut().known_mut().and_then(|known| known.foster.take())
            && let Some(foster) = foster.upgrade()
        {
            lock(&foster.inner).rare().children.try_remove(key);
        }
    }
}

#[cfg(test)]
mod tests;
