//! A limit on how long a call may take, by the host's clock.
//!
//! tower's own asks for Tokio's clock, and so for its runtime; this one goes by what a `Cx` goes by, real or
//! simulated.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use asupersync_core::caps::HasTime;
use asupersync_core::{Alarm, All, Cancelled, Cx, Reason, ReasonKind};
use tower_layer::Layer;
use tower_service::Service;

use super::BoxError;

/// Gives each call of a service so much time, until its response; a body may take longer.
///
/// Outside of a [`RegionLayer`](super::RegionLayer) a handler that takes longer is asked to stop, drains and
/// is finalized; inside, its future is dropped where it waits. The error has a cancellation with reason
/// `Deadline` in it, which [`hyper::Server`](crate::hyper::Server) answers with 503.
///
/// ```
/// use asupersync_compat::tower::TimeoutLayer;
/// use asupersync_core::{Cx, Outcome};
/// use std::time::Duration;
/// use tower::{Service, ServiceBuilder};
///
/// async fn slow(cx: &Cx) -> Outcome {
///     let mut service = ServiceBuilder::new()
///         .layer(TimeoutLayer::new(cx, Duration::from_millis(1)))
///         .service_fn(async |()| std::future::pending::<Result<(), std::io::Error>>().await);
///     service.call(()).await.map_err(std::io::Error::other)?;
///     Ok(())
/// }
///
/// let outcome = asupersync_scheduler::Runtime::new()?.block_on(async |cx: &Cx| slow(cx).await);
/// assert!(outcome.unwrap_err().to_string().contains("no response within 1ms"));
/// # std::io::Result::Ok(())
/// ```
pub struct TimeoutLayer<C = All> {
    cx: Cx<C>,
    limit: Duration,
}

impl<C: HasTime> TimeoutLayer<C> {
    /// By the clock of the host that `cx` runs on.
    pub fn new(cx: &Cx<C>, limit: Duration) -> Self {
        TimeoutLayer { cx: cx.clone(), limit }
    }
}

impl<C> Clone for TimeoutLayer<C> {
    fn clone(&self) -> Self {
        TimeoutLayer { cx: self.cx.clone(), limit: self.limit }
    }
}

impl<C, S> Layer<S> for TimeoutLayer<C> {
    type Service = TimeoutService<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        TimeoutService { inner, layer: self.clone() }
    }
}

/// A service whose calls have so much time; made by [`TimeoutLayer`].
pub struct TimeoutService<S, C = All> {
    inner: S,
    layer: TimeoutLayer<C>,
}

impl<S: Clone, C> Clone for TimeoutService<S, C> {
    fn clone(&self) -> Self {
        TimeoutService { inner: self.inner.clone(), layer: self.layer.clone() }
    }
}

impl<S, C, R> Service<R> for TimeoutService<S, C>
where
    C: HasTime,
    S: Service<R, Error: Into<BoxError>>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = TimeoutFuture<S::Future>;

    fn poll_ready(&mut self, task: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(task).map_err(Into::into)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let TimeoutLayer { cx, limit } = &self.layer;
        TimeoutFuture { alarm: cx.alarm(cx.now() + *limit), limit: *limit, inner: self.inner.call(request) }
    }
}

pin_project_lite::pin_project! {
    /// The wait for a response, or for the end of the time there is.
    ///
    /// # Cancel safety
    /// As the inner service's own future.
    pub struct TimeoutFuture<F> {
        alarm: Alarm,
        limit: Duration,
        #[pin]
        inner: F,
    }
}

impl<F, T, E> Future for TimeoutFuture<F>
where
    F: Future<Output = Result<T, E>>,
    E: Into<BoxError>,
{
    type Output = Result<T, BoxError>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(response) = this.inner.poll(task) {
            return Poll::Ready(response.map_err(Into::into));
        }
        ready!(Pin::new(this.alarm).poll(task));
        let text = format!("no response within {:?}", this.limit);
        let late = Cancelled::new(Reason::new(ReasonKind::Deadline).with_message(text));
        Poll::Ready(Err(io::Error::from(late).into()))
    }
}
