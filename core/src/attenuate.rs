//! Attenuation: less authority from here on down.

use std::net::SocketAddr;

use crate::body::TaskOutput;
use crate::caps::{Authority, CapSet, Denied, Effect, NetUse};
use crate::cx::Cx;
use crate::outcome::Outcome;

impl<C> Cx<C> {
    /// Runs `body` with less authority. All that it starts has no more than that, however long it
    /// lives: tasks, regions, finalizers, jobs. What has been opened before stays open.
    ///
    /// ```
    /// # use asupersync::{Cx, Failure, Outcome};
    /// use asupersync::caps::{Authority, Denied, Effect};
    /// # #[asupersync::main]
    /// # async fn main(cx: &Cx) -> Outcome {
    /// cx.attenuate(Authority::all().without(Effect::Spawn), async |cx| {
    ///     let refused = cx.spawn("task", async |_| Ok(1)).join().await;
    ///     let Err(Failure::Err(error)) = refused else { panic!("it runs") };
    ///     assert_eq!(error.downcast_ref::<Denied>().map(Denied::effect), Some(Effect::Spawn));
    ///     Ok(())
    /// })
    /// .await
    /// # }
    /// ```
    ///
    /// # Errors
    /// The body's. Where it asks for what was taken away it gets a [`Denied`]: from the handle of a
    /// spawn, and as an `io::Error` of kind `PermissionDenied` from I/O.
    ///
    /// # Cancel safety
    /// That of the body.
    pub async fn attenuate<R, F>(&self, authority: Authority, body: F) -> Outcome<R::Ok>
    where
        C: CapSet,
        R: TaskOutput,
        F: AsyncFnOnce(&Cx<C>) -> R,
    {
        let cx = self.narrowed(&authority);
        body(&cx).await.into_outcome()
    }

    /// Fails if `effect` was taken away at run time: for what wants to say so before it begins. The
    /// methods that have the effect check by themselves.
    ///
    /// # Errors
    /// [`Denied`], which tells which line took it away.
    pub fn check(&self, effect: Effect) -> Result<(), Denied> {
        match self.authority() {
            None => Ok(()),
            Some(authority) => authority.check(effect, || self.path()),
        }
    }

    /// Fails if this address may not be used like that.
    pub(crate) fn check_addr(&self, how: NetUse, addr: SocketAddr) -> Result<(), Denied> {
        match self.authority() {
            None => Ok(()),
            Some(authority) => authority.check_addr(how, addr, || self.path()),
        }
    }
}
