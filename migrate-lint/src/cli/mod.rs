//! The command line: raw flags, then resolved options, then work.
//!
//! Exit status: 0 nothing that fails the run, 1 findings, 2 the run could not
//! be completed (a file that does not parse makes it incomplete, for a lint
//! that did not look must not pass). A reader that goes away early (`| head`)
//! is no error: the status is the same as if it had stayed.

mod flags;
mod help;
mod options;
mod raw;
mod work;

use flags::Command;
use options::Mistake;
use raw::{Asked, Raw};
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

const FINDINGS: u8 = 1;
const CANNOT_RUN: u8 = 2;

/// What a command comes to: its exit status, and whether it could be told.
type Done = (u8, io::Result<()>);

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let mut out = BufWriter::new(io::stdout().lock());
    let done = match raw::parse(std::env::args_os().skip(1).collect()) {
        Ok(Asked::Help(command)) => Ok((0, out.write_all(help::help(command).as_bytes()))),
        Ok(Asked::Version) => Ok((0, writeln!(out, "cargo-migrate-lint {}", env!("CARGO_PKG_VERSION")))),
        Ok(Asked::Run(raw)) => run(&raw, &mut out),
        Err(message) => Err(Mistake::Usage(message)),
    };
    let (status, written) = done.unwrap_or_else(|mistake| (report(mistake), Ok(())));
    match written.and_then(|()| out.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            complain(&format!("error: cannot write the report: {e}"));
            ExitCode::from(CANNOT_RUN)
        }
        _ => ExitCode::from(status),
    }
}

fn run(raw: &Raw, out: &mut dyn Write) -> Result<Done, Mistake> {
    match raw.command {
        Command::Check => work::check(raw, out),
        Command::Baseline => work::baseline(raw, out),
        Command::Fix => work::fix(raw, out),
        Command::Report => work::report(raw, out),
        Command::Explain => work::explain(raw, out),
        Command::List => Ok((0, out.write_all(help::rules_list().as_bytes()))),
    }
}

fn report(mistake: Mistake) -> u8 {
    match mistake {
        Mistake::Usage(message) => complain(&format!("error: {message}\nTry `cargo migrate-lint --help`.")),
        Mistake::Plain(message) => complain(&format!("error: {message}")),
        Mistake::Files(problems) => {
            for problem in &problems {
                complain(&crate::render::short::problem(problem));
            }
        }
    }
    CANNOT_RUN
}

/// A line on standard error; there is nobody to tell if that fails.
fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
