//! Every value to every receiver, through a bounded ring. A sender never waits: when the ring is full
//! it overwrites the oldest value, and a receiver that had not seen that is told how many it missed.
//!
//! Values are numbered, and each has a slot by its number, which later ones have after it. A receiver wants
//! the one numbered `next`. Each slot has a lock of its own, so that receivers meet only where they are at the
//! same value; whoever has nothing to receive, or sends, takes that of the tail. A slot's lock is taken under
//! the tail's or alone, and no other under it.
//!
//! Invariants:
//! 1. A slot's `unseen` is the number of receivers whose `next` is not beyond its value. It does not fall from
//!    older values to newer, and the value is gone once it is 0.
//! 2. A receiver in the queue, not granted, has seen every value, and a sender is left.
//! 3. The tail's lock is held while `next` and `receivers` change, and while a slot gets a value.
//!
//! A value is cloned and dropped outside the locks; the last receiver that takes it need not clone.

use std::error::Error as StdError;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::SendError;
use super::error::CancelledSource;
use crate::cancel::{Cancelled, Level, Note, Use};
use crate::cx::Cx;
use crate::lock::{Mutex, MutexGuard, lock};
use crate::sync::waiters::{Waiters, Woken, poll_locked};

/// A channel that keeps the last `capacity` values for whoever has not seen them. It has memory for so many
/// from the start, as for pointers.
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
    let tail = Tail { next: 0, senders: 1, receivers: 1, waiters: Waiters::new() };
    let slots = (0..capacity).map(|_| Mutex::new(Slot { after: 0, value: None, unseen: 0 })).collect();
    let shared = Arc::new(Shared { tail: Mutex::new(tail), slots });
    (Sender { shared: shared.clone() }, Receiver { shared, next: 0, key: None })
}

struct Shared<T> {
    tail: Mutex<Tail>,
    slots: Box<[Mutex<Slot<T>>]>,
}

struct Tail {
    /// The number of the next value to be sent.
    next: u64,
    senders: usize,
    receivers: usize,
    waiters: Waiters<()>,
}

struct Slot<T> {
    /// The number after that of the last value it had; 0 before the first.
    after: u64,
    value: Option<Arc<T>>,
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

/// What a receiver has seen.
enum Seen<T> {
    /// Nobody else will.
    Last(Arc<T>),
    Shared(Arc<T>),
}

impl<T: Clone> Seen<T> {
    fn into_value(self) -> T {
        match self {
            Seen::Last(value) => Arc::unwrap_or_clone(value),
            Seen::Shared(value) => T::clone(&value),
        }
    }
}

impl<T> Slot<T> {
    /// One receiver less has not seen it. The value, if that was the last.
    fn seen(&mut self) -> Option<Arc<T>> {
        self.unseen -= 1;
        if self.unseen == 0 { self.value.take() } else { None }
    }
}

impl<T> Shared<T> {
    /// The slot of the value so numbered.
    fn slot(&self, number: u64) -> MutexGuard<'_, Slot<T>> {
        lock(&self.slots[(number % self.slots.len() as u64) as usize])
    }

    /// The numbers, from `from` on, whose values were not overwritten.
    fn kept(&self, tail: &Tail, from: u64) -> Range<u64> {
        from.max(tail.next.saturating_sub(self.slots.len() as u64))..tail.next
    }

    /// The value that a receiver wants, if it was sent and not overwritten.
    fn see(&self, next: &mut u64) -> Option<Seen<T>> {
        let mut slot = self.slot(*next);
        if slot.after != *next + 1 {
            return None;
        }
        *next += 1;
        if slot.unseen == 1 {
            return slot.seen().map(Seen::Last);
        }
        slot.unseen -= 1;
        slot.value.clone().map(Seen::Shared)
    }

    /// What a receiver that wants the value numbered `next` gets now.
    fn take(&self, tail: &Tail, next: &mut u64) -> Result<Option<Seen<T>>, RecvError> {
        let kept = self.kept(tail, *next);
        let missed = kept.start - *next;
        if missed > 0 {
            *next = kept.start;
            return Err(RecvError::Lagged(missed));
        }
        match kept.is_empty() {
            true if tail.senders == 0 => Err(RecvError::Closed),
            true => Ok(None),
            false => Ok(self.see(next)),
        }
    }
}

/// An end that sends.
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

/// An end that receives every value sent from when it was made.
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
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
        let mut tail = lock(&self.shared.tail);
        let receivers = tail.receivers;
        if receivers == 0 {
            return Err(SendError::Closed(value));
        }
        let mut slot = self.shared.slot(tail.next);
        tail.next += 1;
        let new = Slot { after: tail.next, value: Some(Arc::new(value)), unseen: receivers };
        let overwritten = std::mem::replace(&mut *slot, new);
        drop(slot);
        let woken = tail.waiters.grant_all();
        drop(tail);
        woken.wake();
        drop(overwritten);
        Ok(receivers)
    }

    /// A receiver of what is sent from now on.
    pub fn subscribe(&self) -> Receiver<T> {
        let mut tail = lock(&self.shared.tail);
        tail.receivers += 1;
        Receiver { shared: self.shared.clone(), next: tail.next, key: None }
    }

    /// How many receivers there are.
    pub fn receiver_count(&self) -> usize {
        lock(&self.shared.tail).receivers
    }

    /// How many values some receiver has not seen.
    pub fn len(&self) -> usize {
        let tail = lock(&self.shared.tail);
        let newest_first = self.shared.kept(&tail, 0).rev();
        newest_first.take_while(|number| self.shared.slot(*number).value.is_some()).count()
    }

    /// Every receiver has seen everything.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        lock(&self.shared.tail).senders += 1;
        Sender { shared: self.shared.clone() }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut tail = lock(&self.shared.tail);
        tail.senders -= 1;
        let woken = if tail.senders == 0 { tail.waiters.grant_all() } else { Woken::default() };
        drop(tail);
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
        if key.is_none()
            && let Some(value) = shared.see(next)
        {
            return Poll::Ready(Ok(value.into_value()));
        }
        let polled = poll_locked(&shared.tail, task, |tail, parking| {
            if let Some(granted) = *key
                && tail.waiters.is_granted(granted)
            {
                tail.waiters.leave(granted);
                *key = None;
            }
            match shared.take(tail, next) {
                Ok(Some(value)) => Poll::Ready(Ok(value)),
                Ok(None) => tail.waiters.wait(key, (), parking),
                Err(error) => Poll::Ready(Err(error)),
            }
        });
        polled.map_ok(Seen::into_value)
    }

    /// The next value, if one is there.
    ///
    /// # Errors
    /// As [`recv`](Self::recv), but for `Cancelled`.
    pub fn try_recv(&mut self) -> Result<Option<T>, RecvError> {
        let taken = self.shared.take(&lock(&self.shared.tail), &mut self.next);
        Ok(taken?.map(Seen::into_value))
    }
}

impl<T> Clone for Receiver<T> {
    /// Another receiver, which has seen what this one has.
    fn clone(&self) -> Self {
        let mut tail = lock(&self.shared.tail);
        tail.receivers += 1;
        self.shared.kept(&tail, self.next).for_each(|number| self.shared.slot(number).unseen += 1);
        Receiver { shared: self.shared.clone(), next: self.next, key: None }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut tail = lock(&self.shared.tail);
        tail.receivers -= 1;
        let kept = self.shared.kept(&tail, self.next);
        let seen: Vec<_> = kept.filter_map(|number| self.shared.slot(number).seen()).collect();
        let left = self.key.map(|key| tail.waiters.leave(key));
        drop(tail);
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
