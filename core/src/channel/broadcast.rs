//! Every value to every receiver, through a bounded ring. A sender never waits: when the ring is full
//! it overwrites the oldest value, and a receiver that had not seen that is told how many it missed.
//!
//! Values are numbered, and kept in groups, each of which receivers share with the channel. A value stays as it
//! is once it is there, so whoever has a group reads on in it without a lock, as long as more was sent and nothing
//! overwritten; that much one number tells. The lock is for whoever sends, goes on to another group, or has seen
//! everything.
//!
//! Invariants:
//! 1. The groups are in order and without a gap, and all but the last are full. The first goes when nobody
//!    stands in it, or when all its values are overwritten: who stood there then stands in the next.
//! 2. A receiver is counted where it stood when it last had the lock: in the group of `stood`, or in the first if
//!    that one is gone, or `ahead` if it had seen every value, and had thus no group.
//! 3. The lock is held while `sent` changes, which the value that it counts is there before.
//!
//! So a value is gone from the channel when each receiver has seen everything, or stands in a later group. A
//! value is cloned and dropped outside the lock; a receiver that finds itself alone with it need not clone.

use std::collections::VecDeque;
use std::error::Error as StdError;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use super::SendError;
use super::error::CancelledSource;
use crate::cancel::{Cancelled, Level, Note, Use};
use crate::cx::Cx;
use crate::lock::{Mutex, lock};
use crate::primitive::{AtomicU64, Ordering};
use crate::sync::crowd::{Crowd, Place};
use crate::sync::waiters::{Woken, poll_locked};

/// A channel that keeps the last `capacity` values for whoever has not seen them.
///
/// When every receiver has seen everything, all values are dropped. One that is behind may keep, besides what it
/// has not seen, up to a quarter of the capacity, at most 32, of values that all have seen or that are
/// overwritten.
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
    let bytes = size_of::<OnceLock<T>>();
    let size = (capacity / 4).min(GROUP).min(GROUP_BYTES / bytes).max(1);
    let tail =
        Tail { size, groups: VecDeque::new(), ahead: 1, senders: 1, receivers: 1, waiters: Crowd::new() };
    let shared = Shared { tail: Mutex::new(tail), sent: Sent(AtomicU64::new(0)), capacity: capacity as u64 };
    let shared = Arc::new(shared);
    (Sender { shared: shared.clone() }, Receiver { shared, stand: Stand::at(0), place: None })
}

/// Values of a group, at most.
const GROUP: usize = 32;
/// Bytes of a group, unless one value has more.
const GROUP_BYTES: usize = 2048;

struct Shared<T> {
    tail: Mutex<Tail<T>>,
    sent: Sent,
    capacity: u64,
}

/// How many values were sent, on a line of memory of its own: it is looked at more often than the lock is held.
#[repr(align(64))]
struct Sent(AtomicU64);

struct Tail<T> {
    /// How many values each group has room for.
    size: usize,
    groups: VecDeque<Group<T>>,
    /// How many receivers stand where the next value will be.
    ahead: usize,
    senders: usize,
    receivers: usize,
    waiters: Crowd,
}

struct Group<T> {
    first: u64,
    values: Values<T>,
    /// How many receivers stand here.
    standing: usize,
}

type Values<T> = Arc<[OnceLock<T>]>;

impl<T> Group<T> {
    fn share(&self) -> Here<T> {
        Here { first: self.first, values: self.values.clone() }
    }
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

impl<T> Tail<T> {
    /// The group of a value that was sent, or the first if that is gone.
    fn group(&mut self, number: u64) -> &mut Group<T> {
        let first = self.groups[0].first;
        &mut self.groups[(number.saturating_sub(first) / self.size as u64) as usize]
    }

    /// How many receivers stand where a receiver does that stood at this number.
    fn standing(&mut self, stood: u64, sent: u64) -> &mut usize {
        if stood == sent { &mut self.ahead } else { &mut self.group(stood).standing }
    }

