//! A root region on a Tokio runtime, from the start of its main body until it is Closed.

use std::collections::HashSet;
use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use asupersync_core::region::dump::Dump;
use asupersync_core::region::{CloseReport, Listed, Root, Roots};
use asupersync_core::{Budget, Cancelled, Cx, Outcome, Reason, ReasonKind, TaskFn, TaskOutput, Time};
use asupersync_scheduler::dumper::Dumper;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::host::TokioHost;
use super::signals::Signals;

/// How long a poll may still take after its budget is spent.
const GRACE: Duration = Duration::from_millis(50);
/// How often a root that is closing is looked at after its drain.
const WATCH: Duration = Duration::from_millis(10);

/// Runs `main` in a root region on the Tokio runtime that polls this, and closes that region.
///
/// Drain and finalize budgets are 10 and 5 seconds; [`Builder`] has others.
///
/// # Errors
/// The gravest of the body's and the root's children's outcomes; `Cancelled` with reason `Deadline`
/// when the close budget is spent.
///
/// # Panics
/// Outside a Tokio runtime with time and I/O enabled.
///
/// # Cancel safety
/// Dropped, the root gets Request with reason `HandleDropped` and closes by itself, within its budget,
/// as long as the Tokio runtime lives. When that is dropped, everything in the root is dropped with it.
pub async fn run<F, R>(main: F) -> Outcome<R::Ok>
where
    F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Send + 'static,
    R: TaskOutput<Ok: 'static> + 'static,
{
    let (outcome, report) = Builder::default().run_with_report(main).await;
    tell_leftovers(&report);
    outcome
}

/// Settings of a root region on Tokio.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it runs"]
pub struct Builder {
    drain: Budget,
    finalize: Budget,
    dump_on_sigusr1: bool,
    signals: bool,
    roots: Roots,
}

impl Default for Builder {
    fn default() -> Self {
        let (drain, finalize) = (Duration::from_secs(10), Duration::from_secs(5));
        Builder {
            drain: Budget::timeout(drain),
            finalize: Budget::timeout(finalize),
            dump_on_sigusr1: false,
            signals: false,
            roots: Roots::default(),
        }
    }
}

impl Builder {
    /// How long work in flight may go on after Request.
    pub fn drain(mut self, budget: Budget) -> Self {
        self.drain = budget;
        self
    }

    /// How long finalizers may take after that.
    pub fn finalize(mut self, budget: Budget) -> Self {
        self.finalize = budget;
        self
    }

    /// Whether SIGINT and SIGTERM ask the root to close; a second one ends the process at once, also
    /// while every worker of Tokio is stuck. Default: no. Where the system gives no handler, that is told
    /// on stderr, and everything else goes on.
    pub fn signals(mut self, on: bool) -> Self {
        self.signals = on;
        self
    }

    /// Whether SIGUSR1 prints on stderr what the region tree looks like, from a thread of its own, so also
    /// while every worker of Tokio is stuck. Default: no. Where the system gives no thread or no
    /// handler, that is told on stderr, and everything else goes on.
    pub fn dump_on_sigusr1(mut self, on: bool) -> Self {
        self.dump_on_sigusr1 = on;
        self
    }

    /// What runs by this builder or a clone of it: a region tree for each root that is not closed. Any
    /// thread may ask, also while every worker of Tokio is stuck: nobody is polled or stopped for it.
    ///
    /// ```
    /// use asupersync_compat::hosted::Builder;
    /// use asupersync_core::Cx;
    ///
    /// # #[tokio::main]
    /// # async fn main() {
    /// let root = Builder::default();
    /// let watched = root.clone();
    /// let (shown, _) = root
    ///     .run_with_report(async move |cx: &Cx| {
    ///         let asks = cx.spawn_blocking("asks", move || Ok(watched.dump()));
    ///         Ok(asks.join().await?[0].to_string())
    ///     })
    ///     .await;
    /// assert!(shown.unwrap().contains("task `main` (t1) "));
    /// # }
    /// ```
    pub fn dump(&self) -> Vec<Dump> {
        self.roots.dump()
    }

