//! The layer and its service: a call becomes a region, which the response's future polls.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};

use asupersync_core::caps::HasSpawn;
use asupersync_core::region::{Builder, Close, CloseReport};
use asupersync_core::{All, Budget, Cx, Region};
use http::{Method, Request, Response, Uri};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use super::budget::RequestBudget;
use super::call::{Call, Early, Handler, OnClose};
use super::exchange::{Begun, Exchange};
use super::{BoxError, RegionBody, RegionError, ResponseFuture};
use crate::RequestCx;

type ByRoute = Arc<dyn Fn(&Method, &Uri) -> Disconnect + Send + Sync>;

/// What becomes of a request whose client has left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disconnect {
    /// Its region gets Request, with reason `ClientDisconnected`: the handler stops, drains and is finalized.
    #[default]
    Cancel,
    /// The handler goes on to its response, which nobody gets; then its region closes, and what it has
    /// spawned is asked to stop.
    Drain,
    /// The handler goes on, and so does what it has spawned: the region around takes it all over, and waits
    /// for it. Also where the client stays: nothing the request has started is stopped at its end.
    HandOver,
}

#[derive(Clone)]
struct Policy {
    name: Arc<str>,
    drain: Budget,
    finalize: Budget,
    on_close: Option<OnClose>,
    on_disconnect: Disconnect,
    by_route: Option<ByRoute>,
    /// The regions of requests, by whether they wait for what they have started.
    regions: [Arc<Builder>; 2],
}

impl Policy {
    fn regions(name: &Arc<str>, drain: Budget, finalize: Budget) -> [Arc<Builder>; 2] {
        [Close::Cancel, Close::Join].map(|close| {
            let region = Region::builder(name.clone()).drain(drain).finalize(finalize);
            // Read from the wire, it is in flight: it is served even if Request came meanwhile.
            Arc::new(region.close(close).in_flight())
        })
    }

    fn region(&self, disconnect: Disconnect) -> &Arc<Builder> {
        &self.regions[usize::from(disconnect == Disconnect::HandOver)]
    }
}

/// Runs each request of a service in a region of its own, whose [`Cx`] is in the request's
/// extensions, as [`RequestCx`].
///
/// ```no_run
/// use asupersync_compat::{RequestCx, hyper, tower::RegionLayer};
/// use asupersync_core::{Budget, Cx, Outcome};
/// use http::{Method, Request, Response, Uri};
/// use std::time::Duration;
/// # use ::hyper::body::Incoming;
///
/// async fn hello(request: Request<Incoming>) -> Outcome<Response<String>, std::convert::Infallible> {
/// #   unreachable!()
/// }
///
/// async fn http(cx: &Cx) -> Outcome<()> {
///     let service = tower::ServiceBuilder::new()
///         .layer(RegionLayer::new(cx).drain(Budget::timeout(Duration::from_secs(5))))
///         .service_fn(|request: Request<Incoming>| async move {
///             let cx: &RequestCx = request.extensions().get().expect("the layer put it there");
///             cx.checkpoint().map_err(std::io::Error::from)?;
///             Ok::<_, std::io::Error>(Response::new(String::from("hello")))
///         });
///     let listener = cx.tcp_bind("127.0.0.1:8080").await?;
///     let report = hyper::serve(cx, listener, hyper::Tower::new(service)).await?;
///     println!("{report}");
///     Ok(())
/// }
/// ```
pub struct RegionLayer<C = All> {
    /// `None`: that of the request.
    cx: Option<Cx<C>>,
    /// Shared, since services are cloned for each request.
    policy: Arc<Policy>,
}

impl<C> RegionLayer<C> {
    /// Requests become child regions of the region of `cx`, which does not close before they ended; its
    /// Request is theirs.
    pub fn new(cx: &Cx<C>) -> Self {
        RegionLayer { cx: Some(cx.clone()), ..Self::of_connection() }
    }

    /// Requests become child regions of the region whose `Cx` a server has put into their extensions, as
    /// [`hyper::Server`](crate::hyper::Server) does: that of the server's own connections. So they hear of
    /// Request when the connections do, after a [`min_drain`](crate::hyper::Server::min_drain).
    pub fn of_connection() -> Self {
        let (drain, finalize) = (Budget::UNLIMITED, Budget::UNLIMITED);
        let name = "request".into();
        let policy = Policy {
            regions: Policy::regions(&name, drain, finalize),
            name,
            drain,
            finalize,
            on_close: None,
            on_disconnect: Disconnect::Cancel,
            by_route: None,
        };
        RegionLayer { cx: None, policy: Arc::new(policy) }
    }

    fn policy(&mut self) -> &mut Policy {
        Arc::make_mut(&mut self.policy)
    }

    fn with(mut self, set: impl FnOnce(&mut Policy)) -> Self {
        let policy = self.policy();
        set(policy);
        policy.regions = Policy::regions(&policy.name, policy.drain, policy.finalize);
        self
    }

    /// How long a handler and its body may go on after Request; the region's own budget is a limit
    /// too.
    #[must_use]
    pub fn drain(self, budget: Budget) -> Self {
        self.with(|policy| policy.drain = budget)
    }

    /// How long all finalizers of a request together may take.
    #[must_use]
    pub fn finalize(self, budget: Budget) -> Self {
        self.with(|policy| policy.finalize = budget)
    }

