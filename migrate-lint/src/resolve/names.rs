//! Name resolution over the whole workspace.
//!
//! Follows rustc's order: bindings of the block, its items and imports, its
//! globs, then the enclosing scopes, then crates. An explicit name hides a
//! glob's. All candidates are kept where conditional compilation allows
//! several. Names that lead out of what was read end as [`Meaning::Outside`];
//! where the trail is lost they end as [`Meaning::Lost`] with the reason.
//!
//! Bounds: import cycles are cut, a glob's own path is not resolved through
//! other globs (that explodes), and each query has [`FUEL`] steps.

use super::externs;
use crate::load::index::{Definition, Import, Namespace};
use crate::load::names::{Interner, Symbol, kw};
use crate::load::signature::Defined;
use crate::load::source::canonical;
use crate::load::targets::TargetKind;
use crate::load::tree::{NodeId, Tree};
use crate::load::workspace::Workspace;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::rc::Rc;

const FUEL: u32 = 20_000;
const DEPTH: u32 = 256;

/// An item at one place of a module tree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Def {
    /// The node of its scope.
    pub node: NodeId,
    /// Which of the scope's definitions.
    pub index: u32,
}

/// What a path may stand for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Meaning {
    /// A module that was read.
    Module(NodeId),
    /// An item that was read.
    Item(Def),
    /// Something within an item: a variant, an associated function.
    Member(Def, Symbol),
    /// `Self`, or something within.
    OfSelf,
    /// A path into a crate that was not read.
    Outside(Vec<String>),
    /// The trail is lost, for this reason.
    Lost(Rc<str>),
}

/// All that a path may stand for; several under conditional compilation.
pub type Meanings = Vec<Meaning>;

pub(crate) struct Resolver<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) tree: &'a Tree,
    pub(super) names: &'a Interner,
    /// The library of each package, as an index into `tree.crates`.
    pub(super) libraries: HashMap<usize, usize>,
    /// Packages of the workspace, by the paths that dependencies name them by.
    pub(super) by_path: HashMap<&'a Path, usize>,
    /// Packages whose outline this tool carries, by the name of the crate.
    pub(super) known: HashMap<&'a str, usize>,
    /// The names that are in sight everywhere.
    prelude: Option<NodeId>,
    imports: HashMap<(NodeId, usize, Namespace), Meanings>,
    in_progress: HashSet<(NodeId, usize, Namespace)>,
    cycles: u32,
    fuel: u32,
    depth: u32,
}

/// One query's view: where it asks from, and whether globs count.
#[derive(Clone, Copy)]
struct Query {
    from: NodeId,
    globs: bool,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(workspace: &'a Workspace, tree: &'a Tree, names: &'a Interner) -> Self {
        let libraries = tree
            .crates
            .iter()
            .enumerate()
            .filter(|(_, c)| workspace.packages[c.package].targets[c.target].kind == TargetKind::Lib);
        let libraries: HashMap<usize, usize> = libraries.map(|(i, c)| (c.package, i)).collect();
        let known: HashMap<&str, usize> = workspace
            .packages
            .iter()
            .enumerate()
            .filter(|(_, p)| p.outline.is_some())
            .map(|(i, p)| (p.lib_name.as_str(), i))
            .collect();
        let prelude = known.get("std").and_then(|package| {
            let root = tree.crates[*libraries.get(package)?].root?;
            let name = names.intern("prelude");
            let modules = &tree.nodes[root as usize].modules;
            modules.iter().find(|(module, ..)| *module == name).map(|(.., node)| *node)
        });
        let dependencies = workspace.packages.iter().flat_map(|package| package.dependencies.values());
        let by_path = dependencies.filter_map(|dependency| {
            let path = dependency.path.as_deref()?;
            Some((path, *workspace.by_dir.get(&canonical(path))?))
        });
        Resolver {
            workspace,
            tree,
            names,
            libraries,
            by_path: by_path.collect(),
            known,
            prelude,
            imports: HashMap::new(),
            in_progress: HashSet::new(),
            cycles: 0,
            fuel: FUEL,
            depth: 0,
        }
    }

    /// Everything a path in expression position may stand for; empty if
    /// nothing of that name is in sight.
    pub(crate) fn resolve(&mut self, node: NodeId, path: &[Symbol]) -> Meanings {
        self.fuel = FUEL;
        self.path(node, path, Namespace::Value, true)
    }

    /// The same for a path in type position.
    pub(crate) fn resolve_type(&mut self, node: NodeId, path: &[Symbol]) -> Meanings {
        self.fuel = FUEL;
        self.path(node, path, Namespace::Type, true)
    }

