//! Expressions and statements, lowered to [`Kind`]s in the order in which
//! they run.

use super::body::{ExprId, FrameKind, Kind, List, NONE, Origin};
use super::extract::Extractor;
use super::names::{Symbol, kw};
use proc_macro2::Span;
use syn::{Block, Expr, Lit, Member, Stmt, UnOp};

impl Extractor<'_, '_> {
    pub(super) fn expression(&mut self, expr: &Expr) -> ExprId {
        self.under(super::attributes::of_expression(expr), |x| x.bare(expr))
    }

    fn optional(&mut self, expr: Option<&Expr>) -> ExprId {
        expr.map_or(NONE, |expr| self.expression(expr))
    }

    fn expressions<'e>(&mut self, list: impl IntoIterator<Item = &'e Expr>) -> List {
        let ids: Vec<ExprId> = list.into_iter().map(|expr| self.expression(expr)).collect();
        self.list(&ids)
    }

    fn member(&mut self, member: &Member) -> (Symbol, Span) {
        match member {
            Member::Named(ident) => (self.name(ident), ident.span()),
            Member::Unnamed(index) => (self.word(&index.index.to_string()), index.span),
        }
    }

    fn label(&mut self, label: Option<&syn::Lifetime>) -> Symbol {
        label.map_or(kw::ROOT, |label| self.name(&label.ident))
    }

    fn bare(&mut self, expr: &Expr) -> ExprId {
        match expr {
            Expr::Path(e) => self.path(e),
            Expr::Paren(e) => self.expression(&e.expr),
            Expr::Group(e) => self.expression(&e.expr),
            Expr::Call(e) => {
                let callee = self.expression(&e.func);
                let place = self.place;
                let args = self.expressions(&e.args);
                self.place = place;
                self.push(Kind::Call { callee, args })
            }
            Expr::MethodCall(e) => {
                let receiver = self.expression(&e.receiver);
                let name = self.name(&e.method);
                let args = self.expressions(&e.args);
                self.push_at(e.method.span(), Kind::Method { receiver, name, args })
            }
            Expr::Field(e) => {
                let base = self.expression(&e.base);
                let (name, span) = self.member(&e.member);
                self.push_at(span, Kind::Field { base, name })
            }
            Expr::Await(e) => {
                let base = self.expression(&e.base);
                self.push_at(e.await_token.span, Kind::Await(base))
            }
            Expr::Try(e) => {
                let base = self.expression(&e.expr);
                self.push_at(e.question_token.span, Kind::Try(base))
            }
            Expr::Reference(e) => {
                let base = self.expression(&e.expr);
                self.push_at(e.and_token.span, Kind::Ref(base))
            }
            Expr::RawAddr(e) => {
                let base = self.expression(&e.expr);
                self.push_at(e.and_token.span, Kind::Ref(base))
            }
            Expr::Unary(e) => {
                let base = self.expression(&e.expr);
                match e.op {
                    UnOp::Deref(token) => self.push_at(token.span, Kind::Deref(base)),
                    _ => {
                        let list = self.list(&[base]);
                        self.push(Kind::Other(list))
                    }
                }
            }
            Expr::Assign(e) => {
                // the value is evaluated first
                let value = self.expression(&e.right);
                let place = match &*e.left {
                    Expr::Infer(_) => self.push_at(e.eq_token.span, Kind::Discard),
                    left => self.expression(left),
                };
                self.push_at(e.eq_token.span, Kind::Assign { place, value })
            }
            Expr::Block(e) => self.labelled_block(&e.block, e.label.as_ref().map(|l| &l.name)),
            Expr::Unsafe(e) => self.block(&e.block),
            Expr::Const(e) => self.block(&e.block),
            Expr::TryBlock(e) => self.block(&e.block),
            Expr::Async(e) => {
                let (body, frame) = self.framed(FrameKind::Async, |x| x.block(&e.block));
                let moves = e.capture.is_some();
                let node = self.push_at(e.async_token.span, Kind::Async { body, moves });
                self.index.bodies.frames[frame as usize].node = node;
                node
            }
            Expr::Closure(e) => self.closure(e),
            Expr::If(e) => {
                let (condition, then) = self.with_locals(|x| {
                    let condition = x.expression(&e.cond);
                    (condition, x.block(&e.then_branch))
                });
                let otherwise = self.optional(e.else_branch.as_ref().map(|(_, e)| &**e));
                self.push_at(e.if_token.span, Kind::If { condition, then, otherwise })
            }
            Expr::Let(e) => {
                let value = self.expression(&e.expr);
                let pattern = self.pattern(&e.pat);
                self.push_at(e.let_token.span, Kind::Condition { pattern, value })
            }
            Expr::Match(e) => {
                let value = self.expression(&e.expr);
                let mut arms = Vec::with_capacity(e.arms.len());
                for arm in &e.arms {
                    arms.push(self.under(&arm.attrs, |x| x.with_locals(|x| x.arm(arm))));
                }
                let arms = self.list(&arms);
                self.push_at(e.match_token.span, Kind::Match { value, arms })
            }
            Expr::Loop(e) => {
                let body = self.block(&e.body);
                let label = self.label(e.label.as_ref().map(|l| &l.name));
                self.push_at(e.loop_token.span, Kind::Loop { condition: NONE, body, label })
            }
            Expr::While(e) => {
                let (condition, body) = self.with_locals(|x| {
                    let condition = x.expression(&e.cond);
                    (condition, x.block(&e.body))
                });
                let label = self.label(e.label.as_ref().map(|l| &l.name));
                self.push_at(e.while_token.span, Kind::Loop { condition, body, label })
            }
            Expr::ForLoop(e) => {
                let iterator = self.expression(&e.expr);
                let (pattern, body) = self.with_locals(|x| {
                    let pattern = x.pattern(&e.pat);
                    (pattern, x.block(&e.body))
                });
                let label = self.label(e.label.as_ref().map(|l| &l.name));
                self.push_at(e.for_token.span, Kind::For { pattern, iterator, body, label })
            }
            Expr::Break(e) => {
                let value = self.optional(e.expr.as_deref());
                let label = self.label(e.label.as_ref());
                self.push_at(e.break_token.span, Kind::Break { value, label })
            }
            Expr::Continue(e) => {
                let label = self.label(e.label.as_ref());
                self.push_at(e.continue_token.span, Kind::Continue(label))
            }
            Expr::Return(e) => {
                let value = self.optional(e.expr.as_deref());
                self.push_at(e.return_token.span, Kind::Return(value))
            }
            Expr::Struct(e) => self.structure(e),
            Expr::Tuple(e) => {
                let items = self.expressions(&e.elems);
                self.push(Kind::Tuple(items))
            }
            Expr::Array(e) => {
                let items = self.expressions(&e.elems);
                self.push(Kind::Array(items))
            }
            Expr::Repeat(e) => {
                let items = self.expressions([&*e.expr, &*e.len]);
                self.push(Kind::Array(items))
            }
            Expr::Index(e) => {
                let base = self.expression(&e.expr);
                let index = self.expression(&e.index);
                self.push(Kind::Index { base, index })
            }
            Expr::Lit(e) => {
                let is_true = matches!(&e.lit, Lit::Bool(b) if b.value);
                self.push_at(e.lit.span(), if is_true { Kind::True } else { Kind::Literal })
            }
            Expr::Cast(e) => {
                let base = self.expression(&e.expr);
                let to = self.type_ref(&e.ty);
                self.push(Kind::Cast { base, to })
            }
            Expr::Binary(e) => {
                let sides = self.expressions([&*e.left, &*e.right]);
                self.push(Kind::Other(sides))
            }
            Expr::Range(e) => {
                let ends = self.expressions([&e.start, &e.end].into_iter().flatten().map(|e| &**e));
                self.push(Kind::Other(ends))
            }
            Expr::Yield(e) => {
                let value = self.expressions(e.expr.as_deref());
                self.push(Kind::Other(value))
            }
            Expr::Macro(e) => self.macro_call(&e.mac),
            Expr::Verbatim(tokens) => self.token_node(tokens.clone()),
            _ => self.push(Kind::Other(List::default())),
        }
    }

    fn path(&mut self, e: &syn::ExprPath) -> ExprId {
        // `<T as Trait>::f` is an associated function
        match self.segments(&e.path) {
            Some((path, span)) if e.qself.is_none() => self.path_node(&path, span),
            _ => self.push(Kind::Other(List::default())),
        }
    }

    fn closure(&mut self, e: &syn::ExprClosure) -> ExprId {
        let is_async = e.asyncness.is_some();
        let ((patterns, body), frame) = self.framed(FrameKind::Closure { is_async }, |x| {
            x.with_locals(|x| {
                let patterns: Vec<u32> = e.inputs.iter().map(|pat| x.pattern(pat)).collect();
                (patterns, x.expression(&e.body))
            })
        });
        let list = self.list(&patterns);
        let node = self.push_at(e.inputs_begin.span, Kind::Closure { patterns: list, body });
        for (i, pattern) in patterns.into_iter().enumerate() {
            self.own(pattern, Origin::Closure(node, i as u32));
        }
        self.index.bodies.frames[frame as usize].node = node;
        node
    }

    fn arm(&mut self, arm: &syn::Arm) -> ExprId {
        let (pat, guard) = match &arm.pat {
            syn::Pat::Guard(guarded) => (&*guarded.pat, Some(&*guarded.guard)),
            pat => (pat, None),
        };
        let pattern = self.pattern(pat);
        let guard = self.optional(guard);
        let value = self.expression(&arm.body);
        self.push_at(arm.fat_arrow_token.spans[0], Kind::Arm { pattern, guard, value })
    }

    fn structure(&mut self, e: &syn::ExprStruct) -> ExprId {
        let path = match self.segments(&e.path) {
            Some((path, span)) if e.qself.is_none() => self.use_path(&path, span),
            _ => NONE,
        };
        let mut fields = Vec::with_capacity(e.fields.len());
        for field in &e.fields {
            fields.push(self.under(&field.attrs, |x| {
                let (name, span) = x.member(&field.member);
                let value = x.expression(&field.expr);
                x.push_at(span, Kind::FieldValue { name, value })
            }));
        }
        let rest = self.optional(e.rest.as_deref());
        let fields = self.list(&fields);
        self.push(Kind::Struct { path, fields, rest })
    }

    pub(super) fn block(&mut self, block: &Block) -> ExprId {
        self.labelled_block(block, None)
    }

    fn labelled_block(&mut self, block: &Block, label: Option<&syn::Lifetime>) -> ExprId {
        let label = self.label(label);
        self.statements(&block.stmts, label)
    }

    /// Statements of a block: items first, then in order.
    pub(super) fn statements(&mut self, stmts: &[Stmt], label: Symbol) -> ExprId {
        let items = || {
            stmts.iter().filter_map(|s| match s {
                Stmt::Item(item) => Some(item),
                _ => None,
            })
        };
        let visit = |x: &mut Self| {
            x.with_locals(|x| {
                let mut ids = Vec::with_capacity(stmts.len());
                let mut has_value = false;
                for stmt in stmts {
                    let (id, is_value) = x.statement(stmt);
                    if id != NONE {
                        ids.push(id);
                        has_value = is_value;
                    }
                }
                let statements = x.list(&ids);
                x.push(Kind::Block { statements, has_value, label })
            })
        };
        if items().next().is_none() {
            return visit(self);
        }
        let scope = self.open_scope(false);
        self.collect(items(), scope);
        self.within(scope, visit)
    }

    /// A statement, and whether it is the value of the block if it is last.
    fn statement(&mut self, stmt: &Stmt) -> (ExprId, bool) {
        let outer = self.statement_line;
        if let Some(line) = first_line(stmt) {
            self.statement_line = line;
        }
        let out = match stmt {
            Stmt::Local(local) => {
                let node = self.under(&local.attrs, |x| {
                    let (value, otherwise) = match &local.init {
                        Some(init) => {
                            let value = x.expression(&init.expr);
                            (value, x.optional(init.diverge.as_ref().map(|(_, e)| &**e)))
                        }
                        None => (NONE, NONE),
                    };
                    let pattern = x.pattern(&local.pat);
                    x.push_at(local.let_token.span, Kind::Let { pattern, value, otherwise })
                });
                (node, false)
            }
            Stmt::Macro(mac) => {
                let node = self.under(&mac.attrs, |x| x.macro_call(&mac.mac));
                match mac.semi_token {
                    Some(_) => (self.push(Kind::Semi(node)), false),
                    None => (node, true),
                }
            }
            Stmt::Item(item) => {
                self.item(item);
                (NONE, false)
            }
            Stmt::Expr(expr, semi) => {
                let node = self.expression(expr);
                match semi {
                    Some(_) => (self.push(Kind::Semi(node)), false),
                    None => (node, true),
                }
            }
        };
        self.statement_line = outer;
        out
    }
}

/// The line a statement starts on, where its form tells.
fn first_line(stmt: &Stmt) -> Option<u32> {
    let span = match stmt {
        Stmt::Local(local) => local.let_token.span,
        Stmt::Macro(mac) => mac.mac.path.segments.first()?.ident.span(),
        Stmt::Item(_) => return None,
        Stmt::Expr(expr, _) => {
            let mut expr = expr;
            loop {
                expr = match expr {
                    Expr::MethodCall(e) => &e.receiver,
                    Expr::Call(e) => &e.func,
                    Expr::Await(e) => &e.base,
                    Expr::Try(e) => &e.expr,
                    Expr::Field(e) => &e.base,
                    Expr::Assign(e) => &e.left,
                    Expr::Binary(e) => &e.left,
                    Expr::Path(e) => break e.path.segments.first()?.ident.span(),
                    Expr::Macro(e) => break e.mac.path.segments.first()?.ident.span(),
                    Expr::Return(e) => break e.return_token.span,
                    _ => return None,
                }
            }
        }
    };
    Some(span.start().line as u32)
}
