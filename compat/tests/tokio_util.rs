//! tokio-util's tokens and trackers, and sets of tasks, on the native host and on a Tokio runtime.
#![cfg(all(feature = "guest", feature = "hosted", feature = "tokio-util"))]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use asupersync_compat::guest::Enclave;
use asupersync_compat::hosted;
use asupersync_compat::tokio_util::{JoinSet, RegionToken, Tracked, until_cancelled};
use asupersync_conformance::attack::{Ended, Play, at_every_await};
use asupersync_core::channel::oneshot;
use asupersync_core::region::{Close, OnFailure};
use asupersync_core::{Cx, Failure, Outcome, ReasonKind, Region};
use asupersync_scheduler::Runtime;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Runs each of these functions on each host.
macro_rules! cases {
    ($($name:ident,)*) => { $(
        #[test]
        fn $name() {
            let case = async |cx: &Cx| super::$name(cx).await;
            let native = Runtime::builder().workers(2).build().expect("a runtime");
            native.block_on(case).unwrap_or_else(|failure| panic!("{failure:?}"));
            let mut tokio = tokio::runtime::Builder::new_multi_thread();
            let tokio = tokio.worker_threads(2).enable_all().build().expect("a runtime");
            tokio.block_on(hosted::run(case)).unwrap_or_else(|failure| panic!("{failure:?}"));
        }
    )* };
}

mod cases {
    use super::*;

    cases![
        a_request_cancels_the_token,
        a_token_that_is_dropped_is_cancelled,
        a_cancelled_token_requests_the_region,
        a_wait_that_is_dropped_requests_the_region,
        a_region_waits_for_a_tracker,
        a_tracker_waits_for_tasks_of_a_region,
        a_set_is_joined_in_the_order_of_ends,
        a_set_that_is_shut_down_is_empty,
        a_set_that_is_dropped_asks_its_tasks,
        sets_and_tokens_are_waited_for,
    ];
}

async fn a_request_cancels_the_token(cx: &Cx) -> Outcome {
    let heard = Region::open(cx, "region", async |cx: &Cx| {
        let token = RegionToken::new(cx);
        assert!(!token.is_cancelled());
        let heard = token.clone();
        // Kept until the region closes.
        drop(cx.spawn("legacy", async move |_: &Cx| token.cancelled().await));
        Outcome::Ok(heard)
    });
    assert!(heard.await?.is_cancelled());
    Ok(())
}

async fn a_token_that_is_dropped_is_cancelled(cx: &Cx) -> Outcome {
    let joins = Region::builder("joins").close(Close::Join);
    let token = joins.open(cx, async |cx: &Cx| Outcome::Ok(RegionToken::new(cx).clone()));
    assert!(token.await?.is_cancelled());
    Ok(())
}

async fn a_cancelled_token_requests_the_region(cx: &Cx) -> Outcome {
    let token = CancellationToken::new();
    assert_eq!(until_cancelled(cx, &token, "ends", async |_: &Cx| Ok(5)).await?, 5);
    let (tell, told) = tokio::sync::oneshot::channel();
    let cancels = token.clone();
    drop(cx.spawn_future("cancels", async move {
        drop(told.await);
        cancels.cancel();
    }));
    let seen = until_cancelled(cx, &token, "waits", async move |cx: &Cx| {
        let _ = tell.send(());
        let why = cx.cancelled().await;
        // It is drained, not dropped.
        cx.finish(async |cx: &Cx| Ok(cx.yield_now().await?)).await?;
        Ok(why.reason().clone())
    })
    .await?;
    assert_eq!((seen.kind(), seen.message()), (ReasonKind::UserRequest, Some("its token was cancelled")));
    Ok(())
}

async fn a_wait_that_is_dropped_requests_the_region(cx: &Cx) -> Outcome {
    let token = CancellationToken::new();
    let (tell, mut told) = oneshot::channel();
    drop(until_cancelled(cx, &token, "dropped", async move |cx: &Cx| {
        drop(tell.send(cx.cancelled().await.reason().kind()));
        Outcome::Ok(())
    }));
    assert_eq!(told.recv(cx).await?, ReasonKind::HandleDropped);
    Ok(())
}

async fn a_region_waits_for_a_tracker(cx: &Cx) -> Outcome {
    let tokio = Enclave::open(cx)?;
    let (tracker, count) = (TaskTracker::new(), Arc::new(AtomicUsize::new(0)));
    Region::open(cx, "region", async |cx: &Cx| {
        let tracked = Tracked::new(cx, &tracker);
        let stop = RegionToken::new(cx);
        for _ in 0..3 {
            let (stop, count) = (stop.clone(), count.clone());
            let task = tracker.track_future(async move {
                stop.cancelled().await;
                tokio::task::yield_now().await;
                count.fetch_add(1, SeqCst);
            });
            tokio.run(cx, async { drop(tokio::spawn(task)) }).await?;
        }
        drop(cx.spawn("keeps", async move |cx: &Cx| {
            let _kept = (tracked, stop);
            cx.cancelled().await;
        }));
        Outcome::Ok(())
    })
    .await?;
    assert_eq!((count.load(SeqCst), tracker.is_closed(), tracker.is_empty()), (3, true, true));
    Ok(())
}

