//! `Cx`: the capability to act, and the scope to be cancelled in.
//!
//! Every task body gets a `&Cx`. A shield, a deadline or a race arm hands a child `&Cx` to its
//! closure; there are no thread-locals and no masks to restore.

use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::body::{TaskFn, TaskOutput};
use crate::budget::Budget;
use crate::cancel::{Cancelled, Hold, Level, Note, Reason, ScopeRef, Turn, Watch};
use crate::caps::{All, Authority, CapSet, HasTime, NoCaps, SubsetOf};
use crate::host::Host;
use crate::id::RegionId;
use crate::nap::Nap;
use crate::outcome::Outcome;
use crate::primitive::Ordering;
use crate::region::dump::Dump;
use crate::region::{Finalizer, Node};
use crate::time::Time;
use crate::trace::Spans;

/// What a `Cx` is, whatever it may do.
#[derive(Clone)]
struct Inner {
    /// `None` in that of a task, whose scope has it.
    node: Option<Arc<Node>>,
    scope: ScopeRef,
    /// All of it, if nobody took anything away.
    authority: Option<Arc<Authority>>,
}

asupersync_task::tagged! {
    /// The capability context of a task: where it may spawn, wait and do I/O, and how it hears that
    /// it should stop.
    ///
    /// `C` is the set of what it [may do](crate::caps). A clone that outlives its region can do
    /// nothing: spawning is refused, waiting is cancelled.
    pub struct Cx<C = All> { inner: Inner }
}

impl<C> Clone for Cx<C> {
    fn clone(&self) -> Self {
        Cx::tag(self.inner.clone())
    }
}

impl<C> Cx<C> {
    pub(crate) fn new(node: Arc<Node>, scope: ScopeRef, authority: Option<Arc<Authority>>) -> Self {
        Cx::tag(Inner { node: Some(node), scope, authority })
    }

    /// The same `Cx` with a smaller set. Costs nothing, and nothing leads back.
    ///
    /// ```
    /// use asupersync::caps::{Spawn, Time};
    /// use asupersync::{Cx, Outcome};
    /// use std::time::Duration;
    ///
    /// /// Waits, starts what it likes, and opens no socket or file.
    /// async fn worker(cx: &Cx<(Spawn, Time)>) -> Outcome {
    ///     let task = cx.spawn("nap", async |cx| Ok(cx.sleep(Duration::from_millis(1)).await?));
    ///     task.join().await
    /// }
    ///
    /// #[asupersync::main]
    /// async fn main(cx: &Cx) -> Outcome {
    ///     worker(cx.restrict()).await
    /// }
    /// ```
    pub fn restrict<B>(&self) -> &Cx<B>
    where
        B: SubsetOf<C>,
    {
        self.retag()
    }

    /// A `Cx` for the body of a region.
    pub(crate) fn within(&self, node: &Arc<Node>) -> Self {
        Cx::new(node.clone(), node.scope.clone(), self.inner.authority.clone())
    }

    /// The same without capabilities, whatever `C` is.
    pub(crate) fn bare(&self) -> &Cx<NoCaps> {
        self.retag()
    }

    /// The same with the set that it had before somebody kept it [bare](Self::bare).
    pub(crate) fn with_caps<B>(&self) -> &Cx<B> {
        self.retag()
    }

    /// The region's own scope, without its capabilities: for what belongs to the region rather than
    /// to one task of it.
    pub(crate) fn of_region(&self) -> Cx<NoCaps> {
        self.bare().within(&self.share_node())
    }

    /// The same with less authority.
    pub(crate) fn narrowed(&self, authority: &Authority) -> Self {
        let before = self.inner.authority.as_deref().cloned();
        let authority = before.unwrap_or_default().meet(authority);
        Cx::tag(Inner { authority: Some(Arc::new(authority)), ..self.inner.clone() })
    }

    /// A `Cx` for work inside a scope of this one.
    pub(crate) fn inside(&self, scope: ScopeRef) -> Self {
        Cx::new(self.share_node(), scope, self.inner.authority.clone())
    }

