//! A request in what may become its region.
//!
//! ```text
//!   Early: its handler is polled ── waits ──▶ Open: a region that goes on wherever it is polled
//!     └─ answers ──▶ rests until its body has ended ── a request comes, it is left ──▶ goes on in a task
//!                       └── over
//! ```

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use asupersync_core::region::{CloseReport, PromisedRegion};
use asupersync_core::{Failure, NoCaps, Outcome};
use http::Response;
use http_body::Body;

use super::BoxError;
use super::body::Extent;
use super::exchange::{Answered, Exchange, Region};

/// Is told how each region closed.
pub(super) type OnClose = Arc<dyn Fn(&CloseReport) + Send + Sync>;

/// What the handler answers.
pub(super) type Handled<B> = Result<Response<B>, BoxError>;

/// What a handler does, and then what it has [answered](Self::answer). Both stay where they are: each future around
/// has room for what it is handed, most of them twice, and these are large. The place is kept for the next request.
pub(super) struct Handler<B>(Pin<Box<dyn Handles<B> + Send>>);

impl<B: Send + 'static> Handler<B> {
    /// Takes the future, in the place of one that has ended if that is of the same type.
    pub(super) fn new<F, E>(future: &mut Option<F>, place: Option<Self>) -> Self
    where
        F: Future<Output = Result<Response<B>, E>> + Send + 'static,
        E: Into<BoxError>,
    {
        if let Some(mut handler) = place
            && handler.0.as_mut().begin(future)
        {
            return handler;
        }
        Handler(Box::pin(Handling { future: future.take(), answer: None }))
    }

    /// Of a call that panicked.
    pub(super) fn panicked(payload: Box<dyn Any + Send>) -> Self {
        Handler(Box::pin(Panicked(Some(payload))))
    }

    /// What it has answered, once it is ready.
    pub(super) fn answer(&mut self) -> Handled<B> {
        self.0.as_mut().take().expect("it is ready, and has been asked once")
    }
}

/// Ready when it has [answered](Handler::answer).
impl<B> Future for Handler<B> {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Outcome> {
        self.0.as_mut().poll_answer(task).map(Ok)
    }
}

trait Handles<B> {
    /// Takes what is in an `Option` of its future. Tells whether it is of that type.
    fn begin(self: Pin<&mut Self>, future: &mut dyn Any) -> bool;

    fn poll_answer(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<()>;

    fn take(self: Pin<&mut Self>) -> Option<Handled<B>>;
}

pin_project_lite::pin_project! {
    struct Handling<F, B> {
        // Until it has answered.
        #[pin]
        future: Option<F>,
        // Until that is taken.
        answer: Option<Handled<B>>,
    }
}

impl<F, B, E: Into<BoxError>> Handles<B> for Handling<F, B>
where
    F: Future<Output = Result<Response<B>, E>> + 'static,
{
    fn begin(self: Pin<&mut Self>, future: &mut dyn Any) -> bool {
        let Some(future) = future.downcast_mut::<Option<F>>() else { return false };
        self.project().future.set(future.take());
        true
    }

    fn poll_answer(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let future = this.future.as_mut().as_pin_mut().expect("polled after it was ready");
        *this.answer = Some(ready!(future.poll(task)).map_err(Into::into));
        this.future.set(None);
        Poll::Ready(())
    }

    fn take(self: Pin<&mut Self>) -> Option<Handled<B>> {
        self.project().answer.take()
    }
}

struct Panicked(Option<Box<dyn Any + Send>>);

impl<B> Handles<B> for Panicked {
    fn begin(self: Pin<&mut Self>, _: &mut dyn Any) -> bool {
        false
    }

    fn poll_answer(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        resume_unwind(self.0.take().expect("polled after it was ready"))
    }

    fn take(self: Pin<&mut Self>) -> Option<Handled<B>> {
        None
    }
}

/// A request whose handler has not answered.
pub(super) struct Early<B> {
    pub(super) call: Call,
    pub(super) handler: Handler<B>,
    pub(super) exchange: Arc<Exchange<B>>,
}

/// A request whose region may not be open, and whose body is not ended.
pub(super) struct Call {
    pub(super) region: PromisedRegion<NoCaps>,
    /// The request's method is HEAD.
    pub(super) head: bool,
    /// The stream under the connection, if an upgrade is asked for.
    #[cfg(feature = "hyper")]
    pub(super) held: Option<Box<crate::hyper::Held>>,
    pub(super) on_close: Option<OnClose>,
    /// Whether its drop is a reason for the region to close.
    pub(super) cancels: bool,
}

/// A region that its holder polls until it has answered.
pub(super) struct Open<B> {
    pub(super) region: Region,
    pub(super) exchange: Arc<Exchange<B>>,
    /// Whether its drop is a reason for the region to close.
    pub(super) cancels: bool,
}

impl<B: Body + Send + 'static> Early<B> {
    /// Polls the handler; ready with `None` if that is to be done in an [open](Self::open) region only.
    pub(super) fn poll_handler(&mut self, task: &mut Context<'_>) -> Poll<Option<Outcome>> {
        self.call.region.poll_body(&mut Some(&mut self.handler), task)
    }

