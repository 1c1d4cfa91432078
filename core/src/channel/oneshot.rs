//! One value, from one sender to one receiver.

use std::task::{Context, Poll, Waker};

use asupersync_task::Shared;

use super::{RecvError, SendError};
use crate::cancel::{Level, Note, Use};
use crate::cx::Cx;
use crate::lock::{Mutex, lock};
use crate::obligation::{self, Held, Obligation, PermitFn, TryPermitFn};
use crate::outcome::Outcome;
use crate::sync::waiters::poll_locked;

/// A channel for one value.
///
/// ```
/// # use asupersync::{Cx, Outcome, channel::oneshot};
/// # #[asupersync::main]
/// # async fn main(cx: &Cx) -> Outcome<()> {
/// let (tx, mut rx) = oneshot::channel();
/// drop(cx.spawn("sender", async move |_| drop(tx.send(7))));
/// assert_eq!(rx.recv(cx).await?, 7);
/// # Ok(())
/// # }
/// ```
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let shared = Shared::new(Mutex::new(State { value: None, waiting: None, closed: false }));
    (Sender { shared: Some(shared.clone()) }, Receiver { shared: Some(shared) })
}

struct State<T> {
    value: Option<T>,
    /// Whoever waits for the other end.
    waiting: Option<Waker>,
    /// One end is gone.
    closed: bool,
}

/// The end that sends.
pub struct Sender<T> {
    /// `None` only while it is dropped.
    shared: Option<Shared<Mutex<State<T>>>>,
}

/// The end that receives.
pub struct Receiver<T> {
    /// `None` once the sender is gone, and what it sent was taken.
    shared: Option<Shared<Mutex<State<T>>>>,
}

/// Closes one end, with a last word to the other. Gives the value back if the other end is gone.
fn close<T>(shared: Shared<Mutex<State<T>>>, value: Option<T>) -> Option<T> {
    let mut state = lock(&shared);
    if std::mem::replace(&mut state.closed, true) {
        return value;
    }
    // A receiver has nothing to say, and what came for it goes with the channel.
    state.value = value.or(state.value.take());
    let waiting = state.waiting.take();
    drop(state);
    // First, so that whoever is woken finds itself alone.
    drop(shared);
    waiting.into_iter().for_each(Waker::wake);
    None
}

impl<T> Sender<T> {
    /// Sends the value. Does not wait.
    ///
    /// # Errors
    /// `Closed`, with the value, if the receiver is gone.
    pub fn send(mut self, value: T) -> Result<(), SendError<T>> {
        let refused = match self.shared.take() {
            Some(shared) => close(shared, Some(value)),
            None => Some(value),
        };
        refused.map_or(Ok(()), |value| Err(SendError::Closed(value)))
    }

    /// The receiver is gone.
    pub fn is_closed(&self) -> bool {
        self.shared.as_ref().is_none_or(|shared| lock(shared).closed)
    }
}

/// The right to send on a oneshot channel, in [`Sender::with_permit`].
pub type HeldPermit<'id, T> = Held<'id, Sender<T>>;

impl<T: Send + 'static> Sender<T> {
    /// Runs `body` with a permit to send, which it must use or abort. If the receiver has gone, the
    /// value is dropped, as one that was sent and never received would be.
    ///
    /// # Cancel safety
    /// Dropped, `body` is dropped and the receiver is told `Closed`.
    ///
    /// ```
    /// # use asupersync::{Cx, Outcome, channel::oneshot};
    /// # #[asupersync::main]
    /// # async fn main(cx: &Cx) -> Outcome<()> {
    /// let (tx, mut rx) = oneshot::channel();
    /// tx.with_permit(cx, async |permit| permit.send(7)).await;
    /// assert_eq!(rx.recv(cx).await?, 7);
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_permit<'s, C, R, F>(self, cx: &'s Cx<C>, body: F) -> impl Future<Output = R> + Send + 's
    where
        C: 's,
        R: Send + 's,
        F: for<'id> PermitFn<'id, Sender<T>, R> + Send + 's,
    {
        obligation::hold(cx, self, body)
    }

    /// [`with_permit`](Self::with_permit) for a `body` with `?` in it.
    ///
    /// # Errors
    /// The body's.
    ///
    /// # Cancel safety
    /// As [`with_permit`](Self::with_permit).
    ///
    /// ```
    /// # use asupersync::{Cx, Outcome, channel::oneshot};
    /// # #[asupersync::main]
    /// # async fn main(cx: &Cx) -> Outcome<()> {
    /// let (tx, mut rx) = oneshot::channel();
    /// tx.try_with_permit(cx, async |permit| {
    ///     let (permit, number) = permit.or_abort("7".parse::<u8>())?;
    ///     Ok(permit.send(number))
    /// })
    /// .await?;
    /// assert_eq!(rx.recv(cx).await?, 7);
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_with_permit<'s, C, R, F>(
        self,
        cx: &'s Cx<C>,
        body: F,
    ) -> impl Future<Output = Outcome<R>> + Send + 's
    where
        C: 's,
        R: Send + 's,
        F: for<'id> TryPermitFn<'id, Sender<T>, R> + Send + 's,
    {
        obligation::try_hold(cx, self, body)
    }
}

/// Dropped, the receiver is told `Closed`.
impl<T: Send + 'static> Obligation for Sender<T> {
    type Kind = obligation::kind::Permit;
    type Input = T;
    type Output = ();
    fn commit(self, value: T) {
        drop(self.send(value));
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.take() {
            close(shared, None);
        }
    }
}

impl<T> Receiver<T> {
    /// Waits for the value.
    ///
    /// # Errors
    /// `Closed` if the sender is gone without a value, or the value was received before;
    /// `Cancelled` at Request.
    ///
    /// # Cancel safety
    /// The value stays in the channel until it is returned.
    pub async fn recv<C>(&mut self, cx: &Cx<C>) -> Result<T, RecvError> {
        let note =
            Note::at(Use::OneshotRecv, self.shared.as_deref().map_or(std::ptr::null(), std::ptr::from_ref));
        cx.op(Level::Requested, note, |task| self.poll_recv(task)).await
    }

    /// [`recv`](Self::recv) without a scope.
    pub fn poll_recv(&mut self, task: &mut Context<'_>) -> Poll<Result<T, RecvError>> {
        let shared = match self.shared.take().map(Shared::into_inner) {
            None => return Poll::Ready(Err(RecvError::Closed)),
            // The last one needs no lock.
            Some(Ok(state)) => {
                state.object().write();
                return Poll::Ready(state.into_inner().value.ok_or(RecvError::Closed));
            }
            Some(Err(shared)) => self.shared.insert(shared),
        };
        let polled = poll_locked(shared, task, |state, parking| match state.value.take() {
            Some(value) => Poll::Ready(Ok(value)),
            None if state.closed => Poll::Ready(Err(RecvError::Closed)),
            None => parking.wait(&mut state.waiting),
        });
        if polled.is_ready() {
            self.shared = None;
        }
        polled
    }

    /// The value, if it is there.
    pub fn try_recv(&mut self) -> Option<T> {
        lock(self.shared.as_ref()?).value.take()
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.take() {
            close(shared, None);
        }
    }
}
