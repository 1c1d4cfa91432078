//! How the cost of one grows with how many there are: `scorecard --growth`.
//!
//! Each point is the median of some fresh processes. The figures go to stdout as Markdown, and as a
//! picture with logarithmic axes to `target/growth.svg`.

use std::process::ExitCode;

use crate::harness::{beside_target, sampled};
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
        name: "drain",
        unit: "ns a task, cancelled and joined",
        sizes: SIZES,
        peers: PEERS,
        run: sized::drain,
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
    let mut plots = Vec::new();
    for curve in CURVES {
        let mut plot = Plot { name: curve.name, unit: curve.unit, series: Vec::new() };
        println!("\n{}: {}\n", curve.name, curve.unit);
        let sizes: Vec<u64> = curve.sizes.iter().copied().filter(|size| *size <= most).collect();
        println!("| peer | {} |", row(sizes.iter().map(u64::to_string)));
        println!("|---|{}", "---|".repeat(sizes.len()));
        for peer in curve.peers {
            let mut points = Vec::new();
            for size in &sizes {
                let sample = || sampled(&["--point", curve.name, peer.name(), &size.to_string()]);
                let Some(samples) =
                    (0..ROUNDS).map(|_| sample().map(|figures| figures[0])).collect::<Option<Vec<_>>>()
                else {
                    return ExitCode::FAILURE;
                };
                points.push((*size as f64, median(&samples)));
            }
            println!("| {} | {} |", peer.name(), row(points.iter().map(|(_, cost)| format!("{cost:.0}"))));
            plot.series.push(Series { name: peer.name(), points });
        }
        plots.push(plot);
    }
    beside_target("growth.svg", &Plot::page(&plots))
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
