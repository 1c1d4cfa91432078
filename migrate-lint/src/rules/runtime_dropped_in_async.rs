//! `runtime_dropped_in_async`: a runtime that ends inside another one.

use crate::facts::{Facts, Offence};
use crate::load::body::{ExprId, Kind, LocalId, NONE, PatternKind};
use crate::rule::{Diagnosis, Level, Rule};
use crate::sites::Site;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "runtime_dropped_in_async",
    level: Level::Deny,
    summary: "a Runtime that is dropped in async code",
    page: include_str!("../../docs/runtime_dropped_in_async.md"),
    watched: WATCHED,
    check,
};

const WATCHED: &[&str] = &[
    "tokio::runtime::Builder::build",
    "tokio::runtime::Builder::build_local",
    "tokio::runtime::LocalRuntime::new",
    "tokio::runtime::Runtime::new",
];

fn check(facts: &Facts<'_, '_>, out: &mut Vec<Offence>) {
    for site in facts.calls(WATCHED).filter(|site| site.is_call && facts.is_async(site.at)) {
        if !ends_here(facts, site) {
            continue;
        }
        let diagnosis = Diagnosis {
            message: "this Runtime is dropped in async code".into(),
            reason:
                "dropping it waits for its blocking threads, which Tokio forbids in async code: it panics"
                    .into(),
            suggestion:
                "runtime.shutdown_background(); or use the runtime that runs this code: a region, a Handle"
                    .into(),
        };
        out.push(Offence::at_site(site, Level::Deny, diagnosis));
    }
}

/// Whether the runtime stays in a variable of this code until it is dropped.
fn ends_here(facts: &Facts<'_, '_>, site: &Site) -> bool {
    let bodies = facts.world.bodies(site.at.instance);
    let mut node = bodies.node(site.at.node).parent;
    while node != NONE {
        match bodies.kind(node) {
            Kind::Try(_) => {}
            Kind::Method { name, .. } => match &*facts.world.names.text(name) {
                "unwrap" | "expect" | "map_err" | "context" | "with_context" | "unwrap_or_else" => {}
                _ => return false,
            },
            Kind::Let { pattern, .. } => {
                return match bodies.patterns[pattern as usize].kind {
                    PatternKind::Bind { local, .. } => stays(facts, site, local, node),
                    _ => false,
                };
            }
            _ => return false,
        }
        node = bodies.node(node).parent;
    }
    false
}

fn stays(facts: &Facts<'_, '_>, site: &Site, local: LocalId, bound: ExprId) -> bool {
    let bodies = facts.world.bodies(site.at.instance);
    let home = bodies.frame(site.at.node);
    bodies.uses_after(local, bound).iter().all(|&node| {
        let parent = bodies.node(node).parent;
        // a closure may take it elsewhere
        if bodies.frame(node) != home || parent == NONE {
            return false;
        }
        match bodies.kind(parent) {
            Kind::Method { receiver, name, .. } if receiver == node => {
                !facts.world.names.text(name).starts_with("shutdown")
            }
            Kind::Ref(_) | Kind::Field { .. } => true,
            Kind::Call { .. } => is_drop(facts, site, parent),
            _ => false,
        }
    })
}

fn is_drop(facts: &Facts<'_, '_>, site: &Site, call: ExprId) -> bool {
    let callee = facts.world.callee(crate::types::At { node: call, ..site.at });
    facts.world.callee_path(&callee).is_some_and(|path| &*path == "std::mem::drop")
}
