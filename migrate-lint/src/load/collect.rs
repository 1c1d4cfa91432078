//! Items of one scope: what they define, import, and which modules they open.
//!
//! Names of items are visible in their whole scope, before and after, so they
//! are collected before any expression of the scope is visited. Macro calls
//! in item position whose input reads as items (`cfg_rt! { mod x; }`) are
//! opened here, for such macros pass their items on; the opened items wait in
//! [`Opened`] for the visit.

use super::cfg::{PathAttributes, path_attributes};
use super::extract::Extractor;
use super::index::*;
use super::names::{Symbol, kw, plain};
use super::signature::Defined;
use proc_macro2::{Ident, TokenStream, TokenTree};
use std::collections::HashMap;
use syn::{Item, Macro, UseTree, Visibility as SynVisibility};

/// A branch of an item macro: its condition, if it states one, and its items.
pub(super) type Branch = (Option<TokenStream>, Vec<Item>);

/// Items of macro calls, by the place of the call.
pub(super) type Opened = HashMap<(usize, usize), Vec<Branch>>;

/// The key of a macro call in [`Opened`].
pub(super) fn place_of(mac: &Macro) -> Option<(usize, usize)> {
    let at = mac.path.segments.last()?.ident.span().start();
    Some((at.line, at.column))
}

/// Whether a macro is called by this name, whatever its path.
pub(super) fn is_named(mac: &Macro, name: &str) -> bool {
    mac.path.segments.last().is_some_and(|s| s.ident == name)
}

impl Extractor<'_, '_> {
    /// Collects the items of `scope`.
    pub(super) fn collect<'i>(&mut self, items: impl Iterator<Item = &'i Item>, scope: ScopeId) {
        for item in items {
            self.collect_item(item, scope);
        }
    }

    fn collect_item(&mut self, item: &Item, scope: ScopeId) {
        let (ident, vis, in_types, in_values) = match item {
            Item::Fn(i) => (&i.sig.ident, &i.vis, false, true),
            Item::Const(i) => (&i.ident, &i.vis, false, true),
            Item::Static(i) => (&i.ident, &i.vis, false, true),
            Item::Struct(i) => (&i.ident, &i.vis, true, true),
            Item::Enum(i) => (&i.ident, &i.vis, true, false),
            Item::Union(i) => (&i.ident, &i.vis, true, false),
            Item::Trait(i) => (&i.ident, &i.vis, true, false),
            Item::TraitAlias(i) => (&i.ident, &i.vis, true, false),
            Item::Type(i) => (&i.ident, &i.vis, true, false),
            Item::Use(i) => {
                let mut prefix = Vec::new();
                if i.leading_colon.is_some() {
                    prefix.push(kw::ROOT);
                }
                let vis = visibility(&i.vis);
                self.collect_use(&i.tree, &mut prefix, vis, scope);
                return;
            }
            Item::ExternCrate(i) => {
                let source = self.name(&i.ident);
                let name = match &i.rename {
                    Some((_, rename)) => self.name(rename),
                    None => source,
                };
                // `extern crate self as x` is the crate itself
                let path = if source == kw::SELF { vec![kw::CRATE] } else { vec![kw::ROOT, source] };
                self.index.scopes[scope as usize].imports.push(Import {
                    name: Some(name),
                    path,
                    visibility: visibility(&i.vis),
                });
                return;
            }
            Item::ForeignMod(block) => {
                for inner in &block.items {
                    if let syn::ForeignItem::Fn(f) = inner {
                        self.define(&f.sig.ident, &f.vis, false, true, scope);
                    }
                }
                return;
            }
            Item::Macro(i) => return self.collect_macro(&i.mac, i.ident.is_some(), scope),
            _ => return,
        };
        self.define(ident, vis, in_types, in_values, scope);
    }

    fn define(
        &mut self,
        ident: &Ident,
        vis: &SynVisibility,
        in_types: bool,
        in_values: bool,
        scope: ScopeId,
    ) {
        let name = self.name(ident);
        self.index.scopes[scope as usize].definitions.push(Definition {
            name,
            in_types,
            in_values,
            visibility: visibility(vis),
            defined: Defined::Other,
        });
    }

    /// Flattens a `use` tree into imports.
    pub(super) fn collect_use(
        &mut self,
        tree: &UseTree,
        prefix: &mut Vec<Symbol>,
        visibility: Visibility,
        scope: ScopeId,
    ) {
        let (ident, rename) = match tree {
            UseTree::Path(path) => {
                prefix.push(self.name(&path.ident));
                self.collect_use(&path.tree, prefix, visibility, scope);
                prefix.pop();
                return;
            }
            UseTree::Group(group) => {
                for inner in &group.items {
                    self.collect_use(inner, prefix, visibility, scope);
                }
                return;
            }
            UseTree::Glob(_) => {
                self.index.scopes[scope as usize].imports.push(Import {
                    name: None,
                    path: prefix.clone(),
                    visibility,
                });
                return;
            }
            UseTree::Name(leaf) => (&leaf.ident, None),
            UseTree::Rename(leaf) => (&leaf.ident, Some(&leaf.rename)),
        };
        let mut path = prefix.clone();
        let leaf = self.name(ident);
        // `a::{self}` is `a`
        if leaf != kw::SELF || path.is_empty() {
            path.push(leaf);
        }
        let name = match rename {
            // `as _` as well: no path names it, but its methods are in sight
            Some(rename) => self.name(rename),
            None => path.last().copied().unwrap_or(leaf),
        };
        self.index.scopes[scope as usize].imports.push(Import { name: Some(name), path, visibility });
    }

    fn collect_macro(&mut self, mac: &Macro, defines: bool, scope: ScopeId) {
        if defines || is_named(mac, "macro_rules") || is_named(mac, "include") {
            return;
        }
        let Some(place) = place_of(mac) else { return };
        let branches = if is_named(mac, "cfg_if") {
            cfg_if_branches(&mac.tokens)
        } else {
            items_of(mac.tokens.clone()).map(|items| vec![(None, items)])
        };
        let Some(branches) = branches else { return };
        for (_, items) in &branches {
            self.collect(items.iter(), scope);
        }
        self.opened.insert(place, branches);
    }

    /// Records a `mod`, opening a scope for an inline one. Called on visit,
    /// when the conditions around it are known; returns the new scope.
    pub(super) fn open_module(&mut self, item: &syn::ItemMod) -> Option<ScopeId> {
        let name = self.name(&item.ident);
        let found = path_attributes(&item.attrs);
        let body = if item.content.is_some() {
            let id = self.open_scope(true);
            let scope = &mut self.index.scopes[id as usize];
            match found.paths.into_iter().next() {
                Some(path) => {
                    scope.beside |= scope.directory.is_empty();
                    scope.directory.push(path);
                }
                None => scope.directory.push(plain(&item.ident.to_string()).to_string()),
            }
            ModuleBody::Inline(id)
        } else {
            let PathAttributes { paths, unconditional } = found;
            ModuleBody::File { paths, conventional: !unconditional }
        };
        let inline = match body {
            ModuleBody::Inline(scope) => Some(scope),
            ModuleBody::File { .. } => None,
        };
        let (cfg, span) = (self.cfg, span_of(&item.ident, &item.ident));
        self.index.scopes[self.scope as usize].modules.push(ModuleItem {
            name,
            visibility: visibility(&item.vis),
            body,
            cfg,
            span,
        });
        inline
    }
}

