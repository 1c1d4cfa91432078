//! Finalizers: last registered first, exactly once, under every way of closing, within budgets.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use asupersync_core::channel::oneshot;
use asupersync_core::region::LeftoverKind;
use asupersync_core::{Budget, Cx, Error, Failure, Outcome, Region};

use crate::probe::{Count, HOUR, Log, MS, poll_now, until};
use crate::runner::Runner;

crate::cases![
    they_run_in_reverse_order,
    they_run_once_however_the_region_closes,
    they_run_after_every_task_is_gone,
    they_may_be_registered_by_tasks_and_finalizers,
    they_may_be_registered_while_draining,
    they_may_await,
    a_panic_in_one_does_not_skip_the_next,
    a_failure_in_one_does_not_skip_the_next,
    they_run_when_the_root_closes,
];

fn they_run_in_reverse_order(host: &dyn Runner) {
    let log = Log::new();
    let inner = log.clone();
    host.ok(async move |cx: &Cx| {
        Region::open(cx, "r", async |cx: &Cx| {
            for n in 0..5 {
                let log = inner.clone();
                cx.defer(async move |cx: &Cx| {
                    cx.yield_now().await?;
                    log.push(n);
                    Ok(())
                })?;
            }
            Ok(())
        })
        .await
    });
    assert_eq!(log.take(), [4, 3, 2, 1, 0]);
}

fn they_run_once_however_the_region_closes(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        for way in ["returns", "fails", "panics", "child fails", "requested", "dropped", "spent"] {
            let ran = Arc::new(AtomicUsize::new(0));
            let (counter, (tell, mut ready)) = (ran.clone(), oneshot::channel());
            let body = async move |cx: &Cx| -> Outcome {
                for _ in 0..2 {
                    let counter = counter.clone();
                    cx.defer(async move |cx: &Cx| {
                        counter.fetch_add(1, SeqCst);
                        cx.yield_now().await?;
                        counter.fetch_add(10, SeqCst);
                        Ok(())
                    })?;
                }
                drop(tell.send(()));
                match way {
                    "returns" => Ok(()),
                    "fails" => Err(Failure::Err(Error::msg("body"))),
                    "panics" => panic!("body"),
                    "child fails" => {
                        cx.spawn("bad", async |_: &Cx| -> Outcome { panic!("child") }).join().await
                    }
                    "spent" => std::future::pending().await,
                    _ => Ok(cx.sleep(HOUR).await?),
                }
            };
            // In a region of its own, which awaits what is dropped in it.
            Region::open(cx, "around", async |cx: &Cx| {
                let opener = async move |cx: &Cx| Region::open(cx, "r", body).await;
                if way == "dropped" {
                    let mut open = Box::pin(opener(cx));
                    assert!(poll_now(open.as_mut()).is_pending());
                    return Ok(());
                }
                let budget = if way == "spent" { MS(3) } else { HOUR };
                let task = cx.spawn("opener", async move |cx: &Cx| {
                    drop(opener(cx).await);
                });
                ready.recv(cx).await?;
                match way {
                    "requested" | "spent" => drop(task.cancel(Budget::timeout(budget)).await),
                    _ => task.join().await?,
                }
                Ok(())
            })
            .await?;
            assert_eq!(ran.load(SeqCst), 22, "a region that {way}");
        }
        Ok(())
    });
}

fn they_run_after_every_task_is_gone(host: &dyn Runner) {
    let count = Count::default();
    let inner = count.clone();
    host.ok(async move |cx: &Cx| {
        Region::open(cx, "r", async |cx: &Cx| {
            for _ in 0..10 {
                let one = inner.one();
                drop(cx.spawn("child", async move |cx: &Cx| {
                    let _one = one;
                    cx.cancelled().await;
                    crate::probe::breathe().await;
                }));
            }
            let count = inner.clone();
            cx.defer(async move |_: &Cx| assert_eq!(count.alive(), 0, "a task outlived the drain"))?;
            Ok(())
        })
        .await
    });
    assert_eq!(count.dropped(), 10);
}

