//! `migrate-lint.toml`: what a team decided about whole rules and paths.
//!
//! ```toml
//! baseline = "lint/accepted"            # the directory; default migrate-lint-baseline
//! exclude = ["vendor", "src/gen/*.rs"]  # files of which nothing is reported
//!
//! [levels]                              # allow, info, warn or deny
//! detached_spawn = "deny"
//!
//! [[scope]]                             # another level in some paths
//! paths = ["examples"]
//! rules = ["detached_spawn"]            # default: every rule
//! level = "allow"                       # the default
//! reason = "they show plain Tokio"      # required
//! ```
//!
//! Whatever is not understood is an error, with its place and a hint. Of
//! several scopes that meet, the last decides.

pub(crate) mod hint;
mod patterns;
mod read;

pub use patterns::Patterns;

use crate::load::Problem;
use crate::place::{BASELINE, Place};
use crate::rule::Level;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What becomes of a rule's findings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Setting {
    /// They are not reported.
    Allow,
    /// They are reported at this level.
    At(Level),
}

impl Setting {
    /// The names, in order of weight.
    pub const NAMES: [&str; 4] = ["allow", "info", "warn", "deny"];

    /// The setting of this name.
    pub fn named(name: &str) -> Option<Setting> {
        let levels = [Level::Info, Level::Warn, Level::Deny];
        match name {
            "allow" => Some(Setting::Allow),
            name => levels.into_iter().find(|level| level.name() == name).map(Setting::At),
        }
    }
}

/// A setting for some rules in some paths.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The files.
    pub paths: Patterns,
    /// The rules; every rule when empty.
    pub rules: Vec<String>,
    /// What becomes of findings there.
    pub setting: Setting,
    /// Why.
    pub reason: String,
    /// The line it starts on.
    pub line: u32,
}

/// A configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The baseline's directory.
    pub baseline: PathBuf,
    /// Files of which nothing is reported.
    pub exclude: Patterns,
    /// Settings of rules, everywhere.
    pub levels: BTreeMap<String, Setting>,
    /// Settings of rules in paths, in order.
    pub scopes: Vec<Scope>,
}

impl Config {
    /// The configuration of a place.
    ///
    /// # Errors
    ///
    /// All that is wrong with its file.
    pub fn load(place: &Place) -> Result<Config, Vec<Problem>> {
        let none = Config {
            baseline: place.base.join(BASELINE),
            exclude: Patterns::default(),
            levels: BTreeMap::new(),
            scopes: Vec::new(),
        };
        match &place.config {
            Some(file) => read::read(file, none),
            None => Ok(none),
        }
    }

    /// What becomes of a finding of this rule in this file (relative to the
    /// base): the setting, if any, and the scope that made it, if one did.
    pub fn setting(&self, rule: &str, file: &Path) -> (Option<Setting>, Option<usize>) {
        let applies = |scope: &Scope| {
            (scope.rules.is_empty() || scope.rules.iter().any(|name| name == rule))
                && scope.paths.matches(file)
        };
        match self.scopes.iter().rposition(applies) {
            Some(scope) => (Some(self.scopes[scope].setting), Some(scope)),
            None => (self.levels.get(rule).copied(), None),
        }
    }
}
