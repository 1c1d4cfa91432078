//! `unbounded_channel`: a queue that grows as long as its reader is slower
//! than its writers.

use crate::facts::{Facts, Offence};
use crate::rule::{Diagnosis, Level, Rule};

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "unbounded_channel",
    level: Level::Info,
    summary: "a channel that never makes its senders wait",
    page: include_str!("../../docs/unbounded_channel.md"),
    watched: WATCHED,
    check,
};

const WATCHED: &[&str] = &[
    "asupersync::channel::mpsc::unbounded",
    "asupersync_core::channel::mpsc::unbounded",
    "async_channel::unbounded",
    "flume::unbounded",
    "futures::channel::mpsc::unbounded",
    "tokio::sync::mpsc::unbounded_channel",
];

fn check(facts: &Facts<'_, '_>, out: &mut Vec<Offence>) {
    for site in facts.calls(WATCHED).filter(|site| site.is_call && !site.in_test) {
        let diagnosis = Diagnosis {
            message: format!("`{}` makes a channel without bound", site.path().unwrap_or_default()),
            reason:
                "if its reader is slower than its writers, or has stopped, memory grows until there is none"
                    .into(),
            suggestion: "a bounded channel, whose senders wait".into(),
        };
        out.push(Offence::at_site(site, Level::Info, diagnosis));
    }
}
