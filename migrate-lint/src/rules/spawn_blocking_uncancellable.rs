//! `spawn_blocking_uncancellable`: blocking work on a thread of its own, which
//! nothing stops once it runs.

use super::words::{in_region, named};
use crate::facts::{Facts, Offence, Task};
use crate::fate::Fate;
use crate::load::body::Kind;
use crate::rule::{Diagnosis, Level, Rule};

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "spawn_blocking_uncancellable",
    level: Level::Info,
    summary: "blocking work that nothing stops once it runs",
    page: include_str!("../../docs/spawn_blocking_uncancellable.md"),
    watched: &[],
    check,
};

fn check(facts: &Facts<'_, '_>, out: &mut Vec<Offence>) {
    for task in facts.tasks.iter().filter(|task| !task.site.in_test) {
        let blocking = task.kin.is_some_and(|kin| kin.blocking);
        // one that nobody owns is found by `detached_spawn`
        if !blocking || matches!(&task.fate, Ok(found) if found.fate == Fate::Dropped) {
            continue;
        }
        let (level, what) = if piles_up(facts, task) {
            (Level::Deny, "starts blocking work in a loop without waiting for it")
        } else {
            (Level::Info, "starts blocking work")
        };
        let diagnosis = Diagnosis {
            message: format!("{} {what}", named(task)),
            reason: "once it runs, neither abort nor a dropped handle stops it; it holds a thread of the pool, and \
                     the runtime waits for it when it shuts down"
                .into(),
            suggestion: in_region(facts, task),
        };
        out.push(Offence::at_task(task, level, diagnosis));
    }
}

/// Whether a loop starts the work again before it is done.
fn piles_up(facts: &Facts<'_, '_>, task: &Task) -> bool {
    let at = task.site.at;
    if !facts.in_loop(at) {
        return false;
    }
    let bodies = facts.world.bodies(at.instance);
    let around = bodies
        .ancestors(at.node)
        .find(|node| matches!(bodies.kind(*node), Kind::Loop { .. } | Kind::For { .. }));
    match (&task.fate, around) {
        (Ok(found), Some(around)) if found.fate == Fate::Awaited && found.by.instance == at.instance => {
            !bodies.is_within(found.by.node, around)
        }
        (Ok(found), _) => !matches!(found.fate, Fate::Awaited | Fate::Returned),
        (Err(_), _) => false,
    }
}
