//! Whose turn it is: who is stopped next, and who may start now.

use super::{Child, Phase, State};
use crate::supervise::event::Action;
use crate::supervise::policy::ChildId;
use crate::time::Time;

impl State {
    /// Stops the last of those to be stopped; when there is none, starts those whose turn it is.
    pub(super) fn plan(&mut self, now: Time, actions: &mut Vec<Action>) {
        self.wake_at = Time::MAX;
        let last = self.children.iter().rev().find(|(_, child)| child.runs() && child.doomed());
        if let Some((&id, child)) = last {
            let orderly = self.strategy.is_grouped() || self.ending.is_some();
            if orderly && child.phase != Phase::Stopping {
                self.set(id, Phase::Stopping);
                actions.push(Action::Stop(id));
            }
            if orderly {
                return;
            }
        }
        if self.due.is_empty() {
            return;
        }
        let grouped = self.strategy.is_grouped();
        let mut held = false;
        let ids: Vec<ChildId> = self.children.keys().copied().collect();
        for id in ids {
            let child = &self.children[&id];
            // Once booted, children of an ungrouped strategy know nothing of each other.
            let orderly = grouped || !child.booted;
            match child.phase {
                Phase::Waiting(_) if held && orderly => {}
                Phase::Waiting(at) if at <= now => self.start(id, now, actions),
                Phase::Waiting(at) => self.wake_at = self.wake_at.min(at),
                _ => {}
            }
            let phase = self.children[&id].phase;
            held |= orderly && matches!(phase, Phase::Waiting(_) | Phase::Starting);
        }
    }

    /// As [`plan`](Self::plan) for children without order, and without looking at all of them.
    pub(super) fn plan_unordered(&mut self, now: Time, actions: &mut Vec<Action>) {
        if self.ending.is_some() {
            let up = |child: &Child| matches!(child.phase, Phase::Starting | Phase::Up);
            let all = self.children.iter().rev().filter(|(_, child)| up(child));
            for id in all.map(|(&id, _)| id).collect::<Vec<_>>() {
                self.set(id, Phase::Stopping);
                actions.push(Action::Stop(id));
            }
        }
        while let Some(&(at, id)) = self.due.first()
            && at <= now
        {
            self.start(id, now, actions);
        }
        self.wake_at = self.due.first().map_or(Time::MAX, |&(at, _)| at);
    }
}
