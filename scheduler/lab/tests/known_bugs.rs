//! Bugs that explorers are measured by (SCTBench: Thomson, Donaldson, Betts, "Concurrency Testing Using
//! Controlled Schedulers", ACM TOPC 2016), written for the model. Of each a variant with the bug, which a
//! complete exploration fails, and one without, which it passes.

use asupersync_lab::Explore;
use asupersync_lab::explore::{Explored, Sampling};
use asupersync_lab::model::{Lock, Program, Task, Var};

type Variant = fn(bool, &mut Program);

async fn add(t: &Task, var: Var, more: u64) {
    let value = t.read(var).await;
    t.write(var, value.wrapping_add(more)).await;
}

/// The check of a balance with the sign of the withdrawal wrong.
fn account(fixed: bool, p: &mut Program) {
    let (lock, balance) = (p.lock(), p.var(10));
    let (deposited, withdrawn) = (p.var(0), p.var(0));
    for (change, done) in [(3, deposited), (4_u64.wrapping_neg(), withdrawn)] {
        p.task(async move |t| {
            t.lock(lock).await;
            add(&t, balance, change).await;
            t.write(done, 1).await;
            t.unlock(lock).await;
        });
    }
    p.task(async move |t| {
        t.lock(lock).await;
        if t.read(deposited).await == 1 && t.read(withdrawn).await == 1 {
            let expected = if fixed { 10 + 3 - 4 } else { 10 - 3 - 4 };
            assert_eq!(t.read(balance).await, expected, "the balance is wrong");
        }
        t.unlock(lock).await;
    });
}

/// What must come last may come last.
fn lazy01(fixed: bool, p: &mut Program) {
    let (lock, data) = (p.lock(), p.var(0));
    for more in [1, 2] {
        p.task(async move |t| {
            t.lock(lock).await;
            add(&t, data, more).await;
            t.unlock(lock).await;
        });
    }
    p.task(async move |t| {
        t.lock(lock).await;
        assert!(t.read(data).await < if fixed { 4 } else { 3 }, "both have added");
        t.unlock(lock).await;
    });
}

/// Two values that belong together under two locks.
fn two_stage(fixed: bool, p: &mut Program) {
    let (a, b) = (p.lock(), p.lock());
    let (first, second) = (p.var(0), p.var(0));
    p.task(async move |t| {
        t.lock(a).await;
        t.write(first, 1).await;
        if !fixed {
            t.unlock(a).await;
        }
        t.lock(b).await;
        t.write(second, 2).await;
        t.unlock(b).await;
        if fixed {
            t.unlock(a).await;
        }
    });
    p.task(async move |t| {
        t.lock(a).await;
        let one = t.read(first).await;
        t.unlock(a).await;
        if one != 0 {
            t.lock(b).await;
            assert_eq!(t.read(second).await, one + 1, "the second value is not there yet");
            t.unlock(b).await;
        }
    });
}

/// The first of a group takes a lock for it while it holds the counter's.
fn carter01(fixed: bool, p: &mut Program) {
    async fn group(t: Task, counter: Lock, members: Var, whole: Lock) {
        t.lock(counter).await;
        add(&t, members, 1).await;
        if t.read(members).await == 1 {
            t.lock(whole).await;
        }
        t.unlock(counter).await;
        t.lock(counter).await;
        add(&t, members, 1_u64.wrapping_neg()).await;
        if t.read(members).await == 0 {
            t.unlock(whole).await;
        }
        t.unlock(counter).await;
    }
    let (one, whole) = (p.lock(), p.lock());
    let other = if fixed { p.lock() } else { one };
    for counter in [one, other] {
        let members = p.var(0);
        p.task(async move |t| group(t, counter, members, whole).await);
    }
}

/// Two writes that are checked as one.
fn reorder(fixed: bool, p: &mut Program) {
    let (lock, a, b) = (p.lock(), p.var(0), p.var(0));
    for _ in 0..2 {
        p.task(async move |t| {
            if fixed {
                t.lock(lock).await;
            }
            t.write(a, 1).await;
            t.write(b, 2).await;
            if fixed {
                t.unlock(lock).await;
            }
        });
    }
    p.task(async move |t| {
        if fixed {
            t.lock(lock).await;
        }
        let seen = (t.read(a).await, t.read(b).await);
        assert!(seen == (0, 0) || seen == (1, 2), "half of the writes were seen: {seen:?}");
        if fixed {
            t.unlock(lock).await;
        }
    });
}

