//! `uncancellable_loop`: an endless loop that never asks its context.

use super::context::cx_at;
use crate::facts::{Facts, Offence};
use crate::fate::is_left;
use crate::load::body::{ExprId, Kind, LocalId, NONE};
use crate::rule::{Diagnosis, Level, Rule};
use crate::types::At;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "uncancellable_loop",
    level: Level::Warn,
    summary: "an endless loop that never asks its Cx",
    page: include_str!("../../docs/uncancellable_loop.md"),
    watched: &[],
    check,
};

fn check(facts: &Facts<'_, '_>, out: &mut Vec<Offence>) {
    for instance in facts.instances() {
        let bodies = facts.world.bodies(instance);
        for node in 0..bodies.nodes.len() as ExprId {
            let Kind::Loop { condition, body, label } = bodies.kind(node) else { continue };
            let at = At { instance, node };
            let is_endless = condition == NONE || bodies.kind(condition) == Kind::True;
            if !is_endless || !facts.is_async(at) || is_left(facts.world, instance, body, node, label) {
                continue;
            }
            let Some(cx) = cx_at(facts, at) else { continue };
            if asks(facts, at, cx) {
                continue;
            }
            let name = facts.world.names.text(bodies.locals[cx as usize].name);
            let diagnosis = Diagnosis {
                message: format!("this loop never asks `{name}` whether it should end"),
                reason: "a request to cancel is seen at the operations of the context; without one in it, the loop \
                         holds up the region until that gives it up"
                    .into(),
                suggestion: format!("{name}.checkpoint()?; in the loop, or {name}.or_cancel(..) around its await"),
            };
            let token = if condition == NONE { "loop" } else { "while" };
            let offence = facts.offence(at, facts.world.names.intern(token), Level::Warn, diagnosis);
            out.extend((!offence.in_test).then_some(offence));
        }
    }
}

/// Whether the context, or any other of its name, is used in the loop.
fn asks(facts: &Facts<'_, '_>, at: At, cx: LocalId) -> bool {
    let bodies = facts.world.bodies(at.instance);
    let name = bodies.locals[cx as usize].name;
    bodies.within(at.node).any(|node| match bodies.kind(node) {
        Kind::Local(local) => bodies.locals[local as usize].name == name,
        Kind::Tokens(_) => true,
        _ => false,
    })
}
