//! Giving up: on tasks whose poll does not return, and on everything when the host ends.
//!
//! What is given up is counted and kept for the report, its future dropped if nobody polls it.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::report::{Leftover, LeftoverKind};
use super::state::Event;
use super::tree::{Entry, Node};
use crate::cancel::Level;
use crate::host::TaskRef;
use crate::id::TaskId;
use crate::outcome::lock;

impl Node {
    /// Gives up on tasks of this node whose poll does not return though the budget is spent, so
    /// that finalizers get their turn. Tells how many.
    pub(super) fn abandon_stuck(
        self: &Arc<Self>,
        before: &HashSet<TaskId>,
        now: &mut HashSet<TaskId>,
    ) -> usize {
        self.give_up(LeftoverKind::Abandoned, |entry| {
            let meta = entry.task.meta();
            // One that is kept may be polled often, and has a limit of its own.
            let spent = meta.scope.level() == Level::Spent && !meta.scope.is_kept();
            let suspect = spent && entry.task.is_running();
            if suspect {
                now.insert(meta.info.id);
            }
            suspect && before.contains(&meta.info.id)
        })
    }

    /// Gives up on every task and finalizer of this node: drops the futures that nobody polls, and
    /// with them what they and this node hold of each other.
    pub(crate) fn force(self: &Arc<Self>) {
        self.give_up(LeftoverKind::Forced, |_| true);
        let (now, path) = (self.tree.host.now(), self.path());
        let mut inner = lock(&self.inner);
        inner.forced = true;
        let running = inner.running.take();
        let unrun = std::mem::take(&mut inner.finalizers);
        let (children, closer) = (std::mem::take(&mut inner.children), inner.closer.take());
        let driver = inner.driver.take();
        let started = inner.running_since.into_iter();
        for (site, since) in started.chain(unrun.iter().map(|unrun| (unrun.site, now))) {
            let phase = inner.state.phase;
            let (kind, name) = (LeftoverKind::Forced, "finalizer".into());
            inner.totals.finalizers_failed += 1;
            inner.keep(Leftover { kind, name, site, path: path.clone(), phase, age: now - since });
        }
        drop(inner);
        drop((children, closer));
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
        if !inner.forced {
            inner.driver = Some(task);
            return;
        }
        drop(inner);
        task.shutdown();
    }

    fn give_up(self: &Arc<Self>, kind: LeftoverKind, mut which: impl FnMut(&Entry) -> bool) -> usize {
        let mut inner = lock(&self.inner);
        let keys: Vec<usize> =
            inner.tasks.iter().filter(|(_, entry)| which(entry)).map(|(key, _)| key).collect();
        let mut gone = Vec::new();
        for key in keys {
            let entry = inner.tasks.remove(key);
            inner.apply(Event::TaskEnded);
            inner.totals.abandoned += 1;
            let leftover = self.leftover(&entry.task.meta().info, inner.state.phase, kind);
            inner.keep(leftover);
            gone.push(entry.task);
        }
        let closer = inner.quiet_closer();
        drop(inner);
        for task in &gone {
            task.shutdown();
        }
        if let Some(closer) = closer {
            closer.wake();
        }
        gone.len()
    }
}
