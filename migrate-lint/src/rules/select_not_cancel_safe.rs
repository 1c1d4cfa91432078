//! `select_not_cancel_safe`: in a loop, `select!` drops an operation halfway
//! and starts it anew.

use super::operations::{HALFWAY, name, runs_in};
use crate::facts::{Facts, Offence};
use crate::load::body::{Kind, NONE};
use crate::rule::{Diagnosis, Level, Rule};
use crate::sites::Site;
use crate::types::At;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "select_not_cancel_safe",
    level: Level::Warn,
    summary: "select! in a loop drops an operation halfway",
    page: include_str!("../../docs/select_not_cancel_safe.md"),
    watched: HALFWAY,
    check,
};

fn check(facts: &Facts<'_, '_>, out: &mut Vec<Offence>) {
    for site in facts.calls(HALFWAY).filter(|site| site.is_call && !site.in_test && is_dropped(facts, site)) {
        let operation = name(site);
        let diagnosis = Diagnosis {
            message: format!(
                "`{operation}` in an arm of `select!` in a loop is dropped when another arm is first"
            ),
            reason: "what it has read or written until then is lost, and the next turn starts in the middle"
                .into(),
            suggestion: "let operation = pin!(..) before the loop, and `&mut operation` in the arm".into(),
        };
        out.push(Offence::at_site(site, Level::Warn, diagnosis));
    }
}

fn is_dropped(facts: &Facts<'_, '_>, site: &Site) -> bool {
    let bodies = facts.world.bodies(site.at.instance);
    let mut child = site.at.node;
    for node in bodies.ancestors(site.at.node).skip(1) {
        if let Kind::SelectArm { future, .. } = bodies.kind(node)
            && future == child
        {
            let select = bodies.node(node).parent;
            return select != NONE
                && facts.in_loop(At { node: select, ..site.at })
                && bodies.node(select).parent != NONE
                && runs_in(facts, site.at.instance, site.at.node, select)
                && !is_alone(facts, site, select);
        }
        child = node;
    }
    false
}

/// Whether every other arm leaves the loop, so that nothing is started anew.
fn is_alone(facts: &Facts<'_, '_>, site: &Site, select: u32) -> bool {
    let bodies = facts.world.bodies(site.at.instance);
    let Kind::Select { arms } = bodies.kind(select) else { return false };
    bodies.list(arms).iter().filter(|arm| !bodies.is_within(site.at.node, **arm)).all(|arm| {
        let Kind::SelectArm { handler, .. } = bodies.kind(*arm) else { return false };
        leaves(facts, site.at.instance, handler)
    })
}

/// Whether a handler always ends the loop.
fn leaves(facts: &Facts<'_, '_>, instance: u32, handler: u32) -> bool {
    let bodies = facts.world.bodies(instance);
    match bodies.kind(handler) {
        Kind::Return(_) | Kind::Break { .. } => true,
        Kind::Semi(inner) => leaves(facts, instance, inner),
        Kind::Block { statements, .. } => {
            bodies.list(statements).last().is_some_and(|last| leaves(facts, instance, *last))
        }
        _ => false,
    }
}
