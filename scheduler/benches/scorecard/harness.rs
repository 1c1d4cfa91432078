//! Samples in fresh processes, in rounds that run forwards and backwards, compared in pairs.

use std::process::{Command, ExitCode};

use crate::canary::Canary;
use crate::measure::Figures;
use crate::peer::Peer;
use crate::report::{Line, Report};
use crate::rows::{ROWS, Row};
use crate::stats::{estimate, median};

/// How thorough a run is.
#[derive(Clone, Copy)]
pub(crate) struct Options {
    rounds: usize,
    /// Divides the work of each sample.
    scale: u64,
}

impl Options {
    pub(crate) const FULL: Options = Options { rounds: 15, scale: 1 };
    pub(crate) const QUICK: Options = Options { rounds: 1, scale: 20 };
}

/// Measures the wanted rows, or all, and prints the table.
pub(crate) fn compare(wanted: &[&str], options: Options) -> ExitCode {
    let mut canary = Canary::new();
    let mut report = Report::default();
    for row in ROWS.iter().filter(|row| wanted.is_empty() || wanted.contains(&row.name)) {
        eprintln!("measuring {} {} ..", row.number, row.name);
        let Some(rounds) = measure(row, options, &mut canary, &mut report) else { return ExitCode::FAILURE };
        add(&mut report, row, &rounds);
    }
    report.print()
}

/// What each peer of a row did in each round; ours comes first.
fn measure(
    row: &Row,
    options: Options,
    canary: &mut Canary,
    report: &mut Report,
) -> Option<Vec<Vec<Figures>>> {
    let peers: Vec<Peer> = [Peer::Ours].into_iter().chain(row.peers.iter().copied()).collect();
    let mut rounds = Vec::new();
    let mut again = options.rounds;
    while rounds.len() < options.rounds {
        let quiet_before = canary.is_quiet();
        let mut round = vec![Figures::new(); peers.len()];
        // A B C, C B A, A B C ..: a drift of the machine favours nobody.
        for index in 0..peers.len() {
            let index = if rounds.len() % 2 == 0 { index } else { peers.len() - 1 - index };
            round[index] = spawn(row, peers[index], options.scale)?;
        }
        if quiet_before && canary.is_quiet() {
            rounds.push(round);
        } else if again > 0 {
            again -= 1;
            report.discarded += 1;
        } else {
            report.disturbed += 1;
            rounds.push(round);
        }
    }
    Some(rounds)
}

fn add(report: &mut Report, row: &'static Row, rounds: &[Vec<Figures>]) {
    for (at, metric) in row.metrics.iter().enumerate() {
        let of = |peer: usize| -> Vec<f64> { rounds.iter().map(|round| round[peer][at]).collect() };
        let ours = of(0);
        let medians: Vec<f64> = (1..=row.peers.len()).map(|peer| median(&of(peer))).collect();
        // A floor is nobody's result to beat.
        let real = |index: &usize| row.peers[*index] != Peer::Raw;
        let best = (0..medians.len()).filter(real).min_by(|a, b| medians[*a].total_cmp(&medians[*b]));
        if row.peers.is_empty() {
            report.lines.push(Line::alone(row, metric, median(&ours)));
        }
        for (index, peer) in row.peers.iter().enumerate() {
            let theirs = of(index + 1);
            let ratios: Vec<f64> = ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs).collect();
            let of_tokio = metric.tokio.filter(|_| *peer == Peer::Tokio);
            let of_best = metric.best.filter(|_| best == Some(index));
            let target = [of_tokio, of_best].into_iter().flatten().reduce(f64::min);
            report.lines.push(Line::beside(
                row,
                metric,
                median(&ours),
                *peer,
                medians[index],
                estimate(&ratios),
                target,
            ));
        }
    }
}

/// One sample of each metric.
fn spawn(row: &Row, peer: Peer, scale: u64) -> Option<Figures> {
    let figures = sampled(&["--sample", row.name, peer.name(), &scale.to_string()])?;
    assert_eq!(figures.len(), row.metrics.len(), "{} has a figure for each metric", row.name);
    Some(figures)
}

/// What a process of its own prints.
pub(crate) fn sampled(args: &[&str]) -> Option<Figures> {
    let exe = std::env::current_exe().ok()?;
    let output = Command::new(exe).args(args).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let figures: Figures = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    if output.status.success() && !figures.is_empty() {
        return Some(figures);
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    eprintln!("scorecard: {} failed ({}): {text}{errors}", args.join(" "), output.status);
    None
}

/// Writes a file into the target directory.
pub(crate) fn beside_target(name: &str, text: &str) -> ExitCode {
    let target = std::env::current_exe().ok().and_then(|exe| Some(exe.ancestors().nth(3)?.join(name)));
    match target.map(|path| std::fs::write(path, text)) {
        Some(Ok(())) => ExitCode::SUCCESS,
        other => {
            eprintln!("scorecard: cannot write {name} into the target directory: {other:?}");
            ExitCode::FAILURE
        }
    }
}
