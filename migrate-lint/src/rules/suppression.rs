//! `suppression`: a suppression comment that does not do what it seems to.

use crate::facts::{Facts, Offence};
use crate::rule::{Diagnosis, Level, Rule};

/// The rule; it watches no function, the comments are checked after the
/// other rules ran.
pub const RULE: Rule = Rule {
    name: "suppression",
    level: Level::Warn,
    summary: "a suppression comment that has no effect",
    page: include_str!("../../docs/suppression.md"),
    watched: &[],
    check: nothing,
};

fn nothing(_: &Facts<'_, '_>, _: &mut Vec<Offence>) {}

/// The reason is missing.
pub(crate) fn no_reason() -> Diagnosis {
    Diagnosis {
        message: "this suppression gives no reason, so it has no effect".into(),
        reason: "without a reason nobody can tell later whether it still holds".into(),
        suggestion: "// migrate-lint: allow(rule) what makes this code right".into(),
    }
}

/// Not of the right form.
pub(crate) fn malformed() -> Diagnosis {
    Diagnosis {
        message: "this comment is not understood, so it has no effect".into(),
        reason: "a comment with a typo would otherwise be trusted".into(),
        suggestion: "// migrate-lint: allow(rule) what makes this code right".into(),
    }
}

/// The rule does not exist.
pub(crate) fn unknown_rule(name: &str) -> Diagnosis {
    let known: Vec<_> = super::ALL.iter().map(|rule| rule.name).collect();
    Diagnosis {
        message: format!("there is no rule `{name}`, so this suppression has no effect"),
        reason: "a comment with a typo would otherwise be trusted".into(),
        suggestion: format!("one of: {}", known.join(", ")),
    }
}

/// Nothing was there to suppress.
pub(crate) fn unused(name: &str) -> Diagnosis {
    Diagnosis {
        message: format!("nothing to suppress: `{name}` finds nothing here"),
        reason: "left in place, it would hide the next finding on this line".into(),
        suggestion: "remove the comment".into(),
    }
}
