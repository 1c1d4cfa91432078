//! The wait for a response that a region makes. Dropped, the client has left.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use asupersync_core::{Cancelled, Outcome, Reason, ReasonKind};
use http::Response;
use http_body::Body;

use super::body::{Extent, client_left};
use super::call::{Early, Open};
use super::exchange::{Answered, Resting};
use super::{RegionBody, RegionError};

/// The wait for a response of [`RegionService`](super::RegionService).
///
/// # Cancel safety
/// Dropped before it is ready, the request's region gets Request with reason `ClientDisconnected`;
/// its handler goes on, drains and is finalized in a task of the service's region. Other
/// [policies](super::Disconnect) let it go on.
pub struct ResponseFuture<B: Body + Send + 'static>(State<B>);

enum State<B> {
    Early(Early<B>),
    Open(Open<B>),
    Refused(RegionError),
    Over,
}

impl<B: Body + Send + 'static> ResponseFuture<B> {
    pub(super) fn new(early: Early<B>) -> Self {
        ResponseFuture(State::Early(early))
    }

    /// There is no region.
    pub(super) fn refused(error: RegionError) -> Self {
        ResponseFuture(State::Refused(error))
    }
}

/// Why a region that was refused, or whose handler was dropped at the end of its budget, did not answer.
fn silence(ended: Outcome) -> RegionError {
    ended.map_or_else(RegionError::from_failure, |()| {
        let reason = Reason::new(ReasonKind::Deadline);
        RegionError::cancelled(Cancelled::new(reason.with_message("the handler told nothing")))
    })
}

impl<B: Body + Send + 'static> Future for ResponseFuture<B> {
    type Output = Result<Response<RegionBody<B>>, RegionError>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        if let State::Early(early) = &mut self.0 {
            let polled = early.poll_handler(task);
            let State::Early(early) = mem::replace(&mut self.0, State::Over) else {
                unreachable!("it was early above");
            };
            self.0 = State::Open(match polled {
                Poll::Ready(Some(Ok(()))) => return Poll::Ready(answer_at_once(early, task)),
                Poll::Ready(Some(Err(failure))) => early.failed(failure),
                Poll::Ready(None) => early.open(),
                Poll::Pending => {
                    // Whatever it waits for wakes this task, and so does a request.
                    self.0 = State::Open(early.open());
                    return Poll::Pending;
                }
            });
        }
        let State::Open(open) = &mut self.0 else {
            return match mem::replace(&mut self.0, State::Over) {
                State::Refused(error) => Poll::Ready(Err(error)),
                _ => Poll::Ready(Err(silence(Ok(())))),
            };
        };
        let polled = Pin::new(&mut open.region).poll(task);
        let Some(answer) = open.exchange.take() else {
            let ended = ready!(polled).and_then(|ended| ended);
            self.0 = State::Over;
            return Poll::Ready(Err(silence(ended)));
        };
        let State::Open(Open { region, exchange, cancels }) = mem::replace(&mut self.0, State::Over) else {
            unreachable!("it was open above");
        };
        // One that is not answered, or needs nobody to take its body, closes by itself.
        let Answered { response, extent } = answer.map_err(RegionError::inner)?;
        if polled.is_pending() && extent.open {
            exchange.rest(Resting::Region(region));
        }
        Poll::Ready(Ok(RegionBody::tie(response, extent, exchange, cancels)))
    }
}

/// What the client gets of a handler that answered at once.
fn answer_at_once<B: Body + Send + 'static>(
    early: Early<B>,
    task: &mut Context<'_>,
) -> Result<Response<RegionBody<B>>, RegionError> {
    let Early { mut call, mut handler, exchange } = early;
    let answer = handler.answer();
    let extent = answer.as_ref().map_or(Extent::NONE, |response| Extent::of(response, call.head));
    let Extent { open, switches, .. } = extent;
    let cancels = call.cancels;
    let left = if call.is_held(switches) {
        Some(call.wait(&exchange, open))
    } else if open {
        exchange.rest(Resting::Early(call, handler));
        None
    } else {
        call.end()
    };
    // One that needs nobody to take its body closes by itself.
    if let Some(mut region) = left
        && Pin::new(&mut region).poll(task).is_pending()
        && open
    {
        exchange.rest(Resting::Region(region));
    }
    Ok(RegionBody::tie(answer.map_err(RegionError::inner)?, extent, exchange, cancels))
}

impl<B: Body + Send + 'static> Drop for ResponseFuture<B> {
    fn drop(&mut self) {
        if let State::Refused(_) | State::Over = self.0 {
            return;
        }
        let open = match mem::replace(&mut self.0, State::Over) {
            State::Early(early) => early.open(),
            State::Open(open) => open,
            State::Refused(_) | State::Over => return,
        };
        if open.cancels {
            open.region.request_close(client_left());
        }
        open.exchange.end();
    }
}
