//! Every strategy with every kind and end; and for some families of children every state that can
//! be reached, against a model that knows only who runs.

use std::collections::{BTreeSet, HashSet};

use super::*;
use Restart::*;
use Strategy::*;

const STRATEGIES: [Strategy; 4] = [OneForOne, OneForAll, RestForOne, SimpleOneForOne];
const KINDS: [Restart; 3] = [Permanent, Transient, Temporary];
const MS: fn(u64) -> Duration = Duration::from_millis;

fn at(ms: u64) -> Time {
    Time::ZERO + MS(ms)
}

fn state(strategy: Strategy, intensity: u32, backoff: Backoff) -> State {
    State::new(strategy, Window::new(intensity, Duration::from_secs(1000)), backoff)
}

/// A state with its children told to start, and what was done for that.
fn with(mut state: State, children: &[(Restart, bool)]) -> (State, Vec<Action>) {
    let mut actions = Vec::new();
    for (n, &(restart, tells_ready)) in (0..).zip(children) {
        let traits = Traits { name: format!("c{n}").into(), restart, tells_ready };
        actions.extend(state.decide(Event::Add(ChildId(n), traits), Time::ZERO));
    }
    (state, actions)
}

fn start(n: u64) -> Action {
    Action::Start(ChildId(n))
}

fn stop(n: u64) -> Action {
    Action::Stop(ChildId(n))
}

fn forget(n: u64) -> Action {
    Action::Forget(ChildId(n))
}

/// Child `n` ends; everyone who is asked to stop does. Tells all that was done.
fn end_of(state: &mut State, n: u64, abnormal: bool, now: Time) -> Vec<Action> {
    let mut all = state.decide(Event::Ended { id: ChildId(n), abnormal }, now);
    let mut seen = 0;
    while seen < all.len() {
        if let Action::Stop(id) = all[seen] {
            all.extend(state.decide(Event::Ended { id, abnormal: true }, now));
        }
        seen += 1;
    }
    all
}

#[test]
fn every_strategy_does_with_every_kind_and_end_what_the_tables_say() {
    for strategy in STRATEGIES {
        for kind in KINDS {
            for abnormal in [false, true] {
                let family = [(Permanent, false), (kind, false), (Permanent, false)];
                let (mut state, started) = with(state(strategy, 1, Backoff::NONE), &family);
                assert_eq!(started, [start(0), start(1), start(2)]);
                let did = end_of(&mut state, 1, abnormal, at(1));
                let again = match kind {
                    Permanent => true,
                    Transient => abnormal,
                    Temporary => false,
                };
                let wanted = match (again, strategy) {
                    (true, OneForOne | SimpleOneForOne) => vec![start(1)],
                    (true, OneForAll) => vec![stop(2), stop(0), start(0), start(1), start(2)],
                    (true, RestForOne) => vec![stop(2), start(1), start(2)],
                    // Kept, for the day when its group is started again.
                    (false, OneForAll | RestForOne) if kind == Transient => vec![],
                    (false, _) => vec![forget(1)],
                };
                assert_eq!(did, wanted, "{strategy:?}, {kind:?}, abnormal: {abnormal}");
            }
        }
    }
}

#[test]
fn a_group_takes_a_temporary_along_only_down_and_a_done_transient_up_again() {
    let family = [(Permanent, false), (Temporary, false), (Transient, false)];
    let (mut state, _) = with(state(OneForAll, 9, Backoff::NONE), &family);
    assert_eq!(end_of(&mut state, 2, false, at(1)), []);
    let did = end_of(&mut state, 0, true, at(2));
    assert_eq!(did, [stop(1), forget(1), start(0), start(2)]);
}

