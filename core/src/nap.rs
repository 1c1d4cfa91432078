//! Sleeping: to wait for a point in time, in a scope.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::cancel::{Cancelled, Interest, Level, Note, ScopeRef};
use crate::host::Host;
use crate::time::Time;
use crate::timer::Timer;

/// Waits in a scope for a point in time. Each task that sleeps has room for it.
pub(crate) struct Nap<'a> {
    scope: &'a ScopeRef,
    /// By a pointer of one word.
    host: &'a Arc<dyn Host>,
    timer: Timer,
    interest: Interest,
}

impl<'a> Nap<'a> {
    /// For so much time from now on.
    pub(crate) fn lasting(scope: &'a ScopeRef, host: &'a Arc<dyn Host>, duration: Duration) -> Self {
        let (timer, ahead) = Timer::after(&**host, duration);
        Nap { scope, host, timer, interest: Interest::new(ahead) }
    }

    pub(crate) fn until(scope: &'a ScopeRef, host: &'a Arc<dyn Host>, deadline: Time) -> Self {
        Nap { scope, host, timer: Timer::new(deadline), interest: Interest::default() }
    }
}

impl Future for Nap<'_> {
    type Output = Result<(), Cancelled>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let Nap { scope, host, timer, interest } = self.get_mut();
        let (ahead, note) = (interest.take_ahead(), Note::until(timer.deadline()));
        interest
            .poll_op(scope, note, Level::Requested, task, |task| timer.poll(&***host, ahead, task).map(Ok))
    }
}

impl Drop for Nap<'_> {
    fn drop(&mut self) {
        self.timer.disarm(&**self.host);
        self.interest.end(self.scope, Note::until(self.timer.deadline()));
    }
}
