//! `examples/hang.rs` hangs as its head says, and is told of as the README says.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

#[path = "../examples/hang.rs"]
mod hang;

/// The example, in the child; does nothing in the parent.
#[test]
fn program() {
    if std::env::var_os("HANGS").is_some() {
        drop(hang::main());
    }
}

#[test]
fn a_signal_tells_why_it_hangs_and_the_watchdog_who_blocks() {
    let mut child = Command::new(std::env::current_exe().expect("a path"))
        .args(["--exact", "program", "--nocapture", "--test-threads=1"])
        .env("HANGS", "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a child");
    let id = child.id().to_string();
    let signal = |name: &str| {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(&id).status();
        assert!(sent.expect("kill runs").success());
    };
    let mut out = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
    let mut err = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
    out.find(|line| line.ends_with(&format!("kill -USR1 {id}"))).expect("the example tells what to do");

    let told = err.find(|line| line.contains("a poll has not returned for ")).expect("the watchdog barks");
    assert!(told.starts_with("asupersync: `blocks` (t") && told.contains(" in root, spawned at "), "{told}");

    // All of them wait soon, and stay so; until then there may be other dumps.
    let wanted = [
        "! in a circle: task `one` (t",
        "task `accountant` (t4) waiting for a future that knows no `Cx`",
        "waiting for a mutex (#1)",
        "and 999 more like it",
        "task `blocks` (t",
        " running; ",
        "region `upload` (r",
        "waiting for a timer, ",
    ];
    loop {
        signal("USR1");
        let mut dump = String::new();
        // The innermost region comes last.
        while !dump.contains("task `progress`") {
            dump += &err.next().expect("a dump");
            dump.push('\n');
        }
        if wanted.iter().all(|part| dump.contains(part)) {
            break;
        }
    }
    signal("INT");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}