#[test]
fn the_end_that_is_one_too_many_stops_all_in_reverse() {
    for strategy in STRATEGIES {
        let (mut state, _) = with(state(strategy, 2, Backoff::NONE), &[(Permanent, false); 3]);
        for n in 1..=2 {
            assert!(end_of(&mut state, 1, true, at(n)).contains(&start(1)), "{strategy:?}");
        }
        let did = end_of(&mut state, 1, true, at(3));
        let wanted = [stop(2), stop(0), forget(2), forget(0), Action::Finish(Ending::Escalated)];
        let in_turn = [stop(2), forget(2), stop(0), forget(0), Action::Finish(Ending::Escalated)];
        assert_eq!(did, if strategy == SimpleOneForOne { wanted } else { in_turn }, "{strategy:?}");
    }
}

#[test]
fn the_period_slides() {
    let window = Window::new(1, MS(10));
    let (mut state, _) = with(State::new(OneForOne, window, Backoff::NONE), &[(Permanent, false)]);
    assert_eq!(end_of(&mut state, 0, true, at(0)), [start(0)]);
    assert_eq!(end_of(&mut state, 0, true, at(11)), [start(0)]);
    assert_eq!(end_of(&mut state, 0, true, at(21)), [Action::Finish(Ending::Escalated)]);
}

#[test]
fn restarts_in_a_row_wait_longer_and_a_healthy_run_starts_over() {
    let window = Window::new(99, MS(10));
    let backoff = Backoff::exponential(MS(2), MS(50));
    let (mut state, _) = with(State::new(OneForOne, window, backoff), &[(Permanent, false)]);
    let mut now = 0;
    for wait in [2, 4, 8, 16, 32, 50, 50] {
        assert_eq!(end_of(&mut state, 0, true, at(now)), []);
        now += wait;
        assert_eq!(state.wake_at(), at(now));
        assert_eq!(state.decide(Event::Tick, at(now - 1)), []);
        assert_eq!(state.decide(Event::Tick, at(now)), [start(0)]);
    }
    // Longer than the period, but not than the cap.
    assert_eq!(end_of(&mut state, 0, true, at(now + 30)), []);
    assert_eq!(state.wake_at(), at(now + 80));
    assert_eq!(state.decide(Event::Tick, at(now + 80)), [start(0)]);
    assert_eq!(end_of(&mut state, 0, true, at(now + 131)), []);
    assert_eq!(state.wake_at(), at(now + 133));
}

#[test]
fn a_group_waits_for_the_back_off_of_whoever_failed() {
    let backoff = Backoff::exponential(MS(5), MS(5));
    let (mut state, _) = with(state(OneForAll, 9, backoff), &[(Permanent, false); 2]);
    assert_eq!(end_of(&mut state, 1, true, at(1)), [stop(0)]);
    assert_eq!(state.wake_at(), at(6));
    assert_eq!(state.decide(Event::Tick, at(6)), [start(0), start(1)]);
}

#[test]
fn who_waits_longer_for_itself_goes_on_doing_so_in_a_group() {
    let backoff = Backoff::exponential(MS(5), MS(100));
    let (mut state, _) = with(state(RestForOne, 9, backoff), &[(Permanent, false); 2]);
    assert_eq!(end_of(&mut state, 1, true, at(0)), []);
    assert_eq!(state.decide(Event::Tick, at(5)), [start(1)]);
    assert_eq!(end_of(&mut state, 1, true, at(5)), []);
    assert_eq!(end_of(&mut state, 0, true, at(6)), []);
    assert_eq!(state.decide(Event::Tick, at(11)), [start(0)]);
    assert_eq!(state.wake_at(), at(15));
    assert_eq!(state.decide(Event::Tick, at(15)), [start(1)]);
}

