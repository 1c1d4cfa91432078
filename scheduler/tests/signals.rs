//! Signals to a process of its own: one drains it, or tells whoever waits for it; a second one ends it
//! at once.
//!
//! The test starts its own executable again, as the child: the test named in `CHILD` then plays
//! that part instead of testing.

use std::future::Future;
use std::io::{BufRead, BufReader};
use std::pin::pin;
use std::process::{Child, Command, Stdio};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use asupersync_core::{Budget, Cx, Outcome};
use asupersync_scheduler::entry;

/// Starts this executable as the child that plays `part`, and waits until it says that it runs.
fn child(part: &str) -> (Child, impl Iterator<Item = String>) {
    let mut child = Command::new(std::env::current_exe().expect("a path"))
        .args(["--exact", "part", "--nocapture", "--test-threads=1"])
        .env("CHILD", part)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a child");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
    lines.find(|line| line.ends_with("ready")).expect("the child runs");
    (child, lines)
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(child.id().to_string()).status();
    assert!(sent.expect("kill runs").success());
}

/// The body of the children; does nothing in the parent.
#[test]
fn part() {
    let Ok(part) = std::env::var("CHILD") else { return };
    let body = async move |cx: &Cx| -> Outcome {
        if part == "watches" {
            return watches(cx).await;
        }
        let stuck = part == "stuck";
        drop(cx.spawn("task", async move |cx: &Cx| {
            cx.cancelled().await;
            println!("draining");
            if stuck {
                loop {
                    // a wait, not a synchronisation: a poll that never returns, and burns no CPU
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
            cx.finish(async |cx: &Cx| Ok(cx.sleep(Duration::from_millis(10)).await?)).await?;
            println!("drained");
            Ok(())
        }));
        cx.yield_now().await?;
        println!("ready");
        Ok(cx.sleep(Duration::from_secs(3600)).await?)
    };
    let ended = std::process::Termination::report(entry::main(entry::config().workers(1), body));
    let code = if ended == std::process::ExitCode::SUCCESS { 0 } else { 99 };
    std::process::exit(code);
}

/// Sees to its closing itself: the signal only tells.
async fn watches(cx: &Cx) -> Outcome {
    let task = cx.spawn("task", async |cx: &Cx| {
        cx.cancelled().await;
        println!("draining");
    });
    // In charge from the first poll on.
    let mut signal = pin!(cx.shutdown_signal());
    assert!(signal.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    println!("ready");
    println!("told of {}", signal.await.message().unwrap_or_default());
    assert!(!cx.is_cancelled() && !task.is_finished(), "the signal itself cancelled something");
    task.cancel(Budget::UNLIMITED).await
}

#[test]
fn one_signal_drains_and_exits_with_0() {
    for name in ["TERM", "INT"] {
        let (mut child, lines) = child("drains");
        signal(&child, name);
        let told: Vec<String> = lines.collect();
        assert_eq!(told, ["draining", "drained"], "SIG{name}");
        assert_eq!(child.wait().expect("it ends").code(), Some(0), "SIG{name}");
    }
}

#[test]
fn a_signal_that_somebody_waits_for_only_tells() {
    for name in ["TERM", "INT"] {
        let (mut child, lines) = child("watches");
        signal(&child, name);
        let told: Vec<String> = lines.collect();
        assert_eq!(told, [format!("told of SIG{name}").as_str(), "draining"]);
        assert_eq!(child.wait().expect("it ends").code(), Some(0), "SIG{name}");
    }
}

#[test]
fn a_second_signal_exits_at_once_though_a_task_is_stuck() {
    for (first, second, code) in [("INT", "INT", 130), ("TERM", "INT", 130), ("INT", "TERM", 143)] {
        let (mut child, mut lines) = child("stuck");
        signal(&child, first);
        assert_eq!(lines.next().as_deref(), Some("draining"));
        let begin = Instant::now();
        signal(&child, second);
        assert_eq!(child.wait().expect("it ends").code(), Some(code), "SIG{first}, SIG{second}");
        // Bounded: the budgets of the child are 15 seconds.
        assert!(begin.elapsed() < Duration::from_secs(5), "took {:?}", begin.elapsed());
    }
}