    fn path(&mut self, node: NodeId, path: &[Symbol], ns: Namespace, globs: bool) -> Meanings {
        self.bounded(|x| x.path_within(node, path, ns, globs))
    }

    fn path_within(&mut self, node: NodeId, path: &[Symbol], ns: Namespace, globs: bool) -> Meanings {
        let query = Query { from: node, globs };
        let (mut found, mut rest) = match path {
            [] => return Vec::new(),
            [kw::ROOT, first, rest @ ..] => (self.extern_prelude(node, *first), rest),
            [kw::CRATE | kw::DOLLAR_CRATE, rest @ ..] => (self.crate_root(node), rest),
            [kw::SELF, rest @ ..] => (vec![Meaning::Module(self.module_of(node))], rest),
            [kw::SUPER, rest @ ..] => (self.parent_module(self.module_of(node)), rest),
            [kw::SELF_TYPE, ..] => return vec![Meaning::OfSelf],
            [kw::META, ..] => return vec![Meaning::Lost("its path is a macro variable".into())],
            [name] => (self.lexical(query, *name, ns), &[][..]),
            [name, rest @ ..] => (self.lexical(query, *name, Namespace::Type), rest),
        };
        while let [kw::SUPER, tail @ ..] = rest {
            found = found
                .into_iter()
                .flat_map(|meaning| match meaning {
                    Meaning::Module(m) => self.parent_module(m),
                    other => vec![other],
                })
                .collect();
            rest = tail;
        }
        while let [name, tail @ ..] = rest {
            let ns = if tail.is_empty() { ns } else { Namespace::Type };
            let mut next = Vec::new();
            for meaning in found {
                for meaning in self.member(query, meaning, *name, ns) {
                    push(&mut next, meaning);
                }
            }
            found = next;
            rest = tail;
        }
        found
    }

    fn member(&mut self, query: Query, of: Meaning, name: Symbol, ns: Namespace) -> Meanings {
        match of {
            Meaning::Module(module) => {
                let found = self.scope(query, module, name, ns, &mut HashSet::new());
                match self.known_path(module) {
                    // what is known of it is not all of it
                    Some(mut path) if found.is_empty() => {
                        path.push(self.names.text(name).to_string());
                        vec![Meaning::Outside(path)]
                    }
                    _ => found,
                }
            }
            Meaning::Outside(mut path) => {
                path.push(self.names.text(name).to_string());
                vec![Meaning::Outside(path)]
            }
            Meaning::Item(def) => vec![Meaning::Member(def, name)],
            other => vec![other],
        }
    }

    /// A name seen from inside its scopes.
    fn lexical(&mut self, query: Query, name: Symbol, ns: Namespace) -> Meanings {
        let mut node = query.from;
        let mut lost = Vec::new();
        loop {
            let found = self.scope(query, node, name, ns, &mut HashSet::new());
            if found.iter().any(|m| !matches!(m, Meaning::Lost(_))) {
                return found;
            }
            for meaning in found {
                push(&mut lost, meaning);
            }
            match self.tree.nodes[node as usize].parent {
                Some(parent) if !self.is_module(node) => node = parent,
                _ => break,
            }
        }
        if ns == Namespace::Type {
            let found = self.extern_prelude(query.from, name);
            if !found.is_empty() {
                return found;
            }
        }
        if let Some(prelude) = self.prelude {
            let found = self.scope(query, prelude, name, ns, &mut HashSet::new());
            if !found.is_empty() {
                return found;
            }
        }
        lost
    }

    /// A name in one scope: its own items, else its globs'.
    fn scope(
        &mut self,
        query: Query,
        node: NodeId,
        name: Symbol,
        ns: Namespace,
        seen: &mut HashSet<NodeId>,
    ) -> Meanings {
        if !seen.insert(node) {
            return Vec::new();
        }
        self.bounded(|x| x.scope_within(query, node, name, ns, seen))
    }

    /// Spends fuel and depth on one step.
    fn bounded(&mut self, step: impl FnOnce(&mut Self) -> Meanings) -> Meanings {
        if self.fuel == 0 || self.depth >= DEPTH {
            return vec![Meaning::Lost("too many imports lead to it".into())];
        }
        self.fuel -= 1;
        self.depth += 1;
        let found = step(self);
        self.depth -= 1;
        found
    }

