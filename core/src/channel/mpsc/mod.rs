//! Many senders, one receiver, a queue: bounded ([`channel()`]) or not ([`unbounded()`]). FIFO: a full
//! channel serves waiting senders in the order in which they came.
//!
//! A send has two phases: [`Sender::reserve`] waits for room, [`Permit::send`] cannot fail. Between
//! the two nothing is lost, whatever is cancelled. [`Sender::with_permit`] is the form that cannot
//! forget the second phase.
//!
//! The receiver takes all that is queued at once, into a batch of its own, and gives the slots back one by
//! one as it returns the values: where it lags behind, it meets the senders at the lock only now and then.
//!
//! Invariants:
//! 1. Values queued and in the batch, permits out, `room` and slots `Freed` are as many as the capacity. A
//!    slot whose permit is dropped unsent, or whose value is received, goes to the first waiting sender.
//! 2. If there is `room`, nobody waits for it.
//!
//! An unbounded channel is one with room for as many values as can be counted, so that nobody ever waits, and
//! no slot is given back.

mod freed;
#[cfg(all(test, loom))]
mod loom;
mod room;

pub use room::{HeldPermit, Room};

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use freed::Freed;

use super::SendError;
use crate::cancel::{Cancelled, Level, Note, Use};
use crate::cx::Cx;
use crate::lock::{Mutex, MutexGuard, lock};
use crate::sync::waiters::{Waiters, Woken, poll_locked};

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
    with_room(capacity as u64)
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
    let (sender, receiver) = with_room(UNBOUNDED);
    (UnboundedSender(sender), receiver)
}

/// More than will ever be sent.
const UNBOUNDED: u64 = u64::MAX;

fn with_room<T>(room: u64) -> (Sender<T>, Receiver<T>) {
    let state = State {
        queue: VecDeque::new(),
        room,
        waiters: Waiters::new(),
        receiver: None,
        senders: 1,
        closed: false,
    };
    let shared = Arc::new(Shared { state: Mutex::new(state), freed: Freed::new() });
    (
        Sender { shared: shared.clone() },
        Receiver { shared, batch: VecDeque::new(), bounded: room != UNBOUNDED },
    )
}

struct Shared<T> {
    state: Mutex<State<T>>,
    freed: Freed,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        lock(&self.state)
    }

    /// The receiver has emptied a slot.
    fn free(&self) {
        self.state.object().write();
        if self.freed.count() {
            self.pass_on();
        }
    }

    /// The receiver gives what is free to those who wait for it.
    #[cold]
    fn pass_on(&self) {
        let mut woken = Woken::default();
        let mut state = self.lock();
        state.collect(&self.freed, &mut woken);
        if state.waiters.is_empty() {
            self.freed.end_call();
        }
        drop(state);
        woken.wake();
    }
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
    room: u64,
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

    /// Takes a slot, if one is free. Those who wait come first.
    fn take_room(&mut self, freed: &Freed, woken: &mut Woken) -> bool {
        if self.room == 0 {
            self.collect(freed, woken);
        }
        let taken = self.room > 0;
        self.room -= u64::from(taken);
        taken
    }

    /// Makes room of what the receiver has freed, and calls for more.
    fn collect(&mut self, freed: &Freed, woken: &mut Woken) {
        self.room += freed.take();
        while self.room > 0
            && let Some(granted) = self.waiters.grant()
        {
            self.room -= 1;
            woken.extend([granted]);
        }
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
    shared: Arc<Shared<T>>,
}

/// The end that receives.
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    /// What it has taken from the queue, ahead of what is there.
    batch: VecDeque<T>,
    /// It gives slots back.
    bounded: bool,
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
        let mut woken = Woken::default();
        let mut state = self.shared.lock();
        let has_room = !state.closed && state.take_room(&self.shared.freed, &mut woken);
        let (refused, receiver) = if has_room { state.fill(value, End::Back) } else { (Some(value), None) };
        drop(state);
        woken.extend(receiver);
        woken.wake();
        refused.map_or(Ok(()), Err)
    }

    /// The receiver is gone.
    pub fn is_closed(&self) -> bool {
        self.shared.lock().closed
    }
}

impl From<Cancelled> for SendError<()> {
    fn from(cancelled: Cancelled) -> Self {
        SendError::Cancelled((), cancelled.into())
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.lock().senders += 1;
        Sender { shared: self.shared.clone() }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
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
    shared: &'a Shared<T>,
    key: Option<usize>,
}

impl<T> Reserve<'_, T> {
    fn poll(
        &mut self,
        task: &mut Context<'_>,
        mut then: impl FnMut(&mut State<T>) -> Option<Waker>,
    ) -> Poll<Result<(), SendError<()>>> {
        let key = &mut self.key;
        let mut woken = Woken::default();
        let polled = poll_locked(&self.shared.state, task, |state, parking| {
            match *key {
                None if state.closed || state.take_room(&self.shared.freed, &mut woken) => {}
                Some(granted) if state.waiters.is_granted(granted) => {
                    state.waiters.leave(granted);
                    *key = None;
                }
                _ => return state.waiters.wait(key, (), parking),
            }
            if state.closed {
                return Poll::Ready(Err(SendError::Closed(())));
            }
            woken.extend(then(state));
            Poll::Ready(Ok(()))
        });
        woken.wake();
        polled
    }
}

impl<T> Drop for Reserve<'_, T> {
    fn drop(&mut self) {
        let Some(key) = self.key else { return };
        let mut state = self.shared.lock();
        let left = state.waiters.leave(key);
        let next = if left.granted { state.free() } else { None };
        drop(state);
        next.into_iter().for_each(Waker::wake);
    }
}

/// Room for one value. Sending on it cannot fail; dropped, the room is given back.
#[must_use = "dropped unsent, its room is given back"]
pub struct Permit<'a, T> {
    shared: &'a Shared<T>,
    sent: bool,
}

impl<T> Permit<'_, T> {
    /// Sends. If the receiver has gone meanwhile, the value is dropped, as one that was sent before
    /// and never received would be.
    pub fn send(mut self, value: T) {
        self.sent = true;
        let (_undelivered, receiver) = self.shared.lock().fill(value, End::Back);
        receiver.into_iter().for_each(Waker::wake);
    }
}

impl<T> Drop for Permit<'_, T> {
    fn drop(&mut self) {
        if self.sent {
            return;
        }
        let mut state = self.shared.lock();
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
        if self.batch.is_empty() {
            let batch = &mut self.batch;
            ready!(poll_locked(&self.shared.state, task, |state, parking| {
                std::mem::swap(batch, &mut state.queue);
                if batch.is_empty() && state.senders > 0 {
                    return parking.wait(&mut state.receiver);
                }
                Poll::Ready(())
            }));
        }
        Poll::Ready(self.next())
    }

    /// The next value, if one is there.
    pub fn try_recv(&mut self) -> Option<T> {
        if self.batch.is_empty() {
            std::mem::swap(&mut self.batch, &mut self.shared.lock().queue);
        }
        self.next()
    }

    /// The first of the batch.
    fn next(&mut self) -> Option<T> {
        let value = self.batch.pop_front()?;
        if self.bounded {
            self.shared.free();
        }
        Some(value)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.closed = true;
        let undelivered = std::mem::take(&mut state.queue);
        let woken = state.waiters.grant_all();
        drop(state);
        self.batch.clear();
        drop(undelivered);
        woken.wake();
    }
}
