//! Words that several rules share.

use crate::facts::{Facts, Task};
use crate::kin;
use crate::load::body::Kind;
use crate::load::names::Symbol;
use crate::types::At;

/// `tokio::spawn`, under the name the code uses if that is another.
pub(super) fn named(task: &Task) -> String {
    let function = task.kin.map_or("spawn", |kin| kin::shown(kin.path));
    let written = &task.site.written;
    let last = function.rsplit("::").next().unwrap_or(function);
    if written == function || written == "tokio::task::spawn" {
        format!("`{written}`")
    } else if written == last {
        format!("`{function}`")
    } else {
        format!("`{written}` (which is `{function}`)")
    }
}

/// How the task is started in a region.
pub(super) fn in_region(facts: &Facts<'_, '_>, task: &Task) -> String {
    let site = &task.site;
    let form = if !site.is_call {
        r#"|future| cx.spawn_future("name", future)"#.to_string()
    } else if task.kin.is_some_and(|kin| kin.blocking) {
        r#"cx.spawn_blocking("name", || ..)"#.to_string()
    } else {
        call(facts, site.at)
    };
    if facts.has_cx(site.at.instance) {
        form
    } else {
        format!("{form}, with the cx of compat::hosted::run(async |cx| ..)")
    }
}

fn call(facts: &Facts<'_, '_>, at: At) -> String {
    let world = facts.world;
    let bodies = world.bodies(at.instance);
    let args = match bodies.kind(at.node) {
        Kind::Call { args, .. } | Kind::Method { args, .. } => bodies.list(args),
        _ => &[],
    };
    let Some(&future) = args.first() else {
        return r#"cx.spawn_future("name", future)"#.to_string();
    };
    match bodies.kind(future) {
        Kind::Async { moves: true, .. } => r#"cx.spawn("name", async move |cx| { .. })"#.to_string(),
        Kind::Async { moves: false, .. } => r#"cx.spawn("name", async |cx| { .. })"#.to_string(),
        Kind::Call { callee, .. } => match called(facts, At { node: callee, ..at }) {
            Some(name) => {
                let name = world.names.text(name);
                let label = if name.starts_with(char::is_lowercase) { &*name } else { "name" };
                format!(r#"cx.spawn_future("{label}", {name}(..))"#)
            }
            None => r#"cx.spawn_future("name", future)"#.to_string(),
        },
        _ => r#"cx.spawn_future("name", future)"#.to_string(),
    }
}

fn called(facts: &Facts<'_, '_>, callee: At) -> Option<Symbol> {
    let index = facts.world.file(callee.instance);
    match index.bodies.kind(callee.node) {
        Kind::Path(id) => index.path_of(&index.uses[id as usize]).last().copied(),
        Kind::Local(local) => Some(index.bodies.locals[local as usize].name),
        _ => None,
    }
}
