//! Many senders, one receiver, a queue: bounded ([`channel()`]) or not ([`unbounded()`]). FIFO: a full
//! channel serves waiting senders in the order in which they came.
//!
//! A send has two phases: [`Sender::reserve`] waits for room, [`Permit::send`] cannot fail. Between
//! the two nothing is lost, whatever is cancelled. [`Sender::with_permit`] is the form that cannot
//! forget the second phase.
//!
//! Invariant: `queue.len() + permits out <= capacity`; a slot whose permit is dropped unsent, or
//! whose value is received, goes to the first waiting sender. An unbounded channel is one with room
//! for as many values as can be counted, so that nobody ever waits.

mod room;

pub use room::{HeldPermit, Room};

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::SendError;
use crate::cancel::{Cancelled, Level, Note, Use};
use crate::cx::Cx;
use crate::lock::{Mutex, lock};
use crate::sync::waiters::{Waiters, poll_locked};

/// A channel that holds at most `capacity` values.
///
/// # Panics
/// If `capacity` is 0.
///
/// ```
/// # use asupersync::{Cx, Outcome, channel::mpsc};
/// # #[asupersync::main]
/// # async fn main(cx: &Cx) -> Outcome<()> {
/// let (tx, mut rx) = mpsc::channel(8);
/// drop(cx.spawn("numbers", async move |cx| {
///     for n in 1..=3 {
///         tx.send(cx, n).await?;
///     }
///     Ok(())
/// }));
/// let mut sum = 0;
/// while let Some(n) = rx.recv(cx).await? {
///     sum += n;
/// }
/// assert_eq!(sum, 6);
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(capacity > 0, "a channel needs room for at least one value");
    with_room(capacity)
}

/// A channel that holds whatever is sent: a sender never waits, and the queue grows as long as the
/// receiver is slower. Where senders can wait, [`channel()`] keeps them in step.
///
/// ```
/// # use asupersync::{Cx, Outcome, channel::mpsc};
/// # #[asupersync::main]
/// # async fn main(cx: &Cx) -> Outcome<()> {
/// let (tx, mut rx) = mpsc::unbounded();
/// tx.send(1)?;
/// tx.send(2)?;
/// drop(tx);
/// assert_eq!(rx.recv(cx).await?, Some(1));
/// assert_eq!(rx.recv(cx).await?, Some(2));
/// assert_eq!(rx.recv(cx).await?, None);
/// # Ok(())
/// # }
/// ```
pub fn unbounded<T>() -> (UnboundedSender<T>, Receiver<T>) {
    let (sender, receiver) = with_room(usize::MAX);
    (UnboundedSender(sender), receiver)
}

fn with_room<T>(room: usize) -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Mutex::new(State {
        queue: VecDeque::new(),
        room,
        waiters: Waiters::new(),
        receiver: None,
        senders: 1,
        closed: false,
    }));
    (Sender { shared: shared.clone() }, Receiver { shared })
}

/// Where a value joins the queue.
enum End {
    Back,
    /// It was there before.
    Front,
}

struct State<T> {
    queue: VecDeque<T>,
    /// Slots that are neither full nor reserved.
    room: usize,
    waiters: Waiters<()>,
    receiver: Option<Waker>,
    /// Senders, and rooms, each of which may still send.
    senders: usize,
    /// The receiver is gone, or closed the channel.
    closed: bool,
}

impl<T> State<T> {
    /// A reserved slot is filled. Gives the value back if nobody will receive it, to be dropped
    /// outside the lock.
    fn fill(&mut self, value: T, end: End) -> (Option<T>, Option<Waker>) {
        if self.closed {
            return (Some(value), None);
        }
        match end {
            End::Back => self.queue.push_back(value),
            End::Front => self.queue.push_front(value),
        }
        (None, self.receiver.take())
    }

    /// One that could send is gone; the receiver is told of the last.
    fn sender_gone(&mut self) -> Option<Waker> {
        self.senders -= 1;
        if self.senders == 0 { self.receiver.take() } else { None }
    }

    /// A slot became free.
    fn free(&mut self) -> Option<Waker> {
        let granted = self.waiters.grant();
        if granted.is_none() {
            self.room += 1;
        }
        granted
    }
}

