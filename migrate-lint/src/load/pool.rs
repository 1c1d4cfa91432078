//! Reading and indexing many files at once, on threads with a stack that deep
//! nesting needs.

use super::extract::index_file;
use super::index::FileIndex;
use super::names::{Interner, Names};
use super::nesting::STACK;
use super::source::{ReadError, read_text};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{io, thread};

/// What became of one file.
pub(super) enum Outcome {
    /// It could not be read.
    Unread(ReadError),
    /// Text, index, and where the syntax failed.
    Read(String, Box<FileIndex>, Option<((u32, u32), String)>),
}

fn read_one(path: &Path, names: &mut Names<'_>) -> Outcome {
    let text = match read_text(path) {
        Ok(text) => text,
        Err(e) => return Outcome::Unread(e),
    };
    match index_file(&text, names) {
        Ok(index) => Outcome::Read(text, Box::new(index), None),
        Err(e) => {
            let message = format!("syntax error: {} (the rest of the run goes on)", e.message);
            Outcome::Read(text, Box::default(), Some((e.place, message)))
        }
    }
}

/// Reads files on threads with a stack for deep nesting; results in order.
pub(super) fn read_all(paths: &[&Path], names: &Interner) -> io::Result<Vec<Outcome>> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.min(paths.len().div_ceil(8)).clamp(1, 16);
    let cursor = AtomicUsize::new(0);
    let work = || {
        let mut names = Names::new(names);
        let mut done = Vec::new();
        loop {
            let i = cursor.fetch_add(1, Ordering::Relaxed);
            let Some(path) = paths.get(i) else {
                return done;
            };
            // one file must not take the run down with it
            let read = AssertUnwindSafe(|| read_one(path, &mut names));
            let outcome = catch_unwind(read).unwrap_or(Outcome::Unread(ReadError::Internal));
            done.push((i, outcome));
        }
    };
    let mut all: Vec<(usize, Outcome)> = Vec::with_capacity(paths.len());
    thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|_| thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work))
            .collect();
        let mut started = Ok(());
        let mut worked = false;
        for handle in handles {
            match handle {
                Ok(handle) => {
                    worked = true;
                    match handle.join() {
                        Ok(done) => all.extend(done),
                        Err(panic) => std::panic::resume_unwind(panic),
                    }
                }
                Err(e) => started = Err(e),
            }
        }
        // fewer threads than planned do the same work
        if worked { Ok(()) } else { started }
    })?;
    all.sort_by_key(|(i, _)| *i);
    Ok(all.into_iter().map(|(_, outcome)| outcome).collect())
}

/// Whether a text is Rust that can be linted.
pub(crate) fn parses(text: &str) -> Result<(), String> {
    let parse = || {
        let names = Interner::default();
        let parsed = index_file(text, &mut Names::new(&names));
        parsed.map(|_| ()).map_err(|e| format!("{} on line {}", e.message, e.place.0))
    };
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, parse);
        let thread = thread.map_err(|e| format!("no thread to parse on could be started: {e}"))?;
        thread.join().unwrap_or_else(|_| Err(ReadError::Internal.explain()))
    })
}
