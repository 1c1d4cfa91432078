//! Requests, and the end of a drain: how a level is raised, here and in all that is below.
//!
//! The walk is one loop, not a recursion, and takes one lock at a time; the invariants are those of
//! [`scope`](super::scope).

use std::sync::{Arc, Weak};
use std::task::Waker;

use super::scope::Scope;
use super::{Level, Reason, Standing};
use crate::budget::{Budget, Limit};
use crate::lock::lock;
use crate::primitive::Ordering;
use crate::time::Time;

impl Scope {
    /// Raises this scope and all below it to Requested.
    pub(crate) fn request(self: &Arc<Self>, reason: Reason, drain_until: Time) {
        self.raise(Standing::requested(reason, drain_until));
    }

    /// As [`request`](Self::request), by whoever polls in this scope, and so need not be woken.
    pub(crate) fn request_at_home(self: &Arc<Self>, reason: Reason, drain_until: Time) {
        self.raise_unless_home(Standing::requested(reason, drain_until), true);
    }

    /// As [`request`](Self::request), with a drain that may use so much.
    pub(crate) fn request_within(self: &Arc<Self>, reason: Reason, drain_until: Time, drain: Budget) {
        // Its time goes the way of the request; before that it would seem to be known already.
        let spent = self.limit_drain(Time::MAX, drain);
        self.request(reason, drain_until);
        if let Some(limit) = spent {
            self.spend(limit);
        }
    }

    /// Raises this scope and all below it to Spent, because of this limit.
    pub(crate) fn spend(self: &Arc<Self>, limit: Limit) {
        self.raise(Standing::spent(self.reason_or(limit)));
    }

    pub(super) fn raise(self: &Arc<Self>, asked: Standing) {
        self.raise_unless_home(asked, false);
    }

    fn raise_unless_home(self: &Arc<Self>, asked: Standing, at_home: bool) {
        let (mut first, mut near, mut far) = (Some(self.clone()), Vec::new(), Vec::new());
        let (mut waiters, mut homes, mut spent, mut found) = (vec![], vec![], vec![], vec![]);
        loop {
            let is_awake = at_home && first.is_some();
            let Some(scope) = first.take().or_else(|| near.pop()) else {
                // At the end of the budget a task has one more poll, which must find all of its
                // scopes raised and all that waits in them woken. Other tasks come after.
                waiters.drain(..).for_each(Waker::wake);
                spent.drain(..).for_each(|scope: Arc<Scope>| scope.due.store(true, Ordering::Release));
                homes.drain(..).for_each(Waker::wake);
                match far.pop() {
                    Some(scope) => near.push(scope),
                    None => return,
                }
                continue;
            };
            let (told, level) = {
                let mut inner = lock(&scope.inner);
                let raised = inner.standing.raise(&asked);
                // Whoever else spends it may not have come to what is inside yet: invariant 6.
                if raised.is_none() && (asked.level < Level::Spent || scope.due.load(Ordering::Acquire)) {
                    continue;
                }
                if let Some(raised) = &raised {
                    scope.told.write();
                    scope.level.store(raised.level as u8, Ordering::Release);
                    inner.standing = raised.clone();
                }
                if !is_awake {
                    homes.extend(inner.home.clone());
                }
                if let Some(known) = inner.known() {
                    waiters.extend(known.waiters.iter().map(|(_, waker)| waker.clone()));
                    // To be the last to let go of a child takes this lock, so nothing is dropped here.
                    found.extend(known.children());
                }
                let listener = inner.listener.as_ref().and_then(Weak::upgrade);
                (listener.map(|listener| (listener, raised)), inner.standing.level)
            };
            if let Some((listener, raised)) = told {
                raised.iter().for_each(|standing| listener.on_cancel(standing));
                listener.scopes_of_tasks(&mut found);
            }
            if level == Level::Spent {
                spent.push(scope);
            }
            for child in found.drain(..).filter(|child| child.hold.passes(asked.level)) {
                if child.same_task { near.push(child) } else { far.push(child) }
            }
        }
    }

    /// Raises this scope and all below it to what is on its way here: a request comes to the scopes of
    /// a task one by one, and the task may run meanwhile and see it further up.
    pub(crate) fn catch_up(self: &Arc<Self>) {
        let mut hold = self.hold;
        for scope in self.around().skip(1) {
            let coming = scope.standing();
            if coming.level > Level::Clear && hold.passes(coming.level) {
                return self.raise(coming);
            }
            hold = hold.max(scope.hold);
        }
    }

    /// Takes over what came to the scope around it until the listener of that had this one.
    pub(crate) fn catch_up_with(self: &Arc<Self>, around: &Scope) {
        if around.metered.load(Ordering::Relaxed) {
            self.mark_metered();
        }
        let level = around.level();
        if level > Level::Clear && self.hold.passes(level) {
            self.raise(around.standing());
        }
    }
}
