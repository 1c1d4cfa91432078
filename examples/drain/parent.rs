//! The parent's part in one side: start it as a process, put load on it, send it SIGTERM, and
//! measure to the end of the process.

use rustix::process::{Pid, Signal, kill_process};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{interval, timeout};

use crate::account::Account;
use crate::load::Load;
use crate::progress::Progress;
use crate::service::{DRAIN, FINALIZE};
use crate::tally::Report;

/// How long a child may take to listen, and again to be warm.
const START_LIMIT: Duration = Duration::from_secs(6);
/// How much longer than its budget a child may take to exit before it is killed.
const EXIT_LIMIT: Duration = Duration::from_secs(3);
/// How often the parent looks at the log.
const LOOK: Duration = Duration::from_millis(20);

/// Runs the side called `name` under load, to its end.
pub(crate) async fn run(name: &'static str) -> Result<(Account, Report), String> {
    let mut progress = Progress::new(name);
    let mut process = Process::start(name)?;
    let addr = process.line().await?;
    let addr = addr.parse().map_err(|_| format!("{name}: expected an address, got {addr:?}"))?;

    let load = Load::start(addr);
    let started = Instant::now();
    let mut look = interval(LOOK);
    loop {
        look.tick().await;
        let log = load.log();
        if log.warm() {
            break;
        }
        progress.show("under load", started.elapsed(), &log);
        if let Some(status) = process.ended()? {
            return Err(format!("{name}: the service ended under load: {status}"));
        }
        if started.elapsed() > START_LIMIT {
            return Err(format!("{name}: the service did not answer often enough: {log:?}"));
        }
    }

    process.terminate()?;
    let signalled = Instant::now();
    load.signalled();
    let mut report = String::new();
    let status = loop {
        tokio::select! {
            status = process.child.wait() => break status.map_err(said(name))?,
            // Read on, so that the child never waits for a full pipe.
            Ok(Some(line)) = process.lines.next_line() => report = line,
            _ = look.tick() => progress.show("after SIGTERM", signalled.elapsed(), &load.log()),
        }
        if signalled.elapsed() > DRAIN + FINALIZE + EXIT_LIMIT {
            process.child.start_kill().map_err(said(name))?;
        }
    };
    let exit = signalled.elapsed();

    let log = load.end().await;
    progress.show("gone", exit, &log);
    progress.end();
    while let Ok(Some(line)) = process.lines.next_line().await {
        report = line;
    }
    if !status.success() {
        return Err(format!("{name}: the service did not exit by itself: {status}"));
    }
    let report: Report = serde_json::from_str(&report).map_err(said(name))?;
    Ok((Account::new(&report, &log, exit), report))
}

/// A side as a child process. Dropped before its end, it is killed.
#[derive(Debug)]
struct Process {
    name: &'static str,
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts this same program as `drain --side NAME`.
    fn start(name: &'static str) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(said(name))?;
        let mut command = Command::new(program);
        command.args(["--side", name]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().map_err(said(name))?;
        let stdout = child.stdout.take().ok_or_else(|| format!("{name}: no stdout"))?;
        Ok(Self { name, child, lines: BufReader::new(stdout).lines() })
    }

    /// The next line that the child prints.
    async fn line(&mut self) -> Result<String, String> {
        let line = timeout(START_LIMIT, self.lines.next_line()).await;
        let line = line.map_err(|_| format!("{}: the service said nothing", self.name))?;
        let line = line.map_err(said(self.name))?;
        line.ok_or_else(|| format!("{}: the service ended before it said all", self.name))
    }

    fn ended(&mut self) -> Result<Option<ExitStatus>, String> {
        self.child.try_wait().map_err(said(self.name))
    }

    /// Sends SIGTERM.
    fn terminate(&self) -> Result<(), String> {
        let id = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let id = id.ok_or_else(|| format!("{}: the service has ended", self.name))?;
        kill_process(id, Signal::TERM).map_err(said(self.name))
    }
}

/// An error of the side called `name`, as a message.
fn said<E: std::fmt::Display>(name: &str) -> impl Fn(E) -> String {
    move |error| format!("{name}: {error}")
}
