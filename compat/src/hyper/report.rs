//! What becomes of connections: counted while the server runs, and summed up when it has closed.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use asupersync_core::Panic;

use super::BoxError;

/// How a connection ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectionEnd {
    /// By the rules of HTTP.
    Well,
    /// By an error: the peer left in the middle, sent nonsense, or was too slow.
    Failed(BoxError),
    /// A body panicked while it was sent. A handler that panics does not end its connection.
    Panicked(Panic),
    /// Dropped: the drain budget was spent; or no answer was owed, and the peer took longer than the
    /// grace to end it.
    Cut,
}

/// Is told how each connection ended.
pub(super) type Observer = Arc<dyn Fn(SocketAddr, &ConnectionEnd) + Send + Sync>;

/// Live counts of a server; clones count together.
#[derive(Clone, Debug, Default)]
pub struct Counters(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    accepted: AtomicU64,
    well: AtomicU64,
    failed: AtomicU64,
    panicked: AtomicU64,
    cut: AtomicU64,
    faults: AtomicU64,
    accept_errors: AtomicU64,
}

fn add(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}

impl Counters {
    /// The counts now.
    pub fn report(&self) -> ServeReport {
        let read = |count: &AtomicU64| count.load(Ordering::Acquire);
        let counts = &*self.0;
        ServeReport {
            well: read(&counts.well),
            failed: read(&counts.failed),
            panicked: read(&counts.panicked),
            cut: read(&counts.cut),
            faults: read(&counts.faults),
            accept_errors: read(&counts.accept_errors),
            // Last, so that no end is seen without its beginning.
            accepted: read(&counts.accepted),
        }
    }

    pub(super) fn accepted(&self) {
        add(&self.0.accepted);
    }

    pub(super) fn fault(&self) {
        add(&self.0.faults);
    }

    pub(super) fn accept_errors(&self, total: u64) {
        self.0.accept_errors.store(total, Ordering::Relaxed);
    }

    fn ended(&self, end: &ConnectionEnd) {
        let count = match end {
            ConnectionEnd::Well => &self.0.well,
            ConnectionEnd::Failed(_) => &self.0.failed,
            ConnectionEnd::Panicked(_) => &self.0.panicked,
            ConnectionEnd::Cut => &self.0.cut,
        };
        count.fetch_add(1, Ordering::Release);
    }
}

/// What a server did, or has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServeReport {
    /// Connections accepted.
    pub accepted: u64,
    /// Connections that ended by the rules of HTTP.
    pub well: u64,
    /// Connections that ended by an error.
    pub failed: u64,
    /// Connections whose body panicked.
    pub panicked: u64,
    /// Connections dropped at the end of the drain budget, or of their grace.
    pub cut: u64,
    /// Requests answered with 500 or 503 because the handler failed, panicked or was cancelled.
    pub faults: u64,
    /// Errors of `accept` that were lived through.
    pub accept_errors: u64,
}

impl ServeReport {
    /// Connections that have not ended.
    pub fn open(&self) -> u64 {
        self.accepted.saturating_sub(self.well + self.failed + self.panicked + self.cut)
    }
}

impl fmt::Display for ServeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ServeReport { accepted, well, failed, panicked, cut, faults, accept_errors } = self;
        write!(f, "{accepted} connections: {well} ended well, {failed} failed, {panicked} panicked, ")?;
        write!(f, "{cut} cut, {} open; {faults} faults, {accept_errors} accept errors", self.open())
    }
}

/// Counts a connection exactly once, even one whose task is dropped.
pub(super) struct Tally {
    counters: Counters,
    observer: Option<Observer>,
    peer: SocketAddr,
    end: ConnectionEnd,
}

impl Tally {
    pub(super) fn new(counters: &Counters, observer: Option<Observer>, peer: SocketAddr) -> Self {
        counters.accepted();
        Tally { counters: counters.clone(), observer, peer, end: ConnectionEnd::Cut }
    }

    pub(super) fn end(mut self, end: ConnectionEnd) {
        self.end = end;
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        self.counters.ended(&self.end);
        if let Some(observer) = &self.observer {
            observer(self.peer, &self.end);
        }
    }
}
