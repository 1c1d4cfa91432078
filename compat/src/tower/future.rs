//! The wait for a response that a region makes. Dropped, the client has left.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use asupersync_core::channel::oneshot;
use asupersync_core::{Cancelled, Handle, Outcome, Reason, ReasonKind};
use http::Response;
use http_body::Body;

use super::body::client_left;
use super::{RegionBody, RegionError};

pub(super) type Answer<B> = Result<Response<RegionBody<B>>, RegionError>;

/// The wait for a response of [`RegionService`](super::RegionService).
///
/// # Cancel safety
/// Dropped before it is ready, the request's region gets Request with reason `ClientDisconnected`;
/// its handler goes on, drains and is finalized in the service's region. Other
/// [policies](super::Disconnect) let it go on.
pub struct ResponseFuture<B> {
    answer: oneshot::Receiver<Answer<B>>,
    task: Option<Handle<()>>,
    /// Whether its drop is a reason for the task to stop.
    cancels: bool,
    refused: Option<RegionError>,
    /// The end of a task that told nothing.
    silent: Option<Pin<Box<dyn Future<Output = Outcome> + Send>>>,
}

impl<B> ResponseFuture<B> {
    pub(super) fn new(answer: oneshot::Receiver<Answer<B>>, task: Handle<()>, cancels: bool) -> Self {
        ResponseFuture { answer, task: Some(task), cancels, refused: None, silent: None }
    }

    /// There is no task.
    pub(super) fn refused(error: RegionError) -> Self {
        ResponseFuture {
            answer: oneshot::channel().1,
            task: None,
            cancels: false,
            refused: Some(error),
            silent: None,
        }
    }
}

/// Why a task that was refused, or dropped at the end of its budget, told nothing.
fn silence(ended: Outcome) -> RegionError {
    ended.map_or_else(RegionError::from_failure, |()| {
        let reason = Reason::new(ReasonKind::Deadline);
        RegionError::cancelled(Cancelled::new(reason.with_message("the handler's task told nothing")))
    })
}

impl<B: Body> Future for ResponseFuture<B> {
    type Output = Answer<B>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Answer<B>> {
        let this = &mut *self;
        if let Some(refused) = this.refused.take() {
            return Poll::Ready(Err(refused));
        }
        if let Some(silent) = &mut this.silent {
            return silent.as_mut().poll(task).map(|ended| Err(silence(ended)));
        }
        let answer = ready!(this.answer.poll_recv(task));
        let Some(handle) = this.task.take() else { return Poll::Ready(Err(silence(Ok(())))) };
        match answer {
            Ok(Ok(mut response)) => {
                response.body_mut().attach(this.cancels.then_some(handle));
                Poll::Ready(Ok(response))
            }
            Ok(Err(error)) => Poll::Ready(Err(error)),
            Err(_) => {
                let silent = this.silent.insert(Box::pin(handle.join()));
                silent.as_mut().poll(task).map(|ended| Err(silence(ended)))
            }
        }
    }
}

impl<B> Drop for ResponseFuture<B> {
    fn drop(&mut self) {
        if let Some(task) = self.task.take().filter(|_| self.cancels) {
            task.request_cancel(client_left());
        }
    }
}
