//! Crates: who may depend on whom, who may write `unsafe`, and why each dependency is there.
//!
//! The ranks are read from the table in CONTRIBUTING.md, where people read them.

use toml::{Table, Value};

use crate::files::{self, File};
use crate::{Problem, lex, settle};

/// One row of the layer table.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) name: String,
    /// The folder; empty for the root package.
    pub(crate) folder: String,
    pub(crate) rank: u32,
    pub(crate) may_unsafe: bool,
}

/// The rows under `| crate | folder | rank | unsafe | ...`.
pub(crate) fn layers(page: &str) -> Vec<Layer> {
    let mut rows = page.lines().skip_while(|line| !line.starts_with("| crate | folder | rank | unsafe |"));
    assert!(rows.next().is_some(), "CONTRIBUTING.md has no table `| crate | folder | rank | unsafe | ..`");
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let layer = |rank, may_unsafe| Layer {
            name: cells[1].to_owned(),
            folder: cells[2].trim_matches(['.', '/']).to_owned(),
            rank,
            may_unsafe,
        };
        match (cells[3].parse(), cells[4]) {
            (Ok(rank), "yes" | "no") => layer(rank, cells[4] == "yes"),
            _ => panic!("CONTRIBUTING.md: rank and `yes`/`no` expected in {line:?}"),
        }
    };
    rows.skip(1).take_while(|line| line.starts_with('|')).map(row).collect()
}

fn table() -> Vec<Layer> {
    layers(files::text("CONTRIBUTING.md"))
}

/// The crate that a file belongs to: the one with the longest folder above it.
pub(crate) fn layer_of<'a>(layers: &'a [Layer], path: &str) -> Option<&'a Layer> {
    let above = |layer: &&Layer| layer.folder.is_empty() || path.starts_with(&format!("{}/", layer.folder));
    layers.iter().filter(above).max_by_key(|layer| layer.folder.len())
}

/// Every table of a manifest in which dependencies stand, with whether they are for tests only.
fn dependency_tables(manifest: &Table) -> Vec<(bool, &Table)> {
    let targets = manifest.get("target").and_then(Value::as_table);
    let targets = targets.into_iter().flat_map(|targets| targets.values().filter_map(Value::as_table));
    let kinds = [("dependencies", false), ("build-dependencies", false), ("dev-dependencies", true)];
    let tables = [manifest].into_iter().chain(targets);
    let of = |table| kinds.map(|(kind, dev)| (dev, Table::get(table, kind).and_then(Value::as_table)));
    tables.flat_map(of).filter_map(|(dev, table)| Some((dev, table?))).collect()
}

fn ranks(layers: &[Layer], manifests: &[&File]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in manifests {
        let manifest: Table = file.text.parse().unwrap_or_else(|error| panic!("{}: {error}", file.path));
        let Some(name) = manifest.get("package").and_then(|package| package.get("name")?.as_str()) else {
            continue;
        };
        let folder = file.path.trim_end_matches("Cargo.toml").trim_end_matches('/');
        let Some(layer) = layers.iter().find(|layer| layer.name == name && layer.folder == folder) else {
            let what = format!("`{name}` has no row in CONTRIBUTING.md's layer table: give it a rank there");
            problems.push(Problem::new(&file.path, what));
            continue;
        };
        if manifest.get("lints").and_then(|lints| lints.get("workspace")?.as_bool()) != Some(true) {
            problems.push(Problem::new(
                &file.path,
                "does not take the workspace's lints: add `[lints]` with `workspace = true`",
            ));
        }
        for (_, table) in dependency_tables(&manifest).into_iter().filter(|(dev, _)| !dev) {
            for (key, value) in table {
                let dependency = value.get("package").and_then(Value::as_str).unwrap_or(key);
                let Some(lower) = layers.iter().find(|layer| layer.name == dependency) else { continue };
                if lower.rank >= layer.rank {
                    let what = format!(
                        "`{name}` (rank {}) depends on `{dependency}` (rank {}): only lower ranks may be used; \
                         move what is needed down, or hand it in from above",
                        layer.rank, lower.rank,
                    );
                    problems.push(Problem::new(&file.path, what));
                }
            }
        }
    }
    problems
}

/// Rows of the table without a crate behind them.
fn rows_without_crates(layers: &[Layer], manifests: &[&File]) -> Vec<Problem> {
    let path =
        |layer: &Layer| [layer.folder.as_str(), "Cargo.toml"].join("/").trim_start_matches('/').to_owned();
    let gone = layers.iter().filter(|layer| !manifests.iter().any(|file| file.path == path(layer)));
    gone.map(|layer| {
        Problem::new("CONTRIBUTING.md", format!("the row of `{}` names no crate: take it out", layer.name))
    })
    .collect()
}

/// A dependency needs a comment on the line above; crates of the house explain themselves.
fn reasons(layers: &[Layer], manifest: &File) -> Vec<Problem> {
    let mut problems = Vec::new();
    let (mut dependencies, mut above) = (false, "");
    for (number, line) in (1..).zip(manifest.text.lines()) {
        let header = line.trim().strip_prefix('[').map(|rest| rest.trim_end_matches(']').trim_matches('['));
        let mut name = None;
        if let Some(header) = header {
            dependencies = header.ends_with("dependencies");
            name = header.split_once("dependencies.").map(|(_, name)| name);
        } else if dependencies && line.starts_with(|c: char| c.is_alphanumeric() || c == '"') {
            name = line.split(['=', '.', ' ']).next();
        }
        if let Some(name) = name
            && !layers.iter().any(|layer| layer.name == name.trim_matches('"'))
            && above.strip_prefix('#').is_none_or(|reason| reason.trim().is_empty())
        {
            let what =
                format!("`{name}` stands without a reason: write why it is needed in a comment above it");
            problems.push(Problem::at(&manifest.path, number, what));
        }
        above = line;
    }
    problems
}

