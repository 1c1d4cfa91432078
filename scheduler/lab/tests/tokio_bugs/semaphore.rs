//! A semaphore with a queue, served in order.

use std::collections::{BTreeSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use asupersync_core::{Cancelled, Cx, sync};
use asupersync_lab::explore::Explored;
use asupersync_lab::{Shared, pause};

use crate::{Trial, Variant, stop};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    /// Who leaves before the grant stays in the queue, and is granted later.
    StaysQueued,
    /// Who leaves does not look whether the next one fits.
    HandsNothingOn,
}

#[derive(Default)]
struct State {
    permits: usize,
    queue: VecDeque<(u64, usize, Waker)>,
    granted: BTreeSet<u64>,
    next: u64,
}

struct Rebuilt {
    state: Shared<State>,
    flaw: Flaw,
}

impl State {
    fn hand_over(&mut self) -> Vec<Waker> {
        let mut woken = Vec::new();
        while let Some((_, wants, _)) = self.queue.front()
            && *wants <= self.permits
        {
            self.permits -= *wants;
            let (id, _, waker) = self.queue.pop_front().expect("there is a first");
            self.granted.insert(id);
            woken.push(waker);
        }
        woken
    }
}

struct Acquire<'a> {
    semaphore: &'a Rebuilt,
    wants: usize,
    id: Option<u64>,
}

impl Future for Acquire<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<()> {
        let Acquire { semaphore, wants, id } = &mut *self;
        let mut state = semaphore.state.lock();
        match *id {
            None if state.queue.is_empty() && state.permits >= *wants => state.permits -= *wants,
            None => {
                *id = Some(state.next);
                let entry = (state.next, *wants, task.waker().clone());
                state.queue.push_back(entry);
                state.next += 1;
                return Poll::Pending;
            }
            Some(granted) => {
                if !state.granted.remove(&granted) {
                    return Poll::Pending;
                }
                *id = None;
            }
        }
        Poll::Ready(())
    }
}

impl Drop for Acquire<'_> {
    fn drop(&mut self) {
        let Some(id) = self.id else { return };
        let flaw = self.semaphore.flaw;
        let mut state = self.semaphore.state.lock();
        if state.granted.remove(&id) {
            state.permits += self.wants;
        } else if flaw != Flaw::StaysQueued {
            state.queue.retain(|(other, ..)| *other != id);
        }
        let woken = if flaw == Flaw::HandsNothingOn { Vec::new() } else { state.hand_over() };
        drop(state);
        woken.into_iter().for_each(Waker::wake);
    }
}

/// The one or the other.
enum Semaphore {
    Rebuilt(Rebuilt),
    Ours(sync::Semaphore),
}

impl Semaphore {
    fn new(variant: Variant, flaw: Flaw, permits: usize) -> Arc<Self> {
        let rebuilt = |flaw| {
            Semaphore::Rebuilt(Rebuilt { state: Shared::new(State { permits, ..State::default() }), flaw })
        };
        Arc::new(match variant {
            Variant::Buggy => rebuilt(flaw),
            Variant::Mended => rebuilt(Flaw::None),
            Variant::Ours => Semaphore::Ours(sync::Semaphore::new(permits)),
        })
    }

    /// Takes permits for good.
    async fn take(&self, cx: &Cx, wants: usize) -> Result<(), Cancelled> {
        match self {
            Semaphore::Rebuilt(semaphore) => cx.or_cancel(Acquire { semaphore, wants, id: None }).await,
            Semaphore::Ours(semaphore) => {
                semaphore.acquire(cx, wants).await?.forget();
                Ok(())
            }
        }
    }

    fn release(&self, permits: usize) {
        match self {
            Semaphore::Rebuilt(semaphore) => {
                let mut state = semaphore.state.lock();
                state.permits += permits;
                let woken = state.hand_over();
                drop(state);
                woken.into_iter().for_each(Waker::wake);
            }
            Semaphore::Ours(semaphore) => semaphore.release(permits),
        }
    }
}

/// Tokio #900, mended by #904: only a permit that was assigned was given back; whoever left before that was
/// assigned one later, which was gone.
pub(crate) fn dropped_before_its_grant(trial: &Trial) -> Explored {
    let variant = trial.variant;
    trial.run(async move |cx: &Cx| {
        let semaphore = Semaphore::new(variant, Flaw::StaysQueued, 0);
        let [first, second] = [1, 1].map(|wants| {
            let semaphore = semaphore.clone();
            cx.spawn("wait", async move |cx| Ok(semaphore.take(cx, wants).await?))
        });
        pause().await;
        first.request_cancel(stop());
        pause().await;
        semaphore.release(1);
        if first.join().await.is_ok() {
            semaphore.release(1);
        }
        second.join().await
    })
}

/// A waiter for two permits is first, one for one is next, and one permit is free: when the first leaves,
/// the next fits.
pub(crate) fn dropped_at_the_head(trial: &Trial) -> Explored {
    let variant = trial.variant;
    trial.run(async move |cx: &Cx| {
        let semaphore = Semaphore::new(variant, Flaw::HandsNothingOn, 1);
        let [first, second] = [2, 1].map(|wants| {
            let semaphore = semaphore.clone();
            cx.spawn("wait", async move |cx| Ok(semaphore.take(cx, wants).await?))
        });
        pause().await;
        first.request_cancel(stop());
        second.join().await
    })
}

const CLOSED: usize = 1;

/// Tokio #8021: whether it is closed is a bit beside the number of permits, which a new number overwrote.
pub(crate) fn forgotten_when_closed(trial: &Trial) -> Explored {
    let keeps = trial.variant != Variant::Buggy;
    trial.run(async move |cx: &Cx| {
        let word = Arc::new(Shared::new(3 << 1));
        let (close, forget) = (word.clone(), word.clone());
        let close = cx.spawn("close", async move |_| *close.lock() |= CLOSED);
        let forget = cx.spawn("forget", async move |_| {
            let mut word = forget.lock();
            let kept = if keeps { *word & CLOSED } else { 0 };
            *word = ((*word >> 1) - 1) << 1 | kept;
        });
        close.join().await?;
        forget.join().await?;
        assert!(*word.read() & CLOSED != 0, "a closed semaphore gave a permit");
        Ok(())
    })
}
