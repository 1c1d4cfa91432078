//! One connection: hyper's state machine, polled in place, with Request turned into its graceful
//! shutdown. The end of the drain budget drops it, like every task's future.
//!
//! ```text
//!   which HTTP? ── poll_version ──▶ hyper ── upgraded? ──▶ until the stream is let go of
//! ```

use std::future::{Future, poll_fn};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use asupersync_core::caps::{CapSet, HasSpawn, HasTime};
use asupersync_core::io::TcpStream;
use asupersync_core::{Alarm, Cx, Panic, Time};
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper::server::conn::{http1, http2};
use hyper::service::Service;

use super::answer::Answering;
use super::exchange::{Conn, Shared};
use super::http2::Http2;
use super::wire::{Keeper, Version, Wire, silent};
use super::{BoxError, ConnectionEnd};
use crate::io::Hyper;
use crate::rt::{Executor, Timer};

/// What every connection of a server is driven by.
#[derive(Clone)]
pub(super) struct Rules {
    pub(super) http1: http1::Builder,
    pub(super) http2: Http2,
    /// How long a client may take to say which HTTP it speaks, and for each header of HTTP/1.1.
    pub(super) header: Duration,
    /// See [`Conn::grace`].
    pub(super) grace: Duration,
}

/// Drives one connection to its end.
pub(super) async fn drive<C, S, B>(
    cx: &Cx<C>,
    mut rules: Rules,
    server: Shared,
    stream: TcpStream,
    service: S,
) -> ConnectionEnd
where
    C: HasSpawn + HasTime,
    S: Service<Request<Incoming>, Response = Response<B>, Error: Into<BoxError>, Future: Send>,
    S: Send + 'static,
    S::Future: 'static,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    let (mut wire, mut keeper) = Wire::new(stream);
    let conn = Conn::new(cx, server, rules.grace, keeper.held());
    #[cfg(feature = "tower")]
    let _kept = conn.given.keep();
    let version = match first_bytes(cx, &rules, &mut wire).await {
        Ok(Some(version)) => version,
        Ok(None) => return ConnectionEnd::Well,
        Err(error) => return ConnectionEnd::Failed(error.into()),
    };
    let service = Answering::new(service, &conn);
    let timer = Timer::new(cx);
    let end = match version {
        Version::One => {
            let http = rules.http1.timer(timer).serve_connection(Hyper::new(wire), service);
            until_its_end(&conn, &keeper, http.with_upgrades(), Some(rules.header)).await
        }
        Version::Two => {
            let http = rules.http2.builder(Executor::new(&cx.in_flight()), timer);
            // Rare, and large: it would make each connection's task as large.
            let http = Box::pin(http.serve_connection(Hyper::new(wire), service));
            until_its_end(&conn, &keeper, http, None).await
        }
    };
    // At once, unless somebody took the stream for something else.
    poll_fn(|task| keeper.poll_let_go(task)).await;
    let end = if is_drained(cx) { ConnectionEnd::Cut } else { end };
    poll_fn(|task| {
        keeper.discard(task);
        Poll::Ready(())
    })
    .await;
    end
}

/// Waits until the client has said which HTTP it speaks; `None` if it has not begun when its grace after Request is
/// over. That of a client that is silent is counted from its connection on: the first request of a new one may be
/// on its way.
async fn first_bytes<C: HasTime>(cx: &Cx<C>, rules: &Rules, wire: &mut Wire) -> io::Result<Option<Version>> {
    let accepted = cx.now();
    let mut request = pin!(cx.cancelled());
    let mut alarm: Option<Alarm> = None;
    let mut asked = false;
    poll_fn(|task| {
        if let Poll::Ready(version) = wire.poll_version(task) {
            return Poll::Ready(version.map(Some));
        }
        if !asked && request.as_mut().poll(task).is_ready() {
            asked = true;
            let since = if wire.has_begun() { cx.now() } else { accepted };
            alarm = Some(cx.alarm(since + rules.grace.min(rules.header)));
        }
        let alarm = alarm.get_or_insert_with(|| cx.alarm(accepted + rules.header));
        ready!(Pin::new(alarm).poll(task));
        Poll::Ready(if asked && !wire.has_begun() { Ok(None) } else { Err(silent()) })
    })
    .await
}

/// hyper's connections, by what they have in common.
trait Graceful: Future<Output = hyper::Result<()>> {
    fn shut_down(self: Pin<&mut Self>);
}

