//! The server: options, the region, the accept loop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use asupersync_core::caps::{Effect, HasSpawn, HasTime};
use asupersync_core::io::{Acceptor, TcpListener, TcpStream};
use asupersync_core::region::OnFailure;
use asupersync_core::sync::Semaphore;
use asupersync_core::{Budget, Cx, Outcome, Region};
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;

use super::answer::Answering;
use super::report::{Observer, Tally};
use super::{BoxError, ConnectionEnd, Counters, ServeReport, conn};
use crate::rt::Timer;

/// How many connections are taken from the system's backlog after Request.
const BACKLOG: usize = 1024;

/// An HTTP/1.1 server with options.
///
/// ```
/// use asupersync_compat::hyper::Server;
/// use asupersync_core::Budget;
/// use std::time::Duration;
///
/// let server = Server::new()
///     .drain(Budget::timeout(Duration::from_secs(5)))
///     .header_read_timeout(Duration::from_secs(10))
///     .max_connections(10_000);
/// let counters = server.counters();
/// assert_eq!(counters.report().open(), 0);
/// ```
#[derive(Clone)]
#[must_use = "a server serves only when asked to"]
pub struct Server {
    name: Arc<str>,
    http: http1::Builder,
    drain: Budget,
    max_connections: Option<usize>,
    observer: Option<Observer>,
    counters: Counters,
}

impl Default for Server {
    fn default() -> Self {
        Server {
            name: "http".into(),
            http: http1::Builder::new(),
            drain: Budget::UNLIMITED,
            max_connections: None,
            observer: None,
            counters: Counters::default(),
        }
    }
}

