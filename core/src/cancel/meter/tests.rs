//! Charges walk up; quotas come early and late; each is told once.

use std::sync::Weak;
use std::sync::atomic::AtomicUsize;

use super::*;
use crate::cancel::{Listener, Reason, ReasonKind, Standing};

fn with(polls: u64, cost: u64) -> Budget {
    Budget::UNLIMITED.with_polls(polls).with_cost(cost)
}

fn cost(scope: &Arc<Scope>) -> Option<u64> {
    scope.budget().cost()
}

/// Counts how often it is told.
#[derive(Default)]
struct Told(AtomicUsize);

impl Listener for Told {
    fn on_cancel(&self, _: &Standing) {}

    fn on_spent(&self, _: Limit) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn cost_is_charged_to_all_around_through_what_holds_requests() {
    let root = Scope::limited_root(with(9, 100));
    let outer = root.limited_child(Hold::Nothing, with(9, 50));
    let shield = outer.limited_child(Hold::All, with(9, 20));
    let inner = shield.child(Hold::Request);
    inner.charge_cost(5);
    assert_eq!([&root, &outer, &shield, &inner].map(cost), [Some(95), Some(45), Some(15), Some(15)]);
    outer.charge_cost(5);
    assert_eq!([&root, &outer, &shield].map(cost), [Some(90), Some(40), Some(15)]);
}

#[test]
fn a_tasks_poll_is_charged_around_it_and_a_bodys_to_itself() {
    let root = Scope::limited_root(with(9, 9));
    let body = root.limited_child(Hold::Nothing, with(5, 9));
    body.charge_poll();
    assert_eq!((root.own_budget().polls(), body.own_budget().polls()), (Some(9), Some(4)));
    let task = body.task_child();
    task.charge_poll();
    assert_eq!((root.own_budget().polls(), body.own_budget().polls()), (Some(8), Some(3)));
}

#[test]
fn a_childs_budget_is_never_more_than_its_parents() {
    let late = Time::from_nanos(9);
    let root = Scope::limited_root(Budget::deadline(Time::from_nanos(5)).with_polls(3));
    let child = root.limited_child(Hold::Nothing, Budget::deadline(late).with_polls(7).with_cost(2));
    assert_eq!(child.budget(), child.budget().meet(root.budget()));
    assert_eq!((child.budget().polls(), child.budget().cost()), (Some(3), Some(2)));
    assert_eq!(child.budget().until(), Some(Time::from_nanos(5)));
    let shield = child.limited_child(Hold::All, Budget::UNLIMITED);
    assert_eq!(shield.budget(), Budget::UNLIMITED);
}

#[test]
fn the_quota_of_work_counts_until_request_and_that_of_the_drain_from_then_on() {
    let root = Scope::limited_root(Budget::UNLIMITED);
    let region = root.limited_child(Hold::Nothing, with(9, 9));
    let task = region.task_child();
    task.charge_cost(1);
    region.request_within(Reason::new(ReasonKind::UserRequest), Time::from_nanos(4), with(2, 3));
    assert_eq!(cost(&task), Some(3));
    assert_eq!(task.budget().until(), Some(Time::from_nanos(4)));
    task.charge_cost(1);
    task.charge_poll();
    assert_eq!((cost(&task), task.level()), (Some(2), Level::Requested));
    task.charge_poll();
    assert_eq!((task.level(), region.level(), root.level()), (Level::Spent, Level::Spent, Level::Clear));
    assert_eq!(task.reason().map(|reason| reason.kind()), Some(ReasonKind::UserRequest));
}

#[test]
fn a_drain_that_may_use_nothing_is_spent_at_request() {
    let root = Scope::limited_root(Budget::UNLIMITED);
    let task = root.task_child();
    task.request_within(Reason::new(ReasonKind::UserRequest), Time::MAX, with(0, 1));
    assert_eq!(task.level(), Level::Spent);
}

#[test]
fn a_late_quota_finds_those_below_and_later_ones_inherit() {
    let root = Scope::limited_root(Budget::UNLIMITED);
    let region = root.child(Hold::Nothing);
    let task = region.task_child();
    let before = task.child(Hold::Request);
    region.request_within(Reason::new(ReasonKind::UserRequest), Time::MAX, with(9, 9));
    let after = region.task_child();
    before.charge_cost(1);
    after.charge_cost(2);
    assert_eq!(cost(&region), Some(6));
    assert!(!root.metered.load(Ordering::Relaxed));
}

#[test]
fn whoever_spends_it_tells_once() {
    let told = Arc::new(Told::default());
    let listener: Weak<dyn Listener> = Arc::downgrade(&told) as Weak<dyn Listener>;
    let root = Scope::root();
    let region = root.listening_child(with(100, 100), listener, false);
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| (0..100).for_each(|_| region.task_child().charge_poll()));
        }
    });
    assert_eq!(told.0.load(Ordering::SeqCst), 1);
    assert_eq!(region.budget().polls(), Some(0));
    region.charge_cost(u64::MAX);
    assert_eq!(told.0.load(Ordering::SeqCst), 1, "spent is spent");
}

#[test]
fn what_holds_all_is_spent_by_its_own_quota() {
    let root = Scope::root();
    let shield = root.limited_child(Hold::All, with(9, 2));
    shield.charge_cost(2);
    assert_eq!((shield.level(), root.level()), (Level::Spent, Level::Clear));
    assert_eq!(shield.reason().map(|reason| reason.kind()), Some(ReasonKind::BudgetSpent));
    assert_eq!(with(9, 2).used(shield.own_budget()), (0, 2));
}

#[test]
fn a_chain_of_a_hundred_thousand_is_charged_and_marked_without_recursion() {
    let root = Scope::limited_root(with(9, 9));
    let mut chain = vec![root.child(Hold::Nothing)];
    for _ in 0..100_000 {
        let next = chain[chain.len() - 1].task_child();
        chain.push(next);
    }
    let last = chain[chain.len() - 1].clone();
    last.charge_poll();
    assert_eq!(last.budget().polls(), Some(8));
    chain[0].request_within(Reason::new(ReasonKind::UserRequest), Time::MAX, with(4, 4));
    assert_eq!(last.budget().polls(), Some(4));
}
