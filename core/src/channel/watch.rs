//! The latest value of something, from its senders to whoever watches. Only the latest: one that is
//! replaced before a receiver looks is not seen by it.
//!
//! A value is shared as an `Arc`: whoever looks has a snapshot, and keeps nobody from sending.
//! No code of the user's runs under the channel's lock.
//!
//! The value has a lock of its own, for whoever looks; who waits has another, under which that one is taken.
//! Whether there is a change is seen without either.
//!
//! Invariants:
//! 1. Each change counts `version` up by one, and releases everybody who waits for it, under the lock of the
//!    waiters.
//! 2. A receiver that waits, and was not released, has seen the latest version, and a sender is left.
//!
//! So a change is neither missed nor told twice to the same receiver.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::{RecvError, SendError};
use crate::cancel::{Cancelled, Level, Note, Use};
use crate::cx::Cx;
use crate::lock::{Mutex, MutexGuard, lock};
use crate::primitive::{AtomicU64, Ordering};
use crate::sync::crowd::{Crowd, Place};
use crate::sync::waiters::{Woken, poll_locked};

/// A channel that holds `value`, which its receiver has seen.
///
/// ```
/// # use asupersync::{Cx, Outcome, channel::watch};
/// # #[asupersync::main]
/// # async fn main(cx: &Cx) -> Outcome<()> {
/// let (tx, mut rx) = watch::channel("starting");
/// drop(cx.spawn("server", async move |_| {
///     tx.send("warming up")?;
///     tx.send("ready")?;
///     Ok(())
/// }));
/// assert_eq!(*rx.wait_for(cx, |state| *state == "ready").await?, "ready");
/// // The sender is gone, its last value stays.
/// assert!(rx.changed(cx).await.is_err());
/// assert_eq!(*rx.borrow(), "ready");
/// # Ok(())
/// # }
/// ```
pub fn channel<T>(value: T) -> (Sender<T>, Receiver<T>) {
    let ends = Ends { senders: 1, receivers: 1, changed: Crowd::new(), closed: Crowd::new() };
    let value = Value { value: Arc::new(value), version: 0 };
    let shared =
        Shared { ends: Mutex::new(ends), latest: Latest(AtomicU64::new(0)), value: Mutex::new(value) };
    let shared = Arc::new(shared);
    (Sender { shared: shared.clone() }, Receiver { shared, seen: 0, place: None })
}

struct Shared<T> {
    ends: Mutex<Ends>,
    latest: Latest,
    value: Mutex<Value<T>>,
}

struct Ends {
    senders: usize,
    receivers: usize,
    /// Receivers that wait for a change, or for the end of the senders.
    changed: Crowd,
    /// Senders that wait for the end of the receivers.
    closed: Crowd,
}

/// The version of the value, on a line of memory of its own: it is looked at more often than the locks are
/// held.
#[repr(align(64))]
struct Latest(AtomicU64);

struct Value<T> {
    value: Arc<T>,
    version: u64,
}

impl<T> Shared<T> {
    fn version(&self) -> u64 {
        self.value.object().read();
        self.latest.0.load(Ordering::Acquire)
    }

    /// The value and its version.
    fn snapshot(&self) -> (Arc<T>, u64) {
        let value = lock(&self.value);
        (value.value.clone(), value.version)
    }
}

/// An end that sends.
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

/// An end that watches.
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    seen: u64,
    /// Its place among those who wait.
    place: Option<Place>,
}

impl<T> Sender<T> {
    /// Replaces the value.
    ///
    /// # Errors
    /// `Closed`, with the value, if no receiver is left; the channel keeps what it had.
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        let ends = lock(&self.shared.ends);
        if ends.receivers == 0 {
            return Err(SendError::Closed(value));
        }
        let before = self.replace(ends, Arc::new(value));
        drop(before);
        Ok(())
    }

    /// Replaces the value, whether anybody watches or not, and tells what it was.
    pub fn send_replace(&self, value: T) -> Arc<T> {
        let value = Arc::new(value);
        self.replace(lock(&self.shared.ends), value)
    }

    fn replace(&self, mut ends: MutexGuard<'_, Ends>, new: Arc<T>) -> Arc<T> {
        let mut value = lock(&self.shared.value);
        let before = std::mem::replace(&mut value.value, new);
        value.version += 1;
        self.shared.latest.0.store(value.version, Ordering::Release);
        drop(value);
        let woken = ends.changed.release();
        drop(ends);
        woken.wake();
        before
    }

    /// Changes the value in place of it: `modify` works on a copy, so that whoever looks meanwhile
    /// sees the value before. If another sender sends meanwhile, `modify` runs again, on a copy of
    /// what that one sent. If it panics, nothing changes.
    pub fn send_modify(&self, mut modify: impl FnMut(&mut T))
    where
        T: Clone,
    {
        self.send_if_modified(|value| {
            modify(value);
            true
        });
    }

    /// As [`send_modify`](Self::send_modify), but only if `modify` says that it changed something;
    /// tells whether.
    pub fn send_if_modified(&self, mut modify: impl FnMut(&mut T) -> bool) -> bool
    where
        T: Clone,
    {
        loop {
            let (before, version) = self.shared.snapshot();
            let mut value = T::clone(&before);
            if !modify(&mut value) {
                return false;
            }
            let value = Arc::new(value);
            let ends = lock(&self.shared.ends);
            if self.shared.version() == version {
                let before = self.replace(ends, value);
                drop(before);
                return true;
            }
            drop(ends);
        }
    }

    /// The value.
    pub fn borrow(&self) -> Arc<T> {
        self.shared.snapshot().0
    }

    /// Another receiver, which has seen the value that there is now.
    pub fn subscribe(&self) -> Receiver<T> {
        let mut ends = lock(&self.shared.ends);
        ends.receivers += 1;
        Receiver { shared: self.shared.clone(), seen: self.shared.version(), place: None }
    }

    /// How many receivers there are.
    pub fn receiver_count(&self) -> usize {
        lock(&self.shared.ends).receivers
    }

    /// No receiver is left. One that [subscribes](Self::subscribe) opens the channel again.
    pub fn is_closed(&self) -> bool {
        self.receiver_count() == 0
    }

    /// Waits until no receiver is left.
    ///
    /// # Errors
    /// `Cancelled` at Request.
    ///
    /// # Cancel safety
    /// Nothing is lost: that no receiver is left stays visible.
    pub async fn closed<C>(&self, cx: &Cx<C>) -> Result<(), Cancelled> {
        let mut closed = Closed { shared: &self.shared, place: None };
        cx.op(Level::Requested, Note::on(Use::WatchClosed, &*self.shared), |task| closed.poll(task).map(Ok))
            .await
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        lock(&self.shared.ends).senders += 1;
        Sender { shared: self.shared.clone() }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut ends = lock(&self.shared.ends);
        ends.senders -= 1;
        let woken = if ends.senders == 0 { ends.changed.release() } else { Woken::default() };
        drop(ends);
        woken.wake();
    }
}

