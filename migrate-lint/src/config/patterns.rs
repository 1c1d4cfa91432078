//! Patterns over files, as in `.gitignore` but without its exceptions: a
//! pattern that matches a directory matches all below it.

use glob::{MatchOptions, Pattern};
use std::path::Path;

const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// A list of patterns; matches what one of them matches.
#[derive(Clone, Debug, Default)]
pub struct Patterns(Vec<Pattern>);

impl Patterns {
    /// Reads one more pattern.
    ///
    /// # Errors
    ///
    /// In words, if it is none.
    pub(super) fn add(&mut self, text: &str) -> Result<(), String> {
        let text = text.trim_start_matches("./").trim_end_matches('/');
        if text.starts_with('/') || text.split('/').any(|part| part == "..") {
            return Err("patterns are relative to the directory of the configuration, and stay in it".into());
        }
        self.0.push(Pattern::new(text).map_err(|e| e.to_string())?);
        Ok(())
    }

    /// Whether a file, relative to the base, is meant.
    pub fn matches(&self, file: &Path) -> bool {
        let mut above = file.ancestors().filter(|path| !path.as_os_str().is_empty());
        above.any(|path| self.0.iter().any(|pattern| pattern.matches_path_with(path, OPTIONS)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_stand_for_what_is_below() {
        let mut patterns = Patterns::default();
        for text in ["vendor/", "./gen/*.rs", "**/snapshots"] {
            patterns.add(text).expect("a pattern");
        }
        for file in ["vendor/a/b.rs", "gen/x.rs", "a/snapshots/y.rs", "snapshots/z.rs"] {
            assert!(patterns.matches(Path::new(file)), "{file}");
        }
        for file in ["src/vendor.rs", "gen/deep/x.rs", "my/vendor/a.rs", "a.rs"] {
            assert!(!patterns.matches(Path::new(file)), "{file}");
        }
        for text in ["/abs", "../x", "a[", "a**b"] {
            assert!(patterns.add(text).is_err(), "{text}");
        }
    }
}
