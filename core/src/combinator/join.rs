//! All of them: a join fails fast, or collects.

use super::arm::{Arm, Rule, both, each};
use crate::body::{ItemFn, TaskOutput};
use crate::caps::CapSet;
use crate::cx::Cx;
use crate::outcome::{Failure, Outcome};

/// The graver of two failures, each with whether its body was told to stop because of another one. To be
/// cancelled because of that weighs least; between equals the first stays.
fn graver(a: (bool, Failure), b: (bool, Failure)) -> (bool, Failure) {
    let weight = |(lost, failure): &(bool, Failure)| {
        let induced = *lost && failure.as_cancelled().is_some();
        (!induced, failure.severity())
    };
    if weight(&b) > weight(&a) { b } else { a }
}

impl<C> Cx<C> {
    /// Runs two bodies and returns both values. When one fails the other gets Request with reason
    /// `SiblingFailed`, and is drained, before this returns.
    ///
    /// # Errors
    /// The graver of the two failures; between equals the first in order, but one that was only
    /// cancelled because the other failed does not count. A value of the other is dropped:
    /// [`join_outcomes`](Self::join_outcomes) keeps it.
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
        let (a, b) = both(self, Rule::Join, a, b).await;
        let (a_lost, b_lost) = (a.lost, b.lost);
        match (a.take(), b.take()) {
            (Ok(a), Ok(b)) => Ok((a, b)),
            (Err(failure), Ok(_)) | (Ok(_), Err(failure)) => Err(failure),
            (Err(a), Err(b)) => Err(graver((a_lost, a), (b_lost, b)).1),
        }
    }

    /// Runs two bodies to their ends and returns both outcomes. A failure of one does not reach the
    /// other.
    ///
    /// # Cancel safety
    /// As [`join`](Self::join).
    ///
    /// ```
    /// # use asupersync::{Cx, Error, Failure, Outcome};
    /// # #[asupersync::main]
    /// # async fn main(cx: &Cx) -> Outcome<()> {
    /// let full = async |_: &Cx| -> Outcome { Err(Failure::Err(Error::msg("disk full"))) };
    /// let (a, b) = cx.join_outcomes(full, async |_| Ok(2)).await;
    /// assert!(a.is_err());
    /// assert_eq!(b?, 2);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn join_outcomes<R, S, A, B>(&self, a: A, b: B) -> (Outcome<R::Ok>, Outcome<S::Ok>)
    where
        C: CapSet,
        R: TaskOutput,
        S: TaskOutput,
        A: AsyncFnOnce(&Cx<C>) -> R,
        B: AsyncFnOnce(&Cx<C>) -> S,
    {
        let (a, b) = both(self, Rule::Collect, a, b).await;
        (a.take(), b.take())
    }

    /// [`join`](Self::join) of as many bodies as there are items: each item goes to a clone of `body`.
    /// Returns the values in the order of the items. Each body is polled only when it was woken.
    ///
    /// # Errors
    /// As [`join`](Self::join): the gravest.
    ///
    /// # Cancel safety
    /// A request to the caller reaches all bodies. Dropped, all bodies are dropped where they wait.
    ///
    /// ```
    /// # use asupersync::{Cx, Outcome};
    /// # use std::time::Duration;
    /// # #[asupersync::main]
    /// # async fn main(cx: &Cx) -> Outcome<()> {
    /// let squares = cx.join_all(1..4, async |cx, n: u64| {
    ///     cx.sleep(Duration::from_millis(10 - n)).await?;
    ///     Ok(n * n)
    /// });
    /// assert_eq!(squares.await?, [1, 4, 9]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn join_all<'s, R, I, F>(
        &'s self,
        items: I,
        body: F,
    ) -> impl Future<Output = Outcome<Vec<R::Ok>>> + Send + use<'s, C, R, I, F>
    where
        C: CapSet,
        R: TaskOutput + 's,
        I: IntoIterator<Item: Send> + Send + 's,
        F: for<'a> ItemFn<&'a Cx<C>, I::Item, R> + Clone + Send + 's,
    {
        let all = each(self, Rule::Join, items, body);
        async move {
            let (mut values, mut failures) = (Vec::new(), Vec::new());
            for arm in all.await {
                let lost = arm.lost;
                match arm.take() {
                    Ok(value) => values.push(value),
                    Err(failure) => failures.push((lost, failure)),
                }
            }
            match failures.into_iter().reduce(graver) {
                None => Ok(values),
                Some((_, failure)) => Err(failure),
            }
        }
    }

    /// [`join_outcomes`](Self::join_outcomes) of as many bodies as there are items, in their order.
    ///
    /// # Cancel safety
    /// As [`join_all`](Self::join_all).
    pub fn join_all_outcomes<'s, R, I, F>(
        &'s self,
        items: I,
        body: F,
    ) -> impl Future<Output = Vec<Outcome<R::Ok>>> + Send + use<'s, C, R, I, F>
    where
        C: CapSet,
        R: TaskOutput + 's,
        I: IntoIterator<Item: Send> + Send + 's,
        F: for<'a> ItemFn<&'a Cx<C>, I::Item, R> + Clone + Send + 's,
    {
        let all = each(self, Rule::Collect, items, body);
        async move { all.await.into_iter().map(Arm::take).collect() }
    }
}
