//! What core does with the host's timers: wait for a point in time, and do something at one.

use std::num::NonZero;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::budget::Limit;
use crate::cancel::ScopeRef;
use crate::host::{Host, TimerKey};
use crate::time::Time;

/// Waits for a point in time; withdraws its timer when dropped.
pub(crate) struct Sleep<H: Deref<Target: Host>> {
    host: H,
    deadline: Time,
    armed: Option<(TimerKey, Whom)>,
    /// The clock has just been read, and the deadline was ahead.
    ahead: bool,
}

/// Whom a waker wakes. Means something as long as that waker is there: a timer that is set has it.
#[derive(PartialEq, Eq)]
struct Whom(usize, NonZero<usize>);

impl Whom {
    fn of(waker: &Waker) -> Self {
        Whom(waker.data().addr(), NonNull::from(waker.vtable()).addr())
    }
}

/// What is longer than this is not over when it begins, so that the clock is not read once more.
const MOMENT: Duration = Duration::from_millis(1);

impl<H: Deref<Target: Host>> Sleep<H> {
    pub(crate) fn new(host: H, deadline: Time) -> Self {
        Sleep { host, deadline, armed: None, ahead: false }
    }

    /// Until so much time after now.
    pub(crate) fn after(host: H, duration: Duration) -> Self {
        let deadline = host.now() + duration;
        Sleep { host, deadline, armed: None, ahead: duration > MOMENT }
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !std::mem::take(&mut self.ahead) && self.host.is_past(self.deadline) {
            // Not withdrawn: it has fired, most likely, or is about to, and wakes once too often at worst.
            self.armed = None;
            return Poll::Ready(());
        }
        let whom = Whom::of(cx.waker());
        if self.deadline == Time::MAX || self.armed.as_ref().is_some_and(|(_, armed)| *armed == whom) {
            return Poll::Pending;
        }
        self.disarm();
        self.armed = Some((self.host.add_timer(self.deadline, cx.waker().clone()), whom));
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
pub(crate) fn arm_drain(host: &dyn Host, scope: &ScopeRef, at: Time) -> TimerKey {
    let scope = scope.downgrade();
    call_at(host, at, move || {
        if let Some(scope) = scope.upgrade() {
            scope.spend(Limit::Time);
        }
    })
}
