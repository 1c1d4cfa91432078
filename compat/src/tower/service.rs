//! The layer and its service: a call becomes a task with a region.

use std::future::poll_fn;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use asupersync_core::caps::{CapSet, HasSpawn};
use asupersync_core::channel::oneshot;
use asupersync_core::region::{Close, CloseReport};
use asupersync_core::{All, Budget, Cx, Outcome, Region};
#[cfg(feature = "hyper")]
use http::StatusCode;
use http::{Method, Request, Response, Uri};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use super::budget::RequestBudget;
use super::future::Answer;
use super::{BoxError, RegionBody, RegionError, ResponseFuture};

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
/// extensions.
///
/// ```no_run
/// use asupersync_compat::{hyper, tower::RegionLayer};
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
///             let cx: &Cx = request.extensions().get().expect("the layer put it there");
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
    /// Requests become tasks of the region of `cx`, which does not close before they ended; its
    /// Request is theirs.
    pub fn new(cx: &Cx<C>) -> Self {
        RegionLayer { cx: Some(cx.clone()), ..Self::of_connection() }
    }

    /// Requests become tasks of the region whose `Cx` a server has put into their extensions, as
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

    /// The name of each request's task and region; `request` if nothing is said.
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
        let Some(cx) = cx.as_ref().or_else(|| request.extensions().get()) else {
            return ResponseFuture::refused(RegionError::inner(NOBODYS.into()));
        };
        // The instance that was made ready goes; its clone, which is not, stays.
        let next = self.inner.clone();
        let ready = mem::replace(&mut self.inner, next);
        let (reply, answer) = oneshot::channel();
        let disconnect = match &policy.by_route {
            Some(by_route) => by_route(request.method(), request.uri()),
            None => policy.on_disconnect,
        };
        // Read from the wire, it is in flight: it is served even if Request came meanwhile.
        let in_flight = cx.in_flight();
        let (policy, request) = (policy.clone(), Some(request));
        let call = Box::new(Call { policy, disconnect, service: Some(ready), request, reply: Some(reply) });
        let task = in_flight.spawn(&self.layer.policy.name, async move |cx: &Cx<C>| call.run(cx).await);
        ResponseFuture::new(answer, task, disconnect == Disconnect::Cancel)
    }
}

const NOBODYS: &str = "no region for this request: serve it with compat::hyper::Server, which puts a `Cx` \
    into its extensions, or make the layer with RegionLayer::new(cx)";

/// One request. It stays where it is: each future around it has room for what it is handed, most of them twice,
/// and a request is large.
struct Call<S, A, B> {
    policy: Arc<Policy>,
    disconnect: Disconnect,
    service: Option<S>,
    request: Option<Request<A>>,
    reply: Option<oneshot::Sender<Answer<B>>>,
}

impl<S, A, B> Call<S, A, B>
where
    S: Service<Request<A>, Response = Response<B>, Error: Into<BoxError>>,
    B: Body,
{
    /// The task of the request.
    async fn run<C: CapSet>(mut self: Box<Self>, cx: &Cx<C>) {
        let policy = self.policy.clone();
        let mut region =
            Region::builder(policy.name.clone()).in_flight().drain(policy.drain).finalize(policy.finalize);
        if let Some(RequestBudget(budget)) =
            self.request.as_ref().and_then(|request| request.extensions().get())
        {
            region = region.budget(*budget);
        }
        if self.disconnect == Disconnect::HandOver {
            region = region.close(Close::Join);
        }
        let body = async |cx: &Cx<C>| -> Outcome { self.serve(cx).await };
        let (outcome, report) = match &policy.on_close {
            None => (region.open(cx, body).await, None),
            Some(_) => {
                let (outcome, report) = region.open_with_report(cx, body).await;
                (outcome, Some(report))
            }
        };
        if let Err(failure) = outcome {
            self.tell(Err(RegionError::from_failure(failure)));
        }
        if let (Some(on_close), Some(report)) = (&policy.on_close, &report) {
            on_close(report);
        }
    }

    /// The body of the request's region.
    async fn serve<C: CapSet>(&mut self, cx: &Cx<C>) -> Outcome {
        let (Some(mut request), Some(mut service)) = (self.request.take(), self.service.take()) else {
            return Ok(());
        };
        let method = request.method().clone();
        #[cfg(feature = "hyper")]
        let held = request.extensions_mut().remove::<crate::hyper::Held>();
        request.extensions_mut().insert(cx.clone());
        let response = service.call(request).await.map_err(Into::into);
        drop(service);
        match response {
            Ok(response) => {
                #[cfg(feature = "hyper")]
                let held = held.filter(|_| response.status() == StatusCode::SWITCHING_PROTOCOLS);
                let (response, mut stub) = RegionBody::tie(response, &method);
                self.tell(Ok(response));
                poll_fn(|task| stub.poll_ended(task)).await;
                #[cfg(feature = "hyper")]
                if let Some(mut held) = held {
                    poll_fn(|task| held.poll_let_go(task)).await;
                }
            }
            Err(error) => self.tell(Err(RegionError::inner(error))),
        }
        Ok(())
    }

    fn tell(&mut self, answer: Answer<B>) {
        // The client may have left.
        if let Some(reply) = self.reply.take() {
            drop(reply.send(answer));
        }
    }
}
