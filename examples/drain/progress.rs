//! What the program tells while it works, on stderr: one line that is written over on a terminal,
//! and one line per phase otherwise.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use crate::load::Log;

/// How often the line on a terminal changes.
const EVERY: Duration = Duration::from_millis(100);

/// The progress of one side.
#[derive(Debug)]
pub(crate) struct Progress {
    side: &'static str,
    terminal: bool,
    phase: &'static str,
    shown: Instant,
}

impl Progress {
    pub(crate) fn new(side: &'static str) -> Self {
        Self { side, terminal: stderr().is_terminal(), phase: "", shown: Instant::now() }
    }

    /// Shows where the side is. A message that cannot be written is not worth failing for.
    pub(crate) fn show(&mut self, phase: &'static str, since: Duration, log: &Log) {
        let same_phase = phase == self.phase;
        if same_phase && (!self.terminal || self.shown.elapsed() < EVERY) {
            return;
        }
        self.phase = phase;
        self.shown = Instant::now();
        let (start, end) = if self.terminal { ("\r\x1b[K", "") } else { ("", "\n") };
        let _ = write!(
            stderr(),
            "{start}{:<8}{phase:<14}{:>4.1} s   answered: {} short, {} work; {} events; {} left{end}",
            self.side,
            since.as_secs_f64(),
            log.short,
            log.work,
            log.events,
            log.left.len(),
        );
        let _ = stderr().flush();
    }

    /// Leaves the last line standing.
    pub(crate) fn end(&self) {
        if self.terminal {
            let _ = writeln!(stderr());
        }
    }
}
