//! One accepted finding, and the name of its file.

use crate::identity::Identity;
use crate::rule::Finding;
use std::path::{Component, Path, PathBuf};

/// Longer items are cut at the front; the hashes still tell them apart.
const MAX_ITEM: usize = 100;

/// What stands for `..` in the path of a file outside the base.
const UP: &str = "_up";

/// An accepted finding.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Entry {
    /// The file, relative to the base.
    pub file: PathBuf,
    /// The item, as far as a file name can hold it.
    pub item: String,
    /// The rule.
    pub rule: String,
    /// The hashes.
    pub identity: Identity,
}

impl Entry {
    /// A finding in `file`, relative to the base.
    pub fn of(finding: &Finding, file: PathBuf) -> Entry {
        let item = file_name(&finding.item);
        Entry { file, item, rule: finding.rule.to_string(), identity: finding.identity }
    }

    /// The path of its file below the baseline's directory, when it is the
    /// `n`-th one alike, counted from 1.
    pub(super) fn path(&self, n: usize) -> PathBuf {
        let mut path: PathBuf = (self.file.components())
            .map(|part| if part == Component::ParentDir { UP.as_ref() } else { part.as_os_str() })
            .collect();
        let Entry { item, rule, identity, .. } = self;
        let mut name = format!("{item}-{rule}-{:08x}-{:08x}", identity.head, identity.body);
        if n > 1 {
            name.push_str(&format!("-{n}"));
        }
        path.push(name);
        path
    }

    /// The entry whose file has this path below the baseline's directory.
    pub(super) fn from_path(path: &Path) -> Option<Entry> {
        let mut parts: Vec<&str> = path.file_name()?.to_str()?.split('-').collect();
        if parts.len() == 5 && parts[4].parse::<usize>().is_ok_and(|n| n > 1) {
            parts.pop();
        }
        let [item, rule, head, body] = parts[..] else { return None };
        let hash = |text: &str| (text.len() == 8).then(|| u32::from_str_radix(text, 16).ok()).flatten();
        let file = path.parent().filter(|file| !file.as_os_str().is_empty())?;
        Some(Entry {
            file: file
                .components()
                .map(|part| if part.as_os_str() == UP { Component::ParentDir } else { part })
                .collect(),
            item: item.to_string(),
            rule: rule.to_string(),
            identity: Identity { head: hash(head)?, body: hash(body)? },
        })
    }
}

/// The path of an item, in characters that every file system takes as they are.
pub(crate) fn file_name(item: &str) -> String {
    if item.is_empty() {
        return "_".into();
    }
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '_' };
    let name: String = item.replace("::", ".").chars().map(plain).collect();
    name[name.len().saturating_sub(MAX_ITEM)..].to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_and_paths_say_the_same() {
        for (file, item) in [("src/a b/日本.rs", "Conn.run"), ("../x.rs", "_"), ("lib.rs", "<é>::f")] {
            let identity = Identity { head: 0x1a, body: 0xffff_ffff };
            let entry =
                Entry { file: file.into(), item: file_name(item), rule: "some_rule".into(), identity };
            for n in [1, 2, 10] {
                assert_eq!(Entry::from_path(&entry.path(n)).as_ref(), Some(&entry));
            }
        }
    }

    #[test]
    fn other_files_are_no_entries() {
        for path in [
            "README.md",
            "src/a.rs/.gitkeep",
            "f-r-0000001a-0000001b",
            "a/f-r-1a-1b",
            "a/f-r-0000001a-0000001b-1",
        ] {
            assert_eq!(Entry::from_path(Path::new(path)), None, "{path}");
        }
        assert_eq!(file_name(&"x".repeat(300)).len(), MAX_ITEM);
    }
}
