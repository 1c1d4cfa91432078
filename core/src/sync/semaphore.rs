//! A counting semaphore with direct hand-over: a released permit goes to the first waiter, and
//! nobody barges past it.

use std::fmt;
use std::task::{Context, Poll};

use super::waiters::{Left, Waiters, Woken, poll_locked};
use crate::cancel::{Cancelled, Level, Note, Use};
use crate::cx::Cx;
use crate::lock::{Mutex as Lock, lock};
use crate::observe::Object;

/// Limits how many may do something at once. FIFO: a large demand at the front is not overtaken.
///
/// ```
/// # use asupersync::{Cx, Outcome, sync::Semaphore};
/// # #[asupersync::main]
/// # async fn main(cx: &Cx) -> Outcome<()> {
/// let slots = Semaphore::new(2);
/// let one = slots.acquire(cx, 1).await?;
/// assert_eq!(slots.available(), 1);
/// drop(one);
/// assert_eq!(slots.available(), 2);
/// # Ok(())
/// # }
/// ```
pub struct Semaphore {
    state: Lock<State>,
}

struct State {
    available: usize,
    waiters: Waiters<usize>,
}

impl Semaphore {
    /// A semaphore with `permits` free permits.
    pub fn new(permits: usize) -> Self {
        Semaphore { state: Lock::new(State { available: permits, waiters: Waiters::new() }) }
    }

    /// The same in a constant, for statics.
    #[cfg(not(loom))]
    pub const fn const_new(permits: usize) -> Self {
        Semaphore { state: Lock::of_static(State { available: permits, waiters: Waiters::new() }) }
    }

    /// Stands for what is kept beside it and guarded by it.
    pub(super) fn object(&self) -> &Object {
        self.state.object()
    }

    /// Waits for `permits` permits at once.
    ///
    /// # Errors
    /// `Cancelled` at Request.
    ///
    /// # Cancel safety
    /// A waiter that leaves loses its place and nothing else; what it was handed already goes to
    /// the next.
    pub async fn acquire<C>(&self, cx: &Cx<C>, permits: usize) -> Result<Permit<'_>, Cancelled> {
        self.acquire_as(Use::Permits, cx, permits).await
    }

    /// [`acquire`](Self::acquire) for what is made of a semaphore.
    pub(super) async fn acquire_as<C>(
        &self,
        what: Use,
        cx: &Cx<C>,
        permits: usize,
    ) -> Result<Permit<'_>, Cancelled> {
        let mut acquire = Acquire { semaphore: self, permits, key: None };
        cx.op(Level::Requested, Note::on(what, self), |task| acquire.poll(task).map(Ok)).await
    }

    /// Takes `permits` permits if they are free and nobody waits.
    pub fn try_acquire(&self, permits: usize) -> Option<Permit<'_>> {
        let mut state = lock(&self.state);
        if !state.waiters.is_empty() || state.available < permits {
            return None;
        }
        state.available -= permits;
        Some(Permit { semaphore: self, permits })
    }

    /// Free permits, now.
    pub fn available(&self) -> usize {
        lock(&self.state).available
    }

    /// Adds permits, or gives some back that were [forgotten](Permit::forget).
    pub fn release(&self, permits: usize) {
        let mut state = lock(&self.state);
        state.available += permits;
        let woken = state.hand_over();
        drop(state);
        woken.wake();
    }
}

impl State {
    fn hand_over(&mut self) -> Woken {
        let mut woken = Woken::default();
        while let Some(&demand) = self.waiters.first()
            && demand <= self.available
        {
            self.available -= demand;
            woken.extend(self.waiters.grant());
        }
        woken
    }
}

/// The wait for permits. Leaves the queue when dropped.
struct Acquire<'a> {
    semaphore: &'a Semaphore,
    permits: usize,
    key: Option<usize>,
}

impl<'a> Acquire<'a> {
    fn poll(&mut self, task: &mut Context<'_>) -> Poll<Permit<'a>> {
        let Acquire { semaphore, permits, ref mut key } = *self;
        let polled = poll_locked(&semaphore.state, task, |state, parking| match *key {
            None if state.waiters.is_empty() && state.available >= permits => {
                state.available -= permits;
                Poll::Ready(())
            }
            Some(granted) if state.waiters.is_granted(granted) => {
                state.waiters.leave(granted);
                *key = None;
                Poll::Ready(())
            }
            _ => state.waiters.wait(key, permits, parking),
        });
        polled.map(|()| Permit { semaphore, permits })
    }
}

impl Drop for Acquire<'_> {
    fn drop(&mut self) {
        let Some(key) = self.key else { return };
        let mut state = lock(&self.semaphore.state);
        let left: Left<usize> = state.waiters.leave(key);
        if left.granted {
            state.available += left.demand;
        }
        // Without this one at the front, the next may fit.
        let woken = state.hand_over();
        drop(state);
        woken.wake();
    }
}

/// Permits of a [`Semaphore`]; given back when dropped.
#[must_use = "dropped at once, it is given back at once"]
pub struct Permit<'a> {
    semaphore: &'a Semaphore,
    permits: usize,
}

impl Permit<'_> {
    /// How many permits these are.
    pub fn permits(&self) -> usize {
        self.permits
    }

    /// Gives back all but `permits`.
    pub(crate) fn keep(&mut self, permits: usize) {
        let rest = self.permits.saturating_sub(permits);
        self.permits -= rest;
        self.semaphore.release(rest);
    }

    /// Takes the permits out of circulation, until [`Semaphore::release`] adds them again.
    pub fn forget(mut self) {
        self.permits = 0;
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.permits > 0 {
            self.semaphore.release(self.permits);
        }
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore").field("available", &self.available()).finish_non_exhaustive()
    }
}
