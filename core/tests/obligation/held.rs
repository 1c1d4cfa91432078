//! In the closure: every way out resolves it, and each way just once.

use std::future::pending;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::Duration;

use asupersync::obligation::Resolution::{Aborted, Committed};
use asupersync::obligation::{Lease, Obligation, hold};
use asupersync::{Budget, Cancelled, Cx, Failure, Outcome, Reason, ReasonKind, Region};

use crate::cases::{Case, each_kind, poll_once};

async fn commits<O: Obligation<Input: Send>, C: Case<O>>(cx: &Cx) -> Outcome {
    let mut case = C::make(cx).await;
    let value = case.with(cx, async |held| C::commit(held).with(5).map(|five| five + 1)).await;
    assert_eq!(value, 6);
    assert_eq!(case.seen(), Some(Committed));
    Ok(())
}

async fn aborts<O: Obligation<Input: Send>, C: Case<O>>(cx: &Cx) -> Outcome {
    let mut case = C::make(cx).await;
    case.with(cx, async |held| held.abort()).await;
    assert_eq!(case.seen(), Some(Aborted));
    Ok(())
}

async fn the_bridge_keeps_it_or_aborts<O: Obligation<Input: Send>, C: Case<O>>(cx: &Cx) -> Outcome {
    for (text, end) in [("7", Committed), ("seven", Aborted)] {
        let mut case = C::make(cx).await;
        let tried = case.try_with(cx, async |held| {
            let (held, number) = held.or_abort(text.parse::<u8>())?;
            Ok(C::commit(held).with(number))
        });
        assert_eq!(tried.await.ok(), (end == Committed).then_some(7));
        assert_eq!(case.seen(), Some(end));
    }
    let mut case = C::make(cx).await;
    let tried = case.try_with::<(), _>(cx, async |held| {
        let cancelled = Cancelled::new(Reason::new(ReasonKind::UserRequest));
        Err(held.abort_with(cancelled))
    });
    assert!(tried.await.is_err_and(|failure| failure.as_cancelled().is_some()));
    assert_eq!(case.seen(), Some(Aborted));
    Ok(())
}

/// Dropped before its first poll, and at each await of the closure.
async fn is_aborted_by_a_drop_at_any_await<O: Obligation<Input: Send>, C: Case<O>>(cx: &Cx) -> Outcome {
    const AWAITS: usize = 3;
    for polls in 0..=AWAITS + 1 {
        let mut case = C::make(cx).await;
        {
            let mut body = pin!(case.with(cx, async |held| {
                for _ in 0..AWAITS {
                    drop(cx.yield_now().await);
                }
                C::commit(held)
            }));
            for poll in 1..=polls {
                assert_eq!(poll_once(body.as_mut()).is_ready(), poll > AWAITS);
            }
        }
        assert_eq!(case.seen(), Some(if polls > AWAITS { Committed } else { Aborted }), "{polls}");
    }
    Ok(())
}

/// What the closure awaits hears of a request; the obligation is held until the closure lets go.
async fn a_request_is_the_closures_to_heed<O: Obligation<Input: Send>, C: Case<O>>(cx: &Cx) -> Outcome {
    let mut case = C::make(cx).await;
    let tried = cx.race(
        async |cx| {
            let tried = case.try_with(cx, async |held| {
                let (held, ()) = held.or_abort(cx.sleep(Duration::MAX).await)?;
                Ok(C::commit(held))
            });
            tried.await
        },
        async |_| Ok(()),
    );
    drop(tried.await);
    assert_eq!(case.seen(), Some(Aborted));
    Ok(())
}

/// A closure that waits for nobody is dropped at the end of the drain budget.
async fn is_aborted_at_the_end_of_the_drain<O: Obligation<Input: Send>, C: Case<O>>(cx: &Cx) -> Outcome {
    let mut case = C::make(cx).await;
    let held_by = &AtomicUsize::new(0);
    let region = Region::builder("drained").drain(Budget::timeout(Duration::ZERO));
    let opened = region.open(cx, async |cx| {
        let body = case.with(cx, async |held| {
            held_by.store(1, Ordering::Relaxed);
            cx.cancelled().await;
            pending::<()>().await;
            C::commit(held)
        });
        let stop = cx.spawn("stop", async |_| Err::<(), _>(Failure::Err(asupersync::Error::msg("stop"))));
        body.await;
        drop(stop);
        Ok(())
    });
    assert!(opened.await.is_err());
    assert_eq!(held_by.load(Ordering::Relaxed), 1);
    assert_eq!(case.seen(), Some(Aborted));
    Ok(())
}

async fn is_aborted_by_a_panic<O: Obligation<Input: Send>, C: Case<O>>(cx: &Cx) -> Outcome {
    let mut case = C::make(cx).await;
    let opened = Region::open(cx, "panics", async |cx| {
        case.with(cx, async |held| {
            if !cx.is_cancelled() {
                panic!("on purpose");
            }
            C::commit(held)
        })
        .await;
        Ok(())
    });
    assert!(matches!(opened.await, Err(Failure::Panicked(_))));
    assert_eq!(case.seen(), Some(Aborted));
    Ok(())
}

/// The closure forgets what it holds, and can then only wait; the frame still has the thing.
async fn is_aborted_though_forgotten<O: Obligation<Input: Send>, C: Case<O>>(cx: &Cx) -> Outcome {
    let mut case = C::make(cx).await;
    {
        let mut body = pin!(case.with::<(), _>(cx, async |held| {
            std::mem::forget(held);
            pending().await
        }));
        assert!(matches!(poll_once(body.as_mut()), Poll::Pending));
    }
    assert_eq!(case.seen(), Some(Aborted));
    Ok(())
}

/// `drop` inside the closure does not wait for the closure's end.
#[asupersync::test]
async fn a_drop_in_the_closure_aborts_at_once(cx: &Cx) -> Outcome {
    let ended = Arc::new(OnceLock::new());
    let tell = ended.clone();
    let lease = Lease::new((), move |(), how| tell.set(how).expect("it ends once"));
    let mut body = pin!(hold::<_, _, (), _>(cx, lease, async |held| {
        drop(held);
        pending().await
    }));
    assert!(poll_once(body.as_mut()).is_pending());
    assert_eq!(ended.get(), Some(&Aborted));
    Ok(())
}

each_kind!(
    commits,
    aborts,
    the_bridge_keeps_it_or_aborts,
    is_aborted_by_a_drop_at_any_await,
    a_request_is_the_closures_to_heed,
    is_aborted_at_the_end_of_the_drain,
    is_aborted_by_a_panic,
    is_aborted_though_forgotten,
);
