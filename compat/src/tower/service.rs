//! The layer and its service: a call becomes a region, which the response's future polls.

use std::future::poll_fn;
use std::mem;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use asupersync_core::caps::{CapSet, HasSpawn};
use asupersync_core::region::{Close, CloseReport, LazyCx};
use asupersync_core::{All, Budget, Cx, Outcome, Region};
use http::{Method, Request, Response, Uri};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use super::budget::RequestBudget;
use super::exchange::{Answered, Exchange};
use super::future::Open;
use super::{BoxError, RegionBody, RegionError, ResponseFuture};
use crate::RequestCx;

type OnClose = Arc<dyn Fn(&CloseReport) + Send + Sync>;
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
        let policy = Policy {
            name: "request".into(),
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

    /// How long a handler and its body may go on after Request; the region's own budget is a limit
    /// too.
    #[must_use]
    pub fn drain(mut self, budget: Budget) -> Self {
        self.policy().drain = budget;
        self
    }

    /// How long all finalizers of a request together may take.
    #[must_use]
    pub fn finalize(mut self, budget: Budget) -> Self {
        self.policy().finalize = budget;
        self
    }

    /// The name of each request's region; `request` if nothing is said.
    #[must_use]
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.policy().name = name.into();
        self
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

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let RegionLayer { cx, policy } = &self.layer;
        let of_connection =
            if cx.is_none() { request.extensions().get::<RequestCx<C>>().cloned() } else { None };
        let Some(cx) = cx.as_ref().or(of_connection.as_deref()) else {
            return ResponseFuture::refused(RegionError::inner(NOBODYS.into()));
        };
        // The instance that was made ready goes; its clone, which is not, stays.
        let next = self.inner.clone();
        let ready = mem::replace(&mut self.inner, next);
        let disconnect = match &policy.by_route {
            Some(by_route) => by_route(request.method(), request.uri()),
            None => policy.on_disconnect,
        };
        // Read from the wire, it is in flight: it is served even if Request came meanwhile.
        let mut region =
            Region::builder(policy.name.clone()).in_flight().drain(policy.drain).finalize(policy.finalize);
        if let Some(RequestBudget(budget)) = request.extensions().get() {
            region = region.budget(*budget);
        }
        if disconnect == Disconnect::HandOver {
            region = region.close(Close::Join);
        }
        if let Some(since) = of_connection.as_ref().and_then(RequestCx::since) {
            region = region.since(since);
        }
        let exchange = Exchange::new();
        let on_close = policy.on_close.clone();
        let call = Box::new(Call {
            service: Some(ready),
            request: Some(request),
            exchange: exchange.clone(),
            head: false,
            #[cfg(feature = "hyper")]
            held: None,
        });
        let body = async move |cx: LazyCx<C>| -> Outcome { call.run(cx).await };
        let region = region.inline_lazily(cx, body, move |outcome, report| {
            if let Some(on_close) = on_close {
                on_close(&report());
            }
            Ok(outcome)
        });
        ResponseFuture::new(Open { region, exchange, cancels: disconnect == Disconnect::Cancel })
    }
}

const NOBODYS: &str = "no region for this request: serve it with compat::hyper::Server, which puts a `RequestCx` \
    into its extensions, or make the layer with RegionLayer::new(cx)";

/// One request. It stays where it is: each future around it has room for what it is handed, most of them twice,
/// and a request is large.
struct Call<S, A, B> {
    service: Option<S>,
    request: Option<Request<A>>,
    exchange: Arc<Exchange<B>>,
    /// Its method is HEAD.
    head: bool,
    /// The stream under the connection, if an upgrade is asked for.
    #[cfg(feature = "hyper")]
    held: Option<crate::hyper::Held>,
}

impl<S, A, B> Call<S, A, B>
where
    S: Service<Request<A>, Response = Response<B>, Error: Into<BoxError>>,
    B: Body,
{
    /// The body of the request's region. What is borrowed in here it has room for to its end, so the rest is done
    /// by others.
    async fn run<C: CapSet>(mut self: Box<Self>, cx: LazyCx<C>) -> Outcome {
        let response = {
            // Polled where it is put first.
            let mut called = pin!(self.call(cx));
            let Some(mut called) = called.as_mut().as_pin_mut() else { return Ok(()) };
            poll_fn(|task| called.as_mut().poll(task)).await
        };
        // However this ends.
        let _leaves = Leaves(self.exchange.clone());
        if self.answer(response) {
            poll_fn(|task| self.exchange.poll_ended(task)).await;
        }
        #[cfg(feature = "hyper")]
        if let Some(held) = &mut self.held {
            poll_fn(|task| held.poll_let_go(task)).await;
        }
        Ok(())
    }

    fn call<C: CapSet>(&mut self, cx: LazyCx<C>) -> Option<S::Future> {
        // Where it is: to move it costs as much as all of this.
        let request = self.request.as_mut()?;
        self.head = request.method() == Method::HEAD;
        let extensions = request.extensions_mut();
        #[cfg(feature = "hyper")]
        if !extensions.is_empty() {
            self.held = extensions.remove();
        }
        match extensions.get_mut::<RequestCx<C>>() {
            Some(around) => *around = cx.into(),
            None => drop(extensions.insert(RequestCx::from(cx))),
        }
        Some(self.service.as_mut()?.call(self.request.take()?))
    }

    /// Tells whether the region has to wait for the body's end.
    fn answer(&mut self, response: Result<Response<B>, S::Error>) -> bool {
        self.service = None;
        let answer = response.map(|response| Answered::new(response, self.head)).map_err(Into::into);
        #[cfg(feature = "hyper")]
        if !answer.as_ref().is_ok_and(Answered::is_switching) {
            self.held = None;
        }
        self.exchange.answer(answer)
    }
}

/// Tells the response's body that the region waits for it no more.
struct Leaves<B>(Arc<Exchange<B>>);

impl<B> Drop for Leaves<B> {
    fn drop(&mut self) {
        self.0.leave();
    }
}
