//! How far a run can see: which files and items it looked at, so that what is
//! not there is told from what was not looked at.

use crate::baseline::file_name;
use crate::load::names::Interner;
use crate::load::source::canonical;
use crate::load::tree::Tree;
use crate::load::workspace::Workspace;
use crate::place::{Place, Relative};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The files and packages of a run.
pub(crate) struct Reach<'a> {
    tree: &'a Tree,
    names: &'a Interner,
    base: PathBuf,
    root: PathBuf,
    /// The root as it was given.
    asked: PathBuf,
    /// Linted files by their path from the base.
    files: BTreeMap<PathBuf, u32>,
    /// Real directories of linted packages.
    packages: BTreeSet<PathBuf>,
    /// Items of files, in the form that file names have.
    items: RefCell<BTreeMap<u32, BTreeSet<String>>>,
}

impl<'a> Reach<'a> {
    pub(crate) fn new(
        workspace: &Workspace,
        tree: &'a Tree,
        names: &'a Interner,
        linted: &BTreeSet<u32>,
        place: &Place,
    ) -> Reach<'a> {
        let relative = Relative::new(&place.base, &workspace.root);
        let reported = workspace.packages.iter().filter(|p| p.reported && !p.bare);
        Reach {
            tree,
            names,
            base: place.base.clone(),
            root: canonical(&workspace.root),
            asked: workspace.root.clone(),
            files: linted.iter().map(|&f| (relative.path(&tree.files[f as usize].path), f)).collect(),
            packages: reported.map(|p| canonical(&p.dir)).collect(),
            items: RefCell::default(),
        }
    }

    /// A file of the base, as reached from what was asked for if it can be.
    pub(crate) fn shown(&self, file: &Path) -> PathBuf {
        if self.root == self.base { self.asked.join(file) } else { self.base.join(file) }
    }

    /// Whether all below the base was asked for.
    pub(crate) fn is_whole(&self) -> bool {
        self.root == self.base && !self.packages.is_empty()
    }

    /// Whether a file has an item of this name.
    pub(crate) fn has(&self, file: &Path, item: &str) -> bool {
        let Some(&file) = self.files.get(file) else { return false };
        if item == file_name("") {
            return true; // outside of all items
        }
        let mut items = self.items.borrow_mut();
        let items = items.entry(file).or_insert_with(|| {
            let index = &self.tree.files[file as usize].index;
            let paths = (0..index.owners.len()).map(|owner| index.item_path(owner as u32));
            paths.map(|path| file_name(&self.names.path(&path))).collect()
        });
        items.contains(item)
    }

    /// Whether the run would have found what is in this file, be it there or
    /// not: it is linted, or would belong to a package that is.
    pub(crate) fn covers(&self, file: &Path) -> bool {
        if self.files.contains_key(file) {
            return true;
        }
        let full = self.base.join(file);
        let package = full.ancestors().skip(1).find(|dir| dir.join("Cargo.toml").is_file());
        package.is_some_and(|dir| self.packages.contains(dir) || (self.is_whole() && dir == self.root))
    }
}