    /// Adds a value. It comes back if its place is taken, which it never is.
    fn push(&mut self, number: u64, value: T) -> Result<(), T> {
        if self.groups.back().is_none_or(|last| number - last.first == self.size as u64) {
            let values = (0..self.size).map(|_| OnceLock::new()).collect();
            self.groups.push_back(Group { first: number, values, standing: 0 });
        }
        let ahead = std::mem::take(&mut self.ahead);
        let group = self.group(number);
        group.standing += ahead;
        group.values[(number - group.first) as usize].set(value)
    }

    /// Takes out the groups that have only values below `oldest`.
    fn overwritten(&mut self, oldest: u64) -> Vec<Group<T>> {
        let mut gone = Vec::new();
        while self.groups[0].first + self.size as u64 <= oldest {
            let Some(group) = self.groups.pop_front() else { break };
            self.groups[0].standing += group.standing;
            gone.push(group);
        }
        gone
    }

    /// Takes out the groups that nobody stands in or before.
    fn unneeded(&mut self) -> Vec<Group<T>> {
        let mut gone = Vec::new();
        while self.groups.front().is_some_and(|group| group.standing == 0) {
            gone.extend(self.groups.pop_front());
        }
        gone
    }
}

impl<T> Shared<T> {
    fn sent(&self) -> u64 {
        self.sent.0.load(Ordering::Acquire)
    }

    /// The oldest value that is not overwritten.
    fn oldest(&self, sent: u64) -> u64 {
        sent.saturating_sub(self.capacity)
    }
}

/// Where a receiver is.
struct Stand<T> {
    /// The number of the value that it wants.
    next: u64,
    /// What `next` was when it last had the lock.
    stood: u64,
    /// The group that it stands in.
    here: Option<Here<T>>,
}

/// A group, and the number of its first value.
struct Here<T> {
    first: u64,
    values: Values<T>,
}

impl<T> Here<T> {
    fn value(&self, number: u64) -> Option<&T> {
        self.values.get(self.at(number))?.get()
    }

    /// The value itself, if nobody else has this group.
    fn take(&mut self, number: u64) -> Option<T> {
        let at = self.at(number);
        Arc::get_mut(&mut self.values)?.get_mut(at)?.take()
    }

    fn is_last(&self, number: u64) -> bool {
        self.at(number) + 1 == self.values.len()
    }

    fn at(&self, number: u64) -> usize {
        (number - self.first) as usize
    }
}

/// What a receiver sees that had the lock.
struct Seen<T> {
    number: u64,
    seen: Here<T>,
    /// Where it stands now.
    here: Option<Here<T>>,
    gone: Vec<Group<T>>,
}

impl<T: Clone> Stand<T> {
    /// The next value, if it is here, not overwritten, and neither the last of the channel nor of its group.
    fn read_on(&mut self, shared: &Shared<T>) -> Option<T> {
        let here = self.here.as_ref()?;
        shared.tail.object().read();
        if !(2..=shared.capacity).contains(&(shared.sent() - self.next)) || here.is_last(self.next) {
            return None;
        }
        let value = here.value(self.next)?;
        self.next += 1;
        Some(value.clone())
    }

    /// What a receiver gets that has the lock.
    fn take(&mut self, shared: &Shared<T>, tail: &mut Tail<T>) -> Result<Option<Seen<T>>, RecvError> {
        let sent = shared.sent();
        let missed = shared.oldest(sent).saturating_sub(self.next);
        if missed > 0 {
            self.next += missed;
            return Err(RecvError::Lagged(missed));
        }
        if self.next == sent {
            return if tail.senders == 0 { Err(RecvError::Closed) } else { Ok(None) };
        }
        let number = self.next;
        self.next += 1;
        let seen = tail.group(number).share();
        // Of a group of one there is nothing to read on.
        let here = (self.next < sent && tail.size > 1).then(|| tail.group(self.next).share());
        *tail.standing(self.next, sent) += 1;
        *tail.standing(self.stood, sent) -= 1;
        self.stood = self.next;
        Ok(Some(Seen { number, seen, here, gone: tail.unneeded() }))
    }

