//! The transcript in the README is what happens: its commands are run, and
//! their output compared. `UPDATE=1 cargo test -p migrate-lint --test readme`
//! writes what happens now; read the difference.

mod common;

use common::Dir;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const OPEN: &str = "```console\n";
const MARK: &str = "<end of a command>";

/// The service that the transcript is about, as it is at its beginning.
const SERVICE: &str = "
== Cargo.toml
[package]
name = \"orders\"
version = \"0.1.0\"
edition = \"2024\"

[dependencies]
tokio = { version = \"1\", features = [\"full\"] }
== src/main.rs
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind(\"127.0.0.1:8080\").await?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(serve(stream));
    }
}

async fn serve(stream: TcpStream) {
    drop(stream);
}

== .gitignore
/target
== audit.patch
--- a/src/main.rs
+++ b/src/main.rs
@@ -12,3 +12,8 @@
 async fn serve(stream: TcpStream) {
+    tokio::spawn(audit());
     drop(stream);
 }
+
+async fn audit() {
+    println!(\"served\");
+}

== fix.patch
--- a/src/main.rs
+++ b/src/main.rs
@@ -12,3 +12,3 @@
 async fn serve(stream: TcpStream) {
-    tokio::spawn(audit());
+    audit().await;
     drop(stream);
";

fn readme() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")
}

/// What one shell prints that gets these commands, both streams, in order.
fn outputs(dir: &Dir, commands: &[&str]) -> Vec<String> {
    let bin = Path::new(env!("CARGO_BIN_EXE_cargo-migrate-lint")).parent().expect("a directory");
    let mut shell = Command::new("sh");
    shell
        .current_dir(dir.path())
        .env("PATH", format!("{}:{}", bin.display(), std::env::var("PATH").expect("a PATH")));
    for (name, value) in
        [("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_AUTHOR_NAME", "x"), ("GIT_AUTHOR_EMAIL", "x")]
    {
        shell.env(name, value);
    }
    shell.env("GIT_COMMITTER_NAME", "x").env("GIT_COMMITTER_EMAIL", "x").env_remove("CARGO_TERM_COLOR");
    let mut shell = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("sh runs");
    let mut script = String::from("exec 2>&1\n");
    for command in commands {
        // `$?` is the command's to the next one
        script.push_str(&format!("{command}\nstatus=$?; echo '{MARK}'; (exit $status)\n"));
    }
    let mut stdin = shell.stdin.take().expect("piped");
    stdin.write_all(script.as_bytes()).expect("a script");
    drop(stdin);
    let output = shell.wait_with_output().expect("ends");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.split(&format!("{MARK}\n")).map(str::to_string).collect()
}

#[cfg(unix)]
#[test]
fn the_transcript_is_what_happens() {
    let text = fs::read_to_string(readme()).expect("the README");
    let (before, rest) = text.split_once(OPEN).expect("a transcript");
    let (old, after) = rest.split_once("```\n").expect("its end");
    let commands: Vec<&str> = old.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
    assert!(commands.len() > 5, "{commands:?}");
    let dir = Dir::with(SERVICE);
    dir.git(&["init", "--quiet"]);
    dir.git(&["add", "Cargo.toml", "src", ".gitignore"]);
    dir.git(&["commit", "--quiet", "-m", "x"]);
    let mut new = String::new();
    for (command, output) in commands.iter().zip(outputs(&dir, &commands)) {
        let output: String = output.lines().map(|line| format!("{}\n", line.trim_end())).collect();
        new.push_str(&format!("$ {command}\n{output}"));
    }
    if std::env::var_os("UPDATE").is_some() {
        fs::write(readme(), format!("{before}{OPEN}{new}```\n{after}")).expect("written");
    } else {
        assert_eq!(old, new, "UPDATE=1 writes what happens now");
    }
}
