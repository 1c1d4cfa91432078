//! Budgets: how much a piece of work, a drain or a finalizer may still use.
//!
//! A budget is a product of optional limits, combined with [`Budget::meet`], the component-wise
//! minimum: a meet-semilattice whose top is [`Budget::UNLIMITED`]. A child's budget is always met
//! with its parent's, so it never exceeds it.

use std::fmt;
use std::time::Duration;

use crate::time::Time;

/// Limits on time, polls, cost and priority, each of which may be absent.
///
/// | limit | what is counted | by whom | at zero |
/// |---|---|---|---|
/// | time | the host's clock, from where the table below says | a timer of the host | it is spent |
/// | polls | each poll of a task in the region or in one below it, and each poll of the body itself | the runtime, after the poll | it is spent |
/// | cost | the units of [`Cx::charge`](crate::Cx::charge) within | whoever does the work | it is spent |
/// | priority | nothing: it is a cap | | the last among equals |
///
/// | budget | its clock starts | when it is spent |
/// |---|---|---|
/// | of a region's work, [`Builder::budget`](crate::region::Builder::budget) | when it is opened | the region gets Request, with reason [`Deadline`](crate::ReasonKind::Deadline) or [`BudgetSpent`](crate::ReasonKind::BudgetSpent) |
/// | of a drain: a region's, or that of [`Handle::cancel`](crate::Handle::cancel) | at Request | every operation fails, and what still waits is dropped after one more poll |
/// | of finalizers, [`Builder::finalize`](crate::region::Builder::finalize) | when the region has drained | the same, for the finalizer that runs |
/// | of a [`shield`](crate::Cx::shield) | when it begins | the same, inside of it |
///
/// What is used is charged to every budget around it, so all that is inside of one shares it. Two
/// bounds to that: what finalizers use is charged to their own budget only, so that cleanup is not
/// refused for what the work has used; and the runtime's own polls are nobody's.
///
/// A limit of zero is spent at once. What spends a budget has still been done: the poll that is
/// the last one happens, and of a charge that is more than what is left nothing is given back.
///
/// ```
/// use asupersync_core::{Budget, Time};
/// use std::time::Duration;
/// let five = Budget::timeout(Duration::from_secs(5)).with_polls(100);
/// let two = Budget::timeout(Duration::from_secs(2)).with_cost(8);
/// let both = five.meet(two);
/// let now = Time::ZERO;
/// assert_eq!(both.deadline_from(now), now + Duration::from_secs(2));
/// assert_eq!((both.polls(), both.cost()), (Some(100), Some(8)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Budget {
    timeout: Option<Duration>,
    deadline: Option<Time>,
    polls: Option<u64>,
    cost: Option<u64>,
    priority: Priority,
}

/// Who goes first among tasks with the same deadline: the one with the higher priority.
///
/// Everything starts with [`HIGHEST`](Self::HIGHEST), and a budget can only lower it, for all that
/// is inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(u8);

/// What decides who goes first in the Timed lane: the earlier deadline, and at the same deadline
/// the higher priority. The greater of two is the more urgent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Urgency {
    /// When the work must be over; [`Time::MAX`] if it need not.
    pub deadline: Time,
    /// Its rank among those with the same deadline.
    pub priority: Priority,
}

/// A limit that can be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    Time,
    Polls,
    Cost,
}

impl Budget {
    /// No limit at all.
    pub const UNLIMITED: Budget =
        Budget { timeout: None, deadline: None, polls: None, cost: None, priority: Priority::HIGHEST };

    /// At most `timeout` from the moment the budget's clock starts.
    pub const fn timeout(timeout: Duration) -> Self {
        Budget { timeout: Some(timeout), ..Budget::UNLIMITED }
    }

    /// Until the absolute point `deadline` on the host's clock.
    pub const fn deadline(deadline: Time) -> Self {
        Budget { deadline: Some(deadline), ..Budget::UNLIMITED }
    }

    /// This budget with a limit of `polls`.
    #[must_use]
    pub const fn with_polls(self, polls: u64) -> Self {
        Budget { polls: Some(polls), ..self }
    }

    /// This budget with a limit of `units` of cost; what a unit is, the program decides.
    #[must_use]
    pub const fn with_cost(self, units: u64) -> Self {
        Budget { cost: Some(units), ..self }
    }

    /// This budget with `priority` as the highest that those inside may have.
    #[must_use]
    pub const fn with_priority(self, priority: Priority) -> Self {
        Budget { priority, ..self }
    }

    /// The absolute deadline; `None` when there is none.
    pub const fn until(self) -> Option<Time> {
        self.deadline
    }

    /// How many polls; `None` when unlimited.
    pub const fn polls(self) -> Option<u64> {
        self.polls
    }

    /// How many units of cost; `None` when unlimited.
    pub const fn cost(self) -> Option<u64> {
        self.cost
    }

    /// The highest priority that those inside may have.
    pub const fn priority(self) -> Priority {
        self.priority
    }

