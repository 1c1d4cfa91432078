//! The life of a region as a pure step: no clock, no locks, no wakers.
//!
//! ```text
//!            Request            Drain             Finalize            Close
//!   Open ─────────────▶ Requested ────▶ Draining ──────────▶ Finalizing ─────▶ Closed
//!   Spawn, OpenChild    those that work in flight needs      StartFinalizer,
//!   TasksEnded, ChildClosed, Defer                           EndFinalizer, Defer,
//!   Reserve, Resolve                                         Resolve
//! ```
//!
//! Every change of a region goes through [`State::step`]; `None` means that the event is refused
//! and nothing changes. Invariants, each checked by exhaustion in the tests below:
//!
//! 1. The phase's rank never goes down, and goes up by one at most.
//! 2. `Finalizing` and later: no body, no task, no child.
//! 3. `Closed`: no finalizer is registered or running either, and no obligation is reserved.
//! 4. A task or child is admitted until the region is quiet after Request. That only work in flight
//!    asks for one after Request is seen to by the scope of whoever asks. An obligation is reserved
//!    until the region is quiet, and resolved until it is Closed: each goes from reserved to exactly
//!    one of committed and aborted.

use crate::obligation::Resolution;

/// How far a region's life has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Takes tasks and child regions.
    Open,
    /// Was asked to close; those inside are being told.
    Requested,
    /// Waits for tasks and child regions to end.
    Draining,
    /// Runs its finalizers, the last registered first.
    Finalizing,
    /// Nothing is left.
    Closed,
}

/// What a region owns, as counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// How far it has gone.
    pub phase: Phase,
    /// Its body still runs.
    pub body: bool,
    /// Live tasks; while the body runs only children in the region's own future are counted.
    pub tasks: u64,
    /// Child regions that are not Closed.
    pub children: u64,
    /// Finalizers registered and not started.
    pub finalizers: u64,
    /// A finalizer is running.
    pub finalizing: bool,
    /// Obligations detached and not resolved.
    pub obligations: u64,
}

/// What can happen to a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// So many tasks are admitted, or counted.
    Spawn(u64),
    /// So many tasks are gone.
    TasksEnded(u64),
    /// A child region is admitted.
    OpenChild,
    /// A child region is Closed.
    ChildClosed,
    /// A finalizer is registered.
    Defer,
    /// The body is gone.
    BodyEnded,
    /// Somebody asks it to close.
    Request,
    /// Those inside have been told.
    Drain,
    /// Nothing runs in it any more.
    Finalize,
    /// The last registered finalizer starts.
    StartFinalizer,
    /// The running finalizer is gone.
    EndFinalizer,
    /// An obligation is detached.
    Reserve,
    /// An obligation is committed or aborted.
    Resolve(Resolution),
    /// Nothing is left.
    Close,
}

impl State {
    /// A region whose body is about to run.
    pub const OPEN: State = State {
        phase: Phase::Open,
        body: true,
        tasks: 0,
        children: 0,
        finalizers: 0,
        finalizing: false,
        obligations: 0,
    };

    /// The state after `event`, or `None` if it is refused here.
    #[inline]
    #[must_use]
    pub fn step(self, event: Event) -> Option<State> {
        use Phase::*;
        let mut next = self;
        let allowed = match event {
            Event::Spawn(tasks) => {
                next.tasks += tasks;
                self.phase <= Draining
            }
            Event::OpenChild => {
                next.children += 1;
                self.phase <= Draining
            }
            Event::TasksEnded(tasks) => {
                next.tasks = self.tasks.checked_sub(tasks)?;
                self.phase <= Draining
            }
            Event::ChildClosed => {
                next.children = self.children.checked_sub(1)?;
                self.phase <= Draining
            }
            Event::Defer => {
                next.finalizers += 1;
                self.phase < Closed
            }
            Event::BodyEnded => {
                next.body = false;
                self.body
            }
            Event::Request => {
                next.phase = self.phase.max(Requested);
                true
            }
            Event::Drain => {
                next.phase = Draining;
                self.phase == Requested
            }
            Event::Finalize => {
                next.phase = Finalizing;
                self.phase == Draining && self.is_quiet()
            }
            Event::StartFinalizer => {
                next.finalizers = self.finalizers.checked_sub(1)?;
                next.finalizing = true;
                self.phase == Finalizing && !self.finalizing
            }
            Event::EndFinalizer => {
                next.finalizing = false;
                self.finalizing
            }
            Event::Reserve => {
                next.obligations += 1;
                self.phase <= Draining
            }
            // Either way it is reserved no more; which way it went is for the totals.
            Event::Resolve(_) => {
                next.obligations = self.obligations.checked_sub(1)?;
                self.phase < Closed
            }
            Event::Close => {
                next.phase = Closed;
                self.phase == Finalizing && self.is_empty()
            }
        };
        allowed.then_some(next)
    }

    /// No body, task or child region is left.
    pub fn is_quiet(self) -> bool {
        !self.body && self.tasks == 0 && self.children == 0
    }

