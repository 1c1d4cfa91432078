//! One body and a limit: a deadline asks it to stop, a shield keeps others from that.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::arm::Arm;
use crate::body::TaskOutput;
use crate::budget::{Budget, Limit};
use crate::cancel::{Hold, Level, Reason, ReasonKind, past_the_drain};
use crate::caps::{CapSet, HasTime};
use crate::cx::Cx;
use crate::outcome::Outcome;
use crate::spawn::contain;
use crate::time::Time;
use crate::timer::Sleep;

impl<C> Cx<C> {
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
        let cx = self.inside(self.scope().limited_child(Hold::Nothing, Budget::deadline(deadline)));
        let mut body = pin!(Some(async { body(&cx).await.into_outcome() }));
        let mut body = pin!(contain(cx.scope(), body.as_mut()));
        let mut arm = Arm::new(&cx);
        let mut clock = Sleep::new(self.host(), deadline);
        poll_fn(|task| {
            if clock.poll(task).is_ready() {
                arm.request(Reason::new(ReasonKind::Deadline));
            }
            if arm.poll(body.as_mut(), task) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        arm.take()
    }

    /// Hides Request and the end of the drain budget from the body, which must end within
    /// `budget`, and is cancelled and dropped when it does not. What the body uses is charged to the
    /// budgets around it all the same.
    ///
    /// # Errors
    /// The body's; `Cancelled` with reason `Deadline`, or `BudgetSpent`, once `budget` is spent.
    ///
    /// # Cancel safety
    /// That of the body: dropped from outside, it is dropped.
    pub async fn shield<R, F>(&self, budget: Budget, body: F) -> Outcome<R::Ok>
    where
        C: CapSet,
        R: TaskOutput,
        F: AsyncFnOnce(&Cx<C>) -> R,
    {
        let budget = budget.starting_at(self.host().now());
        let inside = self.inside(self.scope().limited_child(Hold::All, budget));
        if let Some(limit) = budget.spent_quota() {
            inside.scope().spend(limit);
        }
        let mut body = pin!(Some(async { body(&inside).await.into_outcome() }));
        let mut body = pin!(contain(inside.scope(), body.as_mut()));
        let mut clock = Sleep::new(self.host(), budget.end());
        let shielded = poll_fn(|task| {
            if inside.scope().level() < Level::Spent && clock.poll(task).is_ready() {
                inside.scope().spend(Limit::Time);
            }
            body.as_mut().poll(task)
        });
        past_the_drain(self.scope(), shielded).await.0
    }
}
