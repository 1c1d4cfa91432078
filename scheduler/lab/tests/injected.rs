//! The conformance suite with a cancellation at every await of every task, one run each; in a case that has
//! more than 100, at so many of them, evenly among all, or at `POINTS` if that is set: `all` is each. What a
//! case asserts may then not hold; what must is what the contract says of any program: the run ends within
//! its budgets and never gets stuck, every task is gone, and every finalizer has run once. Some cases break
//! one of these by themselves, on purpose; the others are asked of them all the same.
//!
//! The time of a case grows with the square of its awaits. Heavy ones are had at the smallest of their sizes,
//! and the points are shared among as many threads as there are processors. `CASE` is a part of the names of
//! those that are had.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use asupersync_conformance::runner::Main;
use asupersync_conformance::{Capability, Ran, Runner, Settings, THEMES};
use asupersync_core::region::CloseReport;
use asupersync_core::{Cx, Error, Failure};
use asupersync_lab::Lab;
use asupersync_lab::explore::{Ended, Injector, Search};

/// Runs a case once for each point.
struct InLab {
    schedule: Mutex<Injector>,
    /// What went wrong in this run.
    wrong: Mutex<Vec<Wrong>>,
}

/// What was promised, and what is instead.
type Wrong = (Promise, String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Promise {
    Ends,
    NothingLeft,
    TasksTold,
    FinalizersRun,
    ObligationsResolved,
}

impl Runner for InLab {
    fn run_main(&self, settings: Settings, main: Main) -> Ran<()> {
        let lab = Lab::builder(0).drain(settings.drain).finalize(settings.finalize).steps(50_000).build();
        let mut schedule = self.schedule.lock().unwrap_or_else(PoisonError::into_inner);
        let ran = lab
            .run_by(&mut *schedule, async move |cx: &Cx| main(cx.clone()).await)
            .expect("this schedule compares nothing");
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        match ran.told {
            Some((outcome, report)) => {
                wrong.extend(amiss(&report));
                Ran { outcome, report: Some(report) }
            }
            None => {
                let told = match ran.ended {
                    Ended::Deadlock { told, .. } => format!("stuck:\n{told}"),
                    ended => format!("{ended:?}"),
                };
                wrong.push((Promise::Ends, told));
                Ran { outcome: Err(Failure::Err(Error::msg("it did not end"))), report: None }
            }
        }
    }

    fn is_virtual(&self) -> bool {
        true
    }

    fn has(&self, capability: Capability) -> bool {
        matches!(capability, Capability::OneAtATime | Capability::Sockets)
    }

    fn scale(&self) -> usize {
        50_000
    }
}

/// A case, tasks that it counts on, and why it cannot end well when one of those is cancelled.
type Own = (&'static str, &'static [&'static str], &'static str);

/// It looks at the world again and again, without a `Cx`, until that is as it should.
const LOOKS: &str = "whoever looks until it has done its part looks for ever";

/// It opens a gate, at which another waits that knows no `Cx` yet.
const GATE: &str = "whoever waits where a request is not heard waits until it is let go";

const THEIR_OWN: &[Own] = &[
    (
        "dumps/a_race_is_no_circle",
        &["main", "one", "two"],
        "once the race is cancelled it is a circle, which the drain budget drops",
    ),
    ("dumps/a_region_that_waits_for_its_opener_is_in_a_circle", &["main", "outer", "opener"], LOOKS),
    ("dumps/tasks_that_wait_for_each_other_are_a_circle", &["main", "one"], LOOKS),
    ("inlines/a_dump_tells_who_polls_it", &["main", "inline"], LOOKS),
    ("leftovers/what_knows_no_cx_is_told_with_what_came_before_it", &["main", "stubborn"], LOOKS),
    ("orphans/a_future_that_knows_no_cx_gets_one_more_poll", &["main"], LOOKS),
    ("waits/a_wait_that_was_dropped_is_over", &["main", "fickle"], LOOKS),
    ("waits/what_is_over_is_told_as_the_last", &["main", "stays"], LOOKS),
    ("lazies/a_closing_parent_tells_it", &["main"], GATE),
    ("lazies/somebody_else_may_ask", &["asks"], GATE),
    (
        "budgets/a_cancelled_task_drains_for_so_many_polls",
        &["main"],
        "it gives the budget of polls that ends a task which spins while time stands still",
    ),
    (
        "orphans/one_left_deep_inside_is_reached_from_around",
        &["main"],
        "it gives the budget that ends a future which knows no `Cx`; the root's has none",
    ),
    (
        "obligations/what_is_left_is_aborted_when_the_root_is_given_up",
        &["main"],
        "the root is not given up, and tells what the case has left",
    ),
    (
        "sporks/its_failure_is_one_of_a_child_and_counts_once",
        &["child"],
        "whom its failure should stop waits for that",
    ),
    ("sporks/its_childs_failure_is_its_own", &["grandchild"], "the same"),
    ("inlines/a_request_wakes_whoever_holds_it", &["asks"], "the same"),
    ("inlines/its_failure_is_its_holders_or_its_parents", &["inline"], "the same"),
    ("attacked_io/connections_are_accepted", &["client"], "the connection that it was to make is waited for"),
    ("attacked_io/datagrams_are_received", &["sender"], "the datagrams that it was to send are waited for"),
    ("udp/datagrams_are_answered", &["server"], "the same"),
    ("udp/many_send_to_one", &["client"], "the same"),
];

/// What a report tells that no program should see.
fn amiss(report: &CloseReport) -> impl Iterator<Item = Wrong> + use<> {
    let totals = &report.totals;
    let tasks = totals.ok + totals.err + totals.cancelled + totals.panicked + totals.dropped;
    let finalizers = totals.finalizers_run + totals.finalizers_failed;
    let obligations = totals.obligations_committed + totals.obligations_aborted;
    let told = format!("{totals:?}, left: {:?}", report.leftovers);
    let kept = [
        (Promise::NothingLeft, report.leftovers.is_empty()),
        (Promise::TasksTold, tasks == totals.tasks),
        (Promise::FinalizersRun, finalizers == totals.finalizers_registered),
        (Promise::ObligationsResolved, obligations == totals.obligations),
    ];
    kept.into_iter().filter(|(_, kept)| !kept).map(move |(promise, _)| (promise, told.clone()))
}

/// What went wrong, and where.
#[derive(Default)]
struct Found {
    runs: usize,
    /// A line for each case: its awaits, and how long they took.
    cases: Vec<(String, usize, Duration)>,
    /// What cases break by themselves: it is their subject.
    subjects: BTreeMap<String, BTreeSet<Promise>>,
    failed: Vec<String>,
    /// Cases and tasks of [`THEIR_OWN`] that did not end well.
    theirs: BTreeSet<(String, String)>,
}

/// Runs every case with `only` in its name, at one share of its points.
fn inject(only: &str, points: usize, nth: usize, of: usize) -> Found {
    let mut found = Found::default();
    for (theme, case) in THEMES.iter().flat_map(|theme| theme.cases.iter().map(|case| (theme.name, case))) {
        let schedule = Injector::new(1).points(points).share(nth, of);
        let host = InLab { schedule: Mutex::new(schedule), wrong: Mutex::default() };
        let (name, begin) = (format!("{theme}/{}", case.name), Instant::now());
        if !case.fits(&host) || !name.contains(only) {
            continue;
        }
        let (mut awaits, mut failed) = (None, false);
        loop {
            let _ = catch_unwind(AssertUnwindSafe(|| (case.run)(&host)));
            let wrong = std::mem::take(&mut *host.wrong.lock().unwrap_or_else(PoisonError::into_inner));
            let mut schedule = host.schedule.lock().unwrap_or_else(PoisonError::into_inner);
            found.runs += 1;
            if awaits.is_none() && !wrong.is_empty() {
                found.subjects.insert(name.clone(), wrong.iter().map(|(promise, _)| *promise).collect());
            }
            let subject = found.subjects.get(&name);
            let excused = |promise| subject.is_some_and(|subject| subject.contains(promise));
            if let Some((promise, wrong)) = wrong.iter().find(|(promise, _)| !excused(promise)) {
                let task = schedule.asked().unwrap_or_default();
                if THEIR_OWN.iter().any(|own| own.0 == name && own.1.contains(&task)) {
                    found.theirs.insert((name.clone(), task.to_owned()));
                } else if !failed {
                    // One tells enough.
                    failed = true;
                    let step = schedule.point().map_or(0, |(_, step)| step);
                    found.failed.push(format!("{name} at step {step} of `{task}`: {promise:?}: {wrong}"));
                }
            }
            awaits.get_or_insert(schedule.left());
            if !schedule.end(&[]) {
                break;
            }
        }
        found.cases.push((name, awaits.unwrap_or(0), begin.elapsed()));
    }
    found
}

#[test]
fn every_case_survives_a_cancellation_at_every_await_of_every_task() {
    // Cases fail here by the thousand, and a backtrace for each takes most of the time.
    let told = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let points = match std::env::var("POINTS") {
        Ok(all) if all == "all" => usize::MAX,
        Ok(points) => points.parse().expect("POINTS is a number, or `all`"),
        Err(_) => 100,
    };
    let only = &*std::env::var("CASE").unwrap_or_default();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let found: Vec<Found> = thread::scope(|scope| {
        let shares: Vec<_> =
            (0..threads).map(|nth| scope.spawn(move || inject(only, points, nth, threads))).collect();
        shares.into_iter().map(|share| share.join().expect("it catches what cases do")).collect()
    });
    panic::set_hook(told);
    let mut cases: BTreeMap<&str, (usize, Duration)> = BTreeMap::new();
    for (name, awaits, time) in found.iter().flat_map(|found| &found.cases) {
        let case = cases.entry(name).or_default();
        *case = (*awaits, case.1 + *time);
    }
    let mut cases: Vec<_> = cases.into_iter().collect();
    cases.sort_by_key(|(_, (_, time))| std::cmp::Reverse(*time));
    for (name, (awaits, time)) in cases.iter().take(20) {
        println!("{awaits:>6} awaits {:>8.2} s  {name}", time.as_secs_f64());
    }
    let runs: usize = found.iter().map(|found| found.runs).sum();
    let awaits: usize = cases.iter().map(|(_, (awaits, _))| awaits).sum();
    println!("{runs} runs of {} cases with {awaits} awaits", cases.len());
    let mut subjects: BTreeMap<_, BTreeSet<&str>> = BTreeMap::new();
    for (name, broken) in found.iter().flat_map(|found| &found.subjects) {
        subjects.entry(broken).or_default().insert(name);
    }
    for (broken, cases) in subjects {
        println!("{broken:?} not asked of {}, which break it by themselves: {cases:?}", cases.len());
    }
    let failed: Vec<_> = found.iter().flat_map(|found| &found.failed).map(String::as_str).collect();
    assert!(failed.is_empty(), "{} of {runs} runs:\n{}", failed.len(), failed.join("\n"));
    let theirs: BTreeSet<_> = found.iter().flat_map(|found| &found.theirs).collect();
    let own = THEIR_OWN.iter().filter(|own| own.0.contains(only));
    let own = own.flat_map(|own| own.1.iter().map(|task| (own.0.to_owned(), (*task).to_owned())));
    let stale: Vec<_> = own.filter(|own| !theirs.contains(own)).collect();
    assert!(stale.is_empty(), "these end well: {stale:?}");
}
