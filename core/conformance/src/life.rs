//! A region's open call returns only when everything in it is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use asupersync_core::channel::oneshot;
use asupersync_core::region::Close;
use asupersync_core::{Cx, Failure, Outcome, ReasonKind, Region, Severity};

use crate::probe::{Count, HOUR, cancelled_kind};
use crate::runner::Runner;

crate::cases![
    body_value_comes_back,
    body_returns_early_and_children_are_cancelled_and_awaited,
    join_waits_for_children,
    join_still_cancels_when_the_body_fails,
    children_of_children_are_gone_too,
    a_childs_value_is_gone_before_open_returns,
    a_panic_of_the_body_still_closes,
    spawn_after_request_is_refused,
    spawn_in_a_requested_scope_is_refused,
    open_after_request_is_refused,
    a_cx_that_outlives_its_region_can_do_nothing,
];

fn body_value_comes_back(host: &dyn Runner) {
    let value = host.ok(async |cx: &Cx| Region::open(cx, "r", async |_: &Cx| Ok(7)).await);
    assert_eq!(value, 7);
}

fn body_returns_early_and_children_are_cancelled_and_awaited(host: &dyn Runner) {
    let count = Count::default();
    let inner = count.clone();
    host.ok(async move |cx: &Cx| {
        let reasons = Region::open(cx, "r", async |cx: &Cx| {
            let children: Vec<_> = (0..10)
                .map(|_| {
                    let one = inner.one();
                    cx.spawn("child", async move |cx: &Cx| {
                        let _one = one;
                        let told = cx.cancelled().await;
                        Ok(told.reason().kind())
                    })
                })
                .collect();
            assert_eq!(inner.alive(), 10);
            Ok(children)
        })
        .await?;
        assert_eq!(inner.alive(), 0, "open returned before its children were gone");
        for child in reasons {
            assert!(child.is_finished());
            assert_eq!(child.join().await?, ReasonKind::ParentClosed);
        }
        Ok(())
    });
    assert_eq!(count.dropped(), 10);
}

fn join_waits_for_children(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let done = Arc::new(AtomicUsize::new(0));
        let counter = done.clone();
        Region::builder("r")
            .close(Close::Join)
            .open(cx, async move |cx: &Cx| {
                for _ in 0..10 {
                    let counter = counter.clone();
                    drop(cx.spawn("child", async move |cx: &Cx| {
                        for _ in 0..5 {
                            cx.yield_now().await?;
                        }
                        counter.fetch_add(1, SeqCst);
                        Ok(())
                    }));
                }
                Ok(())
            })
            .await?;
        assert_eq!(done.load(SeqCst), 10);
        Ok(())
    });
}

fn join_still_cancels_when_the_body_fails(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let outcome: Outcome = Region::builder("r")
            .close(Close::Join)
            .open(cx, async |cx: &Cx| {
                drop(cx.spawn("child", async |cx: &Cx| {
                    cx.sleep(HOUR).await?;
                    Ok(())
                }));
                Err(asupersync_core::Error::msg("body").into_failure())
            })
            .await;
        assert_eq!(outcome.unwrap_err().severity(), Severity::Err);
        Ok(())
    });
}

/// An error as a failure.
pub(crate) trait IntoFailure {
    fn into_failure(self) -> Failure;
}

impl IntoFailure for asupersync_core::Error {
    fn into_failure(self) -> Failure {
        Failure::Err(self)
    }
}

fn children_of_children_are_gone_too(host: &dyn Runner) {
    let count = Count::default();
    let inner = count.clone();
    host.ok(async move |cx: &Cx| {
        Region::open(cx, "outer", async |cx: &Cx| {
            let deep = inner.clone();
            let (tell, mut told) = oneshot::channel();
            drop(cx.spawn("opener", async move |cx: &Cx| {
                Region::open(cx, "inner", async |cx: &Cx| {
                    let one = deep.one();
                    let (ready, mut is_ready) = oneshot::channel();
                    drop(cx.spawn("leaf", async move |cx: &Cx| {
                        let _one = one;
                        drop(ready.send(()));
                        cx.cancelled().await;
                        crate::probe::breathe().await;
                    }));
                    is_ready.recv(cx).await?;
                    drop(tell.send(()));
                    cx.sleep(HOUR).await?;
                    Ok(())
                })
                .await
            }));
            told.recv(cx).await?;
            Ok(())
        })
        .await?;
        assert_eq!(inner.alive(), 0);
        assert_eq!(inner.dropped(), 1);
        Ok(())
    });
}

