//! The conformance suite with a cancellation at every await of every task, one run each; in a case that has
//! more than 25, at so many of them, or at `POINTS` if that is set. What a case asserts may then not hold;
//! what must is what the contract says of any program: the run ends within its budgets and never gets
//! stuck, every task is gone, and every finalizer has run once.

use std::collections::BTreeSet;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

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
                wrong.push(match ran.ended {
                    Ended::Deadlock { told, .. } => format!("stuck:\n{told}"),
                    ended => format!("{ended:?}"),
                });
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

/// Cases that cannot end well when the task that they count on is the one that is cancelled.
const THEIR_OWN: &[(&str, &str)] = &[
    ("dumps/a_race_is_no_circle", "a join is work in flight: it lasts until the drain budget drops it"),
    ("sporks/its_failure_is_one_of_a_child_and_counts_once", "whom the failure should stop waits for that"),
    ("sporks/its_childs_failure_is_its_own", "the same"),
    ("waits/arms_tell_each_for_itself", "looks again and again until somebody waits, and nobody does"),
    ("waits/who_waits_at_the_same_thing_has_the_same_number", "the same"),
    ("waits/joins_are_told_from_both_sides", "the same"),
    ("attacked_io/connections_are_accepted", "waits for the connection that the cancelled one was to make"),
    (
        "selects/a_message_that_the_loser_took_is_not_lost",
        "receives until it has what the cancelled one sends",
    ),
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

#[test]
fn every_case_survives_a_cancellation_at_every_await_of_every_task() {
    // Cases fail here by the thousand, and a backtrace for each takes most of the time.
    let told = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    // The longest cases have thousands of steps, and would have as many runs.
    let points = std::env::var("POINTS").ok().and_then(|points| points.parse().ok()).unwrap_or(25);
    let (mut runs, mut failed, mut theirs) = (0, Vec::new(), BTreeSet::new());
    // Its cases are about sizes, and a run for each of so many steps takes hours.
    for theme in THEMES.iter().filter(|theme| theme.name != "scale") {
        for case in theme.cases {
            let host =
                InLab { schedule: Mutex::new(Injector::new(1).points(points)), wrong: Mutex::default() };
            if !case.fits(&host) {
                continue;
            }
            // What a case breaks by itself is its subject.
            let mut own = None;
            loop {
                let _ = catch_unwind(AssertUnwindSafe(|| (case.run)(&host)));
                let wrong = std::mem::take(&mut *host.wrong.lock().unwrap_or_else(PoisonError::into_inner));
                runs += 1;
                let own = own.get_or_insert(!wrong.is_empty());
                let mut schedule = host.schedule.lock().unwrap_or_else(PoisonError::into_inner);
                if !*own && !wrong.is_empty() {
                    let (name, point) = (format!("{}/{}", theme.name, case.name), schedule.point());
                    match THEIR_OWN.iter().find(|(own, _)| *own == name) {
                        Some(own) => drop(theirs.insert(own)),
                        None => failed.push(format!("{name} at {point:?}: {}", wrong.join("; "))),
                    }
                    break;
                }
                if *own || !schedule.end(&[]) {
                    break;
                }
            }
        }
    }
    panic::set_hook(told);
    println!("{runs} runs");
    let stale: Vec<_> = THEIR_OWN.iter().filter(|own| !theirs.contains(own)).collect();
    assert!(stale.is_empty(), "these end well: {stale:?}");
    assert!(failed.is_empty(), "{} of {runs} runs:\n{}", failed.len(), failed.join("\n"));
}
