//! What closes a region: requests of every origin, per-child budgets, deadlines that passed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use asupersync_core::channel::oneshot;
use asupersync_core::{Budget, Cx, Outcome, Reason, ReasonKind, Region, Time};

use crate::probe::{Count, HOUR, MS, cancelled_kind, stubborn};
use crate::runner::{Runner, Settings, short};

crate::cases![
    a_request_is_idempotent,
    a_nested_request_reaches_the_innermost,
    a_child_may_ask_for_its_siblings,
    a_request_during_finalize_does_not_reach_finalizers,
    a_childs_drain_budget_ends_its_work_early,
    a_childs_drain_budget_never_exceeds_its_parents,
    a_budget_of_zero_still_runs_finalizers,
    a_budget_that_is_a_past_deadline,
    a_handles_budget_ends_its_task_only,
    a_cancel_by_handle_waits_for_work_in_flight,
    opening_goes_on_while_finalizers_outlast_the_drain,
];

fn a_request_is_idempotent(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let heard = Arc::new(AtomicUsize::new(0));
        let inner = heard.clone();
        let (tell, mut ready) = oneshot::channel();
        let child = cx.spawn("child", async move |cx: &Cx| {
            drop(tell.send(()));
            let first = cx.cancelled().await;
            // Level-triggered: it is there as often as one looks.
            for _ in 0..3 {
                assert_eq!(cx.cancelled().await.reason().site(), first.reason().site());
                assert!(cx.checkpoint().is_err());
                inner.fetch_add(1, SeqCst);
            }
            Ok(first.reason().message().map(str::to_owned))
        });
        ready.recv(cx).await?;
        child.request_cancel(Reason::new(ReasonKind::UserRequest).with_message("first"));
        child.request_cancel(Reason::new(ReasonKind::UserRequest).with_message("second"));
        child.request_cancel(Reason::new(ReasonKind::RaceLost).with_message("third"));
        assert_eq!(child.join().await?.as_deref(), Some("first"));
        assert_eq!(heard.load(SeqCst), 3);
        Ok(())
    });
}

fn a_nested_request_reaches_the_innermost(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tell, mut ready) = oneshot::channel();
        let outer = cx.spawn("outer", async move |cx: &Cx| {
            Region::open(cx, "a", async |cx: &Cx| {
                Region::open(cx, "b", async |cx: &Cx| {
                    let leaf = cx.spawn("leaf", async move |cx: &Cx| {
                        drop(tell.send(()));
                        Ok(cx.cancelled().await.reason().kind())
                    });
                    leaf.join().await
                })
                .await
            })
            .await
        });
        ready.recv(cx).await?;
        let outcome = outer.cancel(Budget::UNLIMITED).await;
        assert_eq!(outcome?, ReasonKind::UserRequest, "what was told while it drained is returned");
        Ok(())
    });
}

fn a_child_may_ask_for_its_siblings(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let told = Region::open(cx, "r", async |cx: &Cx| {
            let sibling = cx.spawn("sibling", async |cx: &Cx| Ok(cx.cancelled().await.into_reason()));
            let (hand, mut handed) = oneshot::channel();
            let asker = cx.spawn("asker", async move |cx: &Cx| {
                let sibling: asupersync_core::Handle<Reason> = handed.recv(cx).await?;
                sibling.request_cancel(Reason::new(ReasonKind::ClientDisconnected));
                sibling.join().await
            });
            drop(hand.send(sibling));
            asker.join().await
        })
        .await?;
        assert_eq!(told.kind(), ReasonKind::ClientDisconnected);
        Ok(())
    });
}

fn a_request_during_finalize_does_not_reach_finalizers(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tell, mut finalizing) = oneshot::channel();
        let (go, mut may_go) = oneshot::channel::<()>();
        let ran = Arc::new(AtomicUsize::new(0));
        let inner = ran.clone();
        let opener = cx.spawn("opener", async move |cx: &Cx| {
            Region::open(cx, "r", async |cx: &Cx| {
                cx.defer(async move |cx: &Cx| {
                    drop(tell.send(()));
                    drop(may_go.recv(cx).await);
                    assert!(!cx.is_cancelled());
                    cx.yield_now().await?;
                    inner.fetch_add(1, SeqCst);
                    Ok(())
                })?;
                Ok(())
            })
            .await
        });
        finalizing.recv(cx).await?;
        opener.request_cancel(Reason::new(ReasonKind::UserRequest));
        opener.request_cancel(Reason::new(ReasonKind::Shutdown));
        drop(go.send(()));
        opener.join().await?;
        assert_eq!(ran.load(SeqCst), 1);
        Ok(())
    });
}

fn a_childs_drain_budget_ends_its_work_early(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (outcome, report) = Region::builder("r")
            .drain(Budget::timeout(MS(5)))
            .open_with_report(cx, async |cx: &Cx| {
                drop(cx.spawn_future("stubborn", async {
                    stubborn(Arc::default()).await;
                }));
                Ok(())
            })
            .await;
        outcome?;
        assert_eq!(report.totals.dropped, 1);
        assert!(report.drain >= MS(5), "{:?}", report.drain);
        assert!(!cx.is_cancelled());
        Ok(())
    });
}

