//! What a task polls: a future, or one that is shown its task.

use crate::task::TaskRef;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future whose polls see the task that it is in, and so what the owner attached to that.
///
/// Every [`Future`] is one, and looks at nothing. One that does need not hold a
/// part of the meta itself.
///
/// # Examples
///
/// ```
/// use asupersync_task::{Runnable, Schedule, TaskRef, Wake, Work, new};
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
///     fn poll_with(self: Pin<&mut Self>, task: &TaskRef<Name>, _: &mut Context<'_>) -> Poll<String> {
///         Poll::Ready(format!("hello, {}", task.meta().0))
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

    /// As [`Future::poll`], in this task.
    fn poll_with(self: Pin<&mut Self>, task: &TaskRef<M>, cx: &mut Context<'_>) -> Poll<Self::Output>;
}

impl<F: Future, M> Work<M> for F {
    type Output = F::Output;

    fn poll_with(self: Pin<&mut Self>, _: &TaskRef<M>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.poll(cx)
    }
}