    /// A `Cx` for a task of the same region, whose scope this is.
    // Not called: handed over in memory, the scope is read in larger pieces than it was written, which stalls.
    #[inline(always)]
    pub(crate) fn of_task(&self, scope: ScopeRef) -> Self {
        if scope.region().is_none() {
            return self.inside(scope);
        }
        Cx::tag(Inner { node: None, scope, authority: self.inner.authority.clone() })
    }

    /// The region itself, to be kept.
    pub(crate) fn share_node(&self) -> Arc<Node> {
        self.node().clone()
    }

    #[inline]
    pub(crate) fn node(&self) -> &Arc<Node> {
        let own = self.inner.node.as_ref().or_else(|| self.inner.scope.region());
        own.expect("a task that has a `Cx` is one of a region")
    }

    /// They are clones of each other, as far as anybody could tell.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        fn are_same<T>(own: Option<&Arc<T>>, its: Option<&Arc<T>>) -> bool {
            own.map(Arc::as_ptr) == its.map(Arc::as_ptr)
        }
        let (own, its) = (&self.inner, &other.inner);
        own.scope.ptr_eq(&its.scope)
            && are_same(own.authority.as_ref(), its.authority.as_ref())
            && are_same(own.node.as_ref(), its.node.as_ref())
    }

    pub(crate) fn scope(&self) -> &ScopeRef {
        &self.inner.scope
    }

    /// What may be done at run time; all of it if `None`.
    pub(crate) fn authority(&self) -> Option<&Arc<Authority>> {
        self.inner.authority.as_ref()
    }

    pub(crate) fn host(&self) -> &dyn Host {
        &**self.shared_host()
    }

    pub(crate) fn shared_host(&self) -> &Arc<dyn Host> {
        &self.node().tree.host
    }

    /// Runs one operation of the given class: it fails once the scope's level is at least `at`.
    /// Its own readiness comes before a request that arrives meanwhile. While it waits, `note` says
    /// what for. A task that has had its turn yields before the operation begins.
    ///
    /// A closure and no `async fn`, whose future would keep room for each argument twice.
    pub(crate) fn op<T, E: From<Cancelled>>(
        &self,
        at: Level,
        note: Note,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<Result<T, E>>,
    ) -> impl Future<Output = Result<T, E>> {
        let mut watch = Watch::new(&self.inner.scope, note);
        poll_fn(move |task| watch.poll_op(at, task, &mut poll))
    }

    /// Lets others run if this task has had its turn: for what is no [`op`](Self::op) and may be
    /// ready each time.
    pub(crate) async fn take_turn(&self) {
        let mut turn = Turn::default();
        poll_fn(|task| turn.poll_begin(&self.inner.scope, task)).await;
        self.inner.scope.count_ready();
    }

    /// A `Cx` for work in flight that somebody else polls: it does not see Request, only the end of
    /// the drain budget, and may start tasks until then. [`finish`](Cx::finish) is the scoped form.
    pub fn in_flight(&self) -> Self {
        self.inside(self.inner.scope.child(Hold::Request))
    }

    /// The host's clock.
    pub fn now(&self) -> Time
    where
        C: HasTime,
    {
        self.host().now()
    }

    /// What this scope may still use: the absolute deadline, polls and cost that are left, and the
    /// priority. It is the meet of all budgets around it, up to a shield, which has only its own; a
    /// region under Request counts with what is left of its drain.
    ///
    /// ```
    /// use asupersync::{Budget, Cx, Outcome, Region};
    ///
    /// #[asupersync::main]
    /// async fn main(cx: &Cx) -> Outcome<()> {
    ///     let ten = Region::builder("ten").budget(Budget::UNLIMITED.with_cost(10));
    ///     ten.open(cx, async |cx: &Cx| {
    ///         let more = Region::builder("more").budget(Budget::UNLIMITED.with_cost(100));
    ///         more.open(cx, async |cx: &Cx| Ok(cx.charge(3)?)).await?;
    ///         assert_eq!(cx.budget().cost(), Some(7));
    ///         Ok(())
    ///     })
    ///     .await
    /// }
    /// ```
    pub fn budget(&self) -> Budget {
        self.inner.scope.budget()
    }

    /// Charges `units` of cost for work that is done here to this scope and all around it.
    ///
    /// What a unit is, the program decides; they count where a budget has a limit of cost
    /// ([`Budget::with_cost`]), and elsewhere cost one load.
    ///
    /// # Errors
    /// `Cancelled` if this scope is under Request, by this charge or before; the units are charged
    /// all the same. Inside of [`finish`](Cx::finish) that is at the end of the drain budget.
    pub fn charge(&self, units: u64) -> Result<(), Cancelled> {
        self.inner.scope.charge_cost(units);
        self.checkpoint()
    }

    /// The region's number within its runtime.
    pub fn region_id(&self) -> RegionId {
        self.node().id
    }

    /// The tree of regions that this one belongs to, from the root on: who owns whom, how far each
    /// has gone, and what it waits for. Nobody is polled or stopped for it.
    ///
    /// ```
    /// # use asupersync::{Cx, Outcome, sync::Notify};
    /// # use std::sync::Arc;
    /// # #[asupersync::main]
    /// # async fn main(cx: &Cx) -> Outcome<()> {
    /// let never = Arc::new(Notify::new());
    /// let (waits, told) = (never.clone(), Arc::new(Notify::new()));
    /// let tell = told.clone();
    /// drop(cx.spawn("waits", async move |cx| {
    ///     tell.notify_one();
    ///     Ok(waits.notified(cx).await?)
    /// }));
    /// told.notified(cx).await?;
    /// println!("{}", cx.dump());
    /// assert!(cx.dump().to_json().contains(r#""name":"waits""#));
    /// never.notify_one();
    /// # Ok(())
    /// # }
    /// ```
    pub fn dump(&self) -> Dump {
        self.share_node().dump()
    }

    /// Names from the root region to this one, joined by `/`.
    pub fn path(&self) -> String {
        self.node().path()
    }

    /// This scope is under Request.
    pub fn is_cancelled(&self) -> bool {
        self.inner.scope.level() >= Level::Requested
    }

    /// Fails if this scope is under Request. Costs one load.
    pub fn checkpoint(&self) -> Result<(), Cancelled> {
        self.inner.scope.check(Level::Requested)
    }

    /// Waits until this scope is under Request, and tells why.
    ///
    /// # Cancel safety
    /// Nothing is lost: a request stays visible.
    pub async fn cancelled(&self) -> Cancelled {
        let mut watch = Watch::new(&self.inner.scope, Note::REQUEST);
        poll_fn(|task| watch.poll(Level::Requested, task)).await
    }

    /// Waits for the runtime's first shutdown signal, or for a request to this scope, and tells
    /// which. From the first call on, nothing is cancelled by the signal itself: the caller is in
    /// charge of closing. A second signal ends the process at once in any case.
    ///
    /// # Cancel safety
    /// Nothing is lost: the signal stays visible.
    pub async fn shutdown_signal(&self) -> Reason {
        let tree = &self.node().tree;
        tree.shutdown_watched.store(true, Ordering::SeqCst);
        let mut signal = Watch::new(&tree.shutdown, Note::SHUTDOWN);
        let mut request = Watch::new(&self.inner.scope, Note::SHUTDOWN);
        let told = poll_fn(|task| match signal.poll(Level::Requested, task) {
            Poll::Ready(signal) => Poll::Ready(signal),
            Poll::Pending => request.poll(Level::Requested, task),
        });
        told.await.into_reason()
    }

    /// Awaits a future that knows no `Cx`, and drops it at Request.
    ///
    /// # Errors
    /// `Cancelled` at Request, unless the future was ready before.
    ///
    /// # Cancel safety
    /// That of `future`: it is dropped where it waits.
    pub async fn or_cancel<F: Future>(&self, future: F) -> Result<F::Output, Cancelled> {
        let mut future = pin!(future);
        self.op(Level::Requested, Note::FOREIGN, |task| future.as_mut().poll(task).map(Ok)).await
    }

    /// Awaits a future that knows no `Cx` as work in flight: it goes on through Request, and is
    /// dropped at the end of the drain budget.
    ///
    /// # Errors
    /// `Cancelled` once the drain budget is spent, unless the future was ready.
    ///
    /// # Cancel safety
    /// That of `future`: it is dropped where it waits.
    pub async fn or_spent<F: Future>(&self, future: F) -> Result<F::Output, Cancelled> {
        let mut future = pin!(future);
        self.op(Level::Spent, Note::FOREIGN, |task| future.as_mut().poll(task).map(Ok)).await
    }

    /// Waits for `duration`, from this call on.
    ///
    /// # Errors
    /// `Cancelled` at Request.
    ///
    /// # Cancel safety
    /// Nothing is lost but the time waited.
    pub fn sleep(&self, duration: Duration) -> impl Future<Output = Result<(), Cancelled>>
    where
        C: HasTime,
    {
        Nap::lasting(self.scope(), self.shared_host(), duration)
    }

    /// Waits until `deadline`; a point in the past is ready at once.
    ///
    /// # Errors
    /// `Cancelled` at Request.
    ///
    /// # Cancel safety
    /// Nothing is lost but the time waited.
    pub fn sleep_until(&self, deadline: Time) -> impl Future<Output = Result<(), Cancelled>>
    where
        C: HasTime,
    {
        self.wait_until(deadline)
    }

    pub(crate) fn wait_until(&self, deadline: Time) -> impl Future<Output = Result<(), Cancelled>> {
        Nap::until(self.scope(), self.shared_host(), deadline)
    }

    /// Lets other tasks run once.
    ///
    /// # Errors
    /// `Cancelled` at Request.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub fn yield_now(&self) -> impl Future<Output = Result<(), Cancelled>> {
        let scope = &self.inner.scope;
        let mut turn = scope.next_turn();
        poll_fn(move |task| {
            // Also the second time, after its turn. It wakes itself, so a request need not.
            scope.check(Level::Requested)?;
            turn.poll_next(task).map(Ok)
        })
    }

    /// Registers cleanup with this region. Finalizers run last registered first, each exactly once,
    /// after every task of the region is gone. The request that closed the region does not reach
    /// them; what ends one is its budget.
    ///
    /// # Errors
    /// `Cancelled` if the region is Closed already (this `Cx` outlived it): `finalizer` is dropped.
    #[track_caller]
    pub fn defer<F, R>(&self, finalizer: F) -> Result<(), Cancelled>
    where
        C: CapSet,
        F: for<'a> TaskFn<&'a Cx<C>, R, Fut: Send> + Send + 'static,
        R: TaskOutput,
    {
        // Weak, or a region that is never closed would keep itself alive.
        let (node, authority) = (Arc::downgrade(&self.share_node()), self.inner.authority.clone());
        let spans = Spans::inherited();
        let finalizer = Finalizer::new(Location::caller(), move |scope| {
            Box::pin(spans.around(async move {
                let Some(node) = node.upgrade() else { return Ok(()) };
                let cx = Cx::new(node, scope, authority);
                finalizer(&cx).await.into_outcome().map(|_| ())
            }))
        });
        self.node().defer(finalizer)
    }

    /// Finishes work in flight: inside, Request is not seen; the end of the drain budget is.
    ///
    /// # Errors
    /// The body's; `Cancelled` once the drain budget is spent, when the body is dropped after one
    /// more poll.
    ///
    /// # Cancel safety
    /// That of the body.
    pub async fn finish<R, F>(&self, body: F) -> Outcome<R::Ok>
    where
        C: CapSet,
        R: TaskOutput,
        F: AsyncFnOnce(&Cx<C>) -> R,
    {
        let cx = self.in_flight();
        body(&cx).await.into_outcome()
    }
}
