//! What must be shown.

use crate::client::Shown;
use crate::work::YIELDS;

/// The tasks of `work::Work`, and where in its region tree each is.
const TASKS: &[(&str, &str)] = &[
    ("listener", ""),
    ("yields", ""),
    ("job", ""),
    ("reader", "/connections"),
    ("accepts", "/connections"),
    ("handler", "/connections"),
];

/// Those that end by themselves.
const SHORT: &[&str] = &["yields", "accepts"];

/// The tasks by name, of which exactly one each must be shown.
fn each<'a>(tasks: &[&'a Shown], host: &str) -> Result<Vec<(&'static str, &'a Shown)>, String> {
    let named = TASKS.iter().map(|&(name, within)| {
        let region = format!("root/{host}{within}");
        let is = |task: &&&Shown| task.field("task.name") == name && task.field("region") == region;
        let found: Vec<_> = tasks.iter().filter(is).collect();
        match found[..] {
            [task] => Ok((name, *task)),
            _ => Err(format!("`{name}` in region `{region}` is shown {} times", found.len())),
        }
    });
    named.collect()
}

fn all(conditions: &[(&str, bool)], of: &str, task: &Shown) -> Result<(), String> {
    match conditions.iter().find(|(_, met)| !met) {
        None => Ok(()),
        Some((what, _)) => Err(format!("`{of}` is not shown {what}: {task:#?}")),
    }
}

/// While the program is at work.
pub(crate) fn at_work(tasks: &[&Shown], host: &str) -> Result<(), String> {
    for (name, task) in each(tasks, host)? {
        let job = name == "job";
        let conditions = [
            ("with its kind", task.field("kind") == if job { "blocking" } else { "task" }),
            ("with the line that spawned it", task.file.ends_with("work.rs") && task.line > 0),
            ("as polled", task.polls() > 0),
            ("as what it is, alive or completed", task.is_completed() == SHORT.contains(&name)),
            ("as busy while its job runs", task.is_running() == job),
            (
                "with every yield",
                name != "yields" || task.polls() > YIELDS && task.stats.self_wakes >= YIELDS,
            ),
        ];
        all(&conditions, name, task)?;
    }
    Ok(())
}

/// After it has ended.
pub(crate) fn ended(tasks: &[&Shown], host: &str) -> Result<(), String> {
    for (name, task) in each(tasks, host)? {
        all(&[("as completed", task.is_completed())], name, task)?;
    }
    Ok(())
}
