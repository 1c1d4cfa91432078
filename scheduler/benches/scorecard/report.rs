//! The table as Markdown, and the same as JSON, both of them written anew after each row.

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
    /// None of what only tells how much was measured.
    ratio: Option<Estimate>,
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
        ratio: Option<Estimate>,
        target: Option<f64>,
    ) -> Self {
        Line { row, metric, ours, beside: Some(Beside { peer, value, ratio, target }) }
    }

    /// What is to be held, and whether it is; a bound without a peer is on our own figure.
    fn verdict(&self) -> Option<(f64, bool)> {
        match &self.beside {
            Some(beside) => {
                beside.target.zip(beside.ratio).map(|(target, ratio)| (target, ratio.median <= target))
            }
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
            Some(Beside { peer, value, ratio, .. }) => {
                let (peer, value) = (peer.name(), shown(*value));
                let ratio = ratio.map_or(String::new(), |ratio| {
                    let [median, low, high] = [ratio.median, ratio.low, ratio.high].map(shown);
                    format!("{median} ({low} to {high})")
                });
                format!("| {number} | {name}, {unit} | {ours} | {peer} | {value} | {ratio} | {verdict} |")
            }
            None => format!("| {number} | {name}, {unit} | {ours} | | | | {verdict} |"),
        }
    }

    fn json(&self) -> String {
        let number = |value: Option<f64>| value.map_or("null".into(), |value| format!("{value:.4}"));
        let (target, holds) = self.verdict().unzip();
        let beside = self.beside.as_ref();
        let ratio = beside.and_then(|beside| beside.ratio);
        format!(
            r#"{{"row":{},"name":"{}","unit":"{}","ours":{:.4},"peer":{},"peer_value":{},"ratio":{},"low":{},"high":{},"target":{},"holds":{}}}"#,
            self.row.number,
            self.metric.name,
            self.metric.unit,
            self.ours,
            beside.map_or("null".into(), |beside| format!("\"{}\"", beside.peer.name())),
            number(beside.map(|beside| beside.value)),
            number(ratio.map(|ratio| ratio.median)),
            number(ratio.map(|ratio| ratio.low)),
            number(ratio.map(|ratio| ratio.high)),
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
    /// Rows that were not measured, and why.
    pub(crate) failed: Vec<(&'static Row, String)>,
    /// Peers that are not there, or did not run, why, and in which rows.
    absent: Vec<(Peer, String, Vec<&'static Row>)>,
    rounds: usize,
    /// Rounds that were measured again.
    pub(crate) discarded: usize,
    /// Rounds that count although the canary was slow.
    pub(crate) disturbed: usize,
}

impl Report {
    pub(crate) fn new(rounds: usize) -> Self {
        let (lines, failed, absent) = (Vec::new(), Vec::new(), Vec::new());
        Report { lines, failed, absent, rounds, discarded: 0, disturbed: 0 }
    }

    /// A row goes without this peer. Told on stderr when it is the first.
    pub(crate) fn miss(&mut self, row: &'static Row, peer: Peer, why: String) {
        let known = self.absent.iter_mut().find(|known| (known.0, &known.1) == (peer, &why));
        match known {
            Some((_, _, rows)) => rows.push(row),
            None => {
                eprint!("\nscorecard: NOT MEASURED: {}: {why}\n..", peer.name());
                self.absent.push((peer, why, vec![row]));
            }
        }
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
        for (peer, why, rows) in &self.absent {
            let rows: Vec<String> = rows.iter().map(|row| format!("{} {}", row.number, row.name)).collect();
            page += &format!("\n**Not measured**: {} in {}: {why}\n", peer.name(), rows.join(", "));
        }
        for (row, why) in &self.failed {
            page += &format!("\n**Failed**: {} {}: {why}\n", row.number, row.name);
        }
        page
    }

    fn json(&self) -> String {
        let absent = self.absent.iter().flat_map(|(peer, why, rows)| {
            let absent = move |row: &&Row| {
                let (peer, number) = (peer.name(), row.number);
                format!(r#"{{"row":{number},"peer":"{peer}","absent":{why:?}}}"#)
            };
            rows.iter().map(absent)
        });
        let failed =
            self.failed.iter().map(|(row, why)| format!(r#"{{"row":{},"failed":{why:?}}}"#, row.number));
        let all: Vec<String> = self.lines.iter().map(Line::json).chain(absent).chain(failed).collect();
        format!("[{}]\n", all.join(",\n "))
    }

    /// Writes the table so far to `target/scorecard.md`, and the same to `target/scorecard.json`.
    pub(crate) fn save(&self) -> Result<(), String> {
        beside_target("scorecard.md", &self.markdown())?;
        beside_target("scorecard.json", &self.json())
    }
}
