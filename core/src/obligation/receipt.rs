//! Receipts: what only the end of an obligation makes.
//!
//! A receipt carries the brand of the call that it belongs to: a lifetime that no other call has,
//! and that neither grows nor shrinks. So it cannot be kept, made up, or taken from a neighbour.

use std::marker::PhantomData;

use crate::outcome::Failure;

/// Ties a value to one call of [`hold`](super::hold). Invariant in `'id`, `Send` and `Sync`.
pub(super) type Brand<'id> = PhantomData<fn(&'id ()) -> &'id ()>;

/// Proof that the obligation of this call is resolved; the closure's way out.
///
/// Nobody can make one but the methods that end an obligation, and there is no copying it.
#[must_use = "return it from the closure: it proves that the obligation is resolved"]
pub struct Done<'id, R = ()> {
    value: R,
    brand: Brand<'id>,
}

impl<'id, R> Done<'id, R> {
    pub(super) fn new(value: R) -> Self {
        Done { value, brand: PhantomData }
    }

    pub(super) fn into_value(self) -> R {
        self.value
    }

    /// The same proof with another value, which the call returns.
    ///
    /// ```
    /// # use asupersync::{Cx, Outcome, channel::mpsc};
    /// # #[asupersync::main]
    /// # async fn main(cx: &Cx) -> Outcome<()> {
    /// let (tx, _rx) = mpsc::channel(1);
    /// let length = tx.with_permit(cx, async |permit| permit.send("five!").with(5)).await?;
    /// assert_eq!(length, 5);
    /// # Ok(())
    /// # }
    /// ```
    pub fn with<U>(self, value: U) -> Done<'id, U> {
        Done { value, brand: self.brand }
    }

    /// The same proof with its value changed.
    pub fn map<U>(self, change: impl FnOnce(R) -> U) -> Done<'id, U> {
        Done { value: change(self.value), brand: self.brand }
    }
}

/// Proof that the obligation of this call was aborted because of a failure; the way of `?` out of
/// [`try_hold`](super::try_hold).
///
/// `?` makes it of no other error: see [`Held::or_abort`](super::Held::or_abort).
#[must_use = "return it from the closure: it proves that the obligation is aborted"]
pub struct Aborted<'id> {
    failure: Failure,
    brand: Brand<'id>,
}

impl Aborted<'_> {
    pub(super) fn new(failure: Failure) -> Self {
        Aborted { failure, brand: PhantomData }
    }

    pub(super) fn into_failure(self) -> Failure {
        self.failure
    }
}
