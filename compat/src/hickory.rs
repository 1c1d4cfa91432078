//! Names looked up natively: hickory's resolver in a region, on the host's sockets and clock, with no Tokio
//! runtime.
//!
//! hickory makes its timers by functions of a type, which are handed nothing. What they need is therefore on the
//! thread while a future of hickory's is polled, and only then: [`Provider::ask`] sees to that for a lookup, the
//! provider for what hickory spawns.
//!
//! Invariants:
//! 1. What hickory spawns is a task of the provider's region. At Request it goes on while a lookup does.
//! 2. Time is the host's: in the lab it is simulated, and so are the datagrams. Only how long an answer may be
//!    kept is by hickory's own clock.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use asupersync_core::caps::{HasNet, HasSpawn, HasTime};
use asupersync_core::channel::watch;
use asupersync_core::io::{TcpStream, UdpSocket};
use asupersync_core::{Alarm, All, Cancelled, Cx};
use hickory_resolver::net::runtime::{DnsTcpStream, DnsUdpSocket, RuntimeProvider, Spawn, Time};

use crate::io::Futures;

/// How long a connection may take, if hickory does not say: its own default.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const OUTSIDE: &str = "a lookup of hickory's is polled outside of its region: await it by `Provider::ask`";

/// hickory's runtime in a region.
///
/// ```
/// use asupersync_core::{Cx, Outcome};
/// use asupersync_compat::hickory::Provider;
/// use hickory_resolver::Resolver;
/// use hickory_resolver::config::ResolverConfig;
///
/// async fn look_up(cx: &Cx, config: ResolverConfig) -> Outcome {
///     let dns = Provider::new(cx);
///     let resolver = Resolver::builder_with_config(config, dns.clone()).build()?;
///     for addr in dns.ask(cx, resolver.lookup_ip("example.com.")).await??.iter() {
///         println!("{addr}");
///     }
///     Ok(())
/// }
/// # drop(look_up);
/// ```
pub struct Provider<C = All> {
    /// For work in flight: a lookup that goes on while the region drains may still ask.
    cx: Cx<C>,
    alarms: Alarms,
    /// How many lookups go on.
    asks: Arc<watch::Sender<usize>>,
}

/// The clock, whatever the capabilities are.
type Alarms = Arc<dyn Fn(Duration) -> Alarm + Send + Sync>;

impl<C: HasTime + 'static> Provider<C> {
    /// In the region of `cx`.
    pub fn new(cx: &Cx<C>) -> Self {
        let (cx, clock) = (cx.in_flight(), cx.clone());
        let alarms = Arc::new(move |after| clock.alarm(clock.now() + after));
        Provider { cx, alarms, asks: Arc::new(watch::channel(0).0) }
    }

    /// Awaits a lookup of a resolver that was made with this provider.
    ///
    /// # Errors
    /// `Cancelled` once `cx` is asked to stop; a `cx` that is [in flight](Cx::in_flight) goes on until the drain
    /// budget is spent.
    ///
    /// # Cancel safety
    /// The lookup is dropped where it waits.
    pub async fn ask<D, F: Future>(&self, cx: &Cx<D>, lookup: F) -> Result<F::Output, Cancelled> {
        let _ask = Ask::begin(&self.asks);
        cx.or_cancel(within(self.alarms.clone(), lookup)).await
    }
}

impl<C> Clone for Provider<C> {
    fn clone(&self) -> Self {
        Provider { cx: self.cx.clone(), alarms: self.alarms.clone(), asks: self.asks.clone() }
    }
}

/// A lookup that goes on.
struct Ask<'a>(&'a watch::Sender<usize>);

impl<'a> Ask<'a> {
    fn begin(asks: &'a watch::Sender<usize>) -> Self {
        asks.send_modify(|asks| *asks += 1);
        Ask(asks)
    }
}

impl Drop for Ask<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|asks| *asks -= 1);
    }
}

thread_local! {
    /// The clock of whoever is polled on this thread.
    static HERE: RefCell<Option<Alarms>> = const { RefCell::new(None) };
}

