//! What is told of a root on a Tokio runtime whose every worker is stuck.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;

use asupersync_compat::hosted;
use asupersync_core::region::dump::{Dump, TaskState};
use asupersync_core::{Cx, Outcome};
use tokio::runtime;

fn is_stuck(dump: &Dump) -> bool {
    let mut tasks = dump.regions.iter().flat_map(|region| &region.tasks);
    tasks.any(|task| &*task.name == "stuck" && task.state == TaskState::Running)
}

fn until_stuck(root: &hosted::Builder) {
    while !root.dump().iter().any(is_stuck) {
        thread::yield_now();
    }
}

#[test]
fn any_thread_may_ask() {
    let root = hosted::Builder::default();
    assert!(root.dump().is_empty());
    let (watched, (end, release)) = (root.clone(), mpsc::channel::<()>());
    let run = thread::spawn(move || {
        let tokio = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (outcome, _) = tokio.block_on(root.run_with_report(async move |cx: &Cx| {
            drop(cx.spawn("stuck", async move |_: &Cx| {
                let _ = release.recv();
            }));
            Ok(())
        }));
        outcome
    });
    until_stuck(&watched);
    drop(end);
    run.join().expect("it does not panic").expect("the body succeeds");
    assert!(watched.dump().is_empty());
}

/// The child; does nothing in the parent.
#[test]
fn part() {
    if std::env::var_os("CHILD").is_none() {
        return;
    }
    let tokio = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let root = hosted::Builder::default().dump_on_sigusr1(true);
    let watched = root.clone();
    thread::spawn(move || {
        until_stuck(&watched);
        println!("stuck");
    });
    let (outcome, _) = tokio.expect("a runtime").block_on(root.run_with_report(async |cx: &Cx| -> Outcome {
        drop(cx.spawn("stuck", async |_: &Cx| {
            let mut line = String::new();
            std::io::stdin().read_line(&mut line)?;
            Ok(())
        }));
        Ok(())
    }));
    outcome.expect("the body succeeds");
    std::process::exit(7);
}

#[test]
fn sigusr1_prints_the_tree() {
    let mut child = Command::new(std::env::current_exe().expect("a path"))
        .args(["--exact", "part", "--nocapture", "--test-threads=1"])
        .env("CHILD", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a child");
    let mut stdin = child.stdin.take().expect("piped");
    let mut out = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
    let mut err = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
    out.find(|line| line.ends_with("stuck")).expect("the child runs");
    let sent = Command::new("kill").args(["-USR1", &child.id().to_string()]).status();
    assert!(sent.expect("kill runs").success());
    let task = err.find(|line| line.contains("task `stuck`")).expect("a dump");
    assert!(task.contains(" running") && task.contains("hosted_dump.rs:"), "{task}");
    stdin.write_all(b"go on\n").expect("it reads");
    assert_eq!(child.wait().expect("it ends").code(), Some(7));
}
