//! What a task is to its region: who runs it, and who hears of its end.

use asupersync_task::{Runnable as RawRunnable, Schedule, Wake, WakerUse};

use super::tree::Node;
use crate::budget::Budget;
use crate::cancel::Reason;
use crate::host::{Host, Lane, Mark, Runnable, TaskMeta, TaskRef, Urgency};
use crate::id::TimerKey;
use crate::verdict::Verdict;

impl TaskMeta {
    /// The region that counts the task, if one does.
    #[inline]
    pub(crate) fn node(&self) -> Option<&Node> {
        self.own.region().map(|region| &**region)
    }

    fn host(&self) -> &dyn Host {
        self.host_in(self.node())
    }

    #[inline]
    fn host_in<'a>(&'a self, node: Option<&'a Node>) -> &'a dyn Host {
        match node {
            Some(node) => &*node.tree.host,
            None => self.host_of_uncounted().expect("a task that no region counts has a host"),
        }
    }

    pub(super) fn lane(&self) -> Lane {
        self.lane_in(self.node())
    }

    #[inline]
    fn lane_in(&self, node: Option<&Node>) -> Lane {
        match (self.apart(), node) {
            (Some(apart), _) => Lane::of(apart.inside.level(), apart.inside.urgency()),
            (None, Some(node)) => Lane::of(self.own.level(), node.scope.urgency()),
            (None, None) => Lane::of(self.own.level(), Urgency::DEFAULT),
        }
    }

    /// [`schedule`](Schedule::schedule), by who knows the region that counts the task, if one does.
    #[inline]
    pub(crate) fn schedule_in(&self, node: Option<&Node>, runnable: RawRunnable<Self>, why: Wake) {
        self.told.write();
        // The scorecard measures what lanes cost beside a build without them.
        let lane = if cfg!(one_lane) { Lane::Ready } else { self.lane_in(node) };
        self.host_in(node).submit(Runnable(runnable), lane, why);
    }

    /// Asks `task`, whose this is, to stop, if a region counts it; its drain ends within `drain`.
    pub(crate) fn request(&self, task: &TaskRef, reason: Reason, drain: Budget) {
        if let Some(node) = self.node() {
            node.request_task(task, reason, drain);
        }
    }

    /// The task has ended well, and its body is gone. Its owner hears of that when it is gone.
    #[inline]
    pub(crate) fn end_well(&self) {
        self.mark.set(Mark::ENDED | Mark::OK);
        self.end_apart();
    }

    /// Tells that the task has ended otherwise, once, when its body is gone.
    #[cold]
    pub(crate) fn end(&self, verdict: Verdict) {
        self.mark.set(Mark::ENDED);
        self.end_apart();
        if let Some(node) = self.node() {
            node.task_ended(self.mark.key(), &self.info, verdict);
        }
    }

    #[inline]
    fn end_apart(&self) {
        if let Some(apart) = self.apart() {
            self.cancel_timer(apart.scope.end());
        }
    }

    /// What ran in its own scope is gone.
    pub(super) fn end_own(&self) {
        self.cancel_timer(self.own.end_work());
    }

    fn cancel_timer(&self, timer: Option<TimerKey>) {
        timer.into_iter().for_each(|timer| self.host().cancel_timer(timer));
    }
}

impl Schedule for TaskMeta {
    fn schedule(&self, runnable: RawRunnable<Self>, why: Wake) {
        self.schedule_in(self.node(), runnable, why);
    }

    fn completed(&self) -> Option<TaskRef> {
        self.told.write();
        if !self.mark.has(Mark::ENDED) {
            self.end(Verdict::Dropped(None));
        }
        let (key, id, ok) = (self.mark.key(), self.info.id, self.mark.has(Mark::OK));
        let task = self.node().and_then(|node| node.task_gone(key, id, ok));
        // Its region does not list it any more: see `request_task`.
        if self.own.is_timed() {
            self.end_own();
        }
        task
    }

    fn follows_wakers(&self) -> bool {
        self.mark.has(Mark::FOLLOWED)
    }

    fn waker_used(&self, what: WakerUse) {
        if matches!(what, WakerUse::Wake | WakerUse::WakeByRef) {
            self.told.write();
        }
        #[cfg(feature = "observe")]
        self.host().waker_used(&self.info, what);
        self.tell_span(what);
    }
}
