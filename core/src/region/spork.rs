//! Spork: spawn and fork. A child region that runs beside its parent's body.
//!
//! A task of the parent runs the child's body and drives the child to Closed. So the parent counts the
//! child's failure once, as that of this task; whoever asks the task to stop asks the region; and the
//! parent, which awaits both, cannot close before.
//!
//! The region is open when `spork` returns. Its scope lies in the task's, so it hears what the task
//! hears; and it is the one that stands for the task: the lane is its own, and so are the handle's requests.

use std::panic::Location;
use std::pin::pin;
use std::sync::Arc;

use super::open::Opened;
use super::report::CloseReport;
use super::state::Phase;
use super::tree::{Node, Plan};
use super::{Builder, Region, inside, refused};
use crate::body::{TaskFn, TaskOutput};
use crate::budget::Budget;
use crate::cancel::{Level, Reason, Scope, ScopeRef};
use crate::caps::{CapSet, Effect, HasSpawn};
use crate::cx::Cx;
use crate::host::{Apart, Rare};
use crate::id::RegionId;
use crate::lock::{Mutex, lock};
use crate::outcome::Outcome;
use crate::spawn::{Handle, contain, launch};

impl<C> Cx<C> {
    /// Opens a child region that runs beside this body: as [`Region::open`] in a task of its own.
    ///
    /// The enclosing region owns the child: it does not close before the child is Closed, whether the
    /// handle is kept or dropped, and asks it to close when it closes itself. A failure of the child is
    /// one of a child of the enclosing region, which does as its [`OnFailure`](super::OnFailure) says.
    /// Under Request, or without the authority to start tasks, nothing starts: the handle's join tells
    /// why. For other policies, and budgets
    /// of its own, see [`Builder::spork`].
    ///
    /// ```
    /// # use asupersync::{Budget, Cx, Outcome, channel::oneshot};
    /// # #[asupersync::main]
    /// # async fn main(cx: &Cx) -> Outcome<()> {
    /// let (tell, mut ready) = oneshot::channel();
    /// let cache = cx.spork("cache", async move |cx| {
    ///     cx.spawn("refresher", async |cx| drop(cx.cancelled().await));
    ///     cx.defer(async |_| println!("cache: written to disk"))?;
    ///     drop(tell.send(()));
    ///     cx.cancelled().await;
    ///     Ok(())
    /// });
    /// ready.recv(cx).await?;
    /// // This body goes on beside it; then its end:
    /// cache.cancel(Budget::UNLIMITED).await
    /// # }
    /// ```
    #[track_caller]
    pub fn spork<F, R>(&self, name: &str, body: F) -> ChildRegion<R::Ok>
    where
        C: HasSpawn,
        F: for<'a> TaskFn<&'a Cx<C>, R, Fut: Send> + Send + 'static,
        R: TaskOutput<Ok: 'static> + 'static,
    {
        Region::builder(name).spork(self, body)
    }
}

impl Builder {
    /// As [`Cx::spork`], with these policies and budgets.
    ///
    /// ```
    /// # use asupersync::region::{Close, OnFailure};
    /// # use asupersync::{Budget, Cx, Outcome, Region};
    /// # use std::time::Duration;
    /// # #[asupersync::main]
    /// # async fn main(cx: &Cx) -> Outcome<()> {
    /// let batch = Region::builder("batch")
    ///     .close(Close::Join)
    ///     .on_failure(OnFailure::Collect)
    ///     .drain(Budget::timeout(Duration::from_secs(2)))
    ///     .spork(cx, async |cx| {
    ///         for n in 0..3 {
    ///             cx.spawn("job", async move |_| drop(n));
    ///         }
    ///         Ok(())
    ///     });
    /// let (outcome, report) = batch.join_with_report().await;
    /// assert_eq!((outcome?, report.totals.ok), ((), 3));
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn spork<C, R, F>(self, cx: &Cx<C>, body: F) -> ChildRegion<R::Ok>
    where
        C: HasSpawn,
        F: for<'a> TaskFn<&'a Cx<C>, R, Fut: Send> + Send + 'static,
        R: TaskOutput<Ok: 'static> + 'static,
    {
        self.spork_at(cx, Location::caller(), body, |outcome| outcome)
    }

