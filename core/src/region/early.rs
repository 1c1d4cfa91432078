//! The beginning of a body that runs in what may become a region, for a holder that polls it in its own place.
//!
//! ```text
//!   Builder::promise ──▶ polled ──┬── end ──▶ over: it has cost no task, and nothing that could be moved to one
//!                                 └── inline ──▶ an inline region, from where the body has come to
//! ```
//!
//! [`Builder::inline_lazily`] makes room for all that a body may come to before its first poll. Most bodies end
//! there, and whoever knows what to do with those makes that room for the others alone.

use std::future::Future;
use std::marker::PhantomData;
use std::panic::Location;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use super::Builder;
use super::inline::InlineRegion;
use super::lazy::{Lazy, LazyCx, Unopened};
use super::report::CloseReport;
use crate::cancel::{Level, Turn};
use crate::caps::{All, Effect, HasSpawn, NoCaps};
use crate::cx::Cx;
use crate::outcome::Outcome;
use crate::time::Time;

impl Builder {
    /// The first half of [`inline_lazily`](Self::inline_lazily): the region, which is opened when somebody asks
    /// for it, without its body.
    ///
    /// ```
    /// # use asupersync::{Cx, Outcome, Region};
    /// # use std::future::poll_fn;
    /// # use std::sync::Arc;
    /// # use std::task::Poll;
    /// # #[asupersync::main]
    /// # async fn main(cx: &Cx) -> Outcome<()> {
    /// let mut promise = Arc::new(Region::builder("lookup")).promise(cx, None)?;
    /// let mut body = Some(Box::pin(async { Ok(7) }));
    /// let early = poll_fn(|task| Poll::Ready(promise.poll_body(&mut body, task))).await;
    /// match early {
    ///     Poll::Ready(Some(answer)) if promise.end().is_ok() => assert_eq!(answer?, 7),
    ///     _ => unreachable!("it waits for nothing, and asks for no `Cx`"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Many regions may be promised by one builder; each counts as open [since](Self::since) a time of its own.
    ///
    /// # Errors
    /// Those that an [`InlineRegion`] ends with which is refused.
    #[track_caller]
    pub fn promise<C: HasSpawn>(
        self: &Arc<Self>,
        cx: &Cx<C>,
        since: Option<Time>,
    ) -> Outcome<PromisedRegion<C>> {
        self.may_promise(cx)?;
        let lazy = Lazy::new(cx, self.clone(), Location::caller(), since, None)?;
        Ok(PromisedRegion::new(lazy))
    }

    pub(super) fn may_promise<C: HasSpawn>(&self, cx: &Cx<C>) -> Outcome {
        cx.scope().check(self.until)?;
        cx.check(Effect::Spawn)?;
        Ok(())
    }
}

/// A region that is opened when somebody asks for it, and whose body its holder has; made by
/// [`Builder::promise`]. Dropped, it closes, with whatever has begun in it.
#[must_use = "it ends when it is dropped"]
pub struct PromisedRegion<C = All> {
    region: Unopened,
    /// Its body has.
    begun: bool,
    /// Somebody else is to hear of a request than if it had just been promised.
    heard: bool,
    turn: Turn,
    caps: PhantomData<fn() -> C>,
}

impl<C> PromisedRegion<C> {
    pub(super) fn new(lazy: Arc<Lazy>) -> Self {
        let region = Unopened::new(lazy);
        PromisedRegion { region, begun: false, heard: false, turn: Turn::default(), caps: PhantomData }
    }

    /// The region's, which is opened when this is first used.
    pub fn cx(&self) -> LazyCx<C> {
        LazyCx::new(self.region.lazy().clone())
    }

    /// Without the set of what its [`cx`](Self::cx) may do.
    pub fn without_caps(self) -> PromisedRegion<NoCaps> {
        let PromisedRegion { region, begun, heard, turn, .. } = self;
        PromisedRegion { region, begun, heard, turn, caps: PhantomData }
    }

    /// Polls the body, which is `None` once it has ended. A panic of it is an outcome, as in a region. Ready with
    /// `None` if the region was open before this poll: then its body has to be [inline](Self::inline).
    ///
    /// What is left of a body that waits may be polled next where it is inline: whoever asks the region to close
    /// wakes `task`.
    pub fn poll_body<T>(
        &mut self,
        body: &mut Option<impl Future<Output = Outcome<T>> + Unpin>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Outcome<T>>> {
        if !self.begun {
            let around = self.region.lazy().around();
            ready!(self.turn.poll_begin(around, task));
            around.count_ready();
            self.begun = true;
        }
        let polled = self.region.lazy().poll_body(Pin::new(body), task);
        self.heard |= polled.is_pending();
        polled
    }

    /// As [`InlineRegion::set_waker`], for one that is not open yet or was opened by its body.
    pub fn set_waker(&mut self, waker: Waker) {
        self.heard = true;
        self.region.lazy().poll_by(waker, Level::Clear);
    }

    /// The body has ended, and with it the region, unless that is open: then it has to be driven to its end.
    ///
    /// # Errors
    /// The region itself, which is open.
    pub fn end(mut self) -> Result<(), Self> {
        let ended = if self.heard { self.region.end() } else { self.region.vacate() };
        if ended { Ok(()) } else { Err(self) }
    }

    /// The region with its body, or what is left of that. `end` is that of
    /// [`inline_then`](Builder::inline_then).
    pub fn inline<T, U>(
        self,
        body: impl Future<Output = Outcome<T>> + Send + 'static,
        end: impl FnOnce(Outcome<T>, &dyn Fn() -> CloseReport) -> Outcome<U> + Send + 'static,
    ) -> InlineRegion<U>
    where
        T: Send + 'static,
        U: Send + 'static,
    {
        let PromisedRegion { region, begun, turn, .. } = self;
        let kept = region.lazy().clone();
        let around = (!begun).then(|| kept.around().clone());
        let run = async move {
            // In the order in which they are dropped: the region goes last, also before the first poll.
            let (body, mut region) = (body, region);
            let lazy = region.lazy().clone();
            let mut body = pin!(Some(body));
            let outcome = region.run(body.as_mut()).await;
            end(outcome, &|| lazy.node().report())
        };
        InlineRegion::lazy(kept, around, turn, Box::pin(run))
    }
}
