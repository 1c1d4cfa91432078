//! Wake-ups without a value.
//!
//! Invariant: `rounds` counts how often all who had an entry in the queue were released, and their entries with
//! them. Whoever came in an earlier round has none, and has been notified: it need not ask for the lock.

use std::task::{Context, Poll, Waker};

use super::waiters::{Waiters, poll_locked};
use crate::cancel::{Cancelled, Level, Note, Use};
use crate::cx::Cx;
use crate::lock::{Mutex as Lock, lock};
use crate::primitive::{AtomicU64, Ordering};

/// Wakes one waiter, the first come, or all. One notification is kept when nobody waits.
///
/// ```
/// # use asupersync::{Cx, Outcome, sync::Notify};
/// # #[asupersync::main]
/// # async fn main(cx: &Cx) -> Outcome<()> {
/// let ready = Notify::new();
/// ready.notify_one();
/// ready.notified(cx).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
pub struct Notify {
    state: Lock<State>,
    rounds: AtomicU64,
}

struct State {
    kept: bool,
    waiters: Waiters<To>,
}

/// Whom the notification of a waiter is for.
enum To {
    /// One: it is passed on if this waiter leaves.
    One,
    /// Everybody who waited then: it is nobody else's.
    All,
}

impl Default for State {
    fn default() -> Self {
        State { kept: false, waiters: Waiters::new() }
    }
}

impl Notify {
    /// Nothing notified yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Wakes the first waiter, or lets the next one pass at once. Several without a waiter in
    /// between count as one.
    pub fn notify_one(&self) {
        let mut state = lock(&self.state);
        let woken = state.waiters.grant();
        state.kept |= woken.is_none();
        drop(state);
        woken.into_iter().for_each(Waker::wake);
    }

    /// Wakes everybody who waits now, and nobody who comes later.
    pub fn notify_waiters(&self) {
        let mut state = lock(&self.state);
        let woken = match state.waiters.release() {
            Some(woken) => {
                self.rounds.fetch_add(1, Ordering::Release);
                woken
            }
            None => state.waiters.grant_each(|to| *to = To::All),
        };
        drop(state);
        woken.wake();
    }

    /// Waits for a notification.
    ///
    /// # Errors
    /// `Cancelled` at Request.
    ///
    /// # Cancel safety
    /// A notification for one that reached a waiter which leaves is passed on to the next. One for
    /// all is not: whoever comes later was not meant.
    pub async fn notified<C>(&self, cx: &Cx<C>) -> Result<(), Cancelled> {
        let mut waiting = Notified { notify: self, entry: None };
        cx.op(Level::Requested, Note::on(Use::Notify, self), |task| waiting.poll(task).map(Ok)).await
    }
}

struct Notified<'a> {
    notify: &'a Notify,
    /// Its key in the queue, and the round in which it came.
    entry: Option<(usize, u64)>,
}

impl Notified<'_> {
    fn poll(&mut self, task: &mut Context<'_>) -> Poll<()> {
        if self.is_released() {
            self.notify.state.object().read();
            self.entry = None;
            return Poll::Ready(());
        }
        let Notified { notify, ref mut entry } = *self;
        poll_locked(&notify.state, task, |state, parking| {
            let round = notify.rounds.load(Ordering::Relaxed);
            match *entry {
                None if std::mem::take(&mut state.kept) => return Poll::Ready(()),
                Some((_, came)) if came != round => {}
                Some((key, _)) if state.waiters.is_granted(key) => {
                    state.waiters.leave(key);
                }
                _ => {
                    let mut key = entry.map(|(key, _)| key);
                    let polled = state.waiters.wait(&mut key, To::One, parking);
                    *entry = key.map(|key| (key, round));
                    return polled;
                }
            }
            *entry = None;
            Poll::Ready(())
        })
    }

    fn is_released(&self) -> bool {
        self.entry.is_some_and(|(_, came)| self.notify.rounds.load(Ordering::Acquire) != came)
    }
}

impl Drop for Notified<'_> {
    fn drop(&mut self) {
        let Some((key, _)) = self.entry else { return };
        let mut state = lock(&self.notify.state);
        if self.is_released() {
            return;
        }
        let left = state.waiters.leave(key);
        drop(state);
        if left.granted && matches!(left.demand, To::One) {
            self.notify.notify_one();
        }
    }
}

/// Who is notified without asking for the lock, in every order.
#[cfg(all(test, loom))]
mod loom {
    use std::future::poll_fn;
    use std::sync::Arc;

    use loom::future::block_on;
    use loom::thread;

    use super::{Notified, Notify};

    async fn notified(notify: &Notify) {
        let mut waiting = Notified { notify, entry: None };
        poll_fn(|task| waiting.poll(task)).await;
    }

    fn check(model: impl Fn() + Send + Sync + 'static) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(2);
        builder.check(model);
    }

    /// All are notified when each of two waits.
    #[test]
    fn who_waits_is_notified_with_all() {
        check(|| {
            let notify = Arc::new(Notify::new());
            let (told, knows) = loom::sync::mpsc::channel();
            let waiting = [(); 2].map(|()| {
                let (notify, told) = (notify.clone(), told.clone());
                thread::spawn(move || {
                    let mut waiting = Notified { notify: &notify, entry: None };
                    // Who is polled again without being woken does not tell again.
                    let mut told = Some(told);
                    block_on(poll_fn(|task| {
                        let polled = waiting.poll(task);
                        told.take().into_iter().for_each(|told| told.send(()).unwrap());
                        polled
                    }));
                })
            });
            knows.recv().unwrap();
            knows.recv().unwrap();
            notify.notify_waiters();
            waiting.into_iter().for_each(|waiting| waiting.join().unwrap());
        });
    }

    /// Of two who wait one is notified alone and leaves, before or after all are: what was meant for one goes
    /// to the other, or stays for whoever comes.
    #[test]
    fn what_is_for_one_is_passed_on_by_whoever_leaves() {
        check(|| {
            let notify = Arc::new(Notify::new());
            let mut leaves = Notified { notify: &notify, entry: None };
            block_on(poll_fn(|task| {
                assert!(leaves.poll(task).is_pending());
                std::task::Poll::Ready(())
            }));
            let other = thread::spawn({
                let notify = notify.clone();
                move || block_on(notified(&notify))
            });
            notify.notify_one();
            let all = thread::spawn({
                let notify = notify.clone();
                move || notify.notify_waiters()
            });
            drop(leaves);
            all.join().unwrap();
            other.join().unwrap();
        });
    }
}
