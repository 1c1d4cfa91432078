//! Samples in fresh processes, interleaved, compared in pairs; the table.

use std::fmt::Write as _;
use std::process::{Command, ExitCode};

use crate::rows::{Peer, ROWS, Row, Sample};
use crate::stats::{Estimate, estimate, median};

/// How thorough a run is.
#[derive(Clone, Copy)]
pub(crate) struct Options {
    rounds: usize,
    /// Divides the work of each sample.
    scale: u64,
}

impl Options {
    pub(crate) const FULL: Options = Options { rounds: 15, scale: 1 };
    pub(crate) const QUICK: Options = Options { rounds: 3, scale: 10 };
}

/// Compares the wanted rows, or all, and prints the table.
pub(crate) fn compare(wanted: &[&str], options: Options) -> ExitCode {
    let mut table = String::from(
        "| row | unit | ours | tokio | wall ours / tokio (95 %) | cpu ours / tokio (95 %) |\n|---|---|---|---|---|---|\n",
    );
    let mut json = Vec::new();
    for row in ROWS.iter().filter(|row| wanted.is_empty() || wanted.contains(&row.name)) {
        eprintln!("measuring {} ..", row.name);
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for round in 0..options.rounds {
            // A B, B A, A B ..: a drift of the machine favours nobody.
            let order = if round % 2 == 0 { [Peer::Ours, Peer::Tokio] } else { [Peer::Tokio, Peer::Ours] };
            for peer in order {
                let Some(sample) = spawn(row, peer, options.scale) else { return ExitCode::FAILURE };
                if peer == Peer::Ours { ours.push(sample) } else { theirs.push(sample) }
            }
        }
        let ratio = |of: fn(&Sample) -> f64| {
            let ratios: Vec<f64> = ours.iter().zip(&theirs).map(|(a, b)| of(a) / of(b)).collect();
            estimate(&ratios)
        };
        let wall = ratio(|sample| sample.wall_ns);
        let cpu = ratio(|sample| sample.cpu_ns);
        let value = |samples: &[Sample]| median(&samples.iter().map(|s| s.wall_ns).collect::<Vec<_>>());
        let (mine, peer) = (value(&ours), value(&theirs));
        let shown = |e: Estimate| format!("{:.2} ({:.2} to {:.2})", e.median, e.low, e.high);
        writeln!(
            table,
            "| {} | {} | {mine:.0} | {peer:.0} | {} | {} |",
            row.name,
            row.unit,
            shown(wall),
            shown(cpu)
        )
        .expect("a String takes everything");
        json.push(format!(
            r#"{{"row":"{}","unit":"{}","peer":"tokio","ours":{mine:.1},"peer_value":{peer:.1},"ratio":{:.4},"low":{:.4},"high":{:.4},"cpu_ratio":{:.4}}}"#,
            row.name, row.unit, wall.median, wall.low, wall.high, cpu.median
        ));
    }
    print!("{table}");
    let target =
        std::env::current_exe().ok().and_then(|exe| Some(exe.ancestors().nth(3)?.join("scorecard.json")));
    let written = target.map(|path| std::fs::write(path, format!("[{}]\n", json.join(",\n "))));
    match written {
        Some(Ok(())) => ExitCode::SUCCESS,
        other => {
            eprintln!("scorecard: cannot write scorecard.json beside the target directory: {other:?}");
            ExitCode::FAILURE
        }
    }
}

fn spawn(row: &Row, peer: Peer, scale: u64) -> Option<Sample> {
    let exe = std::env::current_exe().ok()?;
    let output =
        Command::new(exe).args(["--sample", row.name, peer.name(), &scale.to_string()]).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut numbers = text.split_whitespace().filter_map(|word| word.parse().ok());
    match (output.status.success(), numbers.next(), numbers.next()) {
        (true, Some(wall_ns), Some(cpu_ns)) => Some(Sample { wall_ns, cpu_ns }),
        _ => {
            let errors = String::from_utf8_lossy(&output.stderr);
            eprintln!("scorecard: {} on {} failed: {text}{errors}", row.name, peer.name());
            None
        }
    }
}
