//! One body among several: how it ended, and what that does to the others.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crate::body::{ItemFn, TaskOutput};
use crate::budget::Budget;
use crate::cancel::{Cancelled, Hold, Level, Reason, ReasonKind, ScopeRef, Waits};
use crate::caps::CapSet;
use crate::cx::Cx;
use crate::outcome::{Failure, Outcome};
use crate::region::{Node, request_scope};
use crate::set::Set;
use crate::spawn::contain;

/// Whose end asks the others to stop.
#[derive(Clone, Copy)]
pub(super) enum Rule {
    /// The first one's.
    Race,
    /// The first one's that fails.
    Join,
    /// Nobody's.
    Collect,
}

/// One body: what it was told, and what it ended with.
pub(super) struct Arm<T> {
    node: Arc<Node>,
    scope: ScopeRef,
    requested: bool,
    /// It was told to stop because of another one.
    pub(super) lost: bool,
    /// It stopped because somebody asked the caller to: what stops then has not won over what
    /// finishes its work, and has not failed.
    stopped: bool,
    outcome: Option<Outcome<T>>,
}

impl<T> Arm<T> {
    /// `cx` is the one that the body gets.
    pub(super) fn new<C>(cx: &Cx<C>) -> Self {
        Arm {
            node: cx.share_node(),
            scope: cx.scope().clone(),
            requested: false,
            lost: false,
            stopped: false,
            outcome: None,
        }
    }

    /// Polls its body, unless that has ended; tells whether it has.
    pub(super) fn poll<F>(&mut self, body: Pin<&mut F>, task: &mut Context<'_>) -> bool
    where
        F: Future<Output = (Outcome<T>, Option<Waits>)>,
    {
        if !self.ended()
            && let Poll::Ready((outcome, _)) = body.poll(task)
        {
            self.end(outcome);
        }
        self.ended()
    }

    fn end(&mut self, outcome: Outcome<T>) {
        let cancelled = matches!(&outcome, Err(Failure::Cancelled(_)));
        self.stopped = cancelled && self.scope.level() >= Level::Requested;
        self.outcome = Some(outcome);
    }

    fn ended(&self) -> bool {
        self.outcome.is_some()
    }

    pub(super) fn request(&mut self, reason: Reason) {
        if !self.requested {
            self.requested = true;
            request_scope(&self.node, &self.scope, reason, Budget::UNLIMITED);
        }
    }

    /// Tells it to stop because of another one.
    fn lose(&mut self, kind: ReasonKind) {
        if !self.ended() && !self.lost {
            self.lost = true;
            self.request(Reason::new(kind));
        }
    }

    /// Why the others are to stop now that it has ended; `None` if they are not.
    fn decides(&self, rule: Rule) -> Option<ReasonKind> {
        match rule {
            Rule::Race => self.wins().then_some(ReasonKind::RaceLost),
            Rule::Join => self.failed().then_some(ReasonKind::SiblingFailed),
            Rule::Collect => None,
        }
    }

    /// It ended before any other, and by itself.
    pub(super) fn wins(&self) -> bool {
        self.ended() && !self.lost && !self.stopped
    }

    fn failed(&self) -> bool {
        matches!(&self.outcome, Some(Err(_))) && !self.stopped
    }

    /// Its outcome; once it ended.
    pub(super) fn take(mut self) -> Outcome<T> {
        let outcome = self.outcome.take();
        outcome.unwrap_or_else(|| Err(Cancelled::new(Reason::new(ReasonKind::RaceLost)).into()))
    }
}

impl<T> Drop for Arm<T> {
    fn drop(&mut self) {
        if let Some(timer) = self.scope.end() {
            self.node.tree.host.cancel_timer(timer);
        }
    }
}

/// Runs two bodies, each in a scope of its own, until both have ended.
pub(super) async fn both<C, R, S, A, B>(cx: &Cx<C>, rule: Rule, a: A, b: B) -> (Arm<R::Ok>, Arm<S::Ok>)
where
    R: TaskOutput,
    S: TaskOutput,
    A: AsyncFnOnce(&Cx<C>) -> R,
    B: AsyncFnOnce(&Cx<C>) -> S,
{
    let [cx_a, cx_b] = [(); 2].map(|()| cx.inside(cx.scope().child(Hold::Nothing)));
    let mut body_a = pin!(Some(async { a(&cx_a).await.into_outcome() }));
    let mut body_b = pin!(Some(async { b(&cx_b).await.into_outcome() }));
    let mut body_a = pin!(contain(cx_a.scope(), body_a.as_mut()));
    let mut body_b = pin!(contain(cx_b.scope(), body_b.as_mut()));
    let (mut a, mut b) = (Arm::new(&cx_a), Arm::new(&cx_b));
    poll_fn(|task| {
        a.poll(body_a.as_mut(), task);
        if let Some(why) = a.decides(rule) {
            b.lose(why);
        }
        b.poll(body_b.as_mut(), task);
        if let Some(why) = b.decides(rule) {
            a.lose(why);
            // The request may let it end in this very poll.
            a.poll(body_a.as_mut(), task);
        }
        if a.ended() && b.ended() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    (a, b)
}

/// Runs a body for each item, each in a scope of its own and polled when it was woken, until all have
/// ended.
pub(super) async fn each<C, R, I, F>(cx: &Cx<C>, rule: Rule, items: I, body: F) -> Vec<Arm<R::Ok>>
where
    C: CapSet,
    R: TaskOutput,
    I: IntoIterator,
    F: for<'a> ItemFn<&'a Cx<C>, I::Item, R> + Clone,
{
    let (mut arms, mut set) = (Vec::new(), Set::new());
    for item in items {
        let inside = cx.inside(cx.scope().child(Hold::Nothing));
        let arm = Arm::new(&inside);
        let body = body.clone();
        let bell = set.tower().bell();
        arm.scope.set_home(Waker::from(bell.clone()));
        bell.wake_by_ref();
        let future = async move {
            let mut body = pin!(Some(async { body(&inside, item).await.into_outcome() }));
            contain(inside.scope(), body.as_mut()).await
        };
        set.insert(bell, Box::pin(future));
        arms.push(arm);
    }
    poll_fn(|task| {
        set.gather(task.waker());
        set.poll(task.waker(), cx.scope().is_due(), |at, (outcome, _)| {
            arms[at].end(outcome);
            if let Some(why) = arms[at].decides(rule) {
                arms.iter_mut().for_each(|arm| arm.lose(why));
            }
        });
        if set.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    arms
}
