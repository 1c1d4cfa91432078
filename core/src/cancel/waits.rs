//! What a task awaits, gathered from its scope and those inside it.

use std::fmt;
use std::sync::atomic::AtomicU64;

use super::awaits::{Awaits, Notes};
use super::scope::ScopeRef;
use crate::time::Time;

/// What somebody waits for, as it was at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// What is awaited; empty if it does not wait. Several if the arms of a race or a join each wait.
    pub now: Vec<Wait>,
    /// What was awaited before, if that is over and nothing was noted in its place since.
    pub last: Option<Awaits>,
}

/// One wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// For what.
    pub awaits: Awaits,
    /// The deadline that it is under.
    pub deadline: Option<Time>,
}

impl Waits {
    fn add(&mut self, note: &AtomicU64, deadline: Time) {
        match note.noted() {
            None => {}
            // A signal is awaited in two scopes.
            Some(Ok(awaits)) if self.now.iter().any(|wait| wait.awaits == awaits) => {}
            Some(Ok(awaits)) => {
                // Most wait for one thing, and there may be a hundred thousand of them.
                self.now.reserve_exact(1);
                self.now.push(Wait { awaits, deadline: (deadline < Time::MAX).then_some(deadline) });
            }
            Some(Err(last)) => self.last = self.last.or(Some(last)),
        }
    }

    /// What somebody waits for in several places.
    pub(crate) fn merge(&mut self, other: Waits) {
        for wait in other.now {
            if self.now.iter().all(|own| own.awaits != wait.awaits) {
                self.now.push(wait);
            }
        }
        self.last = self.last.or(other.last);
    }

    /// Of whoever waits for certain.
    pub(crate) fn of_idle(mut self) -> Self {
        if self.now.is_empty() {
            self.now.push(Wait { awaits: Awaits::Unknown, deadline: None });
        }
        self
    }
}

/// For the end of a sentence that begins with *awaits*.
impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, wait) in self.now.iter().enumerate() {
            write!(f, "{}{}", if n > 0 { " or " } else { "" }, wait.awaits)?;
        }
        match (&self.last, self.now.first()) {
            (None, None) => f.write_str("nothing yet"),
            (Some(last), None) => write!(f, "nothing, but before that {last}"),
            (Some(last), Some(Wait { awaits: Awaits::Unknown, .. })) => write!(f, ", before that {last}"),
            (_, Some(_)) => Ok(()),
        }
    }
}

impl ScopeRef {
    /// What the task that polls in this scope awaits, here, inside, and by its own `note`.
    pub(crate) fn waits(&self, note: Option<&AtomicU64>) -> Waits {
        self.waits_with(note, &self.all_inside())
    }

    /// [`waits`](Self::waits), of a scope with these [inside](Self::all_inside).
    pub(crate) fn waits_with(&self, note: Option<&AtomicU64>, inside: &[ScopeRef]) -> Waits {
        let mut waits = Waits::default();
        waits.add(&self.note, self.urgency().deadline);
        if let Some(note) = note {
            waits.add(note, Time::MAX);
        }
        for scope in inside {
            waits.add(&scope.note, scope.urgency().deadline);
        }
        waits
    }
}
