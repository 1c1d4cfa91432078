//! Wake-ups without a value.

use std::task::{Context, Poll, Waker};

use super::waiters::{Waiters, poll_locked};
use crate::cancel::{Cancelled, Level, Note, Use};
use crate::cx::Cx;
use crate::lock::{Mutex as Lock, lock};

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
        let woken = lock(&self.state).waiters.grant_each(|to| *to = To::All);
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
        let mut waiting = Notified { notify: self, key: None };
        cx.op(Level::Requested, Note::on(Use::Notify, self), |task| waiting.poll(task).map(Ok)).await
    }
}

struct Notified<'a> {
    notify: &'a Notify,
    key: Option<usize>,
}

impl Notified<'_> {
    fn poll(&mut self, task: &mut Context<'_>) -> Poll<()> {
        let key = &mut self.key;
        poll_locked(&self.notify.state, task, |state, parking| match *key {
            None if std::mem::take(&mut state.kept) => Poll::Ready(()),
            Some(granted) if state.waiters.is_granted(granted) => {
                state.waiters.leave(granted);
                *key = None;
                Poll::Ready(())
            }
            _ => state.waiters.wait(key, To::One, parking),
        })
    }
}

impl Drop for Notified<'_> {
    fn drop(&mut self) {
        let Some(key) = self.key else { return };
        let left = lock(&self.notify.state).waiters.leave(key);
        if left.granted && matches!(left.demand, To::One) {
            self.notify.notify_one();
        }
    }
}
