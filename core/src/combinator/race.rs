//! The first that ends wins; the others get Request, and are drained.
//!
//! A loser may still end with a value: it may have taken a message off a queue and finish with it while
//! it drains. `race` drops such a value, as its caller asked for one. `select` hands out both outcomes,
//! so that nothing is lost: what becomes of the loser's is the caller's to say.

use super::arm::{Arm, Rule, both, each};
use crate::body::{ItemFn, TaskOutput};
use crate::caps::CapSet;
use crate::cx::Cx;
use crate::outcome::{Error, Failure, Outcome};

/// The value of the one body or of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Either<A, B> {
    /// The first body's.
    First(A),
    /// The second body's.
    Second(B),
}

/// How [`Cx::select`] ended: both outcomes, and whose came first.
#[derive(Clone, Debug)]
#[must_use = "the loser's outcome may be a value"]
pub enum Selected<A, B> {
    /// The first body won.
    First {
        /// Its outcome.
        won: Outcome<A>,
        /// What the second one ended with after Request: mostly `Cancelled`, but perhaps a value.
        lost: Outcome<B>,
    },
    /// The second body won.
    Second {
        /// Its outcome.
        won: Outcome<B>,
        /// What the first one ended with after Request: mostly `Cancelled`, but perhaps a value.
        lost: Outcome<A>,
    },
}

impl<A, B> Selected<A, B> {
    /// The winner's value. A value of the loser is dropped.
    ///
    /// # Errors
    /// The winner's; and a panic of either, whoever won.
    pub fn winner(self) -> Outcome<Either<A, B>> {
        match self {
            Selected::First { lost: Err(Failure::Panicked(panic)), .. }
            | Selected::Second { lost: Err(Failure::Panicked(panic)), .. } => Err(Failure::Panicked(panic)),
            Selected::First { won, .. } => won.map(Either::First),
            Selected::Second { won, .. } => won.map(Either::Second),
        }
    }
}

/// How [`Cx::select_all`] ended: all outcomes, and whose came first.
#[derive(Clone, Debug)]
#[must_use = "a loser's outcome may be a value"]
pub struct SelectedAll<T> {
    /// Which one won. `None` if there was no item, or if all stopped because the caller was asked to.
    pub winner: Option<usize>,
    /// What the bodies ended with, in the order of the items.
    pub outcomes: Vec<Outcome<T>>,
}

impl<T> SelectedAll<T> {
    /// The winner's value. Values of losers are dropped.
    ///
    /// # Errors
    /// The winner's; and a panic of any, whoever won. An error if there was no item.
    pub fn winner(self) -> Outcome<T> {
        let is_panic = |outcome: &Outcome<T>| matches!(outcome, Err(Failure::Panicked(_)));
        let at = self.outcomes.iter().position(is_panic).or(self.winner).unwrap_or(0);
        let nobody = || Failure::Err(Error::msg("a race among no bodies: give it an item at least"));
        self.outcomes.into_iter().nth(at).unwrap_or_else(|| Err(nobody()))
    }
}