/// A lock around one side, and another lock around the other.
fn wrong_lock(fixed: bool, p: &mut Program) {
    let (a, b, data) = (p.lock(), p.lock(), p.var(0));
    p.task(async move |t| {
        t.lock(a).await;
        let before = t.read(data).await;
        assert_eq!(t.read(data).await, before, "it changed under the lock");
        t.unlock(a).await;
    });
    for _ in 0..2 {
        let lock = if fixed { a } else { b };
        p.task(async move |t| {
            t.lock(lock).await;
            add(&t, data, 1).await;
            t.unlock(lock).await;
        });
    }
}

fn philosophers<const N: usize>(fixed: bool, p: &mut Program) {
    let forks = p.locks(N);
    for i in 0..N {
        let (left, right) = (forks[i], forks[(i + 1) % N]);
        let (first, second) = if fixed && i == N - 1 { (right, left) } else { (left, right) };
        p.task(async move |t| {
            t.lock(first).await;
            t.lock(second).await;
            t.unlock(second).await;
            t.unlock(first).await;
        });
    }
}

const BUGS: [(&str, Variant); 12] = [
    ("account", account),
    ("lazy01", lazy01),
    ("twostage", two_stage),
    ("carter01", carter01),
    ("reorder", reorder),
    ("wronglock", wrong_lock),
    ("philosophers(2)", philosophers::<2>),
    ("philosophers(3)", philosophers::<3>),
    ("philosophers(4)", philosophers::<4>),
    ("philosophers(5)", philosophers::<5>),
    ("philosophers(6)", philosophers::<6>),
    ("philosophers(7)", philosophers::<7>),
];

fn explored(explore: Explore, fixed: bool, program: Variant) -> Explored {
    explore.deadlock_fails(true).model(|p| program(fixed, p))
}

#[test]
fn a_complete_exploration_finds_each_and_passes_what_is_mended() {
    for (name, program) in BUGS {
        for explore in [Explore::optimal(), Explore::source()] {
            let found = explored(explore.clone(), false, program);
            let failure = found.failure.unwrap_or_else(|| panic!("{name}: the bug was not found"));
            let again = explored(Explore::replay(failure.choices.clone()), false, program);
            assert_eq!(again.failure.as_ref(), Some(&failure), "{name}: the replay is another run");

            let mended = explored(explore, true, program);
            assert_eq!(mended.failure, None, "{name}: mended");
            assert!(mended.complete, "{name}: mended, but not explored whole");
        }
    }
}

#[test]
fn sampling_finds_them_too_and_is_never_complete() {
    let samplings = [Sampling::Walk, Sampling::PartialOrder, Sampling::Priorities { depth: 3 }];
    for (name, program) in BUGS.into_iter().take(9) {
        for sampling in samplings {
            let found = explored(Explore::sample(sampling, 1, 5000), false, program);
            assert!(found.failure.is_some(), "{name}: {sampling:?} did not find the bug");
            let mended = explored(Explore::sample(sampling, 1, 100), true, program);
            assert!(
                mended.failure.is_none() && !mended.complete && mended.traces == 100,
                "{name}: {mended:?}"
            );
        }
    }
}

#[test]
fn a_failure_is_told_with_the_fewest_switches() {
    let failure = explored(Explore::sample(Sampling::Walk, 3, 5000), false, reorder).failure.unwrap();
    // The checker looks at the first value, one writes both, and nobody else need have run.
    assert_eq!(failure.choices.to_string(), "1:2,0x2,2");
}

#[test]
fn a_replay_of_what_cannot_be_says_where() {
    let found = explored(Explore::replay("1:0,7".parse().unwrap()), false, account);
    let message = found.failure.unwrap().message;
    assert!(message.contains("after the same 1 steps, task 7 was next"), "{message}");
}
