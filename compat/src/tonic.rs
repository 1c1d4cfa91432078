//! Regions in tonic: the `Cx` of a call, its failure as a status, and the deadline of the calls it makes.
//!
//! A server's calls are put into regions by the layers of [`tower`](crate::tower), around `Routes`:
//! [`BudgetLayer`](crate::tower::BudgetLayer) reads `grpc-timeout`, and inside it
//! [`RegionLayer`](crate::tower::RegionLayer) opens the region.
//!
//! ```
//! use asupersync_compat::tonic::{cx_of, to_status};
//! use tonic::{Request, Response, Status};
//!
//! /// A method of a service.
//! async fn double(request: Request<u32>) -> Result<Response<u32>, Status> {
//!     let cx = cx_of(&request)?.clone();
//!     let asked = request.into_inner();
//!     let work = cx.spawn("work", async move |_| Ok(2 * asked));
//!     work.join().await.map(Response::new).map_err(to_status)
//! }
//! # drop(double);
//! ```

use asupersync_core::caps::HasTime;
use asupersync_core::{All, Cancelled, Cx, Failure, ReasonKind, Time};
use tonic::service::Interceptor;
use tonic::{Code, Request, Status};

use crate::RequestCx;

/// The [`Cx`] of the region in which a call is answered.
///
/// # Errors
/// `Internal`, where no layer has put the call into a region; it says which one is missing.
// A `Status` is large, and what every method of tonic returns.
#[allow(clippy::result_large_err)]
pub fn cx_of<T>(request: &Request<T>) -> Result<&Cx, Status> {
    request.extensions().get::<RequestCx>().map(|cx| &**cx).ok_or_else(|| {
        Status::internal("this call has no `Cx`: put `compat::tower::RegionLayer` around the whole `Routes`")
    })
}

/// What a caller is told of a failure. An error that is a status or comes from one stays that; other errors
/// are `Unknown`, panics `Internal`; a cancellation is told by its reason:
///
/// | reason | status |
/// |---|---|
/// | `Deadline` | `DeadlineExceeded` |
/// | `BudgetSpent` | `ResourceExhausted` |
/// | `Shutdown`, `ParentClosed` | `Unavailable`: the call can be made again elsewhere |
/// | others | `Cancelled` |
pub fn to_status(failure: Failure) -> Status {
    match failure {
        Failure::Err(error) => {
            let mut causes =
                std::iter::successors(Some(error.as_std() as &dyn std::error::Error), |error| error.source());
            match causes.find_map(|cause| cause.downcast_ref::<Status>()) {
                Some(status) => status.clone(),
                None => Status::unknown(error.to_string()),
            }
        }
        Failure::Cancelled(cancelled) => of_cancelled(&cancelled),
        Failure::Panicked(panic) => Status::internal(panic.to_string()),
    }
}

fn of_cancelled(cancelled: &Cancelled) -> Status {
    let code = match cancelled.reason().kind() {
        ReasonKind::Deadline => Code::DeadlineExceeded,
        ReasonKind::BudgetSpent => Code::ResourceExhausted,
        ReasonKind::Shutdown | ReasonKind::ParentClosed => Code::Unavailable,
        _ => Code::Cancelled,
    };
    Status::new(code, cancelled.to_string())
}

/// Makes calls in a region: none begins once that is under Request, and each says in `grpc-timeout` how much
/// time the region has left. So the deadline of a call is that of the calls that are made for it.
///
/// ```
/// use asupersync_compat::tonic::Calls;
/// use asupersync_core::{All, Cx};
/// use tonic::service::interceptor::InterceptedService;
///
/// /// What a generated client is made with: `GreeterClient::new(calling(cx, channel))`.
/// fn calling<S>(cx: &Cx, channel: S) -> InterceptedService<S, Calls> {
///     InterceptedService::new(channel, Calls::of(cx))
/// }
/// # drop(calling::<()>);
/// ```
pub struct Calls<C = All>(Cx<C>);

impl<C> Calls<C> {
    /// Calls of this region, or of the work in flight whose `Cx` this is.
    pub fn of(cx: &Cx<C>) -> Self {
        Calls(cx.clone())
    }
}

impl<C> Clone for Calls<C> {
    fn clone(&self) -> Self {
        Calls::of(&self.0)
    }
}

impl<C: HasTime> Interceptor for Calls<C> {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let Calls(cx) = self;
        cx.checkpoint().map_err(|cancelled| of_cancelled(&cancelled))?;
        let now = cx.now();
        let deadline = cx.budget().deadline_from(now);
        if deadline != Time::MAX {
            request.set_timeout(deadline - now);
        }
        Ok(request)
    }
}