fn visibility(vis: &SynVisibility) -> Visibility {
    match vis {
        SynVisibility::Public(_) => Visibility::Public,
        SynVisibility::Inherited => Visibility::Private,
        SynVisibility::Restricted(r) if r.path.is_ident("self") => Visibility::Private,
        SynVisibility::Restricted(r) if r.path.is_ident("super") => Visibility::Super,
        SynVisibility::Restricted(_) => Visibility::Crate,
    }
}

/// The span from one identifier to another.
pub(super) fn span_of(first: &Ident, last: &Ident) -> Span {
    span_between(first.span(), last.span())
}

/// The span from the start of one token to the end of another.
pub(super) fn span_between(first: proc_macro2::Span, last: proc_macro2::Span) -> Span {
    let (start, end) = (first.start(), last.end());
    Span {
        line: start.line as u32,
        column: start.column as u32 + 1,
        end_line: end.line as u32,
        end_column: end.column as u32 + 1,
    }
}

/// Macro input read as items, if it is any.
fn items_of(tokens: TokenStream) -> Option<Vec<Item>> {
    let file: syn::File = syn::parse2(tokens).ok()?;
    let real = |item: &Item| !matches!(item, Item::Verbatim(_));
    (!file.items.is_empty() && file.items.iter().all(real)).then_some(file.items)
}

/// The branches of `if #[cfg(..)] { .. } else if #[cfg(..)] { .. } else { .. }`.
fn cfg_if_branches(tokens: &TokenStream) -> Option<Vec<Branch>> {
    let mut branches = Vec::new();
    let mut condition = None;
    for tree in tokens.clone() {
        match tree {
            TokenTree::Group(g) if g.delimiter() == proc_macro2::Delimiter::Bracket => {
                let inner: Vec<_> = g.stream().into_iter().collect();
                if let [TokenTree::Ident(_), TokenTree::Group(list)] = inner.as_slice() {
                    condition = Some(list.stream());
                }
            }
            TokenTree::Group(g) if g.delimiter() == proc_macro2::Delimiter::Brace => {
                let file: syn::File = syn::parse2(g.stream()).ok()?;
                branches.push((condition.take(), file.items));
            }
            _ => {}
        }
    }
    Some(branches)
}
