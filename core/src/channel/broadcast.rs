//! Every value to every receiver, through a bounded ring. A sender never waits: when the ring is full
//! it overwrites the oldest value, and a receiver that had not seen that is told how many it missed.
//!
//! Values are numbered. The ring holds those from `head` on, a receiver wants the one numbered `next`.
//!
//! Invariants:
//! 1. A slot's `unseen` is the number of receivers whose `next` is not beyond it. It does not fall
//!    from front to back, and is not 0 at the front: a value is gone once all have seen it.
//! 2. A receiver in the queue, not granted, has seen every value, and a sender is left.
//!
//! A value is cloned and dropped outside the lock; the last receiver that takes it need not clone.

use std::collections::VecDeque;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::SendError;
use super::error::CancelledSource;
use crate::cancel::{Cancelled, Level, Note, Use};
use crate::cx::Cx;
use crate::lock::{Mutex, lock};
use crate::sync::waiters::{Waiters, Woken, poll_locked};

/// A channel that keeps the last `capacity` values for whoever has not seen them.
///
/// # Panics
/// If `capacity` is 0.
///
/// ```
/// # use asupersync::{Cx, Outcome, channel::broadcast::{self, RecvError}};
/// # #[asupersync::main]
/// # async fn main(cx: &Cx) -> Outcome<()> {
/// let (tx, mut fast) = broadcast::channel(2);
/// let mut slow = tx.subscribe();
/// for n in 1..=3 {
///     tx.send(n)?;
///     assert_eq!(fast.recv(cx).await?, n);
/// }
/// assert!(matches!(slow.recv(cx).await, Err(RecvError::Lagged(1))));
/// assert_eq!(slow.recv(cx).await?, 2);
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(capacity > 0, "a channel needs room for at least one value");
    let shared = Arc::new(Mutex::new(State {
        ring: VecDeque::new(),
        head: 0,
        capacity,
        senders: 1,
        receivers: 1,
        waiters: Waiters::new(),
    }));
    (Sender { shared: shared.clone() }, Receiver { shared, next: 0, key: None })
}

struct State<T> {
    ring: VecDeque<Slot<T>>,
    /// The number of the value at the front, or of the next to be sent.
    head: u64,
    capacity: usize,
    senders: usize,
    receivers: usize,
    waiters: Waiters<()>,
}

struct Slot<T> {
    value: Arc<T>,
    unseen: usize,
}

/// A receive that gave no value.
#[derive(Debug)]
pub enum RecvError {
    /// All senders are gone, and everything they sent was seen.
    Closed,
    /// So many values were overwritten before this receiver saw them; it goes on with the oldest
    /// that is left.
    Lagged(u64),
    /// The receiver's scope is under Request; what it has not seen stays unseen.
    Cancelled(CancelledSource),
}

impl<T> State<T> {
    fn pop(&mut self) -> Option<Arc<T>> {
        let slot = self.ring.pop_front()?;
        self.head += 1;
        Some(slot.value)
    }

    /// Slots from the value numbered `next` on.
    fn from(&mut self, next: u64) -> impl Iterator<Item = &mut Slot<T>> {
        let seen = next.saturating_sub(self.head);
        self.ring.iter_mut().skip(usize::try_from(seen).unwrap_or(usize::MAX))
    }

    /// What a receiver that wants the value numbered `next` gets now.
    fn take(&mut self, next: &mut u64) -> Result<Option<Arc<T>>, RecvError> {
        if *next < self.head {
            let missed = self.head - *next;
            *next = self.head;
            return Err(RecvError::Lagged(missed));
        }
        let Some(slot) = self.from(*next).next() else {
            return if self.senders == 0 { Err(RecvError::Closed) } else { Ok(None) };
        };
        *next += 1;
        slot.unseen -= 1;
        // Who is last at a slot is last at those before it too, so this one is at the front.
        let value = if slot.unseen > 0 { Some(slot.value.clone()) } else { self.pop() };
        Ok(value)
    }
}

/// An end that sends.
pub struct Sender<T> {
    shared: Arc<Mutex<State<T>>>,
}

/// An end that receives every value sent from when it was made.
pub struct Receiver<T> {
    shared: Arc<Mutex<State<T>>>,
    next: u64,
    /// Its place among those who wait.
    key: Option<usize>,
}

