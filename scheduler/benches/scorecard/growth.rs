//! How the cost of one grows with how many there are: `scorecard --growth`.
//!
//! Each point is the median of some fresh processes. The figures go to stdout as Markdown, and as a
//! picture with logarithmic axes to `target/growth.svg`.

use std::process::{Command, ExitCode};

use crate::harness::{beside_target, printed};
use crate::peer::Peer::{self, Ours, Smol, Tokio, TokioCt};
use crate::plot::{Plot, Series};
use crate::rows::sized;
use crate::stats::median;

/// One picture.
pub(crate) struct Curve {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    sizes: &'static [u64],
    peers: &'static [Peer],
    /// The cost of one among so many.
    pub(crate) run: fn(Peer, u64) -> f64,
}

const PEERS: &[Peer] = &[Ours, Tokio, TokioCt, Smol];
const SIZES: &[u64] = &[1_000, 10_000, 100_000, 1_000_000, 10_000_000];

pub(crate) const CURVES: &[Curve] = &[
    Curve {
        name: "spawn",
        unit: "ns a task, spawned and joined",
        sizes: SIZES,
        peers: PEERS,
        run: sized::spawn,
    },
    Curve {
        name: "cancel",
        unit: "ns a task that waits, cancelled and joined",
        sizes: SIZES,
        peers: PEERS,
        run: sized::cancel,
    },
    Curve {
        name: "close",
        unit: "ns a task of a region, or of a JoinSet, until it is empty",
        sizes: SIZES,
        peers: &[Ours, Tokio, TokioCt],
        run: sized::close,
    },
    Curve {
        name: "timers",
        unit: "ns a timer, set and dropped",
        sizes: SIZES,
        peers: PEERS,
        run: sized::timers,
    },
    Curve {
        name: "regions",
        unit: "ns a region, opened beside the others and closed with them",
        sizes: &[1, 10, 100, 1_000, 10_000, 100_000, 1_000_000],
        peers: &[Ours],
        run: sized::regions,
    },
    Curve {
        name: "connections",
        unit: "CPU ns a round trip of 64 B",
        sizes: &[10, 100, 1_000, 10_000],
        peers: PEERS,
        run: sized::connections,
    },
];

/// How many processes a point is measured in.
const ROUNDS: usize = 3;

/// Measures the curves up to a size, and draws them.
pub(crate) fn measure(most: u64) -> ExitCode {
    eprintln!(
        "{} curves up to {most}: {}",
        CURVES.len(),
        if most > 10_000 { "about a quarter of an hour" } else { "a minute" }
    );
    let mut plots = Vec::new();
    let mut failed = Vec::new();
    for curve in CURVES {
        let mut plot = Plot { name: curve.name, unit: curve.unit, series: Vec::new() };
        println!("\n{}: {}\n", curve.name, curve.unit);
        let sizes: Vec<u64> = curve.sizes.iter().copied().filter(|size| *size <= most).collect();
        println!("| peer | {} |", row(sizes.iter().map(u64::to_string)));
        println!("|---|{}", "---|".repeat(sizes.len()));
        for peer in curve.peers {
            let mut points = Vec::new();
            let mut cells = Vec::new();
            for size in &sizes {
                match sample(curve, *peer, *size) {
                    Ok(cost) => {
                        points.push((*size as f64, cost));
                        cells.push(format!("{cost:.0}"));
                    }
                    Err(why) => {
                        failed.push(format!("{} of {} at {size}: {why}", curve.name, peer.name()));
                        cells.push("**failed**".into());
                    }
                }
            }
            println!("| {} | {} |", peer.name(), row(cells.into_iter()));
            plot.series.push(Series { name: peer.name(), points });
        }
        plots.push(plot);
    }
    let drawn = beside_target("growth.svg", &Plot::page(&plots));
    failed.iter().for_each(|failed| eprintln!("scorecard: FAILED: {failed}"));
    if failed.is_empty() { drawn } else { ExitCode::FAILURE }
}

/// The median of some fresh processes.
fn sample(curve: &Curve, peer: Peer, size: u64) -> Result<f64, String> {
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let once = || {
        let args = ["--point", curve.name, peer.name(), &size.to_string()];
        Ok(printed(Command::new(&this).args(args))?[0])
    };
    let samples: Result<Vec<f64>, String> = (0..ROUNDS).map(|_| once()).collect();
    samples.map(|samples| median(&samples))
}

fn row(cells: impl Iterator<Item = String>) -> String {
    cells.collect::<Vec<_>>().join(" | ")
}

/// Measures one point, and prints it.
pub(crate) fn point(curve: &str, peer: &str, size: &str) -> ExitCode {
    let curve = CURVES.iter().find(|known| known.name == curve);
    let (Some(curve), Some(peer), Ok(size)) = (curve, Peer::named(peer), size.parse()) else {
        eprintln!("scorecard: a point needs a curve, a peer and a size");
        return ExitCode::from(2);
    };
    println!("{}", (curve.run)(peer, size));
    ExitCode::SUCCESS
}
