//! A timer for adapters of foreign libraries.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::caps::HasTime;
use crate::cx::Cx;
use crate::host::Host;
use crate::time::Time;
use crate::timer::Sleep;

/// A point in the host's time as a future that knows no scope: no request ends it early. Made by
/// [`Cx::alarm`].
///
/// For adapters of foreign libraries that bring their own rules for when a wait ends; everything
/// else wants [`Cx::sleep`].
///
/// # Cancel safety
/// Nothing is lost: its timer is withdrawn.
#[must_use = "it rings only for whoever awaits it"]
pub struct Alarm {
    sleep: Sleep<Arc<dyn Host>>,
}

impl Alarm {
    pub(crate) fn new(host: Arc<dyn Host>, deadline: Time) -> Self {
        Alarm { sleep: Sleep::new(host, deadline) }
    }

    /// When it rings.
    pub fn deadline(&self) -> Time {
        self.sleep.deadline()
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
    pub fn alarm(&self, deadline: Time) -> Alarm
    where
        C: HasTime,
    {
        self.set_alarm(deadline)
    }

    pub(crate) fn set_alarm(&self, deadline: Time) -> Alarm {
        Alarm::new(self.node().tree.host.clone(), deadline)
    }
}