/// An end that sends.
pub struct Sender<T> {
    shared: Arc<Mutex<State<T>>>,
}

/// The end that receives.
pub struct Receiver<T> {
    shared: Arc<Mutex<State<T>>>,
}

impl<T> Sender<T> {
    /// Sends a value, waiting for room.
    ///
    /// # Errors
    /// With the value: `Closed` if the receiver is gone; `Cancelled` at Request.
    ///
    /// # Cancel safety
    /// Dropped while it waits, the value is dropped with it. To keep it, [`reserve`](Self::reserve)
    /// first.
    pub async fn send<C>(&self, cx: &Cx<C>, value: T) -> Result<(), SendError<T>> {
        // Room is taken and filled in one step.
        let mut kept = Some(value);
        let fill = |state: &mut State<T>| kept.take().and_then(|value| state.fill(value, End::Back).1);
        let sent = self.when_room(cx, fill).await;
        match (sent, kept) {
            (Err(SendError::Closed(())), Some(value)) => Err(SendError::Closed(value)),
            (Err(SendError::Cancelled((), source)), Some(value)) => Err(SendError::Cancelled(value, source)),
            _ => Ok(()),
        }
    }

    /// Waits for room, and holds it.
    ///
    /// # Errors
    /// `Closed` if the receiver is gone, `Cancelled` at Request.
    ///
    /// # Cancel safety
    /// A waiter that leaves loses its place; room it was handed already goes to the next.
    pub async fn reserve<C>(&self, cx: &Cx<C>) -> Result<Permit<'_, T>, SendError<()>> {
        self.reserve_slot(cx, 0).await?;
        Ok(Permit { shared: &self.shared, sent: false })
    }

    /// Waits for room, and leaves it to the caller to give it back, and to take back the `senders`
    /// that were added with it.
    async fn reserve_slot<C>(&self, cx: &Cx<C>, senders: usize) -> Result<(), SendError<()>> {
        self.when_room(cx, |state| {
            state.senders += senders;
            None
        })
        .await
    }

    /// Waits for room, and does under the lock what is told with it.
    async fn when_room<C>(
        &self,
        cx: &Cx<C>,
        mut then: impl FnMut(&mut State<T>) -> Option<Waker>,
    ) -> Result<(), SendError<()>> {
        let mut reserve = Reserve { shared: &self.shared, key: None };
        let note = Note::on(Use::MpscSend, &*self.shared);
        cx.op(Level::Requested, note, |task| reserve.poll(task, &mut then)).await
    }

    /// Sends a value if there is room now.
    ///
    /// # Errors
    /// The value, if the channel is full or its receiver gone.
    pub fn try_send(&self, value: T) -> Result<(), T> {
        let mut state = lock(&self.shared);
        if state.closed || state.room == 0 {
            return Err(value);
        }
        state.room -= 1;
        let (_, receiver) = state.fill(value, End::Back);
        drop(state);
        receiver.into_iter().for_each(Waker::wake);
        Ok(())
    }

    /// The receiver is gone.
    pub fn is_closed(&self) -> bool {
        lock(&self.shared).closed
    }
}

impl From<Cancelled> for SendError<()> {
    fn from(cancelled: Cancelled) -> Self {
        SendError::Cancelled((), cancelled.into())
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        lock(&self.shared).senders += 1;
        Sender { shared: self.shared.clone() }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut state = lock(&self.shared);
        let receiver = state.sender_gone();
        drop(state);
        receiver.into_iter().for_each(Waker::wake);
    }
}

/// An end that sends and never waits.
pub struct UnboundedSender<T>(Sender<T>);

impl<T> UnboundedSender<T> {
    /// Sends a value. Does not wait, so it has no `Cx`: it is done under Request too.
    ///
    /// # Errors
    /// `Closed`, with the value, if the receiver is gone.
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        self.0.try_send(value).map_err(SendError::Closed)
    }

    /// The receiver is gone.
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}

impl<T> Clone for UnboundedSender<T> {
    fn clone(&self) -> Self {
        UnboundedSender(self.0.clone())
    }
}