#[test]
fn those_after_wait_for_ready_through_failed_starts() {
    for strategy in [OneForOne, OneForAll, RestForOne] {
        let family = [(Permanent, true), (Permanent, false)];
        let (mut state, started) = with(state(strategy, 9, Backoff::NONE), &family);
        assert_eq!(started, [start(0)]);
        assert_eq!(end_of(&mut state, 0, true, at(1)), [start(0)], "{strategy:?}");
        assert_eq!(state.decide(Event::Ready(ChildId(0)), at(2)), [start(1)]);
        // Up once, it does not hold an independent sibling any more.
        assert!(end_of(&mut state, 0, true, at(3)).contains(&start(0)));
        let did = end_of(&mut state, 1, true, at(4));
        assert_eq!(did.contains(&start(1)), strategy == OneForOne, "{strategy:?}");
    }
    let (_, started) = with(state(SimpleOneForOne, 9, Backoff::NONE), &[(Permanent, true); 2]);
    assert_eq!(started, [start(0), start(1)]);
}

#[test]
fn one_that_is_removed_stops_at_once_and_does_not_come_back() {
    for strategy in STRATEGIES {
        let (mut state, _) = with(state(strategy, 9, Backoff::NONE), &[(Permanent, false); 3]);
        assert_eq!(state.decide(Event::Remove(ChildId(1)), at(1)), [stop(1)]);
        assert_eq!(state.decide(Event::Remove(ChildId(1)), at(1)), []);
        assert_eq!(end_of(&mut state, 1, true, at(2)), [forget(1)], "{strategy:?}");
        assert_eq!(state.decide(Event::Remove(ChildId(1)), at(3)), []);
        assert!(end_of(&mut state, 0, true, at(4)).contains(&start(0)));
    }
    let backoff = Backoff::exponential(MS(5), MS(5));
    let (mut state, _) = with(state(OneForOne, 9, backoff), &[(Permanent, false)]);
    assert_eq!(end_of(&mut state, 0, true, at(1)), []);
    assert_eq!(state.decide(Event::Remove(ChildId(0)), at(2)), [forget(0)]);
    assert_eq!(state.wake_at(), Time::MAX);
}

#[test]
fn a_request_ends_a_back_off() {
    for strategy in STRATEGIES {
        let backoff = Backoff::exponential(MS(5), MS(5));
        let (mut state, _) = with(state(strategy, 9, backoff), &[(Permanent, false)]);
        assert_eq!(end_of(&mut state, 0, true, at(1)), []);
        assert_eq!(state.decide(Event::Request, at(2)), [Action::Finish(Ending::Requested)]);
    }
}

/// Who runs, as one sees who only hears the actions.
#[derive(Clone, Debug, Default)]
struct World {
    runs: BTreeSet<ChildId>,
    asked: BTreeSet<ChildId>,
    unready: BTreeSet<ChildId>,
    starts: [u32; 3],
    now: Time,
    finished: bool,
}

impl World {
    /// Checks the actions that `event` led to.
    fn hear(&mut self, before: &State, event: &Event, actions: &[Action], state: &State) {
        let ordered = state.strategy != SimpleOneForOne;
        let removing = |id| matches!(event, Event::Remove(removed) if *removed == id);
        let mut stops = 0;
        for &action in actions {
            assert!(!self.finished);
            match action {
                Action::Start(id) => {
                    assert!(self.runs.insert(id), "started twice");
                    assert!(state.ending.is_none(), "started though it ends");
                    let traits = &state.children[&id].traits;
                    self.starts[id.0 as usize] += 1;
                    assert!(traits.restart != Temporary || self.starts[id.0 as usize] == 1);
                    if traits.tells_ready {
                        self.unready.insert(id);
                    }
                    if state.strategy.is_grouped() {
                        assert!(self.asked.is_empty(), "started before all were stopped");
                        assert!(self.unready.range(..id).next().is_none(), "started before its turn");
                        assert!(
                            self.runs
                                .range((std::ops::Bound::Excluded(id), std::ops::Bound::Unbounded))
                                .next()
                                .is_none()
                        );
                    }
                }
                Action::Stop(id) => {
                    assert!(self.runs.contains(&id) && self.asked.insert(id), "stopped what does not run");
                    if !removing(id) {
                        stops += 1;
                        let last = self.runs.last() == Some(&id);
                        assert!(last || !ordered, "stopped before its turn");
                        assert!(state.strategy != OneForOne || state.ending.is_some());
                    }
                }
                Action::Forget(id) => assert!(!self.runs.contains(&id) && !state.children.contains_key(&id)),
                Action::Finish(ending) => {
                    assert!(self.runs.is_empty());
                    assert_eq!(state.ending, Some(ending));
                    self.finished = true;
                }
            }
        }
        assert!(stops <= 1 || !ordered, "two stopped at once");
        assert_eq!(self.finished, state.ending.is_some() && self.runs.is_empty());
        assert_eq!(state.alive, self.runs.len());
        assert!(before.ending <= state.ending, "an ending was taken back");
        let waits = |(_, child): &(&ChildId, &Child)| matches!(child.phase, Phase::Waiting(_));
        assert_eq!(state.due.len(), state.children.iter().filter(waits).count());
        // Whoever waits waits for something that will come.
        if !state.due.is_empty() {
            let turn = !self.asked.is_empty() || !self.unready.is_empty();
            assert!(turn || state.wake_at() < Time::MAX, "nothing will start {:?}", state.due);
            assert!(state.wake_at() > self.now, "overdue");
        }
        // Nobody is condemned without being stopped, or waiting for one that is.
        let doomed = state.children.values().any(|child| child.runs() && child.doomed());
        assert_eq!(doomed, !self.asked.is_empty());
    }
}

