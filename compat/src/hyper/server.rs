//! The server: options, the region, the accept loop.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use asupersync_core::caps::{Effect, HasSpawn, HasTime};
use asupersync_core::io::{Acceptor, TcpListener, TcpStream};
use asupersync_core::region::OnFailure;
use asupersync_core::sync::Semaphore;
use asupersync_core::{Budget, Cx, Outcome, Region, Time};
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;

use super::conn::{self, Rules};
use super::exchange::Shared;
use super::http2::Http2;
use super::report::{Observer, Tally};
use super::{BoxError, ConnectionEnd, Counters, ServeReport};
use crate::readiness::Readiness;
use crate::systemd;

/// What systemd grants for finalizers after the drain.
const CLEANUP: Duration = Duration::from_secs(10);
/// How many connections are taken from the system's backlog after Request.
const BACKLOG: usize = 1024;
/// How long the handshakes that have begun by then may take.
const HANDSHAKE: Duration = Duration::from_millis(2);

/// A server of HTTP/1.1 and HTTP/2 with options.
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
    rules: Rules,
    min_drain: Duration,
    drain: Budget,
    max_connections: Option<usize>,
    observer: Option<Observer>,
    counters: Counters,
    readiness: Readiness,
    systemd: bool,
}

impl Default for Server {
    fn default() -> Self {
        let mut http1 = http1::Builder::new();
        // It would make and drop a timer for each request; see `conn::Idle`.
        http1.header_read_timeout(None);
        Server {
            name: "http".into(),
            rules: Rules {
                http1,
                http2: Http2::default(),
                header: Duration::from_secs(30),
                grace: Duration::from_secs(1),
            },
            min_drain: Duration::ZERO,
            drain: Budget::UNLIMITED,
            max_connections: None,
            observer: None,
            counters: Counters::default(),
            readiness: Readiness::default(),
            systemd: false,
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

    /// How long it serves on after Request as if nothing were, until whoever sends it work has noticed:
    /// its [`readiness`](Self::readiness) has turned, and what it answers on HTTP/1.1 says
    /// `Connection: close`, so that a proxy which keeps connections leaves by itself, instead of sending
    /// its next request while the connection is being closed. That holds if the proxy keeps no connection unused
    /// for longer than this. Zero if nothing is said. The drain budgets of the regions around it go on meanwhile.
    pub fn min_drain(mut self, time: Duration) -> Self {
        self.min_drain = time;
        self
    }

    /// How long connections may go on after [`min_drain`](Self::min_drain); the budget of the region
    /// around the server is a limit too.
    pub fn drain(mut self, budget: Budget) -> Self {
        self.drain = budget;
        self
    }

    /// How long after Request that may take which owes nobody an answer: the rest of a header that is
    /// sent by half, the answer to a GOAWAY, the last words of a stream of server-sent events. A
    /// connection is cut then, and a stream of events ended. Behind the last answer it begins anew; for a client
    /// that has said nothing yet it began with its connection. 1 second if nothing is said.
    pub fn grace(mut self, time: Duration) -> Self {
        self.rules.grace = time;
        self
    }

    /// How long a header may take, idle time before it included; 30 seconds if nothing is said.
    pub fn header_read_timeout(mut self, timeout: Duration) -> Self {
        self.rules.header = timeout;
        self
    }

    /// At most `count` requests at once on one connection of HTTP/2; 200 if nothing is said.
    pub fn max_concurrent_streams(mut self, count: u32) -> Self {
        self.rules.http2.max_concurrent_streams = count;
        self
    }

    /// When a PING goes out on a quiet connection of HTTP/2, and within what time it must be answered,
    /// or else the connection is dropped; `None` for never. 30 and 20 seconds if nothing is said.
    pub fn http2_keep_alive(mut self, interval_and_timeout: Option<(Duration, Duration)>) -> Self {
        self.rules.http2.keep_alive = interval_and_timeout;
        self
    }

    /// Whether a connection may serve more than one request; it may, if nothing is said.
    pub fn keep_alive(mut self, on: bool) -> Self {
        self.rules.http1.keep_alive(on);
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

    /// All of hyper's options of HTTP/1.1. Its timer is set by [`serve`](Self::serve). Beware of
    /// `pipeline_flush`: with requests behind the last one that is answered, that answer is lost.
    pub fn http(mut self, set: impl FnOnce(&mut http1::Builder)) -> Self {
        set(&mut self.rules.http1);
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

    /// Whether this server wants new work: what a readiness probe asks.
    pub fn readiness(&self) -> Readiness {
        self.readiness.clone()
    }

    /// Tells systemd, if that asked ([`crate::systemd`]): `READY=1` when it serves, `STOPPING=1` at Request,
    /// with what is left of the drain budget and 10 seconds for cleanup. Default: no.
    pub fn systemd(mut self, on: bool) -> Self {
        self.systemd = on;
        self
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
        S::Future: 'static,
        B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    {
        cx.check(Effect::Spawn)?;
        let counters = self.counters();
        let region = Region::builder(self.name.clone()).drain(self.drain).on_failure(OnFailure::Collect);
        // While it serves on, nobody inside is to hear of Request.
        let around = if self.min_drain.is_zero() { cx.clone() } else { cx.in_flight() };
        region.open(&around, async |inside: &Cx<C>| self.accept(cx, inside, listener, service).await).await?;
        Ok(counters.report())
    }

    /// The accept loop. Ends some time after Request to `cx`, and with a listener that is broken.
    async fn accept<C, S, B>(self, cx: &Cx<C>, inside: &Cx<C>, listener: TcpListener, service: S) -> Outcome
    where
        C: HasSpawn + HasTime,
        S: Service<Request<Incoming>, Response = Response<B>, Error: Into<BoxError>, Future: Send>,
        S: Clone + Send + 'static,
        S::Future: 'static,
        B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    {
        let slots = self.max_connections.map(|count| Arc::new(Semaphore::new(count)));
        let mut acceptor = Acceptor::new(&listener);
        let mut retired = pin!(self.retire(cx, inside));
        let _serves = Serves::begin(&self);
        loop {
            let next = async {
                let slot = Slot::take(inside, slots.as_ref()).await?;
                acceptor.next(inside).await.map(|accepted| (accepted, slot))
            };
            let next = or(pin!(next), retired.as_mut()).await;
            self.counters.accept_errors(acceptor.errors());
            let Some(next) = next else { break };
            match next {
                Ok(((stream, peer), slot)) => self.start(inside, stream, peer, service.clone(), slot),
                // Request came between the two polls of `or`; what is to be said of it is still said.
                Err(_) if inside.is_cancelled() => {
                    retired.await;
                    break;
                }
                Err(error) => return Err(error.into()),
            }
        }
        // What the system has accepted for us would be reset with the listener, requests and all. Where it cannot be
        // kept from accepting more, almost all is still taken.
        drop(listener.stop_queueing());
        inside.in_flight().sleep(HANDSHAKE).await.ok();
        let mut errors = acceptor.errors();
        for _ in 0..BACKLOG {
            let Some(slot) = Slot::take_now(slots.as_ref()) else { break };
            match listener.accept_queued(inside).await {
                Ok(Some((stream, peer))) => self.start(inside, stream, peer, service.clone(), slot),
                Ok(None) => break,
                // Those behind it may be fine.
                Err(_) => errors += 1,
            }
        }
        self.counters.accept_errors(errors);
        Ok(())
    }

    /// Waits for Request, says that no new work is welcome, and for how long it is done all the same.
    async fn retire<C: HasTime>(&self, cx: &Cx<C>, inside: &Cx<C>) {
        // Someone may ask the server's region alone.
        or(pin!(inside.cancelled()), pin!(cx.cancelled())).await;
        self.readiness.set(false);
        if self.systemd {
            let (now, end) = (cx.now(), cx.budget().deadline_from(cx.now()));
            tell(systemd::stopping((end < Time::MAX).then(|| (end - now) + CLEANUP)));
        }
        inside.sleep(self.min_drain).await.ok();
    }

    /// Starts the task of one connection.
    fn start<C, S, B>(&self, cx: &Cx<C>, stream: TcpStream, peer: SocketAddr, service: S, slot: Option<Slot>)
    where
        C: HasSpawn + HasTime,
        S: Service<Request<Incoming>, Response = Response<B>, Error: Into<BoxError>, Future: Send>,
        S: Send + 'static,
        S::Future: 'static,
        B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    {
        let tally = Tally::new(&self.counters, self.observer.clone(), peer);
        let shared = Shared { counters: self.counters.clone(), readiness: self.readiness.clone() };
        let rules = self.rules.clone();
        // A response is written in one piece, or by a body that knows when to wait.
        drop(stream.set_nodelay(true));
        // Once accepted it is in flight: a request that arrived with it is answered.
        let task = cx.in_flight().spawn(&format!("conn {peer}"), async move |cx: &Cx<C>| {
            let _slot = slot;
            tally.end(conn::drive(cx, rules, shared, stream, service).await);
        });
        // The region owns it.
        drop(task);
    }
}

/// New work is welcome, until this is dropped.
struct Serves<'a>(&'a Readiness);

impl<'a> Serves<'a> {
    fn begin(server: &'a Server) -> Self {
        server.readiness.set(true);
        if server.systemd {
            tell(systemd::ready());
        }
        Serves(&server.readiness)
    }
}

impl Drop for Serves<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// Nobody but the administrator can do anything about it.
fn tell(told: std::io::Result<bool>) {
    if let Err(error) = told {
        eprintln!("asupersync: cannot tell systemd: {error}");
    }
}

/// `None` once `end` is ready.
async fn or<F: Future>(mut next: Pin<&mut F>, mut end: Pin<&mut impl Future>) -> Option<F::Output> {
    poll_fn(|task| match end.as_mut().poll(task) {
        Poll::Ready(_) => Poll::Ready(None),
        Poll::Pending => next.as_mut().poll(task).map(Some),
    })
    .await
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