    /// No finalizer or obligation is left.
    fn is_empty(self) -> bool {
        self.finalizers == 0 && !self.finalizing && self.obligations == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    const EVENTS: [Event; 17] = [
        Event::Spawn(1),
        Event::Spawn(2),
        Event::TasksEnded(1),
        Event::TasksEnded(2),
        Event::OpenChild,
        Event::ChildClosed,
        Event::Defer,
        Event::BodyEnded,
        Event::Request,
        Event::Drain,
        Event::Finalize,
        Event::StartFinalizer,
        Event::EndFinalizer,
        Event::Reserve,
        Event::Resolve(Resolution::Committed),
        Event::Resolve(Resolution::Aborted),
        Event::Close,
    ];

    /// Every state reachable with at most three of anything.
    fn reachable() -> Vec<(State, Event, State)> {
        let mut seen = HashSet::from([State::OPEN]);
        let mut todo = vec![State::OPEN];
        let mut edges = Vec::new();
        while let Some(state) = todo.pop() {
            for event in EVENTS {
                let Some(next) = state.step(event) else { continue };
                if next.tasks.max(next.children).max(next.finalizers).max(next.obligations) > 3 {
                    continue;
                }
                edges.push((state, event, next));
                if seen.insert(next) {
                    todo.push(next);
                }
            }
        }
        edges
    }

    #[test]
    fn phases_go_up_one_at_a_time() {
        for (from, event, to) in reachable() {
            let rise = to.phase as i32 - from.phase as i32;
            assert!((0..=1).contains(&rise), "{from:?} -{event:?}-> {to:?}");
        }
    }

    #[test]
    fn finalizing_means_quiet_and_closed_means_empty() {
        for (_, _, state) in reachable() {
            if state.phase >= Phase::Finalizing {
                assert!(state.is_quiet(), "{state:?}");
            }
            if state.phase == Phase::Closed {
                assert!(state.finalizers == 0 && !state.finalizing, "{state:?}");
                assert_eq!(state.obligations, 0, "{state:?}");
            }
        }
    }

    #[test]
    fn nothing_is_admitted_once_quiet() {
        for (from, event, _) in reachable() {
            if matches!(event, Event::Spawn(_) | Event::OpenChild) {
                assert!(from.phase < Phase::Finalizing);
            }
        }
    }

    /// Along every path with at most three obligations: what was reserved is still reserved, or was
    /// committed, or was aborted, and at Closed it is one of the latter two.
    #[test]
    fn each_obligation_goes_from_reserved_to_exactly_one_of_committed_and_aborted() {
        let mut seen = HashSet::from([(State::OPEN, [0_u64; 3])]);
        let mut todo: Vec<_> = seen.iter().copied().collect();
        let mut ends = HashSet::new();
        while let Some((state, told)) = todo.pop() {
            for event in EVENTS {
                let (Some(next), mut told) = (state.step(event), told) else { continue };
                match event {
                    Event::Reserve => told[0] += 1,
                    Event::Resolve(Resolution::Committed) => told[1] += 1,
                    Event::Resolve(Resolution::Aborted) => told[2] += 1,
                    _ => assert_eq!(next.obligations, state.obligations, "{state:?} -{event:?}-> {next:?}"),
                }
                if told[0] > 3 || next.tasks + next.children + next.finalizers > 1 {
                    continue;
                }
                let [reserved, committed, aborted] = told;
                assert_eq!(reserved, committed + aborted + next.obligations, "{next:?} {told:?}");
                if next.phase == Phase::Closed {
                    assert_eq!(reserved, committed + aborted, "{next:?} {told:?}");
                    ends.insert(told);
                }
                if seen.insert((next, told)) {
                    todo.push((next, told));
                }
            }
        }
        // Every way in which up to three can end does occur.
        assert_eq!(ends.len(), 1 + 2 + 3 + 4);
    }

    #[test]
    fn an_obligation_is_reserved_until_the_region_is_quiet_and_resolved_until_it_is_closed() {
        for (from, event, to) in reachable() {
            match event {
                Event::Reserve => assert!(from.phase < Phase::Finalizing, "{from:?}"),
                Event::Resolve(_) => {
                    assert!(from.phase < Phase::Closed && to.phase == from.phase, "{from:?}")
                }
                _ => {}
            }
            if from.obligations > 0 && from.phase < Phase::Closed {
                assert!(from.step(Event::Resolve(Resolution::Aborted)).is_some(), "{from:?}");
            }
        }
    }

    #[test]
    fn closed_is_reachable_from_every_state() {
        let edges = reachable();
        let mut closing: HashSet<State> =
            edges.iter().map(|(_, _, to)| *to).filter(|s| s.phase == Phase::Closed).collect();
        loop {
            let before = closing.len();
            closing.extend(
                edges
                    .iter()
                    .filter(|(_, _, to)| closing.contains(to))
                    .map(|(from, ..)| *from)
                    .collect::<Vec<_>>(),
            );
            if closing.len() == before {
                break;
            }
        }
        for (from, ..) in edges {
            assert!(closing.contains(&from), "{from:?} can never close");
        }
    }
}
