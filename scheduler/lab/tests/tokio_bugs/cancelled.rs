//! Futures that are dropped, or left, where they wait: Oxide's RFDs 397, 400 and 609.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use asupersync_core::Cx;
use asupersync_core::sync::Mutex;
use asupersync_lab::explore::Explored;
use asupersync_lab::pause;

use crate::{Trial, Variant, stop};

/// Futurelock: one of two futures ends, the other is kept and not polled, and the lock that it waits for is
/// wanted again. Mended, it is dropped. Of ours, a race leaves nobody.
pub(crate) fn granted_to_whom_nobody_polls(trial: &Trial) -> Explored {
    let variant = trial.variant;
    trial.run(async move |cx: &Cx| {
        let lock = Arc::new(Mutex::new(()));
        let other = lock.clone();
        let holds = cx.spawn("hold", async move |cx| {
            let _held = other.lock(cx).await?;
            Ok(cx.yield_now().await?)
        });
        pause().await;
        if variant == Variant::Ours {
            let waits = async |cx: &Cx| {
                drop(lock.lock(cx).await?);
                Ok(())
            };
            let ends = async |_: &Cx| {
                pause().await;
                Ok(())
            };
            cx.race(waits, ends).await?;
            drop(lock.lock(cx).await?);
        } else {
            let mut waits = Box::pin(lock.lock(cx));
            let mut tick = pin!(pause());
            let waiting = poll_fn(|task| match waits.as_mut().poll(task) {
                Poll::Ready(_) => Poll::Ready(false),
                Poll::Pending => tick.as_mut().poll(task).map(|()| true),
            });
            if waiting.await {
                let mut left = Some(waits);
                if variant == Variant::Mended {
                    drop(left.take());
                }
                drop(lock.lock(cx).await?);
                drop(left);
            }
        }
        holds.join().await
    })
}

/// What is guarded is taken out while something is awaited, and the wait is cancelled. Mended, it is work in
/// flight.
pub(crate) fn invalid_under_the_lock(trial: &Trial) -> Explored {
    let finishes = trial.variant != Variant::Buggy;
    trial.run(async move |cx: &Cx| {
        let guarded = Arc::new(Mutex::new(Some(1)));
        let other = guarded.clone();
        let works = cx.spawn("work", async move |cx| {
            let mut guarded = other.lock(cx).await?;
            let value = guarded.take().expect("it is there");
            if finishes {
                cx.or_spent(pause()).await?
            } else {
                cx.or_cancel(pause()).await?
            }
            *guarded = Some(value + 1);
            Ok(())
        });
        pause().await;
        works.request_cancel(stop());
        assert!(guarded.lock(cx).await?.is_some(), "the state is gone");
        drop(works.join().await);
        Ok(())
    })
}