impl<I, S, B> Graceful for http1::UpgradeableConnection<I, S>
where
    I: Read + Write + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<B>, Error: Into<BoxError>>,
    B: Body<Error: Into<BoxError>> + 'static,
{
    fn shut_down(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<I, S, B, E> Graceful for Pin<Box<http2::Connection<I, S, E>>>
where
    I: Read + Write + Unpin,
    S: Service<Request<Incoming>, Response = Response<B>, Error: Into<BoxError>>,
    B: Body<Error: Into<BoxError>> + 'static,
    E: hyper::rt::bounds::Http2ServerConnExec<S::Future, B>,
{
    fn shut_down(mut self: Pin<&mut Self>) {
        self.as_mut().get_mut().as_mut().graceful_shutdown();
    }
}

/// The drain is over. Handlers are being dropped then, in no order that is promised; what a connection would
/// still tell of that depends on who comes first, so it tells nothing.
fn is_drained<C: HasTime>(cx: &Cx<C>) -> bool {
    cx.budget().until().is_some_and(|until| until <= cx.now())
}

/// How long a connection has waited for a header: since no request of it is in flight any more.
struct Idle {
    limit: Duration,
    /// How many requests there had been, and when the time for the next one ends.
    since: Option<(usize, Time)>,
    /// Rings then, or earlier if it was set for one before: it is set anew when it has rung.
    alarm: Option<Alarm>,
}

impl Idle {
    /// Ready when the time is over.
    fn poll<C: HasTime>(&mut self, conn: &Conn<C>, task: &mut Context<'_>) -> Poll<()> {
        let (cx, begun) = (&conn.cx, conn.begun());
        let until = match self.since {
            Some((before, until)) if before == begun => until,
            _ => {
                let since = conn.idle_since();
                self.since = Some((begun, since + self.limit));
                // It waits already, for this task, and need not look at the clock again.
                if self.alarm.as_ref().is_some_and(|alarm| since < alarm.deadline()) {
                    return Poll::Pending;
                }
                since + self.limit
            }
        };
        loop {
            let alarm = self.alarm.get_or_insert_with(|| cx.alarm(until));
            ready!(Pin::new(&mut *alarm).poll(task));
            if alarm.deadline() >= until {
                return Poll::Ready(());
            }
            self.alarm = None;
        }
    }
}

/// Polls hyper's connection until it ends, or takes longer than `header` for one, or had its grace after
/// Request and owes nothing.
async fn until_its_end<C: CapSet + HasTime>(
    conn: &Arc<Conn<C>>,
    keeper: &Keeper,
    http: impl Graceful,
    header: Option<Duration>,
) -> ConnectionEnd {
    let cx = &conn.cx;
    let mut idle = header.map(|limit| Idle { limit, since: None, alarm: None });
    let mut http = pin!(http);
    let mut request = pin!(cx.cancelled());
    let mut grace: Option<(Alarm, Option<usize>)> = None;
    poll_fn(|task: &mut Context<'_>| {
        conn.begin_poll();
        if grace.is_some() && is_drained(cx) {
            return Poll::Ready(ConnectionEnd::Cut);
        }
        loop {
            match catch_unwind(AssertUnwindSafe(|| http.as_mut().poll(task))) {
                Ok(Poll::Ready(Ok(()))) => return Poll::Ready(ConnectionEnd::Well),
                Ok(Poll::Ready(Err(error))) => return Poll::Ready(ConnectionEnd::Failed(error.into())),
                Err(payload) => return Poll::Ready(ConnectionEnd::Panicked(Panic::new(payload))),
                Ok(Poll::Pending) => {}
            }
            if let Some(idle) = &mut idle
                && conn.is_idle()
                && !keeper.is_blocked()
                && idle.poll(conn, task).is_ready()
            {
                return Poll::Ready(ConnectionEnd::Failed(silent().into()));
            }
            match &mut grace {
                // After a poll: a request that has arrived already is in flight, not idle.
                None => {
                    ready!(request.as_mut().poll(task));
                    http.as_mut().shut_down();
                }
                // Half of a header, or a GOAWAY that nobody answers; but what a request has only just left behind
                // is still to be sent.
                Some((alarm, quiet)) => {
                    ready!(Pin::new(alarm).poll(task));
                    if quiet.is_some() && *quiet == conn.quiet() && !keeper.is_blocked() {
                        return Poll::Ready(ConnectionEnd::Cut);
                    }
                }
            }
            grace = Some((cx.alarm(cx.now() + conn.grace), conn.quiet()));
        }
    })
    .await
}
