//! Requests against everything that goes on in the tree meanwhile, in every order.
//!
//! A wake that is lost shows as a thread that nobody can wake any more, which loom reports; a scope that is
//! missed, as a level that is too low at the end.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::task::{Poll, Wake, Waker};

use loom::future::block_on;
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use loom::thread;

use super::scope::{Hold, Listener, Scope};
use super::{Level, Note, Reason, ReasonKind, Standing, Watch};
use crate::budget::{Budget, Limit};
use crate::outcome::Outcome;
use crate::set::Set;
use crate::spawn::contain;
use crate::time::Time;

/// At most this many involuntary switches where every order is too many.
const PREEMPTIONS: usize = 3;

fn check(preemptions: Option<usize>, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.max_branches = 10_000;
    builder.check(model);
}

fn request(scope: &Arc<Scope>) {
    scope.request(Reason::new(ReasonKind::UserRequest), Time::MAX);
}

fn requesting(scope: &Arc<Scope>) -> thread::JoinHandle<()> {
    let scope = scope.clone();
    thread::spawn(move || request(&scope))
}

/// Waits, as a task that polls in `scope` or as one that does not.
fn wait(scope: &Arc<Scope>, at: Level, at_home: bool) {
    block_on(poll_fn({
        let mut watch = Watch::new(scope, Note::REQUEST);
        move |cx| {
            if at_home {
                scope.make_home_of(cx.waker());
            }
            watch.poll(at, cx).map(drop)
        }
    }));
    scope.clear_home();
}

#[test]
fn a_request_wakes_whoever_waits_at_home() {
    check(None, || {
        let root = Scope::root();
        let requesting = requesting(&root);
        wait(&root.task_child(), Level::Requested, true);
        requesting.join().unwrap();
    });
}

#[test]
fn a_request_wakes_whoever_waits_under_another_waker() {
    check(None, || {
        let root = Scope::root();
        let requesting = requesting(&root);
        wait(&root.task_child(), Level::Requested, false);
        requesting.join().unwrap();
    });
}

/// A finalizer is polled by whoever drives its region at the time, and has its home there.
#[test]
fn the_end_of_a_budget_wakes_the_home_of_the_moment() {
    check(Some(PREEMPTIONS), || {
        let scope = Scope::root();
        let spending = thread::spawn({
            let scope = scope.clone();
            move || scope.spend(Limit::Time)
        });
        // The driver before that one polled once and went away.
        scope.set_home(Waker::from(Arc::new(Count::default())));
        wait(&scope, Level::Spent, true);
        spending.join().unwrap();
    });
}

#[test]
fn a_request_finds_a_new_child_or_is_found_by_it() {
    check(None, || {
        let root = Scope::root();
        let requesting = requesting(&root);
        let child = root.child(Hold::Nothing);
        let grandchild = child.child(Hold::Nothing);
        requesting.join().unwrap();
        assert_eq!([child.level(), grandchild.level()], [Level::Requested; 2]);
    });
}

#[test]
fn a_request_finds_an_orphan_on_either_way() {
    check(Some(PREEMPTIONS), || {
        let root = Scope::root();
        let between = root.child(Hold::Nothing);
        let orphan = between.task_child();
        let requesting = requesting(&root);
        root.adopt(&orphan);
        drop(between);
        requesting.join().unwrap();
        assert_eq!(orphan.level(), Level::Requested);
    });
}

#[test]
fn children_go_while_they_are_raised() {
    check(None, || {
        let root = Scope::root();
        let (child, other) = (root.child(Hold::Request), root.child(Hold::Nothing));
        let requesting = requesting(&root);
        drop(child);
        requesting.join().unwrap();
        assert_eq!(other.level(), Level::Requested);
        assert_eq!(root.look_inside().2.len(), 1);
    });
}

/// Counts: wakes, or what it is told.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

impl Listener for Count {
    fn on_cancel(&self, _: &Standing) {}

    fn on_spent(&self, _: Limit) {
        self.0.fetch_add(1, Relaxed);
    }
}

#[test]
fn a_quota_that_comes_late_counts_in_a_new_child_and_in_an_orphan() {
    check(Some(PREEMPTIONS), || {
        let (root, orphan) = (Scope::root(), Scope::root());
        request(&root);
        let limiting = thread::spawn({
            let root = root.clone();
            move || assert_eq!(root.limit_drain(Time::MAX, Budget::UNLIMITED.with_cost(1)), None)
        });
        let child = root.child(Hold::Nothing);
        root.adopt(&orphan);
        limiting.join().unwrap();
        assert!([&root, &child, &orphan].iter().all(|scope| !scope.is_unlimited()));
    });
}

#[test]
fn who_uses_up_a_quota_tells_and_nobody_else() {
    check(None, || {
        let told = Arc::new(Count::default());
        let listener: Weak<dyn Listener> = Arc::downgrade(&(told.clone() as Arc<dyn Listener>));
        let scope = Scope::root().listening_child(Budget::UNLIMITED.with_cost(2), listener, false);
        let charging = thread::spawn({
            let scope = scope.clone();
            move || scope.charge_cost(1)
        });
        scope.charge_cost(1);
        charging.join().unwrap();
        assert_eq!(told.0.load(Relaxed), 1);
    });
}

/// Runs a body as a task does whose drain ends; it waits for that in a scope inside of `arm`, an arm of its
/// own, under a bell. Tells whether it was dropped before it knew.
fn is_dropped_untold(task: &Arc<Scope>, arm: &Arc<Scope>) -> bool {
    let inside = arm.child(Hold::Request);
    let body = {
        let (arm, inside, task) = (arm.clone(), inside.clone(), task.clone());
        async move {
            let mut set = Set::new();
            let bell = set.tower().bell();
            arm.set_home(Waker::from(bell.clone()));
            inside.make_home_of(&Waker::from(bell.clone()));
            bell.clone().wake();
            let mut watch = Watch::new(&inside, Note::REQUEST);
            set.insert(bell, Box::pin(poll_fn(move |cx| watch.poll(Level::Spent, cx).map(drop))));
            let mut told = false;
            poll_fn(|cx| {
                set.gather(cx.waker());
                set.poll(cx.waker(), task.is_due(), |_, ()| told = true);
                if told { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            Outcome::Ok(())
        }
    };
    let (outcome, _) = block_on(async {
        poll_fn(|cx| Poll::Ready(task.make_home_of(cx.waker()))).await;
        let mut body = pin!(Some(body));
        contain(task, body.as_mut()).await
    });
    [task, arm, &inside].iter().for_each(|scope| scope.clear_home());
    outcome.is_err()
}

#[test]
fn whoever_is_dropped_at_the_end_of_a_drain_was_told_before() {
    check(Some(PREEMPTIONS), || {
        let task = Scope::root().task_child();
        let arm = task.child(Hold::Nothing);
        let spending = thread::spawn({
            let task = task.clone();
            move || task.spend(Limit::Time)
        });
        assert!(!is_dropped_untold(&task, &arm));
        spending.join().unwrap();
    });
}

/// The arm's own budget ends at the same time.
#[test]
fn that_holds_for_two_ends_one_within_the_other() {
    check(Some(PREEMPTIONS), || {
        let task = Scope::root().task_child();
        let arm = task.child(Hold::Nothing);
        let spending =
            [task.clone(), arm.clone()].map(|scope| thread::spawn(move || scope.spend(Limit::Time)));
        assert!(!is_dropped_untold(&task, &arm));
        spending.into_iter().for_each(|spending| spending.join().unwrap());
    });
}
