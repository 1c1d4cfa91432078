//! Inline regions: a child region that its holder polls, and that becomes a task if it is left behind.
//!
//! ```text
//!   Builder::inline ──▶ polled by its holder ─────────────────────────▶ Closed, with its outcome
//!                           └── dropped ──▶ a task of the parent polls on ──▶ Closed
//! ```
//!
//! Most work that has to outlive whoever waits for it does not have to: that one waits to the end. So the task
//! is made only when it is needed: "lazy task creation" (Mohr, Kranz and Halstead, 1990), at the moment at
//! which the holder leaves instead of when a thief comes.
//!
//! Invariants:
//! 1. Its scope lies in its parent's, and in nobody else's: who polls it changes, whose requests it hears
//!    does not.
//! 2. The parent counts it as a child region until it is Closed, and the task as a task from when there is one.
//! 3. That task's own scope lets nothing in: what asks the region, and ends its drain, is the region's scope.

use std::future::Future;
use std::panic::Location;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use super::lazy::{Lazy, LazyCx, polled_under};
use super::open::Opened;
use super::report::CloseReport;
use super::tree::{Node, Plan};
use super::{Builder, inside};
use crate::body::{TaskFn, TaskOutput};
use crate::budget::Budget;
use crate::cancel::{Level, Reason, Scope, ScopeRef, Turn};
use crate::caps::{Effect, HasSpawn};
use crate::cx::Cx;
use crate::host::{Apart, Rare};
use crate::outcome::{Failure, Outcome};
use crate::spawn::{contain, launch};

impl Builder {
    /// Opens a child region whose body runs wherever the returned future is polled, as for
    /// [`open`](Self::open), and which outlives that future, as for [`spork`](Self::spork): dropped half-way,
    /// it goes on in a task of the enclosing region.
    ///
    /// It is for work that somebody waits for, usually to its end, and that must not be dropped where it waits
    /// when that one leaves: the request of a client. While it is polled here it costs no task, no queue and no
    /// wake-up. It hears what the enclosing region hears, not what this scope does. Its body has the lane
    /// and the thread of whoever polls it.
    ///
    /// The region is open when this returns. Under Request, or without the authority to start tasks, it is
    /// refused: the future tells why.
    ///
    /// ```
    /// # use asupersync::{Budget, Cx, Outcome, Reason, ReasonKind, Region};
    /// # #[asupersync::main]
    /// # async fn main(cx: &Cx) -> Outcome<()> {
    /// let order = Region::builder("order").inline(cx, async |cx| {
    ///     cx.defer(async |_| println!("order: written down"))?;
    ///     Ok(cx.yield_now().await?)
    /// });
    /// // Whoever waited has left, and what was begun comes to its end all the same, before `main` does.
    /// order.request_close(Reason::new(ReasonKind::ClientDisconnected));
    /// drop(order);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn inline<C, R, F>(self, cx: &Cx<C>, body: F) -> InlineRegion<R::Ok>
    where
        C: HasSpawn,
        F: for<'a> TaskFn<&'a Cx<C>, R, Fut: Send> + Send + 'static,
        R: TaskOutput<Ok: 'static> + 'static,
    {
        self.inline_then(cx, body, |outcome, _| outcome)
    }

