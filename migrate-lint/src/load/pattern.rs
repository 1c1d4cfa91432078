//! Patterns, and the variables they bind.
//!
//! Variables are bound in the innermost rib as they are met, which is after
//! everything that must not see them. The alternatives of an or-pattern bind
//! the same variables. A lone capitalised name is taken for a constant or a
//! unit variant, which by custom it is.

use super::body::{LocalId, NONE, Origin, PatId, Pattern, PatternKind};
use super::extract::{Extractor, Rib};
use super::names::Symbol;
use syn::{Member, Pat};

impl Extractor<'_, '_> {
    /// Lowers a pattern; whoever takes it sets its origin.
    pub(super) fn pattern(&mut self, pat: &Pat) -> PatId {
        let mark = match self.ribs.last() {
            Some(Rib::Locals(locals)) => locals.len(),
            _ => 0,
        };
        self.part(pat, mark)
    }

    pub(super) fn pattern_of(&mut self, kind: PatternKind) -> PatId {
        let id = self.index.bodies.patterns.len() as PatId;
        self.index.bodies.patterns.push(Pattern { kind, origin: Origin::Nothing });
        let parts: Vec<PatId> = match kind {
            PatternKind::Bind { inner, .. } | PatternKind::Field { inner, .. } => vec![inner],
            PatternKind::Ref(inner) | PatternKind::Typed { inner, .. } => vec![inner],
            PatternKind::Tuple { items, .. }
            | PatternKind::Variant { items, .. }
            | PatternKind::Struct { items, .. }
            | PatternKind::Or(items) => self.index.bodies.list(items).to_vec(),
            PatternKind::Wild | PatternKind::Rest | PatternKind::Other => Vec::new(),
        };
        for part in parts {
            if part != NONE {
                self.own(part, Origin::Part(id));
            }
        }
        id
    }

    pub(super) fn own(&mut self, pattern: PatId, origin: Origin) {
        self.index.bodies.patterns[pattern as usize].origin = origin;
    }

    fn parts<'p>(&mut self, pats: impl IntoIterator<Item = &'p Pat>, mark: usize) -> super::body::List {
        let ids: Vec<PatId> = pats.into_iter().map(|pat| self.part(pat, mark)).collect();
        self.list(&ids)
    }

    fn part(&mut self, pat: &Pat, mark: usize) -> PatId {
        let kind = match pat {
            Pat::Ident(pat) => {
                let text = pat.ident.to_string();
                let is_constant = pat.subpat.is_none()
                    && pat.by_ref.is_none()
                    && pat.mutability.is_none()
                    && text.starts_with(char::is_uppercase);
                if is_constant {
                    return self.pattern_of(PatternKind::Other);
                }
                let inner = match &pat.subpat {
                    Some((_, inner)) => self.part(inner, mark),
                    None => NONE,
                };
                let name = self.name(&pat.ident);
                let next = self.index.bodies.patterns.len() as PatId;
                let local = self.bound_since(mark, name).unwrap_or_else(|| self.bind(name, next));
                PatternKind::Bind { local, inner }
            }
            Pat::Wild(_) => PatternKind::Wild,
            Pat::Tuple(pat) => PatternKind::Tuple { items: self.parts(&pat.elems, mark), is_slice: false },
            Pat::Slice(pat) => PatternKind::Tuple { items: self.parts(&pat.elems, mark), is_slice: true },
            Pat::TupleStruct(pat) => {
                let path = self.pattern_path(&pat.path);
                PatternKind::Variant { path, items: self.parts(&pat.elems, mark) }
            }
            Pat::Struct(pat) => {
                let path = self.pattern_path(&pat.path);
                let mut items = Vec::with_capacity(pat.fields.len());
                for field in &pat.fields {
                    let name = match &field.member {
                        Member::Named(ident) => self.name(ident),
                        Member::Unnamed(index) => self.word(&index.index.to_string()),
                    };
                    let inner = self.part(&field.pat, mark);
                    items.push(self.pattern_of(PatternKind::Field { name, inner }));
                }
                PatternKind::Struct { path, items: self.list(&items) }
            }
            Pat::Or(pat) => PatternKind::Or(self.parts(&pat.cases, mark)),
            Pat::Reference(pat) => PatternKind::Ref(self.part(&pat.pat, mark)),
            Pat::Paren(pat) => return self.part(&pat.pat, mark),
            Pat::Guard(pat) => return self.part(&pat.pat, mark),
            Pat::Type(pat) => {
                let inner = self.part(&pat.pat, mark);
                PatternKind::Typed { inner, of: self.type_ref(&pat.ty) }
            }
            Pat::Rest(_) => PatternKind::Rest,
            _ => PatternKind::Other,
        };
        self.pattern_of(kind)
    }

    fn pattern_path(&mut self, path: &syn::Path) -> u32 {
        match self.segments(path) {
            Some((path, span)) => self.use_path(&path, span),
            None => NONE,
        }
    }

    fn bound_since(&self, mark: usize, name: Symbol) -> Option<LocalId> {
        match self.ribs.last() {
            Some(Rib::Locals(locals)) => {
                locals.get(mark..)?.iter().find(|(n, _)| *n == name).map(|(_, local)| *local)
            }
            _ => None,
        }
    }
}
