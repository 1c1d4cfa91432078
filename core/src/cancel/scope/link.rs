//! How scopes are made, and linked to those around them.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Weak};

use super::{Child, Hold, Home, Inner, Listener, Own, Rare, Scope, ScopeRef, UNLINKED, WeakScope};
use crate::budget::{Budget, Urgency};
use crate::cancel::{Level, Standing, Streak};
use crate::lock::{Mutex, lock};
use crate::observe::Object;
use crate::primitive::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use crate::region::Node;
use crate::time::Time;

/// What a new scope starts with.
struct Link {
    standing: Standing,
    hold: Hold,
    urgency: Urgency,
    until: Time,
    work: Option<Budget>,
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
        Own::new(Link::default(), WeakScope::default(), None, None).into()
    }

    /// The scope of a new task of `region`, whose scope is `around` it, or of one that no region counts. It hears of
    /// no request until the region [has](ScopeRef::catch_up_with) the task.
    #[inline]
    pub(crate) fn of_task(region: Option<Arc<Node>>, around: Option<&Scope>) -> Scope {
        // Apart, and not as one: what is written through a pointer to it has to be read again.
        let (level, reason, drain_until) = match around {
            Some(around) if around.level() > Level::Clear => {
                let Standing { level, reason, drain_until } = around.standing();
                (level, reason, drain_until)
            }
            _ => (Level::Clear, None, Time::MAX),
        };
        let standing = Standing { level, reason, drain_until };
        let (listed, metered) = (around.is_some(), around.is_some_and(Scope::is_metered));
        Scope::new(Link { standing, listed, metered, ..Link::default() }, region)
    }

    /// A scope under nobody, with what it may use.
    pub(crate) fn limited_root(budget: Budget) -> ScopeRef {
        let link = Link { hold: Hold::All, ..Link::default() };
        Own::new(link.within(budget), WeakScope::default(), None, None).into()
    }

    /// A scope under nobody that tells `listener` of every raise.
    pub(crate) fn listening_root(listener: Weak<dyn Listener>) -> ScopeRef {
        Own::new(Link::default(), WeakScope::default(), None, Some(listener)).into()
    }

    #[inline]
    fn new(link: Link, region: Option<Arc<Node>>) -> Scope {
        let Standing { level, reason, drain_until } = link.standing;
        Scope {
            level: AtomicU8::new(level as u8),
            hold: link.hold,
            same_task: link.same_task,
            listed: link.listed,
            metered: AtomicBool::new(link.metered),
            due: AtomicBool::new(level == Level::Spent),
            timed: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            streak: Streak::default(),
            kept: AtomicU32::new(0),
            told: Object::new(),
            note: AtomicU64::new(0),
            region,
            inner: Mutex::new(Inner {
                reason,
                drain_until,
                rare: link.work.map(|work| Box::new(Rare { work: Some(work), ..Rare::default() })),
            }),
        }
    }
}

impl Own {
    fn new(
        link: Link,
        parent: WeakScope,
        head: Option<ScopeRef>,
        listener: Option<Weak<dyn Listener>>,
    ) -> Own {
        let (urgency, until) = (link.urgency, link.until);
        let scope = Scope::new(link, None);
        Own { scope, urgency, until, parent, key: UNLINKED, head, listener, home: Home::new(None) }
    }

    /// Takes over what the scope around it has by now.
    fn inherit(&mut self, around: &ScopeRef, outer: &Inner) {
        let (scope, standing) = (&mut self.scope, around.level_in(outer));
        if scope.hold.passes(standing) {
            let inner = scope.inner.get_mut();
            (inner.reason, inner.drain_until) = (outer.reason.clone(), outer.drain_until);
            scope.level = AtomicU8::new(standing as u8);
            scope.due = AtomicBool::new(standing == Level::Spent);
        }
        if scope.same_task {
            self.home = Home::new(around.polled(outer).map(|polled| polled.into_waker(around.clone())));
        }
        if around.metered.load(Ordering::Relaxed) {
            self.scope.metered = AtomicBool::new(true);
        }
    }
}

/// A task's scope, apart from the task.
impl From<Scope> for ScopeRef {
    fn from(scope: Scope) -> Self {
        let (urgency, until, parent) = (scope.urgency_around(), Time::MAX, WeakScope::default());
        let (key, home) = (UNLINKED, Home::new(None));
        Own { scope, urgency, until, parent, key, head: None, listener: None, home }.into()
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
        let link = Link { hold, urgency: self.urgency(), same_task, listed, ..Link::default() };
        let link = if let Some(budget) = budget { link.within(budget) } else { link };
        let head = if same_task { self.head_of_child() } else { None };
        let mut child = Arc::new(Own::new(link, self.downgrade(), head, listener));
        let mut inner = lock(&self.inner);
        if let Some(new) = Arc::get_mut(&mut child) {
            new.key = inner.rare().children.vacant_key();
            new.inherit(self, &inner);
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
            (key, self.standing_in(&inner), self.metered.load(Ordering::Relaxed))
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
        std::iter::successors(Some(self.clone()), |scope| match scope {
            ScopeRef::Own(own) if own.scope.same_task => own.parent.upgrade(),
            _ => None,
        })
    }

    /// The [head](Self::head) of a child that is polled by the same task; `None` if the child's parent tells.
    fn head_of_child(&self) -> Option<ScopeRef> {
        let ScopeRef::Own(own) = self else { return None };
        Some(match (&own.head, &own.parent) {
            (Some(head), _) => head.clone(),
            (None, WeakScope::OfTask(task)) if own.scope.same_task => ScopeRef::OfTask(task.clone()),
            (None, _) => self.clone(),
        })
    }

    /// The scope of the task that polls here.
    fn head(&self) -> &Scope {
        let ScopeRef::Own(own) = self else { return self };
        match (&own.head, &own.parent) {
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
}
