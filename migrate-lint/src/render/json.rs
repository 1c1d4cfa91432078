//! The JSON forms: one document ([`render`]), or a record on each line
//! ([`lines`]), for programs that want to begin before it ends.

use super::records::{self, Entry, ProblemEntry, Run, SetAsideEntry, Summary};
use crate::check::Report;
use serde::Serialize;
use std::io::{self, Write};

#[derive(Serialize)]
struct Document {
    #[serde(flatten)]
    run: Run,
    findings: Vec<Entry>,
    unknowns: Vec<Entry>,
    set_aside: Vec<SetAsideEntry>,
    stale: Vec<ProblemEntry>,
    problems: Vec<ProblemEntry>,
    summary: Summary,
}

/// Writes the document.
pub fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let document = Document {
        run: Run::of(report),
        findings: records::findings(report).collect(),
        unknowns: records::unknowns(report).collect(),
        set_aside: records::set_aside(report).collect(),
        stale: records::stale(report).collect(),
        problems: records::problems(report).collect(),
        summary: Summary::of(report),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Record {
    Run(Run),
    Finding(Entry),
    Unknown(Entry),
    SetAside(SetAsideEntry),
    Stale(ProblemEntry),
    Problem(ProblemEntry),
    Summary(Summary),
}

/// Writes the records: `run` first, `summary` last.
pub fn lines(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let records = [Record::Run(Run::of(report))]
        .into_iter()
        .chain(records::findings(report).map(Record::Finding))
        .chain(records::unknowns(report).map(Record::Unknown))
        .chain(records::set_aside(report).map(Record::SetAside))
        .chain(records::stale(report).map(Record::Stale))
        .chain(records::problems(report).map(Record::Problem))
        .chain([Record::Summary(Summary::of(report))]);
    for record in records {
        serde_json::to_writer(&mut *out, &record)?;
        writeln!(out)?;
    }
    Ok(())
}
