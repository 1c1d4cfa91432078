//! A tower service as a hyper service.
//!
//! hyper calls without asking; tower wants `poll_ready` first, on the instance that is then called.
//! So each request gets a clone of its own, which is called itself: at once, or when it is ready.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use hyper::service::Service as HyperService;
use tower_service::Service;

/// Gives hyper's `Service` to a tower service.
#[derive(Clone, Copy, Debug)]
pub struct Tower<S> {
    service: S,
}

impl<S> Tower<S> {
    /// Wraps `service`, which is cloned for each request. What clones do not share, such as a
    /// limit that counts on one instance, does not hold between requests.
    pub fn new(service: S) -> Self {
        Tower { service }
    }
}

impl<S: Service<R> + Clone, R> HyperService<R> for Tower<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = TowerFuture<S, R>;

    fn call(&self, request: R) -> Self::Future {
        let mut service = self.service.clone();
        // Mostly it is ready, and the request need not be kept, which is large. One that is not is asked again
        // by whoever it can wake.
        let state = match service.poll_ready(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => State::Called { future: service.call(request) },
            Poll::Ready(Err(error)) => State::Failed { error: Some(error) },
            Poll::Pending => State::Waiting { waiting: Box::new((service, Some(request))) },
        };
        TowerFuture { state }
    }
}

pin_project_lite::pin_project! {
    /// The wait for a service to be ready, and then for its response.
    ///
    /// # Cancel safety
    /// Dropped before the service was ready, that was not called; later, as the service's own future.
    pub struct TowerFuture<S, R>
    where
        S: Service<R>,
    {
        #[pin]
        state: State<S, S::Future, S::Error, R>,
    }
}

pin_project_lite::pin_project! {
    #[project = StateProjected]
    enum State<S, F, E, R> {
        Waiting { waiting: Box<(S, Option<R>)> },
        Called { #[pin] future: F },
        Failed { error: Option<E> },
    }
}

impl<S: Service<R>, R> Future for TowerFuture<S, R> {
    type Output = Result<S::Response, S::Error>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            match state.as_mut().project() {
                StateProjected::Waiting { waiting } => {
                    let (service, request) = &mut **waiting;
                    ready!(service.poll_ready(task))?;
                    let request = request.take().expect("polled after it was ready");
                    let future = service.call(request);
                    state.set(State::Called { future });
                }
                StateProjected::Called { future } => return future.poll(task),
                StateProjected::Failed { error } => {
                    return Poll::Ready(Err(error.take().expect("polled after it was ready")));
                }
            }
        }
    }
}
