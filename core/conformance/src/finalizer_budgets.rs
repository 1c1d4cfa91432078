//! What ends a finalizer: its budget, which leaves time for others, and nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use asupersync_core::channel::oneshot;
use asupersync_core::region::LeftoverKind;
use asupersync_core::{Budget, Cx, Outcome, Reason, ReasonKind, Region};

use crate::probe::{Count, HOUR, Log, MS, cancelled_kind};
use crate::runner::{Runner, short};

crate::cases![
    one_that_never_ends_leaves_time_for_the_others,
    one_that_never_ends_leaves_time_for_the_parents,
    one_under_a_spent_budget_is_polled_once_more,
    their_futures_are_dropped,
    a_child_region_in_one_is_refused,
];

/// Takes some of its budget's time. Only where time is virtual can nothing else have taken all of it; on
/// a busy machine what counts is that it has its turn.
async fn moment(cx: &Cx, exact: bool) -> Outcome {
    let slept = cx.sleep(MS(1)).await;
    if exact { Ok(slept?) } else { Ok(()) }
}

fn one_that_never_ends_leaves_time_for_the_others(host: &dyn Runner) {
    let (log, exact) = (Log::new(), host.is_virtual());
    let inner = log.clone();
    let ran = host.run(short(1000, 400), async move |cx: &Cx| {
        let (outcome, report) = Region::builder("r")
            .open_with_report(cx, async |cx: &Cx| {
                for n in 0..2 {
                    let log = inner.clone();
                    cx.defer(async move |cx: &Cx| {
                        moment(cx, exact).await?;
                        log.push(n);
                        Ok(())
                    })?;
                }
                let ended = inner.clone();
                cx.defer(async move |cx: &Cx| {
                    let told = cx.sleep(HOUR).await.unwrap_err();
                    assert_eq!(told.reason().kind(), ReasonKind::Deadline);
                    ended.push(10);
                    std::future::pending::<()>().await;
                })?;
                Ok(())
            })
            .await;
        outcome?;
        Ok(report)
    });
    assert_eq!(log.take(), [10, 1, 0]);
    let report = ran.outcome.expect("a finalizer's failure is in the report only");
    assert_eq!((report.totals.finalizers_run, report.totals.finalizers_failed), (2, 1));
    assert_eq!(report.leftovers[0].kind, LeftoverKind::FinalizerSpent);
}

fn one_that_never_ends_leaves_time_for_the_parents(host: &dyn Runner) {
    let (log, exact) = (Log::new(), host.is_virtual());
    let inner = log.clone();
    // Half of that is theirs, and some more the host's before it gives up.
    let ran = host.run(short(5, 1000), async move |cx: &Cx| {
        let outer = inner.clone();
        cx.defer(async move |cx: &Cx| {
            moment(cx, exact).await?;
            outer.push("root");
            Ok(())
        })?;
        let (tell, mut inside) = oneshot::channel();
        let task = cx.spawn("opener", async move |cx: &Cx| {
            Region::open(cx, "a", async |cx: &Cx| {
                let log = inner.clone();
                cx.defer(async move |cx: &Cx| {
                    moment(cx, exact).await?;
                    log.push("outer");
                    Ok(())
                })?;
                Region::open(cx, "b", async |cx: &Cx| {
                    cx.defer(async move |_: &Cx| std::future::pending::<()>().await)?;
                    tell.send(()).ok();
                    Ok(cx.sleep(HOUR).await?)
                })
                .await
            })
            .await
        });
        inside.recv(cx).await?;
        drop(task);
        Ok(())
    });
    drop(ran.outcome);
    assert_eq!(log.take(), ["outer", "root"]);
}

fn one_under_a_spent_budget_is_polled_once_more(host: &dyn Runner) {
    let polls = Arc::new(AtomicUsize::new(0));
    let inner = polls.clone();
    host.ok(async move |cx: &Cx| {
        let (outcome, report) = Region::builder("r")
            .finalize(Budget::timeout(MS(5)))
            .open_with_report(cx, async |cx: &Cx| {
                let polls = inner.clone();
                cx.defer(async move |cx: &Cx| {
                    std::future::poll_fn(|_| {
                        polls.fetch_add(usize::from(cx.is_cancelled()), SeqCst);
                        std::task::Poll::<()>::Pending
                    })
                    .await;
                })?;
                Ok(())
            })
            .await;
        outcome?;
        assert_eq!(report.totals.finalizers_failed, 1);
        Ok(())
    });
    assert_eq!(polls.load(SeqCst), 1);
}

fn their_futures_are_dropped(host: &dyn Runner) {
    let count = Count::default();
    let inner = count.clone();
    host.ok(async move |cx: &Cx| {
        Region::builder("r")
            .finalize(Budget::timeout(MS(5)))
            .open(cx, async |cx: &Cx| {
                let one = inner.one();
                cx.defer(async move |_: &Cx| drop(one))?;
                let one = inner.one();
                cx.defer(async move |_: &Cx| {
                    let _one = one;
                    std::future::pending::<()>().await;
                })?;
                Ok(())
            })
            .await?;
        assert_eq!(inner.alive(), 0);
        Ok(())
    });
    assert_eq!(count.dropped(), 2);
}

fn a_child_region_in_one_is_refused(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tell, mut told) = oneshot::channel();
        let task = cx.spawn("opener", async move |cx: &Cx| {
            Region::open(cx, "r", async |cx: &Cx| {
                cx.defer(async move |cx: &Cx| {
                    let outcome = Region::open(cx, "late", async |_: &Cx| ()).await;
                    drop(tell.send(cancelled_kind(&outcome)));
                })?;
                Ok(cx.sleep(HOUR).await?)
            })
            .await
        });
        cx.yield_now().await?;
        task.request_cancel(Reason::new(ReasonKind::UserRequest));
        drop(task.join().await);
        // Nothing began if the request came before the region did.
        if let Ok(kind) = told.recv(cx).await {
            assert!(kind >= ReasonKind::UserRequest);
        }
        Ok(())
    });
}
