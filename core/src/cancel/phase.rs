//! How far a scope is in the protocol, as a pure step.
//!
//! `Clear -> Requested -> Spent`: a level never goes down. [`Standing::raise`] is the only
//! transition; it keeps the stronger reason and the earlier drain deadline, so asking twice,
//! nested, or in any order ends in the same standing.

use super::reason::Reason;
use crate::time::Time;

/// How far the cancel protocol has gone in a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// Nobody asked.
    Clear = 0,
    /// Request: operations that begin new work return `Cancelled`; work in flight goes on.
    Requested = 1,
    /// The drain budget is spent: every operation returns `Cancelled`, and what still waits after
    /// one more poll is dropped.
    Spent = 2,
}

impl Level {
    #[inline]
    pub(super) fn from_u8(byte: u8) -> Level {
        match byte {
            0 => Level::Clear,
            1 => Level::Requested,
            _ => Level::Spent,
        }
    }
}

/// Level, reason and drain deadline of one scope.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) level: Level,
    pub(crate) reason: Option<Reason>,
    /// When the drain budget ends; the host's clock decides, not this value.
    pub(crate) drain_until: Time,
}

impl Standing {
    pub(crate) const CLEAR: Standing = Standing { level: Level::Clear, reason: None, drain_until: Time::MAX };

    pub(crate) fn requested(reason: Reason, drain_until: Time) -> Self {
        Standing { level: Level::Requested, reason: Some(reason), drain_until }
    }

    pub(crate) fn spent(reason: Reason) -> Self {
        Standing { level: Level::Spent, reason: Some(reason), drain_until: Time::MAX }
    }

    /// The standing after `asked` came in on top of this one; `None` if nothing changes.
    #[must_use]
    pub(crate) fn raise(&self, asked: &Standing) -> Option<Standing> {
        let stronger = match (&self.reason, &asked.reason) {
            (Some(mine), Some(theirs)) => theirs.kind() > mine.kind(),
            (None, theirs) => theirs.is_some(),
            (Some(_), None) => false,
        };
        if asked.level <= self.level && asked.drain_until >= self.drain_until && !stronger {
            return None;
        }
        let reason = match (&self.reason, &asked.reason) {
            (Some(mine), Some(theirs)) if stronger && theirs.cause().is_none() => {
                Some(theirs.clone().caused_by(mine.clone()))
            }
            (_, theirs) if stronger => theirs.clone(),
            (mine, _) => mine.clone(),
        };
        Some(Standing {
            level: self.level.max(asked.level),
            reason,
            drain_until: self.drain_until.min(asked.drain_until),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cancel::ReasonKind::{self, *};

    fn asked(level: Level, kind: ReasonKind, until: u64) -> Standing {
        Standing { level, reason: Some(Reason::new(kind)), drain_until: Time::from_nanos(until) }
    }

    #[test]
    fn raising_is_idempotent_monotone_and_order_free() {
        let levels = [Level::Requested, Level::Spent];
        let kinds = [RaceLost, UserRequest, Shutdown];
        let all: Vec<Standing> =
            levels.iter().flat_map(|l| kinds.iter().flat_map(|k| [3, 9].map(|t| asked(*l, *k, t)))).collect();
        let apply = |s: &Standing, a: &Standing| s.raise(a).unwrap_or_else(|| s.clone());
        for a in &all {
            for b in &all {
                let ab = apply(&apply(&Standing::CLEAR, a), b);
                let ba = apply(&apply(&Standing::CLEAR, b), a);
                assert_eq!(ab.level, ba.level);
                assert_eq!(ab.drain_until, ba.drain_until);
                let kind = |s: &Standing| s.reason.as_ref().unwrap().kind();
                assert_eq!(kind(&ab), kind(&ba));
                assert!(ab.level >= a.level && kind(&ab) >= kind(a) && ab.drain_until <= a.drain_until);
                assert!(ab.raise(a).is_none() && ab.raise(b).is_none());
            }
        }
    }

    #[test]
    fn the_weaker_reason_becomes_the_cause() {
        let first = Standing::CLEAR.raise(&asked(Level::Requested, RaceLost, 1)).unwrap();
        let second = first.raise(&asked(Level::Requested, Shutdown, 1)).unwrap();
        let reason = second.reason.unwrap();
        assert_eq!(reason.kind(), Shutdown);
        assert!(reason.involves(RaceLost));
    }
}
