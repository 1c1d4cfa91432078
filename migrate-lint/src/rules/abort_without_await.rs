//! `abort_without_await`: a task is told to end, and not waited for.

use crate::facts::{Facts, Offence};
use crate::load::body::{ExprId, Kind, LocalId, NONE};
use crate::rule::{Diagnosis, Level, Rule};
use crate::sites::Site;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "abort_without_await",
    level: Level::Warn,
    summary: "abort() without waiting for the task to end",
    page: include_str!("../../docs/abort_without_await.md"),
    watched: &["tokio::task::JoinHandle::abort"],
    check,
};

fn check(facts: &Facts<'_, '_>, out: &mut Vec<Offence>) {
    let aborts = facts.calls(RULE.watched).filter(|site| !site.in_test && facts.is_async(site.at));
    for site in aborts {
        let Some(local) = variable(facts, site) else { continue };
        if is_used_after(facts, site, local) {
            continue;
        }
        let name = facts.world.names.text(facts.world.bodies(site.at.instance).locals[local as usize].name);
        let diagnosis = Diagnosis {
            message: format!("`{name}.abort()` is not followed by waiting for the task"),
            reason: "the task only ends at its next await, and may still hold what this code goes on to use"
                .into(),
            suggestion: format!("{name}.abort(); let _ = {name}.await;"),
        };
        out.push(Offence::at_site(site, Level::Warn, diagnosis));
    }
}

/// The variable that holds the handle.
fn variable(facts: &Facts<'_, '_>, site: &Site) -> Option<LocalId> {
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
    let names = |node: ExprId| bodies.kind(node) == Kind::Local(local);
    let root = bodies.ancestors(site.at.node).last().unwrap_or(site.at.node);
    let mut child = site.at.node;
    for node in bodies.ancestors(site.at.node).skip(1) {
        let names_of = |of: ExprId| bodies.within(of).into_iter().filter(|n| names(*n)).count();
        let waits = match bodies.kind(node) {
            Kind::SelectArm { future, handler, .. } if handler == child && future != NONE => {
                names_of(future) > 0
            }
            // the next turn may wait
            Kind::Loop { .. } | Kind::For { .. } => names_of(node) > 1,
            _ => false,
        };
        if waits {
            return true;
        }
        child = node;
    }
    // alternatives do not run after it
    (site.at.node + 1..=root).any(|node| names(node) && !is_alternative(facts, site, node))
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
