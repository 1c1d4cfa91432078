//! Changes that mend an offence and alter nothing else, where that is sure.
//!
//! Sure means: the code still compiles, in a future that must be `Send` too,
//! and does what it did. In doubt there is no fix; the suggestion stays.

use crate::facts::{Facts, Task};
use crate::lex::tokens;
use crate::load::body::{Bodies, ExprId, FrameId, Kind, LocalId, NONE, Origin, PatternKind};
use crate::load::index::Span;
use crate::load::names::Symbol;
use crate::rule::{Edit, Fix};
use crate::types::At;

/// `mem::drop(handle)` for `mem::forget(handle)`: either detaches the task.
/// Of a name imported by itself, the import would be left over.
pub(super) fn drop_instead(facts: &Facts<'_, '_>, task: &Task, call: At) -> Option<Fix> {
    let bodies = facts.world.bodies(call.instance);
    let Kind::Call { callee, args } = bodies.kind(call.node) else { return None };
    let (Kind::Path(id), &[handle]) = (bodies.kind(callee), bodies.list(args)) else { return None };
    let index = facts.world.file(call.instance);
    let path = &index.uses[id as usize];
    let [.., module, last] = index.path_of(path) else { return None };
    let names = facts.world.names;
    let is_forget = &*names.text(*module) == "mem" && &*names.text(*last) == "forget";
    // the handle itself, not something that would abort the task in its `Drop`
    let is_handle = match bodies.kind(handle) {
        Kind::Local(local) => bound_by(bodies, local).is_some_and(|(_, value)| value == task.site.at.node),
        _ => handle == task.site.at.node,
    };
    if !is_forget || !is_handle || task.site.at.instance != call.instance || task.kin.is_none() {
        return None;
    }
    let Span { end_line, end_column, .. } = path.span;
    let column = end_column.checked_sub("forget".len() as u32)?;
    let span = Span { line: end_line, column, end_line, end_column };
    Some(Fix { edits: vec![Edit { span, text: "drop".into() }] })
}

/// `let _ = handle.await;` after `handle.abort();`.
///
/// The handle is a variable of the same block, used by no one else from there
/// on. An await before it in the same block, with nothing bound in between,
/// shows that all there is may live across one.
pub(super) fn await_after(facts: &Facts<'_, '_>, task: &Task, call: At) -> Option<Fix> {
    let bodies = facts.world.bodies(call.instance);
    let Kind::Method { receiver, name, args } = bodies.kind(call.node) else { return None };
    let Kind::Local(local) = bodies.kind(receiver) else { return None };
    let (declared, value) = bound_by(bodies, local)?;
    if task.site.at != (At { node: value, ..call }) || args.len > 0 || bodies.context(call.node).quoted {
        return None;
    }
    let statement = bodies.node(call.node).parent;
    let block = (statement != NONE && matches!(bodies.kind(statement), Kind::Semi(_)))
        .then(|| bodies.node(statement).parent)
        .filter(|block| *block != NONE && bodies.node(declared).parent == *block)?;
    let Kind::Block { statements, .. } = bodies.kind(block) else { return None };
    let statements = bodies.list(statements);
    let frame = bodies.frame(call.node);
    // children come in order
    let at = statements.binary_search(&statement).ok()?;
    if bodies.frame(declared) != frame || !has_await_before(bodies, &statements[..at], frame, name) {
        return None;
    }
    let is_spare = |node: ExprId| {
        node == receiver
            || (node < receiver
                && bodies.frame(node) == frame
                && matches!(bodies.kind(bodies.node(node).parent), Kind::Method { receiver, .. } if receiver == node))
    };
    if !bodies.uses(local).iter().copied().all(is_spare) {
        return None;
    }
    insert_after(facts, call, &facts.world.names.text(bodies.locals[local as usize].name))
}

/// The `let` that binds a variable by its plain name, and the value.
fn bound_by(bodies: &Bodies, local: LocalId) -> Option<(ExprId, ExprId)> {
    let pattern = bodies.locals[local as usize].pattern;
    let pattern = &bodies.patterns[pattern as usize];
    match (pattern.kind, pattern.origin) {
        (PatternKind::Bind { inner: NONE, .. }, Origin::Node(node)) => match bodies.kind(node) {
            Kind::Let { value, otherwise: NONE, .. } => Some((node, value)),
            _ => None,
        },
        _ => None,
    }
}

/// As many aborts in a row are looked past for the await before them.
const ABORTS: usize = 64;

/// Whether the last of these statements, aborts aside, awaits and binds
/// nothing.
fn has_await_before(bodies: &Bodies, statements: &[ExprId], frame: FrameId, abort: Symbol) -> bool {
    let is_abort = |node: ExprId| match bodies.kind(node) {
        Kind::Semi(inner) => match bodies.kind(inner) {
            Kind::Method { receiver, name, .. } => {
                name == abort && matches!(bodies.kind(receiver), Kind::Local(_))
            }
            _ => false,
        },
        _ => false,
    };
    let Some(last) = statements.iter().rev().take(ABORTS).find(|node| !is_abort(**node)) else {
        return false;
    };
    let value = match bodies.kind(*last) {
        Kind::Semi(value) if !matches!(bodies.kind(value), Kind::Assign { .. }) => value,
        Kind::Let { pattern, value, otherwise: NONE }
            if matches!(bodies.patterns[pattern as usize].kind, PatternKind::Wild) =>
        {
            value
        }
        _ => return false,
    };
    // an await inside of something else may be skipped, and would show nothing
    bodies.frame(value) == frame && matches!(bodies.kind(unwrapped(bodies, value)), Kind::Await(_))
}

/// Without `?` around it.
fn unwrapped(bodies: &Bodies, mut node: ExprId) -> ExprId {
    while let Kind::Try(inner) = bodies.kind(node) {
        node = inner;
    }
    node
}

/// A line after the statement of this call, if nothing else is in its way.
fn insert_after(facts: &Facts<'_, '_>, call: At, name: &str) -> Option<Fix> {
    let places = facts.places(facts.file_of(call));
    let text = places.text();
    let node = facts.world.bodies(call.instance).node(call.node);
    let (start, _) =
        places.range(Span { line: node.line, column: node.column, end_line: node.line, end_column: 1 });
    let written: Vec<_> = tokens(text, start).take(4).collect();
    let words: Vec<&str> = written.iter().map(|token| &text[token.start..token.end]).collect();
    if words != ["abort", "(", ")", ";"] {
        return None;
    }
    let line_start = text[..start].rfind('\n').map_or(0, |end| end + 1);
    let line = &text[line_start..start];
    let indent = &line[..line.len() - line.trim_start().len()];
    // `handle.abort()` on one line, and a plain name
    if line.trim_start() != format!("{name}.") {
        return None;
    }
    let end = written[3].end;
    let newline = if text[..end].contains("\r\n") { "\r\n" } else { "\n" };
    let end_line = node.line + text[start..end].matches('\n').count() as u32;
    let before = text[..end].rfind('\n').map_or(0, |end| end + 1);
    let column = text[before..end].chars().count() as u32 + 1;
    let span = Span { line: end_line, column, end_line, end_column: column };
    Some(Fix { edits: vec![Edit { span, text: format!("{newline}{indent}let _ = {name}.await;") }] })
}
