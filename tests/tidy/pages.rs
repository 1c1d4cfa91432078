//! What the pages say: links lead somewhere, and the server on the front page is the one that runs.

use crate::files::{self, File};
use crate::{Problem, settle};

/// Links to files, `](path)` and `](path#heading)`, from the page's own folder.
fn broken_links(page: &File, exists: impl Fn(&str) -> bool) -> Vec<Problem> {
    let folder = page.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut problems = Vec::new();
    let mut fenced = false;
    for (number, line) in (1..).zip(page.text.lines()) {
        fenced ^= line.trim_start().starts_with("```");
        let targets = line.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
        for target in targets.filter(|_| !fenced) {
            let path = target.split('#').next().unwrap_or("");
            let elsewhere = target.contains("://") || target.starts_with("mailto:");
            let full = format!("{folder}/{path}");
            if !elsewhere && !path.is_empty() && !exists(full.trim_start_matches('/')) {
                let what = format!("links to `{target}`, which is not there: mend the link");
                problems.push(Problem::at(&page.path, number, what));
            }
        }
    }
    problems
}

/// The program without its `//!` lines.
fn program(source: &str) -> String {
    source
        .lines()
        .skip_while(|line| line.starts_with("//!") || line.is_empty())
        .fold(String::new(), |all, line| all + line + "\n")
}

fn server_differs(page: &str, source: &str) -> Vec<Problem> {
    let what =
        "must show examples/server.rs in a ```rust block, all of it below the `//!` lines: copy it again";
    let shown = page.contains(&format!("```rust\n{}```\n", program(source)));
    if shown { Vec::new() } else { vec![Problem::new("README.md", what)] }
}

/// What a `diff` block of the page makes of the first program is the second, by few lines.
fn diff_differs(page: &str, before: &str, after: &str) -> Vec<Problem> {
    let what = "must show how compat/service/examples/hello_plain.rs becomes hello.rs in a ```diff block: all \
        lines below their `//!` lines, and at most 5 that are new";
    let block = page.split("```diff\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap_or("");
    let lines: Vec<&str> = block.lines().map(|line| line.strip_prefix("   ").unwrap_or(line)).collect();
    let without = |sign| {
        let left = lines.iter().filter(|line| !line.starts_with(sign) && !line.trim_start().is_empty());
        left.map(|line| line[1..].to_owned() + "\n").collect::<String>()
    };
    let dense = |source| {
        program(source).lines().filter(|l| !l.is_empty()).map(|l| l.to_owned() + "\n").collect::<String>()
    };
    let new = lines.iter().filter(|line| line.starts_with('+')).count();
    let shown = without('+') == dense(before) && without('-') == dense(after) && new <= 5;
    if shown { Vec::new() } else { vec![Problem::new("README.md", what)] }
}

/// What a newcomer is told to run is what CI runs.
fn commands_missing(page: &str, ci: &str) -> Vec<Problem> {
    let commands = ["cargo test --workspace", "cargo run --release --example drain"];
    let missing = |place: &'static str, text: &str| {
        let missing = commands.iter().filter(|command| !text.contains(**command));
        missing.map(|command| Problem::new(place, format!("does not run `{command}`"))).collect::<Vec<_>>()
    };
    missing("README.md", page).into_iter().chain(missing(".ci/run", ci)).collect()
}

/// What the scorecard wrote into the front page is as it wrote it: its first line has the FNV-1a of the block.
fn figures_edited(page: &str) -> Vec<Problem> {
    let block =
        page.split_once("<!-- scorecard ").and_then(|(_, rest)| rest.split_once("<!-- end of scorecard -->"));
    let parts = block.and_then(|(block, _)| block.split_once(" -->"));
    let hash = |text: &str| {
        text.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
        })
    };
    let what = "has figures that `cargo bench -p asupersync-scheduler --bench scorecard -- --readme` did not write: \
                nobody else does";
    let written = parts.is_some_and(|(written, figures)| written == format!("{:016x}", hash(figures)));
    if written { Vec::new() } else { vec![Problem::new("README.md", what)] }
}

#[test]
fn the_figures_of_the_front_page_are_those_of_the_scorecard() {
    settle("figures", figures_edited(files::text("README.md")));
}

#[test]
fn links_lead_somewhere() {
    let pages = files::all().iter().filter(|file| file.path.ends_with(".md"));
    settle(
        "links",
        pages.flat_map(|page| broken_links(page, |path| files::root().join(path).exists())).collect(),
    );
}

#[test]
fn the_front_page_shows_the_server_that_runs() {
    settle("server", server_differs(files::text("README.md"), files::text("examples/server.rs")));
}

#[test]
fn the_front_page_shows_how_little_it_takes_to_move_a_service() {
    let example = |name| files::text(&format!("compat/service/examples/{name}.rs")).to_owned();
    let (before, after) = (example("hello_plain"), example("hello"));
    settle("diff", diff_differs(files::text("README.md"), &before, &after));
}

#[test]
fn ci_runs_what_the_front_page_tells_to_run() {
    settle("commands", commands_missing(files::text("README.md"), files::text(".ci/run")));
}

#[test]
fn offences_are_caught() {
    let text = "[a](b.md) [c](../d.md#e) [f](#g) [h](https://i/j)\n```\n[k](l)\n```\n[m](n \"title\")\n";
    let found = broken_links(&File::new("docs/page.md", text), |path| path == "docs/../d.md");
    crate::objects(&found, &["docs/page.md:1: links to `b.md`", "docs/page.md:5: links to `n`"]);

    let source = "//! A server.\n\nfn main() {}\n";
    crate::objects(&server_differs("x\n```rust\nfn main() {}\n```\n", source), &[]);
    let page = "x\n   ```diff\n    same\n   -old\n   +new\n   ```\n";
    crate::objects(&diff_differs(page, "//! A.\n\nsame\nold\n", "//! B.\n\nsame\nnew\n"), &[]);
    crate::objects(&diff_differs(page, "same\nold\n", "same\nnewer\n"), &["README.md: must show"]);
    crate::objects(&server_differs("x\n```rust\nfn main() { }\n```\n", source), &["README.md: must show"]);

    // The FNV-1a of `a`, as published.
    let page = |figures| format!("x <!-- scorecard af63dc4c8601ec8c -->{figures}<!-- end of scorecard --> y");
    crate::objects(&figures_edited(&page("a")), &[]);
    crate::objects(&figures_edited(&page("b")), &["README.md: has figures"]);
    crate::objects(&figures_edited("x"), &["README.md: has figures"]);

    let run = "cargo test --workspace\n";
    crate::objects(&commands_missing(run, ""), &["README.md", ".ci/run", ".ci/run"]);
}
