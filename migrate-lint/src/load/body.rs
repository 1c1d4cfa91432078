//! Expressions as they are kept: a flat tree without types, spans at their
//! start, locals told apart.
//!
//! Nodes are numbered children first, which is the order in which Rust
//! evaluates nearly everything: of two nodes of one frame, the one with the
//! smaller number runs first, and the parts of a node are the run of numbers
//! up to its own (`order.rs`). Every node knows its parent, so what becomes of
//! a value is found by climbing. Items inside a body are bodies of their own,
//! whose roots have no parent. Macro input that reads as Rust is lowered like
//! all other code; what does not is a [`Kind::Tokens`] of the paths in it.

use super::index::{CfgId, OwnerId, ScopeId};
use super::names::Symbol;
use super::order::Order;
use super::signature::{FunctionId, TypeId};

/// Index of a [`Node`] in its file, or [`NONE`].
pub type ExprId = u32;
/// Index of a [`Pattern`] in its file.
pub type PatId = u32;
/// Index of a [`Local`] in its file.
pub type LocalId = u32;
/// Index of a path in `FileIndex::uses`.
pub type UseId = u32;
/// Index of a [`Context`] in its file.
pub type ContextId = u32;
/// Index of a [`Frame`] in its file.
pub type FrameId = u32;

/// No node, type or frame.
pub const NONE: u32 = u32::MAX;

/// A run of ids in one of the lists of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct List {
    /// Index of the first.
    pub start: u32,
    /// How many.
    pub len: u32,
}

/// What an expression is. Ids that may be absent are [`NONE`], labels
/// [`kw::ROOT`](super::names::kw::ROOT).
#[expect(missing_docs, reason = "the grammar beside each variant names its parts")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A variable.
    Local(LocalId),
    /// Any other path.
    Path(UseId),
    /// `callee(args)`
    Call { callee: ExprId, args: List },
    /// `receiver.name(args)`
    Method { receiver: ExprId, name: Symbol, args: List },
    /// `base.name`, `base.0`
    Field { base: ExprId, name: Symbol },
    /// `base.await`
    Await(ExprId),
    /// `base?`
    Try(ExprId),
    /// `&base`, `&mut base`
    Ref(ExprId),
    /// `*base`
    Deref(ExprId),
    /// `{ .. }`, also `unsafe` and `const` ones; the last one may be a value.
    Block { statements: List, has_value: bool, label: Symbol },
    /// `expr;`
    Semi(ExprId),
    /// `let pattern = value else { otherwise };`
    Let { pattern: PatId, value: ExprId, otherwise: ExprId },
    /// `let pattern = value` in a condition.
    Condition { pattern: PatId, value: ExprId },
    /// `place = value`
    Assign { place: ExprId, value: ExprId },
    /// `_` on the left of an assignment.
    Discard,
    /// `if condition { then } else { otherwise }`
    If { condition: ExprId, then: ExprId, otherwise: ExprId },
    /// `match value { arms }`
    Match { value: ExprId, arms: List },
    /// `pattern if guard => value`
    Arm { pattern: PatId, guard: ExprId, value: ExprId },
    /// `loop`, or `while condition`.
    Loop { condition: ExprId, body: ExprId, label: Symbol },
    /// `for pattern in iterator { body }`
    For { pattern: PatId, iterator: ExprId, body: ExprId, label: Symbol },
    /// `break 'label value`
    Break { value: ExprId, label: Symbol },
    /// `continue 'label`
    Continue(Symbol),
    /// `return value`
    Return(ExprId),
    /// `|patterns| body`
    Closure { patterns: List, body: ExprId },
    /// `async { .. }`
    Async { body: ExprId, moves: bool },
    /// `Path { fields, ..rest }`; the fields are [`Kind::FieldValue`]s.
    Struct { path: UseId, fields: List, rest: ExprId },
    /// `name: value`
    FieldValue { name: Symbol, value: ExprId },
    /// `(a, b)`
    Tuple(List),
    /// `[a, b]`, `[a; n]`, `vec![..]`
    Array(List),
    /// A macro call whose input reads as expressions or statements.
    Macro { name: Symbol, input: List },
    /// `select! { arms }`
    Select { arms: List },
    /// `pattern = future, if guard => handler`
    SelectArm { pattern: PatId, future: ExprId, handler: ExprId },
    /// Paths and calls in tokens that are not read as Rust.
    Tokens(List),
    /// `base[index]`
    Index { base: ExprId, index: ExprId },
    /// `true`, the only literal that matters.
    True,
    /// Any other literal.
    Literal,
    /// `base as Type`
    Cast { base: ExprId, to: TypeId },
    /// Operators, ranges and the rest.
    Other(List),
}

