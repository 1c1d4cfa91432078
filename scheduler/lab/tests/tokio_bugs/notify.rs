//! Notifications for one or for all who wait.

use std::collections::{BTreeMap, VecDeque};
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
    /// A waiter that leaves as the last sets the state to empty, whatever it is.
    EmptiesAlways,
    /// Waiters are taken out a few at a time, and others come in between.
    InBatches,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Kept {
    #[default]
    Empty,
    Waiting,
    Notified,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum To {
    One,
    All,
}

#[derive(Default)]
struct State {
    kept: Kept,
    waiting: VecDeque<(u64, Waker)>,
    told: BTreeMap<u64, To>,
    next: u64,
}

struct Rebuilt {
    state: Shared<State>,
    flaw: Flaw,
}

impl State {
    fn tell(&mut self, to: To) -> Option<Waker> {
        let (id, waker) = self.waiting.pop_front()?;
        self.told.insert(id, to);
        if self.waiting.is_empty() {
            self.kept = Kept::Empty;
        }
        Some(waker)
    }

    fn tell_all(&mut self, few: usize) -> Vec<Waker> {
        std::iter::from_fn(|| self.tell(To::All)).take(few).collect()
    }

    fn notify_one(&mut self) -> Option<Waker> {
        let woken = self.tell(To::One);
        if woken.is_none() {
            self.kept = Kept::Notified;
        }
        woken
    }
}

struct Notified<'a> {
    notify: &'a Rebuilt,
    id: Option<u64>,
}

impl Future for Notified<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<()> {
        let mut state = self.notify.state.lock();
        let id = match self.id {
            Some(id) if state.told.remove(&id).is_some() => None,
            Some(_) => return Poll::Pending,
            None if state.kept == Kept::Notified => {
                state.kept = Kept::Empty;
                None
            }
            None => {
                let id = state.next;
                state.next += 1;
                state.waiting.push_back((id, task.waker().clone()));
                state.kept = Kept::Waiting;
                Some(id)
            }
        };
        drop(state);
        self.id = id;
        if id.is_some() { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl Drop for Notified<'_> {
    fn drop(&mut self) {
        let Some(id) = self.id else { return };
        let mut state = self.notify.state.lock();
        state.waiting.retain(|(other, _)| *other != id);
        let told = state.told.remove(&id);
        let empties = state.kept == Kept::Waiting || self.notify.flaw == Flaw::EmptiesAlways;
        if state.waiting.is_empty() && empties {
            state.kept = Kept::Empty;
        }
        let woken = if told == Some(To::One) { state.notify_one() } else { None };
        drop(state);
        woken.into_iter().for_each(Waker::wake);
    }
}

/// The one or the other.
enum Notify {
    Rebuilt(Rebuilt),
    Ours(sync::Notify),
}

impl Notify {
    fn new(variant: Variant, flaw: Flaw) -> Arc<Self> {
        let rebuilt = |flaw| Notify::Rebuilt(Rebuilt { state: Shared::default(), flaw });
        Arc::new(match variant {
            Variant::Buggy => rebuilt(flaw),
            Variant::Mended => rebuilt(Flaw::None),
            Variant::Ours => Notify::Ours(sync::Notify::new()),
        })
    }

    async fn notified(&self, cx: &Cx) -> Result<(), Cancelled> {
        match self {
            Notify::Rebuilt(notify) => cx.or_cancel(Notified { notify, id: None }).await,
            Notify::Ours(notify) => notify.notified(cx).await,
        }
    }

    fn notify_one(&self) {
        match self {
            Notify::Rebuilt(notify) => {
                let woken = notify.state.lock().notify_one();
                woken.into_iter().for_each(Waker::wake);
            }
            Notify::Ours(notify) => notify.notify_one(),
        }
    }

    /// Wakers are called without the lock, so that there are places where others come in between.
    async fn notify_waiters(&self) {
        match self {
            Notify::Rebuilt(notify) => loop {
                let few = if notify.flaw == Flaw::InBatches { 1 } else { usize::MAX };
                let woken = notify.state.lock().tell_all(few);
                let more = woken.len() == few;
                for waker in woken {
                    waker.wake();
                    pause().await;
                }
                if !more {
                    return;
                }
            },
            Notify::Ours(notify) => notify.notify_waiters(),
        }
    }
}

/// Tokio #3652: a waiter was told with all, a notification came for nobody and was kept, and then the waiter
/// was dropped.
pub(crate) fn dropped_with_another_kept(trial: &Trial) -> Explored {
    let variant = trial.variant;
    trial.run(async move |cx: &Cx| {
        let notify = Notify::new(variant, Flaw::EmptiesAlways);
        let mut waiter = Box::pin(notify.notified(cx));
        let polled = std::future::poll_fn(|task| Poll::Ready(waiter.as_mut().poll(task)));
        assert!(polled.await.is_pending());
        let other = notify.clone();
        let tells = cx.spawn("tell", async move |_| {
            other.notify_waiters().await;
            other.notify_one();
        });
        pause().await;
        drop(waiter);
        notify.notified(cx).await?;
        tells.join().await
    })
}

/// Tokio #5458: who was woken with the first of the batches, and waits again, is woken with the last.
pub(crate) fn woken_twice(trial: &Trial) -> Explored {
    let variant = trial.variant;
    trial.run(async move |cx: &Cx| {
        let notify = Notify::new(variant, Flaw::InBatches);
        let waiters = [true, false].map(|again| {
            let notify = notify.clone();
            cx.spawn("wait", async move |cx| {
                notify.notified(cx).await?;
                if again {
                    notify.notified(cx).await?;
                    panic!("woken twice by one call");
                }
                Ok(())
            })
        });
        pause().await;
        notify.notify_waiters().await;
        for waiter in waiters {
            waiter.request_cancel(stop());
            drop(waiter.join().await);
        }
        Ok(())
    })
}