    /// As [`run`], and tells how the root closed, instead of listing on stderr what was left.
    ///
    /// # Errors
    /// As [`run`].
    ///
    /// # Panics
    /// As [`run`].
    ///
    /// # Cancel safety
    /// As [`run`].
    pub async fn run_with_report<F, R>(self, main: F) -> (Outcome<R::Ok>, CloseReport)
    where
        F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Send + 'static,
        R: TaskOutput<Ok: 'static> + 'static,
    {
        let host = TokioHost::new(Handle::current());
        let root = Root::new(host.clone(), "root", self.drain, self.finalize);
        let listed = self.roots.list(&root);
        let dumper = self.dump_on_sigusr1.then(|| Dumper::new(&root));
        let dumper = dumper.and_then(|dumper| {
            dumper.inspect_err(|error| eprintln!("asupersync: cannot listen to SIGUSR1: {error}")).ok()
        });
        let signals = self.signals.then(Signals::new);
        let signals = signals.and_then(|signals| {
            signals.inspect_err(|error| eprintln!("asupersync: cannot listen to signals: {error}")).ok()
        });
        let (tell, told) = oneshot::channel();
        root.start(main, move |outcome, report| drop(tell.send((outcome, report))));
        let mut guard =
            Guard(Some(Driven { root, host, told, signals, ended: false, _seen: (listed, dumper) }));
        let ended = guard.0.as_mut().expect("whole until it is dropped").end().await;
        guard.0 = None;
        ended
    }
}

/// A root until it is Closed, or its close budget is spent.
struct Driven<T> {
    root: Root,
    host: Arc<TokioHost>,
    told: oneshot::Receiver<(Outcome<T>, CloseReport)>,
    signals: Option<Signals>,
    ended: bool,
    /// Ends with it: what others see of the root from outside.
    _seen: (Listed, Option<Dumper>),
}

impl<T> Driven<T> {
    async fn end(&mut self) -> (Outcome<T>, CloseReport) {
        let ended = tokio::select! {
            biased;
            ended = &mut self.told => ended.map_err(|_| self.root.force()),
            never = signalled(&self.root, self.signals.as_ref()) => match never {},
            forced = watch(&self.root) => Err(forced),
        };
        self.ended = true;
        ended.unwrap_or_else(|report| (Err(out_of_budget().into()), report))
    }
}

impl<T> Drop for Driven<T> {
    /// Dropped before its end, it is the Tokio runtime that ends: nothing will be polled any more.
    fn drop(&mut self) {
        if !self.ended {
            tell_leftovers(&self.root.force());
        }
        self.host.close();
    }
}

/// Tells the root of each signal.
async fn signalled(root: &Root, signals: Option<&Signals>) -> Infallible {
    let Some(signals) = signals else { return pending().await };
    loop {
        root.signal(signals.next().await);
    }
}

/// Lets the root close by itself, within its budget, if nobody waits for it any more.
struct Guard<T: Send + 'static>(Option<Driven<T>>);

impl<T: Send + 'static> Drop for Guard<T> {
    fn drop(&mut self) {
        let Some(mut driven) = self.0.take() else { return };
        driven.root.request(Reason::new(ReasonKind::HandleDropped));
        let tokio = driven.host.handle().clone();
        // migrate-lint: allow(detached_spawn_finite) whoever dropped us may be the last who could wait
        tokio.spawn(async move { tell_leftovers(&driven.end().await.1) });
    }
}

/// Lists on stderr what did not end by itself.
pub(super) fn tell_leftovers(report: &CloseReport) {
    for leftover in &report.leftovers {
        eprintln!("asupersync: {leftover}");
    }
}

/// Keeps the close budget once the root is asked to close; ends when it is spent.
async fn watch(root: &Root) -> CloseReport {
    root.requested().await;
    let _nudges = Nudges::start(&Handle::current());
    let mut seen = HashSet::new();
    loop {
        let now = root.now();
        if now >= root.close_by() + GRACE {
            return root.force();
        }
        if now >= root.drain_until() + GRACE {
            root.abandon_stuck(&mut seen);
            sleep(WATCH).await;
        } else if root.drain_until() == Time::MAX {
            std::future::pending::<()>().await;
        } else {
            sleep(root.drain_until() + GRACE - now).await;
        }
    }
}

/// Has a sleeping worker of Tokio look around now and then, until this is dropped: timers and I/O are
/// seen to by workers between polls, and the one whose turn it is may be in a poll that does not return.
/// On a thread of the blocking pool, and so in vain if none is free. With one thread there is none to
/// wake, and a paused clock would stand still.
struct Nudges(#[expect(dead_code, reason = "its drop ends them")] Option<mpsc::Sender<()>>);

impl Nudges {
    fn start(tokio: &Handle) -> Self {
        if tokio.runtime_flavor() == RuntimeFlavor::CurrentThread {
            return Nudges(None);
        }
        let (stop, stopped) = mpsc::channel();
        let nudged = tokio.clone();
        // migrate-lint: allow(detached_spawn_finite) ends when the nudges are dropped
        drop(tokio.spawn_blocking(move || {
            while stopped.recv_timeout(WATCH) == Err(RecvTimeoutError::Timeout) {
                // migrate-lint: allow(detached_spawn) it ends at its first poll
                drop(nudged.spawn(std::future::ready(())));
            }
        }));
        Nudges(Some(stop))
    }
}

fn out_of_budget() -> Cancelled {
    Cancelled::new(Reason::new(ReasonKind::Deadline).with_message("the close budget of the root is spent"))
}