/// Polls a future of hickory's with the clock at hand.
async fn within<F: Future>(alarms: Alarms, future: F) -> F::Output {
    /// What was there before.
    struct Before(Option<Alarms>);
    impl Drop for Before {
        fn drop(&mut self) {
            HERE.set(self.0.take());
        }
    }
    let mut future = pin!(future);
    poll_fn(|task| {
        let _before = Before(HERE.replace(Some(alarms.clone())));
        future.as_mut().poll(task)
    })
    .await
}

impl<C: HasNet + HasSpawn + HasTime + 'static> RuntimeProvider for Provider<C> {
    type Handle = Self;
    type Timer = Clock;
    type Udp = Udp;
    type Tcp = Futures<TcpStream>;

    fn create_handle(&self) -> Self {
        self.clone()
    }

    fn connect_tcp(
        &self,
        server: SocketAddr,
        bind: Option<SocketAddr>,
        timeout: Option<Duration>,
    ) -> Pin<Box<dyn Send + Future<Output = io::Result<Self::Tcp>>>> {
        let cx = self.cx.clone();
        Box::pin(async move {
            if let Some(bind) = bind {
                let told =
                    format!("cannot connect from {bind}: the host chooses the address of a connection");
                return Err(io::Error::new(io::ErrorKind::Unsupported, told));
            }
            let connect = async move { cx.tcp_connect(server).await };
            let stream = Clock::timeout(timeout.unwrap_or(CONNECT_TIMEOUT), connect).await??;
            stream.set_nodelay(true)?;
            Ok(Futures::new(stream))
        })
    }

    fn bind_udp(
        &self,
        local: SocketAddr,
        _: SocketAddr,
    ) -> Pin<Box<dyn Send + Future<Output = io::Result<Udp>>>> {
        let cx = self.cx.clone();
        Box::pin(async move { cx.udp_bind(local).await.map(Udp) })
    }
}

impl<C: HasSpawn> Spawn for Provider<C> {
    fn spawn_bg(&mut self, future: impl Future<Output = ()> + Send + 'static) {
        let (alarms, mut asks) = (self.alarms.clone(), self.asks.subscribe());
        drop(self.cx.spawn("dns", async move |cx: &Cx<C>| {
            // Between lookups, hickory keeps a connection for the next; after Request there is none.
            let idle = async {
                drop(cx.cancelled().await);
                drop(asks.wait_for(&cx.in_flight(), |asks| *asks == 0).await);
            };
            let (mut works, mut idle) = (pin!(within(alarms, future)), pin!(idle));
            poll_fn(|task| match works.as_mut().poll(task) {
                Poll::Pending => idle.as_mut().poll(task),
                done => done,
            })
            .await;
        }));
    }
}

/// A socket for questions.
pub struct Udp(UdpSocket);

impl DnsUdpSocket for Udp {
    type Time = Clock;

    fn poll_recv_from(
        &self,
        task: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        self.0.poll_recv_from(task, buf)
    }

    fn poll_send_to(&self, task: &mut Context<'_>, buf: &[u8], to: SocketAddr) -> Poll<io::Result<usize>> {
        self.0.poll_send_to(task, buf, to)
    }
}

impl DnsTcpStream for Futures<TcpStream> {
    type Time = Clock;
}

/// The clock of the host on which hickory is polled.
pub struct Clock;

impl Clock {
    fn alarm(after: Duration) -> Alarm {
        HERE.with_borrow(|alarms| alarms.as_ref().map(|alarms| alarms(after))).expect(OUTSIDE)
    }
}

/// # Panics
/// Outside of [`Provider::ask`].
impl Time for Clock {
    fn delay_for<'a>(duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move { Clock::alarm(duration).await })
    }

    fn timeout<'a, F>(
        duration: Duration,
        future: F,
    ) -> Pin<Box<dyn Future<Output = io::Result<F::Output>> + Send + 'a>>
    where
        F: Future + Send + 'static + 'a,
    {
        Box::pin(async move {
            let (mut future, mut alarm) = (pin!(future), Clock::alarm(duration));
            poll_fn(|task| match future.as_mut().poll(task) {
                Poll::Ready(value) => Poll::Ready(Ok(value)),
                Poll::Pending => Pin::new(&mut alarm).poll(task).map(|()| {
                    Err(io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {duration:?}")))
                }),
            })
            .await
        })
    }
}
