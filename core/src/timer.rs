//! A timer of the host as something to poll.

use std::task::{Context, Poll, Waker};

use crate::host::{Host, TimerKey};
use crate::time::Time;

/// Waits for a point in time; withdraws its timer when dropped.
pub(crate) struct Sleep<'a> {
    host: &'a dyn Host,
    deadline: Time,
    armed: Option<(TimerKey, Waker)>,
}

impl<'a> Sleep<'a> {
    pub(crate) fn new(host: &'a dyn Host, deadline: Time) -> Self {
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

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        self.disarm();
    }
}