impl<T> Sender<T> {
    /// Sends a value to every receiver, and tells how many they are. Never waits; the oldest value
    /// goes if there is no room.
    ///
    /// # Errors
    /// `Closed`, with the value, if there is no receiver.
    pub fn send(&self, value: T) -> Result<usize, SendError<T>> {
        let mut state = lock(&self.shared);
        let receivers = state.receivers;
        if receivers == 0 {
            return Err(SendError::Closed(value));
        }
        let overwritten = if state.ring.len() == state.capacity { state.pop() } else { None };
        state.ring.push_back(Slot { value: Arc::new(value), unseen: receivers });
        let woken = state.waiters.grant_all();
        drop(state);
        woken.wake();
        drop(overwritten);
        Ok(receivers)
    }

    /// A receiver of what is sent from now on.
    pub fn subscribe(&self) -> Receiver<T> {
        let mut state = lock(&self.shared);
        state.receivers += 1;
        let next = state.head + state.ring.len() as u64;
        Receiver { shared: self.shared.clone(), next, key: None }
    }

    /// How many receivers there are.
    pub fn receiver_count(&self) -> usize {
        lock(&self.shared).receivers
    }

    /// How many values some receiver has not seen.
    pub fn len(&self) -> usize {
        lock(&self.shared).ring.len()
    }

    /// Every receiver has seen everything.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
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
        state.senders -= 1;
        let woken = if state.senders == 0 { state.waiters.grant_all() } else { Woken::default() };
        drop(state);
        woken.wake();
    }
}

impl<T: Clone> Receiver<T> {
    /// Waits for the next value.
    ///
    /// # Errors
    /// `Lagged` if values were overwritten before this receiver saw them; `Closed` if all senders
    /// are gone and so is what they sent; `Cancelled` at Request.
    ///
    /// # Cancel safety
    /// A value stays unseen until it is returned.
    pub async fn recv<C>(&mut self, cx: &Cx<C>) -> Result<T, RecvError> {
        cx.op(Level::Requested, Note::on(Use::BroadcastRecv, &*self.shared), |task| self.poll_recv(task))
            .await
    }

    /// [`recv`](Self::recv) without a scope.
    pub fn poll_recv(&mut self, task: &mut Context<'_>) -> Poll<Result<T, RecvError>> {
        let Receiver { shared, next, key } = self;
        let polled = poll_locked(shared, task, |state, parking| {
            if let Some(granted) = *key
                && state.waiters.is_granted(granted)
            {
                state.waiters.leave(granted);
                *key = None;
            }
            match state.take(next) {
                Ok(Some(value)) => Poll::Ready(Ok(value)),
                Ok(None) => state.waiters.wait(key, (), parking),
                Err(error) => Poll::Ready(Err(error)),
            }
        });
        polled.map_ok(Arc::unwrap_or_clone)
    }

    /// The next value, if one is there.
    ///
    /// # Errors
    /// As [`recv`](Self::recv), but for `Cancelled`.
    pub fn try_recv(&mut self) -> Result<Option<T>, RecvError> {
        let taken = lock(&self.shared).take(&mut self.next);
        Ok(taken?.map(Arc::unwrap_or_clone))
    }
}

impl<T> Clone for Receiver<T> {
    /// Another receiver, which has seen what this one has.
    fn clone(&self) -> Self {
        let mut state = lock(&self.shared);
        state.receivers += 1;
        state.from(self.next).for_each(|slot| slot.unseen += 1);
        Receiver { shared: self.shared.clone(), next: self.next, key: None }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = lock(&self.shared);
        state.receivers -= 1;
        state.from(self.next).for_each(|slot| slot.unseen -= 1);
        let mut seen = Vec::new();
        while state.ring.front().is_some_and(|slot| slot.unseen == 0) {
            seen.extend(state.pop());
        }
        let left = self.key.map(|key| state.waiters.leave(key));
        drop(state);
        drop(left);
        drop(seen);
    }
}

impl From<Cancelled> for RecvError {
    fn from(cancelled: Cancelled) -> Self {
        RecvError::Cancelled(cancelled.into())
    }
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecvError::Closed => f.write_str("nothing to receive: every sender is gone"),
            RecvError::Lagged(missed) => write!(f, "too slow: {missed} values were overwritten"),
            RecvError::Cancelled(source) => write!(f, "not received: {}", source.cancelled()),
        }
    }
}

impl StdError for RecvError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            RecvError::Closed | RecvError::Lagged(_) => None,
            RecvError::Cancelled(source) => Some(&source.0),
        }
    }
}
