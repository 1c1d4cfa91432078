//! A service that always answers: an error becomes 500, a cancellation 503, a panic 500.
//!
//! hyper would drop the connection instead, and with it the requests behind this one. While
//! nothing of the response was sent, an answer is still possible, and better for the client.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use asupersync_core::{Cx, Failure};
use http::header::{CONNECTION, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::Service;

use super::{BoxError, Counters};

/// Wraps the service of one connection.
pub(super) struct Answering<S, C> {
    pub(super) service: S,
    pub(super) cx: Cx<C>,
    pub(super) counters: Counters,
}

impl<S, C, B> Service<Request<Incoming>> for Answering<S, C>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error: Into<BoxError>>,
{
    type Response = Response<Reply<B>>;
    type Error = Infallible;
    type Future = Answer<S::Future, C>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        // A panic here is told by the future.
        let future = catch_unwind(AssertUnwindSafe(|| self.service.call(request))).ok();
        Answer { future, cx: self.cx.clone(), counters: self.counters.clone() }
    }
}

pin_project_lite::pin_project! {
    /// The wait for a response, which cannot fail.
    pub(super) struct Answer<F, C> {
        #[pin]
        future: Option<F>,
        cx: Cx<C>,
        counters: Counters,
    }
}

impl<F, C, B, E> Future for Answer<F, C>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
{
    type Output = Result<Response<Reply<B>>, Infallible>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = match this.future.as_pin_mut() {
            None => Err(StatusCode::INTERNAL_SERVER_ERROR),
            Some(future) => match catch_unwind(AssertUnwindSafe(|| future.poll(task))) {
                Err(_) => Err(StatusCode::INTERNAL_SERVER_ERROR),
                Ok(polled) => ready!(polled).map_err(|error| status_of(error.into())),
            },
        };
        let mut response = match answer {
            Ok(response) => response.map(|body| Reply { body: Some(body) }),
            Err(status) => {
                this.counters.fault();
                let mut response = Response::new(Reply { body: None });
                *response.status_mut() = status;
                response
            }
        };
        // The connection may have been asked to close in this very poll, when hyper does not know.
        if this.cx.is_cancelled() {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Poll::Ready(Ok(response))
    }
}

/// A cancellation anywhere among the error's sources says that the service is going away.
fn status_of(error: BoxError) -> StatusCode {
    match Failure::<asupersync_core::Error>::from(io::Error::other(error)) {
        Failure::Cancelled(_) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

pin_project_lite::pin_project! {
    /// The body of a response: the service's, or nothing where an error was answered.
    pub struct Reply<B> {
        #[pin]
        body: Option<B>,
    }
}

impl<B: Body> Body for Reply<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        task: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        match self.project().body.as_pin_mut() {
            Some(body) => body.poll_frame(task),
            None => Poll::Ready(None),
        }
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
