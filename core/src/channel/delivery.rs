//! A channel whose messages are delivered until they are dealt with: a received one must be acked,
//! or it goes back to the head of the queue.
//!
//! The queue is an [`mpsc`] channel. A delivery keeps the slot of its message until it is acked, so
//! there is room for it to go back to, and senders feel the weight of what is being worked on.
//!
//! At least once, then: what is worked on when its holder is cancelled, panics or is dropped comes
//! again, with the next [`attempt`](Delivery::attempt). The receiver hears of the end only after
//! the last sender is gone *and* every delivery is acked.

use std::ops::Deref;

use super::{SendError, mpsc};
use crate::cancel::Cancelled;
use crate::cx::Cx;
use crate::obligation::{Held, Obligation, kind};

/// A channel for at most `capacity` messages, those in delivery included.
///
/// # Panics
/// If `capacity` is 0.
///
/// ```
/// # use asupersync::{Cx, Outcome, channel::delivery, obligation::hold};
/// # #[asupersync::main]
/// # async fn main(cx: &Cx) -> Outcome<()> {
/// let (tx, mut rx) = delivery::channel(8);
/// tx.send(cx, "job").await?;
/// drop(tx);
/// let mut attempts = 0;
/// while let Some(job) = rx.recv(cx).await? {
///     hold(cx, job, async |job| {
///         attempts += 1;
///         if job.attempt() < 3 { job.nack() } else { job.ack() }
///     })
///     .await;
/// }
/// assert_eq!(attempts, 3);
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let (tx, rx) = mpsc::channel(capacity);
    (Sender(tx), Receiver(rx))
}

struct Parcel<T> {
    message: T,
    attempt: u32,
}

/// An end that sends.
pub struct Sender<T>(mpsc::Sender<Parcel<T>>);

/// The end that receives.
pub struct Receiver<T>(mpsc::Receiver<Parcel<T>>);

/// A received message. Dropped, it is delivered again, before all others; so it is by a `nack`.
///
/// [`hold`](crate::obligation::hold) makes it one that cannot be dropped by mistake.
#[must_use = "dropped, it is delivered again"]
pub struct Delivery<T> {
    /// Until it is acked or put back.
    out: Option<(Parcel<T>, mpsc::Room<Parcel<T>>)>,
}

/// A delivery in [`hold`](crate::obligation::hold).
pub type HeldDelivery<'id, T> = Held<'id, Delivery<T>>;

impl<T> Sender<T> {
    /// Sends a message, waiting for room.
    ///
    /// # Errors
    /// With the message: `Closed` if the receiver is gone; `Cancelled` at Request, if there was no
    /// room at once.
    ///
    /// # Cancel safety
    /// Dropped while it waits, the message is dropped with it.
    pub async fn send<C>(&self, cx: &Cx<C>, message: T) -> Result<(), SendError<T>> {
        let sent = self.0.send(cx, Parcel { message, attempt: 1 }).await;
        sent.map_err(|error| error.map(|parcel| parcel.message))
    }

    /// Sends a message if there is room now.
    ///
    /// # Errors
    /// The message, if the channel is full or its receiver gone.
    pub fn try_send(&self, message: T) -> Result<(), T> {
        self.0.try_send(Parcel { message, attempt: 1 }).map_err(|parcel| parcel.message)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Sender(self.0.clone())
    }
}

impl<T> Receiver<T> {
    /// Waits for a message; `None` once every sender is gone and every message is acked.
    ///
    /// # Errors
    /// `Cancelled` at Request.
    ///
    /// # Cancel safety
    /// A message stays in the channel until it is returned.
    pub async fn recv<C>(&mut self, cx: &Cx<C>) -> Result<Option<Delivery<T>>, Cancelled> {
        let received = self.0.recv_room(cx).await?;
        Ok(received.map(|out| Delivery { out: Some(out) }))
    }
}

impl<T> Delivery<T> {
    /// Which delivery of this message it is, from 1.
    pub fn attempt(&self) -> u32 {
        self.out.as_ref().map_or(0, |(parcel, _)| parcel.attempt)
    }

    /// The message is dealt with, and its slot free.
    pub fn ack(mut self) {
        self.out = None;
    }

    /// The message goes back, as by a drop.
    pub fn nack(self) {
        drop(self);
    }
}

impl<T> Deref for Delivery<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.out.as_ref().expect("full until it is consumed").0.message
    }
}

impl<T> Drop for Delivery<T> {
    fn drop(&mut self) {
        if let Some((parcel, room)) = self.out.take() {
            room.put_back(Parcel { attempt: parcel.attempt.saturating_add(1), ..parcel });
        }
    }
}

impl<T: Send + 'static> Obligation for Delivery<T> {
    type Kind = kind::Delivery;
    type Input = ();
    type Output = ();
    fn commit(self, (): ()) {
        self.ack();
    }
}

impl<T: Send + 'static> HeldDelivery<'_, T> {
    /// Which delivery of this message it is, from 1.
    pub fn attempt(&self) -> u32 {
        self.obligation().attempt()
    }
}
