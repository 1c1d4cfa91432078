//! What is not written where: the world in core, unfinished code, sleeps in tests, machine paths.

use crate::files::{self, File};
use crate::{Problem, lex, settle};

/// What core may take from the modules of `std` that reach the world.
const VALUES: &[(&str, &[&str])] = &[
    ("thread", &[]),
    ("fs", &[]),
    ("env", &[]),
    ("process", &["ExitCode", "Termination"]),
    (
        "net",
        &[
            "AddrParseError",
            "IpAddr",
            "Ipv4Addr",
            "Ipv6Addr",
            "Shutdown",
            "SocketAddr",
            "SocketAddrV4",
            "SocketAddrV6",
            // what a user has opened, handed on to the host
            "UdpSocket",
        ],
    ),
];

/// What opens a socket of a type that core may name.
const OPENS: &[&str] = &["UdpSocket::bind"];

/// Clocks under any path.
const CLOCKS: &[&str] = &["Instant", "SystemTime"];

/// Core has no thread, clock or syscall: those are the host's. Its tests may.
fn impure(file: &File) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut object = |line, name: &str| {
        let what =
            format!("core is pure, and `{name}` reaches the world: ask the host for it (core/src/host.rs)");
        if line < file.tests_from() {
            problems.push(Problem::at(&file.path, line, what));
        }
    };
    for path in lex::paths(&file.code, &["std"]) {
        let allowed = VALUES.iter().find(|(module, _)| path.segments[1] == *module);
        let name = path.segments.get(2).map_or("", String::as_str);
        if allowed.is_some_and(|(_, values)| !values.contains(&name)) {
            object(path.line, &path.segments.join("::"));
        }
    }
    for (line, code) in file.code_lines() {
        for word in CLOCKS.iter().chain(OPENS).filter(|word| lex::has_word(code, word)) {
            object(line, word);
        }
    }
    problems
}

/// Code that is not there yet says so in words, not in a panic; a skipped test says why.
fn unfinished(file: &File) -> Vec<Problem> {
    let lines = file.code_lines().flat_map(|(line, code)| {
        let macros = ["todo!", "unimplemented!", "dbg!"].into_iter().filter(|name| lex::has_word(code, name));
        let macros =
            macros.map(|name| format!("`{name}`: finish it, or leave it out and say so in the docs"));
        let ignored = code
            .contains("#[ignore]")
            .then(|| "a test is skipped without a reason: write `#[ignore = \"why\"]`".to_owned());
        macros.chain(ignored).map(move |what| Problem::at(&file.path, line, what)).collect::<Vec<_>>()
    });
    lines.collect()
}

/// The comment that a sleep in a test needs, on its line or on the line above.
const WAIT: &str = "// a wait, not a synchronisation: ";

/// A test that sleeps in order to be right is wrong on a slow day.
fn sleeps(file: &File) -> Vec<Problem> {
    let lines: Vec<&str> = file.text.lines().collect();
    let excused = |line: usize| {
        let reason = |text: &str| text.split_once(WAIT).is_some_and(|(_, why)| !why.trim().is_empty());
        reason(lines[line - 1]) || line > 1 && reason(lines[line - 2])
    };
    let sleep = |code: &str| {
        ["thread::sleep", "thread::park_timeout", "time::sleep", "time::sleep_until"]
            .iter()
            .any(|name| lex::has_word(code, name))
    };
    let mut found: Vec<usize> =
        file.code_lines().filter(|(_, code)| sleep(code)).map(|(line, _)| line).collect();
    let grouped =
        lex::paths(&file.code, &["std", "tokio"]).into_iter().filter(|path| sleep(&path.segments.join("::")));
    found.extend(grouped.map(|path| path.line));
    found.sort_unstable();
    found.dedup();
    let in_tests = found.into_iter().filter(|&line| line > file.tests_from() && !excused(line));
    let what = format!("a test sleeps: wait for what should happen, or say `{WAIT}why` above");
    in_tests.map(|line| Problem::at(&file.path, line, &what)).collect()
}

/// Paths of one machine, put together here so that this file has none.
const MACHINE: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/tm", "p/")];

fn machine_paths(file: &File) -> Vec<Problem> {
    let here = |line: &str| {
        MACHINE.iter().find(|path| {
            line.match_indices(**path).any(|(at, _)| {
                let before = line[..at].chars().next_back();
                !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '}'))
            })
        })
    };
    let found = (1..).zip(file.text.lines()).filter_map(|(line, text)| Some((line, here(text)?)));
    let what =
        |path| format!("`{path}` is a path of one machine: use a temporary directory, or a relative path");
    found.map(|(line, path)| Problem::at(&file.path, line, what(path))).collect()
}

#[test]
fn core_is_pure() {
    settle(
        "pure",
        files::rust().filter(|file| file.path.starts_with("core/src/")).flat_map(impure).collect(),
    );
}

#[test]
fn nothing_is_left_unfinished() {
    settle("unfinished", files::house().flat_map(unfinished).collect());
}

#[test]
fn tests_do_not_sleep() {
    settle("sleeps", files::house().flat_map(sleeps).collect());
}

#[test]
fn no_file_names_a_machine() {
    settle("machine paths", files::all().iter().flat_map(machine_paths).collect());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects;

    fn rust(text: &str) -> File {
        File::new("a/tests/x.rs", text)
    }

    fn core(code: &str) -> File {
        File::new("core/src/x.rs", code)
    }

    #[test]
    fn the_world_in_core_is_caught() {
        let fine =
            "use std::{net::{SocketAddr, Shutdown}, process::ExitCode, time::Duration}; // std::thread\n";
        objects(&impure(&core(fine)), &[]);
        objects(&impure(&rust("std::thread::spawn(f);")), &[]);
        let offences = "use std::{thread, net::{SocketAddr, TcpStream}};\nstd::fs::read(x);\nuse std::process;\n\
                        use std::net::ToSocketAddrs;\nlet t = time::Instant::now();\nuse std::net::*;\n\
                        let socket = net::UdpSocket::bind(addr);";
        let wanted = [
            "std::thread",
            "net::TcpStream",
            "std::fs",
            "std::process",
            "ToSocketAddrs",
            "net::*",
            "Instant",
            "UdpSocket::bind",
        ];
        objects(&impure(&core(offences)), &wanted);
    }

    #[test]
    fn unfinished_code_is_caught() {
        let text =
            "todo!()\nunimplemented!(\"x\")\ndbg!(x);\n#[ignore]\n#[ignore = \"slow\"]\n// todo!()\n\"dbg!\"";
        objects(&unfinished(&rust(text)), &["x.rs:1: `todo!", "x.rs:2", "x.rs:3", "x.rs:4: a test"]);
    }

    #[test]
    fn a_sleep_is_caught() {
        let text = "std::thread::sleep(d);\nuse tokio::time::{self, sleep};\n// a wait, not a synchronisation: a slow peer\n\
                    thread::sleep(d);\nthread::sleep(d); // a wait, not a synchronisation: \n";
        objects(&sleeps(&rust(text)), &["x.rs:1", "x.rs:2", "x.rs:5"]);
        let late = "thread::sleep(d);\n#[cfg(test)]\nmod tests {\n    thread::sleep(d);\n}";
        objects(&sleeps(&File::new("a/src/x.rs", late)), &["x.rs:4"]);
    }

    #[test]
    fn a_machine_path_is_caught() {
        let text = MACHINE.iter().map(|path| format!("cd {path}x\nhttp://host{path}x\n")).collect::<String>();
        objects(&machine_paths(&File::new("a.md", text)), &["a.md:1", "a.md:3", "a.md:5"]);
    }
}
