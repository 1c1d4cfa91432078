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

/// A point in time, and the timer that wakes whoever waits for it. Whoever has this knows the host, which is the
/// same each time; and [disarms](Self::disarm) it.
pub(crate) struct Timer {
    deadline: Time,
    armed: Option<(TimerKey, Whom)>,
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

impl Timer {
    pub(crate) fn new(deadline: Time) -> Self {
        Timer { deadline, armed: None }
    }

    /// For so much time after now, and whether it is certainly [ahead](Self::poll) when it is first polled.
    pub(crate) fn after(host: &dyn Host, duration: Duration) -> (Self, bool) {
        (Timer::new(host.now() + duration), duration > MOMENT)
    }

    /// If the deadline is known to be `ahead`, the clock is not read.
    pub(crate) fn poll(&mut self, host: &dyn Host, ahead: bool, cx: &Context<'_>) -> Poll<()> {
        if !ahead && host.is_past(self.deadline) {
            // Not withdrawn: it has fired, most likely, or is about to, and wakes once too often at worst.
            self.armed = None;
            return Poll::Ready(());
        }
        let whom = Whom::of(cx.waker());
        if self.deadline == Time::MAX || self.armed.as_ref().is_some_and(|(_, armed)| *armed == whom) {
            return Poll::Pending;
        }
        self.disarm(host);
        self.armed = Some((host.add_timer(self.deadline, cx.waker().clone()), whom));
        Poll::Pending
    }

    pub(crate) fn deadline(&self) -> Time {
        self.deadline
    }

    #[inline]
    pub(crate) fn disarm(&mut self, host: &dyn Host) {
        if let Some((key, _)) = self.armed.take() {
            host.cancel_timer(key);
        }
    }
}

/// Waits for a point in time; withdraws its timer when dropped.
pub(crate) struct Sleep<H: Deref<Target = dyn Host>> {
    host: H,
    timer: Timer,
}

impl<H: Deref<Target = dyn Host>> Sleep<H> {
    pub(crate) fn new(host: H, deadline: Time) -> Self {
        Sleep { host, timer: Timer::new(deadline) }
    }

    pub(crate) fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        self.timer.poll(&*self.host, false, cx)
    }

    pub(crate) fn deadline(&self) -> Time {
        self.timer.deadline()
    }
}

impl<H: Deref<Target = dyn Host>> Drop for Sleep<H> {
    fn drop(&mut self) {
        self.timer.disarm(&*self.host);
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
