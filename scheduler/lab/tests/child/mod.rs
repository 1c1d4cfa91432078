//! One test of this binary in a process of its own, which is to fail.

use std::process::Command;

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
