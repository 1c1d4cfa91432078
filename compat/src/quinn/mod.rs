//! QUIC natively: quinn on a region and the host's sockets and clock, with no Tokio runtime.
//!
//! ```text
//!   region ── owns ──▶ task `quic` of the endpoint, and one of each connection
//!        │                    │
//!     Request           goes on: streams in flight finish
//!        │                    │
//!     [`endpoint`]'s task takes no more connections, and waits for those there are;
//!     late in the drain budget it closes them, so that their peers are told
//!        │
//!     the budget's end: what is left is dropped
//! ```
//!
//! Invariants:
//! 1. Everything that quinn spawns is a task of the region, also what it spawns while that drains.
//! 2. Every datagram is sent by the right of whoever opened the socket.
//! 3. Time is the host's: in the lab it is simulated, and so are the datagrams.

mod socket;
mod timer;

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use asupersync_core::caps::{HasNet, HasSpawn, HasTime};
use asupersync_core::channel::watch;
use asupersync_core::io::UdpSocket;
use asupersync_core::{Alarm, All, Budget, Cx, Time};
use quinn::{AsyncTimer, AsyncUdpSocket, Endpoint, EndpointConfig, ServerConfig};

use socket::Socket;
use timer::{Epoch, Timer};

/// quinn's runtime in a region: its tasks are the region's, its timers and sockets the host's.
///
/// [`endpoint`] makes one. By itself it is for an endpoint that is made in another way, and then ends
/// with the region only where that is closed and dropped: what still runs when the drain budget is spent is
/// dropped.
pub struct Runtime<C = All> {
    /// For work in flight: the driver of a connection starts also while the region drains.
    cx: Cx<C>,
    epoch: Epoch,
    ended: watch::Receiver<bool>,
    end: Arc<watch::Sender<bool>>,
}

impl<C: HasTime> Runtime<C> {
    /// In the region of `cx`.
    pub fn new(cx: &Cx<C>) -> Self {
        let (end, ended) = watch::channel(false);
        Runtime { cx: cx.in_flight(), epoch: Epoch::new(cx), ended, end: Arc::new(end) }
    }
}

impl<C> fmt::Debug for Runtime<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").finish_non_exhaustive()
    }
}

impl<C: HasNet + HasSpawn + HasTime + 'static> quinn::Runtime for Runtime<C> {
    fn new_timer(&self, at: Instant) -> Pin<Box<dyn AsyncTimer>> {
        Box::pin(Timer::new(&self.cx, self.epoch, at))
    }

    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) {
        let (mut future, mut ended) = (future, self.ended.clone());
        drop(self.cx.spawn("quic", async move |cx: &Cx<C>| {
            // Its own end, or that of the endpoint; Request is neither.
            let cx = cx.in_flight();
            let mut ended = pin!(ended.wait_for(&cx, |ended| *ended));
            poll_fn(|task| match future.as_mut().poll(task) {
                Poll::Pending => ended.as_mut().poll(task).map(drop),
                done => done,
            })
            .await;
        }));
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        Ok(Arc::new(Socket::new(self.cx.net().udp_adopt(&self.cx, socket)?)?))
    }

    fn now(&self) -> Instant {
        self.epoch.instant_of(self.cx.now())
    }
}

/// An endpoint on this socket, which takes connections where it is given a `server` configuration.
///
/// It belongs to the region of `cx`. At Request it takes no more connections, and goes on as long as there
/// are some; when nine tenths of the drain budget are spent it closes them with code 0, so that their peers
/// are told. An accept loop stops by `cx.or_cancel(endpoint.accept())`, and so does whatever waits for a new
/// stream; work on a stream goes on by itself. A connection ends when nobody has a handle on it. Once the
/// region closes, other handles on the endpoint are good for nothing.
///
/// ```
/// use asupersync_core::{Cx, Outcome};
/// use asupersync_compat::quinn::endpoint;
/// use quinn::{EndpointConfig, ServerConfig};
///
/// async fn serve(cx: &Cx, config: EndpointConfig, server: ServerConfig) -> Outcome {
///     let socket = cx.udp_bind("0.0.0.0:4433").await?;
///     let endpoint = endpoint(cx, socket, config, Some(server))?;
///     while let Some(incoming) = cx.or_cancel(endpoint.accept()).await? {
///         drop(cx.spawn("connection", async move |cx| {
///             let connection = incoming.await?;
///             loop {
///                 let (mut send, mut receive) = cx.or_cancel(connection.accept_bi()).await??;
///                 let asked = receive.read_to_end(1024).await?;
///                 send.write_all(&asked).await?;
///                 send.finish()?;
///                 send.stopped().await?;
///             }
///             # #[allow(unreachable_code)]
///             # Outcome::<()>::Ok(())
///         }));
///     }
///     Ok(())
/// }
/// # drop(serve);
/// ```
///
/// # Errors
/// The socket's.
pub fn endpoint<C>(
    cx: &Cx<C>,
    socket: UdpSocket,
    config: EndpointConfig,
    server: Option<ServerConfig>,
) -> io::Result<Endpoint>
where
    C: HasNet + HasSpawn + HasTime + 'static,
{
    let runtime = Runtime::new(cx);
    let end = runtime.end.clone();
    let socket = Arc::new(Socket::new(socket)?);
    let endpoint = Endpoint::new_with_abstract_socket(config, server, socket, Arc::new(runtime))?;
    let closes = endpoint.clone();
    drop(cx.spawn("quic endpoint", async move |cx: &Cx<C>| {
        cx.cancelled().await;
        closes.set_server_config(None);
        let cx = cx.in_flight();
        let (now, budget) = (cx.now(), cx.budget());
        idle_until(&closes, cx.alarm(left_of(budget, now, 10))).await;
        closes.close(0_u8.into(), b"");
        // A connection that is closed remembers that for a while, which need not be waited for.
        idle_until(&closes, cx.alarm(left_of(budget, now, 20))).await;
        // Other handles may still be there.
        end.send_replace(true);
    }));
    Ok(endpoint)
}

/// Waits until the endpoint has no connection, or the alarm rings.
async fn idle_until(endpoint: &Endpoint, alarm: Alarm) {
    let (mut idle, mut alarm) = (pin!(endpoint.wait_idle()), pin!(alarm));
    poll_fn(|task| match idle.as_mut().poll(task) {
        Poll::Pending => alarm.as_mut().poll(task),
        done => done,
    })
    .await;
}

/// When one part in so many is left of the time that a budget has now.
fn left_of(budget: Budget, now: Time, parts: u32) -> Time {
    match budget.deadline_from(now) {
        Time::MAX => Time::MAX,
        deadline => now + (deadline - now) / parts * (parts - 1),
    }
}
