//! The region of a request as an argument of axum's handlers.

use std::fmt;
use std::marker::PhantomData;

use asupersync_core::All;
use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;

pub use crate::RequestCx;

/// An argument of a handler. A route that nothing has put into a region answers 500, and says which layer is
/// missing; `Option<RequestCx>` is for handlers that can do without.
///
/// ```
/// use asupersync_compat::axum::RequestCx;
///
/// /// What it spawns ends with the request: when the response was sent, or the client left.
/// async fn hello(cx: RequestCx) -> Result<String, String> {
///     let name = cx.spawn("look it up", async |_| Ok("you"));
///     match name.join().await {
///         Ok(name) => Ok(format!("hello, {name}\n")),
///         Err(failure) => Err(failure.to_string()),
///     }
/// }
/// # drop(hello);
/// ```
impl<S: Sync, C: 'static> FromRequestParts<S> for RequestCx<C> {
    type Rejection = NoRegion<C>;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, NoRegion<C>> {
        parts.extensions.get().cloned().ok_or(NoRegion(PhantomData))
    }
}

impl<S: Sync, C: 'static> OptionalFromRequestParts<S> for RequestCx<C> {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        Ok(parts.extensions.get().cloned())
    }
}

/// A handler wants the region of its request, and there is none.
pub struct NoRegion<C = All>(PhantomData<fn(C)>);

impl<C> fmt::Display for NoRegion<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "this request has no `RequestCx<{}>`: put `compat::tower::RegionLayer` around the whole `Router`, or serve \
             it with `compat::hosted::serve`, which does; a layer with another set of capabilities gives one \
             of that set",
            std::any::type_name::<C>()
        )
    }
}

impl<C> fmt::Debug for NoRegion<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NoRegion")
    }
}

impl<C> std::error::Error for NoRegion<C> {}

impl<C> IntoResponse for NoRegion<C> {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, self.to_string()).into_response()
    }
}
