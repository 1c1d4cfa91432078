//! Our own channels, locks, regions and supervisors, explored whole at small sizes, and beyond that sampled.
//!
//! The run writes `target/lab-explored.md`: each program, its size, how many schedules were run, whether
//! these are all that differ, and how many outcomes there are. One that is stated whole and is not fails.

mod channels;
mod locks;
mod obligations;
mod races;
mod regions;
mod sampled;
mod supervisors;

#[path = "../table/mod.rs"]
mod table;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Instant;

use asupersync_core::{Cx, Reason, ReasonKind, TaskFn, TaskOutput};
use asupersync_lab::explore::{Explored, Sampling};
use asupersync_lab::{Explore, Shared};

use table::Table;

/// More than any of these needs.
const MOST: u64 = 300_000;

/// How many interleavings are tried to check that no outcome is missing.
const INTERLEAVINGS: u64 = 10_000;

static TABLE: Table =
    Table::new("lab-explored.md", "| program | size | schedules | of all | outcomes | seconds |");

/// Explores it whole, by both algorithms, and checks the outcomes against those of interleavings that nobody
/// chose. An outcome is what `main` returns.
fn whole<F, R>(name: &str, size: &str, main: F)
where
    F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Clone + Send + 'static,
    R: TaskOutput<Ok: Debug + 'static> + 'static,
{
    whole_if(true, name, size, main);
}

/// The same; what is left over may be no failure.
fn whole_if<F, R>(leftovers_fail: bool, name: &str, size: &str, main: F)
where
    F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Clone + Send + 'static,
    R: TaskOutput<Ok: Debug + 'static> + 'static,
{
    let begin = Instant::now();
    let most = |explore: Explore, runs| explore.runs(runs).leftovers_fail(leftovers_fail);
    let (found, optimal) = outcomes(name, &most(Explore::optimal(), MOST), main.clone());
    assert!(found.complete, "{name}: not explored whole");
    tell(name, size, found.traces, "complete", &optimal, begin);
    let (source, by_source) = outcomes(name, &most(Explore::source(), MOST), main.clone());
    assert!(source.complete, "{name}: not explored whole with source sets");
    assert_eq!(by_source, optimal, "{name}: source sets");
    let (_, all) = outcomes(name, &most(Explore::naive(), INTERLEAVINGS), main);
    assert!(all.is_subset(&optimal), "{name}: {all:?} of all interleavings, {optimal:?} explored");
}

/// Draws schedules of it, in three ways.
fn sampled<F, R>(name: &str, size: &str, runs: u64, main: F)
where
    F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Clone + Send + 'static,
    R: TaskOutput<Ok: Debug + 'static> + 'static,
{
    let (begin, mut found) = (Instant::now(), BTreeSet::new());
    let samplings = [Sampling::PartialOrder, Sampling::Priorities { depth: 3 }, Sampling::Walk];
    for sampling in samplings {
        found.extend(outcomes(name, &Explore::sample(sampling, 1, runs), main.clone()).1);
    }
    tell(name, size, 3 * runs, "sampled", &found, begin);
}

fn tell(name: &str, size: &str, schedules: u64, of_all: &str, outcomes: &BTreeSet<String>, begin: Instant) {
    let (outcomes, seconds) = (outcomes.len().to_string(), begin.elapsed().as_secs_f64());
    let columns = [name, size, &schedules.to_string(), of_all, &outcomes, &format!("{seconds:.1}")];
    TABLE.add(&columns.map(str::to_owned));
}

/// The outcomes of all runs, none of which fails.
fn outcomes<F, R>(name: &str, explore: &Explore, main: F) -> (Explored, BTreeSet<String>)
where
    F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Clone + Send + 'static,
    R: TaskOutput<Ok: Debug + 'static> + 'static,
{
    // Beside the program, and written at its end only: what is explored does not depend on it.
    let outcomes = Arc::new(std::sync::Mutex::new(BTreeSet::new()));
    let told = outcomes.clone();
    let found = explore.run(async move |cx: &Cx| {
        let value = main(cx).await.into_outcome()?;
        told.lock().unwrap().insert(format!("{value:?}"));
        Ok(())
    });
    if let Some(failure) = &found.failure {
        panic!("{name}: {failure}");
    }
    let outcomes = std::mem::take(&mut *outcomes.lock().unwrap());
    (found, outcomes)
}

fn stop() -> Reason {
    Reason::new(ReasonKind::UserRequest)
}

/// What happened, in its order.
#[derive(Clone, Default)]
struct Log(Arc<Shared<Vec<&'static str>>>);

impl Log {
    fn tell(&self, what: &'static str) {
        self.0.lock().push(what);
    }

    fn told(&self) -> Vec<&'static str> {
        self.0.read().clone()
    }
}
