//! From a file's text to its [`FileIndex`].
//!
//! Protocol: on entering a scope its items are collected (`collect.rs`), then
//! visited in source order (`items.rs`), which lowers their types
//! (`typeref.rs`) and expressions (`lower.rs`, `pattern.rs`). `ribs` mirrors
//! rustc's: a local binding hides an item of the same name, an item of an
//! inner block hides an outer local, and a function's body sees no locals
//! outside it. Macro input is handled in `tokens.rs` and `macros.rs`.

use super::body::{
    Context, ExprId, Frame, FrameId, FrameKind, Kind, List, Local, LocalId, NONE, Node, Origin, PatId,
};
use super::cfg::{Condition, conditions};
use super::collect::{Opened, span_of};
use super::index::*;
use super::names::{Names, Symbol, kw};
use super::nesting;
use super::signature::{FunctionId, ImplId};
use super::source::parser_text;
use proc_macro2::{Ident, TokenStream};
use syn::Attribute;

/// A file that is not Rust this parser knows.
#[derive(Debug)]
pub(super) struct SyntaxError {
    /// 1-based line, and column in characters.
    pub(super) place: (u32, u32),
    /// What the parser expected.
    pub(super) message: String,
}

/// Names around an expression, innermost last.
pub(super) enum Rib {
    /// Bindings of patterns.
    Locals(Vec<(Symbol, LocalId)>),
    /// Items of a block or module.
    Items(ScopeId),
    /// The edge of a function.
    Function,
}

pub(super) struct Extractor<'a, 'n> {
    names: &'a mut Names<'n>,
    pub(super) index: FileIndex,
    pub(super) scope: ScopeId,
    pub(super) cfg: CfgId,
    pub(super) owner: OwnerId,
    pub(super) frame: FrameId,
    pub(super) opened: Opened,
    /// Nesting of macro inputs read speculatively.
    pub(super) speculation: u32,
    /// Inside `quote!`.
    pub(super) quoted: bool,
    pub(super) statement_line: u32,
    /// Where the node being lowered stands: the last place that was told.
    pub(super) place: (u32, u32),
    pub(super) ribs: Vec<Rib>,
    /// Generic parameters in force, innermost last.
    pub(super) generics: Vec<Symbol>,
    /// The `impl` or trait around.
    pub(super) of_impl: ImplId,
    pub(super) of_trait: Option<(ScopeId, Symbol)>,
}

/// Indexes one file.
pub(super) fn index_file(text: &str, names: &mut Names<'_>) -> Result<FileIndex, SyntaxError> {
    // spans of earlier files are not needed any more, and their text is
    // otherwise kept for the life of the thread
    proc_macro2::extra::invalidate_current_thread_spans();
    let at = |span: proc_macro2::Span, message: String| SyntaxError {
        place: (span.start().line as u32, span.start().column as u32 + 1),
        message,
    };
    let text = parser_text(text);
    let tokens: TokenStream = match text.parse() {
        Ok(tokens) => tokens,
        Err(e) => {
            let e: proc_macro2::LexError = e;
            let message = "not a token of Rust, or an unbalanced bracket or quote".into();
            return Err(at(e.span(), message));
        }
    };
    if !nesting::within_bound(text) {
        return Err(SyntaxError { place: (1, 1), message: "nested too deeply to be parsed safely".into() });
    }
    let file: syn::File = match syn::parse2(tokens) {
        Ok(file) => file,
        Err(e) => return Err(at(e.span(), e.to_string())),
    };
    let mut extractor = Extractor {
        names,
        index: FileIndex::default(),
        scope: 0,
        cfg: NO_CFG,
        owner: NO_OWNER,
        frame: NONE,
        opened: Opened::new(),
        speculation: 0,
        quoted: false,
        statement_line: 0,
        place: (1, 1),
        ribs: vec![Rib::Items(0)],
        generics: Vec::new(),
        of_impl: NONE,
        of_trait: None,
    };
    extractor.index.scopes.push(Scope { is_module: true, ..Scope::default() });
    extractor.under(&file.attrs, |x| {
        x.collect(file.items.iter(), 0);
        for item in &file.items {
            x.item(item);
        }
    });
    let mut index = extractor.index;
    index.finish();
    Ok(index)
}

