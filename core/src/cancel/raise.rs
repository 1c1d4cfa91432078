//! Requests, and the end of a drain: how a level is raised, here and in all that is below.
//!
//! The walk is one loop, not a recursion, and takes one lock at a time; the invariants are those of
//! [`scope`](super::scope). The tasks of a region are looked up a part at a time, so that each is still at hand when
//! its turn comes, and others run those that were raised before; and each part of [`MANY`] gets a reason of its own,
//! as those who end at the same time would mostly count the references to one.

use std::sync::Arc;
use std::task::Waker;

use super::scope::{Polled, Scope, ScopeRef};
use super::{Level, Listener, Reason, Standing};
use crate::budget::{Budget, Limit};
use crate::lock::lock;
use crate::primitive::Ordering;
use crate::time::Time;

/// So many tasks in a part make the copy of a reason worth its memory.
const MANY: usize = 32;

/// Who raises a scope.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Other,
    /// Whoever polls in it, and so need not be woken.
    Home,
    /// So it is, and the listener knows, and has no tasks.
    Listener,
}

impl Scope {
    /// A request, or a quota, came here.
    #[inline]
    pub(crate) fn is_to_follow(&self) -> bool {
        self.is_metered() || self.level() > Level::Clear
    }
}

impl ScopeRef {
    /// Raises this scope and all below it to Requested.
    pub(crate) fn request(&self, reason: Reason, drain_until: Time) {
        self.raise(Standing::requested(reason, drain_until));
    }

    /// As [`request`](Self::request), by somebody who is not to be told of it.
    pub(crate) fn request_by(&self, by: By, reason: Reason) {
        self.raise_by(by, Standing::requested(reason, Time::MAX));
    }

    /// As [`request`](Self::request), with a drain that may use so much.
    pub(crate) fn request_within(&self, reason: Reason, drain_until: Time, drain: Budget) {
        // Its time goes the way of the request; before that it would seem to be known already.
        let spent = self.limit_drain(Time::MAX, drain);
        self.request(reason, drain_until);
        if let Some(limit) = spent {
            self.spend(limit);
        }
    }

    /// Raises this scope and all below it to Spent, because of this limit.
    pub(crate) fn spend(&self, limit: Limit) {
        self.raise(Standing::spent(self.reason_or(limit)));
    }

    pub(super) fn raise(&self, asked: Standing) {
        self.raise_by(By::Other, asked);
    }

    fn raise_by(&self, by: By, mut asked: Standing) {
        let Some(first) = self.raise_here(by, &asked) else { return };
        if first.is_all() {
            return first.finish(self);
        }
        let (mut next, mut near, mut far) = (Some((self.clone(), first)), Vec::new(), Vec::new());
        let (mut waiters, mut homes, mut spent) = (vec![], vec![], vec![]);
        loop {
            while let Some((scope, mut raised)) = next.take() {
                waiters.append(&mut raised.waiters);
                for child in raised.inside.drain(..) {
                    if child.same_task { near.push(child) } else { far.push(Far::One(child)) }
                }
                raised.tell(&mut far);
                spent.extend(raised.spends.then(|| scope.clone()));
                homes.extend(raised.home.map(|home| home.into_waker(scope)));
                while next.is_none()
                    && let Some(scope) = near.pop()
                {
                    next = scope.raise_below(&asked).map(|raised| (scope, raised));
                }
            }
            // At the end of the budget a task has one more poll, which must find all of its scopes raised and
            // all that waits in them woken. Other tasks come after.
            waiters.drain(..).for_each(Waker::wake);
            spent.drain(..).for_each(|scope: ScopeRef| scope.due.store(true, Ordering::Release));
            homes.drain(..).for_each(Waker::wake);
            while next.is_none() {
                let scope = match far.pop() {
                    None => return,
                    Some(Far::One(scope)) => scope,
                    Some(Far::Tasks(_, 0)) => continue,
                    Some(Far::Tasks(listener, parts)) => {
                        far.push(Far::Tasks(listener.clone(), parts - 1));
                        let before = far.len();
                        listener.scopes_of_part(parts - 1, &mut |scope| far.push(Far::One(scope)));
                        if far.len() - before >= MANY {
                            asked.reason = asked.reason.as_ref().map(Reason::apart);
                        }
                        continue;
                    }
                };
                let Some(raised) = scope.raise_below(&asked) else { continue };
                if raised.is_all() {
                    raised.finish(&scope);
                } else {
                    next = Some((scope, raised));
                }
            }
        }
    }

