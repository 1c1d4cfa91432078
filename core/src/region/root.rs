//! The root region, as a host holds it: the whole tree of one runtime.

use std::collections::HashSet;
use std::future::poll_fn;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::dump::Dump;
use super::long_poll::LongPoll;
use super::report::{CloseReport, Totals};
use super::state::Phase;
use super::tree::{Node, Tree};
use super::{Close, Policy, failure};
use crate::body::{TaskFn, TaskOutput};
use crate::budget::Budget;
use crate::cancel::{Cancelled, Level, Note, Reason, ReasonKind, Watch};
use crate::caps::Effect;
use crate::cx::Cx;
use crate::host::{Host, TaskRef};
use crate::id::TaskId;
use crate::lock::{Mutex, lock};
use crate::outcome::Outcome;
use crate::primitive::Ordering;
use crate::spawn::submit_system;
use crate::time::Time;
use crate::trace::Spans;

/// The root of one runtime's region tree, for the host that runs it.
#[derive(Clone)]
pub struct Root {
    node: Arc<Node>,
}

impl Root {
    /// The tree of a host that has just started. All regions within close in at most `drain` and
    /// then `finalize`.
    #[track_caller]
    pub fn new(host: Arc<dyn Host>, name: &str, drain: Budget, finalize: Budget) -> Root {
        Root::new_at(Location::caller(), host, name, drain, finalize)
    }

    /// As [`new`](Root::new), for a host that knows better which line started it.
    pub fn new_at(
        site: &'static Location<'static>,
        host: Arc<dyn Host>,
        name: &str,
        drain: Budget,
        finalize: Budget,
    ) -> Root {
        let policy = Policy { close: Close::Join, drain, finalize, ..Policy::default() };
        Root { node: Node::root(Tree::new(host), name, policy, site) }
    }

