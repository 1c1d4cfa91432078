//! `speed DIR [NAME]`: how long the linter takes and what memory it needs, on
//! every repository and on copies of one up to a million lines, and beside it
//! clippy on the repository NAME.
//!
//! Every run is a process of its own; its time from start to end is the median
//! of several, with the time that processors worked for it (on all cores, which
//! other work on the machine changes less), and its peak memory, as Linux tells
//! them. clippy
//! is run twice: into an empty directory, and after the root file of each
//! target was touched.

use crate::repositories::{self, Repository};
use crate::scratch::Scratch;
use crate::tasks;
use migrate_lint::precise::{self, Build};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Instant, SystemTime};

const RUNS: usize = 5;

/// The package that is copied, and how often.
const COPIED: &str = "mini-redis";
const LINES: [usize; 4] = [10_000, 100_000, 300_000, 1_000_000];

struct Figure {
    lines: usize,
    seconds: f64,
    /// Of processors.
    work: f64,
    megabytes: f64,
}

/// `one PATH`: lints once; prints the lines, the peak memory in kB, and the
/// hundredths of seconds that processors worked.
pub(crate) fn one(path: &Path) -> Result<(), String> {
    let report = tasks::lint(path)?;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|rest| rest.split_whitespace().next()).unwrap_or("0");
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // the second field is a name in parentheses; the 14th and 15th are times
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let work: usize = fields.skip(11).take(2).filter_map(|field| field.parse::<usize>().ok()).sum();
    println!("{} {peak} {work}", report.lines);
    Ok(())
}

pub(crate) fn run(dir: &Path, clippy_on: Option<&str>) -> Result<(), String> {
    let repositories = repositories::all()?;
    println!(
        "{:<24} {:>8} {:>8} {:>8} {:>8} | {:>8} {:>8} {:>8}",
        "", "lines", "seconds", "CPU s", "MB", "s/100k", "CPU/100k", "MB/100k"
    );
    for repository in &repositories {
        let checkout = repository.checkout(dir)?;
        for workspace in &repository.workspaces {
            let name = format!("{} {workspace}", repository.name);
            print(name.trim_end_matches([' ', '.']), &figure(&checkout.join(workspace))?);
        }
    }
    let copied = repositories.iter().find(|r| r.name == COPIED).ok_or("nothing to copy")?;
    let copied = copied.checkout(dir)?;
    let each = figure(&copied)?.lines;
    for lines in LINES {
        let scratch = Scratch::new()?;
        let copies = lines.div_ceil(each);
        copy(&copied, copies, &scratch.path())?;
        print(&format!("{copies} x {COPIED}"), &figure(&scratch.path())?);
    }
    match clippy_on {
        Some(name) => {
            let repository = repositories.iter().find(|r| r.name == name);
            clippy(repository.ok_or_else(|| format!("there is no repository {name}"))?, dir)
        }
        None => Ok(()),
    }
}

fn print(name: &str, Figure { lines, seconds, work, megabytes }: &Figure) {
    let share = 100_000.0 / *lines as f64;
    println!(
        "{name:<24} {lines:>8} {seconds:>8.3} {work:>8.2} {megabytes:>8.1} | {:>8.3} {:>8.2} {:>8.1}",
        seconds * share,
        work * share,
        megabytes * share
    );
}

fn figure(path: &Path) -> Result<Figure, String> {
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    let (mut seconds, mut work) = (Vec::new(), Vec::new());
    let (mut lines, mut peak) = (0, 0.0_f64);
    for _ in 0..RUNS {
        let start = Instant::now();
        let output = Command::new(&own).arg("one").arg(path).output().map_err(|e| e.to_string())?;
        seconds.push(start.elapsed().as_secs_f64());
        let text = String::from_utf8_lossy(&output.stdout);
        let mut numbers = text.split_whitespace().map(str::parse::<usize>);
        let (Some(Ok(found)), Some(Ok(kilobytes)), Some(Ok(ticks))) =
            (numbers.next(), numbers.next(), numbers.next())
        else {
            return Err(format!("{}: {}", path.display(), String::from_utf8_lossy(&output.stderr)));
        };
        lines = found;
        work.push(ticks as f64 / 100.0);
        peak = peak.max(kilobytes as f64 / 1024.0);
    }
    seconds.sort_by(f64::total_cmp);
    work.sort_by(f64::total_cmp);
    Ok(Figure { lines, seconds: seconds[RUNS / 2], work: work[RUNS / 2], megabytes: peak })
}

/// A workspace of so many copies of a package, each under a name of its own.
fn copy(package: &Path, copies: usize, into: &Path) -> Result<(), String> {
    let write = |path: PathBuf, text: String| {
        fs::create_dir_all(path.parent().unwrap_or(into)).map_err(|e| e.to_string())?;
        fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))
    };
    write(into.join("Cargo.toml"), "[workspace]\nmembers = [\"copy-*\"]\nresolver = \"2\"\n".into())?;
    let mut files = Vec::new();
    let mut dirs = vec![package.to_path_buf()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).map_err(|e| format!("{}: {e}", dir.display()))?.flatten() {
            let path = entry.path();
            match (path.is_dir(), path.extension().is_some_and(|e| e == "rs" || e == "toml")) {
                (true, _) if !path.ends_with(".git") && !path.ends_with("target") => dirs.push(path),
                (false, true) => {
                    let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
                    files.push((path.strip_prefix(package).unwrap_or(&path).to_path_buf(), text));
                }
                _ => {}
            }
        }
    }
    for i in 0..copies {
        for (path, text) in &files {
            let text = match path.to_str() {
                Some("Cargo.toml") => {
                    let named = text.replacen(&format!("\"{COPIED}\""), &format!("\"{COPIED}-{i}\""), 1);
                    format!("{named}\n[lib]\nname = \"{}\"\n", COPIED.replace('-', "_"))
                }
                _ => text.clone(),
            };
            write(into.join(format!("copy-{i}")).join(path), text)?;
        }
    }
    Ok(())
}

fn clippy(repository: &Repository, dir: &Path) -> Result<(), String> {
    let checkout = repository.checkout(dir)?;
    let scratch = Scratch::new()?;
    let build = Build { flags: repository.flags.clone(), target_dir: Some(scratch.path()) };
    for (name, touches) in [("cold", false), ("touched", true)] {
        let mut seconds = 0.0;
        for workspace in &repository.workspaces {
            let path = checkout.join(workspace);
            if touches {
                touch(&path)?;
            }
            let start = Instant::now();
            precise::run(&path, &build)?;
            seconds += start.elapsed().as_secs_f64();
        }
        println!("{:<24} {:>8} {seconds:>8.1}", format!("clippy {name}, {}", repository.name), "");
    }
    Ok(())
}

/// Makes the roots of all libraries and programs look changed.
fn touch(workspace: &Path) -> Result<(), String> {
    let mut dirs = vec![workspace.to_path_buf()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).map_err(|e| format!("{}: {e}", dir.display()))?.flatten() {
            let path = entry.path();
            if path.is_dir() && !path.ends_with(".git") {
                dirs.push(path);
            } else if path.ends_with("src/lib.rs") || path.ends_with("src/main.rs") {
                let touched = File::options()
                    .append(true)
                    .open(&path)
                    .and_then(|file| file.set_modified(SystemTime::now()));
                touched.map_err(|e| format!("{}: {e}", path.display()))?;
            }
        }
    }
    Ok(())
}
