//! The configuration clippy is run with: the repository's, and our list.

use crate::identity::Hash;
use crate::load::source::read_text;
use std::path::{Path, PathBuf};
use std::{env, fs};
use toml::{Table, Value};

/// The reason our entries carry; it tells our hits from the repository's.
pub(super) const OURS: &str = "migrate-lint: starts a task";

/// Writes a `clippy.toml` for a package or workspace in `dir`, into a directory
/// in `target`; gives that directory. It is named after what it holds: clippy
/// looks at everything anew if the name changes, and runs on several
/// workspaces may share `target`.
pub(super) fn write(dir: &Path, watched: &[&str], target: &Path) -> Result<PathBuf, String> {
    let mut table = match found(dir) {
        Some(path) => {
            let text = read_text(&path).map_err(|e| format!("{}: {}", path.display(), e.explain()))?;
            text.parse::<Table>()
                .map_err(|e| format!("{}: not valid TOML: {}", path.display(), e.message()))?
        }
        None => Table::new(),
    };
    add(&mut table, watched)?;
    let text = table.to_string();
    let mut hash = Hash::default();
    hash.add(&text);
    let own = target.join(format!("settings-{:016x}", hash.whole()));
    let written = fs::create_dir_all(&own).and_then(|()| fs::write(own.join("clippy.toml"), text));
    written.map_err(|e| format!("{}: {e}", own.display()))?;
    Ok(own)
}

/// The file clippy would use: of `CLIPPY_CONF_DIR`, else of the directory or
/// one above it.
fn found(dir: &Path) -> Option<PathBuf> {
    let configured = env::var_os("CLIPPY_CONF_DIR").map(PathBuf::from);
    let start = configured.as_deref().unwrap_or(dir);
    let names = [".clippy.toml", "clippy.toml"];
    start.ancestors().flat_map(|dir| names.map(|name| dir.join(name))).find(|path| path.is_file())
}

/// Adds our list to the repository's.
fn add(table: &mut Table, watched: &[&str]) -> Result<(), String> {
    // a list under the name it had until 2022 would hide ours
    let old = table.remove("disallowed-method");
    let list =
        table.entry("disallowed-methods").or_insert_with(|| old.unwrap_or_else(|| Value::Array(Vec::new())));
    let Value::Array(list) = list else {
        return Err("clippy.toml: `disallowed-methods` is not a list".into());
    };
    // what both name is ours, for theirs carries another reason
    let path_of = |entry: &Value| match entry {
        Value::String(path) => Some(path.clone()),
        Value::Table(entry) => entry.get("path").and_then(Value::as_str).map(str::to_string),
        _ => None,
    };
    list.retain(|entry| path_of(entry).is_none_or(|path| !watched.contains(&path.as_str())));
    for path in watched {
        let mut entry = Table::new();
        entry.insert("path".into(), Value::String(path.to_string()));
        entry.insert("reason".into(), Value::String(OURS.into()));
        // crates that a package does not have are no mistake
        entry.insert("allow-invalid".into(), Value::Boolean(true));
        list.push(Value::Table(entry));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repositorys_settings_stay() {
        let mut table: Table =
            "msrv = '1.70'\ndisallowed-methods = ['std::env::var', { path = 'a::b', reason = 'x' }, 'a::c']"
                .parse()
                .expect("TOML");
        add(&mut table, &["a::c", "a::d"]).expect("added");
        let again: Table = table.to_string().parse().expect("TOML");
        assert_eq!(again, table);
        assert_eq!(table["msrv"].as_str(), Some("1.70"));
        let list = table["disallowed-methods"].as_array().expect("a list");
        assert_eq!(list.len(), 4);
        assert_eq!(list[0].as_str(), Some("std::env::var"));
        assert_eq!(list[2]["path"].as_str(), Some("a::c"));
        assert!(list[2..].iter().all(|entry| entry["reason"].as_str() == Some(OURS)));
        let mut wrong: Table = "disallowed-methods = 3".parse().expect("TOML");
        assert!(add(&mut wrong, &[]).is_err());
    }
}