fn a_childs_value_is_gone_before_open_returns(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        for _ in 0..100 {
            let count = Count::default();
            let inner = count.clone();
            Region::builder("r")
                .close(Close::Join)
                .open(cx, async move |cx: &Cx| {
                    let one = inner.one();
                    drop(cx.spawn("child", async move |_: &Cx| Ok(one)));
                    Ok(())
                })
                .await?;
            assert_eq!(count.alive(), 0, "a value that nobody joined outlived the region");
        }
        Ok(())
    });
}

fn a_panic_of_the_body_still_closes(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let count = Count::default();
        let inner = count.clone();
        let outcome = Region::open(cx, "r", async move |cx: &Cx| -> Outcome {
            let one = inner.one();
            drop(cx.spawn("child", async move |cx: &Cx| {
                let _one = one;
                cx.cancelled().await;
            }));
            panic!("body")
        })
        .await;
        let Err(Failure::Panicked(panic)) = outcome else { panic!("{outcome:?}") };
        assert_eq!(panic.message(), "body");
        assert_eq!(count.alive(), 0);
        Ok(())
    });
}

fn spawn_after_request_is_refused(host: &dyn Runner) {
    let count = Count::default();
    let inner = count.clone();
    host.ok(async move |cx: &Cx| {
        let (lend, mut lent) = oneshot::channel();
        let kept = inner.clone();
        Region::open(cx, "r", async |cx: &Cx| {
            drop(lend.send(cx.clone()));
            let cleanup = kept.clone();
            cx.defer(async move |cx: &Cx| {
                let one = cleanup.one();
                let refused = cx.spawn("late", async move |_: &Cx| drop(one));
                assert!(refused.is_finished());
                assert_eq!(cancelled_kind(&refused.join().await), ReasonKind::ParentClosed);
            })?;
            Ok(())
        })
        .await?;
        assert_eq!((inner.alive(), inner.dropped()), (0, 1), "the finalizer's late task leaked");
        let late = lent.recv(cx).await?;
        let one = inner.one();
        let refused = late.spawn_future("late", async move { drop(one) });
        assert_eq!(cancelled_kind(&refused.join().await), ReasonKind::ParentClosed);
        assert_eq!((inner.alive(), inner.dropped()), (0, 2), "a refused task was kept");
        Ok(())
    });
}

fn spawn_in_a_requested_scope_is_refused(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let victim = crate::probe::Victim::new(cx).await;
        victim.request();
        let refused = victim.cx.spawn("late", async |_: &Cx| ());
        assert_eq!(cancelled_kind(&refused.join().await), ReasonKind::UserRequest);
        // Work in flight may need a task of its own.
        let helped = victim.cx.finish(async |cx: &Cx| cx.spawn("helper", async |_: &Cx| Ok(3)).join().await);
        assert_eq!(helped.await?, 3);
        Ok(())
    });
}

fn open_after_request_is_refused(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let victim = crate::probe::Victim::new(cx).await;
        victim.request();
        let ran = Arc::new(AtomicUsize::new(0));
        let inner = ran.clone();
        let outcome = Region::open(&victim.cx, "late", async move |_: &Cx| {
            inner.fetch_add(1, SeqCst);
        })
        .await;
        assert_eq!(cancelled_kind(&outcome), ReasonKind::UserRequest);
        assert_eq!(ran.load(SeqCst), 0);
        Ok(())
    });
}

fn a_cx_that_outlives_its_region_can_do_nothing(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let late = Region::open(cx, "r", async |cx: &Cx| Ok(cx.clone())).await?;
        assert!(late.is_cancelled());
        assert!(late.sleep(HOUR).await.is_err());
        assert!(late.yield_now().await.is_err());
        let count = Count::default();
        let one = count.one();
        assert!(late.defer(async move |_: &Cx| drop(one)).is_err());
        assert_eq!(count.alive(), 0);
        assert!(Region::open(&late, "later", async |_: &Cx| ()).await.is_err());
        Ok(())
    });
}
