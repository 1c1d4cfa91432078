//! What a supervisor decides, as a pure step: [`State::decide`] takes what happened and when, and
//! tells what to do. The driver does that, and nothing else.
//!
//! ```text
//!              start                 ready
//!   Waiting ----------> Starting ------------> Up
//!      ^                   |                   |
//!      | retry             | end by itself     |     stop            end
//!      +-------------------+-------------------+----------> Stopping ----> by its fate
//! ```
//!
//! Invariants:
//! 1. `alive` counts the children that run (Starting, Up, Stopping); `due` holds those that wait.
//! 2. A child with a fate other than `Stay` runs, and is stopped or about to be.
//! 3. Grouped strategies start nothing while anything is yet to be stopped.
//! 4. Once `ending` is set nothing is started, and the last end of a child finishes.

mod plan;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::backoff::Backoff;
use super::event::{Action, Ending, Event, Traits};
use super::policy::{ChildId, Restart, Strategy};
use super::window::Window;
use crate::time::Time;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It is done, but would be started again with its group.
    Down,
    /// To be started at this time, or when its turn comes.
    Waiting(Time),
    /// It runs, and has not told yet that it is ready.
    Starting,
    Up,
    /// It was asked to stop.
    Stopping,
}

/// What becomes of a child once it has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// As its kind says.
    Stay,
    /// It is started again at this time.
    Again(Time),
    Forget,
}

#[derive(Clone, Debug)]
pub(super) struct Child {
    pub(super) traits: Traits,
    pub(super) phase: Phase,
    fate: Fate,
    /// It has been up once, so those after it need not wait for it any more (ungrouped).
    booted: bool,
    started_at: Time,
    /// Restarts in a row: what the back-off goes by.
    streak: u32,
    /// Restarts of its own making.
    pub(super) restarts: u64,
}

#[derive(Clone, Debug)]
pub(super) struct State {
    strategy: Strategy,
    pub(super) window: Window,
    backoff: Backoff,
    pub(super) children: BTreeMap<ChildId, Child>,
    due: BTreeSet<(Time, ChildId)>,
    alive: usize,
    sealed: bool,
    pub(super) ending: Option<Ending>,
    wake_at: Time,
}

impl Child {
    fn runs(&self) -> bool {
        matches!(self.phase, Phase::Starting | Phase::Up | Phase::Stopping)
    }

    fn doomed(&self) -> bool {
        self.fate != Fate::Stay
    }
}

impl State {
    pub(super) fn new(strategy: Strategy, window: Window, backoff: Backoff) -> Self {
        State {
            strategy,
            window,
            backoff,
            children: BTreeMap::new(),
            due: BTreeSet::new(),
            alive: 0,
            sealed: false,
            ending: None,
            wake_at: Time::MAX,
        }
    }

    /// When to say [`Event::Tick`]; [`Time::MAX`] for never.
    pub(super) fn wake_at(&self) -> Time {
        self.wake_at
    }

