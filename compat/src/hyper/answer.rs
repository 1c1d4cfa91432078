//! A service that always answers: an error becomes 500, a cancellation 503, a panic 500.
//!
//! hyper would drop the connection instead, and with it the requests behind this one. While
//! nothing of the response was sent, an answer is still possible, and better for the client.
//!
//! A response is in flight until its body ended or was dropped. A stream of server-sent events has no
//! end of its own: at Request it gets one, so that its client knows that nothing was cut.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use asupersync_core::Failure;
use asupersync_core::caps::{CapSet, HasTime};
use http::header::{CONNECTION, CONTENT_TYPE, HeaderMap, HeaderValue, UPGRADE};
use http::{Request, Response, StatusCode, Version};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::Service;

use super::BoxError;
use super::exchange::{Conn, Ticket};

/// Wraps the service of one connection.
pub(super) struct Answering<S, C> {
    service: S,
    conn: Arc<Conn<C>>,
}

impl<S, C> Answering<S, C> {
    pub(super) fn new(service: S, conn: &Arc<Conn<C>>) -> Self {
        Answering { service, conn: conn.clone() }
    }
}

impl<S, C, B> Service<Request<Incoming>> for Answering<S, C>
where
    C: CapSet + HasTime,
    S: Service<Request<Incoming>, Response = Response<B>, Error: Into<BoxError>>,
    B: Body,
{
    type Response = Response<Reply<B, C>>;
    type Error = Infallible;
    type Future = Answer<S::Future, C>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let ticket = Some(Ticket::new(&self.conn));
        let version = request.version();
        // hyper has put there what an upgrade takes.
        let upgrade = !request.extensions().is_empty() && request.headers().contains_key(UPGRADE);
        let extensions = request.extensions_mut();
        extensions.insert(self.conn.given.clone());
        if upgrade {
            extensions.insert(self.conn.held.clone());
        }
        let mut answer = Answer { future: None, ticket, version };
        // A panic here is told by the future, which is made where it goes: it is large.
        drop(catch_unwind(AssertUnwindSafe(|| answer.future = Some(self.service.call(request)))));
        answer
    }
}

pin_project_lite::pin_project! {
    /// The wait for a response, which cannot fail.
    pub(super) struct Answer<F, C> {
        #[pin]
        future: Option<F>,
        ticket: Option<Ticket<C>>,
        version: Version,
    }
}

impl<F, C, B, E> Future for Answer<F, C>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
    C: CapSet + HasTime,
    E: Into<BoxError>,
{
    type Output = Result<Response<Reply<B, C>>, Infallible>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = match this.future.as_pin_mut() {
            None => Err(StatusCode::INTERNAL_SERVER_ERROR),
            Some(future) => match catch_unwind(AssertUnwindSafe(|| future.poll(task))) {
                Err(_) => Err(StatusCode::INTERNAL_SERVER_ERROR),
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(Err(error))) => Err(status_of(error.into())),
                Ok(Poll::Ready(Ok(response))) => Ok(response),
            },
        };
        let ticket = this.ticket.take().expect("polled after it was ready");
        // hyper does not know of a drain that has not come yet, nor of a request of this very poll.
        let last = ticket.0.is_leaving() && *this.version < Version::HTTP_2;
        let mut response = match answer {
            Ok(response) => {
                // What has a length has an end.
                let endless = response.body().size_hint().exact().is_none();
                let end = (endless && is_event_stream(response.headers())).then(|| {
                    let end: End = Box::pin(ticket.0.clone().grace_is_over());
                    end
                });
                response.map(|body| Reply { body: Some(body), end, _ticket: ticket })
            }
            Err(status) => {
                ticket.0.counters.fault();
                let mut response = Response::new(Reply { body: None, end: None, _ticket: ticket });
                *response.status_mut() = status;
                response
            }
        };
        if last {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Poll::Ready(Ok(response))
    }
}

/// Server-sent events.
fn is_event_stream(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"))
}

/// A cancellation anywhere among the error's sources says that the service is going away.
fn status_of(error: BoxError) -> StatusCode {
    match Failure::<asupersync_core::Error>::from(io::Error::other(error)) {
        Failure::Cancelled(_) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// When a body without an end of its own gets one.
type End = Pin<Box<dyn Future<Output = ()> + Send>>;

pin_project_lite::pin_project! {
    /// The body of a response: the service's, or nothing where an error was answered.
    pub(super) struct Reply<B, C> {
        #[pin]
        body: Option<B>,
        end: Option<End>,
        _ticket: Ticket<C>,
    }
}

impl<B: Body, C> Body for Reply<B, C> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let Some(body) = this.body.as_pin_mut() else { return Poll::Ready(None) };
        let polled = body.poll_frame(task);
        // Between two frames, whatever the service still does about it.
        if let Some(end) = this.end
            && polled.is_pending()
        {
            return end.as_mut().poll(task).map(|()| None);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use asupersync_core::{Cancelled, Reason, ReasonKind};

    #[test]
    fn a_cancellation_inside_an_error_is_503_and_any_other_error_500() {
        let cancelled: io::Error = Cancelled::new(Reason::new(ReasonKind::Shutdown)).into();
        assert_eq!(status_of(io::Error::other(cancelled).into()), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(status_of("broken".into()), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
