//! What a task polls: a future, or one that is shown what the owner attached.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future whose polls see the meta of the task that it is in.
///
/// Every [`Future`] is one, and looks at nothing. One that does need not hold a
/// part of the meta itself.
///
/// # Examples
///
/// ```
/// use asupersync_task::{Runnable, Schedule, Wake, Work, new};
/// use std::pin::Pin;
/// use std::task::{Context, Poll};
///
/// struct Name(&'static str);
/// impl Schedule for Name {
///     fn schedule(&self, _: Runnable<Self>, _: Wake) {}
/// }
///
/// struct Greets;
/// impl Work<Name> for Greets {
///     type Output = String;
///     fn poll_with(self: Pin<&mut Self>, name: &Name, _: &mut Context<'_>) -> Poll<String> {
///         Poll::Ready(format!("hello, {}", name.0))
///     }
/// }
///
/// let (runnable, mut handle) = new(Greets, Name("you"));
/// let _ = runnable.run();
/// assert_eq!(handle.try_take().unwrap().unwrap(), "hello, you");
/// ```
pub trait Work<M> {
    /// What the task ends with.
    type Output;

    /// As [`Future::poll`], in the task that has this `meta`.
    fn poll_with(self: Pin<&mut Self>, meta: &M, cx: &mut Context<'_>) -> Poll<Self::Output>;
}

impl<F: Future, M> Work<M> for F {
    type Output = F::Output;

    fn poll_with(self: Pin<&mut Self>, _: &M, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.poll(cx)
    }
}
