//! Items of a scope, visited in source order: their signatures, their bodies.
//!
//! Attributes are read for conditions only. What an item defines is told to
//! the definition of its name, which `collect.rs` has made: definitions of
//! one name are filled in the order in which they stand.

use super::body::{List, NONE, Origin, PatternKind};
use super::cfg::{Condition, text_of};
use super::collect::{place_of, span_between};
use super::extract::{Extractor, Rib};
use super::index::*;
use super::names::{Symbol, kw};
use super::signature::*;
use proc_macro2::Ident;
use syn::{Attribute, Block, Fields, FnArg, ImplItem, Item, ReturnType, TraitItem};

impl Extractor<'_, '_> {
    pub(super) fn item(&mut self, item: &Item) {
        self.under(attributes(item), |x| match item {
            Item::Fn(i) => {
                let outer = std::mem::take(&mut x.generics);
                let (of_impl, of_trait) = (std::mem::replace(&mut x.of_impl, NONE), x.of_trait.take());
                let function = x.function(&i.sig, Some(&i.block));
                x.fill(&i.sig.ident, Defined::Function(function));
                x.generics = outer;
                (x.of_impl, x.of_trait) = (of_impl, of_trait);
            }
            Item::Mod(i) => x.module(i),
            Item::Const(i) => x.constant(&i.ident, &i.ty, Some(&i.expr), true),
            Item::Static(i) => x.constant(&i.ident, &i.ty, Some(&i.expr), true),
            Item::Struct(i) => x.generic(&i.generics, |x, generics| {
                let fields = x.fields(&i.fields);
                x.fill(&i.ident, Defined::Struct { generics, fields });
            }),
            Item::Union(i) => x.generic(&i.generics, |x, generics| {
                let fields = x.fields(&Fields::Named(i.fields.clone()));
                x.fill(&i.ident, Defined::Struct { generics, fields });
            }),
            Item::Enum(i) => x.generic(&i.generics, |x, generics| {
                let mut variants = Vec::new();
                for variant in &i.variants {
                    let name = x.name(&variant.ident);
                    let fields = x.fields(&variant.fields);
                    variants.push((name, fields));
                    if let Some((_, value)) = &variant.discriminant {
                        x.owned(&i.ident, |x| x.constant_value(value));
                    }
                }
                x.fill(&i.ident, Defined::Enum { generics, variants });
            }),
            Item::Type(i) => x.generic(&i.generics, |x, generics| {
                let of = x.type_ref(&i.ty);
                x.fill(&i.ident, Defined::Alias { generics, of });
            }),
            Item::Trait(i) => x.owned(&i.ident, |x| x.trait_item(i)),
            Item::Impl(i) => match type_name(&i.self_ty) {
                Some(name) => x.owned(name, |x| x.impl_item(i)),
                None => x.impl_item(i),
            },
            Item::Macro(i) => x.item_macro(i),
            Item::Verbatim(tokens) => x.loose_tokens(tokens.clone()),
            _ => {}
        });
    }

    fn owned(&mut self, ident: &Ident, visit: impl FnOnce(&mut Self)) {
        let name = self.name(ident);
        self.owned_by(name, Span::default(), visit);
    }

    /// Says what a collected name defines.
    fn fill(&mut self, ident: &Ident, defined: Defined) {
        let name = self.name(ident);
        let scope = &mut self.index.scopes[self.scope as usize];
        let is_open = |d: &Definition| d.name == name && matches!(d.defined, Defined::Other);
        // in the order in which they were collected, it is the next one
        let (before, after) = scope.definitions.split_at(scope.filled);
        let ahead = after.iter().position(is_open).map(|i| before.len() + i);
        if let Some(i) = ahead.or_else(|| before.iter().position(is_open)) {
            scope.definitions[i].defined = defined;
            scope.filled = i + 1;
        }
    }

    fn module(&mut self, module: &syn::ItemMod) {
        let Some(scope) = self.open_module(module) else {
            return;
        };
        let items = module.content.as_ref().map_or(&[][..], |(_, items)| items);
        self.collect(items.iter(), scope);
        self.within(scope, |x| {
            x.owned(&module.ident, |x| {
                for item in items {
                    x.item(item);
                }
            });
        });
    }

    fn constant(&mut self, ident: &Ident, of: &syn::Type, value: Option<&syn::Expr>, fills: bool) {
        let of = self.type_ref(of);
        if fills {
            self.fill(ident, Defined::Value(of));
        }
        if let Some(value) = value {
            self.owned(ident, |x| x.constant_value(value));
        }
    }

