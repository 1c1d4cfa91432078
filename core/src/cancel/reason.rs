//! Why a cancel was requested.
//!
//! Reasons only strengthen: when a scope is asked twice, the stronger kind is kept and the weaker
//! becomes its cause. The order of [`ReasonKind`] is that strength.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use crate::budget::Limit;
use crate::name::Name;
use crate::time::Time;

/// What made somebody ask for a cancel, from the weakest to the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ReasonKind {
    /// Another arm of the race finished first.
    RaceLost,
    /// The future that owned the region was dropped.
    HandleDropped,
    /// The peer that wanted the result went away.
    ClientDisconnected,
    /// Somebody asked through a handle.
    UserRequest,
    /// A deadline passed.
    Deadline,
    /// A budget's polls or cost are used up. Above a deadline, which passes whatever happens: this
    /// one tells of what was done inside.
    BudgetSpent,
    /// A sibling in the region failed.
    SiblingFailed,
    /// The region's body returned, or its parent closed.
    ParentClosed,
    /// The whole runtime shuts down.
    Shutdown,
}

/// Why a cancel was requested: kind, origin, time and what led to it. Cheap to clone.
///
/// ```
/// use asupersync_core::{Reason, ReasonKind};
/// let reason = Reason::new(ReasonKind::UserRequest).with_message("config changed");
/// assert_eq!(reason.kind(), ReasonKind::UserRequest);
/// assert!(reason.to_string().contains("config changed"));
/// ```
#[derive(Clone)]
pub struct Reason(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ReasonKind,
    message: Option<Cow<'static, str>>,
    region: Option<Name>,
    at: Option<Time>,
    site: &'static Location<'static>,
    cause: Option<Reason>,
}

impl Reason {
    /// A reason of this kind, whose origin is the caller's line.
    #[track_caller]
    pub fn new(kind: ReasonKind) -> Self {
        Self::at_site(kind, Location::caller())
    }

    /// A reason of this kind, whose origin is a line of the user's that led to it.
    pub(crate) fn at_site(kind: ReasonKind, site: &'static Location<'static>) -> Self {
        Reason(Arc::new(Inner { kind, message: None, region: None, at: None, site, cause: None }))
    }

    /// The reason of whom this limit of a budget stops.
    pub(crate) fn spent(limit: Limit, site: &'static Location<'static>) -> Self {
        match limit {
            Limit::Time => Self::at_site(ReasonKind::Deadline, site),
            Limit::Polls => Self::at_site(ReasonKind::BudgetSpent, site).with_message("its polls"),
            Limit::Cost => Self::at_site(ReasonKind::BudgetSpent, site).with_message("its cost"),
        }
    }

    /// Adds words for whoever reads the report.
    #[must_use]
    pub fn with_message(self, message: impl Into<Cow<'static, str>>) -> Self {
        self.edit(|inner| inner.message = Some(message.into()))
    }

    /// Names what led to this request.
    #[must_use]
    pub fn caused_by(self, cause: Reason) -> Self {
        self.edit(|inner| inner.cause = Some(cause))
    }

    /// What made somebody ask.
    pub fn kind(&self) -> ReasonKind {
        self.0.kind
    }

    /// Words added by whoever asked.
    pub fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// Name of the region in which the request was made, once it was made.
    pub fn region(&self) -> Option<&str> {
        self.0.region.as_deref()
    }

    /// When the request was made, on the host's clock.
    pub fn at(&self) -> Option<Time> {
        self.0.at
    }

    /// The line that made this reason.
    pub fn site(&self) -> &'static Location<'static> {
        self.0.site
    }

    /// What led to this request.
    pub fn cause(&self) -> Option<&Reason> {
        self.0.cause.as_ref()
    }

    /// This reason or any cause behind it is of `kind`.
    pub fn involves(&self, kind: ReasonKind) -> bool {
        let mut next = Some(self);
        while let Some(reason) = next {
            if reason.kind() == kind {
                return true;
            }
            next = reason.cause();
        }
        false
    }

    /// The same, counted apart: whoever clones and drops the one is not in the way of those who have the other.
    pub(super) fn apart(&self) -> Self {
        Reason(Arc::new(Inner::clone(&self.0)))
    }

    /// Notes where and when the request was made, unless that is known already.
    pub(crate) fn stamp(self, region: &Name, at: Time) -> Self {
        if self.0.at.is_some() {
            return self;
        }
        self.edit(|inner| {
            inner.region = Some(region.clone());
            inner.at = Some(at);
        })
    }

    fn edit(mut self, f: impl FnOnce(&mut Inner)) -> Self {
        f(Arc::make_mut(&mut self.0));
        self
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind() {
            ReasonKind::RaceLost => "lost a race",
            ReasonKind::HandleDropped => "its owner was dropped",
            ReasonKind::ClientDisconnected => "the client left",
            ReasonKind::UserRequest => "asked to stop",
            ReasonKind::Deadline => "the deadline passed",
            ReasonKind::BudgetSpent => "the budget is spent",
            ReasonKind::SiblingFailed => "a sibling failed",
            ReasonKind::ParentClosed => "the region closed",
            ReasonKind::Shutdown => "shutdown",
        };
        f.write_str(what)?;
        if let Some(message) = self.message() {
            write!(f, " ({message})")?;
        }
        if let Some(region) = self.region() {
            write!(f, " in region `{region}`")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}, from {}", self.site())?;
        match self.cause() {
            Some(cause) => write!(f, ", because: {cause:?}"),
            None => Ok(()),
        }
    }
}

/// What an operation returns once the scope it runs in is under Request.
///
/// Not a [`std::error::Error`], so that `?` can tell it from one; it becomes an `io::Error` where
/// an interface allows nothing else, and is found again when that error comes back.
#[derive(Clone, Debug)]
pub struct Cancelled {
    reason: Reason,
}

impl Cancelled {
    /// A cancellation for this reason.
    pub fn new(reason: Reason) -> Self {
        Cancelled { reason }
    }

    /// Why.
    pub fn reason(&self) -> &Reason {
        &self.reason
    }

    /// Why, by value.
    pub fn into_reason(self) -> Reason {
        self.reason
    }
}

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cancelled: {}", self.reason)
    }
}
