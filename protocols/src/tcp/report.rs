//! What becomes of connections, counted.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What became of the connections of a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServeReport {
    /// Connections accepted.
    pub accepted: u64,
    /// Handlers that returned a value.
    pub ok: u64,
    /// Handlers that returned an error.
    pub failed: u64,
    /// Handlers that stopped in time because they were asked to.
    pub cancelled: u64,
    /// Handlers that panicked.
    pub panicked: u64,
    /// Handlers that were stopped by the end of the drain budget, and connections that came too late.
    pub cut: u64,
    /// Errors of `accept` that were lived through.
    pub accept_errors: u64,
}

impl fmt::Display for ServeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ServeReport { accepted, ok, failed, cancelled, panicked, cut, accept_errors } = self;
        write!(f, "{accepted} connections: {ok} ok, {failed} failed, {cancelled} cancelled, ")?;
        write!(f, "{panicked} panicked, {cut} cut; {accept_errors} accept errors")
    }
}

/// The ends of connections, by kind.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) accepted: AtomicU64,
    pub(super) accept_errors: AtomicU64,
    pub(super) ok: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) cancelled: AtomicU64,
    pub(super) panicked: AtomicU64,
    pub(super) cut: AtomicU64,
}

impl Counts {
    pub(super) fn report(&self) -> ServeReport {
        let read = |count: &AtomicU64| count.load(Ordering::Acquire);
        ServeReport {
            accepted: read(&self.accepted),
            ok: read(&self.ok),
            failed: read(&self.failed),
            cancelled: read(&self.cancelled),
            panicked: read(&self.panicked),
            cut: read(&self.cut),
            accept_errors: read(&self.accept_errors),
        }
    }
}

/// Counts one connection when it is dropped; as cut, unless it was told something else.
pub(super) struct Tally {
    pub(super) counts: Arc<Counts>,
    pub(super) end: fn(&Counts) -> &AtomicU64,
}

impl Drop for Tally {
    fn drop(&mut self) {
        (self.end)(&self.counts).fetch_add(1, Ordering::Release);
    }
}