    /// Component-wise minimum: what satisfies both budgets.
    #[must_use]
    pub fn meet(self, other: Budget) -> Budget {
        Budget {
            timeout: least(self.timeout, other.timeout),
            deadline: least(self.deadline, other.deadline),
            polls: least(self.polls, other.polls),
            cost: least(self.cost, other.cost),
            priority: self.priority.min(other.priority),
        }
    }

    /// Where this budget ends if its clock starts at `now`; [`Time::MAX`] when its time is unlimited.
    /// One whose deadline is past ends when it begins, at `now`.
    pub fn deadline_from(self, now: Time) -> Time {
        let relative = self.timeout.map_or(Time::MAX, |timeout| now + timeout);
        relative.min(self.end()).max(now)
    }

    /// Its absolute deadline; [`Time::MAX`] if it has none.
    pub(crate) fn end(self) -> Time {
        self.deadline.unwrap_or(Time::MAX)
    }

    /// This budget until `end` instead of until its own deadline.
    pub(crate) fn ending_at(self, end: Time) -> Budget {
        Budget { deadline: (end < Time::MAX).then_some(end), ..self }
    }

    /// This budget once its clock has started, at `now`: no time in it is relative any more.
    pub(crate) fn starting_at(self, now: Time) -> Budget {
        Budget { timeout: None, ..self }.ending_at(self.deadline_from(now))
    }

    /// Its limits on polls and cost, without the others.
    pub(crate) fn quotas(self) -> Budget {
        Budget { polls: self.polls, cost: self.cost, ..Budget::UNLIMITED }
    }

    /// It has something that is counted.
    pub(crate) fn has_quota(self) -> bool {
        self.polls.is_some() || self.cost.is_some()
    }

    /// The limit that is spent, of a budget whose clock has started.
    pub(crate) fn spent_at(self, now: Time) -> Option<Limit> {
        if self.deadline_from(now) <= now { Some(Limit::Time) } else { self.spent_quota() }
    }

    /// The limit on polls or cost that is at zero.
    pub(crate) fn spent_quota(self) -> Option<Limit> {
        match self {
            Budget { polls: Some(0), .. } => Some(Limit::Polls),
            Budget { cost: Some(0), .. } => Some(Limit::Cost),
            _ => None,
        }
    }

    /// Takes what was used, and tells the limit that this has brought to zero.
    pub(crate) fn charge(&mut self, polls: u64, cost: u64) -> Option<Limit> {
        let before = self.spent_quota();
        self.polls = self.polls.map(|left| left.saturating_sub(polls));
        self.cost = self.cost.map(|left| left.saturating_sub(cost));
        if before.is_none() { self.spent_quota() } else { None }
    }

    /// Half of what is left at `now`, and of an odd number of polls or units the greater half.
    pub(crate) fn half(self, now: Time) -> Budget {
        let half = |left: u64| left.div_ceil(2);
        Budget {
            timeout: None,
            deadline: self.starting_at(now).deadline.map(|end| now + (end - now) / 2),
            polls: self.polls.map(half),
            cost: self.cost.map(half),
            ..self
        }
    }

    /// Tells how many polls and units were used of this budget, of which `left` is left.
    pub(crate) fn used(self, left: Budget) -> (u64, u64) {
        let used = |all: Option<u64>, left: Option<u64>| all.unwrap_or(0).saturating_sub(left.unwrap_or(0));
        (used(self.polls, left.polls), used(self.cost, left.cost))
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limits = [
            self.timeout.map(|timeout| format!("for {timeout:?}")),
            self.deadline.map(|deadline| format!("until {deadline:?}")),
            self.polls.map(|polls| format!("{polls} polls")),
            self.cost.map(|units| format!("{units} units")),
            (self.priority < Priority::HIGHEST).then(|| format!("priority {}", self.priority.level())),
        ];
        let limits: Vec<String> = limits.into_iter().flatten().collect();
        f.write_str(if limits.is_empty() { "unlimited" } else { "" })?;
        f.write_str(&limits.join(", "))
    }
}

impl Priority {
    /// After all others.
    pub const LOWEST: Priority = Priority(0);
    /// What everything starts with.
    pub const HIGHEST: Priority = Priority(u8::MAX);

    /// The priority of this level, of which 0 is the lowest and 255 the highest.
    pub const fn new(level: u8) -> Self {
        Priority(level)
    }

    /// From 0, the lowest, to 255, the highest.
    pub const fn level(self) -> u8 {
        self.0
    }
}

impl Default for Priority {
    fn default() -> Self {
        Priority::HIGHEST
    }
}

impl Urgency {
    /// No deadline, and the highest priority.
    pub const DEFAULT: Urgency = Urgency { deadline: Time::MAX, priority: Priority::HIGHEST };

    /// What is left of it inside of a budget whose clock has started.
    #[must_use]
    pub(crate) fn within(self, budget: Budget) -> Urgency {
        Urgency { deadline: self.deadline.min(budget.end()), priority: self.priority.min(budget.priority) }
    }
}

impl Ord for Urgency {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (other.deadline, self.priority).cmp(&(self.deadline, other.priority))
    }
}

impl PartialOrd for Urgency {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

fn least<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests;
