//! quinn's timers on the host's clock. quinn speaks of [`Instant`]s; they are made from the host's time,
//! counted from when the runtime was made, so a simulated clock moves them too.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use asupersync_core::caps::HasTime;
use asupersync_core::{Alarm, Cx, Time};
use quinn::AsyncTimer;

/// One moment on both clocks.
#[derive(Clone, Copy)]
pub(super) struct Epoch {
    instant: Instant,
    time: Time,
}

impl Epoch {
    pub(super) fn new<C: HasTime>(cx: &Cx<C>) -> Self {
        Epoch { instant: Instant::now(), time: cx.now() }
    }

    pub(super) fn instant_of(&self, time: Time) -> Instant {
        self.instant + (time - self.time)
    }

    fn time_of(&self, instant: Instant) -> Time {
        self.time + instant.saturating_duration_since(self.instant)
    }
}

/// No request ends it: when a wait is over early is quinn's to say.
pub(super) struct Timer<C> {
    cx: Cx<C>,
    epoch: Epoch,
    alarm: Alarm,
}

impl<C: HasTime> Timer<C> {
    pub(super) fn new(cx: &Cx<C>, epoch: Epoch, at: Instant) -> Self {
        Timer { cx: cx.clone(), epoch, alarm: cx.alarm(epoch.time_of(at)) }
    }
}

impl<C: HasTime + 'static> AsyncTimer for Timer<C> {
    fn reset(mut self: Pin<&mut Self>, at: Instant) {
        self.alarm = self.cx.alarm(self.epoch.time_of(at));
    }

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.alarm).poll(task)
    }
}

impl<C> fmt::Debug for Timer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer").field("at", &self.alarm.deadline()).finish_non_exhaustive()
    }
}
