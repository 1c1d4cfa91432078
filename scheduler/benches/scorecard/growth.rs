//! How the cost of one grows with how many there are: `scorecard --growth`.
//!
//! Each point is the median of some fresh processes, or what one of them took where that took long. A size at
//! which a peer takes more than [`MOST_TIME`], or more memory than there is, says so in the table, and the
//! larger ones are not tried. The figures go to stdout as Markdown, to `target/growth.json`, and as a picture
//! with logarithmic axes to `target/growth.svg`, curve by curve.

use std::io::Read;
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, setrlimit};

use crate::harness::beside_target;
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

/// How many processes a point is measured in, but for the quick mode's single one.
const ROUNDS: usize = 3;
/// The largest size of the quick mode.
pub(crate) const SMALL: u64 = 10_000;
/// A point that takes longer is measured once.
const LONG: Duration = Duration::from_secs(4);
/// A point that takes longer is given up.
const MOST_TIME: Duration = Duration::from_secs(60);

/// What a size cost, or why that is not known.
enum Point {
    Cost(f64),
    TooLong,
    TooLarge,
    /// A smaller size was too much.
    Untried,
    Failed(String),
}

impl Point {
    fn cost(&self) -> Option<f64> {
        if let Point::Cost(cost) = self { Some(*cost) } else { None }
    }

    fn shown(&self) -> String {
        match self {
            Point::Cost(cost) => format!("{cost:.0}"),
            Point::TooLong => format!("over {} s", MOST_TIME.as_secs()),
            Point::TooLarge => "no memory".into(),
            Point::Untried => "not tried".into(),
            Point::Failed(_) => "**failed**".into(),
        }
    }
}

/// Measures the curves up to a size, and draws them.
pub(crate) fn measure(most: u64) -> ExitCode {
    let rounds = if most > SMALL { ROUNDS } else { 1 };
    eprintln!(
        "{} curves up to {most}: {}",
        CURVES.len(),
        if most > SMALL { "about a quarter of an hour" } else { "a minute" }
    );
    let (mut plots, mut json, mut whole) = (Vec::new(), Vec::new(), true);
    for curve in CURVES {
        let mut plot = Plot { name: curve.name, unit: curve.unit, series: Vec::new() };
        println!("\n{}: {}\n", curve.name, curve.unit);
        let sizes: Vec<u64> = curve.sizes.iter().copied().filter(|size| *size <= most).collect();
        println!("| peer | {} |", row(sizes.iter().map(u64::to_string)));
        println!("|---|{}", "---|".repeat(sizes.len()));
        for peer in curve.peers {
            let points = series(curve, *peer, &sizes, rounds);
            println!("| {} | {} |", peer.name(), row(points.iter().map(Point::shown)));
            for (size, point) in sizes.iter().zip(&points) {
                let figure = point.cost().map_or(format!("{:?}", point.shown()), |cost| format!("{cost:.1}"));
                let (name, peer) = (curve.name, peer.name());
                json.push(format!(r#"{{"curve":"{name}","peer":"{peer}","size":{size},"cost":{figure}}}"#));
                if let Point::Failed(why) = point {
                    eprintln!("scorecard: FAILED: {name} of {peer} at {size}: {why}");
                    whole = false;
                }
            }
            let known =
                sizes.iter().zip(&points).filter_map(|(size, point)| Some((*size as f64, point.cost()?)));
            plot.series.push(Series { name: peer.name(), points: known.collect() });
        }
        plots.push(plot);
        let written = beside_target("growth.svg", &Plot::page(&plots))
            .and_then(|()| beside_target("growth.json", &format!("[{}]\n", json.join(",\n "))));
        if let Err(why) = written {
            eprintln!("scorecard: {why}");
            whole = false;
        }
    }
    println!("\nMedians of {rounds} processes; of one where it took more than {} s.", LONG.as_secs());
    if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn series(curve: &Curve, peer: Peer, sizes: &[u64], rounds: usize) -> Vec<Point> {
    let mut points: Vec<Point> = Vec::new();
    for size in sizes {
        points.push(match points.last() {
            None | Some(Point::Cost(_)) => sample(curve, peer, *size, rounds),
            Some(_) => Point::Untried,
        });
    }
    points
}

/// The median of some fresh processes.
fn sample(curve: &Curve, peer: Peer, size: u64, rounds: usize) -> Point {
    let mut costs = Vec::new();
    for _ in 0..rounds {
        let begin = Instant::now();
        match once(curve, peer, size) {
            Ok(cost) => costs.push(cost),
            Err(point) => return point,
        }
        if begin.elapsed() > LONG {
            break;
        }
    }
    Point::Cost(median(&costs))
}

fn once(curve: &Curve, peer: Peer, size: u64) -> Result<f64, Point> {
    let failed = |error: std::io::Error| Point::Failed(error.to_string());
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    command.args(["--point", curve.name, peer.name(), &size.to_string()]);
    // What it prints fits into the pipes.
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(failed)?;
    let begin = Instant::now();
    let status = loop {
        if let Some(status) = process.try_wait().map_err(failed)? {
            break status;
        }
        if begin.elapsed() > MOST_TIME {
            process.kill().and_then(|()| process.wait()).map_err(failed)?;
            return Err(Point::TooLong);
        }
        // a wait, not a synchronisation: the standard library has none for a process that may not end
        thread::sleep(Duration::from_millis(5));
    };
    let (mut printed, mut errors) = (String::new(), String::new());
    process.stdout.take().map(|mut out| out.read_to_string(&mut printed));
    process.stderr.take().map(|mut err| err.read_to_string(&mut errors));
    match printed.trim().parse() {
        Ok(cost) if status.success() => Ok(cost),
        _ if errors.contains("memory allocation of") => Err(Point::TooLarge),
        _ => Err(Point::Failed(format!("{status}: {}", errors.trim()))),
    }
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
    keep_to_memory();
    println!("{}", (curve.run)(peer, size));
    ExitCode::SUCCESS
}

/// Has this process fail where it would take more memory than the machine has: otherwise others would.
fn keep_to_memory() {
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let available =
        meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:")?.split_whitespace().next());
    let Some(kilobytes) = available.and_then(|number| number.parse::<u64>().ok()) else { return };
    let limit = Some(kilobytes * 1024 / 10 * 9);
    if let Err(error) = setrlimit(Resource::As, Rlimit { current: limit, maximum: limit }) {
        eprintln!("scorecard: cannot limit this process's memory: {error}");
    }
}
