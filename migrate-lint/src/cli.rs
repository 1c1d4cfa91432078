//! The command line: raw flags, then resolved options, then work.
//!
//! Exit status: 0 nothing found, 1 findings, 2 the run could not be completed
//! (a file that does not parse makes it incomplete, for a lint that did not
//! look must not pass). A reader that goes away early (`| head`) is no error:
//! the status is the same as if it had stayed.

use crate::check::{Report, check};
use crate::render;
use crate::rules;
use lexopt::{Arg, Parser, ValueExt};
use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

const FINDINGS: u8 = 1;
const CANNOT_RUN: u8 = 2;

const HELP: &str = "\
Finds unscoped task spawns in Tokio code, without building it.

Usage:
  cargo migrate-lint [check] [PATH] [--format text|json]
  cargo migrate-lint explain RULE

PATH is a workspace or package directory, a Cargo.toml, or a single .rs file;
without it, the current directory.

Commands:
  check           lint (the default)
  explain RULE    what a rule finds, why it matters, what to write instead

Options:
  --format FORMAT  text (default) or json
  -h, --help       this text
  -V, --version    the version

Exit status: 0 nothing found, 1 findings, 2 the run could not be completed.
Suppress a finding with `// migrate-lint: allow(RULE) reason`.

Rules:
";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Format {
    Text,
    Json,
}

#[derive(PartialEq, Eq, Debug)]
enum Command {
    Check { path: PathBuf, format: Format },
    Explain(String),
    Help,
    Version,
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let mut out = BufWriter::new(io::stdout().lock());
    let (status, written) = match parse(std::env::args_os().skip(1).collect()) {
        Ok(command) => run(&command, &mut out),
        Err(message) => {
            complain(&format!("error: {message}\nTry `cargo migrate-lint --help`."));
            (CANNOT_RUN, Ok(()))
        }
    };
    match written.and_then(|()| out.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            complain(&format!("error: cannot write the report: {e}"));
            ExitCode::from(CANNOT_RUN)
        }
        _ => ExitCode::from(status),
    }
}

/// A line on standard error; there is nobody to tell if that fails.
fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

fn run(command: &Command, out: &mut dyn Write) -> (u8, io::Result<()>) {
    match command {
        Command::Help => (0, help(out)),
        Command::Version => {
            let version = env!("CARGO_PKG_VERSION");
            (0, writeln!(out, "cargo-migrate-lint {version}"))
        }
        Command::Explain(name) => match rules::find(name) {
            Some(rule) => (0, out.write_all(rule.page.as_bytes())),
            None => {
                let known: Vec<_> = rules::ALL.iter().map(|rule| rule.name).collect();
                complain(&format!("error: there is no rule `{name}`; the rules are: {}", known.join(", ")));
                (CANNOT_RUN, Ok(()))
            }
        },
        Command::Check { path, format } => match check(path) {
            Ok(report) => {
                for problem in &report.problems {
                    complain(&render::text::problem(problem));
                }
                let written = match format {
                    Format::Text => render::text::render(&report, out),
                    Format::Json => render::json::render(&report, out),
                };
                (status(&report), written)
            }
            Err(problem) => {
                complain(&render::text::problem(&problem));
                // whoever reads JSON gets a document in any case
                let report = Report { root: path.clone(), problems: vec![problem], ..Report::default() };
                let written = match format {
                    Format::Text => Ok(()),
                    Format::Json => render::json::render(&report, out),
                };
                (CANNOT_RUN, written)
            }
        },
    }
}

fn status(report: &Report) -> u8 {
    if !report.is_complete() {
        CANNOT_RUN
    } else if report.findings.is_empty() {
        0
    } else {
        FINDINGS
    }
}

fn help(out: &mut dyn Write) -> io::Result<()> {
    out.write_all(HELP.as_bytes())?;
    for rule in rules::ALL {
        writeln!(out, "  {:16} {}", rule.name, rule.summary)?;
    }
    Ok(())
}

fn parse(mut args: Vec<OsString>) -> Result<Command, String> {
    // cargo passes a subcommand its own name
    if args.first().is_some_and(|first| first == "migrate-lint") {
        args.remove(0);
    }
    let mut parser = Parser::from_args(args);
    let mut format = Format::Text;
    let mut words: Vec<OsString> = Vec::new();
    while let Some(arg) = parser.next().map_err(|e| e.to_string())? {
        match arg {
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Help),
            Arg::Short('V') | Arg::Long("version") => return Ok(Command::Version),
            Arg::Long("format") => {
                let value = parser.value().map_err(|e| e.to_string())?;
                format = match &*value.string().map_err(|e| e.to_string())? {
                    "text" => Format::Text,
                    "json" => Format::Json,
                    other => return Err(format!("--format is `text` or `json`, not `{other}`")),
                };
            }
            Arg::Value(word) => words.push(word),
            other => return Err(other.unexpected().to_string()),
        }
    }
    let mut words = words.into_iter().peekable();
    if words.peek().is_some_and(|word| word == "explain") {
        words.next();
        return match (words.next(), words.next()) {
            (Some(rule), None) => Ok(Command::Explain(rule.to_string_lossy().into_owned())),
            _ => Err("explain takes the name of one rule".into()),
        };
    }
    if words.peek().is_some_and(|word| word == "check") {
        words.next();
    }
    let path = words.next().map_or_else(|| PathBuf::from("."), PathBuf::from);
    match words.next() {
        Some(extra) => Err(format!("one PATH at a time; `{}` is left over", extra.to_string_lossy())),
        None => Ok(Command::Check { path, format }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(args: &[&str]) -> Result<Command, String> {
        parse(args.iter().map(OsString::from).collect())
    }

    fn at(path: &str, format: Format) -> Result<Command, String> {
        Ok(Command::Check { path: path.into(), format })
    }

    #[test]
    fn all_ways_to_check() {
        assert_eq!(of(&[]), at(".", Format::Text));
        assert_eq!(of(&["check"]), at(".", Format::Text));
        assert_eq!(of(&["migrate-lint"]), at(".", Format::Text));
        assert_eq!(of(&["migrate-lint", "check", "x"]), at("x", Format::Text));
        assert_eq!(of(&["x", "--format=json"]), at("x", Format::Json));
        assert_eq!(of(&["check", "check"]), at("check", Format::Text));
        assert_eq!(of(&["--", "-x"]), at("-x", Format::Text));
    }

    #[test]
    fn mistakes_are_named() {
        for (args, word) in [
            (&["a", "b"][..], "`b`"),
            (&["--format", "xml"], "xml"),
            (&["--formt"], "formt"),
            (&["explain"], "explain"),
        ] {
            let message = of(args).expect_err("a mistake");
            assert!(message.contains(word), "{message}");
        }
    }
}
