//! Finalizers: cleanup that a region runs after everything in it is gone.
//!
//! Last registered, first run; each exactly once. A finalizer runs under a scope of its own, so the
//! request that closed the region does not reach it; what ends it is its budget. The running
//! one lives in the region, not in the future that drives it: whoever drives next goes on with it.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::budget::Budget;
use crate::cancel::{Level, ScopeRef};
use crate::host::{Host, TimerKey};
use crate::outcome::Outcome;
use crate::time::Time;
use crate::timer::arm_drain;

type Body = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// Cleanup that waits for its turn.
pub(crate) struct Finalizer {
    pub(super) site: &'static Location<'static>,
    /// Makes the future; runs no user code.
    start: Box<dyn FnOnce(ScopeRef) -> Body + Send>,
}

/// Cleanup that runs, as its region knows it, wherever it is polled.
#[derive(Clone)]
pub(super) struct Started {
    pub(super) site: &'static Location<'static>,
    pub(super) since: Time,
    pub(super) scope: ScopeRef,
}

/// Cleanup that runs.
pub(super) struct Running {
    pub(super) started: Started,
    share: Budget,
    timer: Option<TimerKey>,
    body: Body,
}

/// How a finalizer ended.
pub(super) enum Ended {
    Done,
    Failed,
    Spent,
}

impl Finalizer {
    pub(crate) fn new(
        site: &'static Location<'static>,
        start: impl FnOnce(ScopeRef) -> Body + Send + 'static,
    ) -> Self {
        Finalizer { site, start: Box::new(start) }
    }

    /// Starts it, with its share of the finalize budget, which its scope has.
    pub(super) fn start(self, started: Started, host: &dyn Host, share: Budget) -> Running {
        let (scope, until) = (&started.scope, share.end());
        let timer = (until < Time::MAX).then(|| arm_drain(host, scope, until));
        if let Some(limit) = share.spent_quota() {
            scope.spend(limit);
        }
        let body = (self.start)(scope.clone());
        Running { started, share, timer, body }
    }
}

impl Running {
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        // The end of the budget must wake whoever drives now.
        let scope = &self.started.scope;
        scope.make_home_of(cx.waker());
        let spent = scope.is_due();
        scope.begin_poll();
        let polled = catch_unwind(AssertUnwindSafe(|| self.body.as_mut().poll(cx)));
        scope.charge_poll();
        match polled {
            Ok(Poll::Ready(Ok(()))) => Poll::Ready(Ended::Done),
            Ok(Poll::Ready(Err(_))) if spent => Poll::Ready(Ended::Spent),
            Ok(Poll::Ready(Err(_))) | Err(_) => Poll::Ready(Ended::Failed),
            Ok(Poll::Pending) if spent => Poll::Ready(Ended::Spent),
            Ok(Poll::Pending) => {
                // What was spent before this home was known has woken nobody.
                if scope.level() == Level::Spent {
                    cx.waker().wake_by_ref();
                }
                Poll::Pending
            }
        }
    }

    /// How many polls and units of cost it has used, as far as its share is one of those.
    pub(super) fn used(&self) -> (u64, u64) {
        self.share.used(self.started.scope.own_budget())
    }

    /// Drops what is left of it. Tells of a panic in that.
    pub(super) fn end(self, host: &dyn Host) -> Result<(), Box<dyn Any + Send>> {
        self.started.scope.clear_home();
        if let Some(timer) = self.timer {
            host.cancel_timer(timer);
        }
        catch_unwind(AssertUnwindSafe(|| drop(self.body)))
    }
}
