//! What a request's region shares with whoever polls it: first the response's future, then its body.
//!
//! ```text
//!   ResponseFuture polls the region ── answer ──▶ RegionBody, and the region rests: nobody polls it
//!                                                   ├── ended: polls it to its end
//!        a request comes ─▶ it goes on in a task ◀──┴── dropped
//! ```
//!
//! Once it has answered, a region waits for the end of the body, which the body itself tells, and for a request.
//! A body need not be polled meanwhile, so it is the request that wakes the region: it then becomes a task.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use asupersync_core::caps::HasSpawn;
use asupersync_core::region::{Builder, InlineRegion, PromisedRegion};
use asupersync_core::{Cx, Outcome, Reason, Time};
use http::Response;

use super::BoxError;
use super::body::Extent;
use super::call::{Call, Handler};
use crate::request_cx::Kept;

/// The region of a request, whose outcome is nobody's failure.
pub(super) type Region = InlineRegion<Outcome>;

/// What a handler answered.
pub(super) struct Answered<B> {
    pub(super) response: Response<B>,
    pub(super) extent: Extent,
}

pub(super) type Answer<B> = Result<Answered<B>, BoxError>;

/// A region while nobody polls it.
pub(super) enum Resting<B> {
    /// It need not be open. The handler has ended; its place is for the next request.
    Early(Call, Handler<B>),
    Region(Region),
}

pub(super) struct Exchange<B>(Mutex<Slots<B>>);

/// A request that begins.
pub(super) struct Begun<B, C> {
    pub(super) region: PromisedRegion<C>,
    pub(super) exchange: Arc<Exchange<B>>,
    /// Where the last one's handler was.
    pub(super) place: Option<Handler<B>>,
}

struct Slots<B> {
    answer: Option<Answer<B>>,
    /// The body has ended or is gone, or nobody waits for it.
    ended: bool,
    /// Who is to be told of that.
    waiting: Option<Waker>,
    /// The region waits no more.
    gone: bool,
    /// Who is to be told of that.
    reading: Option<Waker>,
    /// The region while nobody polls it.
    resting: Option<Resting<B>>,
    /// It was woken since.
    woken: bool,
    /// Where a handler was that has ended.
    place: Option<Handler<B>>,
}

impl<B> Default for Slots<B> {
    fn default() -> Self {
        Slots {
            answer: None,
            ended: false,
            waiting: None,
            gone: false,
            reading: None,
            resting: None,
            woken: false,
            place: None,
        }
    }
}

impl<B> Exchange<B> {
    fn slots(&self) -> MutexGuard<'_, Slots<B>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands the answer out. Tells whether its body is waited for, which it is not if nobody takes it.
    pub(super) fn answer(&self, answer: Answer<B>) -> bool {
        let open = answer.as_ref().is_ok_and(|answered| answered.extent.open);
        let mut slots = self.slots();
        if slots.ended {
            drop(slots);
            drop(answer);
            return false;
        }
        slots.answer = Some(answer);
        open
    }

    pub(super) fn take(&self) -> Option<Answer<B>> {
        self.slots().answer.take()
    }

    /// Ready once the body ended or is gone.
    pub(super) fn poll_ended(&self, task: &mut Context<'_>) -> Poll<()> {
        let mut slots = self.slots();
        if slots.ended {
            return Poll::Ready(());
        }
        let stale = match &slots.waiting {
            Some(waiting) if waiting.will_wake(task.waker()) => None,
            _ => slots.waiting.replace(task.waker().clone()),
        };
        drop(slots);
        drop(stale);
        Poll::Pending
    }

    /// Ready once the region waits no more.
    pub(super) fn poll_gone(&self, task: &mut Context<'_>) -> Poll<()> {
        let mut slots = self.slots();
        if slots.gone {
            return Poll::Ready(());
        }
        let stale = slots.reading.replace(task.waker().clone());
        drop(slots);
        drop(stale);
        Poll::Pending
    }

    /// The region waits no more.
    pub(super) fn leave(&self) {
        let reading = {
            let mut slots = self.slots();
            slots.gone = true;
            slots.reading.take()
        };
        reading.into_iter().for_each(Waker::wake);
    }
}

impl<B: Send + 'static> Exchange<B> {
    /// A request begins: what the last one had is what this one gets, if that is over.
    #[track_caller]
    pub(super) fn begin<C: HasSpawn>(
        builder: &Arc<Builder>,
        cx: &Cx<C>,
        since: Option<Time>,
        kept: Option<&Kept>,
    ) -> Outcome<Begun<B, C>> {
        if let Some(mut last) = kept.map(Kept::last)
            && let Some((standing, exchange)) = last.get()
            && let Ok(exchange) = exchange.clone().downcast::<Self>()
            && let Some(region) = standing.promise(builder, cx, since)
        {
            drop(last);
            let place = exchange.slots().place.take();
            return Ok(Begun { region: region?, exchange, place });
        }
        let exchange = Arc::new(Exchange(Mutex::default()));
        let (standing, region) = builder.stand(cx, since, Waker::from(exchange.clone()))?;
        if let Some(kept) = kept {
            kept.put(standing, exchange.clone());
        }
        Ok(Begun { region, exchange, place: None })
    }

    /// The body has ended or is gone. Hands the region back that rests, if anything is left of it.
    pub(super) fn end(&self) -> Option<Region> {
        let mut slots = self.slots();
        match slots.resting.take() {
            // Nobody else has seen it: it is as new for the next request.
            Some(Resting::Early(call, handler)) => {
                slots.place = Some(handler);
                drop(slots);
                call.end()
            }
            Some(Resting::Region(region)) => {
                slots.ended = true;
                Some(region)
            }
            None => {
                slots.ended = true;
                let waiting = slots.waiting.take();
                drop(slots);
                waiting.into_iter().for_each(Waker::wake);
                None
            }
        }
    }

    /// Nobody takes the response any more, or its body. What still goes on does so in a task.
    pub(super) fn abandon(self: &Arc<Self>, why: Option<Reason>) {
        if let Some(why) = why {
            // Taken first, and told before its end: it would close for another reason.
            let resting = self.slots().resting.take().map(|resting| resting.into_region(self));
            if let Some(region) = &resting {
                region.request_close(why);
            }
            self.end();
        } else {
            drop(self.end());
        }
    }

    /// Nobody polls the region from now on, which has answered. Woken, it goes on in a task.
    pub(super) fn rest(self: &Arc<Self>, resting: Resting<B>) {
        // An early one wakes this from the beginning.
        if let Resting::Region(region) = &resting {
            region.set_waker(&Waker::from(self.clone()));
        }
        let mut slots = self.slots();
        if mem::take(&mut slots.woken) {
            drop(slots);
            drop(resting.into_region(self));
        } else {
            slots.resting = Some(resting);
        }
    }
}

impl<B: Send + 'static> Resting<B> {
    /// Dropped, it goes on in a task.
    fn into_region(self, exchange: &Arc<Exchange<B>>) -> Region {
        match self {
            Resting::Early(call, _) => call.wait(exchange, true),
            Resting::Region(region) => region,
        }
    }
}

impl<B: Send + 'static> Wake for Exchange<B> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let resting = {
            let mut slots = self.slots();
            slots.woken = slots.resting.is_none();
            slots.resting.take()
        };
        drop(resting.map(|resting| resting.into_region(self)));
    }
}
