//! The clock as a capability: who has a [`Clock`] may read the time, and wait for it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::alarm::Alarm;
use crate::cancel::Cancelled;
use crate::caps::HasTime;
use crate::cx::Cx;
use crate::host::Host;
use crate::nap::Nap;
use crate::time::Time;

/// The host's clock, from [`Cx::clock`]: for whom shall have the time and nothing else.
///
/// ```
/// use asupersync::{Clock, Cx, NoCaps, Outcome, Time};
/// use std::time::Duration;
///
/// async fn stamp(cx: &Cx<NoCaps>, clock: &Clock) -> Outcome<Time> {
///     clock.sleep(cx, Duration::from_millis(1)).await?;
///     Ok(clock.now())
/// }
///
/// #[asupersync::main]
/// async fn main(cx: &Cx) -> Outcome {
///     let before = cx.now();
///     assert!(stamp(cx.restrict(), &cx.clock()).await? > before);
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Clock {
    host: Arc<dyn Host>,
}

impl Clock {
    /// What time it is.
    pub fn now(&self) -> Time {
        self.host.now()
    }

    /// Waits for `duration`, in the scope of `cx`.
    ///
    /// # Errors
    /// `Cancelled` at Request.
    ///
    /// # Cancel safety
    /// Nothing is lost but the time waited.
    pub async fn sleep<C>(&self, cx: &Cx<C>, duration: Duration) -> Result<(), Cancelled> {
        Nap::lasting(cx.scope(), &self.host, duration).await
    }

    /// Waits until `deadline`, in the scope of `cx`; a point in the past is ready at once.
    ///
    /// # Errors
    /// `Cancelled` at Request.
    ///
    /// # Cancel safety
    /// Nothing is lost but the time waited.
    pub async fn sleep_until<C>(&self, cx: &Cx<C>, deadline: Time) -> Result<(), Cancelled> {
        Nap::until(cx.scope(), &self.host, deadline).await
    }

    /// As [`Cx::alarm`].
    pub fn alarm(&self, deadline: Time) -> Alarm {
        Alarm::new(self.host.clone(), deadline)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").field("now", &self.now()).finish()
    }
}

impl<C> Cx<C> {
    /// The host's clock as an object, to be handed on.
    pub fn clock(&self) -> Clock
    where
        C: HasTime,
    {
        Clock { host: self.node().tree.host.clone() }
    }
}
