//! The body of a response, as a ticket: while it is there the request's region stays open.
//!
//! | what happens to the body | what the region sees |
//! |---|---|
//! | it ends, or fails, or has nothing to send | the body of the region returns, the region closes |
//! | it is dropped before its end | Request, reason `ClientDisconnected` |
//!
//! And the other way round: once the region has gone, its budget spent, a body that has not
//! ended fails, so that nobody waits for data which no task will make.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use asupersync_core::{Cancelled, Reason, ReasonKind};
use http::{Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};

use super::BoxError;
use super::exchange::Exchange;

pin_project_lite::pin_project! {
    /// A response's body that keeps the request's region open.
    pub struct RegionBody<B>
    where
        B: Send,
        B: 'static,
    {
        // Dropped first: whoever feeds the body hears why, before it finds nobody to feed.
        ticket: Ticket<B>,
        #[pin]
        inner: B,
    }
}

/// What ties a body to its region.
struct Ticket<B: Send + 'static> {
    /// Present while the body has not ended.
    open: Option<Arc<Exchange<B>>>,
    /// Whether its drop is a reason for the region to close.
    cancels: bool,
    /// Bytes that the head announced and that were not taken yet.
    announced: Option<u64>,
}

impl<B: Send + 'static> RegionBody<B> {
    /// Ties the body of a response to the region that has made it.
    pub(super) fn tie(
        response: Response<B>,
        Extent { open, announced, .. }: Extent,
        exchange: Arc<Exchange<B>>,
        cancels: bool,
    ) -> Response<Self> {
        let open = open.then_some(exchange);
        response.map(|inner| RegionBody { ticket: Ticket { open, cancels, announced }, inner })
    }
}

/// What is to come of a response.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    /// A body, for whose end the region waits.
    pub(super) open: bool,
    /// Bytes that the head announced.
    pub(super) announced: Option<u64>,
    /// The connection is to be used for something else.
    pub(super) switches: bool,
}

impl Extent {
    /// Nothing.
    pub(super) const NONE: Self = Extent { open: false, announced: None, switches: false };

    /// `head`: it answers a request of that method, and its body is not sent.
    pub(super) fn of<B: Body>(response: &Response<B>, head: bool) -> Self {
        let announced = announced(response, head);
        let open = announced != Some(0) && !response.body().is_end_stream();
        Extent { open, announced, switches: response.status() == StatusCode::SWITCHING_PROTOCOLS }
    }
}

/// How many bytes will be taken from the body. What comes after them is never asked for.
fn announced<B: Body>(response: &Response<B>, head: bool) -> Option<u64> {
    let status = response.status();
    if head
        || status == StatusCode::NO_CONTENT
        || status == StatusCode::NOT_MODIFIED
        || status.is_informational()
    {
        return Some(0);
    }
    // Mostly the body knows it, and need not be asked by name.
    let exact = response.body().size_hint().exact();
    exact.or_else(|| response.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok())
}

impl<B: Send + 'static> Ticket<B> {
    /// The region goes on to its end, mostly within this call.
    fn end(&mut self, task: &mut Context<'_>) {
        let region = self.open.take().and_then(|exchange| exchange.end());
        if let Some(mut region) = region {
            // What takes longer is left to a task.
            let _ = Pin::new(&mut region).poll(task);
        }
    }
}

impl<B: Send + 'static> Drop for Ticket<B> {
    fn drop(&mut self) {
        let Some(exchange) = self.open.take() else { return };
        exchange.abandon(self.cancels.then(client_left));
    }
}

pub(super) fn client_left() -> Reason {
    Reason::new(ReasonKind::ClientDisconnected)
}

impl<B> Body for RegionBody<B>
where
    B: Body<Error: Into<BoxError>> + Send + 'static,
{
    type Data = B::Data;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, BoxError>>> {
        let mut this = self.project();
        let polled = this.inner.as_mut().poll_frame(task);
        if polled.is_pending() && this.ticket.open.is_some() {
            let gone = this.ticket.open.as_ref().map_or(Poll::Pending, |exchange| exchange.poll_gone(task));
            ready!(gone);
            this.ticket.open = None;
            let reason = Reason::new(ReasonKind::Deadline).with_message("the request's region ended first");
            let cut: io::Error = Cancelled::new(reason).into();
            return Poll::Ready(Some(Err(cut.into())));
        }
        let frame = ready!(polled);
        if let (Some(announced), Some(Ok(frame))) = (&mut this.ticket.announced, &frame) {
            let taken = frame.data_ref().map_or(0, |data| bytes::Buf::remaining(data) as u64);
            *announced = announced.saturating_sub(taken);
        }
        let over = matches!(&frame, None | Some(Err(_)))
            || this.ticket.announced == Some(0)
            || this.inner.is_end_stream();
        if over {
            this.ticket.end(task);
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
