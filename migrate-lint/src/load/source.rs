//! Paths and files as the disk has them, without surprises.
//!
//! Only regular files are opened (a FIFO would hang the run), only up to a
//! bound, and only as UTF-8. Every failure is a [`ReadError`] that says what
//! was wrong; the caller adds where.

use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

/// No hand-written Rust file comes near this; generated ones that do would
/// only cost memory.
const MAX_BYTES: u64 = 32 << 20;

/// Why a file could not be read.
#[derive(Debug)]
pub enum ReadError {
    /// The operating system refused.
    Io(io::Error),
    /// A directory, a FIFO, a socket or a device.
    NotAFile,
    /// Larger than the bound.
    TooLarge(u64),
    /// The bytes stop being UTF-8 at this line (1-based).
    NotUtf8 {
        /// The line with the first invalid byte.
        line: usize,
    },
    /// The parser itself failed.
    Internal,
}

impl ReadError {
    /// The failure in words, with what to do about it.
    pub fn explain(&self) -> String {
        match self {
            ReadError::Io(e) if e.kind() == io::ErrorKind::NotFound => {
                "file not found; it was removed, or the path is mistyped".into()
            }
            ReadError::Io(e) if e.kind() == io::ErrorKind::PermissionDenied => {
                "permission denied; make the file readable for this user".into()
            }
            ReadError::Io(e) => format!("cannot be read: {e}"),
            ReadError::NotAFile => "not a regular file; replace it, or remove what names it".into(),
            ReadError::TooLarge(n) => format!(
                "{n} bytes, more than the {MAX_BYTES} this tool reads; leave generated code out of the module tree"
            ),
            ReadError::Internal => {
                "this tool failed on the file, which is a defect of the tool; please report it".into()
            }
            ReadError::NotUtf8 { line } => {
                format!("not UTF-8 (first invalid byte on line {line}); rustc rejects it as well")
            }
        }
    }
}

/// Reads a whole text file.
pub fn read_text(path: &Path) -> Result<String, ReadError> {
    let meta = fs::metadata(path).map_err(ReadError::Io)?;
    if !meta.is_file() {
        return Err(ReadError::NotAFile);
    }
    if meta.len() > MAX_BYTES {
        return Err(ReadError::TooLarge(meta.len()));
    }
    // it may have grown, or be one that tells no length
    let mut bytes = Vec::with_capacity(meta.len() as usize + 1);
    let mut file = fs::File::open(path).map_err(ReadError::Io)?.take(MAX_BYTES + 1);
    file.read_to_end(&mut bytes).map_err(ReadError::Io)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(ReadError::TooLarge(bytes.len() as u64));
    }
    String::from_utf8(bytes).map_err(|e| {
        let valid = e.utf8_error().valid_up_to();
        let line = 1 + e.as_bytes()[..valid].iter().filter(|&&b| b == b'\n').count();
        ReadError::NotUtf8 { line }
    })
}

/// The text the parser gets: without byte order mark, and with a shebang line
/// blanked out. Line numbers and columns stay those of the file.
pub fn parser_text(text: &str) -> &str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Some(rest) = text.strip_prefix("#!") else {
        return text;
    };
    if rest.trim_start().starts_with('[') {
        return text; // an inner attribute
    }
    match text.find('\n') {
        Some(end) => &text[end..],
        None => "",
    }
}

/// The real path, or the given one where that is not to be had.
pub fn canonical(path: &Path) -> PathBuf {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}

/// Whether there is something of this name, be it a link that leads nowhere:
/// reading it then says what is wrong.
pub(crate) fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Drops `a/..` pairs, so that paths read well, unless `a` is a symbolic link
/// and they mean something.
pub(super) fn tidy(path: &Path) -> PathBuf {
    let plain = without_detours(path);
    if canonical(&plain) == canonical(path) { plain } else { path.to_path_buf() }
}

/// The path without `.` and `a/..`, whatever `a` is.
pub(crate) fn without_detours(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shebang_and_mark_go_but_lines_stay() {
        assert_eq!(parser_text("#!/usr/bin/env x\nfn f() {}"), "\nfn f() {}");
        assert_eq!(parser_text("\u{feff}fn f() {}"), "fn f() {}");
        assert_eq!(parser_text("#![allow(x)]\n"), "#![allow(x)]\n");
        assert_eq!(parser_text("#! [allow(x)]\n"), "#! [allow(x)]\n");
        assert_eq!(parser_text("#!/only"), "");
    }

    #[test]
    fn a_directory_is_not_a_file() {
        assert!(matches!(read_text(Path::new("/")), Err(ReadError::NotAFile)));
    }
}