    fn scope_within(
        &mut self,
        query: Query,
        node: NodeId,
        name: Symbol,
        ns: Namespace,
        seen: &mut HashSet<NodeId>,
    ) -> Meanings {
        let tree = self.tree;
        let mut found = Vec::new();
        let scope = tree.scope(node);
        let (definitions, imports) = scope.named(name);
        for index in definitions {
            let definition = &scope.definitions[index];
            if definition.is_in(ns) && self.is_visible(node, definition.visibility, query.from) {
                push(&mut found, Meaning::Item(Def { node, index: index as u32 }));
            }
        }
        if ns == Namespace::Type {
            for (module, visibility, child) in &tree.nodes[node as usize].modules {
                if *module == name && self.is_visible(node, *visibility, query.from) {
                    push(&mut found, Meaning::Module(*child));
                }
            }
        }
        for i in imports {
            let import = &scope.imports[i];
            if self.is_visible(node, import.visibility, query.from) {
                for meaning in self.import(node, i, import, ns) {
                    push(&mut found, meaning);
                }
            }
        }
        for &included in &tree.nodes[node as usize].included {
            for meaning in self.scope(query, included, name, ns, seen) {
                push(&mut found, meaning);
            }
        }
        if !found.is_empty() || !query.globs {
            return found;
        }
        for (i, import) in scope.imports.iter().enumerate() {
            if import.name.is_some() || !self.is_visible(node, import.visibility, query.from) {
                continue;
            }
            for target in self.import(node, i, import, Namespace::Type) {
                for meaning in self.through_glob(query, target, name, ns, seen) {
                    push(&mut found, meaning);
                }
            }
        }
        found
    }

    fn through_glob(
        &mut self,
        query: Query,
        target: Meaning,
        name: Symbol,
        ns: Namespace,
        seen: &mut HashSet<NodeId>,
    ) -> Meanings {
        match target {
            Meaning::Module(module) => self.scope(query, module, name, ns, seen),
            Meaning::Outside(mut path) => {
                let text = self.names.text(name);
                match externs::glob_has(&path, &text) {
                    Some(true) => {
                        path.push(text.to_string());
                        vec![Meaning::Outside(path)]
                    }
                    Some(false) => Vec::new(),
                    None => {
                        let reason = format!("it may come from `{}::*`, which was not read", path.join("::"));
                        vec![Meaning::Lost(reason.into())]
                    }
                }
            }
            // variants of an enum, or a path that leads nowhere
            Meaning::Item(def) => self.variant(def, name),
            Meaning::Member(..) | Meaning::OfSelf => Vec::new(),
            Meaning::Lost(reason) => vec![Meaning::Lost(reason)],
        }
    }

    /// A variant of an enum, by name.
    fn variant(&self, def: Def, name: Symbol) -> Meanings {
        match &self.definition(def).defined {
            Defined::Enum { variants, .. } if variants.iter().any(|(v, _)| *v == name) => {
                vec![Meaning::Member(def, name)]
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn definition(&self, def: Def) -> &'a Definition {
        &self.tree.scope(def.node).definitions[def.index as usize]
    }

    /// What an import stands for.
    fn import(&mut self, node: NodeId, i: usize, import: &Import, ns: Namespace) -> Meanings {
        let key = (node, i, ns);
        if let Some(known) = self.imports.get(&key) {
            return known.clone();
        }
        if !self.in_progress.insert(key) {
            self.cycles += 1;
            return Vec::new();
        }
        let before = self.cycles;
        let is_glob = import.name.is_none();
        let mut found = self.import_path(node, &import.path, ns, !is_glob);
        if found.is_empty() {
            // `use a::f` leaves the type namespace alone if `f` is a function
            let other = match ns {
                Namespace::Type => Namespace::Value,
                Namespace::Value => Namespace::Type,
            };
            if self.cycles == before && self.import_path(node, &import.path, other, !is_glob).is_empty() {
                let path = self.names.path(&import.path);
                found.push(Meaning::Lost(format!("the import `{path}` leads nowhere that was read").into()));
            }
        }
        self.in_progress.remove(&key);
        // what was found in the middle of a cycle may lack a part
        if self.cycles == before || self.in_progress.is_empty() {
            self.imports.insert(key, found.clone());
        }
        found
    }

    fn import_path(&mut self, node: NodeId, path: &[Symbol], ns: Namespace, globs: bool) -> Meanings {
        if !self.package_of(node).edition_2015
            || matches!(path, [kw::ROOT | kw::SELF | kw::SUPER | kw::CRATE | kw::DOLLAR_CRATE, ..])
        {
            return self.path(node, path, ns, globs);
        }
        // edition 2015: relative to the crate root
        match self.crate_root(node).as_slice() {
            [Meaning::Module(root)] => self.path(*root, path, ns, globs),
            _ => Vec::new(),
        }
    }
}

fn push(list: &mut Meanings, meaning: Meaning) {
    if !list.contains(&meaning) {
        list.push(meaning);
    }
}
