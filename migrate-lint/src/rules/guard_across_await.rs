//! `guard_across_await`: a lock is held while the task is suspended.

use crate::facts::{Facts, Offence};
use crate::load::body::{ExprId, Kind, LocalId, NONE, Origin, PatternKind};
use crate::rule::{Diagnosis, Level, Rule};
use crate::types::{At, Type};
use std::rc::Rc;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "guard_across_await",
    level: Level::Warn,
    summary: "a lock that is held across an await",
    page: include_str!("../../docs/guard_across_await.md"),
    watched: &[],
    check,
};

/// Guards whose lock blocks the thread.
const BLOCKING: &[&str] = &[
    "parking_lot::MutexGuard",
    "parking_lot::RwLockReadGuard",
    "parking_lot::RwLockUpgradableReadGuard",
    "parking_lot::RwLockWriteGuard",
    "std::sync::MutexGuard",
    "std::sync::RwLockReadGuard",
    "std::sync::RwLockWriteGuard",
];

/// Guards whose lock is waited for.
const WAITING: &[&str] = &[
    "futures::lock::MutexGuard",
    "tokio::sync::MutexGuard",
    "tokio::sync::OwnedMutexGuard",
    "tokio::sync::OwnedRwLockReadGuard",
    "tokio::sync::OwnedRwLockWriteGuard",
    "tokio::sync::RwLockReadGuard",
    "tokio::sync::RwLockWriteGuard",
];

fn check(facts: &Facts<'_, '_>, out: &mut Vec<Offence>) {
    for instance in facts.instances() {
        let locals = facts.world.bodies(instance).locals.len() as LocalId;
        for local in 0..locals {
            if let Some(offence) = of_local(facts, instance, local) {
                out.push(offence);
            }
        }
    }
}

fn of_local(facts: &Facts<'_, '_>, instance: u32, local: LocalId) -> Option<Offence> {
    let world = facts.world;
    let bodies = world.bodies(instance);
    let Scope { bound, place, end: scope } = scope(facts, instance, local)?;
    let exits = bodies.exits_after(bodies.frame(place), bound).iter().take_while(|node| **node <= scope);
    let wait =
        exits.copied().find(|node| matches!(bodies.kind(*node), Kind::Await(_) | Kind::Select { .. }))?;
    // types are only asked for where it can matter
    if !facts.is_async(At { instance, node: place }) {
        return None;
    }
    let path = world.type_path(&held(world.local_type(instance, local)))?;
    let blocks = BLOCKING.contains(&&*path);
    if !blocks && !WAITING.contains(&&*path) {
        return None;
    }
    if given_up(facts, instance, local, bound) < wait {
        return None;
    }
    let name = bodies.locals[local as usize].name;
    let (line, text) = (bodies.node(wait).line, world.names.text(name));
    let (level, reason) = if blocks {
        (
            Level::Warn,
            "whoever else wants the lock blocks its thread until this task is resumed; if that is the \
                       thread that should resume it, both wait forever",
        )
    } else {
        (
            Level::Info,
            "whoever else wants the lock waits for what is awaited here, and a cancellation at that place \
                       leaves what it protects half changed",
        )
    };
    let diagnosis = Diagnosis {
        message: format!("`{text}`, a `{path}`, is held across the await on line {line}"),
        reason: reason.into(),
        suggestion: format!("{{ let {text} = ..; use it }} before the await, or drop({text})"),
    };
    Some(facts.offence(At { instance, node: place }, world.names.intern("let"), level, diagnosis))
}

fn held(of: Type) -> Type {
    match of {
        Type::Ref(inner) => held(Rc::unwrap_or_clone(inner)),
        of => of,
    }
}

/// Where a variable lives.
struct Scope {
    /// The node after which it does.
    bound: ExprId,
    /// The node that binds it.
    place: ExprId,
    /// The node in which it lives.
    end: ExprId,
}

/// Where a variable lives that is bound by value.
fn scope(facts: &Facts<'_, '_>, instance: u32, local: LocalId) -> Option<Scope> {
    let bodies = facts.world.bodies(instance);
    let mut pattern = bodies.locals[local as usize].pattern;
    let node = loop {
        match bodies.patterns[pattern as usize].origin {
            Origin::Part(whole) => match bodies.patterns[whole as usize].kind {
                PatternKind::Ref(_) => return None,
                _ => pattern = whole,
            },
            Origin::Node(node) => break node,
            _ => return None,
        }
    };
    match bodies.kind(node) {
        Kind::Let { value, .. } if value != NONE => {
            let block =
                bodies.ancestors(node).skip(1).find(|n| matches!(bodies.kind(*n), Kind::Block { .. }))?;
            Some(Scope { bound: node, place: node, end: block })
        }
        Kind::Arm { value, .. } => {
            Some(Scope { bound: bodies.first(value).saturating_sub(1), place: node, end: value })
        }
        Kind::Condition { .. } => {
            let around = bodies
                .ancestors(node)
                .find(|n| matches!(bodies.kind(*n), Kind::If { .. } | Kind::Loop { .. }))?;
            match bodies.kind(around) {
                Kind::If { then: end, .. } | Kind::Loop { body: end, .. } => {
                    Some(Scope { bound: node, place: node, end })
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// The first node by which the guard is dropped or moved away.
fn given_up(facts: &Facts<'_, '_>, instance: u32, local: LocalId, bound: ExprId) -> ExprId {
    let bodies = facts.world.bodies(instance);
    let moved = |node: &ExprId| {
        let parent = bodies.node(*node).parent;
        if parent == NONE {
            return true;
        }
        match bodies.kind(parent) {
            Kind::Field { .. } | Kind::Index { .. } | Kind::Ref(_) | Kind::Deref(_) | Kind::Await(_) => false,
            // `*guard = x`, comparisons, and statements that only name it
            Kind::Other(_) | Kind::Macro { .. } => false,
            Kind::Assign { place, .. } => place != *node,
            // a method may take it by value, but then rarely holds it on
            Kind::Method { receiver, .. } => receiver != *node,
            _ => true,
        }
    };
    bodies.uses_after(local, bound).iter().copied().find(moved).unwrap_or(ExprId::MAX)
}
