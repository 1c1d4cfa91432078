//! `permit_forgotten`: an obligation that is neither met nor given back.

use crate::facts::{Facts, Offence};
use crate::load::body::Kind;
use crate::rule::{Diagnosis, Level, Rule};
use crate::sites::Site;
use crate::types::{At, Type};

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "permit_forgotten",
    level: Level::Warn,
    summary: "a permit, lease or delivery given to mem::forget",
    page: include_str!("../../docs/permit_forgotten.md"),
    watched: WATCHED,
    check,
};

const WATCHED: &[&str] = &["std::boxed::Box::leak", "std::mem::ManuallyDrop::new", "std::mem::forget"];

/// What must be resolved, by the last segment of its path.
const OBLIGATIONS: &[&str] = &[
    "Delivery",
    "Detached",
    "Lease",
    "OwnedPermit",
    "OwnedSemaphorePermit",
    "Permit",
    "Reply",
    "SemaphorePermit",
];

fn check(facts: &Facts<'_, '_>, out: &mut Vec<Offence>) {
    for site in facts.calls(WATCHED).filter(|site| site.is_call && !site.in_test) {
        let Some(what) = obligation(facts, site) else { continue };
        let diagnosis = Diagnosis {
            message: format!("a `{what}` is forgotten"),
            reason: "what it stands for is neither done nor given back: the other side waits, and the region that \
                     keeps account of it reports it as lost"
                .into(),
            suggestion: "resolve it, or drop it, which gives it back".into(),
        };
        out.push(Offence::at_site(site, Level::Warn, diagnosis));
    }
}

/// The obligation that is the argument, if it is one.
fn obligation(facts: &Facts<'_, '_>, site: &Site) -> Option<String> {
    let world = facts.world;
    let bodies = world.bodies(site.at.instance);
    let Kind::Call { args, .. } = bodies.kind(site.at.node) else {
        return None;
    };
    let of = world.type_of(At { node: *bodies.list(args).first()?, ..site.at });
    let path = match &of {
        Type::Outside(path, _) => path.to_string(),
        Type::Named(def, _) => match world.type_path(&of) {
            Some(path) => path.to_string(),
            None => {
                let krate = &world.tree.crates[world.tree.instances
                    [world.tree.nodes[def.node as usize].instance as usize]
                    .krate as usize];
                let package = &world.workspace.packages[krate.package];
                let name = world.tree.scope(def.node).definitions[def.index as usize].name;
                format!("{}::{}", package.lib_name, world.names.text(name))
            }
        },
        _ => return None,
    };
    let is_ours = path.starts_with("asupersync") || path.starts_with("tokio::sync::");
    let last = path.rsplit("::").next()?;
    (is_ours && OBLIGATIONS.binary_search(&last).is_ok()).then(|| path.clone())
}
