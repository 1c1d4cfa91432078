//! Whether a task ever ends by itself.

use crate::load::body::{ExprId, Kind, NONE};
use crate::load::names::{Symbol, kw};
use crate::types::{At, Callee, World};

/// Whether the body of a task is a loop that nothing leaves: no `break`, no
/// `return`, no `?`.
pub(crate) fn is_endless(world: &World<'_>, call: At) -> bool {
    let bodies = world.bodies(call.instance);
    let args = match bodies.kind(call.node) {
        Kind::Call { args, .. } | Kind::Method { args, .. } => args,
        _ => return false,
    };
    bodies.list(args).iter().any(|arg| runs_forever(world, At { node: *arg, ..call }, 0))
}

fn runs_forever(world: &World<'_>, at: At, depth: u32) -> bool {
    if depth > 3 {
        return false;
    }
    let bodies = world.bodies(at.instance);
    let next = |node: ExprId| runs_forever(world, At { node, ..at }, depth + 1);
    match bodies.kind(bodies.peeled(at.node)) {
        Kind::Async { body, .. } | Kind::Closure { body, .. } => {
            has_endless_loop(world, At { node: body, ..at }, depth)
        }
        // `.instrument(..)` and its like
        Kind::Method { receiver, .. } if next(receiver) => true,
        Kind::Call { args, .. } => {
            let node = bodies.peeled(at.node);
            if let Callee::Function(found) = world.callee(At { node, ..at }) {
                let function = world.function(found.function);
                if function.body != NONE && world.function_path(found.function).is_none() {
                    let body = At { instance: found.function.instance, node: function.body };
                    return function.is_async && has_endless_loop(world, body, depth);
                }
            }
            bodies.list(args).first().is_some_and(|arg| next(*arg))
        }
        Kind::Method { .. } => {
            let node = bodies.peeled(at.node);
            match world.callee(At { node, ..at }) {
                Callee::Function(found) if world.function_path(found.function).is_none() => {
                    let function = world.function(found.function);
                    let body = At { instance: found.function.instance, node: function.body };
                    function.body != NONE && function.is_async && has_endless_loop(world, body, depth)
                }
                _ => false,
            }
        }
        Kind::Block { statements, has_value: true, .. } => {
            bodies.list(statements).last().is_some_and(|last| next(*last))
        }
        _ => false,
    }
}

/// Whether one of the statements of a body never ends.
fn has_endless_loop(world: &World<'_>, body: At, depth: u32) -> bool {
    let bodies = world.bodies(body.instance);
    let statements = match bodies.kind(body.node) {
        Kind::Block { statements, .. } => bodies.list(statements).to_vec(),
        _ => vec![body.node],
    };
    statements.into_iter().any(|statement| {
        let node = match bodies.kind(statement) {
            Kind::Semi(inner) => inner,
            _ => statement,
        };
        match bodies.kind(node) {
            Kind::Loop { condition, body: inner, label } => {
                let always = condition == NONE || bodies.kind(condition) == Kind::True;
                always && !is_left(world, body.instance, inner, node, label)
            }
            Kind::Await(base) => runs_forever(world, At { node: base, ..body }, depth + 1),
            _ => false,
        }
    })
}

/// Whether something in a loop's body leaves it.
pub(crate) fn is_left(
    world: &World<'_>,
    instance: u32,
    inner: ExprId,
    around: ExprId,
    label: Symbol,
) -> bool {
    let bodies = world.bodies(instance);
    let frame = bodies.frame(around);
    bodies.within(inner).filter(|node| bodies.frame(*node) == frame).any(|node| match bodies.kind(node) {
        Kind::Return(_) | Kind::Try(_) => true,
        Kind::Break { label: found, .. } if found == kw::ROOT => {
            let nearest = bodies
                .ancestors(node)
                .skip(1)
                .find(|a| matches!(bodies.kind(*a), Kind::Loop { .. } | Kind::For { .. }));
            nearest == Some(around)
        }
        Kind::Break { label: found, .. } | Kind::Continue(found) => {
            // to a loop further out
            found != kw::ROOT
                && (found == label && matches!(bodies.kind(node), Kind::Break { .. })
                    || !names_inner(world, instance, node, around, found) && found != label)
        }
        // who knows what a macro does
        Kind::Tokens(_) => true,
        _ => false,
    })
}

/// Whether a label belongs to a loop inside `around`.
fn names_inner(world: &World<'_>, instance: u32, node: ExprId, around: ExprId, label: Symbol) -> bool {
    let bodies = world.bodies(instance);
    bodies.ancestors(node).skip(1).take_while(|a| *a != around).any(|a| match bodies.kind(a) {
        Kind::Loop { label: found, .. }
        | Kind::For { label: found, .. }
        | Kind::Block { label: found, .. } => found == label,
        _ => false,
    })
}
