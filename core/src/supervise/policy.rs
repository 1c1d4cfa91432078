//! What a supervisor does about a child that ended: whose turn it is (strategy), and whether to
//! start it again at all (restart kind). The words are those of Erlang/OTP.

use std::fmt;

use crate::cancel::ReasonKind;
use crate::outcome::{Failure, Outcome};

/// Which children are started again when one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Strategy {
    /// That one only.
    #[default]
    OneForOne,
    /// All of them: the others are stopped, last started first, then all start in order.
    OneForAll,
    /// That one and those started after it, which may depend on it.
    RestForOne,
    /// That one only, among many that know nothing of each other: there is no order, so all are
    /// stopped at once, and a child that is done is forgotten. What a step costs does not grow with
    /// the number of children.
    SimpleOneForOne,
}

impl Strategy {
    /// A restart concerns others too.
    pub(super) fn is_grouped(self) -> bool {
        matches!(self, Strategy::OneForAll | Strategy::RestForOne)
    }
}

/// When a child that ended by itself is started again.
///
/// | the child | permanent | transient | temporary |
/// |---|---|---|---|
/// | returned `Ok` | again | done | done |
/// | was asked to stop, by others than its supervisor | again | done | done |
/// | returned an error, was cancelled otherwise, panicked | again | again | done |
///
/// "Asked to stop" is a cancellation whose reason is `UserRequest` or `Shutdown`; a timeout, say,
/// is not: nobody wanted the child to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Restart {
    /// Always.
    #[default]
    Permanent,
    /// If it ended abnormally.
    Transient,
    /// Never, not even together with others: one that is stopped for their sake is forgotten.
    Temporary,
}

impl Restart {
    pub(super) fn applies(self, abnormal: bool) -> bool {
        match self {
            Restart::Permanent => true,
            Restart::Transient => abnormal,
            Restart::Temporary => false,
        }
    }
}

/// An end that nobody asked for, and that is not a value.
pub(super) fn is_abnormal(outcome: &Outcome) -> bool {
    match outcome {
        Ok(()) => false,
        Err(Failure::Cancelled(cancelled)) => {
            !matches!(cancelled.reason().kind(), ReasonKind::UserRequest | ReasonKind::Shutdown)
        }
        Err(_) => true,
    }
}

/// Names a child within its supervisor, through all its restarts; never used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChildId(pub(super) u64);

impl ChildId {
    /// The number behind the name: children added later have greater ones.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Debug for ChildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cancel::{Cancelled, Reason};
    use crate::outcome::{Error, Panic};

    #[test]
    fn ends_are_told_apart() {
        let cancelled = |kind| Err(Failure::Cancelled(Cancelled::new(Reason::new(kind))));
        assert!(!is_abnormal(&Ok(())));
        assert!(is_abnormal(&Err(Failure::Err(Error::msg("x")))));
        assert!(is_abnormal(&Err(Failure::Panicked(Panic::new(Box::new("x"))))));
        assert!(!is_abnormal(&cancelled(ReasonKind::UserRequest)));
        assert!(!is_abnormal(&cancelled(ReasonKind::Shutdown)));
        for kind in [ReasonKind::Deadline, ReasonKind::SiblingFailed, ReasonKind::ClientDisconnected] {
            assert!(is_abnormal(&cancelled(kind)), "{kind:?}");
        }
    }
}
