//! From a file's text to its [`FileIndex`].
//!
//! Protocol: on entering a scope its items are collected (`collect.rs`), then
//! its expressions are visited in source order (`visit.rs`). `ribs` mirrors rustc's: a
//! local binding hides an item of the same name, an item of an inner block
//! hides an outer local, and a function's body sees no locals outside it. A
//! one-segment path that names a local is not recorded at all. Macro input is
//! handled in `tokens.rs`.

use super::cfg::{Condition, conditions, text_of};
use super::collect::{Opened, place_of, span_between, span_of};
use super::index::*;
use super::names::{Names, Symbol, kw};
use super::nesting;
use super::source::parser_text;
use proc_macro2::{Ident, TokenStream};
use syn::visit::Visit;
use syn::{Attribute, Expr, Stmt};

/// A file that is not Rust this parser knows.
#[derive(Debug)]
pub(super) struct SyntaxError {
    /// 1-based line, and column in characters.
    pub(super) place: (u32, u32),
    /// What the parser expected.
    pub(super) message: String,
}

/// Names around an expression, innermost last.
enum Rib {
    /// Bindings of patterns.
    Locals(Vec<Symbol>),
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
    pub(super) opened: Opened,
    /// Nesting of macro inputs read speculatively.
    pub(super) speculation: u32,
    /// Inside `quote!`.
    pub(super) quoted: bool,
    pub(super) statement_line: u32,
    ribs: Vec<Rib>,
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
    let tokens: TokenStream = match parser_text(text).parse() {
        Ok(tokens) => tokens,
        Err(e) => {
            let e: proc_macro2::LexError = e;
            let message = "not a token of Rust, or an unbalanced bracket or quote".into();
            return Err(at(e.span(), message));
        }
    };
    if !nesting::within_bound(&tokens) {
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
        opened: Opened::new(),
        speculation: 0,
        quoted: false,
        statement_line: 0,
        ribs: vec![Rib::Items(0)],
    };
    extractor.index.scopes.push(Scope {
        parent: None,
        is_module: true,
        directory: Vec::new(),
        definitions: Vec::new(),
        imports: Vec::new(),
        modules: Vec::new(),
    });
    extractor.under(&file.attrs, |x| {
        x.collect(file.items.iter(), 0);
        for item in &file.items {
            x.visit_item(item);
        }
    });
    Ok(extractor.index)
}

impl Extractor<'_, '_> {
    pub(super) fn name(&mut self, ident: &Ident) -> Symbol {
        self.names.intern(ident.to_string())
    }

    /// Opens a scope below the present one, without entering it.
    pub(super) fn open_scope(&mut self, is_module: bool, directory: Vec<String>) -> ScopeId {
        self.index.scopes.push(Scope {
            parent: Some(self.scope),
            is_module,
            directory,
            definitions: Vec::new(),
            imports: Vec::new(),
            modules: Vec::new(),
        });
        (self.index.scopes.len() - 1) as ScopeId
    }

