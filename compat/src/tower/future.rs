//! The wait for a response that a region makes. Dropped, the client has left.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use asupersync_core::{Cancelled, Outcome, Reason, ReasonKind};
use http::Response;
use http_body::Body;

use super::body::client_left;
use super::exchange::{Exchange, Region};
use super::{RegionBody, RegionError};

/// The wait for a response of [`RegionService`](super::RegionService).
///
/// # Cancel safety
/// Dropped before it is ready, the request's region gets Request with reason `ClientDisconnected`;
/// its handler goes on, drains and is finalized in a task of the service's region. Other
/// [policies](super::Disconnect) let it go on.
pub struct ResponseFuture<B>(State<B>);

enum State<B> {
    Open(Open<B>),
    Refused(RegionError),
    Over,
}

pub(super) struct Open<B> {
    pub(super) region: Region,
    pub(super) exchange: Arc<Exchange<B>>,
    /// Whether its drop is a reason for the region to close.
    pub(super) cancels: bool,
}

impl<B> ResponseFuture<B> {
    pub(super) fn new(open: Open<B>) -> Self {
        ResponseFuture(State::Open(open))
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
            return Poll::Pending;
        };
        // One that is not answered, or needs nobody to take its body, closes by itself.
        let answered = answer.map_err(RegionError::inner)?;
        if polled.is_pending() && answered.open {
            exchange.rest(region);
        }
        Poll::Ready(Ok(RegionBody::tie(answered, exchange, cancels)))
    }
}

impl<B> Drop for ResponseFuture<B> {
    fn drop(&mut self) {
        if let State::Open(Open { region, exchange, cancels }) = &self.0 {
            if *cancels {
                region.request_close(client_left());
            }
            exchange.end();
        }
    }
}
