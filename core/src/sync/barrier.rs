//! A point where a number of tasks wait for each other, again and again.
//!
//! Invariant: `waiting` is the number of waiters in the queue, and less than `parties`. The one that
//! would make it equal lets everybody out instead, in the order in which they came.

use std::fmt;
use std::task::{Context, Poll};

use super::waiters::{Waiters, Woken, poll_locked};
use crate::cancel::{Cancelled, Level, Note, Use};
use crate::cx::Cx;
use crate::lock::{Mutex as Lock, lock};

/// Lets nobody pass until a number of parties are there; then all pass, and it starts anew.
///
/// FIFO: the first come is woken first, and whoever comes for the next round waits for that one.
///
/// ```
/// # use asupersync::{Cx, Outcome, sync::Barrier};
/// # use std::sync::Arc;
/// # #[asupersync::main]
/// # async fn main(cx: &Cx) -> Outcome<()> {
/// let barrier = Arc::new(Barrier::new(2));
/// let here = barrier.clone();
/// let other = cx.spawn("other", async move |cx| Ok(here.wait(cx).await?.is_leader()));
/// let leader = barrier.wait(cx).await?.is_leader();
/// assert_ne!(leader, other.join().await?);
/// # Ok(())
/// # }
/// ```
pub struct Barrier {
    parties: usize,
    state: Lock<State>,
}

struct State {
    waiting: usize,
    waiters: Waiters<()>,
}

impl Barrier {
    /// A barrier for `parties` parties.
    ///
    /// # Panics
    /// If `parties` is 0.
    #[track_caller]
    pub fn new(parties: usize) -> Self {
        assert!(parties > 0, "a barrier needs at least one party");
        Barrier { parties, state: Lock::new(State { waiting: 0, waiters: Waiters::new() }) }
    }

    /// Waits until all parties are there. Exactly one of them, the last to come, is the leader.
    ///
    /// # Errors
    /// `Cancelled` at Request.
    ///
    /// # Cancel safety
    /// A party that leaves while it waits is not counted: the barrier waits for another in its
    /// place. One that leaves after the barrier opened, before it saw that, was counted.
    pub async fn wait<C>(&self, cx: &Cx<C>) -> Result<BarrierWaitResult, Cancelled> {
        let mut wait = Wait { barrier: self, key: None };
        cx.op(Level::Requested, Note::on(Use::Barrier, self), |task| wait.poll(task).map(Ok)).await
    }
}

struct Wait<'a> {
    barrier: &'a Barrier,
    key: Option<usize>,
}

impl Wait<'_> {
    fn poll(&mut self, task: &mut Context<'_>) -> Poll<BarrierWaitResult> {
        let Wait { barrier, ref mut key } = *self;
        let mut woken = Woken::default();
        let polled = poll_locked(&barrier.state, task, |state, parking| match *key {
            None if state.waiting + 1 == barrier.parties => {
                state.waiting = 0;
                woken = state.waiters.grant_all();
                Poll::Ready(BarrierWaitResult { leader: true })
            }
            Some(granted) if state.waiters.is_granted(granted) => {
                state.waiters.leave(granted);
                *key = None;
                Poll::Ready(BarrierWaitResult { leader: false })
            }
            before => {
                let polled = state.waiters.wait(key, (), parking);
                if before.is_none() && key.is_some() {
                    state.waiting += 1;
                }
                polled
            }
        });
        woken.wake();
        polled
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let Some(key) = self.key else { return };
        let mut state = lock(&self.barrier.state);
        let left = state.waiters.leave(key);
        if !left.granted {
            state.waiting -= 1;
        }
        drop(state);
        drop(left);
    }
}

/// What a party knows that passed a [`Barrier`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarrierWaitResult {
    leader: bool,
}

impl BarrierWaitResult {
    /// It is the one of this round that may act for all.
    pub fn is_leader(&self) -> bool {
        self.leader
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = lock(&self.state).waiting;
        f.debug_struct("Barrier").field("parties", &self.parties).field("waiting", &waiting).finish()
    }
}
