//! Where code has a context of ours, a `Cx`.

use crate::facts::Facts;
use crate::load::body::{FrameKind, LocalId, NONE, PatternKind};
use crate::load::names::Symbol;
use crate::types::{At, Type};

/// The context that code at a place can use, as a variable.
pub(super) fn cx_at(facts: &Facts<'_, '_>, at: At) -> Option<LocalId> {
    if !facts.world.knows_us(at.instance) {
        return None;
    }
    let world = facts.world;
    let bodies = world.bodies(at.instance);
    let cx = world.names.intern("cx");
    let mut frame = bodies.frame(at.node);
    while frame != NONE {
        let found = &bodies.frames[frame as usize];
        let patterns: Vec<u32> = match found.kind {
            FrameKind::Function(id) if id != NONE => {
                let function = &world.file(at.instance).signatures.functions[id as usize];
                function.parameters.iter().map(|(pattern, _)| *pattern).collect()
            }
            FrameKind::Closure { .. } => match bodies.kind(found.node) {
                crate::load::body::Kind::Closure { patterns, .. } => bodies.list(patterns).to_vec(),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        };
        let found_here = patterns.into_iter().find_map(|pattern| is_cx(facts, at.instance, pattern, cx));
        if found_here.is_some() {
            return found_here;
        }
        frame = found.parent;
    }
    None
}

fn is_cx(facts: &Facts<'_, '_>, instance: u32, mut pattern: u32, cx: Symbol) -> Option<LocalId> {
    let bodies = facts.world.bodies(instance);
    let local = loop {
        match bodies.patterns[pattern as usize].kind {
            PatternKind::Typed { inner, .. } | PatternKind::Ref(inner) => pattern = inner,
            PatternKind::Bind { local, .. } => break local,
            _ => return None,
        }
    };
    match stripped(facts.world.local_type(instance, local)) {
        Type::Outside(path, _) => path.ends_with("::Cx").then_some(local),
        Type::Named(def, _) => {
            let name = facts.world.tree.scope(def.node).definitions[def.index as usize].name;
            (&*facts.world.names.text(name) == "Cx").then_some(local)
        }
        // the parameter of a closure, whose type is the callee's affair
        Type::Unknown => (bodies.locals[local as usize].name == cx).then_some(local),
        _ => None,
    }
}

fn stripped(of: Type) -> Type {
    match of {
        Type::Ref(inner) => stripped((*inner).clone()),
        of => of,
    }
}
