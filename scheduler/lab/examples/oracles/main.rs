//! Counts the traces of programs whose numbers are published, with both algorithms, and prints the
//! table. `cargo run --release -p asupersync-lab --example oracles`, or with the beginning of a name
//! after `--`. Exits with 1 if a count differs, or if a run of the optimal algorithm was in vain.
//!
//! What `cargo migrate-lint` says of it: nothing.

mod programs;

use std::process::ExitCode;
use std::time::Instant;

use asupersync_lab::Explore;
use asupersync_lab::explore::Explored;
use programs::Oracle;

fn main() -> ExitCode {
    let only = std::env::args().nth(1).unwrap_or_default();
    println!(
        "{:<16} {:>4} {:<5} {:>9} {:>8} {:>8} {:>8} {:>8} {:>9} {:>10} ",
        "program",
        "size",
        "from",
        "published",
        "source",
        "blocked",
        "optimal",
        "blocked",
        "seconds",
        "schedules/s"
    );
    let mut right = true;
    for oracle in programs::all().iter().filter(|oracle| oracle.name.starts_with(&only)) {
        right &= row(oracle);
    }
    if right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn row(oracle: &Oracle) -> bool {
    let count = |explore: Explore| explore.model(|program| (oracle.program)(oracle.size, program));
    let source = count(Explore::source());
    let begin = Instant::now();
    let optimal = count(Explore::optimal());
    let seconds = begin.elapsed().as_secs_f64();
    let counts = |found: &Explored| (found.complete, found.traces, found.deadlocks);
    let right = counts(&source) == (true, oracle.traces, oracle.deadlocks)
        && counts(&optimal) == (true, oracle.traces, oracle.deadlocks)
        && optimal.blocked == 0;
    println!(
        "{:<16} {:>4} {:<5} {:>9} {:>8} {:>8} {:>8} {:>8} {:>9.3} {:>10.0} {}",
        oracle.name,
        oracle.size,
        oracle.from,
        oracle.traces,
        source.traces,
        source.blocked,
        optimal.traces,
        optimal.blocked,
        seconds,
        optimal.traces as f64 / seconds,
        if right { "" } else { "DIFFERS" },
    );
    for failure in [source.failure, optimal.failure].into_iter().flatten() {
        println!("  {}, in the schedule {}", failure.message, failure.choices);
    }
    right
}
