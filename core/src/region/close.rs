//! Closing a region: wait until it is quiet, run its finalizers, abort the obligations that are left,
//! leave the tree.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::finalizer::{Ended, Running, Started};
use super::report::{Leftover, LeftoverKind};
use super::state::{Event, Phase};
use super::tree::{Inner, Node};
use crate::budget::Budget;
use crate::cancel::Scope;
use crate::lock::lock;

/// What a region in `Finalizing` does next.
enum Next {
    Run(Box<Running>),
    Settle,
    Closed,
}

impl Node {
    /// Drives the region from the end of its body to Closed.
    ///
    /// # Cancel safety
    /// All progress is kept in the region: another driver goes on where this one was dropped.
    pub(crate) async fn close(self: &Arc<Self>) {
        poll_fn(|cx| {
            ready!(self.poll_quiet(cx));
            ready!(self.poll_finalizers(cx));
            Poll::Ready(())
        })
        .await;
        self.leave();
    }

    /// Ready in `Finalizing`: no body, no task, no child region.
    fn poll_quiet(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut inner = lock(&self.inner);
        if inner.state.phase >= Phase::Finalizing {
            return Poll::Ready(());
        }
        if inner.forced || !inner.state.is_quiet() {
            let stale = inner.closer.replace(cx.waker().clone());
            drop(inner);
            drop(stale);
            return Poll::Pending;
        }
        inner.finalize();
        Poll::Ready(())
    }

    /// Ready in `Closed`: no finalizer is left, and no obligation.
    fn poll_finalizers(&self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            // Taken out of the lock while it is polled: it may register another one.
            let mut running = match ready!(self.next_finalizer()) {
                Next::Run(running) => running,
                // To abort one may run code of users, which may register a finalizer.
                Next::Settle => {
                    ready!(self.poll_settled(cx));
                    continue;
                }
                Next::Closed => return Poll::Ready(()),
            };
            let Poll::Ready(ended) = running.poll(cx) else {
                let mut inner = lock(&self.inner);
                if inner.forced {
                    drop(inner);
                    drop(running.end(&*self.tree.host));
                } else {
                    inner.running = Some(running);
                }
                return Poll::Pending;
            };
            let (Started { site, since, scope }, used) = (running.started.clone(), running.used());
            let awaited = matches!(ended, Ended::Spent).then(|| scope.waits(None).of_idle());
            let ended = if running.end(&*self.tree.host).is_err() { Ended::Failed } else { ended };
            let kind = match ended {
                Ended::Done => None,
                Ended::Failed => Some(LeftoverKind::FinalizerFailed),
                Ended::Spent => Some(LeftoverKind::FinalizerSpent),
            };
            let leftover = kind.map(|kind| Leftover {
                kind,
                name: "finalizer".into(),
                site,
                path: self.path(),
                phase: Phase::Finalizing,
                age: self.tree.host.now() - since,
                task: None,
                awaited,
            });
            let mut inner = lock(&self.inner);
            inner.apply(Event::EndFinalizer);
            inner.finalizers_left.charge(used.0, used.1);
            let started = inner.started.take();
            match leftover {
                None => inner.totals.finalizers_run += 1,
                Some(leftover) => {
                    inner.totals.finalizers_failed += 1;
                    inner.keep(leftover);
                }
            }
            drop(inner);
            drop(started);
        }
    }

    /// The finalizer that runs, or the last registered one, started; after all of them what is left
    /// to do, and Closed when that is nothing.
    fn next_finalizer(&self) -> Poll<Next> {
        {
            // Most have no finalizer, and nothing to settle.
            let mut inner = lock(&self.inner);
            if inner.has_nothing_left() {
                inner.apply(Event::Close);
                return Poll::Ready(Next::Closed);
            }
        }
        let (now, around) = (self.tree.host.now(), self.close_by_around());
        let mut inner = lock(&self.inner);
        let drained_at = *inner.drained_at.get_or_insert(now);
        if inner.forced {
            return Poll::Pending;
        }
        if let Some(running) = inner.running.take() {
            return Poll::Ready(Next::Run(running));
        }
        let Some(finalizer) = inner.finalizers.pop() else {
            return Poll::Ready(Next::Settle);
        };
        inner.apply(Event::StartFinalizer);
        let close_by = inner.close_by.min(self.policy.finalize.deadline_from(drained_at));
        // One that never ends must leave something for the rest, in this region and in those around
        // it: it gets half of what is left.
        let left = inner.finalizers_left.ending_at(close_by);
        let share = if inner.finalizers.is_empty() { left } else { left.half(now) };
        let share = share.meet(Budget::UNLIMITED.ending_at(around).half(now));
        let started = Started { site: finalizer.site, since: now, scope: Scope::limited_root(share) };
        inner.started = Some(started.clone());
        drop(inner);
        Poll::Ready(Next::Run(Box::new(finalizer.start(started, &*self.tree.host, share))))
    }
}

impl Inner {
    /// Closes a region that is quiet, if nothing else is left in it either. Tells whether it did.
    pub(super) fn close_if_empty(&mut self) -> bool {
        let closes = self.state.is_quiet() && self.has_nothing_left();
        if closes {
            self.finalize();
            self.apply(Event::Close);
        }
        closes
    }

    /// Brings a quiet region to `Finalizing`. One that nobody asked to close passes through the phases all the same,
    /// empty.
    fn finalize(&mut self) {
        self.apply(Event::Request);
        if self.state.phase == Phase::Requested {
            self.apply(Event::Drain);
        }
        self.apply(Event::Finalize);
    }

    fn has_nothing_left(&self) -> bool {
        !self.forced && self.running.is_none() && self.finalizers.is_empty() && self.ledger.is_empty()
    }
}
