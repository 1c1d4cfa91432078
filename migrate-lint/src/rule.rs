//! What a rule is, and what it says about a site.
//!
//! A rule is code, a page in `docs/` and fixtures in `tests/fixtures/`, all
//! under the rule's name; a test fails where one is missing. Rules name the
//! functions they watch; resolution decides which uses mean them, and each
//! rule looks at these, at the tasks of the run, or at the code itself.

use crate::facts::{Facts, Offence};
use crate::fate::Fate;
use crate::identity::Identity;
use crate::load::index::Span;
use std::path::{Path, PathBuf};

/// How much a finding matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// A defect on any path through the code.
    Deny,
    /// A defect on some path.
    Warn,
    /// Worth knowing.
    Info,
}

impl Level {
    /// Its name in configuration and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Level::Deny => "deny",
            Level::Warn => "warn",
            Level::Info => "info",
        }
    }

    /// Whether a finding of this level fails the run.
    pub fn fails(self) -> bool {
        self != Level::Info
    }
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// Its name, as in `allow(name)`.
    pub name: &'static str,
    /// How much its findings matter, where it does not tell itself.
    pub level: Level,
    /// One line for lists.
    pub summary: &'static str,
    /// Its page.
    pub page: &'static str,
    /// Functions whose uses it judges, by their public paths; those that
    /// start tasks are watched in any case.
    pub watched: &'static [&'static str],
    /// Finds what it objects to.
    pub check: fn(&Facts<'_, '_>, &mut Vec<Offence>),
}

/// What is wrong, why it matters, and what to write instead.
#[derive(Clone, Debug)]
pub struct Diagnosis {
    /// What is wrong.
    pub message: String,
    /// Why it matters.
    pub reason: String,
    /// What to write instead.
    pub suggestion: String,
}

/// A change of the code that mends a finding and alters nothing else it does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fix {
    /// All of them belong together, and none meets another.
    pub edits: Vec<Edit>,
}

/// One replacement in the finding's file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edit {
    /// What goes; nothing where start and end are the same.
    pub span: Span,
    /// What comes.
    pub text: String,
}

/// One target a file is part of.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct InTarget {
    /// The package's name.
    pub package: String,
    /// `lib`, `bin`, `example`, `test`, `bench` or `build`.
    pub kind: &'static str,
    /// The target's name.
    pub name: String,
}

/// A finding or an unknown, ready to be shown.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule's name.
    pub rule: &'static str,
    /// How much it matters.
    pub level: Level,
    /// The file, as reached from the path that was given.
    pub file: PathBuf,
    /// Where in it.
    pub span: Span,
    /// The item around it, by the names of modules, types and functions in
    /// the file (`module::Type::function`); empty outside of all items.
    pub item: String,
    /// What of it stays while the code around it changes.
    pub identity: Identity,
    /// If it is about a task, what becomes of its handle.
    pub fate: Option<Fate>,
    /// The words.
    pub diagnosis: Diagnosis,
    /// A change that mends it, where one is safe.
    pub fix: Option<Fix>,
    /// The first line of the span; of a line of more than 1,000 characters,
    /// what is around the span.
    pub snippet: String,
    /// Characters of the line that stand before the snippet.
    pub snippet_start: u32,
    /// Conditions it stands under, outermost first.
    pub cfg: Vec<String>,
    /// It only exists in tests.
    pub in_test: bool,
    /// The targets it is part of.
    pub targets: Vec<InTarget>,
}

impl Finding {
    /// What findings are sorted by.
    pub(crate) fn place(&self) -> (&Path, Span, &'static str) {
        (&self.file, self.span, self.rule)
    }
}