fn they_may_be_registered_by_tasks_and_finalizers(host: &dyn Runner) {
    let log = Log::new();
    let inner = log.clone();
    host.ok(async move |cx: &Cx| {
        Region::open(cx, "r", async |cx: &Cx| {
            let log = inner.clone();
            cx.defer(async move |cx: &Cx| {
                log.push("first");
                let late = log.clone();
                cx.defer(async move |_: &Cx| late.push("by a finalizer"))
                    .map_err(|refused| panic!("{refused}"))
                    .ok();
            })?;
            let log = inner.clone();
            let task = cx.spawn("task", async move |cx: &Cx| {
                cx.defer(async move |_: &Cx| log.push("by a task"))?;
                Ok(())
            });
            task.join().await
        })
        .await
    });
    assert_eq!(log.take(), ["by a task", "first", "by a finalizer"]);
}

fn they_may_be_registered_while_draining(host: &dyn Runner) {
    let log = Log::new();
    let inner = log.clone();
    host.ok(async move |cx: &Cx| {
        Region::open(cx, "r", async |cx: &Cx| {
            let log = inner.clone();
            let (tell, mut ready) = oneshot::channel();
            drop(cx.spawn("task", async move |cx: &Cx| {
                drop(tell.send(()));
                cx.cancelled().await;
                cx.defer(async move |_: &Cx| log.push("while draining"))?;
                Ok(())
            }));
            ready.recv(cx).await?;
            Ok(())
        })
        .await
    });
    assert_eq!(log.take(), ["while draining"]);
}

fn they_may_await(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (outcome, report) = Region::builder("r")
            .open_with_report(cx, async |cx: &Cx| {
                cx.defer(async |cx: &Cx| {
                    cx.sleep(MS(3)).await?;
                    cx.timeout(MS(1), async |cx: &Cx| Ok(cx.sleep(HOUR).await?)).await.unwrap_err();
                    cx.checkpoint()?;
                    Ok(())
                })?;
                Ok(())
            })
            .await;
        outcome?;
        assert_eq!((report.totals.finalizers_run, report.totals.finalizers_failed), (1, 0));
        assert!(report.finalize >= MS(4), "{:?}", report.finalize);
        Ok(())
    });
}

fn a_panic_in_one_does_not_skip_the_next(host: &dyn Runner) {
    let log = Log::new();
    let inner = log.clone();
    host.ok(async move |cx: &Cx| {
        let (outcome, report) = Region::builder("r")
            .open_with_report(cx, async |cx: &Cx| {
                let log = inner.clone();
                cx.defer(async move |_: &Cx| log.push(1))?;
                cx.defer(async |_: &Cx| -> Outcome { panic!("at once") })?;
                let log = inner.clone();
                cx.defer(async move |_: &Cx| log.push(2))?;
                cx.defer(async |cx: &Cx| -> Outcome {
                    cx.yield_now().await?;
                    panic!("later")
                })?;
                Ok(3)
            })
            .await;
        assert_eq!(outcome?, 3);
        assert_eq!((report.totals.finalizers_run, report.totals.finalizers_failed), (2, 2));
        assert!(report.leftovers.iter().all(|left| left.kind == LeftoverKind::FinalizerFailed));
        Ok(())
    });
    assert_eq!(log.take(), [2, 1]);
}

fn a_failure_in_one_does_not_skip_the_next(host: &dyn Runner) {
    let log = Log::new();
    let inner = log.clone();
    host.ok(async move |cx: &Cx| {
        let (outcome, report) = Region::builder("r")
            .open_with_report(cx, async |cx: &Cx| {
                let log = inner.clone();
                cx.defer(async move |_: &Cx| log.push(1))?;
                cx.defer(async |_: &Cx| -> Outcome { Err(Failure::Err(Error::msg("cannot close"))) })?;
                Ok(())
            })
            .await;
        outcome?;
        let left = &report.leftovers;
        assert!(left.len() == 1 && left[0].kind == LeftoverKind::FinalizerFailed, "{left:?}");
        assert!(left[0].site.file().ends_with("finalizers.rs"), "it names the line that registered it");
        Ok(())
    });
    assert_eq!(log.take(), [1]);
}

fn they_run_when_the_root_closes(host: &dyn Runner) {
    let log = Log::new();
    let inner = log.clone();
    let ran = host.run(Default::default(), async move |cx: &Cx| {
        let first = inner.clone();
        cx.defer(async move |_: &Cx| first.push("main's"))?;
        let second = inner.clone();
        drop(cx.spawn("task", async move |cx: &Cx| {
            cx.cancelled().await;
            let last = second.clone();
            cx.defer(async move |_: &Cx| last.push("the task's"))?;
            Ok(())
        }));
        until(|| true).await;
        Ok(())
    });
    ran.outcome.expect("the body succeeds");
    assert_eq!(log.take(), ["the task's", "main's"]);
}