    fn constant_value(&mut self, value: &syn::Expr) {
        self.ribs.push(Rib::Function);
        self.body(NONE, |x| x.expression(value));
        self.ribs.pop();
    }

    /// Visits with generic parameters in force.
    fn generic<R>(
        &mut self,
        generics: &syn::Generics,
        visit: impl FnOnce(&mut Self, Vec<Generic>) -> R,
    ) -> R {
        let before = self.generics.len();
        for parameter in generics.type_params() {
            let name = self.name(&parameter.ident);
            self.generics.push(name);
        }
        let lowered = self.bounds_of(generics);
        let out = visit(self, lowered);
        self.generics.truncate(before);
        out
    }

    fn bounds_of(&mut self, generics: &syn::Generics) -> Vec<Generic> {
        let mut found: Vec<(Symbol, Vec<TypeId>)> = Vec::new();
        for parameter in generics.type_params() {
            let name = self.name(&parameter.ident);
            let bounds = self.bounds(&parameter.bounds);
            found.push((name, bounds));
        }
        let clauses = generics.where_clause.iter().flat_map(|w| &w.predicates);
        for clause in clauses {
            if let syn::WherePredicate::Type(clause) = clause
                && let syn::Type::Path(path) = &clause.bounded_ty
                && let Some(ident) = path.path.get_ident()
            {
                let name = self.name(ident);
                let bounds = self.bounds(&clause.bounds);
                match found.iter_mut().find(|(n, _)| *n == name) {
                    Some((_, known)) => known.extend(bounds),
                    // one of an outer item, bounded further
                    None if self.generics.contains(&name) => found.push((name, bounds)),
                    None => {}
                }
            }
        }
        found.into_iter().map(|(name, bounds)| Generic { name, bounds: self.type_list(&bounds) }).collect()
    }

    fn fields(&mut self, fields: &Fields) -> Vec<Field> {
        let mut out = Vec::new();
        for (i, field) in fields.iter().enumerate() {
            let name = match &field.ident {
                Some(ident) => self.name(ident),
                None => self.word(&i.to_string()),
            };
            let of = self.type_ref(&field.ty);
            out.push(Field { name, of });
        }
        out
    }

    fn impl_item(&mut self, item: &syn::ItemImpl) {
        self.generic(&item.generics, |x, generics| {
            let self_type = x.type_ref(&item.self_ty);
            let of_trait = match &item.trait_ {
                Some((path, _)) => x.path_type(path),
                None => NONE,
            };
            let id = x.index.signatures.impls.len() as ImplId;
            let (scope, functions, types) = (x.scope, Vec::new(), Vec::new());
            x.index.signatures.impls.push(Impl { scope, generics, self_type, of_trait, functions, types });
            let outer = std::mem::replace(&mut x.of_impl, id);
            let outer_trait = x.of_trait.take();
            for inner in &item.items {
                match inner {
                    ImplItem::Fn(f) => x.under(&f.attrs, |x| {
                        let function = x.function(&f.sig, Some(&f.block));
                        x.index.signatures.impls[id as usize].functions.push(function);
                    }),
                    ImplItem::Const(c) => {
                        x.under(&c.attrs, |x| x.constant(&c.ident, &c.ty, Some(&c.expr), false));
                    }
                    ImplItem::Type(t) => {
                        let name = x.name(&t.ident);
                        let of = x.type_ref(&t.ty);
                        x.index.signatures.impls[id as usize].types.push((name, of));
                    }
                    ImplItem::Macro(m) => x.under(&m.attrs, |x| x.item_input(&m.mac)),
                    ImplItem::Verbatim(tokens) => x.loose_tokens(tokens.clone()),
                    _ => {}
                }
            }
            (x.of_impl, x.of_trait) = (outer, outer_trait);
        });
    }

    fn trait_item(&mut self, item: &syn::ItemTrait) {
        self.generic(&item.generics, |x, generics| {
            let name = x.name(&item.ident);
            let outer = std::mem::replace(&mut x.of_impl, NONE);
            let outer_trait = x.of_trait.replace((x.scope, name));
            let supertraits = x.bounds(&item.supertraits);
            let supertraits = x.type_list(&supertraits);
            let mut functions = Vec::new();
            for inner in &item.items {
                match inner {
                    TraitItem::Fn(f) => x.under(&f.attrs, |x| {
                        functions.push(x.function(&f.sig, f.default.as_ref()));
                    }),
                    TraitItem::Const(c) => x.under(&c.attrs, |x| {
                        let value = c.default.as_ref().map(|(_, value)| value);
                        x.constant(&c.ident, &c.ty, value, false);
                    }),
                    TraitItem::Macro(m) => x.under(&m.attrs, |x| x.item_input(&m.mac)),
                    TraitItem::Verbatim(tokens) => x.loose_tokens(tokens.clone()),
                    _ => {}
                }
            }
            (x.of_impl, x.of_trait) = (outer, outer_trait);
            x.fill(&item.ident, Defined::Trait { generics, functions, supertraits });
        });
    }

