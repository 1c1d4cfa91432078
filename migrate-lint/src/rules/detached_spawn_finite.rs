//! `detached_spawn_finite`: a task that nobody owns, started once and with an
//! end of its own.

use super::detached_spawn::{Detached, detached};
use super::words::{in_region, named};
use crate::facts::{Facts, Offence};
use crate::rule::{Diagnosis, Level, Rule};

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "detached_spawn_finite",
    level: Level::Warn,
    summary: "a task without owner that ends by itself",
    page: include_str!("../../docs/detached_spawn_finite.md"),
    watched: &[],
    check,
};

fn check(facts: &Facts<'_, '_>, out: &mut Vec<Offence>) {
    for (task, _) in detached(facts, false).filter(|(_, how)| *how == Detached::Finite) {
        let diagnosis = Diagnosis {
            message: format!("{} starts a task that nobody owns", named(task)),
            reason: "the task goes on when the code that started it returns, fails or is cancelled, and its \
                     errors and panics are lost"
                .into(),
            suggestion: in_region(facts, task),
        };
        out.push(Offence::at_task(task, Level::Warn, diagnosis));
    }
}
