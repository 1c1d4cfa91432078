//! What core does with the host's timers: wait for a point in time, and end a drain at one.

use std::ops::Deref;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};

use crate::cancel::Scope;
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

    pub(crate) fn deadline(&self) -> Time {
        self.deadline
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

/// Ends the drain of `scope` at `at`.
pub(crate) fn arm_drain(host: &dyn Host, scope: &Arc<Scope>, at: Time) -> TimerKey {
    struct Spender(Weak<Scope>);
    impl Wake for Spender {
        fn wake(self: Arc<Self>) {
            if let Some(scope) = self.0.upgrade() {
                scope.spend();
            }
        }
    }
    host.add_timer(at, Waker::from(Arc::new(Spender(Arc::downgrade(scope)))))
}
