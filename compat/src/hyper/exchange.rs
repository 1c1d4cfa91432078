//! What the requests of one connection share, and the ticket that one holds while it is in flight:
//! from when it was read until the last frame of its response was taken, or given up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering, fence};
use std::time::Duration;

use asupersync_core::caps::HasTime;
use asupersync_core::{Cx, Time};

use super::Counters;
use super::wire::Held;
use crate::RequestCx;
use crate::readiness::Readiness;

/// What all connections of a server share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) counters: Counters,
    pub(super) readiness: Readiness,
}

/// What all requests of one connection share.
pub(super) struct Conn<C> {
    /// The connection's task.
    pub(super) cx: Cx<C>,
    /// The same, for requests.
    pub(super) given: RequestCx<C>,
    pub(super) counters: Counters,
    pub(super) readiness: Readiness,
    /// After Request: how long what owes nobody an answer may take to end by itself.
    pub(super) grace: Duration,
    /// For requests that ask for an upgrade.
    pub(super) held: Held,
    begun: AtomicUsize,
    polls: AtomicUsize,
    /// The poll in which the last request began.
    begun_in: AtomicUsize,
}

impl<C> Conn<C> {
    pub(super) fn new(cx: &Cx<C>, server: Shared, grace: Duration, held: Held) -> Arc<Self> {
        let Shared { counters, readiness } = server;
        let (given, cx) = (RequestCx::from(cx.clone()), cx.clone());
        let [begun, polls, begun_in] = [const { AtomicUsize::new(0) }; 3];
        Arc::new(Conn { cx, given, counters, readiness, grace, held, begun, polls, begun_in })
    }

    /// The next answer is the connection's last, where a header can say so.
    pub(super) fn is_leaving(&self) -> bool {
        !self.readiness.is_ready() || self.cx.is_cancelled()
    }

    /// How many requests there have been.
    pub(super) fn begun(&self) -> usize {
        self.begun.load(Ordering::Relaxed)
    }

    /// No request is in flight, as far as whoever drives hyper's connection can see from outside: then nobody has
    /// this but that, and the service that hyper has.
    pub(super) fn is_idle(self: &Arc<Self>) -> bool {
        const BESIDE_TICKETS: usize = 2;
        let idle = Arc::strong_count(self) <= BESIDE_TICKETS;
        // What was done for the last request comes before.
        fence(Ordering::Acquire);
        idle
    }

    /// How many requests there have been, if none is in flight.
    pub(super) fn quiet(self: &Arc<Self>) -> Option<usize> {
        self.is_idle().then(|| self.begun())
    }
}

impl<C: HasTime> Conn<C> {
    /// Whoever polls the connection begins to.
    pub(super) fn begin_poll(&self) {
        self.polls.store(self.polls.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    /// Since when no request is in flight, if none is: as exactly as the clock was read for them, which is once
    /// for one that began and ended in one poll.
    pub(super) fn idle_since(&self) -> Time {
        let in_this = self.begun_in.load(Ordering::Relaxed) == self.polls.load(Ordering::Relaxed);
        self.given.since().filter(|_| in_this).unwrap_or_else(|| self.cx.now())
    }

    /// Ready when whatever still goes on by itself, after Request, had its grace.
    pub(super) async fn grace_is_over(self: Arc<Self>) {
        let requested = self.cx.cancelled().await;
        drop(requested);
        self.cx.alarm(self.cx.now() + self.grace).await;
    }
}

/// A request in flight, as long as this is there.
pub(super) struct Ticket<C>(pub(super) Arc<Conn<C>>);

impl<C: HasTime> Ticket<C> {
    pub(super) fn new(conn: &Arc<Conn<C>>) -> Self {
        // Written by whoever polls the connection, one at a time.
        conn.begun.store(conn.begun().wrapping_add(1), Ordering::Relaxed);
        conn.begun_in.store(conn.polls.load(Ordering::Relaxed), Ordering::Relaxed);
        conn.given.begin(conn.cx.now());
        Ticket(conn.clone())
    }
}
