//! The walk over syntax trees: which names each expression sees, and under
//! which conditions it stands.
//!
//! Only what can run is visited; types, generics and attributes are not.
//! Bindings of a pattern reach exactly the code rustc lets them reach.

use super::extract::Extractor;
use super::index::{Form, Span};
use proc_macro2::Ident;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, Item, Stmt, Type};

impl<'ast> Visit<'ast> for Extractor<'_, '_> {
    fn visit_item(&mut self, item: &'ast Item) {
        self.under(item_attributes(item), |x| match item {
            Item::Const(i) => x.named(&i.ident, |x| visit::visit_item_const(x, i)),
            Item::Static(i) => x.named(&i.ident, |x| visit::visit_item_static(x, i)),
            Item::Trait(i) => x.named(&i.ident, |x| visit::visit_item_trait(x, i)),
            Item::Impl(i) => match type_name(&i.self_ty) {
                Some(name) => x.named(name, |x| visit::visit_item_impl(x, i)),
                None => visit::visit_item_impl(x, i),
            },
            Item::Fn(f) => x.function(&f.sig, &f.block),
            Item::Mod(module) => {
                let Some(scope) = x.open_module(module) else {
                    return;
                };
                let items = module.content.as_ref().map_or(&[][..], |(_, items)| items);
                x.collect(items.iter(), scope);
                x.within(scope, |x| {
                    x.named(&module.ident, |x| {
                        for item in items {
                            x.visit_item(item);
                        }
                    });
                });
            }
            Item::Use(_) | Item::ExternCrate(_) => {}
            Item::Macro(mac) => x.item_macro(mac),
            Item::Verbatim(tokens) => x.walk_tokens(tokens.clone()),
            _ => visit::visit_item(x, item),
        });
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        match item {
            syn::ImplItem::Fn(f) => self.under(&f.attrs, |x| x.function(&f.sig, &f.block)),
            syn::ImplItem::Verbatim(tokens) => self.walk_tokens(tokens.clone()),
            _ => visit::visit_impl_item(self, item),
        }
    }

    fn visit_trait_item(&mut self, item: &'ast syn::TraitItem) {
        match item {
            syn::TraitItem::Fn(f) => self.under(&f.attrs, |x| {
                if let Some(block) = &f.default {
                    x.function(&f.sig, block);
                }
            }),
            syn::TraitItem::Verbatim(tokens) => self.walk_tokens(tokens.clone()),
            _ => visit::visit_trait_item(self, item),
        }
    }

    fn visit_block(&mut self, block: &'ast syn::Block) {
        self.statements(&block.stmts);
    }

    fn visit_stmt(&mut self, stmt: &'ast Stmt) {
        let outer = self.statement_line;
        if let Some(ident_line) = first_line(stmt) {
            self.statement_line = ident_line;
        }
        match stmt {
            Stmt::Local(local) => self.under(&local.attrs, |x| {
                if let Some(init) = &local.init {
                    x.visit_expr(&init.expr);
                    if let Some((_, diverge)) = &init.diverge {
                        x.visit_expr(diverge);
                    }
                }
                x.visit_pat(&local.pat);
            }),
            Stmt::Macro(mac) => self.under(&mac.attrs, |x| x.macro_call(&mac.mac)),
            Stmt::Item(item) => self.visit_item(item),
            Stmt::Expr(expr, _) => self.visit_expr(expr),
        }
        self.statement_line = outer;
    }

    fn visit_expr(&mut self, expr: &'ast Expr) {
        self.under(super::attributes::of_expression(expr), |x| match expr {
            Expr::Path(path) => x.record_expression(path, Form::Value),
            Expr::Call(call) => {
                let mut callee = &*call.func;
                while let Expr::Paren(inner) = callee {
                    callee = &inner.expr;
                }
                if let Expr::Path(path) = callee {
                    let argument = x.argument(&call.args);
                    x.record_expression(path, Form::Call(argument));
                } else {
                    x.visit_expr(callee);
                }
                for arg in &call.args {
                    x.visit_expr(arg);
                }
            }
            Expr::Macro(mac) => x.macro_call(&mac.mac),
            Expr::Verbatim(tokens) => x.walk_tokens(tokens.clone()),
            Expr::If(e) => {
                x.with_locals(|x| {
                    x.visit_expr(&e.cond);
                    x.visit_block(&e.then_branch);
                });
                if let Some((_, otherwise)) = &e.else_branch {
                    x.visit_expr(otherwise);
                }
            }
            Expr::Let(e) => {
                x.visit_expr(&e.expr);
                x.visit_pat(&e.pat);
            }
            Expr::ForLoop(e) => {
                x.visit_expr(&e.expr);
                x.with_locals(|x| {
                    x.visit_pat(&e.pat);
                    x.visit_block(&e.body);
                });
            }
            Expr::While(_) | Expr::Closure(_) => x.with_locals(|x| visit::visit_expr(x, expr)),
            _ => visit::visit_expr(x, expr),
        });
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        self.under(&arm.attrs, |x| {
            x.with_locals(|x| {
                x.visit_pat(&arm.pat);
                x.visit_expr(&arm.body);
            });
        });
    }

    fn visit_field_value(&mut self, field: &'ast syn::FieldValue) {
        self.under(&field.attrs, |x| x.visit_expr(&field.expr));
    }

    fn visit_pat_ident(&mut self, pat: &'ast syn::PatIdent) {
        let name = self.name(&pat.ident);
        self.bind(name);
        visit::visit_pat_ident(self, pat);
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        self.macro_call(mac);
    }

    // nothing in these runs
    fn visit_type(&mut self, _: &'ast syn::Type) {}
    fn visit_generics(&mut self, _: &'ast syn::Generics) {}
    fn visit_attribute(&mut self, _: &'ast Attribute) {}
    fn visit_path(&mut self, _: &'ast syn::Path) {}
}

impl Extractor<'_, '_> {
    fn named(&mut self, ident: &Ident, visit: impl FnOnce(&mut Self)) {
        let name = self.name(ident);
        self.owned_by(name, Span::default(), visit);
    }
}

/// The name of the type an `impl` is for.
fn type_name(of: &Type) -> Option<&Ident> {
    match of {
        Type::Path(path) => path.path.segments.last().map(|s| &s.ident),
        Type::Reference(inner) => type_name(&inner.elem),
        Type::Paren(inner) => type_name(&inner.elem),
        Type::Group(inner) => type_name(&inner.elem),
        _ => None,
    }
}

fn item_attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(i) => &i.attrs,
        Item::Enum(i) => &i.attrs,
        Item::Fn(i) => &i.attrs,
        Item::Impl(i) => &i.attrs,
        Item::Macro(i) => &i.attrs,
        Item::Mod(i) => &i.attrs,
        Item::Static(i) => &i.attrs,
        Item::Trait(i) => &i.attrs,
        _ => &[],
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
