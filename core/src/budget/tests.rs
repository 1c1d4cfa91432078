//! The laws of the product, by exhaustion over small values, and the arithmetic of quotas.

use super::*;

const MS: fn(u64) -> Duration = Duration::from_millis;

fn at(ms: u64) -> Time {
    Time::ZERO + MS(ms)
}

/// Every budget whose limits are absent, 0, 1 or 2.
fn all() -> Vec<Budget> {
    let limits = [None, Some(0), Some(1), Some(2)];
    let priorities = [Priority::LOWEST, Priority::new(1), Priority::HIGHEST];
    let mut all = Vec::new();
    for timeout in limits.map(|ms| ms.map(MS)) {
        for deadline in limits.map(|ms| ms.map(at)) {
            for polls in [None, Some(0), Some(1)] {
                for cost in [None, Some(0), Some(1)] {
                    all.extend(priorities.map(|priority| Budget {
                        timeout,
                        deadline,
                        polls,
                        cost,
                        priority,
                    }));
                }
            }
        }
    }
    all
}

/// `None` is no limit, so it is above every limit.
fn at_most<T: Ord>(a: Option<T>, b: Option<T>) -> bool {
    match (a, b) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(a), Some(b)) => a <= b,
    }
}

/// `a` allows nothing that `b` does not.
fn within(a: Budget, b: Budget) -> bool {
    at_most(a.timeout, b.timeout)
        && at_most(a.deadline, b.deadline)
        && at_most(a.polls, b.polls)
        && at_most(a.cost, b.cost)
        && a.priority <= b.priority
}

#[test]
fn meet_is_idempotent_commutative_and_the_greatest_lower_bound() {
    let all = all();
    for &a in &all {
        assert_eq!(a.meet(a), a);
        assert_eq!(a.meet(Budget::UNLIMITED), a);
        for &b in &all {
            let met = a.meet(b);
            assert_eq!(met, b.meet(a));
            assert!(within(met, a) && within(met, b), "{a} meet {b} grew to {met}");
            assert_eq!(within(a, b), met == a, "{a} against {b}");
            for now in [0, 1, 3].map(at) {
                assert_eq!(met.deadline_from(now), a.deadline_from(now).min(b.deadline_from(now)));
                assert!(met.deadline_from(now) >= now, "one that is over ends when it begins");
            }
        }
    }
}

#[test]
fn meet_is_associative() {
    // Each component by itself, with all values of that component: meet never mixes components.
    let all = all();
    let same_but = |a: &Budget, n: usize| {
        let top = Budget::UNLIMITED;
        let of = [
            Budget { timeout: a.timeout, ..top },
            Budget { deadline: a.deadline, ..top },
            Budget { polls: a.polls, ..top },
            Budget { cost: a.cost, ..top },
            Budget { priority: a.priority, ..top },
        ];
        of[n]
    };
    for n in 0..5 {
        let mut some: Vec<Budget> = Vec::new();
        for budget in all.iter().map(|budget| same_but(budget, n)) {
            if !some.contains(&budget) {
                some.push(budget);
            }
        }
        for &a in &some {
            for &b in &some {
                for &c in &some {
                    assert_eq!(a.meet(b).meet(c), a.meet(b.meet(c)));
                }
            }
        }
    }
    // And a sample of products.
    for (a, b, c) in
        (0..all.len()).map(|n| (all[n], all[(n * 7 + 3) % all.len()], all[(n * 31 + 5) % all.len()]))
    {
        assert_eq!(a.meet(b).meet(c), a.meet(b.meet(c)));
    }
}

#[test]
fn a_clock_that_has_started_keeps_the_end() {
    for budget in all() {
        let started = budget.starting_at(at(1));
        assert_eq!(started.end(), budget.deadline_from(at(1)));
        assert_eq!(started.until().is_none(), budget.timeout.is_none() && budget.deadline.is_none());
        assert_eq!(started.starting_at(at(0)), started);
        assert_eq!(started.quotas(), budget.quotas());
        assert_eq!(started.priority(), budget.priority());
    }
}

#[test]
fn a_charge_tells_once_which_limit_it_spent() {
    let mut budget = Budget::UNLIMITED.with_polls(2).with_cost(5);
    assert_eq!(budget.charge(1, 0), None);
    assert_eq!(budget.charge(0, 4), None);
    assert_eq!((budget.polls(), budget.cost()), (Some(1), Some(1)));
    assert_eq!(budget.charge(0, 9), Some(Limit::Cost));
    assert_eq!(budget.charge(1, 1), None, "told already");
    assert_eq!((budget.polls(), budget.cost()), (Some(0), Some(0)));
    assert_eq!(Budget::UNLIMITED.clone().charge(u64::MAX, u64::MAX), None);
}

#[test]
fn zero_is_spent_and_unlimited_never() {
    let now = at(3);
    assert_eq!(Budget::UNLIMITED.spent_at(now), None);
    assert_eq!(Budget::UNLIMITED.deadline_from(now), Time::MAX);
    assert_eq!(Budget::timeout(Duration::ZERO).spent_at(now), Some(Limit::Time));
    assert_eq!(Budget::deadline(at(2)).spent_at(now), Some(Limit::Time));
    assert_eq!(Budget::UNLIMITED.with_polls(0).spent_at(now), Some(Limit::Polls));
    assert_eq!(Budget::UNLIMITED.with_cost(0).spent_at(now), Some(Limit::Cost));
    assert_eq!(Budget::timeout(MS(1)).with_polls(1).with_cost(1).spent_at(now), None);
}

#[test]
fn halves_leave_something_for_the_next() {
    let budget = Budget::timeout(MS(8)).with_polls(3).with_cost(1);
    let half = budget.half(at(2));
    assert_eq!(half.until(), Some(at(6)));
    assert_eq!((half.polls(), half.cost()), (Some(2), Some(1)));
    assert_eq!(Budget::UNLIMITED.half(at(2)), Budget::UNLIMITED);
    assert_eq!(half.used(half.with_polls(1)), (1, 0));
}

#[test]
fn the_earlier_is_more_urgent_and_then_the_higher() {
    let urgency = |ms, level| Urgency { deadline: at(ms), priority: Priority::new(level) };
    let mut some = [urgency(2, 9), urgency(1, 3), urgency(1, 7), Urgency::DEFAULT];
    some.sort();
    assert_eq!(some, [Urgency::DEFAULT, urgency(2, 9), urgency(1, 3), urgency(1, 7)]);
    let inside = urgency(5, 7).within(Budget::deadline(at(4)).with_priority(Priority::new(9)));
    assert_eq!(inside, urgency(4, 7));
}

#[test]
fn it_says_what_it_allows() {
    assert_eq!(Budget::UNLIMITED.to_string(), "unlimited");
    let budget = Budget::deadline(at(5)).with_polls(3).with_cost(2).with_priority(Priority::LOWEST);
    assert_eq!(budget.to_string(), "until 5ms, 3 polls, 2 units, priority 0");
}
