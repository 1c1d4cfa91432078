//! `leaky_await`: between start and join of a task, the function may end.

use super::words::{in_region, named};
use crate::facts::{Facts, Offence, Task};
use crate::fate::Fate;
use crate::load::body::{ExprId, FrameId, Kind};
use crate::rule::{Diagnosis, Level, Rule};
use crate::types::At;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "leaky_await",
    level: Level::Warn,
    summary: "a task that is joined, unless the function ends before",
    page: include_str!("../../docs/leaky_await.md"),
    watched: &[],
    check,
};

fn check(facts: &Facts<'_, '_>, out: &mut Vec<Offence>) {
    for task in facts.tasks.iter().filter(|task| !task.site.in_test) {
        let Ok(found) = &task.fate else { continue };
        let join = match found.fate {
            Fate::Awaited => "awaited",
            Fate::Aborted => "aborted",
            _ => continue,
        };
        let Some(leak) = leak(facts, task, found.by) else { continue };
        let line = facts.world.bodies(task.site.at.instance).node(leak.node).line;
        let diagnosis = Diagnosis {
            message: format!(
                "{} starts a task that is {join}, unless {} on line {line}",
                named(task),
                leak.how
            ),
            reason: "the handle is dropped on that way, and the task goes on with nobody to stop it".into(),
            suggestion: format!("{}, or tokio_util's AbortOnDropHandle", in_region(facts, task)),
        };
        out.push(Offence::at_task(task, Level::Warn, diagnosis));
    }
}

struct Leak {
    node: ExprId,
    how: &'static str,
}

/// What may end the function while the handle is held.
fn leak(facts: &Facts<'_, '_>, task: &Task, by: At) -> Option<Leak> {
    let at = task.site.at;
    let bodies = facts.world.bodies(at.instance);
    if by.instance != at.instance {
        return None;
    }
    // a start or join in a closure or async block is where that stands
    let frames: Vec<FrameId> = bodies.ancestors(at.node).map(|node| bodies.frame(node)).collect();
    let join = bodies.ancestors(by.node).find(|node| frames.contains(&bodies.frame(*node)))?;
    let home = bodies.frame(join);
    let start = bodies.ancestors(at.node).find(|node| bodies.frame(*node) == home)?;
    // all of a `select!` runs at once
    let join = bodies
        .ancestors(join)
        .filter(|node| matches!(bodies.kind(*node), Kind::Select { .. }))
        .last()
        .unwrap_or(join);
    // what is joined after a loop is held through all the turns that follow
    let turns = bodies.ancestors(start).take_while(|node| !bodies.is_within(join, *node));
    let first = turns.filter_map(|node| match bodies.kind(node) {
        Kind::Loop { .. } => Some(bodies.first(node)),
        Kind::For { body, .. } => Some(bodies.first(body)),
        _ => None,
    });
    let held = first.last().map_or(start, |first| first.saturating_sub(1));
    let mut between = bodies.exits_after(home, held).iter().copied().take_while(|node| *node < join);
    let ended = between.find(|node| !bodies.is_within(*node, join) && !bodies.is_within(at.node, *node));
    let leak = ended.map(|node| {
        let how = match bodies.kind(node) {
            Kind::Try(_) => "`?` returns an error",
            Kind::Await(_) => "it is cancelled at the await",
            Kind::Select { .. } => "it is cancelled at the select!",
            _ => "it returns",
        };
        Leak { node, how }
    });
    leak.or_else(|| {
        // the first error of several leaves the rest
        let each = bodies.ancestors(join).take_while(|node| !bodies.is_within(at.node, *node));
        let each: Vec<ExprId> = each.collect();
        let around =
            each.iter().find(|node| matches!(bodies.kind(**node), Kind::For { .. } | Kind::Loop { .. }))?;
        let fails = each
            .iter()
            .take_while(|node| *node != around)
            .find(|node| matches!(bodies.kind(**node), Kind::Try(_)))?;
        Some(Leak { node: *fails, how: "`?` returns an error of another one" })
    })
}
