//! Room for one value as an obligation: it owns its share of the channel, so it can move to another
//! task, and while it is out the channel is not closed for want of senders.

use std::sync::Arc;
use std::task::{Poll, Waker};

use super::{End, Receiver, Sender, Shared};
use crate::cancel::{Cancelled, Level, Note, Use};
use crate::channel::SendError;
use crate::cx::Cx;
use crate::obligation::{Held, Obligation, PermitFn, TryPermitFn, hold, kind, try_hold};
use crate::outcome::Outcome;
use crate::sync::waiters::poll_locked;

/// Room for one value in a channel: the permit of [`Sender::with_permit`], and of what is detached
/// from it. Dropped, the room is given back.
pub struct Room<T> {
    shared: Arc<Shared<T>>,
    /// Neither filled nor given back yet.
    reserved: bool,
}

/// The right to send on this kind of channel, in [`Sender::with_permit`].
pub type HeldPermit<'id, T> = Held<'id, Room<T>>;

impl<T> Room<T> {
    /// For a slot that is reserved and a sender that is counted already.
    fn new(shared: &Arc<Shared<T>>) -> Self {
        Room { shared: shared.clone(), reserved: true }
    }

    fn fill(mut self, value: T, end: End) {
        self.reserved = false;
        let (_undelivered, receiver) = self.shared.lock().fill(value, end);
        receiver.into_iter().for_each(Waker::wake);
    }

    /// Sends a value that was received before, ahead of all others.
    pub(in crate::channel) fn put_back(self, value: T) {
        self.fill(value, End::Front);
    }
}

/// Dropped, the room is given back.
impl<T: Send + 'static> Obligation for Room<T> {
    type Kind = kind::Permit;
    type Input = T;
    type Output = ();
    fn commit(self, value: T) {
        self.fill(value, End::Back);
    }
}

impl<T> Drop for Room<T> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        let next = if self.reserved { state.free() } else { None };
        let receiver = state.sender_gone();
        drop(state);
        next.into_iter().chain(receiver).for_each(Waker::wake);
    }
}

impl<T: Send + 'static> Sender<T> {
    /// Waits for room, and runs `body` with a permit for it, which it must use or abort. If the
    /// receiver goes meanwhile, the value is dropped, as one that was sent and never received would
    /// be.
    ///
    /// # Errors
    /// `Closed` if the receiver is gone, `Cancelled` at Request; both without running `body`.
    ///
    /// # Cancel safety
    /// A waiter that leaves loses its place. Dropped later, `body` is dropped and the room given
    /// back.
    ///
    /// ```
    /// # use asupersync::{Cx, Outcome, channel::mpsc};
    /// # #[asupersync::main]
    /// # async fn main(cx: &Cx) -> Outcome<()> {
    /// let (tx, mut rx) = mpsc::channel(1);
    /// tx.with_permit(cx, async |permit| {
    ///     // Room is certain before the work is done.
    ///     permit.send(6 * 7)
    /// })
    /// .await?;
    /// assert_eq!(rx.recv(cx).await?, Some(42));
    /// # Ok(())
    /// # }
    /// ```
    #[expect(clippy::manual_async_fn, reason = "the signature promises `Send`")]
    pub fn with_permit<'s, C, R, F>(
        &'s self,
        cx: &'s Cx<C>,
        body: F,
    ) -> impl Future<Output = Result<R, SendError<()>>> + Send + 's
    where
        C: 's,
        R: Send + 's,
        F: for<'id> PermitFn<'id, Room<T>, R> + Send + 's,
    {
        async move {
            let room = self.room(cx).await?;
            Ok(hold(cx, room, body).await)
        }
    }

    /// [`with_permit`](Self::with_permit) for a `body` with `?` in it.
    ///
    /// # Errors
    /// As [`with_permit`](Self::with_permit), and the body's.
    ///
    /// # Cancel safety
    /// As [`with_permit`](Self::with_permit).
    ///
    /// ```
    /// # use asupersync::{Cx, Outcome, channel::mpsc};
    /// # #[asupersync::main]
    /// # async fn main(cx: &Cx) -> Outcome<()> {
    /// let (tx, mut rx) = mpsc::channel(1);
    /// tx.try_with_permit(cx, async |permit| {
    ///     let (permit, ()) = permit.or_abort(cx.yield_now().await)?;
    ///     Ok(permit.send(42))
    /// })
    /// .await?;
    /// assert_eq!(rx.recv(cx).await?, Some(42));
    /// # Ok(())
    /// # }
    /// ```
    #[expect(clippy::manual_async_fn, reason = "the signature promises `Send`")]
    pub fn try_with_permit<'s, C, R, F>(
        &'s self,
        cx: &'s Cx<C>,
        body: F,
    ) -> impl Future<Output = Outcome<R>> + Send + 's
    where
        C: 's,
        R: Send + 's,
        F: for<'id> TryPermitFn<'id, Room<T>, R> + Send + 's,
    {
        async move {
            let room = self.room(cx).await?;
            try_hold(cx, room, body).await
        }
    }

    async fn room<C>(&self, cx: &Cx<C>) -> Result<Room<T>, SendError<()>> {
        self.reserve_slot(cx, 1).await?;
        Ok(Room::new(&self.shared))
    }
}

impl<T> Receiver<T> {
    /// [`recv`](Receiver::recv), which keeps the value's slot reserved, for it may be put back: so it takes one
    /// at a time. Nobody else receives here.
    pub(in crate::channel) async fn recv_room<C>(
        &mut self,
        cx: &Cx<C>,
    ) -> Result<Option<(T, Room<T>)>, Cancelled> {
        cx.op(Level::Requested, Note::on(Use::MpscRecv, &*self.shared), |task| {
            let popped =
                poll_locked(&self.shared.state, task, |state, parking| match state.queue.pop_front() {
                    Some(value) => {
                        state.senders += 1;
                        Poll::Ready(Some(value))
                    }
                    None if state.senders == 0 => Poll::Ready(None),
                    None => parking.wait(&mut state.receiver),
                });
            popped.map(|popped| Ok(popped.map(|value| (value, Room::new(&self.shared)))))
        })
        .await
    }
}
