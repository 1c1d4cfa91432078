//! Giving up: on tasks whose poll does not return, and on everything when the host ends.
//!
//! What is given up is counted and kept for the report, its future dropped if nobody polls it.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use asupersync_task::Activity;

use super::report::{Leftover, LeftoverKind};
use super::state::{Event, Phase};
use super::tree::{KEPT, Local, Node};
use crate::cancel::{Level, Waits};
use crate::host::{TaskRef, inside_of};
use crate::id::TaskId;
use crate::lock::lock;

impl Node {
    /// Gives up on tasks of this node whose poll does not return though the budget is spent, so
    /// that finalizers get their turn. Tells how many.
    pub(super) fn abandon_stuck(
        self: &Arc<Self>,
        before: &HashSet<TaskId>,
        now: &mut HashSet<TaskId>,
    ) -> usize {
        self.give_up(LeftoverKind::Abandoned, |task| {
            let meta = task.meta();
            // One that is kept may be polled often, and has a limit of its own.
            let spent = meta.inside().level() == Level::Spent && !meta.inside().is_kept();
            let suspect = spent && task.is_running();
            if suspect {
                now.insert(meta.info.id);
            }
            suspect && before.contains(&meta.info.id)
        })
    }

    /// Gives up on every task and finalizer of this node: drops the futures that nobody polls, and
    /// with them what they and this node hold of each other.
    pub(crate) fn force(self: &Arc<Self>) {
        // First, or the region would close by itself as soon as its last task is given up, and report
        // to nobody.
        {
            let mut inner = lock(&self.inner);
            inner.forced = true;
            self.count_tasks(&mut inner);
        }
        self.give_up(LeftoverKind::Forced, |_| true);
        self.give_up_locals();
        let (now, path) = (self.tree.host.now(), self.path());
        let mut inner = lock(&self.inner);
        let running = inner.running.take();
        let unrun = std::mem::take(&mut inner.finalizers);
        let (children, closer) = (std::mem::take(&mut inner.children), inner.closer.take());
        let driver = inner.driver.take();
        let (started, phase) = (inner.started.take(), inner.state.phase);
        inner.totals.finalizers_failed += u64::from(started.is_some()) + unrun.len() as u64;
        drop(inner);
        drop((children, closer));
        let started = started.map(|started| {
            let awaited = started.scope.waits(None);
            let awaited = if running.is_some() { awaited.of_idle() } else { awaited };
            (started.site, started.since, Some(awaited))
        });
        let left = started.into_iter().chain(unrun.iter().map(|unrun| (unrun.site, now, None)));
        for (site, since, awaited) in left {
            let (kind, name) = (LeftoverKind::Forced, "finalizer".into());
            let (path, age) = (path.clone(), now - since);
            lock(&self.inner).keep(Leftover { kind, name, site, path, phase, age, task: None, awaited });
        }
        // A panic in one's drop must not keep the others.
        if let Some(running) = running {
            drop(running.end(&*self.tree.host));
        }
        for unrun in unrun {
            drop(catch_unwind(AssertUnwindSafe(|| drop(unrun))));
        }
        if let Some(driver) = driver {
            driver.shutdown();
        }
    }

    /// Names the task that drives this region to Closed, so that it ends when the host gives up.
    pub(super) fn driven_by(&self, task: TaskRef) {
        let mut inner = lock(&self.inner);
        if inner.forced {
            drop(inner);
            task.shutdown();
        } else if inner.state.phase < Phase::Closed {
            inner.driver = Some(task);
        }
    }

    fn give_up(self: &Arc<Self>, kind: LeftoverKind, mut which: impl FnMut(&TaskRef) -> bool) -> usize {
        let mut chosen: Vec<TaskRef> = Vec::new();
        self.tasks.each(|task| chosen.extend(which(task).then(|| task.clone())));
        // Scopes are not looked into with a node's lock held.
        let awaited: Vec<Waits> = chosen.iter().take(KEPT).map(awaits).collect();
        let mut awaited = awaited.into_iter();
        let mut gone = Vec::new();
        let mut inner = lock(&self.inner);
        for task in chosen {
            let (awaited, meta) = (awaited.next(), task.meta());
            let Some(left) = self.tasks.leave(meta.mark.key(), meta.info.id, false) else {
                continue;
            };
            inner.apply(Event::TasksEnded(left.told));
            inner.totals.abandoned += 1;
            if inner.leftovers.len() < KEPT {
                let leftover = self.leftover(&meta.info, inner.state.phase, kind, awaited);
                inner.keep(leftover);
            }
            gone.push(left);
        }
        let closer = inner.quiet_closer();
        drop(inner);
        for left in &gone {
            left.task.shutdown();
        }
        if let Some(closer) = closer {
            closer.wake();
        }
        gone.len()
    }

    /// Gives up on the children in the region's own future. Whoever polls that drops them.
    fn give_up_locals(&self) {
        let locals: Vec<Arc<Local>> = lock(&self.inner).locals.values().take(KEPT).cloned().collect();
        let awaited = locals.iter().map(|local| {
            let waits = local.scope.waits(None);
            if local.bell.is_polled() { waits } else { waits.of_idle() }
        });
        let mut awaited: HashMap<TaskId, Waits> =
            locals.iter().map(|local| local.info.id).zip(awaited).collect();
        let mut inner = lock(&self.inner);
        let given_up = std::mem::take(&mut inner.locals);
        for local in given_up.values() {
            inner.apply(Event::TasksEnded(1));
            inner.totals.abandoned += 1;
            if inner.leftovers.len() < KEPT {
                let (phase, awaited) = (inner.state.phase, awaited.remove(&local.info.id));
                let leftover = self.leftover(&local.info, phase, LeftoverKind::Forced, awaited);
                inner.keep(leftover);
            }
        }
        drop(inner);
        drop(given_up);
    }
}

/// What a task awaits that may be in its poll.
fn awaits(task: &TaskRef) -> Waits {
    let waits = inside_of(task.clone()).waits(Some(task.note()));
    if task.activity() == Activity::Idle { waits.of_idle() } else { waits }
}
