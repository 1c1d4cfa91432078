//! Regions: owners of tasks, child regions, finalizers and obligations.
//!
//! `state` is the life of one region as a pure step, `tasks` lists its tasks (in a `list`), `member` is what it is to them, `tree` who owns whom, `request` how it is asked to
//! close, `promise` and `lazy` what becomes a child region
//! when that makes a difference, `place` and `standing` how one comes after the other, `close` the way from the body's end to Closed, `give_up` what becomes of those that never
//! end, `ledger` and `settle` what becomes of obligations on that way, `open` runs a region's body,
//! `crew` is what polls the children of a local scope, `dump` is how the tree looks, `long_poll` who does
//! not yield, `foreign` what other runtimes left behind, `root` what a host holds, `roots` where it lists that. This file, `spork`, `inline`
//! and `local` are what users call.

mod close;
mod crew;
pub mod dump;
mod early;
mod failure;
mod finalizer;
mod foreign;
mod give_up;
mod inline;
mod lazy;
mod ledger;
mod list;
mod local;
mod long_poll;
#[cfg(all(test, loom))]
mod loom;
mod member;
mod open;
mod place;
mod policy;
mod promise;
mod report;
mod request;
mod root;
mod roots;
mod settle;
mod spork;
mod standing;
mod state;
mod tasks;
mod tree;

use std::panic::Location;
use std::pin::pin;
use std::sync::Arc;

pub use early::PromisedRegion;
pub use failure::ChildFailures;
pub(crate) use finalizer::Finalizer;
pub use inline::InlineRegion;
pub use lazy::LazyCx;
pub(crate) use ledger::{Abort, Aborting};
pub use local::{LocalHandle, LocalScope};
pub use long_poll::LongPoll;
pub(crate) use policy::Policy;
pub use policy::{Close, OnFailure};
pub use report::{CloseReport, Leftover, LeftoverKind, Totals};
pub(crate) use request::request_scope;
pub use root::{Attendant, Root};
pub use roots::{Listed, Roots};
pub use spork::ChildRegion;
pub use standing::Standing;
pub use state::{Event, Phase, State};
pub(crate) use tree::Node;

use self::open::Opened;
use self::tree::Plan;
use crate::body::TaskOutput;
use crate::budget::Budget;
use crate::cancel::{Cancelled, Level};
use crate::caps::{Authority, CapSet};
use crate::cx::Cx;
use crate::name::Name;
use crate::outcome::{Failure, Outcome};
use crate::spawn::contain;
use crate::time::Time;
pub use crate::verdict::ChildFailure;

/// An owner of tasks, child regions, finalizers and obligations.
///
/// ```
/// use asupersync::{Cx, Outcome, Region};
///
/// #[asupersync::main]
/// async fn main(cx: &Cx) -> Outcome<()> {
///     let sum = Region::open(cx, "sum", async |cx| {
///         let a = cx.spawn("a", async |_| Ok(20));
///         let b = cx.spawn("b", async |_| Ok(22));
///         Ok(a.join().await? + b.join().await?)
///     })
///     .await?;
///     assert_eq!(sum, 42);
///     Ok(())
/// }
/// ```
pub struct Region(());

impl Region {
    /// Opens a region, runs `body` in it, and closes it: returns only when nothing of it is left.
    ///
    /// When the body returns, children that still run are cancelled and awaited. The region takes
    /// part in the caller's cancellation: a request there is a request here.
    ///
    /// # Errors
    /// The gravest of the body's and the children's outcomes; cancellations that began inside the
    /// region are absorbed when something else explains them. `Cancelled` without running the body
    /// if the caller's scope is under Request already.
    ///
    /// # Cancel safety
    /// Dropped half-way, the body is dropped and everything it started gets Request with reason
    /// `HandleDropped`; the enclosing region drains and finalizes it, and does not close before.
    #[track_caller]
    pub fn open<'a, C, R, F>(
        cx: &'a Cx<C>,
        name: &str,
        body: F,
    ) -> impl Future<Output = Outcome<R::Ok>> + use<'a, C, R, F>
    where
        C: CapSet,
        R: TaskOutput,
        F: AsyncFnOnce(&Cx<C>) -> R,
    {
        Region::builder(name).open(cx, body)
    }

    /// A region with other than the default policies.
    pub fn builder(name: impl Into<Name>) -> Builder {
        Builder {
            name: name.into(),
            until: Level::Requested,
            authority: None,
            policy: Policy::default(),
            since: None,
        }
    }
}

/// A region about to be opened; made by [`Region::builder`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is opened"]
pub struct Builder {
    name: Name,
    /// The caller's level from which on it is refused.
    until: Level,
    authority: Option<Authority>,
    policy: Policy,
    since: Option<Time>,
}

impl Builder {
    /// What happens to children that still run when the body returns.
    pub fn close(mut self, close: Close) -> Self {
        self.policy.close = close;
        self
    }

    /// What happens when a child fails.
    pub fn on_failure(mut self, on_failure: OnFailure) -> Self {
        self.policy.on_failure = on_failure;
        self
    }

