//! Random numbers as a capability, from a stream that the host seeds.
//!
//! On the native host and on Tokio's the seed is the system's; in the lab it follows from the lab's
//! own, so that a run replays. The generator is wyrand, of the crate `fastrand`: fast, with a state of
//! 64 bits, and predictable for whoever sees enough of it.

use std::fmt;

use crate::caps::HasRandom;
use crate::cx::Cx;

/// A stream of random numbers, from [`Cx::random`]. Not for secrets.
///
/// ```
/// use asupersync::{Cx, Outcome};
///
/// #[asupersync::main]
/// async fn main(cx: &Cx) -> Outcome {
///     let mut random = cx.random();
///     assert!(random.below(6) < 6);
///     assert!((0.0..1.0).contains(&random.unit()));
///     let mut order = [1, 2, 3];
///     random.shuffle(&mut order);
///     assert_eq!(order.iter().sum::<i32>(), 6);
///     Ok(())
/// }
/// ```
pub struct Random(fastrand::Rng);

impl Random {
    /// The stream of this seed, the same each time.
    ///
    /// ```
    /// use asupersync::Random;
    /// assert_eq!(Random::seeded(7).bits(), Random::seeded(7).bits());
    /// ```
    pub fn seeded(seed: u64) -> Self {
        Random(fastrand::Rng::with_seed(seed))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.u64(..)
    }

    /// One of `0..count`, each as likely.
    ///
    /// # Panics
    /// If `count` is 0.
    #[track_caller]
    pub fn below(&mut self, count: u64) -> u64 {
        assert!(count > 0, "there is no number below 0");
        self.0.u64(..count)
    }

    /// A number from 0 to 1, but not 1.
    pub fn unit(&mut self) -> f64 {
        self.0.f64()
    }

    /// Fills `bytes`.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }

    /// Puts `items` in one of all their orders.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        self.0.shuffle(items);
    }

    /// Another stream, for a part of the work that shall not depend on how much this one draws.
    #[must_use = "this stream has moved on"]
    pub fn fork(&mut self) -> Random {
        Random(self.0.fork())
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Random").finish_non_exhaustive()
    }
}

impl<C> Cx<C> {
    /// A stream of random numbers of its own: each call begins another one.
    pub fn random(&self) -> Random
    where
        C: HasRandom,
    {
        Random::seeded(self.host().random_seed())
    }
}