impl Server {
    /// A server with the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// The name of its region; `http` if nothing is said.
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = name.into();
        self
    }

    /// How long connections may go on after Request; the budget of the region around the server is
    /// a limit too.
    pub fn drain(mut self, budget: Budget) -> Self {
        self.drain = budget;
        self
    }

    /// How long a header may take, idle time before it included; 30 seconds if nothing is said.
    pub fn header_read_timeout(mut self, timeout: Duration) -> Self {
        self.http.header_read_timeout(timeout);
        self
    }

    /// Whether a connection may serve more than one request; it may, if nothing is said.
    pub fn keep_alive(mut self, on: bool) -> Self {
        self.http.keep_alive(on);
        self
    }

    /// At most `count` connections at once; more wait in the system's backlog.
    ///
    /// # Panics
    /// If `count` is 0.
    #[track_caller]
    pub fn max_connections(mut self, count: usize) -> Self {
        assert!(count > 0, "a server without connections would serve nobody");
        self.max_connections = Some(count);
        self
    }

    /// All of hyper's options. Its timer is set by [`serve`](Self::serve). Beware of
    /// `pipeline_flush`: with requests behind the last one that is answered, that answer is lost.
    pub fn http(mut self, set: impl FnOnce(&mut http1::Builder)) -> Self {
        set(&mut self.http);
        self
    }

    /// Is told how each connection ended.
    pub fn observe(mut self, tell: impl Fn(SocketAddr, &ConnectionEnd) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(tell));
        self
    }

    /// Counts of this server, live; they are there even where [`serve`](Self::serve) itself is
    /// dropped at the end of a budget.
    pub fn counters(&self) -> Counters {
        self.counters.clone()
    }

    /// Serves until Request, then drains, and returns when every connection has ended. One
    /// `service` is cloned for each connection.
    ///
    /// # Errors
    /// `listener` is broken (see [`Acceptor`]); `Cancelled` if the scope was under Request before;
    /// [`Denied`](asupersync_core::caps::Denied) if tasks may not be started.
    /// Request while it serves is no error: that is how a server ends.
    ///
    /// # Cancel safety
    /// Dropped, the listener is closed and the connections get Request; the enclosing region
    /// drains them and does not close before they ended.
    pub async fn serve<C, S, B>(self, cx: &Cx<C>, listener: TcpListener, service: S) -> Outcome<ServeReport>
    where
        C: HasSpawn + HasTime,
        S: Service<Request<Incoming>, Response = Response<B>, Error: Into<BoxError>, Future: Send>,
        S: Clone + Send + 'static,
        B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    {
        cx.check(Effect::Spawn)?;
        let counters = self.counters();
        let region = Region::builder(self.name.clone()).drain(self.drain).on_failure(OnFailure::Collect);
        region.open(cx, async |cx: &Cx<C>| self.accept(cx, listener, service).await).await?;
        Ok(counters.report())
    }

    /// The accept loop. Ends at Request, and with a listener that is broken.
    async fn accept<C, S, B>(mut self, cx: &Cx<C>, listener: TcpListener, service: S) -> Outcome
    where
        C: HasSpawn + HasTime,
        S: Service<Request<Incoming>, Response = Response<B>, Error: Into<BoxError>, Future: Send>,
        S: Clone + Send + 'static,
        B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    {
        let timer = Timer::new(cx);
        let slots = self.max_connections.map(|count| Arc::new(Semaphore::new(count)));
        let mut acceptor = Acceptor::new(&listener);
        while let Ok(slot) = Slot::take(cx, slots.as_ref()).await {
            let accepted = acceptor.next(cx).await;
            self.counters.accept_errors(acceptor.errors());
            match accepted {
                Ok((stream, peer)) => {
                    // Each connection has a timer of its own.
                    self.http.timer(timer.clone());
                    self.start(cx, stream, peer, service.clone(), slot);
                }
                Err(_) if cx.is_cancelled() => break,
                Err(error) => return Err(error.into()),
            }
        }
        // What the system has accepted for us would be reset with the listener, requests and all.
        for _ in 0..BACKLOG {
            let Some(slot) = Slot::take_now(slots.as_ref()) else { break };
            let Ok(Some((stream, peer))) = listener.accept_queued(cx).await else { break };
            self.http.timer(timer.clone());
            self.start(cx, stream, peer, service.clone(), slot);
        }
        Ok(())
    }

    /// Starts the task of one connection.
    fn start<C, S, B>(&self, cx: &Cx<C>, stream: TcpStream, peer: SocketAddr, service: S, slot: Option<Slot>)
    where
        C: HasSpawn + HasTime,
        S: Service<Request<Incoming>, Response = Response<B>, Error: Into<BoxError>, Future: Send>,
        S: Send + 'static,
        B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    {
        let tally = Tally::new(&self.counters, self.observer.clone(), peer);
        let (counters, http) = (self.counters.clone(), self.http.clone());
        // A response is written in one piece, or by a body that knows when to wait.
        drop(stream.set_nodelay(true));
        // Once accepted it is in flight: a request that arrived with it is answered.
        let task = cx.in_flight().spawn(&format!("conn {peer}"), async move |cx: &Cx<C>| {
            let _slot = slot;
            let service = Answering::new(service, cx, counters);
            tally.end(conn::drive(cx, &http, stream, service).await);
        });
        // The region owns it.
        drop(task);
    }
}

/// A connection's place under the limit; given back when dropped.
struct Slot(Arc<Semaphore>);

impl Slot {
    async fn take<C>(
        cx: &Cx<C>,
        slots: Option<&Arc<Semaphore>>,
    ) -> Result<Option<Slot>, asupersync_core::Cancelled> {
        let Some(slots) = slots else { return Ok(None) };
        slots.acquire(cx, 1).await?.forget();
        Ok(Some(Slot(slots.clone())))
    }

    /// `None` if there is no place now.
    fn take_now(slots: Option<&Arc<Semaphore>>) -> Option<Option<Slot>> {
        let Some(slots) = slots else { return Some(None) };
        slots.try_acquire(1)?.forget();
        Some(Some(Slot(slots.clone())))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.release(1);
    }
}
