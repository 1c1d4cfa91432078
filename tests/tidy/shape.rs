//! Files: what they open with, and how long they are.

use crate::files::{self, File};
use crate::{Problem, settle};

const LONGEST: usize = 600;
const MEDIAN: usize = 200;

fn heads<'a>(files: impl Iterator<Item = &'a File>) -> Vec<Problem> {
    let without = files.filter(|file| !file.text.starts_with("//!"));
    let what = "does not open with `//!`: say first what the file is for, its protocol, its invariants";
    without.map(|file| Problem::new(&file.path, what)).collect()
}

fn lengths<'a>(files: impl Iterator<Item = &'a File>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut lengths = Vec::new();
    for file in files {
        let length = file.text.lines().count();
        lengths.push(length);
        if length > LONGEST {
            let what = format!("has {length} lines, {LONGEST} are the most: split it by what it does");
            problems.push(Problem::new(&file.path, what));
        }
    }
    lengths.sort_unstable();
    let median = lengths.get(lengths.len() / 2).copied().unwrap_or(0);
    if median > MEDIAN {
        let what = format!("the median source file has {median} lines, {MEDIAN} are the most");
        problems.push(Problem::new("the workspace", what));
    }
    problems
}

#[test]
fn every_source_file_opens_with_what_it_is_for() {
    settle("heads", heads(files::rust()));
}

#[test]
fn files_are_short() {
    settle("lengths", lengths(files::rust()));
}

#[test]
fn offences_are_caught() {
    let file = |path: &str, lines: usize| File::new(path, "//! x\n".repeat(lines));
    crate::objects(
        &heads([&file("a.rs", 1), &File::new("b.rs", "// x\n//! y\n")].into_iter()),
        &["b.rs: does not open"],
    );
    let files = [file("a.rs", 1), file("b.rs", 600), file("c.rs", 601)];
    crate::objects(&lengths(files.iter()), &["c.rs: has 601", "the median source file has 600"]);
}
