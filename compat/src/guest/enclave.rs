//! The handle of an enclave: what guests are started with.

use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::{Pin, pin};
use std::sync::Arc;

use asupersync_core::caps::{HasBlocking, HasNet, HasSpawn, HasTime};
use asupersync_core::{Cancelled, Cx, Outcome, TaskFn};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::builder::Builder;
use super::call::start;
use super::close::EnclaveReport;
use super::enter::Entered;
use super::job;
use super::ledger::Kind;
use super::owned::Owned;
use super::shared::Shared;
use super::ticket::Ticket;

/// A private Tokio runtime that belongs to a region. Clones are handles of the same one.
///
/// What the region does to it when it closes is told in the [module](super). A region with
/// [`Close::Join`](asupersync_core::region::Close::Join) closes its enclave when the last handle is dropped.
#[derive(Clone)]
pub struct Enclave {
    shared: Arc<Shared>,
    /// Tells that the last handle is gone.
    _held: Arc<DropGuard>,
}

impl fmt::Debug for Enclave {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enclave").field("site", &self.shared.site).finish_non_exhaustive()
    }
}

impl Enclave {
    /// Makes a runtime with one worker, with timers and I/O, that belongs to the region of `cx`;
    /// [`builder`](Self::builder) has others.
    ///
    /// What Tokio does there is not limited by what `cx` may do: guests open sockets and files as they like.
    ///
    /// # Errors
    /// `Cancelled` under Request; [`Denied`](asupersync_core::caps::Denied) if tasks, jobs that block or the
    /// network were taken away; the system's, if it gives no thread or no file descriptor.
    #[track_caller]
    pub fn open<C>(cx: &Cx<C>) -> Outcome<Enclave>
    where
        C: HasBlocking + HasNet + HasSpawn + HasTime,
    {
        Enclave::builder().open(cx)
    }

    /// An enclave with other than the default settings.
    pub fn builder() -> Builder {
        Builder::new()
    }

