//! From a path to indexed files: manifests, targets, module trees.
//!
//! `workspace` finds packages (`members`, `manifest`) and `targets`; `tree`
//! walks each target's modules (`follow`) and has every file read (`source`)
//! and indexed (`extract`) once, in parallel (`pool`).
//! Nothing here knows a rule. Whatever cannot be read becomes a [`Problem`] and the
//! rest goes on.

pub mod body;
pub mod index;
pub mod manifest;
pub mod members;
pub mod names;
pub mod signature;
pub mod source;
pub mod targets;
pub mod tree;
pub mod workspace;

mod attributes;
mod cfg;
mod collect;
mod extract;
mod follow;
mod ignored;
mod items;
pub(crate) mod known;
mod lower;
mod macros;
mod nesting;
mod order;
mod pattern;
mod pool;
mod tokens;
mod typeref;

pub(crate) use pool::parses;
use std::path::{Path, PathBuf};

/// How much a [`Problem`] matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// Code that should have been linted was not.
    Error,
    /// Worth knowing, and no fault of the code.
    Warning,
}

/// Something that could not be read or followed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Problem {
    /// Where.
    pub file: PathBuf,
    /// Line and column in it, 1-based.
    pub place: Option<(u32, u32)>,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong, and what to do.
    pub message: String,
}

impl Problem {
    /// An error about a file as a whole.
    pub(crate) fn error(file: &Path, message: String) -> Problem {
        Problem { file: file.to_path_buf(), place: None, severity: Severity::Error, message }
    }
}
