//! Showing a report: for people ([`text`]) and for programs ([`json`]).

pub mod json;
pub mod text;

use std::path::{Component, Path};

/// A path with `/` between its parts on every platform, and without `./`.
pub(crate) fn shown(path: &Path) -> String {
    let mut out = String::new();
    for part in path.components() {
        if matches!(part, Component::CurDir) {
            continue;
        }
        if !out.is_empty() && !out.ends_with('/') {
            out.push('/');
        }
        match part {
            Component::RootDir => out.push('/'),
            part => out.push_str(&part.as_os_str().to_string_lossy()),
        }
    }
    if out.is_empty() { ".".into() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_well() {
        assert_eq!(shown(Path::new("./src/./a.rs")), "src/a.rs");
        assert_eq!(shown(Path::new("/x/y")), "/x/y");
        assert_eq!(shown(Path::new("../x")), "../x");
        assert_eq!(shown(Path::new(".")), ".");
    }
}
