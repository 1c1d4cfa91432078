//! A directory outside of everything, removed in the end.

use std::fs;
use std::path::PathBuf;

pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Result<Scratch, String> {
        let dir = std::env::temp_dir().join(format!("migrate-lint-measure-{}", std::process::id()));
        fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
        Ok(Scratch(dir))
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.clone()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // what stays behind is in a directory for such things
        let _ = fs::remove_dir_all(&self.0);
    }
}