    /// The value of what was taken, with no lock held.
    fn value(&mut self, taken: Seen<T>) -> T {
        let Seen { number, mut seen, here, gone } = taken;
        self.here = here;
        let alone = !gone.is_empty();
        drop(gone);
        if alone && let Some(value) = seen.take(number) {
            return value;
        }
        seen.value(number).expect("a value is there before it is counted").clone()
    }
}

impl<T> Stand<T> {
    fn at(number: u64) -> Self {
        Stand { next: number, stood: number, here: None }
    }
}

/// An end that sends.
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

/// An end that receives every value sent from when it was made.
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    stand: Stand<T>,
    /// Its place among those who wait.
    place: Option<Place>,
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
        let number = self.shared.sent();
        let refused = tail.push(number, value);
        self.shared.sent.0.store(number + 1, Ordering::Release);
        let overwritten = tail.overwritten(self.shared.oldest(number + 1));
        let woken = tail.waiters.release();
        drop(tail);
        woken.wake();
        drop((overwritten, refused));
        Ok(receivers)
    }

    /// A receiver of what is sent from now on.
    pub fn subscribe(&self) -> Receiver<T> {
        let mut tail = lock(&self.shared.tail);
        tail.receivers += 1;
        tail.ahead += 1;
        Receiver { shared: self.shared.clone(), stand: Stand::at(self.shared.sent()), place: None }
    }

    /// How many receivers there are.
    pub fn receiver_count(&self) -> usize {
        lock(&self.shared.tail).receivers
    }

    /// How many values the channel keeps: those that some receiver has not seen, and what goes with them.
    pub fn len(&self) -> usize {
        let tail = lock(&self.shared.tail);
        let sent = self.shared.sent();
        tail.groups.front().map_or(0, |group| (sent - group.first.max(self.shared.oldest(sent))) as usize)
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
        let woken = if tail.senders == 0 { tail.waiters.release() } else { Woken::default() };
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
        let Receiver { shared, stand, place } = self;
        if let Some(value) = stand.read_on(shared) {
            return Poll::Ready(Ok(value));
        }
        let polled = poll_locked(&shared.tail, task, |tail, parking| match stand.take(shared, tail) {
            Ok(Some(seen)) => Poll::Ready(Ok(seen)),
            Ok(None) => tail.waiters.wait(place, parking),
            Err(error) => Poll::Ready(Err(error)),
        });
        polled.map_ok(|seen| stand.value(seen))
    }

    /// The next value, if one is there.
    ///
    /// # Errors
    /// As [`recv`](Self::recv), but for `Cancelled`.
    pub fn try_recv(&mut self) -> Result<Option<T>, RecvError> {
        let Receiver { shared, stand, .. } = self;
        if let Some(value) = stand.read_on(shared) {
            return Ok(Some(value));
        }
        let taken = stand.take(shared, &mut lock(&shared.tail))?;
        Ok(taken.map(|seen| stand.value(seen)))
    }
}

impl<T> Clone for Receiver<T> {
    /// Another receiver, which has seen what this one has.
    fn clone(&self) -> Self {
        let mut tail = lock(&self.shared.tail);
        tail.receivers += 1;
        *tail.standing(self.stand.next, self.shared.sent()) += 1;
        Receiver { shared: self.shared.clone(), stand: Stand::at(self.stand.next), place: None }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut tail = lock(&self.shared.tail);
        tail.receivers -= 1;
        *tail.standing(self.stand.stood, self.shared.sent()) -= 1;
        let gone = tail.unneeded();
        let left = self.place.and_then(|place| tail.waiters.leave(place));
        drop(tail);
        drop(left);
        drop(gone);
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
