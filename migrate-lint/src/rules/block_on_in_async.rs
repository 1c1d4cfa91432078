//! `block_on_in_async`: a thread that is meant to run tasks is made to wait
//! for one.

use crate::facts::{Facts, Offence};
use crate::rule::{Diagnosis, Level, Rule};

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "block_on_in_async",
    level: Level::Deny,
    summary: "block_on where the code could await",
    page: include_str!("../../docs/block_on_in_async.md"),
    watched: WATCHED,
    check,
};

const WATCHED: &[&str] = &[
    "async_std::task::block_on",
    "futures::executor::block_on",
    "futures_lite::future::block_on",
    "pollster::block_on",
    "smol::block_on",
    "tokio::runtime::Handle::block_on",
    "tokio::runtime::LocalRuntime::block_on",
    "tokio::runtime::Runtime::block_on",
    "tokio::task::LocalSet::block_on",
];

fn check(facts: &Facts<'_, '_>, out: &mut Vec<Offence>) {
    for site in facts.calls(WATCHED).filter(|site| site.is_call && facts.is_async(site.at)) {
        let function = site.path().unwrap_or_default();
        let reason = if function.starts_with("tokio::") {
            "Tokio panics here: a thread of a runtime cannot wait for a future by blocking"
        } else {
            "the thread runs no other task meanwhile; if what is waited for needs one of those, it waits forever"
        };
        let diagnosis = Diagnosis {
            message: format!("`{function}` is called in async code"),
            reason: reason.into(),
            suggestion: "future.await".into(),
        };
        out.push(Offence::at_site(site, Level::Deny, diagnosis));
    }
}
