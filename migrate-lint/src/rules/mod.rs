//! All rules.

mod detached_spawn;
mod suppression;

use crate::rule::Rule;
pub use suppression::RULE as SUPPRESSION;
pub(crate) use suppression::{malformed, no_reason, unknown_rule, unused};

/// Every rule, by name.
pub const ALL: &[&Rule] = &[&detached_spawn::RULE, &suppression::RULE];

/// The rule of this name.
pub fn find(name: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|rule| rule.name == name)
}
