//! What can be a task: an `async |cx| ..` that returns an [`Outcome`], or nothing.

use std::future::Future;

use crate::outcome::Outcome;

/// What a task body may return: an [`Outcome`], or nothing.
#[diagnostic::on_unimplemented(
    message = "a task cannot return `{Self}`",
    label = "return `Outcome<T>`, or nothing",
    note = "end the body with `Ok(value)`; a body that is an endless loop with `?` wants `async |cx| -> Outcome {{ .. }}`"
)]
pub trait TaskOutput: Send {
    /// The value on success.
    type Ok: Send;
    /// As an outcome.
    fn into_outcome(self) -> Outcome<Self::Ok>;
}

impl<T: Send> TaskOutput for Outcome<T> {
    type Ok = T;
    fn into_outcome(self) -> Outcome<T> {
        self
    }
}

impl TaskOutput for () {
    type Ok = ();
    fn into_outcome(self) -> Outcome<()> {
        Ok(())
    }
}

/// An `async |cx| ..` whose future can be named, so that it can be asked to be `Send`.
///
/// Implemented for every async closure; nobody implements it by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no task body",
    note = "write `async |cx| {{ .. }}`; a future that exists already goes to `cx.spawn_future`"
)]
pub trait TaskFn<A, T>: AsyncFnOnce(A) -> T + FnOnce(A) -> <Self as TaskFn<A, T>>::Fut {
    /// What the closure returns.
    type Fut: Future<Output = T>;
}

#[diagnostic::do_not_recommend]
impl<A, T, F, Fut> TaskFn<A, T> for F
where
    F: AsyncFnOnce(A) -> T + FnOnce(A) -> Fut,
    Fut: Future<Output = T>,
{
    type Fut = Fut;
}

/// An `async |cx, item| ..` whose future can be named, and is `Send`: a body that is given something
/// besides its `Cx`.
///
/// Implemented for every such async closure; nobody implements it by hand. That the future is `Send` is
/// said here, and not where the trait is used, so that what it is given may be a borrow of a spawned task's.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no body for this",
    note = "write `async |cx, item| {{ .. }}`, with nothing in it that is not `Send`"
)]
pub trait ItemFn<A, B, T>: AsyncFnOnce(A, B) -> T + FnOnce(A, B) -> <Self as ItemFn<A, B, T>>::Fut {
    /// What the closure returns.
    type Fut: Future<Output = T> + Send;
}

#[diagnostic::do_not_recommend]
impl<A, B, T, F, Fut> ItemFn<A, B, T> for F
where
    F: AsyncFnOnce(A, B) -> T + FnOnce(A, B) -> Fut,
    Fut: Future<Output = T> + Send,
{
    type Fut = Fut;
}
