//! Help texts, made from the tables of flags and rules.

use super::flags::{Command, FLAGS, Flag};
use crate::rules;
use std::fmt::Write;

/// `-h`: of the whole program, or of one command.
pub(super) fn help(command: Option<Command>) -> String {
    match command {
        None => overview(),
        Some(command) => of(command),
    }
}

fn overview() -> String {
    let mut out = String::from(
        "\
Finds unscoped task spawns and their kin in Tokio code, without building it.

Usage: cargo migrate-lint [COMMAND] [OPTIONS] [PATH]

PATH is a workspace or package directory, a Cargo.toml, or a single .rs file;
without it, the nearest Cargo.toml here or above.

Commands:
",
    );
    for command in Command::ALL {
        let _ = writeln!(out, "  {:9} {}", command.name(), command.summary());
    }
    out.push_str("\nOptions of check:\n");
    options(Command::Check, &mut out);
    out.push_str("\nRules:\n");
    out.push_str(&rules_list());
    out.push_str(
        "
Exit status: 0 nothing new, 1 findings, 2 the run could not be completed.
`cargo migrate-lint COMMAND --help` tells more of a command, `explain RULE` of a
rule. Suppress a finding with `// migrate-lint: allow(RULE) reason`.
",
    );
    out
}

fn of(command: Command) -> String {
    let summary = command.summary().trim_end_matches(" (the default)");
    let mut out = format!("{summary}\n\nUsage: cargo migrate-lint {} [OPTIONS]", command.name());
    if !command.operand().is_empty() {
        let _ = write!(out, " {}", command.operand());
    }
    out.push('\n');
    if !command.details().is_empty() {
        let _ = write!(out, "\n{}\n", command.details());
    }
    out.push_str("\nOptions:\n");
    options(command, &mut out);
    if command == Command::Check {
        out.push_str("\nExit status: 0 nothing new, 1 findings, 2 the run could not be completed.\n");
    }
    out
}

fn options(command: Command, out: &mut String) {
    for flag in FLAGS.iter().filter(|flag| flag.of.contains(&command)) {
        let _ = writeln!(out, "{:25} {}", spelled(flag), flag.help);
    }
    let _ = writeln!(out, "{:25} This text", "  -h, --help");
    let _ = writeln!(out, "{:25} The version", "  -V, --version");
}

fn spelled(flag: &Flag) -> String {
    let short = flag.short.map_or("    ".into(), |c| format!("-{c}, "));
    let value = flag.value.map_or(String::new(), |name| format!(" {name}"));
    format!("  {short}--{}{value}", flag.long)
}

/// Rules with level and summary, one a line.
pub(super) fn rules_list() -> String {
    let width = rules::ALL.iter().map(|rule| rule.name.len()).max().unwrap_or(0);
    let mut out = String::new();
    for rule in rules::ALL {
        let _ = writeln!(out, "  {:width$}  {:4}  {}", rule.name, rule.level.name(), rule.summary);
    }
    out
}
