//! The scorecard: our runtime beside others, on the same work, in the same run.
//!
//! `cargo bench -p asupersync-scheduler --bench scorecard` (`-- --quick` for a smoke run of less than a
//! minute, `-- ROW..` for some rows). Each sample is a fresh process; peers are interleaved forwards and
//! backwards; what counts is the median of paired ratios with a 95 % bootstrap interval. A round beside
//! which a canary was slow is measured again. Markdown goes to stdout, JSON to
//! `target/scorecard.json`; nobody edits either. `-- --growth` shows how cost grows with size.
//!
//! A row runs the same workload on each peer and asserts its effect. All have the system's allocator,
//! `panic = unwind`, as many workers as the process may use cores, and everything on that is on by
//! default.

mod canary;
mod client;
mod growth;
mod harness;
mod measure;
mod peer;
mod plot;
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
        ["--client", load, addr, connections, rounds] => client::main(load, addr, connections, rounds),
        ["--point", curve, peer, size] => growth::point(curve, peer, size),
        ["--growth"] => growth::measure(10_000_000),
        ["--growth", "--quick"] | ["--quick", "--growth"] => growth::measure(10_000),
        ["--help" | "-h"] => {
            println!("usage: scorecard [--quick] [ROW.. | --growth]\nrows: {}", names().join(" "));
            ExitCode::SUCCESS
        }
        ref rest => {
            let quick = rest.contains(&"--quick");
            let wanted: Vec<&str> = rest.iter().copied().filter(|arg| *arg != "--quick").collect();
            if let Some(unknown) = wanted.iter().find(|wanted| !names().contains(*wanted)) {
                eprintln!("scorecard: there is no row `{unknown}`; the rows are {}", names().join(" "));
                return ExitCode::from(2);
            }
            compare(&wanted, if quick { Options::QUICK } else { Options::FULL })
        }
    }
}

fn names() -> Vec<&'static str> {
    ROWS.iter().map(|row| row.name).collect()
}

/// Runs one workload on one peer, and prints a figure for each of its metrics.
fn sample(row: &str, peer: &str, scale: &str) -> ExitCode {
    let row = ROWS.iter().find(|known| known.name == row);
    let (Some(row), Some(peer), Ok(scale)) = (row, Peer::named(peer), scale.parse()) else {
        eprintln!("scorecard: a sample needs a row, a peer and a scale");
        return ExitCode::from(2);
    };
    if peer != Peer::Ours && !row.peers.contains(&peer) {
        eprintln!("scorecard: `{}` does not run `{}`", peer.name(), row.name);
        return ExitCode::from(2);
    }
    (row.run)(peer, scale).iter().for_each(|figure| println!("{figure}"));
    ExitCode::SUCCESS
}
