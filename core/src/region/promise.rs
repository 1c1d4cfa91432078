//! Promised children: counted by their parent like any child region, without a node while nobody could tell.
//!
//! ```text
//!   promise ──▶ counted ──┬── withdraw ──▶ it has ended, as a region with nothing in it, and maybe others before
//!                         └── keep ──▶ a child region, of which that is the whole past
//! ```
//!
//! A node is made for a child when somebody asks for it: its own body, a request to the parent, a dump. Its
//! parent does not become quiet before, since it counts the child.
//!
//! Invariants:
//! 1. What is promised is either kept or withdrawn, once; which, is claimed under the parent's lock.
//! 2. No child is only promised in a region under Request, but for the moment until it is told.

use std::sync::Arc;
use std::task::Waker;

use super::state::Event;
use super::tree::{Inner, Node, Promised};
use crate::cancel::{Cancelled, Level};
use crate::lock::lock;
use crate::primitive::{AtomicUsize, Ordering};

impl Node {
    /// Counts a child region that has no node yet; `key` is then where it stands.
    pub(super) fn promise(
        &self,
        child: &Arc<impl Promised + 'static>,
        key: &AtomicUsize,
    ) -> Result<(), Cancelled> {
        let mut inner = lock(&self.inner);
        if !inner.admit_child() {
            drop(inner);
            return Err(self.refusal());
        }
        key.store(inner.promised.get_or_insert_default().insert(child.clone()), Ordering::Relaxed);
        self.arm_late(inner);
        // A request has come here before the child did, or finds it.
        if self.scope.level() > Level::Clear {
            child.keep();
        }
        Ok(())
    }

    /// The promised child has its node, if it can `claim` that, and is `seen` then; it is to
    /// [begin](Node::begin). The claim tells how many have ended in its place before.
    pub(super) fn keep_promise(
        &self,
        key: usize,
        child: &Arc<Node>,
        claim: impl FnOnce() -> Option<u64>,
        seen: impl FnOnce(),
    ) -> bool {
        let mut inner = lock(&self.inner);
        let promised = claim().map(|before| {
            inner.list_child(child);
            inner.totals.regions += before;
            // Whoever sees this may have it closed, and leave its parent, at once.
            seen();
            inner.strike(key)
        });
        drop(inner);
        promised.is_some()
    }

    /// The promised child has ended without a node, if it can `claim` that. The claim tells how many have in its
    /// place before.
    pub(super) fn withdraw(&self, key: usize, claim: impl FnOnce() -> Option<u64>) -> bool {
        let mut inner = lock(&self.inner);
        let Some(before) = claim() else { return false };
        let promised = inner.strike(key);
        inner.apply(Event::ChildClosed);
        inner.totals.regions += before + 1;
        let closer = inner.quiet_closer();
        drop(inner);
        drop(promised);
        closer.into_iter().for_each(Waker::wake);
        true
    }

    /// Gives each promised child its node.
    pub(super) fn keep_promises(&self) {
        let promised: Vec<_> = {
            let inner = lock(&self.inner);
            let promised = inner.promised.iter().flat_map(|promised| promised.iter());
            promised.map(|(_, child)| child.clone()).collect()
        };
        promised.iter().for_each(|child| child.keep());
    }
}

impl Inner {
    fn strike(&mut self, key: usize) -> Option<Arc<dyn Promised>> {
        self.promised.as_mut()?.try_remove(key)
    }
}
