//! `abort_without_await`: a task that is told to stop, and not waited for.
//!
//! Two ways lead to such an `abort`: the fate of a task that is started in
//! sight (its handle, or one of its `AbortHandle`s, decides it), and an
//! `abort` on a variable that holds a handle from elsewhere.

use super::fixes;
use crate::facts::{Facts, Offence};
use crate::fate::Fate;
use crate::load::body::{ExprId, Kind, LocalId, NONE};
use crate::load::names::Symbol;
use crate::rule::{Diagnosis, Level, Rule};
use crate::sites::Site;
use crate::types::At;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "abort_without_await",
    level: Level::Warn,
    summary: "a task that is aborted and may still be running after that",
    page: include_str!("../../docs/abort_without_await.md"),
    watched: &["tokio::task::JoinHandle::abort"],
    check,
};

fn check(facts: &Facts<'_, '_>, out: &mut Vec<Offence>) {
    for task in &facts.tasks {
        let Some(found) = task.fate.as_ref().ok().filter(|found| found.fate == Fate::Aborted) else {
            continue;
        };
        let bodies = facts.world.bodies(found.by.instance);
        // where nothing can be awaited, the caller would have to
        let Kind::Method { name, .. } = bodies.kind(found.by.node) else { continue };
        if !facts.is_async(found.by) || facts.file_of(found.by) != task.site.file {
            continue;
        }
        let mut offence = offence(facts, found.by, name, task.site.in_test);
        offence.fate = Some(Fate::Aborted);
        offence.fix = fixes::await_after(facts, task, found.by);
        out.push(offence);
    }
    for site in facts.calls(RULE.watched).filter(|site| facts.is_async(site.at)) {
        if handle(facts, site).is_some_and(|local| !is_used_after(facts, site, local)) {
            out.push(offence(facts, site.at, site.name, site.in_test));
        }
    }
}

fn offence(facts: &Facts<'_, '_>, abort: At, name: Symbol, in_test: bool) -> Offence {
    let level = if in_test { Level::Info } else { Level::Warn };
    let diagnosis = Diagnosis {
        message: "the task is aborted, and nobody waits until it has stopped".into(),
        reason: "`abort` only asks: the task stops at its next await, and until then it runs beside what \
                 comes now"
            .into(),
        suggestion: "let _ = handle.await; after it, or a region, which waits for what it cancels".into(),
    };
    facts.offence(abort, name, level, diagnosis)
}

/// The variable whose task is aborted, if it is aborted where it lives.
fn handle(facts: &Facts<'_, '_>, site: &Site) -> Option<LocalId> {
    let bodies = facts.world.bodies(site.at.instance);
    let Kind::Method { receiver, .. } = bodies.kind(site.at.node) else {
        return None;
    };
    match bodies.kind(bodies.peeled(receiver)) {
        Kind::Local(local) if bodies.frame(site.at.node) == bodies.frame(receiver) => Some(local),
        _ => None,
    }
}

/// Whether the variable is named again after the abort, or around it: by a
/// loop, or by a `select!` that has awaited it in this very arm.
fn is_used_after(facts: &Facts<'_, '_>, site: &Site, local: LocalId) -> bool {
    let bodies = facts.world.bodies(site.at.instance);
    let uses_in = |of: ExprId| bodies.uses(local).iter().filter(move |node| bodies.is_within(**node, of));
    let mut child = site.at.node;
    for node in bodies.ancestors(site.at.node).skip(1) {
        let waits = match bodies.kind(node) {
            Kind::SelectArm { future, handler, .. } if handler == child && future != NONE => {
                uses_in(future).next().is_some()
            }
            // the next turn may wait
            Kind::Loop { .. } | Kind::For { .. } => uses_in(node).nth(1).is_some(),
            _ => false,
        };
        if waits {
            return true;
        }
        child = node;
    }
    // alternatives do not run after it
    bodies.uses_after(local, site.at.node).iter().any(|node| !is_alternative(facts, site, *node))
}

/// Whether a node is in another arm of something that the abort is in.
fn is_alternative(facts: &Facts<'_, '_>, site: &Site, other: ExprId) -> bool {
    let bodies = facts.world.bodies(site.at.instance);
    let mut child = site.at.node;
    for node in bodies.ancestors(site.at.node).skip(1) {
        if bodies.is_within(other, node) {
            return match bodies.kind(node) {
                Kind::Select { .. } | Kind::Match { .. } => true,
                Kind::If { condition, .. } => child != condition,
                _ => false,
            };
        }
        child = node;
    }
    false
}
