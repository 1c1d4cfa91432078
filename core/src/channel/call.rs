//! Request and response: a client asks, and hears either the answer or that there will be none.
//!
//! A question travels in an [`mpsc`] channel with the sender of a [`oneshot`] for its answer. That
//! sender is an obligation: however its holder ends, the caller is told.

use std::error::Error as StdError;
use std::fmt;

use super::error::CancelledSource;
use super::{RecvError, SendError, mpsc, oneshot};
use crate::cancel::Cancelled;
use crate::cx::Cx;
use crate::obligation::{Held, Obligation, kind};

/// A channel on which at most `capacity` questions wait to be taken up.
///
/// # Panics
/// If `capacity` is 0.
///
/// ```
/// # use asupersync::{Cx, Outcome, channel::call, obligation::hold};
/// # #[asupersync::main]
/// # async fn main(cx: &Cx) -> Outcome<()> {
/// let (client, mut server) = call::channel::<&str, usize>(8);
/// drop(cx.spawn("server", async move |cx| {
///     while let Some(call::Request { question, reply }) = server.recv(cx).await? {
///         hold(cx, reply, async |reply| match question {
///             "" => reply.abort(),
///             text => reply.answer(text.len()),
///         })
///         .await;
///     }
///     Ok(())
/// }));
/// assert_eq!(client.call(cx, "hello").await?, 5);
/// assert!(matches!(client.call(cx, "").await, Err(call::CallError::Aborted)));
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn channel<Q, A>(capacity: usize) -> (Client<Q, A>, Server<Q, A>) {
    let (tx, rx) = mpsc::channel(capacity);
    (Client(tx), Server(rx))
}

/// An end that asks.
pub struct Client<Q, A>(mpsc::Sender<Request<Q, A>>);

/// The end that answers.
pub struct Server<Q, A>(mpsc::Receiver<Request<Q, A>>);

/// A question, and the duty to answer it.
pub struct Request<Q, A> {
    /// What is asked.
    pub question: Q,
    /// Who waits for the answer.
    pub reply: Reply<A>,
}

/// Somebody waits for an answer. Dropped, they are told [`Aborted`](CallError::Aborted).
///
/// [`hold`](crate::obligation::hold) makes it one that cannot be dropped by mistake.
#[must_use = "dropped, the caller is told that there will be no answer"]
pub struct Reply<A>(oneshot::Sender<A>);

/// A reply in [`hold`](crate::obligation::hold).
pub type HeldReply<'id, A> = Held<'id, Reply<A>>;

impl<Q, A> Client<Q, A> {
    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// [`Unasked`](CallError::Unasked), with the question, if the server is gone, or at Request
    /// while there was no room; [`Aborted`](CallError::Aborted) if the question was not answered;
    /// [`Cancelled`](CallError::Cancelled) at Request while it waits for the answer. To wait on, call
    /// inside [`Cx::finish`].
    ///
    /// # Cancel safety
    /// Dropped before the question was sent, it is dropped. After that it stays asked, and whoever
    /// answers finds that nobody [waits](Reply::is_abandoned) any more.
    pub async fn call<C>(&self, cx: &Cx<C>, question: Q) -> Result<A, CallError<Q>> {
        let (tx, mut answer) = oneshot::channel();
        let request = Request { question, reply: Reply(tx) };
        if let Err(unsent) = self.0.send(cx, request).await {
            return Err(CallError::Unasked(unsent.map(|request| request.question)));
        }
        answer.recv(cx).await.map_err(|error| match error {
            RecvError::Closed => CallError::Aborted,
            RecvError::Cancelled(source) => CallError::Cancelled(source),
        })
    }
}

impl<Q, A> Clone for Client<Q, A> {
    fn clone(&self) -> Self {
        Client(self.0.clone())
    }
}

impl<Q, A> Server<Q, A> {
    /// Waits for the next question; `None` once every client is gone.
    ///
    /// # Errors
    /// `Cancelled` at Request.
    ///
    /// # Cancel safety
    /// A question stays in the channel until it is returned.
    pub async fn recv<C>(&mut self, cx: &Cx<C>) -> Result<Option<Request<Q, A>>, Cancelled> {
        self.0.recv(cx).await
    }
}

impl<A> Reply<A> {
    /// Answers. If nobody waits any more, the answer is dropped.
    pub fn answer(self, answer: A) {
        drop(self.0.send(answer));
    }

    /// Nobody waits for the answer any more.
    pub fn is_abandoned(&self) -> bool {
        self.0.is_closed()
    }
}

impl<A: Send + 'static> Obligation for Reply<A> {
    type Kind = kind::Reply;
    type Input = A;
    type Output = ();
    fn commit(self, answer: A) {
        self.answer(answer);
    }
}

impl<A: Send + 'static> HeldReply<'_, A> {
    /// Nobody waits for the answer any more.
    pub fn is_abandoned(&self) -> bool {
        self.obligation().is_abandoned()
    }
}

/// A call without an answer. `?` finds the cancellation in it.
pub enum CallError<Q> {
    /// The question did not reach the server.
    Unasked(SendError<Q>),
    /// The server withdrew, or ended, without an answer.
    Aborted,
    /// The caller's scope came under Request while it waited for the answer.
    Cancelled(CancelledSource),
}

impl<Q> fmt::Debug for CallError<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallError::Unasked(unsent) => write!(f, "Unasked({unsent:?})"),
            CallError::Aborted => f.write_str("Aborted"),
            CallError::Cancelled(source) => write!(f, "Cancelled({:?})", source.cancelled()),
        }
    }
}

impl<Q> fmt::Display for CallError<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallError::Unasked(unsent) => unsent.fmt(f),
            CallError::Aborted => f.write_str("no answer: whoever was to give it withdrew"),
            CallError::Cancelled(source) => write!(f, "no answer: {}", source.cancelled()),
        }
    }
}

impl<Q> StdError for CallError<Q> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            CallError::Unasked(unsent) => unsent.source(),
            CallError::Aborted => None,
            CallError::Cancelled(source) => Some(source.as_std()),
        }
    }
}
