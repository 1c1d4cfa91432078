//! How scopes are made, and linked to those around them.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Weak};
use std::task::Waker;

use super::{Child, Hold, Holder, Inner, Listener, Own, Rare, Scope, ScopeRef, UNLINKED, WeakScope, address};
use crate::budget::{Budget, Urgency};
use crate::cancel::{Level, Standing, Streak};
use crate::lock::{Mutex, lock};
use crate::observe::Object;
use crate::primitive::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use crate::time::Time;

/// What a new scope starts with.
struct Link {
    standing: Standing,
    hold: Hold,
    urgency: Urgency,
    until: Time,
    work: Option<Budget>,
    parent: WeakScope,
    same_task: bool,
    listed: bool,
    metered: bool,
}

impl Default for Link {
    fn default() -> Self {
        Link {
            standing: Standing::CLEAR,
            hold: Hold::Nothing,
            urgency: Urgency::DEFAULT,
            until: Time::MAX,
            work: None,
            parent: WeakScope::default(),
            same_task: false,
            listed: false,
            metered: false,
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

impl Scope {
    /// A scope under nobody.
    pub(crate) fn root() -> ScopeRef {
        Scope::alone().into()
    }

    fn alone() -> Scope {
        Scope::new(Link::default())
    }

    /// The scope of a new task of `holder`. If that has a scope, this is under it, and hears of no request until
    /// the holder [has](ScopeRef::catch_up_with) the task.
    #[inline]
    pub(crate) fn of_task(holder: Arc<dyn Holder>) -> Scope {
        let mut link = Link::default();
        if let Some(around) = holder.scope() {
            if around.level() > Level::Clear {
                link.standing = around.standing();
            }
            (link.urgency, link.listed) = (around.urgency, true);
            link.metered = around.metered.load(Ordering::Relaxed);
        }
        Scope::new(Link { parent: WeakScope::OfHolder(holder), ..link })
    }

    /// A scope under nobody, with what it may use.
    pub(crate) fn limited_root(budget: Budget) -> ScopeRef {
        let link = Link { hold: Hold::All, ..Link::default() };
        Scope::new(link.within(budget)).into()
    }

    /// A scope under nobody that tells `listener` of every raise.
    pub(crate) fn listening_root(listener: Weak<dyn Listener>) -> ScopeRef {
        Own::new(Scope::alone(), None, Some(listener)).into()
    }

    /// Takes over what the scope around it has by now.
    fn inherit(&mut self, around: &ScopeRef, outer: &Inner) {
        let inner = self.inner.get_mut();
        if self.hold.passes(outer.standing.level) {
            inner.standing = outer.standing.clone();
            self.level = AtomicU8::new(inner.standing.level as u8);
            self.due = AtomicBool::new(inner.standing.level == Level::Spent);
        }
        if self.same_task {
            inner.home = around.home_of(outer).map(|home| home.into_waker(around.clone()));
            self.home_data = AtomicUsize::new(inner.home.as_ref().map_or(0, address));
        }
        if around.metered.load(Ordering::Relaxed) {
            self.metered = AtomicBool::new(true);
        }
    }

    #[inline]
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
            same_task: link.same_task,
            listed: link.listed,
            streak: Streak::default(),
            metered: AtomicBool::new(link.metered),
            due: AtomicBool::new(link.standing.level == Level::Spent),
            timed: AtomicBool::new(false),
            kept: AtomicUsize::new(0),
            inner: Mutex::new(Inner {
                standing: link.standing,
                home: None,
                ended: false,
                rare: link.work.map(|work| Box::new(Rare { work: Some(work), ..Rare::default() })),
            }),
        }
    }
}

impl Own {
    pub(super) fn new(scope: Scope, head: Option<ScopeRef>, listener: Option<Weak<dyn Listener>>) -> Own {
        Own { scope, key: UNLINKED, head, listener }
    }
}

impl ScopeRef {
    /// A scope under this one, polled by the same task.
    pub(crate) fn child(&self, hold: Hold) -> ScopeRef {
        self.link(hold, None, true, false, None)
    }

    /// A scope under this one, polled by the same task, with what it may use.
    pub(crate) fn limited_child(&self, hold: Hold, budget: Budget) -> ScopeRef {
        self.link(hold, Some(budget), true, false, None)
    }

    /// The scope of a task under one that is nobody's.
    #[cfg(test)]
    pub(crate) fn task_child(&self) -> ScopeRef {
        self.link(Hold::Nothing, None, false, true, None)
    }

    /// The scope of what is told of as a task, but polled by the task that polls in this one.
    pub(crate) fn local_child(&self) -> ScopeRef {
        self.link(Hold::Nothing, None, true, true, None)
    }