    /// As [`inline`](Self::inline). What `end` makes of the region's outcome is the future's, or its task's: a
    /// failure of that is one of a child of the enclosing region. It is dropped if the region is refused. The
    /// second argument tells how the region ended, to whoever asks.
    #[track_caller]
    pub fn inline_then<C, R, F, T>(
        self,
        cx: &Cx<C>,
        body: F,
        end: impl FnOnce(Outcome<R::Ok>, &dyn Fn() -> CloseReport) -> Outcome<T> + Send + 'static,
    ) -> InlineRegion<T>
    where
        C: HasSpawn,
        F: for<'a> TaskFn<&'a Cx<C>, R, Fut: Send> + Send + 'static,
        R: TaskOutput<Ok: 'static> + 'static,
        T: Send + 'static,
    {
        let site = Location::caller();
        let Builder { name, until, authority, policy, since } = self;
        let parent = &cx.share_node();
        let open = || -> Outcome<Opened> {
            cx.scope().check(until)?;
            cx.check(Effect::Spawn)?;
            // What work in flight opens it may open though the region around is under Request.
            Ok(Opened::new(
                parent,
                &parent.scope,
                Level::Spent,
                Plan { name: &name, policy, site, since },
                true,
            )?)
        };
        let opened = match open() {
            Ok(opened) => opened,
            Err(failure) => return InlineRegion(State::Refused(Some(failure))),
        };
        let (node, inside) = (opened.node.clone(), inside(cx, &opened.node, authority));
        let run = async move {
            // In the order in which they are dropped: the region goes last, also before the first poll.
            let (body, mut opened) = (body, opened);
            let node = opened.node.clone();
            let mut body = pin!(Some(async { body(&inside).await.into_outcome() }));
            let outcome = opened.run(&node.scope, contain(inside.scope(), body.as_mut())).await;
            end(outcome, &|| node.report())
        };
        InlineRegion::new(Place::Open(node), Some(cx.scope().clone()), Turn::default(), Box::pin(run))
    }

    /// As [`inline_then`](Self::inline_then), for a body that may do without its region: nothing is opened before
    /// it uses its [`LazyCx`], or the region makes a difference for another reason. It does when the enclosing
    /// region is asked to close, or told of in a dump, while the body waits; when the future is dropped before
    /// that has ended; and when there is a [`budget`](Self::budget) for the work. What there is to see is always
    /// that of an inline region that was opened here.
    ///
    /// ```
    /// # use asupersync::region::LazyCx;
    /// # use asupersync::{Cx, Outcome, Region};
    /// # #[asupersync::main]
    /// # async fn main(cx: &Cx) -> Outcome<()> {
    /// let cached = Some(7);
    /// let lookup = async move |cx: LazyCx| match cached {
    ///     Some(answer) => Ok(answer),
    ///     None => cx.spawn("ask", async |_| Ok(8)).join().await,
    /// };
    /// let region = Region::builder("lookup").inline_lazily(cx, lookup, |outcome, _| outcome);
    /// assert_eq!(region.await?, 7);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn inline_lazily<C, R, F, T>(
        self,
        cx: &Cx<C>,
        body: F,
        end: impl FnOnce(Outcome<R::Ok>, &dyn Fn() -> CloseReport) -> Outcome<T> + Send + 'static,
    ) -> InlineRegion<T>
    where
        C: HasSpawn,
        F: TaskFn<LazyCx<C>, R, Fut: Send> + Send + 'static,
        R: TaskOutput<Ok: 'static> + 'static,
        T: Send + 'static,
    {
        match Arc::new(self).promise(cx, None) {
            Ok(promised) => {
                let given = promised.cx();
                promised.inline(async { body(given).await.into_outcome() }, end)
            }
            Err(failure) => InlineRegion(State::Refused(Some(failure))),
        }
    }
}

/// A region that is polled here, and goes on in a task when this is dropped; made by [`Builder::inline`].
///
/// As a future it is ready once the region is Closed, with its outcome: that of [`Region::open`](super::Region::open).
///
/// # Cancel safety
/// Dropped half-way, only the outcome is lost: the region goes on in a task of the enclosing region, which
/// awaits it. A [request](Self::request_close) before the drop makes that short.
#[must_use = "a region that is not awaited goes on in a task"]
pub struct InlineRegion<T: Send + 'static>(State<T>);

type Run<T> = Pin<Box<dyn Future<Output = Outcome<T>> + Send>>;

enum State<T> {
    Open(Open<T>),
    /// `None`, once that was told; or it is Closed.
    Refused(Option<Failure>),
}

