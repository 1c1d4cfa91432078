//! The conformance suite with a cancellation at every await of every task, one run each; in a case that has
//! more than 100, at so many of them, evenly among all, or at `POINTS` if that is set: `all` is each. What a
//! case asserts may then not hold; what must is what the contract says of any program: the run ends within
//! its budgets and never gets stuck, every task is gone, and every finalizer has run once.
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
    wrong: Mutex<Vec<String>>,
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
                wrong.push(told);
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

const THEIR_OWN: &[Own] = &[
    (
        "dumps/a_race_is_no_circle",
        &["main", "one", "two"],
        "once the race is cancelled it is a circle, which the drain budget drops",
    ),
    (
        "sporks/its_failure_is_one_of_a_child_and_counts_once",
        &["child"],
        "whom its failure should stop waits for that",
    ),
    ("sporks/its_childs_failure_is_its_own", &["grandchild"], "the same"),
    ("attacked_io/connections_are_accepted", &["client"], "the connection that it was to make is waited for"),
    ("attacked_io/datagrams_are_received", &["sender"], "the datagrams that it was to send are waited for"),
    ("udp/datagrams_are_answered", &["server"], "the same"),
    ("udp/many_send_to_one", &["client"], "the same"),
];

/// What a report tells that no program should see.
fn amiss(report: &CloseReport) -> Option<String> {
    let totals = &report.totals;
    let tasks = totals.ok + totals.err + totals.cancelled + totals.panicked + totals.dropped;
    let whole = report.leftovers.is_empty()
        && tasks == totals.tasks
        && totals.finalizers_run + totals.finalizers_failed == totals.finalizers_registered
        && totals.obligations_committed + totals.obligations_aborted == totals.obligations;
    (!whole).then(|| format!("{totals:?}, left: {:?}", report.leftovers))
}

/// What went wrong, and where.
#[derive(Default)]
struct Found {
    runs: usize,
    /// A line for each case: its awaits, and how long they took.
    cases: Vec<(String, usize, Duration)>,
    /// Those left out: what they break by themselves is their subject.
    left_out: BTreeSet<String>,
    failed: Vec<String>,
    theirs: BTreeSet<&'static Own>,
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
                found.left_out.insert(name.clone());
                break;
            }
            if let Some(wrong) = wrong.first() {
                let task = schedule.asked().unwrap_or_default();
                match THEIR_OWN.iter().find(|own| own.0 == name && own.1.contains(&task)) {
                    Some(own) => drop(found.theirs.insert(own)),
                    // One tells enough.
                    None if failed => {}
                    None => {
                        failed = true;
                        let step = schedule.point().map_or(0, |(_, step)| step);
                        found.failed.push(format!("{name} at step {step} of `{task}`: {wrong}"));
                    }
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
    let left_out: BTreeSet<_> = found.iter().flat_map(|found| &found.left_out).collect();
    println!("{runs} runs of {} cases with {awaits} awaits", cases.len() - left_out.len());
    println!("left out: {left_out:?}");
    let failed: Vec<_> = found.iter().flat_map(|found| &found.failed).map(String::as_str).collect();
    assert!(failed.is_empty(), "{} of {runs} runs:\n{}", failed.len(), failed.join("\n"));
    let theirs: BTreeSet<_> = found.iter().flat_map(|found| &found.theirs).collect();
    let stale: Vec<_> =
        THEIR_OWN.iter().filter(|own| own.0.contains(only) && !theirs.contains(own)).collect();
    assert!(stale.is_empty(), "these end well: {stale:?}");
}