    /// Takes in what happened at `now`, and tells what to do.
    #[must_use]
    pub(super) fn decide(&mut self, event: Event, now: Time) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::Add(id, traits) if self.ending.is_none() => self.add(id, traits, now),
            Event::Remove(id) => self.remove(id, &mut actions),
            Event::Ready(id) => {
                if self.children.get(&id).is_some_and(|child| child.phase == Phase::Starting) {
                    self.up(id);
                }
            }
            Event::Ended { id, abnormal } => self.ended(id, abnormal, now, &mut actions),
            Event::Sealed => self.sealed = true,
            Event::Request => self.end(Ending::Requested),
            Event::Add(..) | Event::Tick => {}
        }
        match self.strategy {
            Strategy::SimpleOneForOne => self.plan_unordered(now, &mut actions),
            _ => self.plan(now, &mut actions),
        }
        if self.alive == 0 && self.due.is_empty() && self.sealed {
            self.ending.get_or_insert(Ending::Done);
        }
        if let (0, Some(ending)) = (self.alive, self.ending) {
            actions.push(Action::Finish(ending));
        }
        actions
    }

    fn add(&mut self, id: ChildId, traits: Traits, now: Time) {
        let child = Child {
            traits,
            phase: Phase::Down,
            fate: Fate::Stay,
            booted: false,
            started_at: now,
            streak: 0,
            restarts: 0,
        };
        self.children.insert(id, child);
        self.set(id, Phase::Waiting(now));
    }

    /// At once, whatever else is being stopped: whoever asks waits for this one only.
    fn remove(&mut self, id: ChildId, actions: &mut Vec<Action>) {
        let Some(child) = self.children.get_mut(&id) else { return };
        if !child.runs() {
            return self.forget(id, actions);
        }
        child.fate = Fate::Forget;
        if child.phase != Phase::Stopping {
            self.set(id, Phase::Stopping);
            actions.push(Action::Stop(id));
        }
    }

    fn ended(&mut self, id: ChildId, abnormal: bool, now: Time, actions: &mut Vec<Action>) {
        let Some(child) = self.children.get(&id).filter(|child| child.runs()) else { return };
        let fate = child.fate;
        self.set(id, Phase::Down);
        match fate {
            Fate::Forget => self.forget(id, actions),
            Fate::Again(at) => self.set(id, Phase::Waiting(at)),
            Fate::Stay => self.ended_by_itself(id, abnormal, now, actions),
        }
    }

    fn ended_by_itself(&mut self, id: ChildId, abnormal: bool, now: Time, actions: &mut Vec<Action>) {
        let child = &self.children[&id];
        if !child.traits.restart.applies(abnormal) {
            // Only its group could bring it back.
            if !self.strategy.is_grouped() || child.traits.restart == Restart::Temporary {
                self.forget(id, actions);
            }
            return;
        }
        if !self.window.admit(now) {
            return self.end(Ending::Escalated);
        }
        let healthy = self.window.period.max(self.backoff.cap());
        let at = now + self.count_restart(id, now, healthy);
        self.set(id, Phase::Waiting(at));
        let others: Vec<ChildId> = match self.strategy {
            Strategy::OneForOne | Strategy::SimpleOneForOne => return,
            Strategy::OneForAll => self.children.keys().copied().filter(|&other| other != id).collect(),
            Strategy::RestForOne => self.children.keys().copied().filter(|&other| other > id).collect(),
        };
        for other in others {
            self.restart_with_group(other, at);
        }
    }

    /// Counts a restart, and tells how long the child has to wait for it.
    fn count_restart(&mut self, id: ChildId, now: Time, healthy: Duration) -> Duration {
        let backoff = self.backoff;
        let Some(child) = self.children.get_mut(&id) else { return Duration::ZERO };
        child.restarts += 1;
        child.streak = if now - child.started_at > healthy { 1 } else { child.streak.saturating_add(1) };
        backoff.delay(&child.traits.name, child.streak)
    }

    fn restart_with_group(&mut self, id: ChildId, at: Time) {
        let Some(child) = self.children.get_mut(&id) else { return };
        match (child.phase, child.fate) {
            (Phase::Down, _) => self.set(id, Phase::Waiting(at)),
            (Phase::Waiting(earlier), _) => self.set(id, Phase::Waiting(at.max(earlier))),
            // Its turn comes after that of the child it was stopped for, anyway.
            (_, Fate::Forget | Fate::Again(_)) => {}
            (_, Fate::Stay) if child.traits.restart == Restart::Temporary => child.fate = Fate::Forget,
            (_, Fate::Stay) => child.fate = Fate::Again(at),
        }
    }

    /// From here on children only stop.
    fn end(&mut self, ending: Ending) {
        self.ending = self.ending.max(Some(ending));
        for (_, id) in std::mem::take(&mut self.due) {
            self.set(id, Phase::Down);
        }
        for child in self.children.values_mut().filter(|child| child.runs()) {
            child.fate = Fate::Forget;
        }
    }

    fn start(&mut self, id: ChildId, now: Time, actions: &mut Vec<Action>) {
        actions.push(Action::Start(id));
        let Some(child) = self.children.get_mut(&id) else { return };
        child.started_at = now;
        child.fate = Fate::Stay;
        if child.traits.tells_ready {
            self.set(id, Phase::Starting);
        } else {
            self.up(id);
        }
    }

    fn up(&mut self, id: ChildId) {
        self.set(id, Phase::Up);
        if let Some(child) = self.children.get_mut(&id) {
            child.booted = true;
        }
    }

    fn forget(&mut self, id: ChildId, actions: &mut Vec<Action>) {
        self.set(id, Phase::Down);
        self.children.remove(&id);
        actions.push(Action::Forget(id));
    }

    /// The only place where a phase changes.
    fn set(&mut self, id: ChildId, phase: Phase) {
        let Some(child) = self.children.get_mut(&id) else { return };
        if let Phase::Waiting(at) = child.phase {
            self.due.remove(&(at, id));
        }
        self.alive -= usize::from(child.runs());
        child.phase = phase;
        if !child.runs() {
            child.fate = Fate::Stay;
        }
        self.alive += usize::from(child.runs());
        if let Phase::Waiting(at) = phase {
            self.due.insert((at, id));
        }
    }
}

#[cfg(test)]
mod tests;
