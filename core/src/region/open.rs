//! An open region and its body, from the first poll to Closed.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use super::failure;
use super::tree::{Node, Plan};
use crate::cancel::{Cancelled, Level, Note, Reason, ReasonKind, ScopeRef, Waits, noted, past_the_drain};
use crate::outcome::Outcome;
use crate::spawn::submit_system;

/// A region whose body waits to be run, or runs. Dropped half-way, the region is asked to close, and a
/// task of its own drives it there.
pub(super) struct Opened {
    pub(super) node: Arc<Node>,
    stage: Stage,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Waiting,
    Running,
    Closing,
    Closed,
}

impl Opened {
    /// Opens a region in `parent`, which is cancelled together with `scope`, whose level must be below
    /// `until`. See [`Node::open_child`] for `apart`.
    pub(super) fn new(
        parent: &Arc<Node>,
        scope: &ScopeRef,
        until: Level,
        plan: Plan<'_>,
        apart: bool,
    ) -> Result<Opened, Cancelled> {
        let node = parent.open_child(scope, until, plan, apart)?;
        Ok(Opened { node, stage: Stage::Waiting })
    }

    /// A region whose body has begun before it.
    pub(super) fn late(node: Arc<Node>) -> Opened {
        Opened { node, stage: Stage::Running }
    }

    /// Drives the region to Closed, once its body has ended, which is contained. `around` is the scope
    /// that it was opened in. The body is to be dropped before this is: it goes before its region.
    pub(super) async fn run<T>(
        &mut self,
        around: &ScopeRef,
        body: impl Future<Output = (Outcome<T>, Option<Waits>)>,
    ) -> Outcome<T> {
        let node = &self.node;
        self.stage = Stage::Running;
        let (body, dropped) = body.await;
        self.stage = Stage::Closing;
        if let Some(awaited) = dropped {
            node.body_dropped(awaited);
        }
        let closed = node.body_ended(matches!(&body, Err(failure) if failure.as_cancelled().is_none()));
        if closed.is_none() {
            // Work in flight has had its time; finalizers have theirs.
            // Pinned here, or each of these would have room for what it awaits twice.
            let closing = pin!(node.close());
            let closing = pin!(noted(around, Note::region(node.id), closing));
            past_the_drain(around, closing).await;
        }
        self.stage = Stage::Closed;
        if closed.is_some_and(|closed| !closed.failed) { body } else { failure::conclude(node, body) }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if self.stage == Stage::Closed {
            return;
        }
        let node = self.node.clone();
        node.scope.clear_home();
        // Dropped because of a request that has not come here yet, it is told of that.
        node.scope.catch_up();
        node.stand_alone();
        node.request(Reason::at_site(ReasonKind::HandleDropped, node.site));
        let closed = self.stage < Stage::Closing && node.body_ended(false).is_some();
        if !closed {
            let region = node.clone();
            let closer = submit_system(&node, "closer", async move {
                region.close().await;
            });
            node.driven_by(closer);
        }
    }
}