    /// A function with its body, if it has one.
    fn function(&mut self, sig: &syn::Signature, block: Option<&Block>) -> FunctionId {
        self.generic(&sig.generics, |x, generics| {
            let name = x.name(&sig.ident);
            let id = x.index.signatures.functions.len() as FunctionId;
            let output = match &sig.output {
                ReturnType::Default => NONE,
                ReturnType::Type(_, of) => x.type_ref(of),
            };
            x.index.signatures.functions.push(Function {
                name,
                scope: x.scope,
                is_async: sig.asyncness.is_some(),
                takes_self: sig.receiver().is_some(),
                borrows_self: sig
                    .receiver()
                    .is_some_and(|r| matches!(r.kind, syn::ReceiverKind::Reference(..))),
                generics,
                parameters: Vec::new(),
                self_pattern: NONE,
                output,
                of_impl: x.of_impl,
                of_trait: x.of_trait,
                body: NONE,
            });
            x.ribs.push(Rib::Function);
            let outer = std::mem::replace(&mut x.statement_line, 0);
            let body = x.with_locals(|x| {
                x.parameters(sig, id);
                match block {
                    Some(block) => {
                        let braces = &block.brace_token.span;
                        let span = span_between(braces.open(), braces.close());
                        x.owned_by(name, span, |x| x.body(id, |x| x.block(block)))
                    }
                    None => NONE,
                }
            });
            x.statement_line = outer;
            x.ribs.pop();
            x.index.signatures.functions[id as usize].body = body;
            id
        })
    }

    fn parameters(&mut self, sig: &syn::Signature, id: FunctionId) {
        let mut number = 0;
        for input in &sig.inputs {
            match input {
                FnArg::Receiver(_) => {
                    let pattern = self.pattern_of(PatternKind::Wild);
                    let local = self.bind(kw::SELF, pattern);
                    let inner = NONE;
                    self.index.bodies.patterns[pattern as usize].kind = PatternKind::Bind { local, inner };
                    self.own(pattern, Origin::Parameter(id, u32::MAX));
                    self.index.signatures.functions[id as usize].self_pattern = pattern;
                }
                FnArg::Typed(input) => {
                    let of = self.type_ref(&input.ty);
                    let pattern = self.pattern(&input.pat);
                    self.own(pattern, Origin::Parameter(id, number));
                    number += 1;
                    self.index.signatures.functions[id as usize].parameters.push((pattern, of));
                }
            }
        }
    }

    fn item_macro(&mut self, item: &syn::ItemMacro) {
        let branches = place_of(&item.mac).and_then(|place| self.opened.remove(&place));
        let Some(branches) = branches else {
            return self.item_input(&item.mac);
        };
        for (condition, items) in branches {
            let outer = self.cfg;
            if let Some(tokens) = condition {
                let text = text_of(&tokens);
                let is_test = text == "test";
                self.enter(Condition { text, is_test });
            }
            for item in &items {
                self.item(item);
            }
            self.cfg = outer;
        }
    }

    /// A macro call in the place of an item.
    fn item_input(&mut self, mac: &syn::Macro) {
        self.ribs.push(Rib::Function);
        self.body(NONE, |x| x.macro_call(mac));
        self.ribs.pop();
    }

    fn loose_tokens(&mut self, tokens: proc_macro2::TokenStream) {
        self.ribs.push(Rib::Function);
        self.body(NONE, |x| x.token_node(tokens));
        self.ribs.pop();
    }

    pub(super) fn type_list(&mut self, types: &[TypeId]) -> List {
        let start = self.index.signatures.lists.len() as u32;
        self.index.signatures.lists.extend_from_slice(types);
        List { start, len: types.len() as u32 }
    }
}

/// The name of the type an `impl` is for.
fn type_name(of: &syn::Type) -> Option<&Ident> {
    match of {
        syn::Type::Path(path) => path.path.segments.last().map(|s| &s.ident),
        syn::Type::Reference(inner) => type_name(&inner.elem),
        syn::Type::Paren(inner) => type_name(&inner.elem),
        syn::Type::Group(inner) => type_name(&inner.elem),
        _ => None,
    }
}

fn attributes(item: &Item) -> &[Attribute] {
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