    /// Starts `main` as the root's first task. When it has ended the root closes, and `done` is
    /// called, once, from a thread of the host.
    #[track_caller]
    pub fn start<F, R>(&self, main: F, done: impl FnOnce(Outcome<R::Ok>, CloseReport) + Send + 'static)
    where
        F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Send + 'static,
        R: TaskOutput<Ok: 'static> + 'static,
    {
        self.start_at(Location::caller(), main, done);
    }

    /// As [`start`](Root::start), for a host that knows better which line brought `main`.
    pub fn start_at<F, R>(
        &self,
        site: &'static Location<'static>,
        main: F,
        done: impl FnOnce(Outcome<R::Ok>, CloseReport) + Send + 'static,
    ) where
        F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Send + 'static,
        R: TaskOutput<Ok: 'static> + 'static,
    {
        let ended = Arc::new(Mutex::new(None));
        let (node, end) = (self.node.clone(), ended.clone());
        let cx: Cx = Cx::new(node.clone(), node.scope.clone(), None);
        let handle = cx.start(&[Effect::Spawn], "main", site, |cx: Cx, _: &Spans| async move {
            // However main ends, by a panic too, the root is asked to close.
            let _closing = RequestOnDrop(node);
            let outcome = main(&cx).await.into_outcome();
            let told = outcome.as_ref().map(|_| ()).map_err(Clone::clone);
            *lock(&end) = Some(outcome);
            told
        });
        let node = self.node.clone();
        let closer = submit_system(&self.node, "root closer", async move {
            node.close().await;
            let report = node.report();
            let outcome = lock(&ended).take();
            let outcome = match outcome {
                Some(outcome) => outcome,
                // It panicked, was dropped at the end of its budget, or was given up.
                None if handle.is_finished() => match handle.join().await {
                    Err(failure) => Err(failure),
                    Ok(()) => Err(node.refusal().into()),
                },
                None => Err(node.refusal().into()),
            };
            done(failure::conclude(&node, outcome), report);
        });
        self.node.driven_by(closer);
    }

    /// Tells the tree of a shutdown signal. Whoever waits in `cx.shutdown_signal()` is in charge of
    /// what follows; when nobody does, the root is requested to close.
    pub fn signal(&self, message: &'static str) {
        let reason = Reason::new(ReasonKind::Shutdown).with_message(message);
        let reason = reason.stamp(&self.node.name, self.node.tree.host.now());
        self.node.tree.shutdown.request(reason.clone(), Time::MAX);
        if !self.node.tree.shutdown_watched.load(Ordering::SeqCst) {
            self.node.request(reason);
        }
    }

    /// A shutdown signal was told.
    pub fn is_signalled(&self) -> bool {
        self.node.tree.shutdown.level() >= Level::Requested
    }

    /// Asks the whole tree to close.
    pub fn request(&self, reason: Reason) {
        self.node.request(reason);
    }

    /// Waits until the root is asked to close.
    ///
    /// # Cancel safety
    /// Nothing is lost: a request stays visible.
    pub async fn requested(&self) -> Cancelled {
        let mut watch = Watch::new(&self.node.scope, Note::REQUEST);
        poll_fn(|task| watch.poll(Level::Requested, task)).await
    }

    /// The host's clock.
    pub fn now(&self) -> Time {
        self.node.tree.host.now()
    }

    /// How far the root has gone.
    pub fn phase(&self) -> Phase {
        self.node.phase()
    }

    /// When the root's drain budget ends; [`Time::MAX`] before Request.
    pub fn drain_until(&self) -> Time {
        self.node.drain_until()
    }

    /// When the root must be Closed; [`Time::MAX`] before Request.
    pub fn close_by(&self) -> Time {
        self.node.close_by()
    }

    /// Gives up on tasks whose poll does not return though their budget is spent, so that the
    /// finalizers of their regions get their turn. Tells how many.
    ///
    /// A task under a spent budget is polled once more and then dropped; one that is seen in that
    /// poll by two calls, some time apart, is stuck. `seen` carries the sightings.
    pub fn abandon_stuck(&self, seen: &mut HashSet<TaskId>) -> usize {
        let mut now = HashSet::new();
        let abandoned = self.node.subtree().iter().map(|node| node.abandon_stuck(seen, &mut now)).sum();
        *seen = now;
        abandoned
    }

    /// Runs a future of the host itself, which no region owns; dropping the result drops it.
    pub fn attend(&self, name: &str, future: impl Future<Output = ()> + Send + 'static) -> Attendant {
        Attendant(submit_system(&self.node, name, future))
    }

    /// The tree as it is. Any thread may ask, at any time: nobody is polled or stopped for it.
    pub fn dump(&self) -> Dump {
        self.node.dump()
    }

    /// Who is in a poll that lasts so long, if it is a task whose address
    /// ([`Runnable::address`](crate::host::Runnable::address)) `is_it`, or a finalizer that this one polls.
    ///
    /// The caller sees to it that the poll still goes on when this returns: an address is used again.
    pub fn long_poll(&self, is_it: impl Fn(usize) -> bool, lasting: Duration) -> Option<LongPoll> {
        self.node.long_poll(is_it, lasting)
    }

    /// Gives up on everything that is left, drops what nobody polls, and tells of it.
    pub fn force(&self) -> CloseReport {
        let (mut totals, mut leftovers) = (Totals::default(), Vec::new());
        for node in self.node.subtree().iter().rev() {
            node.force();
            node.abort_unresolved();
            let own = node.report();
            totals += &own.totals;
            leftovers.extend(own.leftovers);
        }
        CloseReport { totals, leftovers, ..self.node.report() }
    }
}

/// A future of the host that runs beside the tree; ends when this is dropped.
#[must_use = "dropped, its future is dropped"]
pub struct Attendant(TaskRef);

impl Drop for Attendant {
    fn drop(&mut self) {
        self.0.shutdown();
    }
}

struct RequestOnDrop(Arc<Node>);

impl Drop for RequestOnDrop {
    fn drop(&mut self) {
        self.0.request(Reason::new(ReasonKind::ParentClosed).with_message("main returned"));
    }
}
