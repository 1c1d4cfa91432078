//! The wait for a response that a region makes. Dropped, the client has left.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use asupersync_core::channel::oneshot;
use asupersync_core::{Cancelled, Cx, Handle, Reason, ReasonKind};
use http::Response;
use http_body::Body;

use super::body::client_left;
use super::{RegionBody, RegionError};

pub(super) type Answer<B> = Result<Response<RegionBody<B>>, RegionError>;

/// The wait for a response of [`RegionService`](super::RegionService).
///
/// # Cancel safety
/// Dropped before it is ready, the request's region gets Request with reason `ClientDisconnected`;
/// its handler goes on, drains and is finalized in the service's region.
pub struct ResponseFuture<B, C = asupersync_core::All> {
    answer: oneshot::Receiver<Answer<B>>,
    task: Option<Handle<()>>,
    cx: Cx<C>,
}

impl<B, C> ResponseFuture<B, C> {
    pub(super) fn new(answer: oneshot::Receiver<Answer<B>>, task: Handle<()>, cx: &Cx<C>) -> Self {
        ResponseFuture { answer, task: Some(task), cx: cx.clone() }
    }

    /// Why a task that was refused, or dropped at the end of its budget, told nothing.
    fn silence(&self) -> RegionError {
        RegionError::cancelled(self.cx.checkpoint().err().unwrap_or_else(|| {
            let reason = Reason::new(ReasonKind::Deadline);
            Cancelled::new(reason.with_message("the handler was dropped at the end of its budget"))
        }))
    }
}

impl<B: Body, C> Future for ResponseFuture<B, C> {
    type Output = Answer<B>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Answer<B>> {
        let this = &mut *self;
        let answer = ready!(this.answer.poll_recv(task));
        let handle = this.task.take();
        Poll::Ready(match answer {
            Ok(Ok(mut response)) => {
                response.body_mut().attach(handle);
                Ok(response)
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Err(this.silence()),
        })
    }
}

impl<B, C> Drop for ResponseFuture<B, C> {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.request_cancel(client_left());
        }
    }
}