    /// The name of each request's region; `request` if nothing is said.
    #[must_use]
    pub fn name(self, name: impl Into<Arc<str>>) -> Self {
        self.with(|policy| policy.name = name.into())
    }

    /// What becomes of a request whose client has left; [`Disconnect::Cancel`] if nothing is said.
    #[must_use]
    pub fn on_disconnect(mut self, disconnect: Disconnect) -> Self {
        self.policy().on_disconnect = disconnect;
        self
    }

    /// The same, for each request anew.
    ///
    /// ```
    /// use asupersync_compat::tower::{Disconnect, RegionLayer};
    ///
    /// let layer = RegionLayer::<asupersync_core::All>::of_connection().on_disconnect_by(|_, uri| {
    ///     // An order that was placed is placed, whoever still listens.
    ///     if uri.path() == "/orders" { Disconnect::HandOver } else { Disconnect::Cancel }
    /// });
    /// # drop(layer);
    /// ```
    #[must_use]
    pub fn on_disconnect_by(
        mut self,
        decide: impl Fn(&Method, &Uri) -> Disconnect + Send + Sync + 'static,
    ) -> Self {
        self.policy().by_route = Some(Arc::new(decide));
        self
    }

    /// Is told how each request's region closed. Not told of a request that was refused or whose
    /// task was dropped at the end of the budget of the region around it: that region's report is.
    #[must_use]
    pub fn on_close(mut self, tell: impl Fn(&CloseReport) + Send + Sync + 'static) -> Self {
        self.policy().on_close = Some(Arc::new(tell));
        self
    }
}

impl<C> Clone for RegionLayer<C> {
    fn clone(&self) -> Self {
        RegionLayer { cx: self.cx.clone(), policy: self.policy.clone() }
    }
}

impl<C, S> Layer<S> for RegionLayer<C> {
    type Service = RegionService<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        RegionService { inner, layer: self.clone() }
    }
}

/// A service whose requests run in regions of their own; made by [`RegionLayer`].
pub struct RegionService<S, C = All> {
    inner: S,
    layer: RegionLayer<C>,
}

impl<S: Clone, C> Clone for RegionService<S, C> {
    fn clone(&self) -> Self {
        RegionService { inner: self.inner.clone(), layer: self.layer.clone() }
    }
}

impl<S, C, A, B> Service<Request<A>> for RegionService<S, C>
where
    C: HasSpawn,
    S: Service<Request<A>, Response = Response<B>, Error: Into<BoxError>, Future: Send>
        + Clone
        + Send
        + 'static,
    A: Send + 'static,
    B: Body + Send + 'static,
{
    type Response = Response<RegionBody<B>>;
    type Error = RegionError;
    type Future = ResponseFuture<B>;

    fn poll_ready(&mut self, task: &mut Context<'_>) -> Poll<Result<(), RegionError>> {
        self.inner.poll_ready(task).map_err(|error| RegionError::inner(error.into()))
    }

    fn call(&mut self, mut request: Request<A>) -> Self::Future {
        let RegionLayer { cx, policy } = &self.layer;
        let disconnect = match &policy.by_route {
            Some(by_route) => by_route(request.method(), request.uri()),
            None => policy.on_disconnect,
        };
        let head = request.method() == Method::HEAD;
        let extensions = request.extensions_mut();
        // Mostly a server has put its `Cx` there, and nothing else.
        let more = cx.is_some() || extensions.len() > 1;
        let budget = if more { extensions.get() } else { None };
        let limited = budget.map(|RequestBudget(budget)| {
            let region = Builder::clone(policy.region(disconnect));
            Arc::new(region.budget(*budget))
        });
        let builder = limited.as_ref().unwrap_or(policy.region(disconnect));
        #[cfg(feature = "hyper")]
        let held = if more { extensions.remove().map(Box::new) } else { None };
        let given = if cx.is_none() { extensions.get_mut::<RequestCx<C>>() } else { None };
        let Some(cx) = cx.as_ref().or(given.as_deref().map(|given| &**given)) else {
            return ResponseFuture::refused(RegionError::inner(NOBODYS.into()));
        };
        let since = given.as_deref().and_then(RequestCx::since);
        let kept = given.as_deref().and_then(RequestCx::kept);
        let Begun { region, exchange, place } = match Exchange::begin(builder, cx, since, kept) {
            Ok(begun) => begun,
            Err(failure) => return ResponseFuture::refused(RegionError::from_failure(failure)),
        };
        match given {
            Some(given) => *given = region.cx().into(),
            None => drop(extensions.insert(RequestCx::from(region.cx()))),
        }
        // Its panic is the handler's.
        let mut future = None;
        let called = catch_unwind(AssertUnwindSafe(|| future = Some(self.inner.call(request))));
        let handler = match called {
            Ok(()) => Handler::new(&mut future, place),
            Err(payload) => Handler::panicked(payload),
        };
        let call = Call {
            region: region.without_caps(),
            head,
            #[cfg(feature = "hyper")]
            held,
            on_close: policy.on_close.clone(),
            cancels: disconnect == Disconnect::Cancel,
        };
        ResponseFuture::new(Early { call, handler, exchange })
    }
}

const NOBODYS: &str = "no region for this request: serve it with compat::hyper::Server, which puts a `RequestCx` \
    into its extensions, or make the layer with RegionLayer::new(cx)";
