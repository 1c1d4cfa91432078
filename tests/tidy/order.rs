//! Modules within core: a file imports only from files above it in CONTRIBUTING.md's list.
//!
//! A name in parentheses in that list is known from there on, wherever it is defined.
//!
//! A name is followed through `pub use` to the file that defines it, so that a façade (`mod.rs`)
//! may stand below what it re-exports. A file may always import from its own children; test modules
//! may import what they like.

use std::collections::HashMap;

use crate::files::{self, File};
use crate::{Problem, lex, settle};

type Module = Vec<String>;

/// The list: what is in reading order, and what is known ahead of its place there.
struct Order {
    entries: Vec<Module>,
    ahead: Vec<Ahead>,
}

/// A name, with the module that defines it, is known from this entry on.
struct Ahead {
    from: usize,
    module: Module,
    name: String,
}

/// Names in reading order, with a comment after `#` on each line.
fn order(page: &str) -> Order {
    let mut lines = page.lines().skip_while(|line| *line != "```text order of core");
    assert!(lines.next().is_some(), "CONTRIBUTING.md has no block that opens with ```text order of core");
    let names = lines
        .take_while(|line| *line != "```")
        .flat_map(|line| line.split('#').next().unwrap_or("").split_whitespace());
    let split = |name: &str| name.split('/').map(str::to_owned).collect();
    let mut order = Order { entries: Vec::new(), ahead: Vec::new() };
    for name in names {
        match name.trim_matches(['(', ')']).split_once("::") {
            None => order.entries.push(split(name)),
            Some((module, name)) => {
                let from = order.entries.len();
                order.ahead.push(Ahead { from, module: split(module), name: name.to_owned() });
            }
        }
    }
    order
}

/// `a/b.rs` and `a/b/mod.rs` are the module `a/b`.
fn module(path: &str) -> Module {
    let path = path.trim_end_matches(".rs").trim_end_matches("/mod");
    if path == "lib" { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
}

impl Order {
    /// The entry that a module stands under: its own, or its nearest ancestor's.
    fn place(&self, module: &[String]) -> Option<usize> {
        let above = self.entries.iter().enumerate().filter(|(_, entry)| module.starts_with(entry));
        above.max_by_key(|(_, entry)| entry.len()).map(|(at, _)| at)
    }

    /// Whether what is defined in `module` is known at this entry.
    fn knows(&self, at: usize, module: &[String], name: Option<&String>) -> bool {
        let ahead = |known: &Ahead| known.from <= at && known.module == module && Some(&known.name) == name;
        self.place(module).is_some_and(|place| place <= at) || self.ahead.iter().any(ahead)
    }
}

struct Tree<'a> {
    /// Each module with its file.
    modules: HashMap<Module, &'a File>,
}

impl Tree<'_> {
    fn child(&self, module: &[String], name: &str) -> Option<Module> {
        let child: Module = module.iter().cloned().chain([name.to_owned()]).collect();
        self.modules.contains_key(&child).then_some(child)
    }

    /// The child that `module` re-exports `name` from.
    fn re_exported(&self, module: &[String], name: &str) -> Option<Module> {
        let children = self.modules.keys().filter(|m| m.len() == module.len() + 1 && m.starts_with(module));
        let children: Vec<&str> = children.filter_map(|m| m.last().map(String::as_str)).collect();
        let uses = lex::paths(&self.modules.get(module)?.code, &children);
        let found =
            uses.into_iter().find(|path| path.segments[1..].last().is_some_and(|last| last == name))?;
        self.child(module, &found.segments[0])
    }

    /// The module whose file defines what a path written in `from` names.
    fn defining(&self, from: &[String], path: &[String]) -> Module {
        let mut segments = path.iter().peekable();
        let mut at: Module = Vec::new();
        match segments.next().map(String::as_str) {
            Some("self") => at = from.to_vec(),
            Some("super") => {
                at = from[..from.len().saturating_sub(1)].to_vec();
                while segments.next_if(|segment| *segment == "super").is_some() {
                    at.pop();
                }
            }
            _ => {}
        }
        for segment in segments {
            match self.child(&at, segment).or_else(|| self.re_exported(&at, segment)) {
                Some(deeper) => at = deeper,
                None => break,
            }
        }
        at
    }
}

