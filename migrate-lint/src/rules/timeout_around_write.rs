//! `timeout_around_write`: a timeout drops a write or a read halfway, and the
//! stream is used on.

use super::operations::{HALFWAY, name, runs_in};
use crate::facts::{Facts, Offence};
use crate::load::body::{ExprId, Kind, NONE};
use crate::load::signature::Parameter;
use crate::rule::{Diagnosis, Level, Rule};
use crate::sites::Site;
use crate::types::At;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "timeout_around_write",
    level: Level::Warn,
    summary: "a timeout that leaves a stream in the middle of a message",
    page: include_str!("../../docs/timeout_around_write.md"),
    watched: HALFWAY,
    check,
};

const TIMEOUTS: &[&str] = &["tokio::time::timeout", "tokio::time::timeout_at"];

fn check(facts: &Facts<'_, '_>, out: &mut Vec<Offence>) {
    for site in facts.calls(HALFWAY).filter(|site| site.is_call && !site.in_test) {
        let Some(timeout) = timeout_around(facts, site) else { continue };
        if !goes_on(facts, site, timeout) {
            continue;
        }
        let operation = name(site);
        let diagnosis = Diagnosis {
            message: format!(
                "`{operation}` is dropped halfway when the timeout is over, and its stream is used on"
            ),
            reason: "a part of the message is written or read; the next one starts in its middle".into(),
            suggestion: "cx.finish(..) lets it end within a budget; or drop the stream when the time is over"
                .into(),
        };
        out.push(Offence::at_site(site, Level::Warn, diagnosis));
    }
}

/// The timeout that an operation is the future of.
fn timeout_around(facts: &Facts<'_, '_>, site: &Site) -> Option<ExprId> {
    let world = facts.world;
    let bodies = world.bodies(site.at.instance);
    let mut child = site.at.node;
    for node in bodies.ancestors(site.at.node).skip(1) {
        if let Kind::Call { args, .. } = bodies.kind(node)
            && bodies.list(args).get(1) == Some(&child)
        {
            let callee = world.callee(At { node, ..site.at });
            let path = world.callee_path(&callee);
            if path.is_some_and(|path| TIMEOUTS.contains(&&*path)) {
                return runs_in(facts, site.at.instance, site.at.node, node).then_some(node);
            }
        }
        child = node;
    }
    None
}

/// Whether the stream can be used after the time is over: it is borrowed from
/// the caller, or the function goes on.
fn goes_on(facts: &Facts<'_, '_>, site: &Site, timeout: ExprId) -> bool {
    let bodies = facts.world.bodies(site.at.instance);
    let Some(local) = stream(facts, site) else { return false };
    if is_borrowed(facts, site.at.instance, local) {
        return true;
    }
    // `?` on the timeout, however wrapped, ends the function and the stream
    let mut node = bodies.node(timeout).parent;
    while node != NONE {
        match bodies.kind(node) {
            Kind::Try(_) | Kind::Return(_) => return false,
            Kind::Await(_) | Kind::Method { .. } => node = bodies.node(node).parent,
            _ => break,
        }
    }
    // used again after the timeout
    !bodies.uses_after(local, timeout).is_empty() || facts.in_loop(At { node: timeout, ..site.at })
}

/// The variable that an operation is on.
fn stream(facts: &Facts<'_, '_>, site: &Site) -> Option<u32> {
    let bodies = facts.world.bodies(site.at.instance);
    let mut node = match bodies.kind(site.at.node) {
        Kind::Method { receiver, .. } => receiver,
        // `copy(&mut reader, &mut writer)`
        Kind::Call { args, .. } => *bodies.list(args).last()?,
        _ => return None,
    };
    loop {
        node = match bodies.kind(node) {
            Kind::Local(local) => return Some(local),
            Kind::Field { base, .. } | Kind::Index { base, .. } | Kind::Method { receiver: base, .. } => base,
            Kind::Ref(base) | Kind::Deref(base) | Kind::Try(base) | Kind::Await(base) => base,
            _ => return None,
        };
    }
}

/// Whether a variable is a reference that the caller gave.
fn is_borrowed(facts: &Facts<'_, '_>, instance: u32, local: u32) -> bool {
    let of = facts.world.file(instance).parameter(local);
    matches!(of, Some(Parameter::Reference | Parameter::SelfReference))
}
