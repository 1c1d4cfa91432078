//! What `main` ends the process with.

use std::process::{ExitCode, Termination};

use crate::cancel::ReasonKind;
use crate::outcome::{Failure, Outcome};

/// The outcome of a program, as a process exit code.
///
/// | outcome | code |
/// |---|---|
/// | `Ok`, or cancelled by a shutdown signal | 0 |
/// | `Err` (printed to stderr) | 1 |
/// | panicked | 101 |
/// | cancelled otherwise | 130 |
#[derive(Debug)]
pub struct Exit(Outcome);

impl Exit {
    /// The exit of a program that ended with `outcome`. `signalled` tells that a shutdown signal
    /// came, so that a cancellation is what was asked for.
    pub fn new<T>(outcome: Outcome<T>, signalled: bool) -> Self {
        match outcome {
            Err(Failure::Cancelled(cancelled))
                if signalled || cancelled.reason().involves(ReasonKind::Shutdown) =>
            {
                Exit(Ok(()))
            }
            other => Exit(other.map(|_| ())),
        }
    }

    /// The process exit code.
    pub fn code(&self) -> u8 {
        match &self.0 {
            Ok(()) => 0,
            Err(Failure::Err(_)) => 1,
            Err(Failure::Panicked(_)) => 101,
            Err(Failure::Cancelled(_)) => 130,
        }
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        if let Err(failure) = &self.0 {
            eprintln!("Error: {failure:?}");
        }
        ExitCode::from(self.code())
    }
}
