//! `forgotten_handle`: a handle that is given to `mem::forget` or its like.

use super::words::{in_region, named};
use crate::facts::{Facts, Offence};
use crate::fate::Fate;
use crate::rule::{Diagnosis, Level, Rule};

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "forgotten_handle",
    level: Level::Deny,
    summary: "a handle given to mem::forget, Box::leak or their like",
    page: include_str!("../../docs/forgotten_handle.md"),
    watched: &[],
    check,
};

fn check(facts: &Facts<'_, '_>, out: &mut Vec<Offence>) {
    for task in &facts.tasks {
        if !matches!(&task.fate, Ok(found) if found.fate == Fate::Forgotten) {
            continue;
        }
        let diagnosis = Diagnosis {
            message: format!("{} starts a task whose handle is forgotten", named(task)),
            reason:
                "dropping a JoinHandle does not stop the task, so forgetting it only leaks memory; nobody \
                     owns the task either way"
                    .into(),
            suggestion: in_region(facts, task),
        };
        out.push(Offence::at_task(task, Level::Deny, diagnosis));
    }
}
