//! The crew of a local scope: its body and its children, polled by whoever polls the region.
//!
//! Each has a bell for a waker, and is polled when that was rung. Children come in by the door, from the
//! body, from each other, and from anywhere else that has a [`LocalScope`](super::LocalScope); the crew
//! takes them over at its next poll. It polls them from the region's opening until it is Closed. When it
//! is dropped before, the door is shut, the region asked to close, and then all are dropped.
//!
//! Lock order: the door's lock, then a scope's or a node's.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use super::tree::{Local, Node};
use crate::cancel::{Level, Reason, ReasonKind, Waits};
use crate::cx::Cx;
use crate::lock::{Mutex, lock};
use crate::outcome::Outcome;
use crate::set::{Bell, Set, Tower};
use crate::spawn::contain;
use crate::verdict::Verdict;

/// A child, or the body: what there is of it is told when it ends.
pub(super) type Life<'e> = dyn Future<Output = ()> + Send + 'e;

/// A child that has not been polled, and its bell.
type Arrival<'e> = (Arc<Bell>, Pin<Box<Life<'e>>>);

/// Where children come in, until the scope is closed.
pub(super) struct Door<'e> {
    tower: Arc<Tower>,
    /// `None`: nobody polls any more.
    arrivals: Mutex<Option<Vec<Arrival<'e>>>>,
}

impl<'e> Door<'e> {
    /// A bell for one that is about to be admitted.
    pub(super) fn bell(&self) -> Arc<Bell> {
        self.tower.bell()
    }

    /// Admits a child, on behalf of whoever has `cx`. How it ends is told in `slot`.
    pub(super) fn admit<C, T: Send + 'e>(
        &self,
        cx: &Cx<C>,
        local: Arc<Local>,
        slot: Arc<Slot<Outcome<T>>>,
        body: impl Future<Output = Outcome<T>> + Send + 'e,
    ) -> Outcome {
        // Whoever is refused is dropped after this lock.
        let mut arrivals = lock(&self.arrivals);
        let Some(waiting) = &mut *arrivals else { return Err(cx.node().refusal().into()) };
        cx.checkpoint()?;
        let (node, bell) = (cx.share_node(), local.bell.clone());
        node.admit_local(&local)?;
        local.scope.set_home(Waker::from(bell.clone()));
        let end = End { node, local, slot: Some(slot), ended: None };
        waiting.push((bell.clone(), Box::pin(live(body, end))));
        drop(arrivals);
        bell.wake();
        Ok(())
    }
}

/// The body and the children of a local scope, for whoever polls them.
pub(super) struct Crew<'e> {
    node: Arc<Node>,
    set: Set<Life<'e>>,
    door: Arc<Door<'e>>,
}

impl<'e> Crew<'e> {
    /// `body` makes the body of where its children come in.
    pub(super) fn new<L>(node: &Arc<Node>, body: impl FnOnce(Arc<Door<'e>>) -> L) -> Self
    where
        L: Future<Output = ()> + Send + 'e,
    {
        let mut set: Set<Life<'e>> = Set::new();
        let bell = set.tower().bell();
        let door = Arc::new(Door { tower: set.tower(), arrivals: Mutex::new(Some(Vec::new())) });
        node.scope.set_home(Waker::from(bell.clone()));
        set.insert(bell.clone(), Box::pin(body(door.clone())));
        bell.wake();
        Crew { node: node.clone(), set, door }
    }

    pub(super) fn poll(&mut self, task: &mut Context<'_>) {
        self.set.gather(task.waker());
        // After that: whoever has rung is here.
        let arrived = lock(&self.door.arrivals).as_mut().map(std::mem::take);
        for (bell, life) in arrived.into_iter().flatten() {
            self.set.insert(bell, life);
        }
        self.set.poll(task.waker(), self.node.scope.is_due(), |_, ()| {});
    }
}

impl Drop for Crew<'_> {
    fn drop(&mut self) {
        let unborn = lock(&self.door.arrivals).take();
        // Before they go, so that they are told why.
        if !self.set.is_empty() || unborn.as_ref().is_some_and(|unborn| !unborn.is_empty()) {
            self.node.request(Reason::at_site(ReasonKind::HandleDropped, self.node.site));
        }
        drop(unborn);
    }
}

/// Runs a child.
async fn live<T>(body: impl Future<Output = Outcome<T>>, mut end: End<T>) {
    let scope = end.local.scope.clone();
    let mut body = pin!(Some(body));
    // What has not begun has nothing to clean up.
    if scope.level() < Level::Spent {
        end.ended = Some(contain(&scope, body.as_mut()).await);
    } else {
        body.set(None);
    }
}

/// Tells of a child's end, after its future is gone.
struct End<T> {
    node: Arc<Node>,
    local: Arc<Local>,
    slot: Option<Arc<Slot<Outcome<T>>>>,
    ended: Option<(Outcome<T>, Option<Waits>)>,
}

impl<T> Drop for End<T> {
    fn drop(&mut self) {
        let scope = &self.local.scope;
        if let Some(timer) = scope.end() {
            self.node.tree.host.cancel_timer(timer);
        }
        let (outcome, verdict) = match self.ended.take() {
            Some((outcome, dropped)) => {
                let verdict = Verdict::of(&outcome, dropped);
                (outcome, verdict)
            }
            None => (Err(scope.cancelled().into()), Verdict::Dropped(None)),
        };
        // A value that nobody joins is gone before the region closes, and may panic in that.
        let slot = self.slot.take();
        drop(catch_unwind(AssertUnwindSafe(|| {
            if let Some(slot) = slot {
                slot.fill(outcome);
            }
        })));
        self.node.local_ended(&self.local, verdict);
    }
}

/// What one tells another, once.
pub(super) struct Slot<V>(Mutex<Told<V>>);

struct Told<V> {
    value: Option<V>,
    waiting: Option<Waker>,
}

impl<V> Default for Slot<V> {
    fn default() -> Self {
        Slot(Mutex::new(Told { value: None, waiting: None }))
    }
}

impl<V> Slot<V> {
    pub(super) fn fill(&self, value: V) {
        let waiting = {
            let mut told = lock(&self.0);
            told.value = Some(value);
            told.waiting.take()
        };
        if let Some(waiting) = waiting {
            waiting.wake();
        }
    }

    pub(super) fn is_filled(&self) -> bool {
        lock(&self.0).value.is_some()
    }

    pub(super) fn poll(&self, task: &mut Context<'_>) -> Poll<V> {
        let waker = task.waker().clone();
        let mut told = lock(&self.0);
        match told.value.take() {
            Some(value) => Poll::Ready(value),
            None => {
                let stale = told.waiting.replace(waker);
                drop(told);
                drop(stale);
                Poll::Pending
            }
        }
    }
}
