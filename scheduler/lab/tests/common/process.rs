//! A test of this binary that fails on purpose, in a process of its own.

use std::process::Command;

/// What a test that is ignored says when it is run, with or without a line to replay.
pub(crate) fn said(test: &str, variables: &[(&str, &str)], replay: Option<&str>) -> String {
    let mut command = Command::new(std::env::current_exe().expect("this is a program"));
    command.args([test, "--exact", "--ignored", "--nocapture"]).env_remove("ASUPERSYNC_LAB_REPLAY");
    command.envs(variables.iter().copied());
    if let Some(line) = replay {
        command.env("ASUPERSYNC_LAB_REPLAY", line);
    }
    let output = command.env("RUST_BACKTRACE", "0").output().expect("it runs");
    let text = String::from_utf8(output.stderr).expect("it is text");
    assert!(!output.status.success(), "{text}");
    text
}

/// From the failure, which begins so, to the end of the timeline.
pub(crate) fn failure<'a>(text: &'a str, message: &str) -> &'a str {
    let begin = text.find(message).unwrap_or_else(|| panic!("no `{message}` in\n{text}"));
    let end = text.find("picture: ").unwrap_or_else(|| panic!("no picture in\n{text}"));
    &text[begin..end]
}

/// The line to replay.
pub(crate) fn line(text: &str) -> &str {
    let (_, rest) = text.split_once("ASUPERSYNC_LAB_REPLAY='").expect("a line to replay");
    rest.split_once('\'').expect("its end").0
}
