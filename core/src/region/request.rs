//! Request: how a node hears of it, and how one scope is asked; and what a task's end is to its node.
//!
//! A region whose work has a budget asks itself when that is spent: by its timer, or by what is
//! charged to its scope. The clock of the drain budget starts at Request. A region arms a timer for
//! that only when its budget ends before what those around it have armed already.

use std::sync::Arc;
use std::task::Waker;

use super::state::{Event, Phase};
use super::tree::Node;
use crate::budget::{Budget, Limit};
use crate::cancel::{Level, Listener, Reason, ScopeRef, Standing};
use crate::host::{TaskInfo, TaskRef, inside_of, scope_of};
use crate::id::TaskId;
use crate::lock::lock;
use crate::time::Time;
use crate::timer::{arm_drain, call_at};
use crate::verdict::Verdict;

impl Node {
    /// Asks this region, and all below it, to close. Idempotent.
    pub(crate) fn request(&self, reason: Reason) {
        let reason = reason.stamp(&self.name, self.tree.host.now());
        self.scope.request(reason, Time::MAX);
    }

    /// The future that opened this region is gone, and the scopes and timers in that go too: from now
    /// on the request of its parent comes here directly, and a timer of its own ends its drain.
    pub(super) fn stand_alone(self: &Arc<Self>) {
        if let Some(parent) = self.parent.upgrade() {
            parent.scope.adopt(&self.scope);
        }
        let standing = self.scope.standing();
        if standing.level == Level::Requested && standing.drain_until < Time::MAX {
            self.arm_drain_at(standing.drain_until);
        }
    }

    pub(super) fn arm_drain_at(&self, until: Time) {
        let timer = arm_drain(&*self.tree.host, &self.scope, until);
        let stale = lock(&self.inner).drain_timer.replace(timer);
        stale.into_iter().for_each(|stale| self.tree.host.cancel_timer(stale));
    }

    /// When drain and finalize must both be over; [`Time::MAX`] before Request.
    pub(crate) fn close_by(&self) -> Time {
        lock(&self.inner).close_by
    }

    /// When the region around must be closed; [`Time::MAX`] before its Request.
    pub(super) fn close_by_around(&self) -> Time {
        self.parent.upgrade().map_or(Time::MAX, |parent| parent.close_by())
    }

    /// When the drain budget ends; [`Time::MAX`] before Request.
    pub(crate) fn drain_until(&self) -> Time {
        self.scope.standing().drain_until
    }

    /// Starts the clock of the budget of this region's work; under Request there is no work.
    pub(super) fn start_work(self: &Arc<Self>) {
        if self.scope.level() > Level::Clear {
            return;
        }
        let work = self.policy.work.starting_at(self.opened_at);
        let end = work.end();
        if let Some(limit) = work.spent_at(self.opened_at) {
            self.on_spent(limit);
        } else if end < Time::MAX {
            let node = Arc::downgrade(self);
            let timer = call_at(&*self.tree.host, end, move || {
                // One that closes already keeps the reason it was told.
                if let Some(node) = node.upgrade().filter(|node| node.scope.level() == Level::Clear) {
                    node.on_spent(Limit::Time);
                }
            });
            lock(&self.inner).work_timer = Some(timer);
        }
    }
}

impl Listener for Node {
    fn on_cancel(&self, standing: &Standing) {
        let now = self.tree.host.now();
        let ancestors = self.close_by_around();
        let mut inner = lock(&self.inner);
        let Some(next) = inner.state.step(Event::Request) else { return };
        inner.state = next;
        if self.is_root() && inner.state.body {
            self.end_body(&mut inner);
        }
        if let Some(next) = inner.state.step(Event::Drain) {
            inner.state = next;
        }
        let first = inner.requested_at.is_none();
        let asked_at = *inner.requested_at.get_or_insert(now);
        let own = self.policy.drain.deadline_from(asked_at);
        let drain_until = match standing.level {
            Level::Spent => now,
            _ => own.min(standing.drain_until),
        };
        inner.close_by = inner.close_by.min(self.policy.finalize.deadline_from(drain_until)).min(ancestors);
        // Somebody above armed a timer for the standing's own deadline.
        let mut arm = own < standing.drain_until
            && standing.level < Level::Spent
            && inner.drain_timer.is_none()
            && inner.state.phase < Phase::Closed;
        if arm && inner.state.is_quiet() {
            // Nothing runs that it would end.
            inner.unarmed = Some(own);
            arm = false;
        }
        let (work_timer, closer) = (inner.work_timer.take(), inner.quiet_closer());
        drop(inner);
        if let Some(timer) = work_timer {
            self.tree.host.cancel_timer(timer);
        }
        closer.into_iter().for_each(Waker::wake);
        self.keep_promises();
        if first {
            let spent = self.scope.limit_drain(own, self.policy.drain);
            // What is spent already need not be spent again, level by level.
            let spent = spent.filter(|_| standing.level < Level::Spent);
            spent.into_iter().for_each(|limit| self.scope.spend(limit));
        }
        if arm {
            self.arm_drain_at(own);
        }
    }

    fn on_spent(&self, limit: Limit) {
        self.request(Reason::spent(limit, self.site));
    }

    fn parts(&self) -> usize {
        self.tasks.parts()
    }

    fn scopes_of_part(&self, part: usize, found: &mut dyn FnMut(ScopeRef)) {
        self.tasks.each_of(part, |task| found(scope_of(task.clone())));
    }
}

/// Requests a cancel of one scope, whose drain ends within `budget`. Whoever ends the scope
/// cancels the timer.
pub(crate) fn request_scope(node: &Node, scope: &ScopeRef, reason: Reason, budget: Budget) {
    if scope.has_ended() {
        return;
    }
    let host = &*node.tree.host;
    let now = host.now();
    let budget = budget.meet(node.policy.drain);
    let until = budget.deadline_from(now);
    scope.request_within(reason.stamp(&node.name, now), until, budget);
    if until < Time::MAX && scope.level() < Level::Spent {
        let stale = scope.keep_timer(until, arm_drain(host, scope, until));
        stale.into_iter().for_each(|stale| host.cancel_timer(stale));
    }
}

/// What its tasks have to tell: see [`member`](super::member).
impl Node {
    pub(super) fn task_ended(&self, key: usize, info: &TaskInfo, verdict: Verdict) {
        // Whoever gives tasks up has this lock, too.
        let inner = lock(&self.inner);
        if self.tasks.has(key, info.id) {
            self.judge(inner, info, verdict);
        }
    }

    pub(super) fn task_gone(&self, key: usize, id: TaskId, ok: bool) -> Option<TaskRef> {
        let left = self.tasks.leave(key, id, ok)?;
        if let Some(closer) = self.tasks_gone(left.told) {
            closer.wake();
        }
        Some(left.task)
    }

    pub(super) fn request_task(&self, task: &TaskRef, reason: Reason, drain: Budget) {
        let (meta, own) = (task.meta(), &task.meta().own);
        meta.told.read();
        if task.is_complete() {
            return;
        }
        request_scope(self, &inside_of(task.clone()), reason, drain);
        // One that left the list before has not found the timer. One that leaves it now does.
        if own.is_timed() && !self.tasks.has(meta.mark.key(), meta.info.id) {
            meta.end_own();
        }
    }

    pub(crate) fn request_open_ended(&self, scope: &ScopeRef, reason: Reason) {
        scope.request(reason.stamp(&self.name, self.tree.host.now()), Time::MAX);
    }
}