/// One expression.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// The node it is part of.
    pub parent: ExprId,
    /// What is around it.
    pub context: ContextId,
    /// Where its telling token stands: the start of a path, the name of a
    /// method or field, `await`, `?`, the keyword.
    pub line: u32,
    /// 1-based, in characters.
    pub column: u32,
}

/// What stands around a run of nodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Context {
    /// The scope whose names are seen.
    pub scope: ScopeId,
    /// The configuration.
    pub cfg: CfgId,
    /// The item, for its name.
    pub owner: OwnerId,
    /// The function, closure or async block.
    pub frame: FrameId,
    /// First line of the innermost statement.
    pub statement_line: u32,
    /// Tokens that a macro turns into other code elsewhere (`quote!`).
    pub quoted: bool,
}

/// What a frame is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FrameKind {
    /// A function; [`NONE`] for the initialiser of a constant.
    Function(FunctionId),
    /// A closure; asynchronous or not.
    Closure {
        /// `async |x| ..`
        is_async: bool,
    },
    /// An async block.
    Async,
}

/// Code that runs as one: a function, a closure or an async block.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// What it is.
    pub kind: FrameKind,
    /// The frame around it, within the same body.
    pub parent: FrameId,
    /// The closure or async block, or the root of the body.
    pub node: ExprId,
}

/// What a pattern is.
#[expect(missing_docs, reason = "the grammar beside each variant names its parts")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PatternKind {
    /// `name`, `name @ pattern`
    Bind { local: LocalId, inner: PatId },
    /// `_`
    Wild,
    /// `(a, ..)`, `[a, b]` with `is_slice`
    Tuple { items: List, is_slice: bool },
    /// `Some(a)`, `Type(a, b)`
    Variant { path: UseId, items: List },
    /// `Type { name: a }`; the items are [`PatternKind::Field`]s.
    Struct { path: UseId, items: List },
    /// `name: a`
    Field { name: Symbol, inner: PatId },
    /// `a | b`
    Or(List),
    /// `&a`
    Ref(PatId),
    /// `a: Type`
    Typed { inner: PatId, of: TypeId },
    /// `..`
    Rest,
    /// Literals, ranges, constants.
    Other,
}

/// One pattern.
#[derive(Clone, Copy, Debug)]
pub struct Pattern {
    /// What it is.
    pub kind: PatternKind,
    /// Where it belongs.
    pub origin: Origin,
}

/// What a pattern takes apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// A part of what this pattern takes apart.
    Part(PatId),
    /// The value of a `let`, condition, arm, `for` or select arm.
    Node(ExprId),
    /// Parameter number so of this closure.
    Closure(ExprId, u32),
    /// Parameter number so of this function.
    Parameter(FunctionId, u32),
    /// Not known.
    Nothing,
}

/// A variable.
#[derive(Clone, Copy, Debug)]
pub struct Local {
    /// Its name.
    pub name: Symbol,
    /// The pattern that binds it.
    pub pattern: PatId,
}

/// The expressions of a file.
#[derive(Debug, Default)]
pub struct Bodies {
    /// Expressions, children first.
    pub nodes: Vec<Node>,
    /// Lists of nodes and patterns.
    pub lists: Vec<u32>,
    /// Patterns.
    pub patterns: Vec<Pattern>,
    /// Variables.
    pub locals: Vec<Local>,
    /// Contexts.
    pub contexts: Vec<Context>,
    /// Frames.
    pub frames: Vec<Frame>,
    /// What follows from the numbers of nodes.
    pub(super) order: Order,
}

impl Bodies {
    /// The node.
    pub fn node(&self, id: ExprId) -> &Node {
        &self.nodes[id as usize]
    }

