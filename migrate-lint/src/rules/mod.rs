//! All rules.

mod abort_without_await;
mod ambient_authority;
mod block_on_in_async;
mod context;
mod detached_spawn;
mod detached_spawn_finite;
mod detached_spawn_in_test;
mod fixes;
mod forgotten_handle;
mod guard_across_await;
mod handle_stored_without_abort;
mod leaky_await;
mod no_graceful_shutdown;
mod operations;
mod permit_forgotten;
mod runtime_dropped_in_async;
mod select_not_cancel_safe;
mod spawn_blocking_uncancellable;
mod suppression;
mod timeout_around_write;
mod unbounded_channel;
mod uncancellable_loop;
mod words;

use crate::config::hint::hint;
use crate::rule::Rule;
pub use suppression::RULE as SUPPRESSION;
pub(crate) use suppression::{malformed, no_reason, unknown_rule, unused};

/// Every rule, those about tasks first.
pub const ALL: &[&Rule] = &[
    &detached_spawn::RULE,
    &detached_spawn_finite::RULE,
    &detached_spawn_in_test::RULE,
    &leaky_await::RULE,
    &handle_stored_without_abort::RULE,
    &forgotten_handle::RULE,
    &spawn_blocking_uncancellable::RULE,
    &select_not_cancel_safe::RULE,
    &timeout_around_write::RULE,
    &guard_across_await::RULE,
    &block_on_in_async::RULE,
    &runtime_dropped_in_async::RULE,
    &abort_without_await::RULE,
    &no_graceful_shutdown::RULE,
    &uncancellable_loop::RULE,
    &unbounded_channel::RULE,
    &ambient_authority::RULE,
    &permit_forgotten::RULE,
    &suppression::RULE,
];

/// What to say of a name that no rule has.
pub(crate) fn unknown(name: &str) -> String {
    let known: Vec<_> = ALL.iter().map(|rule| rule.name).collect();
    format!("there is no rule `{name}`{}", hint(name, "rules", &known))
}

/// The rule of this name.
pub fn find(name: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|rule| rule.name == name)
}
