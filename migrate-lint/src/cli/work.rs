//! The work of each command, once it is known what is meant.

use super::options::{self, Format, Mistake, ReportFormat};
use super::raw::Raw;
use super::{CANNOT_RUN, Done, FINDINGS, complain};
use crate::baseline::{self, Change};
use crate::check::{self, Report};
use crate::debt::{self, Debt};
use crate::fix::{self, vcs::Allowed};
use crate::load::Problem;
use crate::load::source::canonical;
use crate::render::{self, count};
use crate::rules;
use std::io::Write;

/// `check`
pub(super) fn check(raw: &Raw, out: &mut dyn Write) -> Result<Done, Mistake> {
    let (path, format) = (options::path(raw), options::format(raw)?);
    let (is_colored, is_quiet, is_strict) = (options::color(raw)?, raw.has("quiet"), raw.has("strict"));
    let (options, warnings) = options::linting(raw)?;
    let report = check::check(&path, &options).map(|mut report| {
        report.problems.splice(0..0, warnings);
        report
    });
    // whoever reads JSON gets a document in any case
    let (report, is_run) = match report {
        Ok(report) => (report, true),
        Err(mut problem) => {
            if let Some(command) = options::meant(&path) {
                problem.message.push_str(&format!("; or did you mean the command `{command}`?"));
            }
            let repository = options.place.repository.clone();
            (Report { root: path, repository, problems: vec![problem], ..Report::default() }, false)
        }
    };
    for problem in &report.problems {
        complain(&render::short::problem(problem));
    }
    let written = match format {
        Format::Json => render::json::render(&report, out),
        Format::JsonLines => render::json::lines(&report, out),
        Format::Sarif => render::sarif::render(&report, out),
        _ if !is_run => Ok(()),
        Format::Text => render::text::render(&report, is_colored, is_quiet, out),
        Format::Short => render::short::render(&report, is_quiet, out),
        Format::GitHub => render::github::render(&report, is_quiet, out),
    };
    if is_strict {
        for stale in &report.stale {
            complain(&render::short::problem(stale));
        }
    } else if !is_quiet && !report.stale.is_empty() {
        let n = count(report.stale.len(), "entry or scope", "entries or scopes");
        complain(&format!(
            "note: {n} that nothing needs any more; --strict lists them, `baseline --prune` removes entries"
        ));
    }
    let status = match &report {
        report if !report.is_complete() => CANNOT_RUN,
        report if report.fails() || (is_strict && !report.stale.is_empty()) => FINDINGS,
        _ => 0,
    };
    Ok((status, written))
}

/// `baseline`
pub(super) fn baseline(raw: &Raw, out: &mut dyn Write) -> Result<Done, Mistake> {
    let (options, warnings) = options::linting(raw)?;
    let report = check::check(&options::path(raw), &options).map_err(one)?;
    for problem in warnings.iter().chain(&report.problems) {
        complain(&render::short::problem(problem));
    }
    if !report.is_complete() {
        complain("error: the baseline is left as it is, for it would lack what could not be read");
        return Ok((CANNOT_RUN, Ok(())));
    }
    let entries = if raw.has("prune") { report.accepted } else { [report.accepted, report.new].concat() };
    let dir = &options.config.baseline;
    let Change { added, removed, kept } = baseline::write(dir, &entries).map_err(one)?;
    let written = match raw.has("quiet") {
        true => Ok(()),
        false => {
            let here = std::env::current_dir().map(|here| canonical(&here)).unwrap_or_default();
            let dir = render::shown(dir.strip_prefix(here).unwrap_or(dir));
            writeln!(out, "{dir}: {added} added, {removed} removed, {kept} kept")
        }
    };
    Ok((0, written))
}

/// `fix`
pub(super) fn fix(raw: &Raw, out: &mut dyn Write) -> Result<Done, Mistake> {
    let path = options::path(raw);
    let (options, warnings) = options::linting(raw)?;
    let report = check::check(&path, &options).map_err(one)?;
    for problem in warnings.iter().chain(&report.problems) {
        complain(&render::short::problem(problem));
    }
    let is_complete = report.is_complete();
    if !fix::fixable(&report).is_empty() {
        let allowed = Allowed {
            dirty: raw.has("allow-dirty"),
            staged: raw.has("allow-staged"),
            no_vcs: raw.has("allow-no-vcs"),
        };
        fix::vcs::may_change(&options.place.repository, allowed).map_err(Mistake::Plain)?;
    }
    let fixed = fix::fix(&path, &options, report).map_err(one)?;
    for problem in &fixed.problems {
        complain(&render::short::problem(problem));
    }
    let status = if is_complete && fixed.problems.is_empty() { 0 } else { CANNOT_RUN };
    let mut tell = || {
        for (file, n) in &fixed.files {
            writeln!(out, "fixed {} ({})", render::shown(file), count(*n, "fix", "fixes"))?;
        }
        if fixed.files.is_empty() { writeln!(out, "nothing that can be fixed") } else { Ok(()) }
    };
    let written = if raw.has("quiet") { Ok(()) } else { tell() };
    Ok((status, written))
}

/// `report`
pub(super) fn report(raw: &Raw, out: &mut dyn Write) -> Result<Done, Mistake> {
    let format = options::report_format(raw)?;
    let (options, warnings) = options::linting(raw)?;
    let report = check::check(&options::path(raw), &options).map_err(one)?;
    for problem in warnings.iter().chain(&report.problems) {
        complain(&render::short::problem(problem));
    }
    let debt = Debt::of(&report);
    let written = match format {
        ReportFormat::Markdown => debt::markdown::render(&debt, out),
        ReportFormat::Svg => debt::svg::render(&debt, out),
    };
    Ok((if report.is_complete() { 0 } else { CANNOT_RUN }, written))
}

fn one(problem: Problem) -> Mistake {
    Mistake::Files(vec![problem])
}

/// `explain`
pub(super) fn explain(raw: &Raw, out: &mut dyn Write) -> Result<Done, Mistake> {
    let Some(name) = &raw.operand else {
        return Err(Mistake::Usage("explain takes the name of one rule; `list` lists them".into()));
    };
    let name = name.to_string_lossy();
    match rules::find(&name) {
        Some(rule) => Ok((0, out.write_all(rule.page.as_bytes()))),
        None => Err(Mistake::Usage(rules::unknown(&name))),
    }
}
