//! No new work for a server that is going away.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::header::{HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use tower_layer::Layer;
use tower_service::Service;

use crate::readiness::Readiness;

/// Answers 503 with `Retry-After` once a server wants no new work, instead of what the service would have
/// answered. Without this layer a [`hyper::Server`](crate::hyper::Server) serves every request that still
/// comes, which is better where the client could not try elsewhere.
///
/// What was made ready before is still called.
///
/// ```
/// use asupersync_compat::Readiness;
/// use asupersync_compat::tower::DrainLayer;
/// use http::{Request, Response};
/// use std::time::Duration;
/// use tower::{Layer, ServiceExt, service_fn};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let readiness = Readiness::new();
/// let inner = service_fn(async |_| std::io::Result::Ok(Response::new(String::from("hello"))));
/// let service = DrainLayer::new(readiness.clone()).retry_after(Duration::from_secs(2)).layer(inner);
/// let refused = service.clone().oneshot(Request::new(())).await.unwrap();
/// assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (503, &"2".parse().unwrap()));
///
/// readiness.set(true);
/// assert_eq!(service.oneshot(Request::new(())).await.unwrap().status(), 200);
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct DrainLayer {
    readiness: Readiness,
    retry_after: Duration,
}

impl DrainLayer {
    /// By the readiness of a server, [`Server::readiness`](crate::hyper::Server::readiness).
    pub fn new(readiness: Readiness) -> Self {
        DrainLayer { readiness, retry_after: Duration::from_secs(1) }
    }

    /// When clients are told to try again, in whole seconds; 1 second if nothing is said.
    #[must_use]
    pub fn retry_after(mut self, time: Duration) -> Self {
        self.retry_after = time;
        self
    }
}

impl<S> Layer<S> for DrainLayer {
    type Service = DrainService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        DrainService { inner, layer: self.clone(), is_ready: false }
    }
}

/// A service that refuses once its server is going away; made by [`DrainLayer`].
#[derive(Debug)]
pub struct DrainService<S> {
    inner: S,
    layer: DrainLayer,
    /// The inner service was made ready, and not called.
    is_ready: bool,
}

impl<S: Clone> Clone for DrainService<S> {
    fn clone(&self) -> Self {
        // A clone of a service that was made ready is not.
        DrainService { inner: self.inner.clone(), layer: self.layer.clone(), is_ready: false }
    }
}

impl<S, R, B> Service<R> for DrainService<S>
where
    S: Service<R, Response = Response<B>>,
{
    type Response = Response<DrainBody<B>>;
    type Error = S::Error;
    type Future = DrainFuture<S::Future>;

    fn poll_ready(&mut self, task: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        if !self.is_ready && self.layer.readiness.is_ready() {
            ready!(self.inner.poll_ready(task))?;
            self.is_ready = true;
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: R) -> Self::Future {
        let admitted = std::mem::take(&mut self.is_ready);
        DrainFuture {
            inner: admitted.then(|| self.inner.call(request)),
            retry_after: self.layer.retry_after.as_secs(),
        }
    }
}

pin_project_lite::pin_project! {
    /// The wait for a response, or for none.
    ///
    /// # Cancel safety
    /// As the inner service's own future.
    pub struct DrainFuture<F> {
        #[pin]
        inner: Option<F>,
        retry_after: u64,
    }
}

impl<F, B, E> Future for DrainFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<DrainBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Some(inner) = this.inner.as_pin_mut() {
            let response = ready!(inner.poll(task))?;
            return Poll::Ready(Ok(response.map(|body| DrainBody { body: Some(body) })));
        }
        let mut response = Response::new(DrainBody { body: None });
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(*this.retry_after));
        Poll::Ready(Ok(response))
    }
}

pin_project_lite::pin_project! {
    /// The service's body, or none where it was not asked.
    #[derive(Debug)]
    pub struct DrainBody<B> {
        #[pin]
        body: Option<B>,
    }
}

impl<B: Body> Body for DrainBody<B> {
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
