//! `abort_without_await`: a task that is told to stop, and not waited for.

use super::fixes;
use crate::facts::{Facts, Offence};
use crate::fate::Fate;
use crate::load::body::Kind;
use crate::rule::{Diagnosis, Level, Rule};

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "abort_without_await",
    level: Level::Warn,
    summary: "a task that is aborted and may still be running after that",
    page: include_str!("../../docs/abort_without_await.md"),
    watched: &[],
    check,
};

fn check(facts: &Facts<'_, '_>, out: &mut Vec<Offence>) {
    for task in &facts.tasks {
        let Some(found) = task.fate.as_ref().ok().filter(|found| found.fate == Fate::Aborted) else {
            continue;
        };
        // where nothing can be awaited, the caller would have to
        if !facts.is_async(found.by) || facts.file_of(found.by) != task.site.file {
            continue;
        }
        let bodies = facts.world.bodies(found.by.instance);
        let Kind::Method { name, .. } = bodies.kind(found.by.node) else {
            continue;
        };
        let level = if task.site.in_test { Level::Info } else { Level::Warn };
        let diagnosis = Diagnosis {
            message: "the task is aborted, and nobody waits until it has stopped".into(),
            reason: "`abort` only asks: the task stops at its next await, and until then it runs beside \
                     what comes now"
                .into(),
            suggestion: "let _ = handle.await; after it, or a region, which waits for what it cancels".into(),
        };
        let mut offence = facts.offence(found.by, name, level, diagnosis);
        offence.fate = Some(Fate::Aborted);
        offence.fix = fixes::await_after(facts, task, found.by);
        out.push(offence);
    }
}
