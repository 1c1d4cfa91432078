//! Race, join, timeout and shield: each polls its bodies in place, in scopes of their own, and returns
//! only when every body is gone. A loser gets Request and drains; it is never just dropped.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::body::TaskOutput;
use crate::budget::Budget;
use crate::cancel::{Cancelled, Hold, Level, Reason, ReasonKind, Scope, past_the_drain};
use crate::caps::{CapSet, HasTime};
use crate::cx::Cx;
use crate::outcome::{Failure, Outcome};
use crate::region::{Node, request_scope};
use crate::spawn::contain;
use crate::time::Time;
use crate::timer::Sleep;

impl<C> Cx<C> {
    /// Runs two bodies and returns the outcome of the first that ends. The other gets Request with
    /// reason `RaceLost`, and is drained, before this returns.
    ///
    /// # Errors
    /// The winner's. A panic of either is told, whoever won. When the caller is asked to stop, what
    /// one body still finishes goes before the other's `Cancelled`.
    ///
    /// # Cancel safety
    /// A request to the caller reaches both bodies. Dropped, both bodies are dropped where they
    /// wait.
    ///
    /// ```
    /// # use asupersync::{Cx, Outcome};
    /// # use std::time::Duration;
    /// # #[asupersync::main]
    /// # async fn main(cx: &Cx) -> Outcome<()> {
    /// let fast = async |_: &Cx| Ok("fast");
    /// let slow = async |cx: &Cx| {
    ///     cx.sleep(Duration::from_secs(3600)).await?;
    ///     Ok("slow")
    /// };
    /// assert_eq!(cx.race(slow, fast).await?, "fast");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn race<R, A, B>(&self, a: A, b: B) -> Outcome<R::Ok>
    where
        C: CapSet,
        R: TaskOutput,
        A: AsyncFnOnce(&Cx<C>) -> R,
        B: AsyncFnOnce(&Cx<C>) -> R,
    {
        let [cx_a, cx_b] = [(); 2].map(|()| self.inside(self.scope().child(Hold::Nothing)));
        let a = pin!(contain(cx_a.scope(), async { a(&cx_a).await.into_outcome() }));
        let b = pin!(contain(cx_b.scope(), async { b(&cx_b).await.into_outcome() }));
        let mut a = Arm::new(self.node(), cx_a.scope(), a);
        let mut b = Arm::new(self.node(), cx_b.scope(), b);
        run_both(&mut a, &mut b, ReasonKind::RaceLost).await;
        let takes_b = !a.wins() && (b.wins() || a.lost);
        match (a.take(), b.take()) {
            (Err(Failure::Panicked(panic)), _) | (_, Err(Failure::Panicked(panic))) => {
                Err(Failure::Panicked(panic))
            }
            (_, outcome) if takes_b => outcome,
            (outcome, _) => outcome,
        }
    }

    /// Runs two bodies and returns both values. When one fails the other gets Request with reason
    /// `SiblingFailed`, and is drained, before this returns.
    ///
    /// # Errors
    /// The graver of the two failures; between equals the first in order, but one that was only
    /// cancelled because the other failed does not count.
    ///
    /// # Cancel safety
    /// A request to the caller reaches both bodies. Dropped, both bodies are dropped where they
    /// wait.
    ///
    /// ```
    /// # use asupersync::{Cx, Outcome};
    /// # #[asupersync::main]
    /// # async fn main(cx: &Cx) -> Outcome<()> {
    /// let both = cx.join(async |_| Ok(1), async |_| Ok("two")).await?;
    /// assert_eq!(both, (1, "two"));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn join<R, S, A, B>(&self, a: A, b: B) -> Outcome<(R::Ok, S::Ok)>
    where
        C: CapSet,
        R: TaskOutput,
        S: TaskOutput,
        A: AsyncFnOnce(&Cx<C>) -> R,
        B: AsyncFnOnce(&Cx<C>) -> S,
    {
        let [cx_a, cx_b] = [(); 2].map(|()| self.inside(self.scope().child(Hold::Nothing)));
        let a = pin!(contain(cx_a.scope(), async { a(&cx_a).await.into_outcome() }));
        let b = pin!(contain(cx_b.scope(), async { b(&cx_b).await.into_outcome() }));
        let mut a = Arm::new(self.node(), cx_a.scope(), a);
        let mut b = Arm::new(self.node(), cx_b.scope(), b);
        run_both(&mut a, &mut b, ReasonKind::SiblingFailed).await;
        let (a_lost, b_lost) = (a.lost, b.lost);
        match (a.take(), b.take()) {
            (Ok(a), Ok(b)) => Ok((a, b)),
            (Err(failure), Ok(_)) | (Ok(_), Err(failure)) => Err(failure),
            (Err(a), Err(b)) => {
                let induced = |lost: bool, failure: &Failure| lost && failure.as_cancelled().is_some();
                let b_counts = induced(a_lost, &a) || !induced(b_lost, &b) && b.severity() > a.severity();
                Err(if b_counts { b } else { a })
            }
        }
    }

    /// Gives the body `duration`. When that is over the body gets Request with reason `Deadline`
    /// and is drained.
    ///
    /// # Errors
    /// The body's; `Cancelled` with reason `Deadline` when it stopped because of it. A body that
    /// ends with a value while it drains is not too late: nothing is lost.
    ///
    /// # Cancel safety
    /// Dropped, the body is dropped where it waits.
    pub async fn timeout<R, F>(&self, duration: Duration, body: F) -> Outcome<R::Ok>
    where
        C: HasTime,
        R: TaskOutput,
        F: AsyncFnOnce(&Cx<C>) -> R,
    {
        self.deadline(self.now() + duration, body).await
    }

