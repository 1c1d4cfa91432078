//! The table as Markdown, and the same as JSON.

use std::process::ExitCode;

use crate::harness::beside_target;
use crate::peer::{Peer, workers};
use crate::rows::{Metric, Row};
use crate::stats::Estimate;

/// One metric of a row, beside one peer.
pub(crate) struct Line {
    row: &'static Row,
    metric: &'static Metric,
    ours: f64,
    beside: Option<Beside>,
}

struct Beside {
    peer: Peer,
    value: f64,
    ratio: Estimate,
    target: Option<f64>,
}

impl Line {
    /// A metric that no peer has.
    pub(crate) fn alone(row: &'static Row, metric: &'static Metric, ours: f64) -> Self {
        Line { row, metric, ours, beside: None }
    }

    pub(crate) fn beside(
        row: &'static Row,
        metric: &'static Metric,
        ours: f64,
        peer: Peer,
        value: f64,
        ratio: Estimate,
        target: Option<f64>,
    ) -> Self {
        Line { row, metric, ours, beside: Some(Beside { peer, value, ratio, target }) }
    }

    /// What is to be held, and whether it is; a bound without a peer is on our own figure.
    fn verdict(&self) -> Option<(f64, bool)> {
        match &self.beside {
            Some(beside) => beside.target.map(|target| (target, beside.ratio.median <= target)),
            None => {
                self.metric.bound.map(|bound| (bound, bound.holds(self.ours))).map(|(b, h)| (b.value(), h))
            }
        }
    }

    fn markdown(&self) -> String {
        let (number, name) = (self.row.number, self.metric.name);
        let (unit, ours) = (self.metric.unit, shown(self.ours));
        let verdict = match self.verdict() {
            Some((target, holds)) => format!("{target} | {}", if holds { "yes" } else { "**no**" }),
            None => " | ".into(),
        };
        match &self.beside {
            Some(Beside { peer, value, ratio, .. }) => format!(
                "| {number} | {name}, {unit} | {ours} | {} | {} | {} ({} to {}) | {verdict} |",
                peer.name(),
                shown(*value),
                shown(ratio.median),
                shown(ratio.low),
                shown(ratio.high)
            ),
            None => format!("| {number} | {name}, {unit} | {ours} | | | | {verdict} |"),
        }
    }

    fn json(&self) -> String {
        let number = |value: Option<f64>| value.map_or("null".into(), |value| format!("{value:.4}"));
        let (target, holds) = self.verdict().unzip();
        let beside = self.beside.as_ref();
        format!(
            r#"{{"row":{},"name":"{}","unit":"{}","ours":{:.4},"peer":{},"peer_value":{},"ratio":{},"low":{},"high":{},"target":{},"holds":{}}}"#,
            self.row.number,
            self.metric.name,
            self.metric.unit,
            self.ours,
            beside.map_or("null".into(), |beside| format!("\"{}\"", beside.peer.name())),
            number(beside.map(|beside| beside.value)),
            number(beside.map(|beside| beside.ratio.median)),
            number(beside.map(|beside| beside.ratio.low)),
            number(beside.map(|beside| beside.ratio.high)),
            number(target),
            holds.map_or("null".into(), |holds: bool| holds.to_string()),
        )
    }
}

/// Four figures are as much as a benchmark knows.
fn shown(value: f64) -> String {
    match value.abs() {
        1000.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        0.01.. | 0.0 => format!("{value:.3}"),
        _ => format!("{value:.1e}"),
    }
}

pub(crate) struct Report {
    pub(crate) lines: Vec<Line>,
    /// Peers that are not there, or did not run, and why.
    pub(crate) absent: Vec<(&'static Row, Peer, String)>,
    rounds: usize,
    /// Rounds that were measured again.
    pub(crate) discarded: usize,
    /// Rounds that count although the canary was slow.
    pub(crate) disturbed: usize,
}

impl Report {
    pub(crate) fn new(rounds: usize) -> Self {
        Report { lines: Vec::new(), absent: Vec::new(), rounds, discarded: 0, disturbed: 0 }
    }

    /// The table, and what to know of it.
    pub(crate) fn markdown(&self) -> String {
        let mut page = "| # | workload | ours | peer | peer's | ours / peer (95 %) | target | holds |\n\
                        |---|---|---|---|---|---|---|---|\n"
            .to_owned();
        self.lines.iter().for_each(|line| page += &(line.markdown() + "\n"));
        let verdicts = || self.lines.iter().filter_map(Line::verdict);
        let held = verdicts().filter(|(_, holds)| *holds).count();
        page += &format!("\n{held} of {} targets hold.\n", verdicts().count());
        page += &format!(
            "{} rounds on {} cores. Discarded because the canary was slow: {}; kept although it was: {}.\n",
            self.rounds,
            workers(),
            self.discarded,
            self.disturbed
        );
        if self.lines.iter().any(|line| line.beside.as_ref().is_some_and(|beside| beside.peer.is_local())) {
            page += "Tasks of monoio, compio and glommio stay on one thread, and need not be `Send`: \
                     no target is beside them.\n";
        }
        for (row, peer, why) in &self.absent {
            page +=
                &format!("\n**Not measured**: {} in row {}, {}: {why}\n", peer.name(), row.number, row.name);
        }
        page
    }

    /// Prints the table, and writes `target/scorecard.json`.
    pub(crate) fn print(&self) -> ExitCode {
        print!("{}", self.markdown());
        let absent = self.absent.iter().map(|(row, peer, why)| {
            let (peer, number) = (peer.name(), row.number);
            format!(r#"{{"row":{number},"peer":"{peer}","absent":{why:?}}}"#)
        });
        let json: Vec<String> = self.lines.iter().map(Line::json).chain(absent).collect();
        beside_target("scorecard.json", &format!("[{}]\n", json.join(",\n ")))
    }
}