fn a_childs_drain_budget_never_exceeds_its_parents(host: &dyn Runner) {
    let ran = host.run(short(5, 10_000), async |cx: &Cx| {
        let (outcome, report) = Region::builder("r")
            .drain(Budget::timeout(HOUR))
            .open_with_report(cx, async |cx: &Cx| {
                drop(cx.spawn_future("stubborn", async {
                    stubborn(Arc::default()).await;
                }));
                Ok(())
            })
            .await;
        outcome?;
        Ok(report)
    });
    let report = ran.outcome.expect("the body succeeds");
    assert_eq!(report.totals.dropped, 1);
    assert!(report.drain < HOUR);
}

fn a_budget_of_zero_still_runs_finalizers(host: &dyn Runner) {
    // It has its turn within the host's grace; a machine that is busy may be late even for that.
    let attempts = if host.is_virtual() { 1 } else { 5 };
    assert!((0..attempts).any(|_| closes_without_a_budget(host)), "each time it was forced out");
}

/// Tells whether it closed before the host gave up.
fn closes_without_a_budget(host: &dyn Runner) -> bool {
    let (count, ran) = (Count::default(), Arc::new(AtomicUsize::new(0)));
    let (one, inner) = (count.one(), ran.clone());
    let ended = host.run(short(0, 0), async move |cx: &Cx| {
        cx.defer(async move |_: &Cx| {
            inner.fetch_add(1, SeqCst);
        })?;
        let (tell, mut ready) = oneshot::channel();
        drop(cx.spawn_future("stubborn", async move {
            let _one = one;
            drop(tell.send(()));
            stubborn(Arc::default()).await;
        }));
        ready.recv(cx).await?;
        Ok(())
    });
    assert_eq!(count.alive(), 0);
    let closed = ended.outcome.is_ok();
    assert!(ran.load(SeqCst) == 1 || !closed);
    closed
}

fn a_budget_that_is_a_past_deadline(host: &dyn Runner) {
    let past = Budget::deadline(Time::ZERO);
    let count = Count::default();
    let one = count.one();
    let ended = host.run(Settings { drain: past, finalize: past }, async move |cx: &Cx| {
        let child = cx.spawn("child", async move |cx: &Cx| {
            let _one = one;
            Ok(cx.cancelled().await.reason().kind())
        });
        // Longer than a host's grace, which begins at Request and not at the deadline.
        cx.sleep(MS(60)).await?;
        drop(child);
        Ok(5)
    });
    assert_eq!(count.alive(), 0);
    assert_eq!(ended.outcome.expect("nothing was asked of main"), 5);
}

fn a_handles_budget_ends_its_task_only(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let stuck = cx.spawn_future("stubborn", async {
            stubborn(Arc::default()).await;
        });
        let other = cx.spawn("other", async |cx: &Cx| {
            cx.sleep(HOUR).await?;
            Ok(())
        });
        assert_eq!(cancelled_kind(&stuck.cancel(Budget::timeout(MS(5))).await), ReasonKind::UserRequest);
        assert!(!other.is_finished() && !cx.is_cancelled());
        assert_eq!(cancelled_kind(&other.cancel(Budget::UNLIMITED).await), ReasonKind::UserRequest);
        Ok(())
    });
}

fn a_cancel_by_handle_waits_for_work_in_flight(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tell, mut ready) = oneshot::channel();
        let task = cx.spawn("task", async move |cx: &Cx| {
            drop(tell.send(()));
            cx.cancelled().await;
            cx.finish(async |cx: &Cx| {
                cx.sleep(MS(2)).await?;
                Ok("flushed")
            })
            .await
        });
        ready.recv(cx).await?;
        assert_eq!(task.cancel(Budget::timeout(HOUR)).await?, "flushed");
        Ok(())
    });
}

/// The drain budget is for work in flight; a finalizer has its own. A task that waits for its
/// region's finalizers is not dropped because the first is over.
fn opening_goes_on_while_finalizers_outlast_the_drain(host: &dyn Runner) {
    let ended = host.run(short(2, 10_000), async |cx: &Cx| {
        let (tell, mut ready) = oneshot::channel();
        let opener = cx.spawn("opener", async move |cx: &Cx| -> Outcome<u32> {
            Region::open(cx, "r", async |cx: &Cx| {
                cx.defer(async |cx: &Cx| {
                    cx.sleep(MS(10)).await?;
                    Ok(())
                })?;
                drop(tell.send(()));
                cx.cancelled().await;
                Ok(4)
            })
            .await
        });
        ready.recv(cx).await?;
        opener.cancel(Budget::UNLIMITED).await
    });
    assert_eq!(ended.outcome.expect("the region closed by itself"), 4);
    let report = ended.report.expect("the host tells how the root closed");
    assert!(report.leftovers.is_empty(), "{:?}", report.leftovers);
}
