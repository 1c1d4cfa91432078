//! How many schedules a second the lab runs, beside loom, which explores, and shuttle, which samples: the
//! same programs for each, in one run, by turns. Prints a table in Markdown.
//!
//! ```sh
//! cd scheduler/lab/speed && cargo run --release             # or with the beginning of a program's name
//! ```
//!
//! Each program checks its own effect in each schedule, and the lab's number of traces is checked against
//! what is known. One thread of each tool's own, medians of the rounds; a ratio is that of two figures of
//! the same round. What differs between the tools: loom explores what weaker memory allows too, so that
//! its number of schedules for a program is another; its threads and shuttle's are stacks that are
//! switched, the lab's tasks are futures.
//!
//! What `cargo migrate-lint` says of it: nothing.

#![forbid(unsafe_code)]

mod measure;
mod programs;

use asupersync::lab::Explore;
use asupersync::lab::explore::Sampling;
use measure::{Figure, median, per_second, ratio};
use programs::Program;

const ROUNDS: usize = 3;

/// Runs of a sampling in a round.
const DRAWN: u64 = 5000;

/// The most schedules of loom in a round.
const MOST: usize = 20_000;

fn main() {
    let only = std::env::args().nth(1).unwrap_or_default();
    let programs: Vec<Program> =
        programs::all().into_iter().filter(|program| program.name.starts_with(&only)).collect();
    explore(&programs);
    sample(&programs);
}

fn explore(programs: &[Program]) {
    println!(
        "| exploring | lab: schedules | whole | /s | loom: schedules | whole | /s | lab / loom, per second |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for program in programs {
        let (mut ours, mut looms, mut traces) = (Vec::new(), Vec::new(), 0);
        for _ in 0..ROUNDS {
            ours.push(measure::again(|| {
                let found = (program.lab)(&Explore::optimal());
                assert_eq!(found.failure, None, "{}", program.name);
                assert!(
                    program.traces.is_none_or(|traces| traces == found.traces),
                    "{}: {found}",
                    program.name
                );
                traces = found.traces;
                Figure { runs: found.traces, whole: found.complete, ..Figure::default() }
            }));
            looms.push(measure::once(|| measure::loom(program.loom, MOST)));
        }
        println!(
            "| {} | {} | {} | {} | {} | {} | {} | {:.1} |",
            program.name,
            traces,
            measure::whole(&ours),
            per_second(&ours),
            looms[0].runs,
            measure::whole(&looms),
            per_second(&looms),
            median(ratio(&ours, &looms)),
        );
    }
    println!();
}

fn sample(programs: &[Program]) {
    println!(
        "| sampling, schedules/s | lab: random | shuttle: random | ratio | lab: PCT(3) | shuttle: PCT(3) | ratio | lab: POS |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let lab = |program: &Program, sampling| {
        measure::once(|| {
            let found = (program.lab)(&Explore::sample(sampling, 0, DRAWN));
            assert_eq!(found.failure, None, "{}", program.name);
            Figure { runs: found.traces, ..Figure::default() }
        })
    };
    for program in programs {
        let mut figures: [Vec<Figure>; 5] = Default::default();
        for _ in 0..ROUNDS {
            figures[0].push(lab(program, Sampling::Walk));
            figures[1].push(measure::once(|| measure::shuttle_random(program.shuttle, DRAWN)));
            figures[2].push(lab(program, Sampling::Priorities { depth: 3 }));
            figures[3].push(measure::once(|| measure::shuttle_pct(program.shuttle, DRAWN)));
            figures[4].push(lab(program, Sampling::PartialOrder));
        }
        println!(
            "| {} | {} | {} | {:.1} | {} | {} | {:.1} | {} |",
            program.name,
            per_second(&figures[0]),
            per_second(&figures[1]),
            median(ratio(&figures[0], &figures[1])),
            per_second(&figures[2]),
            per_second(&figures[3]),
            median(ratio(&figures[2], &figures[3])),
            per_second(&figures[4]),
        );
    }
    println!("\nEach sampling: {DRAWN} schedules a round, {ROUNDS} rounds; none explores everything.");
}
