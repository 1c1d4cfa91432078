//! The house keeps itself: what CONTRIBUTING.md says about layers, files and habits is checked here.
//!
//! Each rule is a function from files to [`Problem`]s, a test that runs it on this repository, and a
//! test that runs it on a small offence, so that the rule is known to be able to fail.
//!
//! - `files`: what is in the repository; `lex`: Rust text without comments and strings, and the paths
//!   in it
//! - `layers`: crates; `order`: modules within core; `shape`: files; `words`: what is not written
//!   where; `pages`: what the pages say
//! - `functions`: those that are public; `closures`: how those are tested that take one;
//!   `cancelled`: how those that wait
//!
//! Run it alone: `cargo test --test tidy`.

mod cancelled;
mod closures;
mod files;
mod functions;
mod layers;
mod lex;
mod order;
mod pages;
mod shape;
mod words;

use std::fmt;

/// Something that a rule objects to.
pub(crate) struct Problem {
    /// `file`, or `file:line`.
    pub(crate) place: String,
    /// What is wrong, and what to do.
    pub(crate) what: String,
}

impl Problem {
    pub(crate) fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Problem { place: place.into(), what: what.into() }
    }

    pub(crate) fn at(path: &str, line: usize, what: impl Into<String>) -> Self {
        Problem::new(format!("{path}:{line}"), what)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// Fails with every problem.
#[track_caller]
pub(crate) fn settle(rule: &str, problems: Vec<Problem>) {
    let wrong: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(wrong.is_empty(), "\n{} against the rule `{rule}`:\n  {}\n", wrong.len(), wrong.join("\n  "));
}

/// Fails unless the rule objects to exactly as many places as the snippet was written to have.
#[cfg(test)]
#[track_caller]
pub(crate) fn objects(problems: &[Problem], wanted: &[&str]) {
    let found: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), wanted.len(), "found: {found:#?}");
    for (found, wanted) in found.iter().zip(wanted) {
        assert!(found.contains(wanted), "{found:?} does not say {wanted:?}");
    }
}