    /// What a node is.
    pub fn kind(&self, id: ExprId) -> Kind {
        self.nodes[id as usize].kind
    }

    /// The ids of a list.
    pub fn list(&self, list: List) -> &[u32] {
        &self.lists[list.start as usize..][..list.len as usize]
    }

    /// What is around a node.
    pub fn context(&self, id: ExprId) -> &Context {
        &self.contexts[self.nodes[id as usize].context as usize]
    }

    /// The function, closure or async block a node runs in.
    pub fn frame(&self, id: ExprId) -> FrameId {
        self.context(id).frame
    }

    /// The node itself, then everything it is part of, up to the root of the
    /// body.
    pub fn ancestors(&self, id: ExprId) -> impl Iterator<Item = ExprId> + '_ {
        std::iter::successors(Some(id), |id| {
            let parent = self.nodes[*id as usize].parent;
            (parent != NONE).then_some(parent)
        })
    }

    /// The root of the body a node is part of.
    pub fn root(&self, id: ExprId) -> ExprId {
        self.ancestors(id).last().unwrap_or(id)
    }

    /// A node without parentheses, references and blocks of nothing else.
    pub fn peeled(&self, mut id: ExprId) -> ExprId {
        loop {
            id = match self.kind(id) {
                Kind::Ref(inner) | Kind::Deref(inner) => inner,
                Kind::Block { statements, has_value: true, .. } if statements.len == 1 => {
                    self.list(statements)[0]
                }
                _ => return id,
            }
        }
    }
}

impl Kind {
    /// The children: up to three of them, then a list.
    pub(super) fn children(&self) -> ([ExprId; 3], List) {
        const NO: List = List { start: 0, len: 0 };
        match *self {
            Kind::Local(_) | Kind::Path(_) | Kind::Discard | Kind::Continue(_) => ([NONE; 3], NO),
            Kind::True | Kind::Literal => ([NONE; 3], NO),
            Kind::Call { callee, args } => ([callee, NONE, NONE], args),
            Kind::Method { receiver, args, .. } => ([receiver, NONE, NONE], args),
            Kind::Field { base: one, .. }
            | Kind::Await(one)
            | Kind::Try(one)
            | Kind::Ref(one)
            | Kind::Deref(one)
            | Kind::Semi(one)
            | Kind::Break { value: one, .. }
            | Kind::Return(one)
            | Kind::Cast { base: one, .. }
            | Kind::Condition { value: one, .. }
            | Kind::FieldValue { value: one, .. }
            | Kind::Closure { body: one, .. }
            | Kind::Async { body: one, .. } => ([one, NONE, NONE], NO),
            Kind::Let { value, otherwise, .. } => ([value, otherwise, NONE], NO),
            Kind::Assign { place, value } => ([place, value, NONE], NO),
            Kind::If { condition, then, otherwise } => ([condition, then, otherwise], NO),
            Kind::Arm { guard, value, .. } => ([guard, value, NONE], NO),
            Kind::SelectArm { future, handler, .. } => ([future, handler, NONE], NO),
            Kind::Loop { condition, body, .. } => ([condition, body, NONE], NO),
            Kind::For { iterator, body, .. } => ([iterator, body, NONE], NO),
            Kind::Index { base, index } => ([base, index, NONE], NO),
            Kind::Match { value, arms } => ([value, NONE, NONE], arms),
            Kind::Struct { fields, rest, .. } => ([rest, NONE, NONE], fields),
            Kind::Block { statements: list, .. }
            | Kind::Tuple(list)
            | Kind::Array(list)
            | Kind::Macro { input: list, .. }
            | Kind::Select { arms: list }
            | Kind::Tokens(list)
            | Kind::Other(list) => ([NONE; 3], list),
        }
    }

    /// The pattern it has, if any.
    pub(super) fn pattern(&self) -> Option<PatId> {
        match *self {
            Kind::Let { pattern, .. }
            | Kind::Condition { pattern, .. }
            | Kind::Arm { pattern, .. }
            | Kind::For { pattern, .. }
            | Kind::SelectArm { pattern, .. } => Some(pattern),
            _ => None,
        }
    }
}
