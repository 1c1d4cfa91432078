//! `detached_spawn`: a task started with `tokio::spawn`.
//!
//! Every such task is reported: what becomes of its handle is not looked at
//! yet, so a handle that is awaited or aborted is reported as well.

use crate::load::index::{Argument, Form};
use crate::rule::{Diagnosis, Level, Rule, Subject};

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "detached_spawn",
    level: Level::Warn,
    summary: "a task started with `tokio::spawn` has no region that owns it",
    page: include_str!("../../docs/detached_spawn.md"),
    watched: &["tokio::spawn", "tokio::task::spawn"],
    diagnose,
};

fn diagnose(subject: &Subject<'_>) -> Diagnosis {
    let Subject { function, written, .. } = subject;
    let named = if written == function {
        format!("`{written}`")
    } else {
        format!("`{written}` (which is `{function}`)")
    };
    let name = subject.callee.unwrap_or("name");
    let (what, suggestion) = match subject.form {
        Form::Value => (
            "is passed on as a function; the tasks it starts have no owner",
            r#"|future| cx.spawn_future("name", future)"#.to_string(),
        ),
        Form::Call(argument) => (
            "starts a task that no region owns",
            match argument {
                Argument::AsyncBlock { moves: true } => r#"cx.spawn("name", async move |cx| { .. })"#.into(),
                Argument::AsyncBlock { moves: false } => r#"cx.spawn("name", async |cx| { .. })"#.into(),
                Argument::CallOf(_) => format!(r#"cx.spawn_future("{name}", {name}(..))"#),
                Argument::Other => r#"cx.spawn_future("name", future)"#.into(),
            },
        ),
    };
    Diagnosis {
        message: format!("{named} {what}"),
        reason: "the task goes on when the code that started it returns, fails or is cancelled; \
                 dropping its JoinHandle only detaches it"
            .into(),
        suggestion,
    }
}
