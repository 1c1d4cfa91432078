//! What the requests of one connection share, and the ticket that one holds while it is in flight:
//! from when it was read until the last frame of its response was taken, or given up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use asupersync_core::Cx;
use asupersync_core::caps::HasTime;

use super::Counters;
use super::wire::Held;
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
    pub(super) counters: Counters,
    pub(super) readiness: Readiness,
    /// After Request: how long what owes nobody an answer may take to end by itself.
    pub(super) grace: Duration,
    /// For requests that ask for an upgrade.
    pub(super) held: Held,
    in_flight: AtomicUsize,
    begun: AtomicUsize,
}

impl<C> Conn<C> {
    pub(super) fn new(cx: &Cx<C>, server: Shared, grace: Duration, held: Held) -> Arc<Self> {
        let Shared { counters, readiness } = server;
        let (cx, in_flight, begun) = (cx.clone(), AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Conn { cx, counters, readiness, grace, held, in_flight, begun })
    }

    /// The next answer is the connection's last, where a header can say so.
    pub(super) fn is_leaving(&self) -> bool {
        !self.readiness.is_ready() || self.cx.is_cancelled()
    }

    /// How many requests there have been.
    pub(super) fn begun(&self) -> usize {
        self.begun.load(Ordering::Relaxed)
    }

    /// No request is in flight.
    pub(super) fn is_idle(&self) -> bool {
        self.in_flight.load(Ordering::Acquire) == 0
    }
}

impl<C: HasTime> Conn<C> {
    /// Ready when whatever still goes on by itself, after Request, had its grace.
    pub(super) async fn grace_is_over(self: Arc<Self>) {
        let requested = self.cx.cancelled().await;
        drop(requested);
        self.cx.alarm(self.cx.now() + self.grace).await;
    }
}

/// A request in flight.
pub(super) struct Ticket<C>(pub(super) Arc<Conn<C>>);

impl<C> Ticket<C> {
    pub(super) fn new(conn: &Arc<Conn<C>>) -> Self {
        conn.in_flight.fetch_add(1, Ordering::Relaxed);
        // Written by whoever polls the connection, one at a time.
        conn.begun.store(conn.begun().wrapping_add(1), Ordering::Relaxed);
        Ticket(conn.clone())
    }
}

impl<C> Drop for Ticket<C> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Release);
    }
}