struct Open<T> {
    place: Place,
    run: Run<T>,
    /// The scope of whoever opened it, until it begins: one whose body does not wait may be opened in a loop.
    around: Option<ScopeRef>,
    turn: Turn,
    /// How far the region was when the last poll began.
    seen: Level,
}

/// What the parent has of it.
enum Place {
    Open(Arc<Node>),
    Lazy(Arc<Lazy>),
}

impl Place {
    fn opened(&self) -> Option<&Node> {
        match self {
            Place::Open(node) => Some(node),
            Place::Lazy(lazy) => lazy.opened(),
        }
    }

    /// The region, opened now if it was not.
    fn node(&self) -> &Node {
        match self {
            Place::Open(node) => node,
            Place::Lazy(lazy) => lazy.node(),
        }
    }
}

impl<T: Send + 'static> InlineRegion<T> {
    fn new(place: Place, around: Option<ScopeRef>, turn: Turn, run: Run<T>) -> Self {
        InlineRegion(State::Open(Open { place, run, around, turn, seen: Level::Clear }))
    }

    /// One that may not be open. Its body has begun if there is nothing `around`.
    pub(super) fn lazy(lazy: Arc<Lazy>, around: Option<ScopeRef>, turn: Turn, run: Run<T>) -> Self {
        InlineRegion::new(Place::Lazy(lazy), around, turn, run)
    }

    /// Asks the region to close, and does not wait. The drain budget is its own.
    pub fn request_close(&self, reason: Reason) {
        if let State::Open(open) = &self.0 {
            open.place.node().request(reason);
        }
    }

    /// It was refused, or nothing of it is left.
    pub fn is_closed(&self) -> bool {
        match &self.0 {
            State::Open(open) => open.place.opened().is_some_and(|node| node.phase() == super::Phase::Closed),
            State::Refused(_) => true,
        }
    }

    /// From now on a request to the region wakes `waker`; at once, if one has come since the last poll. For a
    /// holder who lets it lie, and would only hear of that: what the body itself waits for wakes whoever
    /// polled last.
    pub fn set_waker(&self, waker: &Waker) {
        match &self.0 {
            State::Open(Open { place: Place::Open(node), seen, .. }) => polled_under(node, waker, *seen),
            State::Open(Open { place: Place::Lazy(lazy), seen, .. }) => lazy.set_poller(waker, *seen),
            State::Refused(_) => {}
        }
    }
}

impl<T: Send + 'static> Future for InlineRegion<T> {
    type Output = Outcome<T>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Outcome<T>> {
        let open = match &mut self.0 {
            State::Open(open) => open,
            State::Refused(failure) => {
                let failure = failure.take().expect("it was polled after it was ready: poll it no more");
                return Poll::Ready(Err(failure));
            }
        };
        if let Some(around) = &open.around {
            ready!(open.turn.poll_begin(around, task));
            around.count_ready();
            open.around = None;
        }
        if let Some(node) = open.place.opened() {
            // A request wakes whoever polls.
            node.scope.make_home_of(task.waker());
            open.seen = node.scope.level();
        }
        let outcome = ready!(open.run.as_mut().poll(task));
        self.0 = State::Refused(None);
        Poll::Ready(outcome)
    }
}

impl<T: Send + 'static> Drop for InlineRegion<T> {
    fn drop(&mut self) {
        let State::Open(open) = std::mem::replace(&mut self.0, State::Refused(None)) else { return };
        let Open { place, run, .. } = open;
        let node = place.node();
        // Without a parent nobody is there to poll it: the host has ended.
        let Some(parent) = node.parent.upgrade() else { return };
        let shut = Scope::limited_root(Budget::UNLIMITED);
        let apart = Apart { scope: shut, inside: node.scope.clone() };
        let rare = Rare { apart: Some(apart), ..Rare::default() };
        // The parent owns it.
        drop(launch(&parent, Some(Box::new(rare)), &node.name, node.site, false, |_, _| run));
    }
}
