//! Requests walk the tree; scopes come and go meanwhile.

use std::task::Context;

use std::sync::Arc;

use super::*;
use crate::cancel::{Note, ReasonKind, Watch};

fn request(scope: &ScopeRef, level: Level) {
    let reason = Reason::new(ReasonKind::UserRequest);
    match level {
        Level::Spent => scope.raise(Standing::spent(reason)),
        _ => scope.request(reason, Time::MAX),
    }
}

#[test]
fn a_request_reaches_every_descendant_and_later_children() {
    let root = Scope::root();
    let child = root.child(Hold::Nothing);
    let grandchild = child.child(Hold::Nothing);
    request(&root, Level::Requested);
    assert_eq!(grandchild.level(), Level::Requested);
    assert_eq!(grandchild.child(Hold::Nothing).level(), Level::Requested);
    let sideways = Scope::root();
    assert_eq!(sideways.level(), Level::Clear);
}

#[test]
fn a_finish_scope_sees_only_the_end_of_the_budget_and_a_shield_nothing() {
    let root = Scope::root();
    let (finish, shield) = (root.child(Hold::Request), root.child(Hold::All));
    request(&root, Level::Requested);
    assert_eq!((finish.level(), shield.level()), (Level::Clear, Level::Clear));
    request(&root, Level::Spent);
    assert_eq!((finish.level(), shield.level()), (Level::Spent, Level::Clear));
}

#[test]
fn a_chain_of_a_hundred_thousand_is_raised_and_dropped_without_recursion() {
    let root = Scope::root();
    let mut chain = vec![root.clone()];
    for _ in 0..100_000 {
        let next = chain[chain.len() - 1].child(Hold::Nothing);
        chain.push(next);
    }
    request(&root, Level::Requested);
    assert_eq!(chain[100_000].level(), Level::Requested);
}

#[test]
fn a_child_that_holds_a_request_may_be_dropped_while_it_is_raised() {
    for _ in 0..2000 {
        let root = Scope::root();
        let children: Vec<_> = (0..8).map(|_| root.child(Hold::Request)).collect();
        let dropping = std::thread::spawn(move || drop(children));
        request(&root, Level::Requested);
        dropping.join().expect("no panic");
        assert_eq!(lock(&root.inner).rare().children.len(), 0);
    }
}

#[test]
fn a_waker_without_data_is_not_taken_for_the_home_that_is_not_there() {
    let scope = Scope::root();
    let mut watch = Watch::new(&scope, Note::REQUEST);
    assert!(Waker::noop().data().is_null());
    assert!(watch.poll(Level::Requested, &mut Context::from_waker(Waker::noop())).is_pending());
    assert_eq!(lock(&scope.inner).rare().waiters.len(), 1);
}

#[test]
fn a_dropped_child_is_unlinked() {
    let root = Scope::root();
    for _ in 0..1000 {
        drop(root.child(Hold::Nothing));
    }
    assert_eq!(lock(&root.inner).rare().children.len(), 0);
    assert!(lock(&root.inner).rare().children.capacity() < 8);
}

#[test]
fn what_was_kept_for_a_timer_is_given_back_at_the_end() {
    let scope = Scope::root();
    assert!(scope.keep_timer(Time::ZERO, TimerKey(7)).is_none());
    assert_eq!(scope.end(), Some(TimerKey(7)));
    assert!(lock(&scope.inner).known().is_none());
}

#[test]
fn a_child_that_outlives_what_ran_around_it_keeps_its_key() {
    let scope = Scope::root();
    let child = scope.child(Hold::Nothing);
    assert!(scope.keep_timer(Time::ZERO, TimerKey(7)).is_none());
    assert_eq!(scope.end(), Some(TimerKey(7)));
    let second = scope.child(Hold::Nothing);
    drop(child);
    request(&scope, Level::Requested);
    assert_eq!(second.level(), Level::Requested);
}

/// Runs a step in the midst of a request: when the scope that it listens to has been raised, and
/// those below have not.
struct Midway<F>(F);

impl<F: Fn() + Send + Sync> Listener for Midway<F> {
    fn on_cancel(&self, _: &Standing) {
        (self.0)();
    }

    fn on_spent(&self, _: Limit) {}
}

#[test]
fn what_is_below_a_request_on_its_way_catches_up_with_it() {
    let root = Scope::root();
    let below: Arc<Mutex<Option<ScopeRef>>> = Arc::default();
    let (slot, seen) = (below.clone(), Arc::new(Mutex::new(Vec::new())));
    let log = seen.clone();
    let midway: Arc<dyn Listener> = Arc::new(Midway(move || {
        let scope = lock(&slot).clone().expect("made before the request");
        let before = scope.level();
        scope.catch_up();
        lock(&log).push((before, scope.level(), scope.reason().map(|reason| reason.kind())));
    }));
    let task = root.listening_child(Budget::UNLIMITED, Arc::downgrade(&midway), false);
    let between = task.child(Hold::Nothing);
    *lock(&below) = Some(between.child(Hold::Nothing));
    request(&root, Level::Requested);
    let told = (Level::Clear, Level::Requested, Some(ReasonKind::UserRequest));
    assert_eq!(*lock(&seen), [told]);
}

#[test]
fn what_holds_a_request_holds_it_from_those_who_catch_up() {
    let root = Scope::root();
    let (finish, shield) = (root.child(Hold::Request), root.child(Hold::All));
    let (in_finish, in_shield) = (finish.child(Hold::Nothing), shield.child(Hold::Nothing));
    for (asked, heard) in [(Level::Requested, Level::Clear), (Level::Spent, Level::Spent)] {
        request(&root, asked);
        in_finish.catch_up();
        in_shield.catch_up();
        assert_eq!((in_finish.level(), in_shield.level()), (heard, Level::Clear));
    }
}

#[test]
fn one_that_is_adopted_is_reached_and_charged_for_though_those_between_are_gone() {
    let root = Scope::limited_root(Budget::UNLIMITED.with_cost(3));
    let between = root.child(Hold::Nothing);
    let orphan = between.child(Hold::Nothing);
    root.adopt(&orphan);
    drop(between);
    orphan.charge_cost(2);
    assert_eq!(root.own_budget().cost(), Some(1));
    assert_eq!(orphan.budget().cost(), Some(1));
    request(&root, Level::Spent);
    assert_eq!(orphan.level(), Level::Spent);
    drop(orphan);
    assert_eq!(lock(&root.inner).rare().children.len(), 0);
}

#[test]
fn one_that_is_adopted_hears_what_was_asked_before() {
    let root = Scope::root();
    let orphan = root.child(Hold::All).child(Hold::Nothing);
    request(&root, Level::Requested);
    assert_eq!(orphan.level(), Level::Clear);
    root.adopt(&orphan);
    assert_eq!(orphan.level(), Level::Requested);
}
