//! `no_graceful_shutdown`: a server that can only be cut off.

use crate::facts::{Facts, Offence};
use crate::load::body::{Kind, NONE, PatternKind};
use crate::rule::{Diagnosis, Level, Rule};
use crate::sites::Site;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "no_graceful_shutdown",
    level: Level::Info,
    summary: "a server that ends in the middle of its requests",
    page: include_str!("../../docs/no_graceful_shutdown.md"),
    watched: WATCHED,
    check,
};

const WATCHED: &[&str] = &[
    "axum::serve",
    "axum::serve::serve",
    "hyper::server::conn::http1::Builder::serve_connection",
    "hyper::server::conn::http2::Builder::serve_connection",
    "hyper_util::server::conn::auto::Builder::serve_connection",
    "hyper_util::server::conn::auto::Builder::serve_connection_with_upgrades",
    "tonic::transport::Router::serve",
    "tonic::transport::Router::serve_with_incoming",
    "tonic::transport::server::Router::serve",
    "tonic::transport::server::Router::serve_with_incoming",
];

fn check(facts: &Facts<'_, '_>, out: &mut Vec<Offence>) {
    for site in facts.calls(WATCHED).filter(|site| site.is_call && !site.in_test) {
        let (is_offence, instead) = match site.path().and_then(|path| path.split("::").next()) {
            Some("axum") => (!is_told(facts, site), "`.with_graceful_shutdown(signal)`"),
            Some("tonic") => (true, "`serve_with_shutdown` or `serve_with_incoming_shutdown`"),
            // a connection, of which a server has many
            _ => {
                let is_server = facts.in_loop(site.at) && !is_graceful(facts, site);
                (is_server, "`graceful_shutdown` of the connections")
            }
        };
        if !is_offence {
            continue;
        }
        let diagnosis = Diagnosis {
            message: "this server has no graceful shutdown".into(),
            reason: "when the program is told to stop, requests that are being answered are cut off".into(),
            suggestion: format!("serve in a region, which ends when its requests have; or {instead}"),
        };
        out.push(Offence::at_site(site, Level::Info, diagnosis));
    }
}

/// Whether `with_graceful_shutdown` is called on it, at once or through a
/// variable.
fn is_told(facts: &Facts<'_, '_>, site: &Site) -> bool {
    let bodies = facts.world.bodies(site.at.instance);
    let is_telling = |node: u32| {
        matches!(bodies.kind(node), Kind::Method { name, .. }
            if &*facts.world.names.text(name) == "with_graceful_shutdown")
    };
    let mut node = bodies.node(site.at.node).parent;
    while node != NONE {
        match bodies.kind(node) {
            _ if is_telling(node) => return true,
            Kind::Let { pattern, .. } => {
                let PatternKind::Bind { local, .. } = bodies.patterns[pattern as usize].kind else {
                    return false;
                };
                return bodies.uses_after(local, node).iter().any(|n| {
                    let parent = bodies.node(*n).parent;
                    // what is passed on may be told elsewhere
                    parent != NONE && (is_telling(parent) || matches!(bodies.kind(parent), Kind::Call { .. }))
                });
            }
            Kind::Method { receiver, .. } if bodies.is_within(site.at.node, receiver) => {}
            // the caller's, or somebody else's
            Kind::Call { .. } | Kind::Return(_) | Kind::FieldValue { .. } => return true,
            Kind::Block { has_value: true, .. } if bodies.node(node).parent == NONE => {
                return bodies.frame(node) == bodies.frame(site.at.node) && !is_awaited(facts, site);
            }
            Kind::Await(_) | Kind::Semi(_) => return false,
            _ => {}
        }
        node = bodies.node(node).parent;
    }
    false
}

fn is_awaited(facts: &Facts<'_, '_>, site: &Site) -> bool {
    let bodies = facts.world.bodies(site.at.instance);
    bodies.ancestors(site.at.node).any(|node| matches!(bodies.kind(node), Kind::Await(_)))
}

/// Whether the function tells connections to end.
fn is_graceful(facts: &Facts<'_, '_>, site: &Site) -> bool {
    let bodies = facts.world.bodies(site.at.instance);
    bodies.within(bodies.root(site.at.node)).any(|node| match bodies.kind(node) {
        Kind::Method { name, .. } => matches!(&*facts.world.names.text(name), "graceful_shutdown" | "watch"),
        _ => false,
    })
}