    pub(super) fn new(shared: Arc<Shared>) -> (Self, CancellationToken) {
        let released = CancellationToken::new();
        let held = Arc::new(released.clone().drop_guard());
        (Enclave { shared, _held: held }, released)
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Runs `future` inside, and waits for it. It is a call of the region of `cx`, in flight: it goes on
    /// through Request, and is aborted at the end of the drain budget. One that should stop at Request is for
    /// [`run_or_cancel`](Self::run_or_cancel), one that should hear of it for [`run_with`](Self::run_with).
    ///
    /// # Errors
    /// `Cancelled` under Request, without starting it, and when the drain budget is spent or the enclave is
    /// shut down; `Panicked` with what `future` panicked with;
    /// [`Denied`](asupersync_core::caps::Denied) if tasks may not be started here.
    ///
    /// # Cancel safety
    /// Dropped, it aborts `future` where that waits, and the region of `cx` does not close before that is
    /// gone.
    #[track_caller]
    pub fn run<'a, C, F>(
        &'a self,
        cx: &'a Cx<C>,
        future: F,
    ) -> impl Future<Output = Outcome<F::Output>> + Send + use<'a, C, F>
    where
        C: HasSpawn + HasTime,
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        self.run_at(cx, Location::caller(), future)
    }

    pub(super) async fn run_at<C, F>(
        &self,
        cx: &Cx<C>,
        site: &'static Location<'static>,
        future: F,
    ) -> Outcome<F::Output>
    where
        C: HasSpawn + HasTime,
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let call = start(&self.shared, cx, site, cx.now(), future)?;
        cx.or_spent(call).await?
    }

    /// As [`run`](Self::run), but at Request `future` is aborted where it waits; this returns when it is gone.
    ///
    /// # Errors
    /// As [`run`](Self::run); `Cancelled` at Request, unless `future` was ready before.
    ///
    /// # Cancel safety
    /// As [`run`](Self::run).
    #[track_caller]
    pub fn run_or_cancel<'a, C, F>(
        &'a self,
        cx: &'a Cx<C>,
        future: F,
    ) -> impl Future<Output = Outcome<F::Output>> + Send + use<'a, C, F>
    where
        C: HasSpawn + HasTime,
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let site = Location::caller();
        async move {
            let mut call = start(&self.shared, cx, site, cx.now(), future)?;
            if let Ok(ended) = cx.or_cancel(&mut call).await {
                return ended;
            }
            call.abort();
            cx.or_spent(call).await?
        }
    }

    /// As [`run`](Self::run), with a token that is cancelled at the Request of `cx`, for libraries with a
    /// graceful end of their own.
    ///
    /// ```
    /// use asupersync_compat::guest::Enclave;
    /// use asupersync_core::{Cx, Outcome};
    ///
    /// async fn serve(cx: &Cx, tokio: &Enclave) -> Outcome<()> {
    ///     let serving = tokio.run_with(cx, async |stop| {
    ///         // axum::serve(listener, app).with_graceful_shutdown(stop.cancelled_owned()).await
    ///         stop.cancelled().await
    ///     });
    ///     Ok(serving.await?)
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`run`](Self::run).
    ///
    /// # Cancel safety
    /// As [`run`](Self::run).
    #[track_caller]
    pub fn run_with<'a, C, R, F>(
        &'a self,
        cx: &'a Cx<C>,
        body: F,
    ) -> impl Future<Output = Outcome<R>> + Send + use<'a, C, R, F>
    where
        C: HasSpawn + HasTime,
        R: Send + 'static,
        F: TaskFn<CancellationToken, R, Fut: Send> + Send + 'static,
    {
        let site = Location::caller();
        async move {
            let stop = self.token();
            let given = stop.clone();
            let mut call = start(&self.shared, cx, site, cx.now(), async move { body(given).await })?;
            let mut request = pin!(cx.cancelled());
            let ended = poll_fn(|task| {
                if !stop.is_cancelled() && request.as_mut().poll(task).is_ready() {
                    stop.cancel();
                }
                Pin::new(&mut call).poll(task)
            });
            cx.or_spent(ended).await?
        }
    }

    /// Runs `job` on a thread of the enclave that may block, in its context, and waits for it. At Request a
    /// job that has not begun never does; one that has is waited for until the drain budget is spent, and if
    /// it outlives the enclave's shutdown, its thread is reported as quarantined.
    ///
    /// # Errors
    /// As [`run`](Self::run); [`Denied`](asupersync_core::caps::Denied) if jobs that block were taken away.
    ///
    /// # Cancel safety
    /// Dropped before the job has begun, it never will. Dropped later, the job runs to its end, and the
    /// region of `cx` waits for that; what it returns is dropped.
    #[track_caller]
    pub fn blocking<'a, C, T, F>(
        &'a self,
        cx: &'a Cx<C>,
        job: F,
    ) -> impl Future<Output = Outcome<T>> + Send + use<'a, C, T, F>
    where
        C: HasBlocking + HasSpawn + HasTime,
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let site = Location::caller();
        async move { job::run(&self.shared, cx, site, cx.now(), job).await }
    }

    /// Has `future` polled, and dropped, in the context of the enclave by whoever awaits this. It need not be
    /// `Send` or `'static`.
    ///
    /// Prefer [`run`](Self::run). Here each wake of a socket or timer crosses from the runtime to the host, and:
    /// - Tokio does not know the poll as one of a task: there is no cooperative budget, so a future whose
    ///   operations are always ready keeps its worker, and `tokio::task::id()` panics;
    /// - time that is paused (`tokio::time::pause`) moves on when the runtime is idle, whatever happens here;
    /// - calls that block (`Handle::block_on`, `blocking_recv`) are let through, and stop a worker of the host;
    /// - once the enclave is shut down, its timers panic when they are polled.
    ///
    /// # Errors
    /// `Cancelled` once the enclave is shut down.
    pub fn enter<F: Future>(&self, future: F) -> Result<Entered<F>, Cancelled> {
        Ok(Entered::new(self.shared.handle()?, future))
    }

    /// Makes `value` belong to the enclave: a pool, a client, whatever keeps connections.
    pub fn owned<T: Send + Sync + 'static>(&self, value: T) -> Owned<T> {
        Owned::new(self, value)
    }

    /// Keeps the drain waiting until what this returns is dropped. `name` is for the report.
    #[track_caller]
    pub fn ticket<C: HasTime>(&self, cx: &Cx<C>, name: &str) -> Ticket {
        let guest = self.shared.guest(Kind::Ticket(name.into()), Location::caller(), cx.now());
        Ticket::new(guest, self.clone())
    }

    /// A token that is cancelled when the enclave's region gets Request, for guests to hear of it. To
    /// cancel it does nothing to the enclave.
    pub fn token(&self) -> CancellationToken {
        self.shared.token.child_token()
    }

    /// How it ended; `None` before its region's finalizers have come to it, and if they had no time for it.
    pub fn report(&self) -> Option<EnclaveReport> {
        self.shared.report()
    }
}
