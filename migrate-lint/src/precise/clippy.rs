//! The subprocess, and what it prints: one JSON object a line.

use super::config::OURS;
use super::{Hit, Said};
use crate::load::source::canonical;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const LINT: &str = "clippy::disallowed_methods";

fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Where cargo builds.
pub(super) fn target_directory(manifest: &Path) -> Result<PathBuf, String> {
    let output = cargo()
        .args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"])
        .arg(manifest)
        .stderr(Stdio::piped())
        .output()
        .map_err(|e| format!("cargo metadata: {e}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    let document: Value =
        serde_json::from_slice(&output.stdout).map_err(|e| format!("cargo metadata: {e}"))?;
    document["target_directory"].as_str().map(PathBuf::from).ok_or_else(|| "cargo metadata: no target".into())
}

/// Runs clippy over all targets, and reads what it says.
pub(super) fn run(manifest: &Path, settings: &Path, target: &Path, flags: &[String]) -> Result<Said, String> {
    let dir = manifest.parent().unwrap_or(Path::new("/"));
    let mut child = cargo()
        .current_dir(dir)
        .args(["clippy", "--workspace", "--all-targets", "--keep-going", "--message-format=json", "--quiet"])
        .args(flags)
        .arg("--manifest-path")
        .arg(manifest)
        .arg("--target-dir")
        .arg(target)
        .args(["--", "--cap-lints=warn", "--force-warn", LINT])
        .env("CLIPPY_CONF_DIR", settings)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| format!("cargo clippy: {e}; install it with `rustup component add clippy`"))?;
    let stdout = child.stdout.take().ok_or("cargo clippy: no output")?;
    let mut errors = child.stderr.take().ok_or("cargo clippy: no output")?;
    // read beside the other, lest the pipe fill up
    let said = std::thread::spawn(move || {
        let mut text = String::new();
        let _ = std::io::Read::read_to_string(&mut errors, &mut text);
        text
    });
    let mut found = Reader { root: root_of(manifest, dir), ..Reader::default() };
    for line in BufReader::new(stdout).lines() {
        let line = line.map_err(|e| format!("cargo clippy: {e}"))?;
        if let Ok(message) = serde_json::from_str::<Value>(&line) {
            found.message(&message);
        }
    }
    let status = child.wait().map_err(|e| format!("cargo clippy: {e}"))?;
    let errors = said.join().unwrap_or_default();
    let failed = errors.lines().filter_map(build_script).map(|of| (of, "its build script failed".into()));
    found.said.failed.extend(failed);
    if found.messages == 0 || (!status.success() && found.said.failed.is_empty()) {
        return Err(format!("cargo clippy: {}", errors.trim()));
    }
    Ok(found.finish())
}

/// The package whose build script failed, in cargo's words.
fn build_script(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("failed to run custom build command for `")?;
    Some(rest.split(['`', ' ']).next()?.to_string())
}

/// The directory that file names in messages are relative to.
fn root_of(manifest: &Path, dir: &Path) -> PathBuf {
    let mut command = cargo();
    command
        .args(["locate-project", "--workspace", "--message-format=plain", "--manifest-path"])
        .arg(manifest);
    let output = command.output().ok().filter(|output| output.status.success());
    let root = output.map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    root.and_then(|root| root.parent().map(Path::to_path_buf)).unwrap_or_else(|| dir.to_path_buf())
}

#[derive(Default)]
struct Reader {
    root: PathBuf,
    said: Said,
    /// Roots of targets that were compiled, and their packages.
    compiled: Vec<(PathBuf, String)>,
    messages: usize,
}

impl Reader {
    fn message(&mut self, message: &Value) {
        self.messages += 1;
        match message["reason"].as_str() {
            Some("compiler-message") => {
                let diagnostic = &message["message"];
                if diagnostic["code"]["code"].as_str() == Some(LINT) {
                    self.hit(diagnostic);
                } else if diagnostic["level"].as_str() == Some("error") {
                    let package = package_of(message);
                    let text = diagnostic["message"].as_str().unwrap_or_default().to_string();
                    self.said.failed.entry(package).or_insert(text);
                }
            }
            Some("compiler-artifact") => {
                if let Some(root) = message["target"]["src_path"].as_str() {
                    self.compiled.push((canonical(Path::new(root)), package_of(message)));
                }
            }
            _ => {}
        }
    }

    /// All of it; of a package that failed, nobody knows what was looked at.
    fn finish(mut self) -> Said {
        let compiled =
            self.compiled.into_iter().filter(|(_, package)| !self.said.failed.contains_key(package));
        self.said.compiled = compiled.map(|(root, _)| root).collect();
        self.said
    }

    fn hit(&mut self, diagnostic: &Value) {
        let notes = diagnostic["children"].as_array();
        let is_ours = notes.is_some_and(|n| n.iter().any(|note| note["message"].as_str() == Some(OURS)));
        let text = diagnostic["message"].as_str().unwrap_or_default();
        // "use of a disallowed method `tokio::task::spawn`"
        let function = text.split('`').nth(1).unwrap_or_default();
        let spans = diagnostic["spans"].as_array();
        let primary = spans.and_then(|s| s.iter().find(|span| span["is_primary"] == true));
        let (true, Some(span)) = (is_ours, primary) else { return };
        let (Some(file), Some(line), Some(column)) =
            (span["file_name"].as_str(), span["line_start"].as_u64(), span["column_start"].as_u64())
        else {
            return;
        };
        let file = canonical(&self.root.join(file));
        // what a macro of another crate makes is not the repository's
        if !file.starts_with(canonical(&self.root)) || made_elsewhere(span) {
            return;
        }
        let (line, column) = (line as u32, column as u32);
        self.said.hits.insert(Hit { file, line, column, function: function.to_string() });
    }
}

fn package_of(message: &Value) -> String {
    message["package_id"].as_str().unwrap_or_default().to_string()
}

/// Whether an attribute or a macro of another crate made the code: its text
/// is then not at the place, or the place is the attribute's.
fn made_elsewhere(span: &Value) -> bool {
    let text = span["text"].as_array().and_then(|lines| lines.first());
    let Some(text) = text else { return true };
    let line: Vec<char> = text["text"].as_str().unwrap_or_default().chars().collect();
    let start = text["highlight_start"].as_u64().unwrap_or(1) as usize;
    let rest: String = line.iter().skip(start.saturating_sub(1)).collect();
    rest.starts_with('#') || rest.starts_with("tokio::main") || rest.starts_with("tokio::test")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_script_that_fails_is_named() {
        let line = "error: failed to run custom build command for `aws-lc-sys v0.47.0 (/path)`";
        assert_eq!(build_script(line).as_deref(), Some("aws-lc-sys"));
        assert_eq!(build_script("error: aborting"), None);
    }

    #[test]
    fn only_our_hits_at_places_of_code() {
        let mut reader = Reader { root: PathBuf::from("/"), ..Reader::default() };
        let message = |reason: &str, text: &str, start: u32| {
            serde_json::json!({
                "reason": "compiler-message",
                "message": {
                    "code": { "code": LINT },
                    "level": "warning",
                    "message": "use of a disallowed method `tokio::task::spawn`",
                    "children": [{ "message": reason }],
                    "spans": [{
                        "is_primary": true, "file_name": "src/lib.rs", "line_start": 3, "column_start": start,
                        "text": [{ "text": text, "highlight_start": start, "highlight_end": start + 5 }],
                    }],
                },
            })
        };
        reader.message(&message(OURS, "    spawn(f());", 5));
        reader.message(&message(OURS, "    spawn(f());", 5));
        reader.message(&message("theirs", "    spawn(f());", 6));
        reader.message(&message(OURS, "#[tokio::main]", 1));
        let hits: Vec<_> = reader.said.hits.iter().map(|h| (h.line, h.column, h.function.as_str())).collect();
        assert_eq!(hits, [(3, 5, "tokio::task::spawn")]);
        assert_eq!(reader.messages, 4);
    }
}
