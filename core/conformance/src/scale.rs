//! Sizes: a million children, trees ten thousand deep, a hundred thousand regions.
//!
//! All are divided by [`Runner::scale`], so that a quick run stays quick.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use asupersync_core::channel::oneshot;
use asupersync_core::region::Close;
use asupersync_core::{Budget, Cx, Outcome, Region};

use crate::probe::{Count, HOUR};
use crate::runner::{Runner, short};

crate::cases![
    a_million_children_that_end,
    a_million_children_that_are_cancelled,
    a_tree_ten_thousand_deep,
    a_deep_tree_that_is_forced_out,
    a_hundred_thousand_regions,
    a_hundred_thousand_cancelled_tasks,
    children_of_one_region_that_several_tasks_start,
];

fn a_million_children_that_end(host: &dyn Runner) {
    let n = 1_000_000 / host.scale();
    host.ok(async move |cx: &Cx| {
        let done = Arc::new(AtomicUsize::new(0));
        let inner = done.clone();
        Region::builder("r")
            .close(Close::Join)
            .open(cx, async move |cx: &Cx| {
                for _ in 0..n {
                    let done = inner.clone();
                    drop(cx.spawn("child", async move |cx: &Cx| {
                        cx.yield_now().await?;
                        done.fetch_add(1, SeqCst);
                        Ok(())
                    }));
                }
                Ok(())
            })
            .await?;
        assert_eq!(done.load(SeqCst), n);
        Ok(())
    });
}

fn a_million_children_that_are_cancelled(host: &dyn Runner) {
    let n = 1_000_000 / host.scale();
    let count = Count::default();
    let inner = count.clone();
    let ran =
        host.run(crate::Settings { drain: Budget::UNLIMITED, ..Default::default() }, async move |cx: &Cx| {
            for _ in 0..n {
                let one = inner.one();
                drop(cx.spawn("child", async move |cx: &Cx| {
                    let _one = one;
                    cx.sleep(HOUR).await?;
                    Ok(())
                }));
            }
            Ok(())
        });
    ran.outcome.expect("all cancellations are absorbed");
    assert_eq!((count.alive(), count.dropped()), (0, n));
}

/// Opens a region whose task opens a region, and so on; the last one tells.
fn descend(cx: &Cx, depth: usize, bottom: oneshot::Sender<usize>, stay: bool) {
    drop(cx.spawn("opener", async move |cx: &Cx| deeper(cx.clone(), depth, bottom, stay).await));
}

fn deeper(
    cx: Cx,
    depth: usize,
    bottom: oneshot::Sender<usize>,
    stay: bool,
) -> std::pin::Pin<Box<dyn Future<Output = Outcome> + Send>> {
    Box::pin(async move {
        Region::builder("r")
            .close(Close::Join)
            .open(&cx, async |cx: &Cx| {
                if depth > 0 {
                    descend(cx, depth - 1, bottom, stay);
                    return Ok(());
                }
                drop(bottom.send(cx.region_id().get() as usize));
                if stay {
                    cx.sleep(HOUR).await?;
                }
                Ok(())
            })
            .await
    })
}

fn a_tree_ten_thousand_deep(host: &dyn Runner) {
    let depth = host.depth();
    let ran = host.run(Default::default(), async move |cx: &Cx| {
        let (outcome, report) = Region::builder("top")
            .open_with_report(cx, async move |cx: &Cx| {
                let (tell, mut told) = oneshot::channel();
                descend(cx, depth, tell, true);
                told.recv(cx).await?;
                Ok(())
            })
            .await;
        outcome?;
        assert_eq!(report.totals.regions, depth as u64 + 2);
        assert!(report.to_string().len() < 100_000);
        Ok(())
    });
    ran.outcome.expect("it closes");
}

fn a_deep_tree_that_is_forced_out(host: &dyn Runner) {
    let depth = host.depth();
    let ran = host.run(short(0, 0), async move |cx: &Cx| {
        let (tell, mut told) = oneshot::channel();
        descend(cx, depth, tell, true);
        told.recv(cx).await?;
        Ok(())
    });
    // With no time to close in it may or may not be done; nothing overflows.
    drop(ran);
}

fn a_hundred_thousand_regions(host: &dyn Runner) {
    let n = 100_000 / host.scale();
    host.ok(async move |cx: &Cx| {
        for _ in 0..n {
            Region::open(cx, "r", async |cx: &Cx| {
                cx.defer(async |_: &Cx| ())?;
                drop(cx.spawn("idle", async |cx: &Cx| Ok(cx.sleep(HOUR).await?)));
                cx.spawn("child", async |_: &Cx| ()).join().await
            })
            .await?;
        }
        Ok(())
    });
}

fn a_hundred_thousand_cancelled_tasks(host: &dyn Runner) {
    let n = 100_000 / host.scale();
    host.ok(async move |cx: &Cx| {
        for _ in 0..n {
            let task = cx.spawn("idle", async |cx: &Cx| Ok(cx.sleep(HOUR).await?));
            task.request_cancel(asupersync_core::Reason::new(asupersync_core::ReasonKind::UserRequest));
            drop(task.join().await);
        }
        Ok(())
    });
}

fn children_of_one_region_that_several_tasks_start(host: &dyn Runner) {
    const STARTERS: usize = 4;
    let each = 25_000 / host.scale();
    host.ok(async move |cx: &Cx| {
        let crowd = Region::builder("crowd").open_with_report(cx, async move |cx: &Cx| {
            let starters: Vec<_> = (0..STARTERS)
                .map(|_| {
                    cx.spawn("starter", async move |cx: &Cx| {
                        for n in 0..2 * each {
                            let waits = n % 2 == 0;
                            drop(cx.spawn("child", async move |cx: &Cx| {
                                if waits {
                                    cx.cancelled().await;
                                }
                                Ok(())
                            }));
                            if n % 64 == 0 {
                                cx.yield_now().await?;
                            }
                        }
                        Ok(())
                    })
                })
                .collect();
            for starter in starters {
                starter.join().await?;
            }
            let dump = cx.dump();
            let crowd = dump.regions.iter().find(|region| &*region.name == "crowd").expect("it is open");
            assert!(crowd.tasks.len() >= STARTERS * each, "{} of those that wait", crowd.tasks.len());
            Ok(())
        });
        let (outcome, report) = crowd.await;
        outcome?;
        let all = (STARTERS + STARTERS * 2 * each) as u64;
        assert_eq!((report.totals.tasks, report.totals.ok), (all, all));
        Ok(())
    });
}