impl Extractor<'_, '_> {
    pub(super) fn name(&mut self, ident: &Ident) -> Symbol {
        self.names.intern(ident)
    }

    pub(super) fn word(&mut self, text: &str) -> Symbol {
        self.names.intern(text)
    }

    /// Opens a scope below the present one, without entering it.
    pub(super) fn open_scope(&mut self, is_module: bool) -> ScopeId {
        let Scope { directory, beside, .. } = &self.index.scopes[self.scope as usize];
        let (directory, beside) = (directory.clone(), *beside);
        let parent = Some(self.scope);
        self.index.scopes.push(Scope { parent, is_module, directory, beside, ..Scope::default() });
        (self.index.scopes.len() - 1) as ScopeId
    }

    pub(super) fn within<R>(&mut self, scope: ScopeId, visit: impl FnOnce(&mut Self) -> R) -> R {
        let outer = std::mem::replace(&mut self.scope, scope);
        self.ribs.push(Rib::Items(scope));
        let out = visit(self);
        self.ribs.pop();
        self.scope = outer;
        out
    }

    pub(super) fn with_locals<R>(&mut self, visit: impl FnOnce(&mut Self) -> R) -> R {
        self.ribs.push(Rib::Locals(Vec::new()));
        let out = visit(self);
        self.ribs.pop();
        out
    }

    /// Visits under the conditions among `attrs`.
    pub(super) fn under<R>(&mut self, attrs: &[Attribute], visit: impl FnOnce(&mut Self) -> R) -> R {
        if attrs.is_empty() {
            return visit(self);
        }
        let outer = self.cfg;
        for condition in conditions(attrs) {
            self.enter(condition);
        }
        let out = visit(self);
        self.cfg = outer;
        out
    }

    /// Visits what belongs to the item of this name and body.
    pub(super) fn owned_by<R>(&mut self, name: Symbol, body: Span, visit: impl FnOnce(&mut Self) -> R) -> R {
        let outer = self.owner;
        self.index.owners.push(Owner { parent: outer, name, body });
        self.owner = (self.index.owners.len() - 1) as OwnerId;
        let out = visit(self);
        self.owner = outer;
        out
    }

    pub(super) fn enter(&mut self, Condition { text, is_test }: Condition) {
        self.index.cfgs.push(Cfg { parent: self.cfg, text, is_test });
        self.cfg = (self.index.cfgs.len() - 1) as CfgId;
    }

    /// Lowers in a frame of its own, whose node is given afterwards.
    pub(super) fn framed<R>(&mut self, kind: FrameKind, visit: impl FnOnce(&mut Self) -> R) -> (R, FrameId) {
        let frames = &mut self.index.bodies.frames;
        let parent = match kind {
            FrameKind::Function(_) => NONE,
            _ => self.frame,
        };
        frames.push(Frame { kind, parent, node: NONE });
        let frame = (frames.len() - 1) as FrameId;
        let outer = std::mem::replace(&mut self.frame, frame);
        let out = visit(self);
        self.frame = outer;
        (out, frame)
    }

    /// A body of its own: a function's, or the value of a constant.
    pub(super) fn body(&mut self, function: FunctionId, visit: impl FnOnce(&mut Self) -> ExprId) -> ExprId {
        let (root, frame) = self.framed(FrameKind::Function(function), visit);
        self.index.bodies.frames[frame as usize].node = root;
        root
    }

    pub(super) fn lookup(&self, name: Symbol) -> Option<LocalId> {
        for rib in self.ribs.iter().rev() {
            match rib {
                Rib::Locals(locals) => {
                    if let Some((_, local)) = locals.iter().rev().find(|(n, _)| *n == name) {
                        return Some(*local);
                    }
                }
                Rib::Function => return None,
                Rib::Items(scope) => {
                    let scope = &self.index.scopes[*scope as usize];
                    let hides = scope.is_module
                        || scope.definitions.iter().any(|d| d.in_values && d.name == name)
                        || scope.imports.iter().any(|i| i.name == Some(name));
                    if hides {
                        return None;
                    }
                }
            }
        }
        None
    }

