//! All rules.

mod abort_without_await;
mod detached_spawn;
mod detached_spawn_finite;
mod detached_spawn_in_test;
mod fixes;
mod forgotten_handle;
mod suppression;
mod words;

use crate::config::hint::hint;
use crate::rule::Rule;
pub use suppression::RULE as SUPPRESSION;
pub(crate) use suppression::{malformed, no_reason, unknown_rule, unused};

/// Every rule, by name.
pub const ALL: &[&Rule] = &[
    &abort_without_await::RULE,
    &detached_spawn::RULE,
    &detached_spawn_finite::RULE,
    &detached_spawn_in_test::RULE,
    &forgotten_handle::RULE,
    &suppression::RULE,
];

/// What to say of a name that no rule has.
pub(crate) fn unknown(name: &str) -> String {
    let known: Vec<_> = ALL.iter().map(|rule| rule.name).collect();
    format!("there is no rule `{name}`{}", hint(name, "rules", &known))
}

/// The rule of this name.
pub fn find(name: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|rule| rule.name == name)
}
