//! What becomes of the requests in flight when a service is told to stop?
//!
//! `cargo run --release --example drain` starts the same HTTP service twice, one after the other:
//! on plain Tokio and hyper, shut down as their documentation advises, and inside regions. Each is
//! a process of its own, gets real load on real sockets, then a real SIGTERM, and is measured until
//! the process is gone. The end is a table, side by side, and how the region tree closed.
//!
//! - `service`, `tally`: the service and its counters, shared by `plain` and `regions`
//! - `wire`, `load`: the clients and their log
//! - `parent`, `account`: a side's process, and its accounts from both ends
//! - `progress`, `table`: what is shown
//!
//! What `cargo migrate-lint` says of it: 1 detached_spawn allowed, 1 detached_spawn_finite allowed.

#[path = "drain/account.rs"]
mod account;
#[path = "drain/load.rs"]
mod load;
#[path = "drain/parent.rs"]
mod parent;
#[path = "drain/plain.rs"]
mod plain;
#[path = "drain/progress.rs"]
mod progress;
#[path = "drain/regions.rs"]
mod regions;
#[path = "drain/service.rs"]
mod service;
#[path = "drain/table.rs"]
mod table;
#[path = "drain/tally.rs"]
mod tally;
#[path = "drain/wire.rs"]
mod wire;

use std::ffi::OsString;
use std::io::{Write, stderr, stdout};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use service::{Serve, Side};
use tally::{Report, Tally};

const HELP: &str = "\
Starts the same HTTP service on plain Tokio and inside regions, puts load on each,
sends each SIGTERM, and shows what became of the requests in flight.

Usage: drain [--json FILE]    run both sides and show the table
       drain --serve ADDR     only serve the regions side, such as on 127.0.0.1:8080

  --json FILE   also write the numbers to FILE
  --help        this text

Exit code: 0 when the regions side holds what it promises (no request lost, no task
alive, every cleanup run in order, exit within the budget), 1 when not, 2 for bad usage.
";

/// What the command line asks for.
enum Command {
    Help,
    Compare(Option<PathBuf>),
    Serve(SocketAddr),
    /// Hidden: what the parent starts.
    Side(&'static str, Side),
}

/// Why the program ends without its work done.
enum Failure {
    /// The caller can mend it: exit code 2.
    Usage(String),
    /// A side did not do its part: exit code 1.
    Side(String),
}

fn main() -> ExitCode {
    let done = parse(std::env::args_os().skip(1)).and_then(|command| match command {
        Command::Help => {
            say(HELP);
            Ok(true)
        }
        Command::Compare(json) => compare(json),
        Command::Serve(addr) => serve(addr),
        Command::Side(name, side) => child(name, side),
    });
    let (code, message) = match done {
        Ok(true) => return ExitCode::SUCCESS,
        Ok(false) => return ExitCode::from(1),
        Err(Failure::Side(message)) => (1, message),
        Err(Failure::Usage(message)) => (2, message),
    };
    let _ = writeln!(stderr(), "drain: {message}");
    ExitCode::from(code)
}

fn parse(mut args: impl Iterator<Item = OsString>) -> Result<Command, Failure> {
    let usage = |what: String| Failure::Usage(format!("{what}; see drain --help"));
    let mut command = Command::Compare(None);
    while let Some(flag) = args.next() {
        let flag = flag.to_string_lossy().into_owned();
        let mut value = || args.next().ok_or_else(|| usage(format!("{flag} needs a value")));
        command = match flag.as_str() {
            "--help" | "-h" => return Ok(Command::Help),
            "--json" => Command::Compare(Some(value()?.into())),
            "--serve" => {
                let addr = value()?.to_string_lossy().into_owned();
                let parsed = addr.parse();
                Command::Serve(parsed.map_err(|_| usage(format!("bad address {addr:?}")))?)
            }
            "--side" => match value()?.to_str() {
                Some("plain") => Command::Side("plain", plain::run),
                Some("regions") => Command::Side("regions", regions::run),
                _ => return Err(usage("no such side".to_owned())),
            },
            _ => return Err(usage(format!("unknown argument {flag:?}"))),
        };
    }
    Ok(command)
}

/// Runs each side under load, and shows what came of it.
fn compare(json: Option<PathBuf>) -> Result<bool, Failure> {
    let unwritable = |path: &PathBuf, error| Failure::Usage(format!("{}: {error}", path.display()));
    let mut json = match json {
        Some(path) => {
            let file = table::open_json(&path).map_err(|error| unwritable(&path, error))?;
            Some((path, file))
        }
        None => None,
    };

    // One thread: what clients log, and when the signal is sent, then has an order.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Side(error.to_string()))?;
    let run = |name| runtime.block_on(parent::run(name)).map_err(Failure::Side);
    let (plain, _) = run("plain")?;
    let (regions, report) = run("regions")?;
    let broken = regions.broken();
    let sides = [("plain", plain), ("regions", regions)];

    say(&format!("\n{}", table::table(&sides)));
    if let Some(report) = report.close_report {
        say(&format!("\nHow the region tree closed:\n{}\n", report.trim_end()));
    }
    if let Some((path, file)) = &mut json {
        table::write_json(file, &sides).map_err(|error| unwritable(path, error))?;
    }
    for promise in &broken {
        let _ = writeln!(stderr(), "drain: promise not held: {promise}");
    }
    Ok(broken.is_empty())
}

/// Serves the regions side until Ctrl-C or SIGTERM.
fn serve(addr: SocketAddr) -> Result<bool, Failure> {
    let ready = |addr| {
        say(&format!(
            "Serving on http://{addr}. Try, and press Ctrl-C while they run:\n  \
             curl http://{addr}/work\n  curl -N http://{addr}/events\n  curl http://{addr}/never\n",
        ));
    };
    let report = run_side(regions::run, addr, ready)?;
    say(&format!("{}\n", report.close_report.as_deref().unwrap_or_default().trim_end()));
    let all = report.sum(|_| true);
    Ok(report.alive_tasks == 0 && all.cleanups_run == all.cleanups_registered)
}

/// One side as the parent's child: the address is its first line, the report its last.
fn child(name: &str, side: Side) -> Result<bool, Failure> {
    // A parent that is killed must not leave a service behind.
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
        .map_err(|error| Failure::Side(format!("{name}: {error}")))?;
    let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let report = run_side(side, addr, |addr| say(&format!("{addr}\n")))?;
    let line = serde_json::to_string(&report);
    say(&(line.map_err(|error| Failure::Side(format!("{name}: {error}")))? + "\n"));
    Ok(true)
}

fn run_side(side: Side, addr: SocketAddr, ready: fn(SocketAddr)) -> Result<Report, Failure> {
    let tally = Arc::new(Tally::default());
    let ended = side(Serve { addr, ready, tally: Arc::clone(&tally) });
    let ended = ended.map_err(|error| Failure::Usage(format!("cannot serve on {addr}: {error}")))?;
    Ok(tally.report(ended.alive_tasks, ended.close_report))
}

/// Prints; a reader that has gone is not worth failing for.
fn say(text: &str) {
    let mut out = stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
