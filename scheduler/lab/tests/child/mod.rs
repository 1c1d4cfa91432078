//! One test of this binary in a process of its own, which is to fail; and a program that does.

use std::process::Command;
use std::sync::Arc;

use asupersync_core::sync::Mutex;
use asupersync_core::{Cx, Outcome};

/// Two tasks that take two locks, the one in the other's order.
#[allow(dead_code, reason = "not all tests want a deadlock")]
pub(crate) async fn crosswise(cx: &Cx) -> Outcome {
    let forks = [0, 1].map(|_| Arc::new(Mutex::new(())));
    let philosopher = |name: &str, first: usize, second: usize| {
        let (first, second) = (forks[first].clone(), forks[second].clone());
        cx.spawn(name, async move |cx| {
            let _first = first.lock(cx).await?;
            cx.yield_now().await?;
            let _second = second.lock(cx).await?;
            Ok(())
        })
    };
    let (plato, kant) = (philosopher("plato", 0, 1), philosopher("kant", 1, 0));
    plato.join().await?;
    kant.join().await
}

/// What this binary says when it runs one ignored test with these variables set.
pub(crate) fn said(test: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().expect("this is a program"));
    command.args([test, "--exact", "--ignored", "--nocapture"]);
    command.env_remove("ASUPERSYNC_LAB_REPLAY").env("RUST_BACKTRACE", "0");
    let output = command.envs(variables.iter().copied()).output().expect("it runs");
    let text = String::from_utf8(output.stderr).expect("it is text");
    assert_eq!(output.status.code(), Some(101), "{text}");
    text
}

/// The line to replay in what was said.
#[allow(dead_code, reason = "not all tests replay")]
pub(crate) fn line(text: &str) -> &str {
    let (_, rest) = text.split_once("ASUPERSYNC_LAB_REPLAY='").expect("a line to replay");
    rest.split_once('\'').expect("its end").0
}
