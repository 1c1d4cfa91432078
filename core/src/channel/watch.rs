//! The latest value of something, from its senders to whoever watches. Only the latest: one that is
//! replaced before a receiver looks is not seen by it.
//!
//! A value is shared as an `Arc`: whoever looks has a snapshot, and keeps nobody from sending.
//! No code of the user's runs under the channel's lock.
//!
//! Invariants:
//! 1. Each change counts `version` up by one, and grants everybody who waits for it.
//! 2. A receiver in the queue, not granted, has seen the latest version, and a sender is left.
//!
//! So a change is neither missed nor told twice to the same receiver.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::{RecvError, SendError};
use crate::cancel::{Cancelled, Level, Note, Use};
use crate::cx::Cx;
use crate::lock::{Mutex, MutexGuard, lock};
use crate::sync::waiters::{Waiters, Woken, poll_locked};

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
    let shared = Arc::new(Mutex::new(State {
        value: Arc::new(value),
        version: 0,
        senders: 1,
        receivers: 1,
        changed: Waiters::new(),
        closed: Waiters::new(),
    }));
    (Sender { shared: shared.clone() }, Receiver { shared, seen: 0, key: None })
}

struct State<T> {
    value: Arc<T>,
    version: u64,
    senders: usize,
    receivers: usize,
    /// Receivers that wait for a change, or for the end of the senders.
    changed: Waiters<()>,
    /// Senders that wait for the end of the receivers.
    closed: Waiters<()>,
}

/// An end that sends.
pub struct Sender<T> {
    shared: Arc<Mutex<State<T>>>,
}

/// An end that watches.
pub struct Receiver<T> {
    shared: Arc<Mutex<State<T>>>,
    seen: u64,
    /// Its place among those who wait.
    key: Option<usize>,
}

impl<T> Sender<T> {
    /// Replaces the value.
    ///
    /// # Errors
    /// `Closed`, with the value, if no receiver is left; the channel keeps what it had.
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        let state = lock(&self.shared);
        if state.receivers == 0 {
            return Err(SendError::Closed(value));
        }
        let before = self.replace(state, Arc::new(value));
        drop(before);
        Ok(())
    }

    /// Replaces the value, whether anybody watches or not, and tells what it was.
    pub fn send_replace(&self, value: T) -> Arc<T> {
        let value = Arc::new(value);
        self.replace(lock(&self.shared), value)
    }

    fn replace(&self, mut state: MutexGuard<'_, State<T>>, value: Arc<T>) -> Arc<T> {
        let before = std::mem::replace(&mut state.value, value);
        state.version += 1;
        let woken = state.changed.grant_all();
        drop(state);
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
            let (before, version) = {
                let state = lock(&self.shared);
                (state.value.clone(), state.version)
            };
            let mut value = T::clone(&before);
            if !modify(&mut value) {
                return false;
            }
            let value = Arc::new(value);
            let state = lock(&self.shared);
            if state.version == version {
                let before = self.replace(state, value);
                drop(before);
                return true;
            }
            drop(state);
        }
    }

    /// The value.
    pub fn borrow(&self) -> Arc<T> {
        lock(&self.shared).value.clone()
    }

    /// Another receiver, which has seen the value that there is now.
    pub fn subscribe(&self) -> Receiver<T> {
        let mut state = lock(&self.shared);
        state.receivers += 1;
        Receiver { shared: self.shared.clone(), seen: state.version, key: None }
    }

    /// How many receivers there are.
    pub fn receiver_count(&self) -> usize {
        lock(&self.shared).receivers
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
        let mut closed = Closed { shared: &self.shared, key: None };
        cx.op(Level::Requested, Note::on(Use::WatchClosed, &*self.shared), |task| closed.poll(task).map(Ok))
            .await
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
        let woken = if state.senders == 0 { state.changed.grant_all() } else { Woken::default() };
        drop(state);
        woken.wake();
    }
}

struct Closed<'a, T> {
    shared: &'a Mutex<State<T>>,
    key: Option<usize>,
}

impl<T> Closed<'_, T> {
    fn poll(&mut self, task: &mut Context<'_>) -> Poll<()> {
        let key = &mut self.key;
        poll_locked(self.shared, task, |state, parking| {
            leave_granted(&mut state.closed, key);
            // Somebody may have subscribed since.
            if state.receivers == 0 { Poll::Ready(()) } else { state.closed.wait(key, (), parking) }
        })
    }
}

impl<T> Drop for Closed<'_, T> {
    fn drop(&mut self) {
        let Some(key) = self.key else { return };
        let left = lock(self.shared).closed.leave(key);
        drop(left);
    }
}

/// Leaves if granted, to look at what there is and perhaps to wait again.
fn leave_granted(waiters: &mut Waiters<()>, key: &mut Option<usize>) {
    if let Some(granted) = *key
        && waiters.is_granted(granted)
    {
        waiters.leave(granted);
        *key = None;
    }
}

impl<T> Receiver<T> {
    /// The value; whether it is new to this receiver stays as it is.
    pub fn borrow(&self) -> Arc<T> {
        lock(&self.shared).value.clone()
    }

    /// The value, which this receiver has then seen.
    pub fn borrow_and_update(&mut self) -> Arc<T> {
        let state = lock(&self.shared);
        self.seen = state.version;
        state.value.clone()
    }

    /// There is a value that this receiver has not seen.
    pub fn has_changed(&self) -> bool {
        lock(&self.shared).version != self.seen
    }

    /// No sender is left; the last value stays.
    pub fn is_closed(&self) -> bool {
        lock(&self.shared).senders == 0
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
        let Receiver { shared, seen, key } = self;
        poll_locked(shared, task, |state, parking| {
            leave_granted(&mut state.changed, key);
            if state.version != *seen {
                *seen = state.version;
                Poll::Ready(Ok(()))
            } else if state.senders == 0 {
                Poll::Ready(Err(RecvError::Closed))
            } else {
                state.changed.wait(key, (), parking)
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
        lock(&self.shared).receivers += 1;
        Receiver { shared: self.shared.clone(), seen: self.seen, key: None }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = lock(&self.shared);
        state.receivers -= 1;
        let woken = if state.receivers == 0 { state.closed.grant_all() } else { Woken::default() };
        let left = self.key.map(|key| state.changed.leave(key));
        drop(state);
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