    /// As [`timeout`](Self::timeout), for a point in time. One in the past requests at once.
    ///
    /// # Errors
    /// As [`timeout`](Self::timeout).
    ///
    /// # Cancel safety
    /// As [`timeout`](Self::timeout).
    pub async fn deadline<R, F>(&self, deadline: Time, body: F) -> Outcome<R::Ok>
    where
        C: HasTime,
        R: TaskOutput,
        F: AsyncFnOnce(&Cx<C>) -> R,
    {
        let cx = self.inside(self.scope().deadline_child(deadline));
        let body = pin!(contain(cx.scope(), async { body(&cx).await.into_outcome() }));
        let mut arm = Arm::new(self.node(), cx.scope(), body);
        let mut clock = Sleep::new(self.host(), deadline);
        poll_fn(|task| {
            if clock.poll(task).is_ready() {
                arm.request(Reason::new(ReasonKind::Deadline));
            }
            if arm.poll(task) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        arm.take()
    }

    /// Hides Request and the end of the drain budget from the body, which must end within
    /// `budget`, and is cancelled and dropped when it does not.
    ///
    /// # Errors
    /// The body's; `Cancelled` with reason `Deadline` once `budget` is spent.
    ///
    /// # Cancel safety
    /// That of the body: dropped from outside, it is dropped.
    pub async fn shield<R, F>(&self, budget: Budget, body: F) -> Outcome<R::Ok>
    where
        C: CapSet,
        R: TaskOutput,
        F: AsyncFnOnce(&Cx<C>) -> R,
    {
        let inside = self.inside(self.scope().child(Hold::All));
        let mut body = pin!(contain(inside.scope(), async { body(&inside).await.into_outcome() }));
        let mut clock = Sleep::new(self.host(), budget.deadline_from(self.host().now()));
        let shielded = poll_fn(|task| {
            if inside.scope().level() < Level::Spent && clock.poll(task).is_ready() {
                inside.scope().spend();
            }
            body.as_mut().poll(task)
        });
        past_the_drain(self.scope(), shielded).await.0
    }
}

/// Polls both arms until both have ended. The one that decides the matter tells the other to stop.
async fn run_both<T, U, F, G>(a: &mut Arm<'_, T, F>, b: &mut Arm<'_, U, G>, kind: ReasonKind)
where
    F: Future<Output = (Outcome<T>, bool)>,
    G: Future<Output = (Outcome<U>, bool)>,
{
    poll_fn(|task| {
        a.poll(task);
        if a.decides(kind) {
            b.lose(kind);
        }
        b.poll(task);
        if b.decides(kind) {
            a.lose(kind);
            // The request may let it end in this very poll.
            a.poll(task);
        }
        if a.ended() && b.ended() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// One body of a race or a join, polled until it ended.
struct Arm<'a, T, F> {
    node: &'a Node,
    scope: &'a Arc<Scope>,
    body: Pin<&'a mut F>,
    lost: bool,
    requested: bool,
    outcome: Option<Outcome<T>>,
}

impl<'a, T, F: Future<Output = (Outcome<T>, bool)>> Arm<'a, T, F> {
    fn new(node: &'a Node, scope: &'a Arc<Scope>, body: Pin<&'a mut F>) -> Self {
        Arm { node, scope, body, lost: false, requested: false, outcome: None }
    }

    fn poll(&mut self, task: &mut Context<'_>) -> bool {
        if self.outcome.is_none()
            && let Poll::Ready((outcome, _)) = self.body.as_mut().poll(task)
        {
            self.outcome = Some(outcome);
        }
        self.ended()
    }

    fn ended(&self) -> bool {
        self.outcome.is_some()
    }

    /// Tells it to stop because of the other one.
    fn lose(&mut self, kind: ReasonKind) {
        if !self.ended() && !self.lost {
            self.lost = true;
            self.request(Reason::new(kind));
        }
    }

    /// A race is decided by who wins it, a join by who fails it.
    fn decides(&self, kind: ReasonKind) -> bool {
        if kind == ReasonKind::RaceLost { self.wins() } else { self.failed() }
    }

    /// It failed by itself, and not because somebody asked it to stop: whoever did asks the other.
    fn failed(&self) -> bool {
        match &self.outcome {
            Some(Err(Failure::Cancelled(_))) => self.scope.level() < Level::Requested,
            outcome => matches!(outcome, Some(Err(_))),
        }
    }

    fn request(&mut self, reason: Reason) {
        if !self.requested {
            self.requested = true;
            request_scope(self.node, self.scope, reason, Budget::UNLIMITED);
        }
    }

    /// It ended before it lost, and not because somebody asked the race itself to stop: what
    /// stops then has not won over what finishes its work.
    fn wins(&self) -> bool {
        let stopped = matches!(&self.outcome, Some(Err(Failure::Cancelled(_))));
        self.ended() && !self.lost && !(stopped && self.scope.level() >= Level::Requested)
    }

    /// Its outcome; once it ended.
    fn take(mut self) -> Outcome<T> {
        let outcome = self.outcome.take();
        outcome.unwrap_or_else(|| Err(Cancelled::new(Reason::new(ReasonKind::RaceLost)).into()))
    }
}

impl<T, F> Drop for Arm<'_, T, F> {
    fn drop(&mut self) {
        if let Some(timer) = self.scope.end() {
            self.node.tree.host.cancel_timer(timer);
        }
    }
}