async fn a_tracker_waits_for_tasks_of_a_region(cx: &Cx) -> Outcome {
    let (tracker, count) = (TaskTracker::new(), Arc::new(AtomicUsize::new(0)));
    for _ in 0..3 {
        let counts = count.clone();
        let task = async move {
            counts.fetch_add(1, SeqCst);
        };
        drop(cx.spawn_future("tracked", tracker.track_future(task)));
    }
    tracker.close();
    tracker.wait().await;
    assert_eq!(count.load(SeqCst), 3);
    Ok(())
}

async fn a_set_is_joined_in_the_order_of_ends(cx: &Cx) -> Outcome {
    let collect = Region::builder("collect").on_failure(OnFailure::Collect);
    let (outcome, _) = collect
        .open_with_report(cx, async |cx: &Cx| {
            let mut set = JoinSet::new(cx);
            assert!(set.join_next(cx).await.is_none());
            let (tell, mut told) = oneshot::channel::<()>();
            set.spawn("second", async move |cx: &Cx| {
                told.recv(cx).await?;
                Ok(2)
            });
            set.spawn_future("first", async { Outcome::Ok(1) });
            assert_eq!(set.join_next(cx).await.transpose()?, Some(1));
            drop(tell.send(()));
            assert_eq!((set.len(), set.join_next(cx).await.transpose()?), (1, Some(2)));
            set.spawn("panics", async |_: &Cx| -> Outcome<i32> { panic!("on purpose") });
            assert!(matches!(set.join_next(cx).await, Some(Err(Failure::Panicked(_)))));
            assert!(set.is_empty());
            Outcome::Ok(())
        })
        .await;
    let Err(Failure::Panicked(panic)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(panic.message(), "on purpose");
    Ok(())
}

async fn a_set_that_is_shut_down_is_empty(cx: &Cx) -> Outcome {
    let cleaned = Arc::new(AtomicUsize::new(0));
    let mut set = JoinSet::new(cx);
    for _ in 0..3 {
        let cleans = cleaned.clone();
        set.spawn("waits", async move |cx: &Cx| {
            cx.cancelled().await;
            cleans.fetch_add(1, SeqCst);
        });
    }
    set.shutdown(cx).await;
    // One that never began had nothing to clean up.
    assert!(set.is_empty() && cleaned.load(SeqCst) <= 3);
    assert_eq!(Arc::strong_count(&cleaned), 1);
    Ok(())
}

async fn a_set_that_is_dropped_asks_its_tasks(cx: &Cx) -> Outcome {
    let joins = Region::builder("joins").close(Close::Join);
    joins
        .open(cx, async |cx: &Cx| {
            let mut set = JoinSet::new(cx);
            set.spawn("waits", async |cx: &Cx| {
                assert_eq!(cx.cancelled().await.reason().kind(), ReasonKind::HandleDropped);
            });
            let mut kept = JoinSet::new(cx);
            kept.spawn("is left", async |cx: &Cx| Ok(cx.yield_now().await?));
            kept.detach_all();
            Outcome::Ok(())
        })
        .await
}

async fn sets_and_tokens_are_waited_for(cx: &Cx) -> Outcome {
    let counted = Arc::new(());
    for how in 0..3 {
        let play = |_, cx: Cx| -> Play<Outcome> {
            let held = counted.clone();
            Box::pin(async move {
                let work = async move |cx: &Cx| {
                    let _held = held;
                    Ok(cx.yield_now().await?)
                };
                if how == 0 {
                    return until_cancelled(&cx, &CancellationToken::new(), "region", work).await;
                }
                let mut set = JoinSet::new(&cx);
                set.spawn("task", work);
                if how == 2 {
                    set.shutdown(&cx).await;
                }
                set.join_next(&cx).await.unwrap_or(Ok(()))
            })
        };
        let gone = |ended: Ended<Outcome>| {
            if let Some(outcome) = ended.value() {
                assert!(matches!(outcome, Ok(()) | Err(Failure::Cancelled(_))), "{outcome:?}");
            }
            assert_eq!(Arc::strong_count(&counted), 1, "a task is left");
        };
        at_every_await(cx, play, gone).await?;
    }
    Ok(())
}