    /// The handler has ended without an answer.
    pub(super) fn failed(self, failure: Failure) -> Open<B> {
        let cancels = self.call.cancels;
        let region = self.call.inline(async { Err(failure) });
        Open { region, exchange: self.exchange, cancels }
    }

    /// It goes on in a region.
    pub(super) fn open(self) -> Open<B> {
        let Early { mut call, handler, exchange } = self;
        let (rest, cancels) = (call.rest(&exchange), call.cancels);
        Open { region: call.inline(rest.handle(handler)), exchange, cancels }
    }
}

impl Call {
    /// The handler has answered, and what it answers `switches` to another protocol, whose end is waited for.
    #[cfg_attr(
        not(feature = "hyper"),
        expect(clippy::needless_pass_by_ref_mut, reason = "it holds nothing then")
    )]
    pub(super) fn is_held(&mut self, switches: bool) -> bool {
        #[cfg(feature = "hyper")]
        {
            self.held.take_if(|_| !switches);
            self.held.is_some()
        }
        #[cfg(not(feature = "hyper"))]
        {
            let _ = switches;
            false
        }
    }

    /// The body has ended. What is left, if anything is.
    pub(super) fn end(mut self) -> Option<Region> {
        if self.on_close.is_none() {
            match self.region.end() {
                Ok(()) => return None,
                Err(region) => self.region = region,
            }
        }
        Some(self.inline(async { Ok(()) }))
    }

    /// It waits for the body's end where it is polled.
    pub(super) fn wait<B: Send + 'static>(mut self, exchange: &Arc<Exchange<B>>, waits: bool) -> Region {
        let rest = self.rest(exchange);
        self.inline(rest.wait(waits))
    }

    fn rest<B>(&mut self, exchange: &Arc<Exchange<B>>) -> Rest<B> {
        Rest {
            leaves: Leaves(exchange.clone()),
            head: self.head,
            #[cfg(feature = "hyper")]
            held: self.held.take(),
        }
    }

    fn inline(self, body: impl Future<Output = Outcome> + Send + 'static) -> Region {
        let Call { region, on_close, .. } = self;
        region.inline(body, move |outcome, report| {
            if let Some(on_close) = on_close {
                on_close(&report());
            }
            Ok(outcome)
        })
    }
}

/// What a request's region does from when its client has not all of the answer.
struct Rest<B> {
    leaves: Leaves<B>,
    head: bool,
    #[cfg(feature = "hyper")]
    held: Option<Box<crate::hyper::Held>>,
}

impl<B: Body + Send + 'static> Rest<B> {
    #[cfg_attr(not(feature = "hyper"), expect(unused_mut, reason = "it holds nothing then"))]
    async fn handle(mut self, mut handler: Handler<B>) -> Outcome {
        (&mut handler).await?;
        let answer = handler.answer().map(|response| {
            let extent = Extent::of(&response, self.head);
            Answered { response, extent }
        });
        #[cfg(feature = "hyper")]
        if !answer.as_ref().is_ok_and(|answered| answered.extent.switches) {
            self.held = None;
        }
        let waits = self.leaves.0.answer(answer);
        self.wait(waits).await
    }
}

impl<B> Rest<B> {
    #[cfg_attr(not(feature = "hyper"), expect(unused_mut, reason = "it holds nothing then"))]
    async fn wait(mut self, waits: bool) -> Outcome {
        if waits {
            poll_fn(|task| self.leaves.0.poll_ended(task)).await;
        }
        #[cfg(feature = "hyper")]
        if let Some(held) = &mut self.held {
            poll_fn(|task| held.poll_let_go(task)).await;
        }
        Ok(())
    }
}

/// Tells the response's body that the region waits for it no more.
struct Leaves<B>(Arc<Exchange<B>>);

impl<B> Drop for Leaves<B> {
    fn drop(&mut self) {
        self.0.leave();
    }
}
