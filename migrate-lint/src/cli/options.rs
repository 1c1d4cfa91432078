//! What the flags mean: each value checked, defaults filled in, configuration
//! and baseline read.

use super::complain;
use super::flags::{COLORS, Command, FORMATS, REPORT_FORMATS};
use super::raw::Raw;
use crate::baseline;
use crate::check::Options;
use crate::config::Config;
use crate::config::hint::{hint, nearest};
use crate::load::{Problem, Severity};
use crate::place::Place;
use crate::precise::{self, Build, Said};
use std::env;
use std::io::{IsTerminal, stdout};
use std::path::{Path, PathBuf};

/// How findings are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Format {
    Text,
    Short,
    Json,
    JsonLines,
    Sarif,
    GitHub,
}

/// How debt is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ReportFormat {
    Markdown,
    Svg,
}

/// Why a run cannot start.
pub(super) enum Mistake {
    /// The words on the command line.
    Usage(String),
    /// What stands in the way, told in whole.
    Plain(String),
    /// The files they name.
    Files(Vec<Problem>),
}

impl From<String> for Mistake {
    fn from(message: String) -> Mistake {
        Mistake::Usage(message)
    }
}

/// The operand as a path; without one, the nearest directory with a manifest,
/// here or above, as cargo looks for it.
pub(super) fn path(raw: &Raw) -> PathBuf {
    if let Some(operand) = &raw.operand {
        return PathBuf::from(operand);
    }
    let here = env::current_dir().unwrap_or_default();
    let up = here.ancestors().position(|dir| dir.join("Cargo.toml").is_file()).unwrap_or(0);
    if up == 0 { PathBuf::from(".") } else { PathBuf::from_iter(std::iter::repeat_n("..", up)) }
}

/// What a word that names no file may have been meant for.
pub(super) fn meant(path: &Path) -> Option<&'static str> {
    let word = path.to_str().filter(|_| !path.exists())?;
    nearest(word, Command::ALL.iter().map(|command| command.name()))
}

fn chosen(raw: &Raw, flag: &str, names: &[&str]) -> Result<usize, String> {
    let Some(value) = raw.value(flag) else { return Ok(0) };
    let typed = value.to_string_lossy();
    let found = names.iter().position(|name| *name == typed);
    found.ok_or_else(|| format!("--{flag}: there is no `{typed}`{}", hint(&typed, "choices", names)))
}

/// The format of `check`.
pub(super) fn format(raw: &Raw) -> Result<Format, String> {
    let formats =
        [Format::Text, Format::Short, Format::Json, Format::JsonLines, Format::Sarif, Format::GitHub];
    Ok(formats[chosen(raw, "format", &FORMATS)?])
}

/// The format of `report`.
pub(super) fn report_format(raw: &Raw) -> Result<ReportFormat, String> {
    Ok([ReportFormat::Markdown, ReportFormat::Svg][chosen(raw, "format", &REPORT_FORMATS)?])
}

/// Whether to write colours to standard output.
pub(super) fn color(raw: &Raw) -> Result<bool, String> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    // cargo's own variable speaks to its subcommands, too
    let asked = match (raw.has("color"), set("CARGO_TERM_COLOR")) {
        (false, Some(value)) => COLORS.iter().position(|name| value == *name).unwrap_or(0),
        _ => chosen(raw, "color", &COLORS)?,
    };
    Ok(match COLORS[asked] {
        "always" => true,
        "never" => false,
        _ => {
            let plain = set("NO_COLOR").is_some() || set("TERM").is_some_and(|term| term == "dumb");
            let known = cfg!(unix) || set("WT_SESSION").is_some() || set("TERM").is_some();
            stdout().is_terminal() && known && !plain
        }
    })
}

/// A run over what the operand stands for, with the warnings there are.
pub(super) fn linting(raw: &Raw) -> Result<(Options, Vec<Problem>), Mistake> {
    let path = path(raw);
    let place = match raw.value("config") {
        Some(file) => Place::configured_by(&path, Path::new(file)),
        None => Place::of(&path),
    };
    let mut config = Config::load(&place).map_err(Mistake::Files)?;
    if let Some(dir) = raw.value("baseline") {
        config.baseline = PathBuf::from(dir);
    }
    let mut problems = Vec::new();
    // what is accepted is mended all the same
    let baseline = match raw.has("no-baseline") || raw.command == Command::Fix {
        true => None,
        false => Some(baseline::read(&config.baseline, &mut problems).map_err(|e| Mistake::Files(vec![e]))?),
    };
    if raw.has("baseline") && raw.command == Command::Check && !config.baseline.exists() {
        problems.push(Problem {
            file: config.baseline.clone(),
            place: None,
            severity: Severity::Warning,
            message: "there is no such baseline, so everything is new; the command `baseline` makes one"
                .into(),
        });
    }
    let said = precise(raw, &path, &mut problems)?;
    Ok((Options { place, config, baseline, said }, problems))
}

/// What clippy says, if it is asked; packages that it could not build are
/// warnings.
fn precise(raw: &Raw, path: &Path, problems: &mut Vec<Problem>) -> Result<Option<Said>, Mistake> {
    let mut flags = Vec::new();
    for flag in ["features", "all-features", "no-default-features"].into_iter().filter(|flag| raw.has(flag)) {
        if !raw.has("precise") {
            return Err(Mistake::Usage(format!("--{flag} goes with --precise; without it nothing is built")));
        }
        flags.push(format!("--{flag}"));
        flags.extend(raw.value(flag).map(|value| value.to_string_lossy().into_owned()));
    }
    if !raw.has("precise") {
        return Ok(None);
    }
    if !raw.has("quiet") {
        complain("note: clippy builds the code first, which may take its time");
    }
    let said = precise::run(path, &Build { flags, target_dir: None }).map_err(Mistake::Plain)?;
    problems.extend(said.failed.iter().map(|(package, why)| Problem {
        file: path.to_path_buf(),
        place: None,
        severity: Severity::Warning,
        message: format!("clippy could not build {package}, and settles nothing in it: {why}"),
    }));
    Ok(Some(said))
}