impl<C> Cx<C> {
    /// Runs two bodies and returns the outcome of the first that ends. The other gets Request with
    /// reason `RaceLost`, and is drained, before this returns.
    ///
    /// If the loser ends with a value all the same, that is dropped; [`select`](Self::select) keeps it.
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
        let (Either::First(value) | Either::Second(value)) = self.select(a, b).await.winner()?;
        Ok(value)
    }

    /// Runs two bodies, which may return different types, until the first ends. The other gets Request
    /// with reason `RaceLost`, and is drained, before this returns: with both outcomes, so that a value
    /// with which the loser ended after all is not lost.
    ///
    /// When the caller is asked to stop, what one body still finishes wins over the other's `Cancelled`.
    ///
    /// # Cancel safety
    /// A request to the caller reaches both bodies. Dropped, both bodies are dropped where they
    /// wait.
    ///
    /// ```
    /// # use asupersync::channel::mpsc;
    /// # use asupersync::{Cx, Either, Outcome, Selected};
    /// # use std::time::Duration;
    /// # #[asupersync::main]
    /// # async fn main(cx: &Cx) -> Outcome<()> {
    /// # let (tx, mut jobs) = mpsc::channel(1);
    /// # tx.send(cx, 7).await?;
    /// let job = async |cx: &Cx| Ok(jobs.recv(cx).await?);
    /// let tick = async |cx: &Cx| Ok(cx.sleep(Duration::from_secs(3600)).await?);
    /// match cx.select(job, tick).await.winner()? {
    ///     Either::First(job) => assert_eq!(job, Some(7)),
    ///     Either::Second(()) => unreachable!("an hour has not passed"),
    /// }
    ///
    /// // A loser that finishes what it began:
    /// let write = async |cx: &Cx| {
    ///     cx.cancelled().await;
    ///     cx.finish(async |_| Ok("written")).await
    /// };
    /// match cx.select(write, async |_| Ok(())).await {
    ///     Selected::Second { lost, .. } => assert_eq!(lost?, "written"),
    ///     Selected::First { .. } => unreachable!("it ends when it has lost"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn select<R, S, A, B>(&self, a: A, b: B) -> Selected<R::Ok, S::Ok>
    where
        C: CapSet,
        R: TaskOutput,
        S: TaskOutput,
        A: AsyncFnOnce(&Cx<C>) -> R,
        B: AsyncFnOnce(&Cx<C>) -> S,
    {
        let (a, b) = both(self, Rule::Race, a, b).await;
        if b.wins() {
            Selected::Second { lost: a.take(), won: b.take() }
        } else {
            Selected::First { won: a.take(), lost: b.take() }
        }
    }

    /// [`race`](Self::race) among as many bodies as there are items: each item goes to a clone of
    /// `body`. Each body is polled only when it was woken.
    ///
    /// # Errors
    /// The winner's. A panic of any is told, whoever won. An error if there is no item.
    ///
    /// # Cancel safety
    /// A request to the caller reaches all bodies. Dropped, all bodies are dropped where they wait.
    ///
    /// ```
    /// # use asupersync::{Cx, Outcome};
    /// # use std::time::Duration;
    /// # #[asupersync::main]
    /// # async fn main(cx: &Cx) -> Outcome<()> {
    /// let first = cx.race_all([300, 1, 200], async |cx, ms| {
    ///     cx.sleep(Duration::from_millis(ms)).await?;
    ///     Ok(ms)
    /// });
    /// assert_eq!(first.await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn race_all<'s, R, I, F>(
        &'s self,
        items: I,
        body: F,
    ) -> impl Future<Output = Outcome<R::Ok>> + Send + use<'s, C, R, I, F>
    where
        C: CapSet,
        R: TaskOutput + 's,
        I: IntoIterator<Item: Send> + Send + 's,
        F: for<'a> ItemFn<&'a Cx<C>, I::Item, R> + Clone + Send + 's,
    {
        let all = self.select_all(items, body);
        async move { all.await.winner() }
    }

    /// As [`race_all`](Self::race_all), and tells all outcomes, so that the values of losers that ended
    /// with one after all are not lost.
    ///
    /// # Cancel safety
    /// As [`race_all`](Self::race_all).
    pub fn select_all<'s, R, I, F>(
        &'s self,
        items: I,
        body: F,
    ) -> impl Future<Output = SelectedAll<R::Ok>> + Send + use<'s, C, R, I, F>
    where
        C: CapSet,
        R: TaskOutput + 's,
        I: IntoIterator<Item: Send> + Send + 's,
        F: for<'a> ItemFn<&'a Cx<C>, I::Item, R> + Clone + Send + 's,
    {
        let all = each(self, Rule::Race, items, body);
        async move {
            let arms = all.await;
            let winner = arms.iter().position(Arm::wins);
            SelectedAll { winner, outcomes: arms.into_iter().map(Arm::take).collect() }
        }
    }
}
