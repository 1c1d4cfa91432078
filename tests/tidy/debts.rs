//! What offends against a rule today and is known to. The list may only get shorter: an entry that
//! no longer matches anything fails its rule until it is taken out.

use crate::Problem;

/// One known offence.
pub(crate) struct Debt {
    pub(crate) rule: &'static str,
    /// The start of the problem's place.
    pub(crate) place: &'static str,
    /// A part of what the rule says, where one file has several.
    pub(crate) says: &'static str,
    /// How it is to be paid.
    pub(crate) remedy: &'static str,
}

const fn debt(rule: &'static str, place: &'static str, says: &'static str, remedy: &'static str) -> Debt {
    Debt { rule, place, says, remedy }
}

/// All of them.
pub(crate) const DEBTS: &[Debt] = &[
    debt("order", "core/src/cx.rs", "crate::spawn::Task", "give TaskFn and TaskOutput a file above cx"),
    debt("order", "core/src/cx.rs", "combinator::shield", "make Cx::shield a method in combinator"),
    debt("order", "core/src/region/finalizer.rs", "tree::Node", "move what runs finalizers below tree"),
    debt("order", "core/src/region/finalizer.rs", "tree::arm_drain", "move what runs finalizers below tree"),
    debt("order", "core/src/region/report.rs", "tree::Verdict", "give Verdict a file above report"),
    debt(
        "order",
        "core/src/region/tree.rs",
        "which `region` below",
        "give Close, OnFailure, Policy a file above tree",
    ),
    debt("order", "core/src/timer.rs", "crate::cx::Cx", "move the owned timer's use of Cx below cx"),
    debt("reasons", "compat/Cargo.toml", "tower-service", "give it a line of its own"),
    debt("reasons", "migrate-lint/Cargo.toml", "serde_json", "give it a line of its own"),
    debt("machine paths", "migrate-lint/src/render/mod.rs", "", "test with another absolute path"),
    debt("heads", "scheduler/src/idle.rs", "", "write its first line as //!, above the included page"),
];

/// What `rule` says, without the known debts and with the debts that are paid.
pub(crate) fn unsettled(rule: &str, problems: &[Problem], debts: &[Debt]) -> Vec<String> {
    let covers = |debt: &Debt, problem: &Problem| {
        debt.rule == rule && problem.place.starts_with(debt.place) && problem.what.contains(debt.says)
    };
    let new = problems.iter().filter(|problem| !debts.iter().any(|debt| covers(debt, problem)));
    let paid = debts
        .iter()
        .filter(|debt| debt.rule == rule && !problems.iter().any(|problem| covers(debt, problem)));
    let paid = paid.map(|debt| {
        format!("{} ({}) no longer offends: take its line out of tests/tidy/debts.rs", debt.place, debt.says)
    });
    new.map(ToString::to_string).chain(paid).collect()
}

#[test]
fn debts_cover_what_they_name_and_no_more() {
    let debts = [debt("r", "a.rs", "x", "y"), debt("r", "b.rs", "", "y"), debt("other", "c.rs", "", "y")];
    let problems = [Problem::at("a.rs", 3, "an x"), Problem::at("a.rs", 4, "a z")];
    let left = unsettled("r", &problems, &debts);
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(left[0].starts_with("a.rs:4") && left[1].starts_with("b.rs"), "{left:?}");
    assert!(DEBTS.iter().all(|debt| !debt.remedy.is_empty()));
}