/// `unsafe` only where the table says so, and forbidden by the compiler everywhere else.
fn safety(layers: &[Layer], files: &[&File]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in files {
        let layer = layer_of(layers, &file.path).expect("the root package owns what nobody else does");
        if layer.may_unsafe {
            continue;
        }
        for (line, code) in file.code_lines().filter(|(_, code)| lex::has_word(code, "unsafe")) {
            let what = format!("`unsafe` in `{}`, which may not: `{}`", layer.name, code.trim());
            problems.push(Problem::at(&file.path, line, what));
        }
        let inside = file.path.strip_prefix(&layer.folder).unwrap_or(&file.path).trim_start_matches('/');
        let forbids = file.code.lines().any(|line| line.trim() == "#![forbid(unsafe_code)]");
        if matches!(inside, "src/lib.rs" | "src/main.rs") && !forbids {
            problems.push(Problem::new(
                &file.path,
                "a crate without unsafe says so: add `#![forbid(unsafe_code)]`",
            ));
        }
    }
    problems
}

/// The registry crates whose names begin with the house's are another project.
fn namesakes(file: &File) -> Vec<Problem> {
    let lock: Table = file.text.parse().expect("Cargo.lock is TOML");
    let packages = lock.get("package").and_then(Value::as_array).into_iter().flatten();
    let foreign = packages.filter_map(|package| {
        let name = package.get("name")?.as_str()?;
        package.get("source").filter(|_| name.starts_with("asupersync")).map(|source| (name, source))
    });
    foreign
        .map(|(name, source)| {
            Problem::new(&file.path, format!("`{name}` comes from {source:?}: use the workspace's, by path"))
        })
        .collect()
}

fn manifests() -> Vec<&'static File> {
    files::all().iter().filter(|file| file.is_manifest()).collect()
}

#[test]
fn crates_use_lower_ranks_only() {
    let mut problems = ranks(&table(), &manifests());
    problems.extend(rows_without_crates(&table(), &manifests()));
    settle("ranks", problems);
}

#[test]
fn every_dependency_has_a_reason() {
    settle("reasons", manifests().into_iter().flat_map(|file| reasons(&table(), file)).collect());
}

#[test]
fn unsafe_lives_in_the_crates_named_for_it() {
    settle("safety", safety(&table(), &files::house().collect::<Vec<_>>()));
}

#[test]
fn crates_of_our_name_are_ours() {
    let locks = files::all().iter().filter(|file| file.path.ends_with("Cargo.lock"));
    settle("namesakes", locks.flat_map(namesakes).collect());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects;

    const TABLE: &str = "| crate | folder | rank | unsafe | what |\n|---|---|---|---|---|\n\
        | `low` | `core/low` | 0 | yes | x |\n| `mid` | `core` | 1 | no | x |\n| `top` | `.` | 2 | no | x |\n";

    #[test]
    fn offences_are_caught() {
        let layers = layers(TABLE);
        let owner = |path| layer_of(&layers, path).unwrap().name.as_str();
        assert_eq!(
            (owner("core/low/src/a.rs"), owner("core/src/a.rs"), owner("src/lib.rs")),
            ("low", "mid", "top")
        );

        let up = "[package]\nname = \"low\"\n[lints]\nworkspace = true\n[target.'cfg(x)'.dependencies]\n\
                  other = { package = \"mid\", path = \"x\" }\n[dev-dependencies]\ntop.workspace = true\n";
        let fine =
            "[package]\nname = \"mid\"\n[lints]\nworkspace = true\n[dependencies]\nlow.workspace = true\n";
        let new = "[package]\nname = \"new\"\n[dependencies]\n";
        let bare = "[package]\nname = \"top\"\n";
        let files = [("core/low", up), ("core", fine), ("new", new), ("", bare)];
        let files = files
            .map(|(folder, text)| File::new(format!("{folder}/Cargo.toml").trim_start_matches('/'), text));
        let found = ranks(&layers, &files.iter().collect::<Vec<_>>());
        objects(&found, &["`low` (rank 0) depends on `mid` (rank 1)", "`new` has no row", "[lints]"]);
        objects(&rows_without_crates(&layers, &[&files[0], &files[1]]), &["`top` names no crate"]);

        let manifest = "[dependencies]\nlow = \"1\"\n# why\nfine = \"1\"\nbad = \"1\"\n\n[dev-dependencies.worse]\nversion = \"1\"\n";
        objects(
            &reasons(&layers, &File::new("Cargo.toml", manifest)),
            &["Cargo.toml:5: `bad`", "Cargo.toml:7: `worse`"],
        );

        let sources = [
            File::new("core/low/src/lib.rs", "unsafe fn a() {}"),
            File::new("core/src/lib.rs", "//! unsafe\n#![forbid(unsafe_code)]\nunsafe fn a() {}"),
            File::new("src/lib.rs", "//! safe"),
        ];
        objects(
            &safety(&layers, &sources.iter().collect::<Vec<_>>()),
            &["core/src/lib.rs:3", "src/lib.rs: a crate"],
        );

        let lock = "[[package]]\nname = \"asupersync\"\n[[package]]\nname = \"asupersync-x\"\nsource = \"registry\"\n";
        objects(&namesakes(&File::new("a/Cargo.lock", lock)), &["a/Cargo.lock: `asupersync-x` comes from"]);
    }
}