struct Closed<'a, T> {
    shared: &'a Shared<T>,
    place: Option<Place>,
}

impl<T> Closed<'_, T> {
    fn poll(&mut self, task: &mut Context<'_>) -> Poll<()> {
        let place = &mut self.place;
        poll_locked(&self.shared.ends, task, |ends, parking| {
            // Somebody may have subscribed since it was released.
            if ends.receivers == 0 { Poll::Ready(()) } else { ends.closed.wait(place, parking) }
        })
    }
}

impl<T> Drop for Closed<'_, T> {
    fn drop(&mut self) {
        let Some(place) = self.place else { return };
        let left = lock(&self.shared.ends).closed.leave(place);
        drop(left);
    }
}

impl<T> Receiver<T> {
    /// The value; whether it is new to this receiver stays as it is.
    pub fn borrow(&self) -> Arc<T> {
        self.shared.snapshot().0
    }

    /// The value, which this receiver has then seen.
    pub fn borrow_and_update(&mut self) -> Arc<T> {
        let (value, version) = self.shared.snapshot();
        self.seen = version;
        value
    }

    /// There is a value that this receiver has not seen.
    pub fn has_changed(&self) -> bool {
        self.shared.version() != self.seen
    }

    /// No sender is left; the last value stays.
    pub fn is_closed(&self) -> bool {
        lock(&self.shared.ends).senders == 0
    }

    /// Waits for a value that this receiver has not seen, which it has then.
    ///
    /// # Errors
    /// `Closed` if no sender is left and the last value was seen; `Cancelled` at Request.
    ///
    /// # Cancel safety
    /// A change stays unseen until this returns.
    pub async fn changed<C>(&mut self, cx: &Cx<C>) -> Result<(), RecvError> {
        cx.op(Level::Requested, Note::on(Use::WatchChanged, &*self.shared), |task| self.poll_changed(task))
            .await
    }

    /// [`changed`](Self::changed) without a scope.
    pub fn poll_changed(&mut self, task: &mut Context<'_>) -> Poll<Result<(), RecvError>> {
        let Receiver { shared, seen, place } = self;
        let mut changed = || {
            let version = shared.version();
            std::mem::replace(seen, version) != version
        };
        if changed() {
            return Poll::Ready(Ok(()));
        }
        poll_locked(&shared.ends, task, |ends, parking| {
            if changed() {
                Poll::Ready(Ok(()))
            } else if ends.senders == 0 {
                Poll::Ready(Err(RecvError::Closed))
            } else {
                ends.changed.wait(place, parking)
            }
        })
    }

    /// Waits for a value that `accept` takes, the one that there is now included. Values that come
    /// too fast are not asked about; the last one is.
    ///
    /// # Errors
    /// `Closed` if no sender is left and `accept` did not take the last value; `Cancelled` at
    /// Request.
    ///
    /// # Cancel safety
    /// Values that `accept` did not take are seen; one that it took is returned.
    pub async fn wait_for<C>(
        &mut self,
        cx: &Cx<C>,
        mut accept: impl FnMut(&T) -> bool,
    ) -> Result<Arc<T>, RecvError> {
        let mut look = true;
        cx.op(Level::Requested, Note::on(Use::WatchChanged, &*self.shared), |task| {
            loop {
                if std::mem::take(&mut look) {
                    let value = self.borrow_and_update();
                    if accept(&value) {
                        return Poll::Ready(Ok(value));
                    }
                }
                match self.poll_changed(task) {
                    Poll::Ready(Ok(())) => look = true,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await
    }
}

impl<T> Clone for Receiver<T> {
    /// Another receiver, which has seen what this one has.
    fn clone(&self) -> Self {
        lock(&self.shared.ends).receivers += 1;
        Receiver { shared: self.shared.clone(), seen: self.seen, place: None }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut ends = lock(&self.shared.ends);
        ends.receivers -= 1;
        let woken = if ends.receivers == 0 { ends.closed.release() } else { Woken::default() };
        let left = self.place.and_then(|place| ends.changed.leave(place));
        drop(ends);
        drop(left);
        woken.wake();
    }
}

impl<T: fmt::Debug> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sender").field(&self.borrow()).finish()
    }
}

impl<T: fmt::Debug> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Receiver").field(&self.borrow()).finish()
    }
}
