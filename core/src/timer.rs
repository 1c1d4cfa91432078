//! What core does with the host's timers: wait for a point in time, and do something at one.

use std::ops::Deref;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crate::budget::Limit;
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

/// Calls `then` once, at or after `at`, from a thread of the host.
pub(crate) fn call_at(host: &dyn Host, at: Time, then: impl Fn() + Send + Sync + 'static) -> TimerKey {
    struct Call<F>(F);
    impl<F: Fn() + Send + Sync> Wake for Call<F> {
        fn wake(self: Arc<Self>) {
            (self.0)();
        }
    }
    host.add_timer(at, Waker::from(Arc::new(Call(then))))
}

/// Ends the drain of `scope` at `at`.
pub(crate) fn arm_drain(host: &dyn Host, scope: &Arc<Scope>, at: Time) -> TimerKey {
    let scope = Arc::downgrade(scope);
    call_at(host, at, move || {
        if let Some(scope) = scope.upgrade() {
            scope.spend(Limit::Time);
        }
    })
}
