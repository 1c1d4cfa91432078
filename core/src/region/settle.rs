//! Obligations and the end of their region: entered, struck, and aborted when nobody else will.
//!
//! A region takes obligations until it is quiet. Its finalizers may still resolve them, so what is
//! left is aborted after the last finalizer and before Closed, the last detached first. One that
//! somebody elsewhere resolves at that moment is waited for: no region is Closed in the midst of it.

use std::panic::Location;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::ledger::{Abort, Aborting, Entry};
use super::report::{Leftover, LeftoverKind};
use super::state::Event;
use super::tree::Node;
use crate::lock::lock;
use crate::obligation::{Kind, Resolution};

impl Node {
    /// Enters an obligation and tells its number; `None` if the region takes no more.
    pub(crate) fn reserve(
        &self,
        kind: Kind,
        site: &'static Location<'static>,
        cell: Arc<dyn Abort>,
    ) -> Option<u64> {
        let entry = Entry { kind, site, since: self.tree.host.now(), cell };
        let mut inner = lock(&self.inner);
        inner.state = inner.state.step(Event::Reserve)?;
        inner.totals.obligations += 1;
        Some(inner.ledger.enter(entry))
    }

    /// Strikes an obligation whose resolution is over. Tells what it was, unless it was struck
    /// before.
    pub(crate) fn resolved(&self, number: u64, how: Resolution) -> Option<Entry> {
        let mut inner = lock(&self.inner);
        let entry = inner.ledger.strike(number)?;
        inner.apply(Event::Resolve(how));
        match how {
            Resolution::Committed => inner.totals.obligations_committed += 1,
            Resolution::Aborted => inner.totals.obligations_aborted += 1,
        }
        let closer = if inner.ledger.is_empty() { inner.quiet_closer() } else { None };
        drop(inner);
        if let Some(closer) = closer {
            closer.wake();
        }
        Some(entry)
    }

    /// Aborts every obligation that is nobody's yet, and reports it.
    pub(super) fn abort_unresolved(&self) {
        let mut bound = u64::MAX;
        loop {
            // A statement of its own, so that the lock is not held in what follows.
            let last = lock(&self.inner).ledger.last_before(bound);
            let Some((number, cell)) = last else { return };
            bound = number;
            let note = match cell.abort() {
                Aborting::Taken => continue,
                Aborting::Done => "",
                Aborting::Panicked => ", whose abort panicked",
            };
            let Some(entry) = self.resolved(number, Resolution::Aborted) else { continue };
            let (kind, path, age) = (entry.kind, self.path(), self.tree.host.now() - entry.since);
            let mut inner = lock(&self.inner);
            let phase = inner.state.phase;
            inner.keep(Leftover {
                kind: LeftoverKind::Unresolved(kind),
                name: format!("{kind}{note}").into(),
                site: entry.site,
                path,
                phase,
                age,
                task: None,
                awaited: None,
            });
        }
    }

    /// Ready when no obligation is left.
    pub(super) fn poll_settled(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.abort_unresolved();
        let mut inner = lock(&self.inner);
        if inner.ledger.is_empty() {
            return Poll::Ready(());
        }
        let stale = inner.closer.replace(cx.waker().clone());
        drop(inner);
        drop(stale);
        Poll::Pending
    }
}
