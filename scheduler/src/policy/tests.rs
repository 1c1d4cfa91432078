//! The bounds, by exhaustion: every reachable state, every input an adversary can choose.

use super::*;
use std::collections::{HashMap, HashSet};

/// All eight inputs.
fn inputs() -> impl Iterator<Item = Waiting> {
    (0..8).map(|bits| Waiting { cancel: bits & 1 != 0, timed: bits & 2 != 0, ready: bits & 4 != 0 })
}

const LANES: [Choice; 3] = [Choice::Cancel, Choice::Timed, Choice::Ready];

fn waits(waiting: Waiting, lane: Choice) -> bool {
    match lane {
        Choice::Cancel => waiting.cancel,
        Choice::Timed => waiting.timed,
        Choice::Ready => waiting.ready,
    }
}

/// The policy, and how many successive picks have passed over each lane while it waited.
type State = (Policy, [u32; 3]);

/// Every state that some sequence of inputs leads to. Beyond `limit` a wait is no longer told
/// apart, so the search ends also for a policy that starves.
fn reachable(limit: u32) -> HashSet<State> {
    let start = (Policy::new(), [0; 3]);
    let mut seen = HashSet::from([start]);
    let mut frontier = vec![start];
    while let Some((policy, passed)) = frontier.pop() {
        for waiting in inputs() {
            let next = match policy.pick(waiting) {
                None => (policy, [0; 3]),
                Some((choice, policy)) => {
                    let mut passed = passed;
                    for (lane, passed) in LANES.into_iter().zip(&mut passed) {
                        *passed =
                            if waits(waiting, lane) && lane != choice { limit.min(*passed + 1) } else { 0 };
                    }
                    (policy, passed)
                }
            };
            if seen.insert(next) {
                frontier.push(next);
            }
        }
    }
    seen
}

#[test]
fn no_lane_waits_longer_than_its_bound_and_each_bound_is_reached() {
    let states = reachable(1000);
    let longest = [0, 1, 2].map(|lane| states.iter().map(|(_, passed)| passed[lane]).max());
    assert_eq!(longest, [CANCEL_BOUND, TIMED_BOUND, READY_BOUND].map(Some));
    assert_eq!([CANCEL_BOUND, TIMED_BOUND, READY_BOUND], [2, 17, 17]); // as documented
}

#[test]
fn pick_is_total_and_picks_only_what_waits() {
    for (policy, _) in reachable(1000) {
        assert!(policy.over_timed <= CANCEL_BURST && policy.over_ready <= TIMED_BURST);
        for waiting in inputs() {
            match policy.pick(waiting) {
                None => assert_eq!(waiting, Waiting::default()),
                Some((choice, _)) => assert!(waits(waiting, choice)),
            }
        }
    }
}

#[test]
fn priority_is_strict_unless_a_lane_is_due() {
    for (policy, passed) in reachable(1000) {
        for waiting in inputs() {
            let highest = LANES.into_iter().find(|&lane| waits(waiting, lane));
            let Some((choice, _)) = policy.pick(waiting) else {
                continue;
            };
            if Some(choice) != highest {
                // Passed over that often without a pause, in fact and not only by the counter,
                // unless the pause was a moment with nothing at all to run.
                let due = [0, CANCEL_BURST, TIMED_BURST][choice as usize];
                let counted = [0, policy.over_timed, policy.over_ready][choice as usize];
                assert!(due > 0 && counted >= due, "{policy:?} {passed:?} {waiting:?}");
            }
        }
    }
}

#[test]
fn ready_alone_leaves_no_trace() {
    for (policy, _) in reachable(1000) {
        let alone = Waiting { ready: true, ..Waiting::default() };
        assert_eq!(policy.pick(alone), Some((Choice::Ready, Policy::new())));
    }
}

/// With fixed inputs the picks are periodic; counts the lanes over one period.
fn shares(waiting: Waiting) -> ([usize; 3], usize) {
    let (mut policy, mut picks, mut seen) = (Policy::new(), Vec::new(), HashMap::new());
    loop {
        if let Some(start) = seen.insert(policy, picks.len()) {
            let period = &picks[start..];
            let count = |lane| period.iter().filter(|&&pick| pick == lane).count();
            return (LANES.map(count), period.len());
        }
        let (choice, next) = policy.pick(waiting).unwrap();
        picks.push(choice);
        policy = next;
    }
}

#[test]
fn shares_under_a_flood() {
    let flood = |cancel, timed, ready| shares(Waiting { cancel, timed, ready });
    assert_eq!(flood(true, false, true), ([16, 0, 1], 17));
    assert_eq!(flood(true, true, false), ([16, 1, 0], 17));
    assert_eq!(flood(false, true, true), ([0, 16, 1], 17));
    assert_eq!(flood(true, true, true), ([16, 1, 1], 18));
}