    pub(super) fn bind(&mut self, name: Symbol, pattern: PatId) -> LocalId {
        let local = self.index.bodies.locals.len() as LocalId;
        self.index.bodies.locals.push(Local { name, pattern });
        if let Some(Rib::Locals(locals)) = self.ribs.last_mut() {
            locals.push((name, local));
        }
        local
    }

    /// The context that nodes get now.
    fn context(&mut self) -> u32 {
        let now = Context {
            scope: self.scope,
            cfg: self.cfg,
            owner: self.owner,
            frame: self.frame,
            statement_line: self.statement_line,
            quoted: self.quoted,
        };
        let contexts = &mut self.index.bodies.contexts;
        if contexts.last() != Some(&now) {
            contexts.push(now);
        }
        (contexts.len() - 1) as u32
    }

    /// Adds a node at the present place; its children learn of it.
    pub(super) fn push(&mut self, kind: Kind) -> ExprId {
        let context = self.context();
        let (line, column) = self.place;
        let bodies = &mut self.index.bodies;
        let id = bodies.nodes.len() as ExprId;
        bodies.nodes.push(Node { kind, parent: NONE, context, line, column });
        let adopt = |child: ExprId, nodes: &mut Vec<Node>| {
            if child != NONE {
                nodes[child as usize].parent = id;
            }
        };
        let (ones, list) = kind.children();
        for child in ones {
            adopt(child, &mut bodies.nodes);
        }
        for i in 0..list.len {
            let child = bodies.lists[(list.start + i) as usize];
            adopt(child, &mut bodies.nodes);
        }
        if let Some(pattern) = kind.pattern()
            && pattern != NONE
        {
            bodies.patterns[pattern as usize].origin = Origin::Node(id);
        }
        id
    }

    /// Adds a node that stands at this token.
    pub(super) fn push_at(&mut self, span: proc_macro2::Span, kind: Kind) -> ExprId {
        self.stand(span);
        self.push(kind)
    }

    pub(super) fn stand(&mut self, span: proc_macro2::Span) {
        let start = span.start();
        self.place = (start.line as u32, start.column as u32 + 1);
    }

    pub(super) fn list(&mut self, ids: &[u32]) -> List {
        let start = self.index.bodies.lists.len() as u32;
        self.index.bodies.lists.extend_from_slice(ids);
        List { start, len: ids.len() as u32 }
    }

    /// Records a path that names no local; the node is set by the caller.
    pub(super) fn use_path(&mut self, path: &[Symbol], span: Span) -> u32 {
        let context = self.context();
        let first = self.index.segments.len() as u32;
        self.index.segments.extend_from_slice(path);
        let len = u16::try_from(path.len()).unwrap_or(u16::MAX);
        self.index.uses.push(PathUse { first, len, context, node: NONE, span });
        (self.index.uses.len() - 1) as u32
    }

    /// A node for a path: a local, or a use.
    pub(super) fn path_node(&mut self, path: &[Symbol], span: Span) -> ExprId {
        self.place = (span.line, span.column);
        if let [name] = path
            && let Some(local) = self.lookup(*name)
        {
            return self.push(Kind::Local(local));
        }
        let use_id = self.use_path(path, span);
        let node = self.push(Kind::Path(use_id));
        self.index.uses[use_id as usize].node = node;
        node
    }

    /// The segments of a path as written.
    pub(super) fn segments(&mut self, path: &syn::Path) -> Option<(Vec<Symbol>, Span)> {
        let (first, last) = (path.segments.first()?, path.segments.last()?);
        let mut out = Vec::with_capacity(path.segments.len() + 1);
        if path.leading_colon.is_some() {
            out.push(kw::ROOT);
        }
        for segment in &path.segments {
            out.push(self.name(&segment.ident));
        }
        Some((out, span_of(&first.ident, &last.ident)))
    }
}
