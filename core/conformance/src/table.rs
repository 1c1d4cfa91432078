//! The failure table: what may go wrong, and the cases that try it, on every host that can.
//!
//! | row | where else it is tried, and where it cannot be |
//! |---|---|
//! | a task never yields | the lab has one thread, and so has Tokio's current-thread runtime: a poll that does not return stops both; nor has Tokio a stand-in when all its workers are stuck |
//! | from outside the runtime | the lab has no threads outside |
//! | the runtime is dropped in async code | native: `scheduler/tests/runtime.rs`; Tokio: `compat/tests/hosted_end.rs` |
//! | a signal comes twice | signals are the native host's: `scheduler/tests/signals.rs`; on Tokio they are the program's own |

/// One row: what goes wrong, and the cases that try it, as `theme/case`.
pub type Row = (&'static str, &'static [&'static str]);

/// All rows.
pub const ROWS: &[Row] = &[
    ("the body returns early", &["life/body_returns_early_and_children_are_cancelled_and_awaited"]),
    ("a child panics", &["failures/a_panic_of_a_child_is_told", "failures/a_panic_while_draining_is_told"]),
    ("a finalizer panics", &["finalizers/a_panic_in_one_does_not_skip_the_next"]),
    (
        "a finalizer never ends",
        &[
            "finalizer_budgets/one_that_never_ends_leaves_time_for_the_others",
            "finalizer_budgets/one_that_never_ends_leaves_time_for_the_parents",
            "stuck/a_stuck_finalizer_is_reported_bounded",
        ],
    ),
    (
        "a task never yields",
        &[
            "stuck/a_task_that_never_yields_is_abandoned_bounded",
            "stuck/more_stuck_tasks_than_workers_bounded",
        ],
    ),
    (
        "a future is dropped while its region is open",
        &[
            "orphans/a_dropped_open_is_reparented",
            "orphans/a_dropped_open_runs_its_finalizers",
            "orphans/a_dropped_open_within_a_dropped_open",
            "orphans/one_left_in_a_drain_ends_with_it",
            "orphans/one_left_deep_inside_is_reached_from_around",
        ],
    ),
    ("a cancel is requested twice", &["closing/a_request_is_idempotent"]),
    ("nested", &["closing/a_nested_request_reaches_the_innermost"]),
    ("by a child", &["closing/a_child_may_ask_for_its_siblings"]),
    (
        "from outside the runtime",
        &["foreign/a_request_from_a_thread_is_heard", "foreign/requests_from_many_threads_end_once"],
    ),
    ("during Finalize", &["closing/a_request_during_finalize_does_not_reach_finalizers"]),
    (
        "a spawn after Request",
        &["life/spawn_after_request_is_refused", "life/spawn_in_a_requested_scope_is_refused"],
    ),
    ("a runtime in a runtime", &["misuse/a_run_inside_a_task_is_a_panic_that_says_so"]),
    (
        "a budget of zero",
        &[
            "closing/a_budget_of_zero_still_runs_finalizers",
            "budgets/a_limit_of_zero_is_seen_by_the_first_operation",
        ],
    ),
    (
        "a deadline in the past",
        &[
            "closing/a_budget_that_is_a_past_deadline",
            "budgets/a_deadline_in_the_past_is_seen_by_the_first_operation",
            "scopes/a_deadline_in_the_past_requests_at_once",
        ],
    ),
    (
        "an obligation is forgotten",
        &[
            "obligations/what_is_left_is_aborted_after_the_finalizers_and_reported",
            "obligations/what_is_left_is_aborted_when_the_root_is_given_up",
        ],
    ),
    (
        "a million children",
        &["scale/a_million_children_that_end", "scale/a_million_children_that_are_cancelled"],
    ),
    ("ten thousand levels", &["scale/a_tree_ten_thousand_deep", "scale/a_deep_tree_that_is_forced_out"]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::THEMES;

    #[test]
    fn every_row_has_cases_and_there_are_such() {
        for (row, cases) in ROWS {
            assert!(!cases.is_empty(), "{row}");
            for name in *cases {
                let (theme, case) = name.split_once('/').expect("theme/case");
                let theme = THEMES.iter().find(|it| it.name == theme).unwrap_or_else(|| panic!("{name}"));
                assert!(theme.cases.iter().any(|it| it.name == case), "{row}: there is no {name}");
            }
        }
    }
}
