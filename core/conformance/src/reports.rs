//! What a close report counts and says.

use std::sync::Arc;

use asupersync_core::channel::oneshot;
use asupersync_core::region::{Close, LeftoverKind, OnFailure};
use asupersync_core::{Budget, Cx, Error, Failure, Outcome, Reason, ReasonKind, Region};

use crate::probe::{HOUR, MS, breathe, stubborn};
use crate::runner::Runner;

crate::cases![
    every_end_is_counted,
    a_region_that_nobody_asked_says_so,
    the_reason_is_told,
    a_leftover_is_named,
    subtrees_are_summed,
    the_path_names_all_regions,
    a_refused_region_is_told_of,
    the_root_is_told_of,
];

fn every_end_is_counted(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (outcome, report) = Region::builder("r")
            .on_failure(OnFailure::Collect)
            .drain(Budget::timeout(MS(5)))
            .open_with_report(cx, async |cx: &Cx| {
                for _ in 0..3 {
                    cx.spawn("ok", async |_: &Cx| ()).join().await?;
                }
                let bad = cx.spawn("err", async |_: &Cx| -> Outcome { Err(Failure::Err(Error::msg("x"))) });
                drop(bad.join().await);
                drop(cx.spawn("panics", async |_: &Cx| -> Outcome { panic!("x") }).join().await);
                let (tell, mut ready) = oneshot::channel();
                drop(cx.spawn_future("dropped", async move {
                    drop(tell.send(()));
                    stubborn(Arc::default()).await;
                }));
                ready.recv(cx).await?;
                for _ in 0..2 {
                    let (tell, mut ready) = oneshot::channel();
                    drop(cx.spawn("cancelled", async move |cx: &Cx| {
                        drop(tell.send(()));
                        cx.sleep(HOUR).await?;
                        Ok(())
                    }));
                    ready.recv(cx).await?;
                }
                cx.defer(async |_: &Cx| ())?;
                Ok(())
            })
            .await;
        assert!(matches!(outcome, Err(Failure::Panicked(_))));
        let t = report.totals;
        assert_eq!((t.regions, t.tasks, t.ok, t.err), (1, 8, 3, 1), "{t:?}");
        assert_eq!((t.cancelled, t.panicked, t.dropped, t.abandoned), (2, 1, 1, 0), "{t:?}");
        assert_eq!((t.finalizers_registered, t.finalizers_run, t.finalizers_failed), (1, 1, 0));
        assert_eq!(t.tasks, t.ok + t.err + t.cancelled + t.panicked + t.dropped + t.abandoned);
        assert!(report.to_string().contains("8 tasks (3 ok, 1 failed, 2 cancelled, 1 panicked, 1 dropped)"));
        Ok(())
    });
}

fn a_region_that_nobody_asked_says_so(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (outcome, report) =
            Region::builder("r").close(Close::Join).open_with_report(cx, async |_: &Cx| ()).await;
        outcome?;
        assert!(report.reason.is_none());
        assert!(report.to_string().contains("ended by itself"));
        assert!(report.leftovers.is_empty() && report.children.is_empty());
        Ok(())
    });
}

fn the_reason_is_told(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tell, mut ready) = oneshot::channel();
        let opener = cx.spawn("opener", async move |cx: &Cx| {
            let (outcome, report) = Region::builder("r")
                .open_with_report(cx, async |cx: &Cx| {
                    drop(tell.send(()));
                    Ok(cx.sleep(HOUR).await?)
                })
                .await;
            assert!(outcome.is_err());
            Ok(report)
        });
        ready.recv(cx).await?;
        opener.request_cancel(Reason::new(ReasonKind::ClientDisconnected).with_message("hung up"));
        let report = opener.join().await?;
        assert!(report.reason.unwrap().involves(ReasonKind::ClientDisconnected));
        Ok(())
    });
}

fn a_leftover_is_named(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (outcome, report) = Region::builder("around")
            .drain(Budget::timeout(MS(5)))
            .open_with_report(cx, async |cx: &Cx| {
                let (tell, mut ready) = oneshot::channel();
                drop(cx.spawn_future("the stubborn one", async move {
                    drop(tell.send(()));
                    stubborn(Arc::default()).await;
                }));
                ready.recv(cx).await?;
                Ok(())
            })
            .await;
        outcome?;
        let [left] = &report.leftovers[..] else { panic!("{:?}", report.leftovers) };
        assert_eq!((&*left.name, left.kind), ("the stubborn one", LeftoverKind::Dropped));
        assert!(left.path.ends_with("/around") && left.site.file().ends_with("reports.rs"));
        assert!(left.age >= MS(5));
        let text = report.to_string();
        assert!(text.contains("the stubborn one") && text.contains("reports.rs"), "{text}");
        Ok(())
    });
}

fn subtrees_are_summed(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (outcome, report) = Region::builder("outer")
            .open_with_report(cx, async |cx: &Cx| {
                for _ in 0..3 {
                    Region::open(cx, "inner", async |cx: &Cx| {
                        cx.defer(async |_: &Cx| ())?;
                        Region::open(cx, "innermost", async |cx: &Cx| {
                            cx.spawn("t", async |_: &Cx| ()).join().await
                        })
                        .await
                    })
                    .await?;
                }
                drop(cx.spawn("opener", async |cx: &Cx| {
                    Region::open(cx, "late", async |cx: &Cx| Ok(cx.sleep(HOUR).await?)).await
                }));
                breathe().await;
                Ok(())
            })
            .await;
        outcome?;
        let t = report.totals;
        assert!(t.regions == 8 || t.regions == 7, "the late one may be refused: {t:?}");
        assert_eq!((t.tasks, t.ok, t.finalizers_run), (4, 3, 3));
        assert!(report.children.len() <= 1 && report.children.iter().all(|c| c.path.ends_with("outer/late")));
        Ok(())
    });
}

fn the_path_names_all_regions(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let root = cx.path();
        let path = Region::open(cx, "a", async |cx: &Cx| {
            Region::open(cx, "b", async |cx: &Cx| {
                cx.spawn("task", async |cx: &Cx| Ok((cx.path(), cx.region_id()))).join().await
            })
            .await
        })
        .await?;
        assert_eq!(path.0, format!("{root}/a/b"));
        assert_ne!(path.1, cx.region_id());
        Ok(())
    });
}

fn a_refused_region_is_told_of(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let late = Region::open(cx, "r", async |cx: &Cx| Ok(cx.clone())).await?;
        let (outcome, report) = Region::builder("late").open_with_report(&late, async |_: &Cx| ()).await;
        assert!(outcome.is_err());
        assert!(report.path.ends_with("r/late") && report.reason.is_some());
        assert_eq!(report.totals, Default::default());
        Ok(())
    });
}

fn the_root_is_told_of(host: &dyn Runner) {
    let ran = host.run(Default::default(), async |cx: &Cx| {
        for _ in 0..5 {
            cx.spawn("task", async |_: &Cx| ()).join().await?;
        }
        Region::open(cx, "r", async |_: &Cx| ()).await
    });
    ran.outcome.expect("the body succeeds");
    let Some(report) = ran.report else { return };
    assert_eq!(report.totals.regions, 2);
    assert_eq!((report.totals.tasks, report.totals.ok), (6, 6), "five and main");
}
