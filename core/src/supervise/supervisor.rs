//! The supervisor as users build and run it.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::backoff::Backoff;
use super::child::ChildSpec;
use super::driver::{Driver, Settings};
use super::handle::{Command, SupervisorHandle, requests};
use super::policy::Strategy;
use super::state::State;
use super::window::Window;
use crate::caps::{All, CapSet, Effect, HasSpawn};
use crate::channel::mpsc;
use crate::cx::Cx;
use crate::outcome::Outcome;
use crate::region::{OnFailure, Region};

/// Starts children, and starts them again when they end, within limits.
///
/// ```
/// use asupersync::supervise::{Backoff, ChildSpec, Restart, Strategy, Supervisor};
/// use asupersync::{Cx, Outcome};
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use std::time::Duration;
///
/// #[asupersync::main]
/// async fn main(cx: &Cx) -> Outcome<()> {
///     let tries = Arc::new(AtomicU32::new(0));
///     let flaky = ChildSpec::new("flaky", {
///         let tries = tries.clone();
///         async move |_: &Cx| match tries.fetch_add(1, Ordering::Relaxed) {
///             0 | 1 => Err(std::io::Error::other("not yet").into()),
///             _ => Ok(()),
///         }
///     });
///     Supervisor::new(Strategy::OneForOne)
///         .intensity(5, Duration::from_secs(10))
///         .backoff(Backoff::exponential(Duration::from_millis(1), Duration::from_secs(1)))
///         .child(flaky.restart(Restart::Transient))
///         .run(cx)
///         .await?;
///     assert_eq!(tries.load(Ordering::Relaxed), 3);
///     Ok(())
/// }
/// ```
#[must_use = "a supervisor does nothing until it is run"]
pub struct Supervisor<C = All> {
    name: Arc<str>,
    strategy: Strategy,
    intensity: (u32, Duration),
    backoff: Backoff,
    max_children: usize,
    children: Vec<ChildSpec<C>>,
    requests: Option<(SupervisorHandle<C>, mpsc::Receiver<Command<C>>)>,
}

impl<C: CapSet> Supervisor<C> {
    /// A supervisor without children that allows one restart within five seconds, as OTP's does,
    /// and starts again at once.
    pub fn new(strategy: Strategy) -> Self {
        Supervisor {
            name: "supervisor".into(),
            strategy,
            intensity: (1, Duration::from_secs(5)),
            backoff: Backoff::NONE,
            max_children: usize::MAX,
            children: Vec::new(),
            requests: None,
        }
    }

    /// The name of its region. Default: `supervisor`.
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = name.into();
        self
    }

    /// How many restarts there may be within any `period`, of all children together; with 0, the
    /// first is too many. The restart of a group counts once. Keeps the time of each restart within
    /// the period, so at most `max_restarts` of them. Default: 1 within 5 seconds.
    ///
    /// Waits of the [`backoff`](Self::backoff) are part of the period: where they are long, fewer
    /// restarts fit in.
    pub fn intensity(mut self, max_restarts: u32, period: Duration) -> Self {
        self.intensity = (max_restarts, period);
        self
    }

    /// How long a child waits before it is started again. Default: [`Backoff::NONE`].
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// How many children there may be at once, for [`SupervisorHandle::start_child`]: those that
    /// wait for a restart count too. Default: no limit.
    pub fn max_children(mut self, max: usize) -> Self {
        self.max_children = max;
        self
    }

    /// Adds a child. Children are started in the order in which they are added, and stopped in
    /// reverse.
    pub fn child(mut self, spec: ChildSpec<C>) -> Self {
        self.children.push(spec);
        self
    }

    /// A handle to add and remove children while the supervisor runs. With one, it does not end
    /// when its children are done, but when every handle is dropped, too.
    ///
    /// ```
    /// # use asupersync::supervise::{ChildSpec, Strategy, Supervisor};
    /// # use asupersync::{Cx, Outcome};
    /// # #[asupersync::main]
    /// # async fn main(cx: &Cx) -> Outcome<()> {
    /// let mut pool = Supervisor::new(Strategy::SimpleOneForOne).name("pool");
    /// let handle = pool.handle();
    /// let pool = cx.spawn("pool", async move |cx| pool.run(cx).await);
    /// let job = ChildSpec::new("job", async |cx: &Cx| drop(cx.cancelled().await));
    /// let job = handle.start_child(cx, job).await?;
    /// handle.terminate_child(cx, job).await?;
    /// drop(handle);
    /// pool.join().await
    /// # }
    /// ```
    pub fn handle(&mut self) -> SupervisorHandle<C> {
        self.requests.get_or_insert_with(requests).0.clone()
    }

    /// Runs until every child is done, too many restarts were needed, or Request comes; and, each
    /// time, until nothing of the children is left. Its children live in a region of its own.
    ///
    /// | it ends because | after | with |
    /// |---|---|---|
    /// | every child is done, and there is no handle | | `Ok` |
    /// | a restart more than the intensity allows was due | stopping all, last started first | an error, [`TooManyRestarts`](super::TooManyRestarts) |
    /// | the caller's scope is under Request | the same | `Cancelled` |
    /// | the caller's drain budget is spent meanwhile | cutting those that are left, at once | `Cancelled` |
    ///
    /// To stop a child is Request, Drain and Finalize of its region, awaited, within the child's
    /// budgets; then comes the turn of the one before. The children's budgets run one after the
    /// other, so together they should fit into the drain budget of the caller's region.
    ///
    /// # Errors
    /// As in the table. Without starting a child, `Cancelled` if the caller's scope is under Request
    /// already, and [`Denied`](crate::caps::Denied) if it may not start tasks. A child's panic is a failure of that child, and nobody else's.
    ///
    /// # Cancel safety
    /// Dropped half-way, all children get Request at once, with reason `HandleDropped`; the
    /// enclosing region drains and finalizes them, and does not close before.
    #[track_caller]
    pub fn run(self, cx: &Cx<C>) -> impl Future<Output = Outcome> + Send + use<'_, C>
    where
        C: HasSpawn,
    {
        run(self, cx, Location::caller())
    }
}

async fn run<C: CapSet>(
    supervisor: Supervisor<C>,
    caller: &Cx<C>,
    site: &'static Location<'static>,
) -> Outcome {
    let Supervisor { name, strategy, intensity: (max, period), backoff, max_children, children, requests } =
        supervisor;
    caller.checkpoint()?;
    caller.check(Effect::Spawn)?;
    let commands = requests.map(|(_, receiver)| receiver);
    let backoff = backoff.or_seed(|| caller.host().random_seed());
    let state = State::new(strategy, Window::new(max, period), backoff);
    let settings = Settings { state, max_children, commands };
    // Request is told to the children one by one, so it must not reach them by itself.
    let hidden = caller.in_flight();
    let body = async |cx: &Cx<C>| Driver::new(cx, caller, settings).run(children).await;
    Region::builder(name).on_failure(OnFailure::Collect).open_at(&hidden, site, body).await.0
}

impl<C> fmt::Debug for Supervisor<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor")
            .field("name", &self.name)
            .field("strategy", &self.strategy)
            .field("children", &self.children)
            .finish_non_exhaustive()
    }
}
