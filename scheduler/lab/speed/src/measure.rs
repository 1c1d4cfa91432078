//! One figure, and what is made of several.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// So many schedules in so many seconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figure {
    pub(crate) runs: u64,
    pub(crate) seconds: f64,
    /// Everything was explored.
    pub(crate) whole: bool,
}

/// What `run` did, and how long it took.
pub(crate) fn once(run: impl FnOnce() -> Figure) -> Figure {
    let begin = Instant::now();
    let figure = run();
    Figure { seconds: begin.elapsed().as_secs_f64(), ..figure }
}

/// The same for what takes so little time that it must be had many times.
pub(crate) fn again(mut run: impl FnMut() -> Figure) -> Figure {
    let begin = Instant::now();
    let mut sum = Figure { whole: true, ..Figure::default() };
    while begin.elapsed() < Duration::from_millis(100) {
        let figure = run();
        sum.runs += figure.runs;
        sum.whole &= figure.whole;
    }
    Figure { seconds: begin.elapsed().as_secs_f64(), ..sum }
}

/// All of a program in loom, or `most` schedules of it.
pub(crate) fn loom(program: fn(), most: usize) -> Figure {
    let runs = Arc::new(AtomicU64::new(0));
    let counted = runs.clone();
    let mut builder = loom::model::Builder::new();
    // The bound is looked at there.
    (builder.max_permutations, builder.checkpoint_interval) = (Some(most), 1000);
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        program();
    });
    let runs = runs.load(Ordering::Relaxed);
    Figure { runs, whole: runs + 1 < most as u64, ..Figure::default() }
}

/// Counts the schedules of shuttle, so that none is only believed.
fn counted(program: fn(), check: impl FnOnce(Box<dyn Fn() + Send + Sync>)) -> Figure {
    let runs = Arc::new(AtomicU64::new(0));
    let count = runs.clone();
    check(Box::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
        program();
    }));
    Figure { runs: runs.load(Ordering::Relaxed), ..Figure::default() }
}

pub(crate) fn shuttle_random(program: fn(), runs: u64) -> Figure {
    counted(program, |program| shuttle::check_random(program, runs as usize))
}

pub(crate) fn shuttle_pct(program: fn(), runs: u64) -> Figure {
    counted(program, |program| shuttle::check_pct(program, runs as usize, 3))
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Schedules per second, the median of the rounds, with commas.
pub(crate) fn per_second(figures: &[Figure]) -> String {
    let rate = median(figures.iter().map(|figure| figure.runs as f64 / figure.seconds).collect());
    let digits = format!("{rate:.0}");
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    groups.join(",")
}

/// How much faster the first is, round by round.
pub(crate) fn ratio(ours: &[Figure], others: &[Figure]) -> Vec<f64> {
    let rate = |figure: &Figure| figure.runs as f64 / figure.seconds;
    ours.iter().zip(others).map(|(ours, other)| rate(ours) / rate(other)).collect()
}

pub(crate) fn whole(figures: &[Figure]) -> &'static str {
    if figures.iter().all(|figure| figure.whole) { "yes" } else { "no" }
}
