//! Samples in fresh processes, in rounds that run forwards and backwards, compared in pairs.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::apart;
use crate::canary::Canary;
use crate::measure::Figures;
use crate::peer::Peer;
use crate::report::{Line, Report};
use crate::rows::{ROWS, Row};
use crate::stats::{estimate, median};

/// How thorough a run is.
#[derive(Clone, Copy)]
pub(crate) struct Options {
    pub(crate) rounds: usize,
    /// Divides the work of each sample.
    scale: u64,
    /// A round beside which the canary was slow is measured again.
    again: bool,
}

impl Options {
    pub(crate) const FULL: Options = Options { rounds: 15, scale: 1, again: true };
    pub(crate) const QUICK: Options = Options { rounds: 1, scale: 20, again: false };

    /// How long the rows take when nothing disturbs them; known of full samples only.
    fn duration(self, rows: &[&Row]) -> Option<Duration> {
        let round: u64 = rows.iter().map(|row| row.seconds).sum();
        (self.scale == 1).then(|| Duration::from_secs(round) * self.rounds as u32)
    }
}

/// Measures the wanted rows, or all. The report so far is written after each, so that nothing is lost when a
/// later one fails, or when somebody has waited long enough.
pub(crate) fn compare(wanted: &[&str], options: Options) -> Report {
    let rows: Vec<&Row> = ROWS.iter().filter(|row| wanted.is_empty() || wanted.contains(&row.name)).collect();
    match options.duration(&rows) {
        Some(duration) => eprintln!(
            "{} rows of {} rounds each: about {} min on two quiet cores, at most twice that on busy ones",
            rows.len(),
            options.rounds,
            duration.as_secs().div_ceil(60)
        ),
        None => eprintln!("{} rows, quickly: less than a minute", rows.len()),
    }
    let mut canary = Canary::new();
    let mut report = Report::new(options.rounds);
    for row in rows {
        eprint!("measuring {} {} ..", row.number, row.name);
        let begin = Instant::now();
        let peers = present(row, &mut report);
        match measure(row, &peers, options, &mut canary, &mut report) {
            Ok(rounds) => add(&mut report, row, &peers, &rounds),
            Err(why) => {
                eprint!("\nscorecard: FAILED: {} {}: {why}\n..", row.number, row.name);
                report.failed.push((row, why));
            }
        }
        if let Err(why) = report.save() {
            eprint!("\nscorecard: {why}\n..");
        }
        eprintln!(" {:.1} s", begin.elapsed().as_secs_f64());
    }
    report
}

/// Ours, and the row's peers that run here. A peer that is a program of its own may be missing, or refuse.
fn present(row: &'static Row, report: &mut Report) -> Vec<Peer> {
    const SMALL: u64 = 1000;
    let mut peers = vec![Peer::Ours];
    for peer in row.peers.iter().copied() {
        let apart = peer.is_local() || peer == Peer::OneLane;
        match if apart { sample(row, peer, SMALL) } else { Ok(Figures::new()) } {
            Ok(_) => peers.push(peer),
            Err(why) => report.miss(row, peer, why),
        }
    }
    peers
}

/// What each peer did in each round.
fn measure(
    row: &Row,
    peers: &[Peer],
    options: Options,
    canary: &mut Canary,
    report: &mut Report,
) -> Result<Vec<Vec<Figures>>, String> {
    let mut rounds = Vec::new();
    let mut again = if options.again { options.rounds } else { 0 };
    while rounds.len() < options.rounds {
        let quiet_before = canary.is_quiet();
        let mut round = vec![Figures::new(); peers.len()];
        // A B C, C B A, A B C ..: a drift of the machine favours nobody.
        for index in 0..peers.len() {
            let index = if rounds.len() % 2 == 0 { index } else { peers.len() - 1 - index };
            round[index] = sample(row, peers[index], options.scale)
                .map_err(|why| format!("{}: {why}", peers[index].name()))?;
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
    Ok(rounds)
}

fn add(report: &mut Report, row: &'static Row, peers: &[Peer], rounds: &[Vec<Figures>]) {
    for (at, metric) in row.metrics.iter().enumerate() {
        let of = |peer: usize| -> Vec<f64> { rounds.iter().map(|round| round[peer][at]).collect() };
        let ours = of(0);
        let medians: Vec<f64> = (0..peers.len()).map(|peer| median(&of(peer))).collect();
        // A floor is nobody's result to beat.
        let real = |index: &usize| peers[*index] != Peer::Raw && !peers[*index].is_local();
        let best = (1..peers.len()).filter(real).min_by(|a, b| medians[*a].total_cmp(&medians[*b]));
        if peers.len() == 1 {
            report.lines.push(Line::alone(row, metric, medians[0]));
        }
        for (index, peer) in peers.iter().enumerate().skip(1) {
            let theirs = of(index);
            let ratios: Vec<f64> = ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs).collect();
            let ratio = (!metric.is_count).then(|| estimate(&ratios));
            let of_tokio = metric.tokio.filter(|_| *peer == Peer::Tokio);
            let of_best = metric.best.filter(|_| best == Some(index));
            let target = [of_tokio, of_best].into_iter().flatten().reduce(f64::min);
            report.lines.push(Line::beside(row, metric, medians[0], *peer, medians[index], ratio, target));
        }
    }
}

/// One sample of each metric.
fn sample(row: &Row, peer: Peer, scale: u64) -> Result<Figures, String> {
    let figures = printed(&mut apart::command(row, peer, scale)?)?;
    if figures.len() == row.metrics.len() {
        return Ok(figures);
    }
    Err(format!("{} has {} metrics, and it has {} figures", row.name, row.metrics.len(), figures.len()))
}

/// The figures that a process of its own prints.
pub(crate) fn printed(command: &mut Command) -> Result<Figures, String> {
    let output = command.output().map_err(|error| format!("{command:?} does not start: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let figures: Figures = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    if output.status.success() && !figures.is_empty() {
        return Ok(figures);
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(format!("{}: {}", output.status, errors.trim()))
}

/// Writes a file into the target directory: the whole of it, or none.
pub(crate) fn beside_target(name: &str, text: &str) -> Result<(), String> {
    let write = || {
        let this = std::env::current_exe().map_err(|error| error.to_string())?;
        let path = apart::target(&this)?.join(name);
        let new = path.with_added_extension("new");
        std::fs::write(&new, text)
            .and_then(|()| std::fs::rename(&new, &path))
            .map_err(|error| error.to_string())
    };
    write().map_err(|why: String| format!("cannot write {name} into the target directory: {why}"))
}
