//! A standing promise: one region after the other in one place, which the region around goes on counting.
//!
//! ```text
//!   Builder::stand ──▶ promise ──▶ PromisedRegion ── end ──▶ vacant ── promise ──▶ PromisedRegion ── ..
//!                                     └── opened, or seen by a request ──▶ no more of them here
//! ```
//!
//! What comes often, and mostly ends at once, such as the requests of a connection, would have its parent's lock
//! taken twice each time, which all connections share.

use std::panic::Location;
use std::sync::Arc;
use std::task::Waker;

use super::Builder;
use super::early::PromisedRegion;
use super::lazy::Lazy;
use crate::caps::HasSpawn;
use crate::cx::Cx;
use crate::outcome::Outcome;
use crate::time::Time;

/// A place for one [promised region](PromisedRegion) after the other; made by [`Builder::stand`].
///
/// The region around counts it as a child region until this is dropped, and is not closed before, unless it is
/// asked to: a request takes the place away.
#[must_use = "the place is given up when it is dropped"]
pub struct Standing(Arc<Lazy>);

impl Builder {
    /// As [`promise`](Self::promise), and keeps the place. While nobody polls a body there, `rests` is woken by a
    /// request to the region.
    ///
    /// ```
    /// # use asupersync::{Cx, Outcome, Region};
    /// # use std::future::poll_fn;
    /// # use std::sync::Arc;
    /// # use std::task::{Poll, Waker};
    /// # #[asupersync::main]
    /// # async fn main(cx: &Cx) -> Outcome<()> {
    /// let lookup = Arc::new(Region::builder("lookup"));
    /// let (mut standing, first) = lookup.stand(cx, None, Waker::noop().clone())?;
    /// assert!(first.end().is_ok());
    /// for n in 0..3 {
    ///     let mut next = standing.promise(&lookup, cx, None).expect("it is vacant")?;
    ///     let mut body = Some(Box::pin(async move { Ok(n) }));
    ///     let early = poll_fn(|task| Poll::Ready(next.poll_body(&mut body, task))).await;
    ///     assert!(matches!(early, Poll::Ready(Some(Ok(answer))) if answer == n));
    ///     assert!(next.end().is_ok());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`promise`](Self::promise).
    #[track_caller]
    pub fn stand<C: HasSpawn>(
        self: &Arc<Self>,
        cx: &Cx<C>,
        since: Option<Time>,
        rests: Waker,
    ) -> Outcome<(Standing, PromisedRegion<C>)> {
        self.may_promise(cx)?;
        let lazy = Lazy::new(cx, self.clone(), Location::caller(), since, Some(rests))?;
        Ok((Standing(lazy.clone()), PromisedRegion::new(lazy)))
    }
}

impl Standing {
    /// The next one. `None` if it cannot be in this place: the last one has not ended, or its body had to wait;
    /// somebody has a [`LazyCx`](super::LazyCx) of it still; it was opened; or a request has come. Nor if it would
    /// be another kind of region, for `builder` and `cx` are not those of the first.
    pub fn promise<C: HasSpawn>(
        &mut self,
        builder: &Arc<Builder>,
        cx: &Cx<C>,
        since: Option<Time>,
    ) -> Option<Outcome<PromisedRegion<C>>> {
        if let Err(failure) = builder.may_promise(cx) {
            return Some(Err(failure));
        }
        let next = self.0.promise_next(cx, builder, since);
        next.then(|| Ok(PromisedRegion::new(self.0.clone())))
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        self.0.give_up();
    }
}
