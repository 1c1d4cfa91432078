//! A timer of the host as something to poll: [`Sleep`] inside core, [`Alarm`] for adapters.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::cx::Cx;
use crate::host::{Host, TimerKey};
use crate::time::Time;

/// Waits for a point in time; withdraws its timer when dropped.
pub(crate) struct Sleep<H: Deref<Target: Host>> {
    host: H,
    deadline: Time,
    armed: Option<(TimerKey, Waker)>,
}

impl<H: Deref<Target: Host>> Sleep<H> {
    pub(crate) fn new(host: H, deadline: Time) -> Self {
        Sleep { host, deadline, armed: None }
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.host.now() >= self.deadline {
            return Poll::Ready(());
        }
        if self.deadline == Time::MAX
            || self.armed.as_ref().is_some_and(|(_, waker)| waker.will_wake(cx.waker()))
        {
            return Poll::Pending;
        }
        self.disarm();
        let waker = cx.waker().clone();
        self.armed = Some((self.host.add_timer(self.deadline, waker.clone()), waker));
        Poll::Pending
    }

    fn disarm(&mut self) {
        if let Some((key, _)) = self.armed.take() {
            self.host.cancel_timer(key);
        }
    }
}

impl<H: Deref<Target: Host>> Drop for Sleep<H> {
    fn drop(&mut self) {
        self.disarm();
    }
}

/// A point in the host's time as a future that knows no scope: no request ends it early. Made by
/// [`Cx::alarm`].
///
/// For adapters of foreign libraries that bring their own rules for when a wait ends; everything
/// else wants [`Cx::sleep`].
#[must_use = "it rings only for whoever awaits it"]
pub struct Alarm {
    sleep: Sleep<Arc<dyn Host>>,
}

impl Alarm {
    /// When it rings.
    pub fn deadline(&self) -> Time {
        self.sleep.deadline
    }
}

impl Future for Alarm {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.sleep.poll(cx)
    }
}

impl<C> Cx<C> {
    /// A future that is ready at `deadline`, whatever happens to this scope.
    pub fn alarm(&self, deadline: Time) -> Alarm {
        Alarm { sleep: Sleep::new(self.node().tree.host.clone(), deadline) }
    }
}