    pub(super) fn within(&mut self, scope: ScopeId, visit: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.scope, scope);
        self.ribs.push(Rib::Items(scope));
        visit(self);
        self.ribs.pop();
        self.scope = outer;
    }

    pub(super) fn with_locals(&mut self, visit: impl FnOnce(&mut Self)) {
        self.ribs.push(Rib::Locals(Vec::new()));
        visit(self);
        self.ribs.pop();
    }

    /// Visits under the conditions among `attrs`.
    pub(super) fn under(&mut self, attrs: &[Attribute], visit: impl FnOnce(&mut Self)) {
        if attrs.is_empty() {
            return visit(self);
        }
        let outer = self.cfg;
        for condition in conditions(attrs) {
            self.enter(condition);
        }
        visit(self);
        self.cfg = outer;
    }

    /// Visits what belongs to the item of this name and body.
    pub(super) fn owned_by(&mut self, name: Symbol, body: Span, visit: impl FnOnce(&mut Self)) {
        let outer = self.owner;
        self.index.owners.push(Owner { parent: outer, name, body });
        self.owner = (self.index.owners.len() - 1) as OwnerId;
        visit(self);
        self.owner = outer;
    }

    pub(super) fn enter(&mut self, Condition { text, is_test }: Condition) {
        self.index.cfgs.push(Cfg { parent: self.cfg, text, is_test });
        self.cfg = (self.index.cfgs.len() - 1) as CfgId;
    }

    pub(super) fn bind(&mut self, name: Symbol) {
        if let Some(Rib::Locals(locals)) = self.ribs.last_mut() {
            locals.push(name);
        }
    }

    fn is_local(&self, name: Symbol) -> bool {
        for rib in self.ribs.iter().rev() {
            match rib {
                Rib::Locals(locals) if locals.contains(&name) => return true,
                Rib::Locals(_) => {}
                Rib::Function => return false,
                Rib::Items(scope) => {
                    let scope = &self.index.scopes[*scope as usize];
                    let hides = scope.is_module
                        || scope.definitions.iter().any(|d| d.in_values && d.name == name)
                        || scope.imports.iter().any(|i| i.name == Some(name));
                    if hides {
                        return false;
                    }
                }
            }
        }
        false
    }

    /// Records a path, unless it names a local.
    pub(super) fn record(&mut self, path: &[Symbol], span: Span, form: Form) {
        if let [name] = path
            && self.is_local(*name)
        {
            return;
        }
        let Ok(len) = u16::try_from(path.len()) else {
            return;
        };
        let first = self.index.segments.len() as u32;
        self.index.segments.extend_from_slice(path);
        self.index.uses.push(PathUse {
            scope: self.scope,
            first,
            len,
            quoted: self.quoted,
            form,
            cfg: self.cfg,
            owner: self.owner,
            statement_line: self.statement_line,
            span,
        });
    }

    pub(super) fn record_expression(&mut self, expr: &syn::ExprPath, form: Form) {
        // `<T as Trait>::f` is an associated function
        if expr.qself.is_some() {
            return;
        }
        let segments = &expr.path.segments;
        let (Some(first), Some(last)) = (segments.first(), segments.last()) else {
            return;
        };
        let mut path = Vec::with_capacity(segments.len() + 1);
        if expr.path.leading_colon.is_some() {
            path.push(kw::ROOT);
        }
        for segment in segments {
            path.push(self.name(&segment.ident));
        }
        self.record(&path, span_of(&first.ident, &last.ident), form);
    }

    pub(super) fn argument(&mut self, args: &syn::punctuated::Punctuated<Expr, syn::Token![,]>) -> Argument {
        match args.first() {
            Some(Expr::Async(block)) => Argument::AsyncBlock { moves: block.capture.is_some() },
            Some(Expr::Call(call)) => match &*call.func {
                Expr::Path(path) => match path.path.segments.last() {
                    Some(last) => Argument::CallOf(self.name(&last.ident)),
                    None => Argument::Other,
                },
                _ => Argument::Other,
            },
            _ => Argument::Other,
        }
    }

    /// Statements of a block: items first, then in order.
    pub(super) fn statements(&mut self, stmts: &[Stmt]) {
        let items = || {
            stmts.iter().filter_map(|s| match s {
                Stmt::Item(item) => Some(item),
                _ => None,
            })
        };
        let visit = |x: &mut Self| {
            x.with_locals(|x| {
                for stmt in stmts {
                    x.visit_stmt(stmt);
                }
            });
        };
        if items().next().is_none() {
            return visit(self);
        }
        let directory = self.index.scopes[self.scope as usize].directory.clone();
        let scope = self.open_scope(false, directory);
        self.collect(items(), scope);
        self.within(scope, visit);
    }

    pub(super) fn function(&mut self, sig: &syn::Signature, block: &syn::Block) {
        let name = self.name(&sig.ident);
        let braces = &block.brace_token.span;
        let body = span_between(braces.open(), braces.close());
        self.ribs.push(Rib::Function);
        self.owned_by(name, body, |x| {
            x.with_locals(|x| {
                for input in &sig.inputs {
                    if let syn::FnArg::Typed(input) = input {
                        x.visit_pat(&input.pat);
                    }
                }
                x.visit_block(block);
            });
        });
        self.ribs.pop();
    }

    pub(super) fn item_macro(&mut self, item: &syn::ItemMacro) {
        let branches = place_of(&item.mac).and_then(|place| self.opened.remove(&place));
        let Some(branches) = branches else {
            return self.macro_call(&item.mac);
        };
        for (condition, items) in branches {
            let outer = self.cfg;
            if let Some(tokens) = condition {
                let text = text_of(&tokens);
                let is_test = text == "test";
                self.enter(Condition { text, is_test });
            }
            for item in &items {
                self.visit_item(item);
            }
            self.cfg = outer;
        }
    }
}
