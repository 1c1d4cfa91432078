//! `forgotten_handle`: a task's handle that `mem::forget` and its kin leak.

use super::fixes;
use super::words::named;
use crate::facts::{Facts, Offence};
use crate::fate::Fate;
use crate::load::body::Kind;
use crate::rule::{Diagnosis, Level, Rule};

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "forgotten_handle",
    level: Level::Deny,
    summary: "a handle that is leaked, so that nobody can ever stop the task",
    page: include_str!("../../docs/forgotten_handle.md"),
    watched: &[],
    check,
};

fn check(facts: &Facts<'_, '_>, out: &mut Vec<Offence>) {
    for task in &facts.tasks {
        let Some(found) = task.fate.as_ref().ok().filter(|found| found.fate == Fate::Forgotten) else {
            continue;
        };
        let bodies = facts.world.bodies(found.by.instance);
        // the function that leaks it, or what hides that
        let path = match bodies.kind(found.by.node) {
            Kind::Call { callee, .. } => match bodies.kind(callee) {
                Kind::Path(id) => Some(facts.world.file(found.by.instance).uses[id as usize].span),
                _ => None,
            },
            _ => None,
        };
        let diagnosis = Diagnosis {
            message: format!("the handle of the task that {} starts is leaked", named(task)),
            reason: "a leaked handle can neither be awaited nor aborted, and what the task gives is never \
                     dropped; dropping the handle would detach the task as well"
                .into(),
            suggestion: "keep the handle, and await it or abort it; or start the task in a region".into(),
        };
        let mut offence = Offence::at_task(task, Level::Deny, diagnosis);
        if let Some(span) = path.filter(|_| facts.file_of(found.by) == task.site.file) {
            offence.span = span;
            offence.context = bodies.node(found.by.node).context;
        }
        offence.fix = fixes::drop_instead(facts, task, found.by);
        out.push(offence);
    }
}
