//! `detached_spawn`: a task that nobody owns and that may never end, or that
//! is started again and again.

use super::words::{in_region, named};
use crate::facts::{Facts, Offence, Task};
use crate::fate::{Fate, is_endless};
use crate::rule::{Diagnosis, Level, Rule};
use crate::sites::Verdict;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "detached_spawn",
    level: Level::Deny,
    summary: "a task without owner, endless or started in a loop",
    page: include_str!("../../docs/detached_spawn.md"),
    watched: &[],
    check,
};

/// How a detached task matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Detached {
    /// It never ends.
    Endless,
    /// It is started in a loop.
    InLoop,
    /// It is started once and ends.
    Finite,
}

/// Detached tasks of code that is no test, or of tests.
pub(super) fn detached<'f>(
    facts: &'f Facts<'_, '_>,
    in_test: bool,
) -> impl Iterator<Item = (&'f Task, Detached)> {
    let dropped = |task: &&Task| matches!(&task.fate, Ok(found) if found.fate == Fate::Dropped);
    facts.tasks.iter().filter(move |task| task.site.in_test == in_test).filter(dropped).map(|task| {
        let how = if is_endless(facts.world, task.site.at) {
            Detached::Endless
        } else if facts.in_loop(task.site.at) {
            Detached::InLoop
        } else {
            Detached::Finite
        };
        (task, how)
    })
}

fn check(facts: &Facts<'_, '_>, out: &mut Vec<Offence>) {
    for (task, how) in detached(facts, false) {
        let what = match how {
            Detached::Endless => "starts a task that never ends and that nobody owns",
            Detached::InLoop => "starts, in a loop, tasks that nobody owns",
            Detached::Finite => continue,
        };
        let diagnosis = Diagnosis {
            message: format!("{} {what}", named(task)),
            reason: "the task goes on when the code that started it returns, fails or is cancelled; \
                     dropping its JoinHandle only detaches it"
                .into(),
            suggestion: in_region(facts, task),
        };
        out.push(Offence::at_task(task, Level::Deny, diagnosis));
    }
    for task in &facts.tasks {
        if let Verdict::Unknown(why) = &task.site.verdict {
            let message = format!("`{}` may start a task", task.site.written);
            out.push(Offence::unknown(&task.site, RULE.name, message, why.clone()));
        } else if let Err(why) = &task.fate {
            let message =
                format!("{} starts a task, and what becomes of its handle is not known", named(task));
            out.push(Offence::unknown(&task.site, RULE.name, message, why.clone()));
        }
    }
}
