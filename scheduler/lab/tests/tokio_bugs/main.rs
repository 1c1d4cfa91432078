//! Bugs that others had, rebuilt small on what the lab sees: the algorithm as it was, the algorithm as it was
//! mended, and, where there is one, our own primitive in its place. What a thread could do between two
//! locks of another is a [`pause`](asupersync_lab::pause).
//!
//! The run writes `target/lab-bugs.md`: how many schedules it took to find each, and how many there are of
//! what is right.

mod broadcast;
mod cancelled;
mod mpsc;
mod notify;
mod semaphore;

#[path = "../child/mod.rs"]
mod child;
#[path = "../table/mod.rs"]
mod table;

use asupersync_core::{Cx, Reason, ReasonKind, TaskFn, TaskOutput};
use asupersync_lab::Explore;
use asupersync_lab::explore::Explored;

use table::Table;

/// Which of a bug's programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Variant {
    Buggy,
    Mended,
    Ours,
}

/// A variant, and how it is explored.
struct Trial {
    variant: Variant,
    explore: Explore,
    /// As a test does, which says what it found.
    checks: bool,
}

impl Trial {
    fn run<F, R>(&self, main: F) -> Explored
    where
        F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Clone + Send + 'static,
        R: TaskOutput<Ok: 'static> + 'static,
    {
        if self.checks { self.explore.check(main) } else { self.explore.run(main) }
    }
}

struct Bug {
    name: &'static str,
    program: fn(&Trial) -> Explored,
    /// What is wrong, as a failing run tells it.
    message: &'static str,
    /// Our own primitives have what it is about.
    ours: bool,
}

const HANGS: &str = "no task can go on";

const BUGS: [Bug; 11] = [
    Bug {
        name: "#900: a waiter that is dropped before its permit is assigned",
        program: semaphore::dropped_before_its_grant,
        message: HANGS,
        ours: true,
    },
    Bug {
        name: "a cancelled waiter at the head, and the next one fits",
        program: semaphore::dropped_at_the_head,
        message: HANGS,
        ours: true,
    },
    Bug {
        name: "#8021: permits forgotten of a closed semaphore open it again",
        program: semaphore::forgotten_when_closed,
        message: "a closed semaphore gave a permit",
        ours: false,
    },
    Bug {
        name: "#2854: a permit dropped after the close tells nobody",
        program: mpsc::dropped_after_the_close,
        message: HANGS,
        ours: true,
    },
    Bug {
        name: "#8075: an owned permit that is released tells nobody",
        program: mpsc::released_after_the_close,
        message: HANGS,
        ours: true,
    },
    Bug {
        name: "#8260: a reservation of many that fails tells nobody",
        program: mpsc::many_after_the_close,
        message: HANGS,
        ours: false,
    },
    Bug {
        name: "#3652: a dropped waiter takes a notification with it",
        program: notify::dropped_with_another_kept,
        message: HANGS,
        ours: true,
    },
    Bug {
        name: "#5458: one notify_waiters wakes the same task twice",
        program: notify::woken_twice,
        message: "woken twice by one call",
        ours: true,
    },
    Bug {
        name: "#5578: a waker that is dropped under the lock comes back to it",
        program: broadcast::waker_comes_back,
        message: "is locked already, by the same step",
        ours: true,
    },
    Bug {
        name: "futurelock: a lock is granted to a future that nobody polls",
        program: cancelled::granted_to_whom_nobody_polls,
        message: HANGS,
        ours: true,
    },
    Bug {
        name: "a cancellation while the guarded state is invalid",
        program: cancelled::invalid_under_the_lock,
        message: "the state is gone",
        ours: false,
    },
];

static TABLE: Table =
    Table::new("lab-bugs.md", "| bug | schedules until it is found | of the mended, all of them | of ours |");

fn stop() -> Reason {
    Reason::new(ReasonKind::UserRequest)
}

fn tried(bug: &Bug, variant: Variant, explore: &Explore) -> Explored {
    (bug.program)(&Trial { variant, explore: explore.clone(), checks: false })
}

/// How many schedules there are, of which none fails.
fn passes(bug: &Bug, variant: Variant, explore: &Explore) -> u64 {
    let found = tried(bug, variant, explore);
    if let Some(failure) = found.failure {
        panic!("{}, {variant:?}: {failure}", bug.name);
    }
    assert!(found.complete, "{}, {variant:?}: not explored whole", bug.name);
    found.traces
}

#[test]
fn a_complete_exploration_finds_each_and_passes_what_is_mended() {
    for bug in &BUGS {
        for (explore, told) in [(Explore::optimal(), true), (Explore::source(), false)] {
            let found = tried(bug, Variant::Buggy, &explore);
            let failure = found.failure.unwrap_or_else(|| panic!("{}: not found", bug.name));
            assert!(failure.message.contains(bug.message), "{}: {failure}", bug.name);
            let again = tried(bug, Variant::Buggy, &Explore::replay(failure.choices.clone()));
            assert_eq!(again.failure.as_ref(), Some(&failure), "{}: the replay is another run", bug.name);

            let mended = passes(bug, Variant::Mended, &explore);
            let ours = bug.ours.then(|| passes(bug, Variant::Ours, &explore));
            if told {
                let ours = ours.map_or(String::new(), |ours| ours.to_string());
                TABLE.add(&[bug.name.into(), found.traces.to_string(), mended.to_string(), ours]);
            }
        }
    }
}

/// The reductions leave nothing out: interleavings, as many as there is time for, show no failure either.
#[test]
fn no_interleaving_of_what_is_mended_fails() {
    for bug in &BUGS {
        let variants = [Variant::Mended, Variant::Ours];
        for variant in variants.into_iter().take(1 + usize::from(bug.ours)) {
            let found = tried(bug, variant, &Explore::naive().runs(5_000));
            assert_eq!(found.failure, None, "{}, {variant:?}", bug.name);
        }
    }
}

#[test]
#[ignore = "fails on purpose, for the test below"]
fn one_of_them() {
    let name = std::env::var("BUG").expect("the name of one");
    let bug = BUGS.iter().find(|bug| bug.name == name).expect("a bug of this name");
    (bug.program)(&Trial { variant: Variant::Buggy, explore: Explore::optimal(), checks: true });
}

/// From the failure on, but not in which run it was.
fn failure<'a>(text: &'a str, bug: &Bug) -> &'a str {
    let begin = text.find(bug.message).unwrap_or_else(|| panic!("no `{}` in\n{text}", bug.message));
    let end = text.find("note: run with").unwrap_or(text.len());
    &text[begin..end]
}

#[test]
fn its_line_has_the_same_run_again_in_another_process() {
    for bug in &BUGS {
        let first = child::said("one_of_them", &[("BUG", bug.name)]);
        let replay = ("ASUPERSYNC_LAB_REPLAY", child::line(&first));
        let again = child::said("one_of_them", &[("BUG", bug.name), replay]);
        assert_eq!(failure(&first, bug), failure(&again, bug), "{}", bug.name);
    }
}