    /// As [`spork`](Self::spork), on behalf of the line `site`. What `end` makes of the region's outcome
    /// is its task's; it is dropped if the region is refused.
    pub(crate) fn spork_at<C, R, F, T>(
        self,
        cx: &Cx<C>,
        site: &'static Location<'static>,
        body: F,
        end: impl FnOnce(Outcome<R::Ok>) -> Outcome<T> + Send + 'static,
    ) -> ChildRegion<T>
    where
        C: CapSet,
        F: for<'a> TaskFn<&'a Cx<C>, R, Fut: Send> + Send + 'static,
        R: TaskOutput + 'static,
        T: Send + 'static,
    {
        let Builder { name, until, authority, policy, since } = self;
        let parent = &cx.share_node();
        let task = ScopeRef::from(Scope::of_task(Some(parent.clone()), Some(&parent.scope)));
        let open = || -> Outcome<Opened> {
            cx.scope().check(until)?;
            cx.check(Effect::Spawn)?;
            // What work in flight opens it may open though the region around is under Request.
            Ok(Opened::new(parent, &task, Level::Spent, Plan { name: &name, policy, site, since }, false)?)
        };
        let opened = match open() {
            Ok(opened) => opened,
            Err(failure) => {
                let (_, report) = refused::<_, ()>(cx, &name, site, failure.clone());
                let handle = Handle::refused(failure);
                return ChildRegion { handle, region: Err(Box::new(report)), told: Arc::default() };
            }
        };
        let (node, told) = (opened.node.clone(), Arc::default());
        let (tell, inside, around) = (Arc::clone(&told), inside(cx, &opened.node, authority), task.clone());
        let run = async move {
            // In the order in which they are dropped: the region goes last, also before the first poll.
            let (body, mut opened) = (body, opened);
            let mut body = pin!(Some(async { body(&inside).await.into_outcome() }));
            let outcome = opened.run(&around, contain(inside.scope(), body.as_mut())).await;
            *lock(&tell) = Some(opened.node.report());
            end(outcome)
        };
        let apart = Apart { scope: task, inside: node.scope.clone() };
        let rare = Rare { apart: Some(apart), ..Rare::default() };
        let handle = launch(parent, Some(Box::new(rare)), &name, site, false, |_, _| run);
        ChildRegion { handle, region: Ok(node), told }
    }
}

/// A region that runs beside its parent's body; made by [`Cx::spork`] and [`Builder::spork`].
///
/// Waits for it, or asks it to close. Dropping this does neither: the region stays in its parent, which
/// awaits it.
pub struct ChildRegion<T> {
    handle: Handle<T>,
    /// Or what there is to tell of one that was refused.
    region: Result<Arc<Node>, Box<CloseReport>>,
    /// Its report, once it is Closed.
    told: Arc<Mutex<Option<CloseReport>>>,
}

impl<T> ChildRegion<T> {
    /// Waits until the region is Closed, and returns its outcome.
    ///
    /// # Errors
    /// As [`Region::open`]. `Cancelled` if it was opened under Request, and so refused;
    /// [`Denied`](crate::caps::Denied) if it was refused because the authority to start tasks was taken
    /// away.
    ///
    /// # Cancel safety
    /// A dropped call loses the outcome, not the region. It finishes work in flight: a request to the
    /// caller does not end it.
    pub async fn join(self) -> Outcome<T> {
        self.handle.join().await
    }

    /// As [`join`](Self::join), and tells how the region ended.
    ///
    /// # Cancel safety
    /// As [`join`](Self::join).
    pub async fn join_with_report(self) -> (Outcome<T>, CloseReport) {
        let outcome = self.handle.join().await;
        let told = lock(&self.told).take();
        let report = match (told, self.region) {
            (Some(report), _) => report,
            (None, Err(refused)) => *refused,
            // Its host gave it up.
            (None, Ok(node)) => node.report(),
        };
        (outcome, report)
    }

    /// Asks the region to close, and does not wait. The drain budget is its own.
    pub fn request_close(&self, reason: Reason) {
        self.handle.request_open_ended(reason);
    }

    /// Asks the region to close, gives its work in flight `drain` (and no more than it has, or its
    /// parent), and waits for its outcome.
    ///
    /// # Errors
    /// As [`join`](Self::join).
    ///
    /// # Cancel safety
    /// The first poll asks, and the request stands even if this is dropped after that.
    #[track_caller]
    pub fn cancel(self, drain: Budget) -> impl Future<Output = Outcome<T>> {
        self.handle.cancel(drain)
    }

    /// Nothing of the region is left.
    pub fn is_closed(&self) -> bool {
        self.region.as_ref().map_or(true, |node| node.phase() == Phase::Closed)
    }

    /// Names from the root region to this one, joined by `/`.
    pub fn path(&self) -> String {
        self.region.as_ref().map_or_else(|refused| refused.path.clone(), |node| node.path())
    }

    /// The region's number within its runtime; `None` if it was refused.
    pub fn id(&self) -> Option<RegionId> {
        self.region.as_ref().ok().map(|node| node.id)
    }
}
