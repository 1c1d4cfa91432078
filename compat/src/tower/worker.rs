//! One instance of a service, owned by a task of a region, and shared by clones that ask it.
//!
//! It does what tower's `Buffer` is for, and leaves no task behind: the worker ends with its region.
//!
//! ```text
//!   Worker, cloned ── room, request ──▶ queue ──▶ task: poll_ready, call
//!   WorkerFuture   ◀─────────── the call's future ────┘
//! ```

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use asupersync_core::caps::HasSpawn;
use asupersync_core::channel::{mpsc, oneshot};
use asupersync_core::sync::Semaphore;
use asupersync_core::{All, Cancelled, Cx, Outcome, Reason, ReasonKind};
use tower_service::Service;

use super::BoxError;

type Called<F> = Result<F, BoxError>;

/// Asks a service that a task of a region owns.
///
/// ```
/// use asupersync_compat::tower::Worker;
/// use asupersync_core::{Cx, Outcome};
/// use tower::{ServiceExt, service_fn};
///
/// async fn doubled(cx: &Cx) -> Outcome<u32> {
///     let service = service_fn(async |n: u32| std::io::Result::Ok(2 * n));
///     let worker = Worker::new(cx, "doubles", service, 8);
///     let (one, two) = (worker.clone().oneshot(20), worker.oneshot(1));
///     Ok(one.await.map_err(std::io::Error::other)? + two.await.map_err(std::io::Error::other)?)
/// }
///
/// let runtime = asupersync_scheduler::Runtime::new()?;
/// assert_eq!(runtime.block_on(async |cx: &Cx| doubled(cx).await).unwrap(), 42);
/// # std::io::Result::Ok(())
/// ```
pub struct Worker<R, F, C = All> {
    cx: Cx<C>,
    queue: mpsc::UnboundedSender<(R, oneshot::Sender<Called<F>>)>,
    room: Arc<Semaphore>,
    state: Room,
}

enum Room {
    None,
    Waited(Pin<Box<dyn Future<Output = Result<(), Cancelled>> + Send>>),
    Some,
}

impl<R, F, C> Worker<R, F, C>
where
    R: Send + 'static,
    F: Send + 'static,
    C: HasSpawn,
{
    /// Gives `service` to a task of the region of `cx`; at most `room` requests wait for it. At Request
    /// those that wait are refused; what was called goes on with whoever awaits it.
    ///
    /// # Panics
    /// If `room` is 0.
    #[track_caller]
    pub fn new<S>(cx: &Cx<C>, name: &str, service: S, room: usize) -> Self
    where
        S: Service<R, Future = F, Error: Into<BoxError>> + Send + 'static,
    {
        assert!(room > 0, "a worker without room would never be asked");
        let (queue, requests) = mpsc::unbounded();
        let room = Arc::new(Semaphore::new(room));
        let freed = room.clone();
        drop(cx.spawn(name, async move |cx: &Cx<C>| work(cx, service, requests, &freed).await));
        Worker { cx: cx.clone(), queue, room, state: Room::None }
    }
}

async fn work<S, R, C>(
    cx: &Cx<C>,
    mut service: S,
    mut requests: mpsc::Receiver<(R, oneshot::Sender<Called<S::Future>>)>,
    room: &Semaphore,
) -> Outcome
where
    S: Service<R, Error: Into<BoxError>>,
{
    while let Some((request, reply)) = requests.recv(cx).await? {
        room.release(1);
        let is_ready = cx.or_cancel(poll_fn(|task| service.poll_ready(task))).await?;
        // Whoever asked may have left.
        drop(reply.send(is_ready.map(|()| service.call(request)).map_err(Into::into)));
    }
    Ok(())
}

impl<R, F, C> Clone for Worker<R, F, C> {
    fn clone(&self) -> Self {
        let (queue, room) = (self.queue.clone(), self.room.clone());
        Worker { cx: self.cx.clone(), queue, room, state: Room::None }
    }
}

impl<R, F, C> Drop for Worker<R, F, C> {
    fn drop(&mut self) {
        if matches!(self.state, Room::Some) {
            self.room.release(1);
        }
    }
}

fn gone() -> BoxError {
    let reason = Reason::new(ReasonKind::ParentClosed).with_message("the worker's region closes");
    io::Error::from(Cancelled::new(reason)).into()
}

impl<R, F, C, T, E> Service<R> for Worker<R, F, C>
where
    F: Future<Output = Result<T, E>>,
    E: Into<BoxError>,
    C: HasSpawn,
{
    type Response = T;
    type Error = BoxError;
    type Future = WorkerFuture<F>;

    fn poll_ready(&mut self, task: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        loop {
            match &mut self.state {
                Room::Some if self.queue.is_closed() => return Poll::Ready(Err(gone())),
                Room::Some => return Poll::Ready(Ok(())),
                Room::Waited(wait) => match ready!(wait.as_mut().poll(task)) {
                    Ok(()) => self.state = Room::Some,
                    Err(cancelled) => {
                        self.state = Room::None;
                        return Poll::Ready(Err(io::Error::from(cancelled).into()));
                    }
                },
                Room::None => match self.room.try_acquire(1) {
                    Some(permit) => {
                        permit.forget();
                        self.state = Room::Some;
                    }
                    None => {
                        let (cx, room) = (self.cx.clone(), self.room.clone());
                        self.state = Room::Waited(Box::pin(async move {
                            room.acquire(&cx, 1).await?.forget();
                            Ok(())
                        }));
                    }
                },
            }
        }
    }

    /// # Panics
    /// If it was not made ready.
    fn call(&mut self, request: R) -> Self::Future {
        assert!(matches!(self.state, Room::Some), "called without being made ready: await `ready()` first");
        self.state = Room::None;
        let (reply, called) = oneshot::channel();
        // Refused, the reply is dropped, which tells it.
        drop(self.queue.send((request, reply)));
        WorkerFuture { called, future: None }
    }
}

pin_project_lite::pin_project! {
    /// The wait for the worker's call, and then for the response.
    ///
    /// # Cancel safety
    /// As the service's own future; before it was called, the service sees the request and nobody waits.
    pub struct WorkerFuture<F> {
        called: oneshot::Receiver<Called<F>>,
        #[pin]
        future: Option<F>,
    }
}

impl<F, T, E> Future for WorkerFuture<F>
where
    F: Future<Output = Result<T, E>>,
    E: Into<BoxError>,
{
    type Output = Result<T, BoxError>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            if let Some(future) = this.future.as_mut().as_pin_mut() {
                return future.poll(task).map_err(Into::into);
            }
            let called = ready!(this.called.poll_recv(task)).map_err(|_| gone())?;
            this.future.set(Some(called?));
        }
    }
}
