//! A tower service as a hyper service.
//!
//! hyper calls without asking; tower wants `poll_ready` first, on the instance that is then called.
//! So each request gets a clone of its own, which waits until it is ready and is called itself.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

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
        TowerFuture { state: State::Waiting { service: self.service.clone(), request: Some(request) } }
    }
}

pin_project_lite::pin_project! {
    /// The wait for a service to be ready, and then for its response.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, the service was not called; later, as the service's own future.
    pub struct TowerFuture<S, R>
    where
        S: Service<R>,
    {
        #[pin]
        state: State<S, S::Future, R>,
    }
}

pin_project_lite::pin_project! {
    #[project = StateProjected]
    enum State<S, F, R> {
        Waiting { service: S, request: Option<R> },
        Called { #[pin] future: F },
    }
}

impl<S: Service<R>, R> Future for TowerFuture<S, R> {
    type Output = Result<S::Response, S::Error>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            match state.as_mut().project() {
                StateProjected::Waiting { service, request } => {
                    ready!(service.poll_ready(task))?;
                    let request = request.take().expect("polled after it was ready");
                    let future = service.call(request);
                    state.set(State::Called { future });
                }
                StateProjected::Called { future } => return future.poll(task),
            }
        }
    }
}