fn events(state: &State, world: &World) -> Vec<Event> {
    let mut events = vec![Event::Request, Event::Sealed, Event::Tick];
    for &id in &world.runs {
        events.extend([false, true].map(|abnormal| Event::Ended { id, abnormal }));
    }
    events.extend(world.unready.iter().map(|&id| Event::Ready(id)));
    events.extend(state.children.keys().map(|&id| Event::Remove(id)));
    events
}

/// Visits every state that can be reached, and tells how many those are.
fn explore(strategy: Strategy, intensity: u32, family: &[(Restart, bool)]) -> usize {
    let backoff = Backoff::exponential(MS(1), MS(2));
    let mut first = state(strategy, intensity, backoff);
    let mut world = World::default();
    for (n, &(restart, tells_ready)) in (0..).zip(family) {
        let event = Event::Add(ChildId(n), Traits { name: "x".into(), restart, tells_ready });
        let before = first.clone();
        let actions = first.decide(event.clone(), Time::ZERO);
        world.hear(&before, &event, &actions, &first);
    }
    let mut seen = HashSet::new();
    let mut todo = vec![(first, world)];
    while let Some((state, world)) = todo.pop() {
        if world.finished {
            continue;
        }
        for event in events(&state, &world) {
            let (mut next, mut after) = (state.clone(), world.clone());
            match event {
                Event::Ended { id, .. } => {
                    after.runs.remove(&id);
                    after.asked.remove(&id);
                    after.unready.remove(&id);
                }
                Event::Ready(id) => drop(after.unready.remove(&id)),
                Event::Tick if state.wake_at() < Time::MAX => after.now = state.wake_at(),
                _ => {}
            }
            let actions = next.decide(event.clone(), after.now);
            after.hear(&state, &event, &actions, &next);
            if seen.insert(format!("{next:?}{after:?}")) {
                todo.push((next, after));
            }
        }
    }
    seen.len()
}

#[test]
fn every_state_that_can_be_reached_keeps_the_promises() {
    let mixed = [(Permanent, false), (Transient, true), (Temporary, false)];
    let turned = [(Temporary, true), (Permanent, true), (Transient, false)];
    let mut visited = 0;
    for strategy in STRATEGIES {
        visited += explore(strategy, 1, &mixed) + explore(strategy, 1, &turned);
        for a in KINDS {
            for b in KINDS {
                visited += explore(strategy, 2, &[(a, true), (b, false)]);
            }
        }
    }
    assert!(visited > 10_000, "only {visited} states");
}
