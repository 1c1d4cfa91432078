//! `handle_stored_without_abort`: a handle in a value that, when it is
//! dropped, leaves the task running.

use super::words::{in_region, named};
use crate::facts::{Facts, Offence};
use crate::fate::Fate;
use crate::rule::{Diagnosis, Level, Rule};

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "handle_stored_without_abort",
    level: Level::Warn,
    summary: "a handle in a struct whose Drop does not abort the task",
    page: include_str!("../../docs/handle_stored_without_abort.md"),
    watched: &[],
    check,
};

fn check(facts: &Facts<'_, '_>, out: &mut Vec<Offence>) {
    for task in facts.tasks.iter().filter(|task| !task.site.in_test) {
        if !matches!(&task.fate, Ok(found) if found.fate == Fate::Stored) {
            continue;
        }
        let diagnosis = Diagnosis {
            message: format!("{} starts a task whose handle is stored where nothing aborts it", named(task)),
            reason: "when what holds the handle is dropped, the task goes on with nobody to stop it".into(),
            suggestion: format!(
                "store an AbortOnDropHandle of tokio_util, or abort it in Drop; or {}",
                in_region(facts, task)
            ),
        };
        out.push(Offence::at_task(task, Level::Warn, diagnosis));
    }
}