    /// What the region's work may use, from when it is opened: its body, its tasks and all regions
    /// below. When that is spent the region gets Request, with reason `Deadline` for time and
    /// `BudgetSpent` for polls and cost, and then drains. One that is spent already, with a deadline
    /// in the past or a limit of zero, is requested before the body begins.
    ///
    /// A deadline puts the region's tasks in the Timed lane, where the earliest goes first; among
    /// equal deadlines the higher priority does.
    ///
    /// ```
    /// use asupersync::{Budget, Cx, Failure, Outcome, ReasonKind, Region};
    ///
    /// #[asupersync::main]
    /// async fn main(cx: &Cx) -> Outcome<()> {
    ///     let work = Budget::UNLIMITED.with_cost(10);
    ///     let outcome: Outcome = Region::builder("job")
    ///         .budget(work)
    ///         .open(cx, async |cx: &Cx| -> Outcome {
    ///             loop {
    ///                 cx.charge(4)?;
    ///             }
    ///         })
    ///         .await;
    ///     let Err(Failure::Cancelled(cancelled)) = outcome else { panic!("it goes on for ever") };
    ///     assert_eq!(cancelled.reason().kind(), ReasonKind::BudgetSpent);
    ///     Ok(())
    /// }
    /// ```
    pub fn budget(mut self, budget: Budget) -> Self {
        self.policy.work = budget;
        self
    }

    /// What work in flight may use after Request; the parent's own budget is a limit too.
    pub fn drain(mut self, budget: Budget) -> Self {
        self.policy.drain = budget;
        self
    }

    /// What all finalizers together may use; the parent's own budget is a limit too. One of
    /// several that never ends gets half of what is left, so that the others have their turn.
    pub fn finalize(mut self, budget: Budget) -> Self {
        self.policy.finalize = budget;
        self
    }

    /// What the region, and all that it starts, may do; no more than the caller may. Several of them
    /// take away together.
    pub fn authority(mut self, authority: Authority) -> Self {
        let before = self.authority.take().unwrap_or_default();
        self.authority = Some(before.meet(&authority));
        self
    }

    /// It counts as open since `time`: for its age, its report and the time of its [`budget`](Self::budget). For
    /// whoever has read the clock when that began which is now to be in a region.
    pub fn since(mut self, time: Time) -> Self {
        self.since = Some(time);
        self
    }

    /// The region is part of work in flight: it is opened even after Request, until the drain budget
    /// is spent. Its body sees that request at once.
    pub fn in_flight(mut self) -> Self {
        self.until = Level::Spent;
        self
    }

    /// As [`Region::open`].
    ///
    /// # Errors
    /// As [`Region::open`].
    ///
    /// # Cancel safety
    /// As [`Region::open`].
    #[track_caller]
    pub fn open<C, R, F>(self, cx: &Cx<C>, body: F) -> impl Future<Output = Outcome<R::Ok>> + use<'_, C, R, F>
    where
        C: CapSet,
        R: TaskOutput,
        F: AsyncFnOnce(&Cx<C>) -> R,
    {
        let site = Location::caller();
        async move {
            match open(cx, &self, site, body).await {
                Ok((outcome, _)) => outcome,
                Err(cancelled) => Err(cancelled.into()),
            }
        }
    }

    /// As [`Region::open`], and tells how the region ended.
    ///
    /// # Cancel safety
    /// As [`Region::open`].
    #[track_caller]
    pub fn open_with_report<C, R, F>(
        self,
        cx: &Cx<C>,
        body: F,
    ) -> impl Future<Output = (Outcome<R::Ok>, CloseReport)> + use<'_, C, R, F>
    where
        C: CapSet,
        R: TaskOutput,
        F: AsyncFnOnce(&Cx<C>) -> R,
    {
        self.open_at(cx, Location::caller(), body)
    }

    /// As [`open_with_report`](Self::open_with_report), on behalf of the line `site`.
    pub(crate) async fn open_at<C, R, F>(
        self,
        cx: &Cx<C>,
        site: &'static Location<'static>,
        body: F,
    ) -> (Outcome<R::Ok>, CloseReport)
    where
        C: CapSet,
        R: TaskOutput,
        F: AsyncFnOnce(&Cx<C>) -> R,
    {
        match open(cx, &self, site, body).await {
            Ok((outcome, closed)) => (outcome, closed.node.report()),
            Err(cancelled) => refused(cx, &self.name, site, cancelled.into()),
        }
    }
}

/// The outcome of a region that is Closed now, or why it was refused.
async fn open<C, R, F>(
    cx: &Cx<C>,
    Builder { name, until, authority, policy, since }: &Builder,
    site: &'static Location<'static>,
    body: F,
) -> Result<(Outcome<R::Ok>, Opened), Cancelled>
where
    C: CapSet,
    R: TaskOutput,
    F: AsyncFnOnce(&Cx<C>) -> R,
{
    // One whose body does not wait, opened in a loop.
    cx.take_turn().await;
    let mut opened = Opened::new(
        cx.node(),
        cx.scope(),
        *until,
        Plan { name, policy: *policy, site, since: *since },
        false,
    )?;
    let inside = inside(cx, &opened.node, authority.clone());
    let outcome = {
        let mut body = pin!(Some(async { body(&inside).await.into_outcome() }));
        opened.run(cx.scope(), contain(inside.scope(), body.as_mut())).await
    };
    Ok((outcome, opened))
}

/// What there is to tell of a region that was refused.
fn refused<C, T>(
    cx: &Cx<C>,
    name: &str,
    site: &'static Location<'static>,
    failure: Failure,
) -> (Outcome<T>, CloseReport) {
    let path = format!("{}/{name}", cx.node().path());
    let reason = failure.as_cancelled().map(|cancelled| cancelled.reason().clone());
    (Err(failure), CloseReport::never_opened(path, site, reason))
}

/// The `Cx` of a region's body.
fn inside<C>(cx: &Cx<C>, node: &Arc<Node>, authority: Option<Authority>) -> Cx<C> {
    let inside = cx.within(node);
    match authority {
        Some(authority) => inside.narrowed(&authority),
        None => inside,
    }
}
