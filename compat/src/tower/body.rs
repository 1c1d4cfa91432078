//! The body of a response, as a ticket: while it is there the request's region stays open.
//!
//! | what happens to the body | what the region sees |
//! |---|---|
//! | it ends, or fails, or has nothing to send | the body of the region returns, the region closes |
//! | it is dropped before its end | Request, reason `ClientDisconnected` |
//!
//! And the other way round: once the region has gone, its budget spent, a body that has not
//! ended fails, so that nobody waits for data which no task will make.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use asupersync_core::channel::oneshot;
use asupersync_core::{Cancelled, Handle, Reason, ReasonKind};
use http::{Method, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};

use super::BoxError;

pin_project_lite::pin_project! {
    /// A response's body that keeps the request's region open.
    pub struct RegionBody<B> {
        // Dropped first: whoever feeds the body hears why, before it finds nobody to feed.
        ticket: Ticket,
        #[pin]
        inner: B,
    }
}

/// What ties a body to its region.
struct Ticket {
    /// Present while the body has not ended.
    open: Option<oneshot::Sender<()>>,
    /// Closed when the region waits no more.
    region: oneshot::Receiver<Infallible>,
    task: Option<Handle<()>>,
    /// Bytes that the head announced and that were not taken yet.
    announced: Option<u64>,
}

/// The region's end of the ticket.
pub(super) struct Stub {
    ended: oneshot::Receiver<()>,
    _open: oneshot::Sender<Infallible>,
}

impl Stub {
    /// Ready once the body ended or is gone.
    pub(super) fn poll_ended(&mut self, task: &mut Context<'_>) -> Poll<()> {
        self.ended.poll_recv(task).map(drop)
    }
}

impl<B: Body> RegionBody<B> {
    /// Ties the body of `response`, which answers a request of `method`, to a region.
    pub(super) fn tie(response: Response<B>, method: &Method) -> (Response<Self>, Stub) {
        let (open, ended) = oneshot::channel();
        let (alive, region) = oneshot::channel();
        let announced = announced(&response, method);
        let response = response.map(|inner| {
            let open = (announced != Some(0) && !inner.is_end_stream()).then_some(open);
            RegionBody { inner, ticket: Ticket { open, region, task: None, announced } }
        });
        (response, Stub { ended, _open: alive })
    }

    /// Gives the body the task to ask when it is dropped before its end.
    pub(super) fn attach(&mut self, task: Option<Handle<()>>) {
        if self.ticket.open.is_some() {
            self.ticket.task = task;
        }
    }
}

/// How many bytes will be taken from the body. What comes after them is never asked for.
fn announced<B: Body>(response: &Response<B>, method: &Method) -> Option<u64> {
    let status = response.status();
    if method == Method::HEAD
        || status == StatusCode::NO_CONTENT
        || status == StatusCode::NOT_MODIFIED
        || status.is_informational()
    {
        return Some(0);
    }
    let length = response.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    length.or(response.body().size_hint().exact())
}

impl Ticket {
    fn end(&mut self) {
        if let Some(open) = self.open.take() {
            self.task = None;
            // Nobody waits if the region is gone.
            drop(open.send(()));
        }
    }

    fn poll_gone(&mut self, task: &mut Context<'_>) -> Poll<()> {
        self.region.poll_recv(task).map(drop)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        // The request first: after the ticket's end the region would close for another reason.
        if self.open.is_some()
            && let Some(task) = self.task.take()
        {
            task.request_cancel(client_left());
        }
    }
}

pub(super) fn client_left() -> Reason {
    Reason::new(ReasonKind::ClientDisconnected)
}

impl<B> Body for RegionBody<B>
where
    B: Body<Error: Into<BoxError>>,
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
            ready!(this.ticket.poll_gone(task));
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
            this.ticket.end();
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
