//! `detached_spawn_in_test`: a task that nobody owns, in a test.

use super::detached_spawn::detached;
use super::words::{in_region, named};
use crate::facts::{Facts, Offence};
use crate::rule::{Diagnosis, Level, Rule};

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "detached_spawn_in_test",
    level: Level::Info,
    summary: "a task without owner, in a test",
    page: include_str!("../../docs/detached_spawn_in_test.md"),
    watched: &[],
    check,
};

fn check(facts: &Facts<'_, '_>, out: &mut Vec<Offence>) {
    for (task, _) in detached(facts, true) {
        let diagnosis = Diagnosis {
            message: format!("{} starts a task that the test does not wait for", named(task)),
            reason: "if it fails or panics, the test passes all the same".into(),
            suggestion: in_region(facts, task),
        };
        out.push(Offence::at_task(task, Level::Info, diagnosis));
    }
}