    /// A scope under this one, with what its work may use, that tells `listener` of every raise. It is polled
    /// by the same task, or `apart`: by whoever makes itself its home.
    pub(crate) fn listening_child(
        &self,
        budget: Budget,
        listener: Weak<dyn Listener>,
        apart: bool,
    ) -> ScopeRef {
        self.link(Hold::Nothing, Some(budget), !apart, apart, Some(listener))
    }

    fn link(
        &self,
        hold: Hold,
        budget: Option<Budget>,
        same_task: bool,
        listed: bool,
        listener: Option<Weak<dyn Listener>>,
    ) -> ScopeRef {
        let link = Link {
            hold,
            urgency: self.urgency,
            parent: self.downgrade(),
            same_task,
            listed,
            ..Link::default()
        };
        let link = if let Some(budget) = budget { link.within(budget) } else { link };
        let head = if same_task { self.head_of_child() } else { None };
        let mut child = Arc::new(Own::new(Scope::new(link), head, listener));
        let mut inner = lock(&self.inner);
        if let Some(new) = Arc::get_mut(&mut child) {
            new.key = inner.rare().children.vacant_key();
            new.scope.inherit(self, &inner);
        }
        let child = ScopeRef::Own(child);
        inner.rare().children.insert(Child { scope: child.downgrade(), listed });
        drop(inner);
        child
    }

    /// Links a scope further below to this one directly, once, since those between may end before it.
    pub(crate) fn adopt(&self, orphan: &ScopeRef) {
        let (key, standing, metered) = {
            let mut inner = lock(&self.inner);
            let key = inner.rare().children.insert(Child { scope: orphan.downgrade(), listed: true });
            (key, inner.standing.clone(), self.metered.load(Ordering::Relaxed))
        };
        lock(&orphan.inner).rare().foster = Some((self.downgrade(), key));
        if metered {
            orphan.mark_metered();
        }
        if standing.level > Level::Clear {
            // The end of the drain comes here when it comes. Known before it would be handed down a level at
            // a time, each time to all below.
            orphan.raise(Standing { drain_until: Time::MAX, ..standing });
        }
    }

    /// This scope and those around it, up to that of the task which polls in them.
    pub(crate) fn around(&self) -> impl Iterator<Item = ScopeRef> + use<> {
        std::iter::successors(
            Some(self.clone()),
            |scope| {
                if scope.same_task { scope.parent.upgrade() } else { None }
            },
        )
    }

    /// The [head](Self::head) of a child that is polled by the same task; `None` if the child's parent tells.
    fn head_of_child(&self) -> Option<ScopeRef> {
        let ScopeRef::Own(own) = self else { return None };
        Some(match (&own.head, &own.scope.parent) {
            (Some(head), _) => head.clone(),
            (None, WeakScope::OfTask(task)) if own.scope.same_task => ScopeRef::OfTask(task.clone()),
            (None, _) => self.clone(),
        })
    }

    /// The scope of the task that polls here.
    fn head(&self) -> &Scope {
        let ScopeRef::Own(own) = self else { return self };
        match (&own.head, &own.scope.parent) {
            (Some(head), _) => head,
            (None, WeakScope::OfTask(task)) if own.scope.same_task => task,
            (None, _) => &own.scope,
        }
    }

    /// Counts the operations that were ready since the task's poll began.
    #[inline]
    pub(crate) fn streak(&self) -> &Streak {
        &self.head().streak
    }

    /// Whoever is told of each raise, if that is still there.
    pub(crate) fn listener(&self) -> Option<Arc<dyn Listener>> {
        match self {
            ScopeRef::Own(own) => own.listener.as_ref().and_then(Weak::upgrade),
            ScopeRef::OfTask(_) => None,
        }
    }

    /// Who polls in this scope.
    pub(crate) fn home_of(&self, inner: &Inner) -> Option<Home> {
        match self {
            ScopeRef::OfTask(_) if inner.ended => None,
            ScopeRef::OfTask(_) => Some(Home::Task),
            ScopeRef::Own(_) => inner.home.clone().map(Home::Other),
        }
    }
}

/// Who polls in a scope.
pub(crate) enum Home {
    /// The task that it is the scope of.
    Task,
    Other(Waker),
}

impl Home {
    /// Moves the task that polls in `scope`, whose home this is, into the Cancel lane.
    pub(crate) fn into_waker(self, scope: ScopeRef) -> Waker {
        match (self, scope) {
            (Home::Task, ScopeRef::OfTask(task)) => task.into_promote_waker(),
            (Home::Other(waker), _) => waker,
            (Home::Task, ScopeRef::Own(_)) => unreachable!("it is no task's"),
        }
    }
}