/// `files` have paths from core's `src`.
fn upward(order: &Order, files: &[File]) -> Vec<Problem> {
    let tree = Tree { modules: files.iter().map(|file| (module(&file.path), file)).collect() };
    let mut problems = Vec::new();
    for file in files.iter().filter(|file| file.tests_from() > 0) {
        let from = module(&file.path);
        let place_of = |path: &str| format!("core/src/{path}");
        // The crate's root re-exports everything, and defines nothing.
        if from.is_empty() {
            continue;
        }
        let Some(mine) = order.place(&from) else {
            let what = "is not in CONTRIBUTING.md's order of core: add it below what it imports";
            problems.push(Problem::new(place_of(&file.path), what));
            continue;
        };
        for path in lex::paths(&file.code, &["crate", "super", "self"]) {
            let target = tree.defining(&from, &path.segments);
            if path.line > file.tests_from() || target.starts_with(&from) {
                continue;
            }
            if !order.knows(mine, &target, path.segments.last()) {
                let what = format!(
                    "imports `{}`, which `{}` below it defines: move the name up into a file of its own, \
                     or this use of it down",
                    path.segments.join("::"),
                    if target.is_empty() { "lib".to_owned() } else { target.join("/") },
                );
                problems.push(Problem::at(&place_of(&file.path), path.line, what));
            }
        }
    }
    problems
}

fn core() -> Vec<File> {
    let inside = files::rust().filter_map(|file| Some((file.path.strip_prefix("core/src/")?, file)));
    inside.map(|(path, file)| File::new(path, file.text.clone())).collect()
}

/// Entries of the list without a file.
fn gone(order: &Order, files: &[File]) -> Vec<Problem> {
    let gone = order.entries.iter().filter(|entry| !files.iter().any(|file| module(&file.path) == **entry));
    gone.map(|entry| {
        Problem::new("CONTRIBUTING.md", format!("`{}` is in core's order, but is no file", entry.join("/")))
    })
    .collect()
}

#[test]
fn core_imports_from_above() {
    let (order, files) = (order(files::text("CONTRIBUTING.md")), core());
    let mut problems = upward(&order, &files);
    problems.extend(gone(&order, &files));
    settle("order", problems);
}

#[test]
fn an_upward_import_is_caught() {
    let order = order("```text order of core\nlow (high::Known) mid/inner # values\nmid high\n```\nother");
    let files = [
        File::new("lib.rs", "mod low; mod mid; mod high; pub use high::H;"),
        File::new(
            "low.rs",
            "use crate::mid::{Inner, Outer};\nuse crate::H;\nuse crate::high::Known;\n#[cfg(test)]\nmod tests {\nuse crate::H;\n}",
        ),
        File::new("mid/mod.rs", "mod inner; mod loose; pub use inner::Inner; struct Outer;"),
        File::new(
            "mid/inner.rs",
            "use super::super::low::L;\nuse super::Outer;\nuse crate::high::{Known, H};",
        ),
        File::new("mid/loose.rs", "use crate::mid::{Inner, Outer};"),
        File::new("high.rs", "use crate::mid::Outer; use crate::low;"),
        File::new("new.rs", ""),
    ];
    crate::objects(
        &upward(&order, &files),
        &[
            "core/src/low.rs:1: imports `crate::mid::Inner`, which `mid/inner`",
            "core/src/low.rs:1: imports `crate::mid::Outer`, which `mid`",
            "core/src/low.rs:2: imports `crate::H`, which `high`",
            "core/src/low.rs:3: imports `crate::high::Known`, which `high`",
            "core/src/mid/inner.rs:2: imports `super::Outer`, which `mid`",
            "core/src/mid/inner.rs:3: imports `crate::high::H`, which `high`",
            "core/src/new.rs: is not in",
        ],
    );
    crate::objects(&gone(&order, &files[..5]), &["`high`"]);
}
