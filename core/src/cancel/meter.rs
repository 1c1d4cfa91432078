//! What is used inside of a scope, charged to its budget and to those around it.
//!
//! A scope has a quota only if a budget with polls or cost says so: a region's for its work, from
//! when it is opened; a drain's, from Request; a shield's and a finalizer's. A charge goes from
//! the scope in which something was used up to the root, and takes it from each quota on the way:
//! what holds a request back does not hold the bill back. Where there is no quota around, a charge
//! is one relaxed load.
//!
//! Invariants:
//! 1. A scope is `metered` from when it or one around it has a quota. A child inherits that under its
//!    parent's lock, and a quota that comes later marks what is below it under the same locks: a
//!    child either is found or inherits.
//! 2. A quota changes under its scope's lock, and whoever brings it to zero, and nobody else, tells.
//! 3. Nobody is told with a lock held.

use super::Level;
use super::scope::{Hold, Inner, Scope, ScopeRef};
use crate::budget::{Budget, Limit};
use crate::lock::lock;
use crate::primitive::Ordering;
use crate::time::Time;

impl Scope {
    /// It, or one around it, has a quota.
    #[inline]
    pub(crate) fn is_metered(&self) -> bool {
        self.metered.load(Ordering::Relaxed)
    }

    /// The quotas that count now. What holds all requests has no drain.
    fn left<'a>(&self, inner: &'a mut Inner) -> Option<&'a mut Budget> {
        let level = self.level_in(inner);
        let known = inner.known_mut()?;
        match level {
            Level::Requested | Level::Spent if self.hold != Hold::All => known.drain.as_mut(),
            _ => known.work.as_mut(),
        }
    }
}

impl ScopeRef {
    /// What is left of this scope's own budget: of its work's before Request, of its drain's after.
    pub(crate) fn own_budget(&self) -> Budget {
        self.budget_of(&mut lock(&self.inner))
    }

    pub(super) fn budget_of(&self, inner: &mut Inner) -> Budget {
        let until = match self.level_in(inner) {
            Level::Clear => self.until(),
            _ => inner.drain_until,
        };
        let left = self.left(inner).map_or(Budget::UNLIMITED, |left| *left);
        left.ending_at(until)
    }

    /// As [`budget`](ScopeRef::budget), for a scope inside of `outer`, which may use `rest`, and whose own
    /// is known.
    pub(crate) fn budget_within(&self, own: Budget, outer: &ScopeRef, rest: Budget) -> Budget {
        let mut met = Budget::UNLIMITED.with_priority(self.urgency().priority).meet(own);
        let around = |scope: &ScopeRef| if scope.hold == Hold::All { None } else { scope.outer() };
        let mut next = around(self);
        while let Some(scope) = next {
            if scope.ptr_eq(outer) {
                return met.meet(rest);
            }
            met = met.meet(scope.own_budget());
            next = around(&scope);
        }
        met
    }

    /// Neither its own work nor that around it has a deadline or a quota. A drain may.
    pub(crate) fn is_unlimited(&self) -> bool {
        self.urgency().deadline == Time::MAX && !self.metered.load(Ordering::Relaxed)
    }

    /// What this scope may still use: the meet of its own budget and of all around it, up to a
    /// shield, which has none but its own.
    pub(crate) fn budget(&self) -> Budget {
        let mut met = Budget::UNLIMITED.with_priority(self.urgency().priority);
        let mut next = Some(self.clone());
        while let Some(scope) = next {
            met = met.meet(scope.own_budget());
            next = if scope.hold == Hold::All { None } else { scope.outer() };
        }
        met
    }

    /// Charges one poll of what runs in this scope: that of a task to all around it, that of a body
    /// within a task only to the body, since the task's own poll is charged to the others.
    pub(crate) fn charge_poll(&self) {
        self.charge(1, 0, !self.same_task);
    }

    /// Charges cost to this scope and all around it.
    pub(crate) fn charge_cost(&self, units: u64) {
        if self.metered.load(Ordering::Relaxed) {
            self.charge(0, units, true);
        }
    }

    fn charge(&self, polls: u64, cost: u64, around: bool) {
        let mut next = Some(self.clone());
        while let Some(scope) = next.filter(|scope| scope.metered.load(Ordering::Relaxed)) {
            let spent = scope.left(&mut lock(&scope.inner)).and_then(|left| left.charge(polls, cost));
            if let Some(limit) = spent {
                scope.stop(limit);
            }
            next = if around { scope.outer() } else { None };
        }
    }

    /// The budget is spent: of the work, which is then asked to stop, or of what must end now.
    fn stop(&self, limit: Limit) {
        let listener = match self.level() {
            Level::Clear => self.listener(),
            _ => None,
        };
        match listener {
            Some(listener) => listener.on_spent(limit),
            None => self.spend(limit),
        }
    }

    /// Limits the drain of this scope to end at `until` and to use no more than the quotas of
    /// `budget`. Tells which of those leaves nothing.
    #[must_use = "a drain that may use nothing is spent at Request"]
    pub(crate) fn limit_drain(&self, until: Time, budget: Budget) -> Option<Limit> {
        let mut inner = lock(&self.inner);
        inner.drain_until = inner.drain_until.min(until);
        if !budget.has_quota() {
            return None;
        }
        let left = inner.rare().drain.get_or_insert_default();
        *left = left.meet(budget.quotas());
        let spent = left.spent_quota();
        drop(inner);
        self.mark_metered();
        spent
    }

    pub(super) fn mark_metered(&self) {
        let mut todo = vec![self.clone()];
        let mut found = Vec::new();
        while let Some(scope) = todo.pop() {
            let inner = lock(&scope.inner);
            // Then all below it are marked too, or somebody is on the way.
            let listener = if !scope.metered.swap(true, Ordering::Relaxed) {
                found.extend(inner.known().into_iter().flat_map(|known| known.children()));
                scope.listener()
            } else {
                None
            };
            drop(inner);
            if let Some(listener) = listener {
                (0..listener.parts())
                    .for_each(|part| listener.scopes_of_part(part, &mut |scope| found.push(scope)));
            }
            todo.append(&mut found);
        }
    }
}

#[cfg(test)]
mod tests;
