//! The region of a request as an argument of axum's handlers.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use asupersync_core::{All, Cx};
use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;

/// The [`Cx`] of the region in which a [`RegionLayer`](crate::tower::RegionLayer) runs this request, as an
/// argument of a handler; it is used like the `&Cx` of a task.
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
///
/// A route that nothing has put into a region answers 500, and says which layer is missing;
/// `Option<RequestCx>` is for handlers that can do without. Under a
/// [`hyper::Server`](crate::hyper::Server) without that layer it is the region of the server's connections,
/// in which what is spawned goes on when the request has ended.
pub struct RequestCx<C = All>(pub Cx<C>);

impl<C> RequestCx<C> {
    fn of(parts: &Parts) -> Option<Self>
    where
        C: 'static,
    {
        parts.extensions.get::<Cx<C>>().cloned().map(RequestCx)
    }
}

impl<C> Clone for RequestCx<C> {
    fn clone(&self) -> Self {
        RequestCx(self.0.clone())
    }
}

impl<C> Deref for RequestCx<C> {
    type Target = Cx<C>;

    fn deref(&self) -> &Cx<C> {
        &self.0
    }
}

impl<S: Sync, C: 'static> FromRequestParts<S> for RequestCx<C> {
    type Rejection = NoRegion<C>;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, NoRegion<C>> {
        Self::of(parts).ok_or(NoRegion(PhantomData))
    }
}

impl<S: Sync, C: 'static> OptionalFromRequestParts<S> for RequestCx<C> {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        Ok(Self::of(parts))
    }
}

/// A handler wants the region of its request, and there is none.
pub struct NoRegion<C = All>(PhantomData<fn(C)>);

impl<C> fmt::Display for NoRegion<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "this request has no `Cx<{}>`: put `compat::tower::RegionLayer` around the whole `Router`, or serve \
             it with `compat::hosted::serve`, which does; a layer with another set of capabilities gives a `Cx` \
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
