//! What a supervisor must know to start a child, again and again.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;

use super::event::Traits;
use super::mailbox::{LastWill, Mailbox, Ready};
use super::policy::{ChildId, Restart};
use crate::body::{TaskFn, TaskOutput};
use crate::budget::Budget;
use crate::caps::{All, CapSet};
use crate::cx::Cx;
use crate::lock::{Mutex, lock};
use crate::outcome::Outcome;
use crate::region::{ChildRegion, Region};

type Body = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// Makes the body of one start. Locked only while it does, by the one task that is the child.
type Factory<C> = Arc<Mutex<dyn FnMut(Cx<C>, Ready) -> Body + Send>>;

/// A child to be supervised: its name, its body, and how it is started again and stopped.
///
/// The body is an `async |cx| ..` that can be cloned: each start runs a fresh clone in a region of
/// its own. What it captures is cloned with it; what shall live through restarts goes into an `Arc`.
///
/// ```
/// use asupersync::supervise::{ChildSpec, Restart};
/// use asupersync::{Budget, Cx};
/// use std::time::Duration;
///
/// let spec: ChildSpec = ChildSpec::new("cache", async |cx: &Cx| {
///     cx.sleep(Duration::from_secs(60)).await?;
///     Ok(())
/// })
/// .restart(Restart::Transient)
/// .drain(Budget::timeout(Duration::from_secs(5)));
/// ```
#[must_use = "a child specification does nothing until a supervisor has it"]
pub struct ChildSpec<C = All> {
    name: Arc<str>,
    restart: Restart,
    tells_ready: bool,
    drain: Budget,
    finalize: Budget,
    site: &'static Location<'static>,
    factory: Factory<C>,
}

/// An `async |cx, ready| ..` whose future can be named: [`TaskFn`] with a second argument.
///
/// Implemented for every such async closure; nobody implements it by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no body of a child that tells when it is ready",
    note = "write `async |cx, ready| {{ .. }}`, and call `ready.signal()` in it"
)]
pub trait ReadyFn<A, T>:
    AsyncFnOnce(A, Ready) -> T + FnOnce(A, Ready) -> <Self as ReadyFn<A, T>>::Fut
{
    /// What the closure returns.
    type Fut: Future<Output = T>;
}

#[diagnostic::do_not_recommend]
impl<A, T, F, Fut> ReadyFn<A, T> for F
where
    F: AsyncFnOnce(A, Ready) -> T + FnOnce(A, Ready) -> Fut,
    Fut: Future<Output = T>,
{
    type Fut = Fut;
}

impl<C: CapSet> ChildSpec<C> {
    /// A permanent child. It counts as ready once it is started.
    #[track_caller]
    pub fn new<F, R>(name: impl Into<Arc<str>>, body: F) -> Self
    where
        F: for<'a> TaskFn<&'a Cx<C>, R, Fut: Send> + Clone + Send + 'static,
        R: TaskOutput,
    {
        let factory = move |cx: Cx<C>, _| {
            let body = body.clone();
            Box::pin(async move { body(&cx).await.into_outcome().map(drop) }) as Body
        };
        Self::made_by(name.into(), false, Location::caller(), Arc::new(Mutex::new(factory)))
    }

    /// A permanent child that says when it is ready: those after it are started then, and not
    /// before. One that ends before it says so has failed to start, and is started again like any
    /// other that ends.
    ///
    /// ```
    /// # use asupersync::supervise::{ChildSpec, Restart, Strategy, Supervisor};
    /// # use asupersync::{Cx, Outcome, sync::Notify};
    /// # #[asupersync::main]
    /// # async fn main(cx: &Cx) -> Outcome<()> {
    /// let server = ChildSpec::with_ready("server", async |cx: &Cx, ready| {
    ///     let listener = cx.tcp_bind("127.0.0.1:0").await?;
    ///     ready.signal();
    ///     drop(listener);
    ///     Ok(())
    /// });
    /// # let supervisor = Supervisor::new(Strategy::RestForOne);
    /// # supervisor.child(server.restart(Restart::Transient)).run(cx).await
    /// # }
    /// ```
    #[track_caller]
    pub fn with_ready<F, R>(name: impl Into<Arc<str>>, body: F) -> Self
    where
        F: for<'a> ReadyFn<&'a Cx<C>, R, Fut: Send> + Clone + Send + 'static,
        R: TaskOutput,
    {
        let factory = move |cx: Cx<C>, ready| {
            let body = body.clone();
            Box::pin(async move { body(&cx, ready).await.into_outcome().map(drop) }) as Body
        };
        Self::made_by(name.into(), true, Location::caller(), Arc::new(Mutex::new(factory)))
    }

    fn made_by(
        name: Arc<str>,
        tells_ready: bool,
        site: &'static Location<'static>,
        factory: Factory<C>,
    ) -> Self {
        let (drain, finalize) = (Budget::UNLIMITED, Budget::UNLIMITED);
        ChildSpec { name, restart: Restart::default(), tells_ready, drain, finalize, site, factory }
    }

    /// When it is started again. Default: [`Restart::Permanent`].
    pub fn restart(mut self, restart: Restart) -> Self {
        self.restart = restart;
        self
    }

    /// How long its work in flight may go on once it is asked to stop; what still waits then is
    /// dropped. The supervisor's own budget is a limit too. Default: no other limit.
    pub fn drain(mut self, budget: Budget) -> Self {
        self.drain = budget;
        self
    }

    /// How long its finalizers may take together; the supervisor's own budget is a limit too.
    /// Default: no other limit.
    pub fn finalize(mut self, budget: Budget) -> Self {
        self.finalize = budget;
        self
    }

    pub(super) fn traits(&self) -> Traits {
        Traits { name: self.name.clone(), restart: self.restart, tells_ready: self.tells_ready }
    }

    /// Opens a region beside the supervisor's body that is the child; and then word of its end.
    pub(super) fn start(&self, cx: &Cx<C>, mailbox: &Mailbox, id: ChildId, run: u64) -> ChildRegion<()> {
        // Made before the region, so that it tells even of one whose body never runs.
        let will = LastWill::new(mailbox.clone(), id);
        let ready = Ready::new(mailbox.clone(), id, run);
        let factory = self.factory.clone();
        let body = async move |cx: &Cx<C>| {
            let body = lock(&factory)(cx.clone(), ready);
            body.await
        };
        let region = Region::builder(self.name.clone()).drain(self.drain).finalize(self.finalize);
        region.spork_at(cx, self.site, body, move |outcome| {
            will.tell(outcome);
            // An error of the child's is the supervisor's to judge, not its region's.
            Ok(())
        })
    }
}

impl<C> fmt::Debug for ChildSpec<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChildSpec")
            .field("name", &self.name)
            .field("restart", &self.restart)
            .finish_non_exhaustive()
    }
}