    /// Raises this scope, below one that was asked, alone; `None` if that does not come here.
    fn raise_below(&self, asked: &Standing) -> Option<Raised> {
        if self.hold.passes(asked.level) { self.raise_here(By::Other, asked) } else { None }
    }

    /// Raises this scope alone; `None` if nothing is to be done here.
    fn raise_here(&self, by: By, asked: &Standing) -> Option<Raised> {
        let mut inner = lock(&self.inner);
        let raised = self.raise_in(&mut inner, asked);
        // Whoever else spends it may not have come to what is inside yet: invariant 6.
        if !raised && (asked.level < Level::Spent || self.due.load(Ordering::Acquire)) {
            return None;
        }
        let listener = if by == By::Listener { None } else { self.listener() };
        let told = listener.map(|listener| (listener, raised.then(|| self.standing_in(&inner))));
        let (mut waiters, mut inside) = (Vec::new(), Vec::new());
        if let Some(known) = inner.known() {
            waiters.extend(known.waiters.iter().map(|(_, waker)| waker.clone()));
            // To be the last to let go of a child takes this lock, so nothing is dropped here.
            inside.extend(known.children());
        }
        let home = if by == By::Other { self.polled(&inner) } else { None };
        Some(Raised { told, waiters, inside, home, spends: self.level_in(&inner) == Level::Spent })
    }

    /// Raises this scope and all below it to what is on its way here: a request comes to the scopes of
    /// a task one by one, and the task may run meanwhile and see it further up.
    pub(crate) fn catch_up(&self) {
        let mut hold = self.hold;
        for scope in self.around().skip(1) {
            let coming = scope.standing();
            if coming.level > Level::Clear && hold.passes(coming.level) {
                return self.raise(coming);
            }
            hold = hold.max(scope.hold);
        }
    }

    /// Takes over what came to the scope around it until the listener of that had this one. Only if that is
    /// [to follow](Scope::is_to_follow).
    pub(crate) fn catch_up_with(&self, around: &Scope) {
        if around.metered.load(Ordering::Relaxed) {
            self.mark_metered();
        }
        let level = around.level();
        if level > Level::Clear && self.hold.passes(level) {
            self.raise(around.standing());
        }
    }
}

/// What is still to be raised, and is polled by others.
enum Far {
    One(ScopeRef),
    /// So many parts of the tasks that a listener has.
    Tasks(Arc<dyn Listener>, usize),
}

/// A scope that was raised, and what is to be done about it with no lock held.
struct Raised {
    /// To be told of this.
    told: Option<(Arc<dyn Listener>, Option<Standing>)>,
    waiters: Vec<Waker>,
    inside: Vec<ScopeRef>,
    home: Option<Polled>,
    /// It is due when all inside has been woken.
    spends: bool,
}

impl Raised {
    /// Tells the listener, and adds the tasks that it has.
    fn tell(&mut self, far: &mut Vec<Far>) {
        let Some((listener, standing)) = self.told.take() else { return };
        standing.iter().for_each(|standing| listener.on_cancel(standing));
        let parts = listener.parts();
        if parts > 0 {
            far.push(Far::Tasks(listener, parts));
        }
    }

    /// Nobody waits in it but whoever polls there, and nothing is inside: so are most.
    fn is_all(&self) -> bool {
        self.told.is_none() && self.waiters.is_empty() && self.inside.is_empty()
    }

    /// Does what is left for such a `scope`.
    fn finish(self, scope: &ScopeRef) {
        if self.spends {
            scope.due.store(true, Ordering::Release);
        }
        if let Some(home) = self.home {
            home.into_waker(scope.clone()).wake();
        }
    }
}
