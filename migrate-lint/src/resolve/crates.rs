//! The frame around names: crates, their roots and dependencies, the modules
//! of nodes, and who may see what.

use super::externs;
use super::names::{Meaning, Meanings, Resolver};
use crate::load::index::Visibility;
use crate::load::known;
use crate::load::members::Package;
use crate::load::names::{Symbol, kw};
use crate::load::tree::{Crate, NodeId};

impl<'a> Resolver<'a> {
    pub(super) fn crate_of(&self, node: NodeId) -> &'a Crate {
        let instance = &self.tree.instances[self.tree.nodes[node as usize].instance as usize];
        &self.tree.crates[instance.krate as usize]
    }

    pub(crate) fn package_of(&self, node: NodeId) -> &'a Package {
        &self.workspace.packages[self.crate_of(node).package]
    }

    pub(super) fn crate_root(&self, node: NodeId) -> Meanings {
        self.crate_of(node).root.map(Meaning::Module).into_iter().collect()
    }

    pub(super) fn is_module(&self, node: NodeId) -> bool {
        let at = &self.tree.nodes[node as usize];
        let included = at.scope == 0 && self.tree.instances[at.instance as usize].is_included;
        self.tree.scope(node).is_module && !included
    }

    pub(crate) fn module_of(&self, mut node: NodeId) -> NodeId {
        while !self.is_module(node) {
            match self.tree.nodes[node as usize].parent {
                Some(parent) => node = parent,
                None => break,
            }
        }
        node
    }

    pub(super) fn parent_module(&self, module: NodeId) -> Meanings {
        let parent = self.tree.nodes[module as usize].parent;
        parent.map(|p| Meaning::Module(self.module_of(p))).into_iter().collect()
    }

    pub(super) fn is_visible(&self, node: NodeId, visibility: Visibility, from: NodeId) -> bool {
        let module = self.module_of(node);
        let limit = match visibility {
            Visibility::Public => return true,
            Visibility::Crate => {
                let krate =
                    |n: NodeId| self.tree.instances[self.tree.nodes[n as usize].instance as usize].krate;
                return krate(node) == krate(from);
            }
            Visibility::Private => module,
            Visibility::Super => match self.parent_module(module).as_slice() {
                [Meaning::Module(parent)] => *parent,
                _ => module,
            },
        };
        let mut at = Some(from);
        while let Some(node) = at {
            if node == limit {
                return true;
            }
            at = self.tree.nodes[node as usize].parent;
        }
        false
    }

    /// A name as the first segment of a path into another crate.
    pub(super) fn extern_prelude(&self, node: NodeId, name: Symbol) -> Meanings {
        let text = self.names.text(name);
        let package = self.package_of(node);
        let outside = |krate: &str| {
            let krate = externs::own_name(&krate.replace('-', "_"));
            let known = self.known.get(krate.as_str()).and_then(|package| self.library(*package));
            vec![known.map_or(Meaning::Outside(vec![krate]), Meaning::Module)]
        };
        if let Some(dependency) = package.dependencies.get(&*text) {
            let local = dependency
                .path
                .as_ref()
                .and_then(|path| self.by_path.get(path.as_path()))
                .filter(|_| dependency.package != "tokio")
                .and_then(|package| self.library(*package));
            return match local {
                Some(root) => vec![Meaning::Module(root)],
                None if dependency.renamed => outside(&dependency.package),
                None => outside(&text),
            };
        }
        // a path dependency whose library has a name of its own
        for dependency in package.dependencies.values() {
            if let Some(path) = &dependency.path
                && !dependency.renamed
                && let Some(&p) = self.by_path.get(path.as_path())
                && self.workspace.packages[p].lib_name == *text
                && let Some(root) = self.library(p)
            {
                return vec![Meaning::Module(root)];
            }
        }
        let own = self.crate_of(node).package;
        if *text != *"tokio"
            && package.lib_name == *text
            && let Some(root) = self.library(own)
        {
            return vec![Meaning::Module(root)];
        }
        let is_known = matches!(&*text, "std" | "core" | "alloc" | "proc_macro" | "test" | "tokio");
        if is_known || (package.bare && text.starts_with(|c: char| c.is_ascii_lowercase())) {
            return outside(&text);
        }
        // `extern crate x as y` at the root puts `y` into the prelude
        let root = self.crate_of(node).root;
        let renamed = root.and_then(|root| {
            let imports = &self.tree.scope(root).imports;
            let found = imports.iter().find(|i| i.name == Some(name) && i.path.first() == Some(&kw::ROOT))?;
            found.path.get(1).copied().filter(|source| *source != name)
        });
        match renamed {
            Some(source) => self.extern_prelude(node, source),
            None => Vec::new(),
        }
    }

    /// The path of a module of a crate that is known by its outline.
    pub(crate) fn known_path(&self, module: NodeId) -> Option<Vec<String>> {
        self.package_of(module).outline?;
        let mut path = vec![known::crate_of(&self.package_of(module).lib_name).to_string()];
        path.extend(self.module_path(module).iter().map(|name| self.names.text(*name).to_string()));
        Some(path)
    }

    /// The names of the modules from the crate's root to this one.
    pub(crate) fn module_path(&self, mut module: NodeId) -> Vec<Symbol> {
        let mut path = Vec::new();
        while let Some(parent) = self.tree.nodes[module as usize].parent {
            let modules = &self.tree.nodes[parent as usize].modules;
            path.extend(modules.iter().find(|(.., node)| *node == module).map(|(name, ..)| *name));
            module = parent;
        }
        path.reverse();
        path
    }

    pub(super) fn library(&self, package: usize) -> Option<NodeId> {
        let krate = self.libraries.get(&package)?;
        self.tree.crates[*krate].root
    }
}
