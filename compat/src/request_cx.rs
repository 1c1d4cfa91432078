//! The `Cx` of a request, in its extensions.

#[cfg(feature = "tower")]
use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
#[cfg(feature = "tower")]
use std::sync::{Mutex, MutexGuard, PoisonError};

use asupersync_core::region::LazyCx;
#[cfg(feature = "tower")]
use asupersync_core::region::Standing;
use asupersync_core::{All, Cx, Time};

/// The [`Cx`] of the region in which a [`RegionLayer`](crate::tower::RegionLayer) runs a request; it is used like
/// the `&Cx` of a task. In the request's extensions, and with the feature `axum` an argument of handlers.
///
/// The region is opened when this is first used: a request whose handler does not care costs no region while
/// nobody could tell. Under a [`hyper::Server`](crate::hyper::Server) without that layer it is the region of the
/// server's connections, in which what is spawned goes on when the request has ended.
///
/// ```
/// use asupersync_compat::RequestCx;
/// use http::Request;
///
/// fn path_of<B>(request: &Request<B>) -> Option<String> {
///     let cx: &RequestCx = request.extensions().get()?;
///     Some(cx.path())
/// }
/// assert_eq!(path_of(&Request::new(())), None);
/// ```
pub struct RequestCx<C = All>(Given<C>);

enum Given<C> {
    Open(Arc<Open<C>>),
    Lazy(LazyCx<C>),
}

/// Of a connection, mostly, for one request after the other.
struct Open<C> {
    cx: Cx<C>,
    /// When the last of them began, in nanoseconds; 0 if nobody says so.
    since: AtomicU64,
    #[cfg(feature = "tower")]
    kept: Kept,
}

/// What the last request had, for the next one: over HTTP/1.1 that begins when it has ended. For a server's own
/// connections, each of which lets go of it when it ends; nobody knows how long others have a `RequestCx`.
#[cfg(feature = "tower")]
#[derive(Default)]
pub(crate) struct Kept(Mutex<Keeping>);

#[cfg(feature = "tower")]
#[derive(Default)]
pub(crate) struct Keeping {
    keeps: bool,
    last: Option<(Standing, Arc<dyn Any + Send + Sync>)>,
}

#[cfg(feature = "tower")]
impl Kept {
    /// What the last one had.
    pub(crate) fn last(&self) -> MutexGuard<'_, Keeping> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn put(&self, standing: Standing, exchange: Arc<dyn Any + Send + Sync>) {
        let mut keeping = self.last();
        let next = Some((standing, exchange));
        let stale = if keeping.keeps { std::mem::replace(&mut keeping.last, next) } else { next };
        drop(keeping);
        drop(stale);
    }

    #[cfg(feature = "hyper")]
    fn set(&self, keeps: bool) {
        let mut keeping = self.last();
        let stale = std::mem::replace(&mut *keeping, Keeping { keeps, last: None });
        drop(keeping);
        drop(stale);
    }
}

#[cfg(feature = "tower")]
impl Keeping {
    pub(crate) fn get(&mut self) -> Option<&mut (Standing, Arc<dyn Any + Send + Sync>)> {
        self.last.as_mut()
    }
}

/// While this is there, what a request had is kept for the next one.
#[cfg(all(feature = "hyper", feature = "tower"))]
pub(crate) struct Keeps<C>(Arc<Open<C>>);

#[cfg(all(feature = "hyper", feature = "tower"))]
impl<C> Drop for Keeps<C> {
    fn drop(&mut self) {
        self.0.kept.set(false);
    }
}

impl<C> RequestCx<C> {
    /// A request begins.
    #[cfg(feature = "hyper")]
    pub(crate) fn begin(&self, at: Time) {
        if let Given::Open(open) = &self.0 {
            open.since.store(at.as_nanos(), Ordering::Relaxed);
        }
    }

    /// That of the connection, mostly.
    #[cfg(feature = "tower")]
    pub(crate) fn kept(&self) -> Option<&Kept> {
        let Given::Open(open) = &self.0 else { return None };
        Some(&open.kept)
    }

    /// A connection begins, whose requests mostly come one after the other.
    #[cfg(all(feature = "hyper", feature = "tower"))]
    pub(crate) fn keep(&self) -> Option<Keeps<C>> {
        let Given::Open(open) = &self.0 else { return None };
        open.kept.set(true);
        Some(Keeps(open.clone()))
    }

    /// When the last request began, if that is known.
    pub(crate) fn since(&self) -> Option<Time> {
        let Given::Open(open) = &self.0 else { return None };
        Some(open.since.load(Ordering::Relaxed)).filter(|nanos| *nanos > 0).map(Time::from_nanos)
    }
}

impl<C> From<Cx<C>> for RequestCx<C> {
    fn from(cx: Cx<C>) -> Self {
        RequestCx(Given::Open(Arc::new(Open {
            cx,
            since: AtomicU64::new(0),
            #[cfg(feature = "tower")]
            kept: Kept::default(),
        })))
    }
}

impl<C> From<LazyCx<C>> for RequestCx<C> {
    fn from(cx: LazyCx<C>) -> Self {
        RequestCx(Given::Lazy(cx))
    }
}

impl<C> Clone for RequestCx<C> {
    fn clone(&self) -> Self {
        RequestCx(match &self.0 {
            Given::Open(open) => Given::Open(open.clone()),
            Given::Lazy(cx) => Given::Lazy(cx.clone()),
        })
    }
}

impl<C> Deref for RequestCx<C> {
    type Target = Cx<C>;

    fn deref(&self) -> &Cx<C> {
        match &self.0 {
            Given::Open(open) => &open.cx,
            Given::Lazy(cx) => cx,
        }
    }
}

impl<C> fmt::Debug for RequestCx<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestCx")
    }
}