struct Reserve<'a, T> {
    shared: &'a Mutex<State<T>>,
    key: Option<usize>,
}

impl<T> Reserve<'_, T> {
    fn poll(
        &mut self,
        task: &mut Context<'_>,
        mut then: impl FnMut(&mut State<T>) -> Option<Waker>,
    ) -> Poll<Result<(), SendError<()>>> {
        let key = &mut self.key;
        let mut receiver = None;
        let polled = poll_locked(self.shared, task, |state, parking| {
            match *key {
                None if state.closed => {}
                None if state.room > 0 => state.room -= 1,
                Some(granted) if state.waiters.is_granted(granted) => {
                    state.waiters.leave(granted);
                    *key = None;
                }
                _ => return state.waiters.wait(key, (), parking),
            }
            if state.closed {
                return Poll::Ready(Err(SendError::Closed(())));
            }
            receiver = then(state);
            Poll::Ready(Ok(()))
        });
        receiver.into_iter().for_each(Waker::wake);
        polled
    }
}

impl<T> Drop for Reserve<'_, T> {
    fn drop(&mut self) {
        let Some(key) = self.key else { return };
        let mut state = lock(self.shared);
        let left = state.waiters.leave(key);
        let next = if left.granted { state.free() } else { None };
        drop(state);
        next.into_iter().for_each(Waker::wake);
    }
}

/// Room for one value. Sending on it cannot fail; dropped, the room is given back.
#[must_use = "dropped unsent, its room is given back"]
pub struct Permit<'a, T> {
    shared: &'a Mutex<State<T>>,
    sent: bool,
}

impl<T> Permit<'_, T> {
    /// Sends. If the receiver has gone meanwhile, the value is dropped, as one that was sent before
    /// and never received would be.
    pub fn send(mut self, value: T) {
        self.sent = true;
        let (_undelivered, receiver) = lock(self.shared).fill(value, End::Back);
        receiver.into_iter().for_each(Waker::wake);
    }
}

impl<T> Drop for Permit<'_, T> {
    fn drop(&mut self) {
        if self.sent {
            return;
        }
        let mut state = lock(self.shared);
        let next = state.free();
        drop(state);
        next.into_iter().for_each(Waker::wake);
    }
}

impl<T> Receiver<T> {
    /// Waits for the next value; `None` once every sender is gone and the queue is empty.
    ///
    /// # Errors
    /// `Cancelled` at Request.
    ///
    /// # Cancel safety
    /// A value stays in the channel until it is returned.
    pub async fn recv<C>(&mut self, cx: &Cx<C>) -> Result<Option<T>, Cancelled> {
        cx.op(Level::Requested, Note::on(Use::MpscRecv, &*self.shared), |task| self.poll_recv(task).map(Ok))
            .await
    }

    /// [`recv`](Self::recv) without a scope.
    pub fn poll_recv(&mut self, task: &mut Context<'_>) -> Poll<Option<T>> {
        self.poll_pop(task, State::free)
    }

    /// Takes the next value, and does with its slot as told.
    fn poll_pop(
        &mut self,
        task: &mut Context<'_>,
        mut slot: impl FnMut(&mut State<T>) -> Option<Waker>,
    ) -> Poll<Option<T>> {
        let mut next = None;
        let polled = poll_locked(&self.shared, task, |state, parking| match state.queue.pop_front() {
            Some(value) => {
                next = slot(state);
                Poll::Ready(Some(value))
            }
            None if state.senders == 0 => Poll::Ready(None),
            None => parking.wait(&mut state.receiver),
        });
        next.into_iter().for_each(Waker::wake);
        polled
    }

    /// The next value, if one is there.
    pub fn try_recv(&mut self) -> Option<T> {
        let mut state = lock(&self.shared);
        let value = state.queue.pop_front()?;
        let next = state.free();
        drop(state);
        next.into_iter().for_each(Waker::wake);
        Some(value)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = lock(&self.shared);
        state.closed = true;
        let undelivered = std::mem::take(&mut state.queue);
        let woken = state.waiters.grant_all();
        drop(state);
        drop(undelivered);
        woken.wake();
    }
}
