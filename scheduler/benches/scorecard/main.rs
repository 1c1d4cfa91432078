//! The scorecard: our runtime beside others, on the same work, in the same run.
//!
//! `cargo bench -p asupersync-scheduler --bench scorecard`, and after `--`:
//!
//! | | |
//! |---|---|
//! | `ROW..` | these rows alone |
//! | `--quick` | a smoke run of less than a minute |
//! | `--rounds N` | so many, instead of 15 |
//! | `--readme` | rows 17 and 18, which are then written into the README |
//! | `--growth` | how cost grows with size; with `--quick`, up to 10,000 |
//!
//! Each sample is a fresh process; peers are interleaved forwards and backwards; what counts is the median of
//! paired ratios with a 95 % bootstrap interval. A round beside which a canary was slow is measured again.
//! Markdown goes to stdout, and row by row to `target/scorecard.md`, as JSON to `target/scorecard.json`;
//! nobody edits any of them. A row that fails is told of, and the others are measured all the same.
//!
//! A row runs the same workload on each peer and asserts its effect. All have the system's allocator,
//! `panic = unwind`, as many workers as the process may use cores, and everything on that is on by
//! default. Some peers are programs of their own: see [`apart`].

mod apart;
mod canary;
mod client;
mod cores;
mod growth;
mod harness;
mod measure;
mod peer;
mod plot;
mod readme;
mod report;
mod rows;
mod stats;

use std::process::ExitCode;

use harness::{Options, compare};
use peer::Peer;
use rows::ROWS;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--sample", row, peer, scale] => sample(row, peer, scale),
        ["--client", load, addr, connections, rounds, core] => {
            client::main(load, addr, connections, rounds, core)
        }
        ["--point", curve, peer, size] => growth::point(curve, peer, size),
        ["--growth"] => growth::measure(10_000_000),
        ["--growth", "--quick"] | ["--quick", "--growth"] => growth::measure(growth::SMALL),
        ref rest => match Wanted::of(rest) {
            Ok(wanted) => wanted.measure(),
            Err(why) => {
                eprintln!(
                    "scorecard: {why}\nusage: scorecard [--quick | --rounds N] [--readme | ROW.. | --growth]"
                );
                eprintln!("rows: {}", names().join(" "));
                ExitCode::from(2)
            }
        },
    }
}

fn names() -> Vec<&'static str> {
    ROWS.iter().map(|row| row.name).collect()
}

/// What a run is to measure.
struct Wanted {
    rows: Vec<&'static str>,
    options: Options,
    readme: bool,
}

impl Wanted {
    fn of(args: &[&str]) -> Result<Wanted, String> {
        let mut wanted = Wanted { rows: Vec::new(), options: Options::FULL, readme: false };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match *arg {
                "--quick" => wanted.options = Options::QUICK,
                "--readme" => wanted.readme = true,
                "--rounds" => {
                    let rounds = args.next().and_then(|number| number.parse().ok());
                    wanted.options.rounds =
                        rounds.filter(|rounds| *rounds > 0).ok_or("`--rounds` needs a number")?;
                }
                name => {
                    let row = ROWS.iter().find(|row| row.name == name);
                    wanted.rows.push(row.ok_or_else(|| format!("there is no row `{name}`"))?.name);
                }
            }
        }
        if wanted.readme {
            wanted.rows = readme::ROWS.to_vec();
        }
        Ok(wanted)
    }

    fn measure(self) -> ExitCode {
        let report = compare(&self.rows, self.options);
        print!("{}", report.markdown());
        let whole = report.failed.is_empty();
        let mut written = report.save();
        if self.readme && whole {
            written = written.and_then(|()| readme::write(&report));
        }
        if let Err(why) = &written {
            eprintln!("scorecard: {why}");
        }
        if whole && written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Runs one workload on one peer, and prints a figure for each of its metrics.
fn sample(row: &str, peer: &str, scale: &str) -> ExitCode {
    let row = ROWS.iter().find(|known| known.name == row);
    let (Some(row), Some(peer), Ok(scale)) = (row, Peer::named(peer), scale.parse()) else {
        eprintln!("scorecard: a sample needs a row, a peer and a scale");
        return ExitCode::from(2);
    };
    if peer != Peer::Ours && !row.peers.contains(&peer) || cfg!(one_lane) != (peer == Peer::OneLane) {
        eprintln!("scorecard: `{}` does not run `{}` in this program", peer.name(), row.name);
        return ExitCode::from(2);
    }
    (row.run)(peer, scale).iter().for_each(|figure| println!("{figure}"));
    ExitCode::SUCCESS
}
