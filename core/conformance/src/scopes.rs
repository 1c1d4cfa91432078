//! Shield, finish and deadline: what each lets through, and what ends it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use asupersync_core::channel::oneshot;
use asupersync_core::{Budget, Cx, Outcome, ReasonKind, Time};

use crate::probe::{Count, HOUR, MS, Victim, cancelled_kind, stubborn};
use crate::runner::{Runner, short};

crate::cases![
    a_shield_hides_request,
    a_shield_outlasts_the_drain_budget,
    a_shield_ends_with_its_own_budget,
    a_shield_within_a_region_outlasts_the_drain_budget,
    after_a_shield_the_request_is_seen,
    a_shield_with_no_time_polls_its_body_once,
    finish_nests,
    a_deadline_requests_what_is_inside,
    a_deadline_in_the_past_requests_at_once,
    an_inner_deadline_never_outlasts_the_outer,
    a_deadline_passes_requests_from_outside,
    a_panic_inside_passes_through,
];

/// Runs `body` in a task, requests its cancel with `drain` once it is inside, and tells its outcome.
async fn cancelled_inside<T: Send + 'static>(
    cx: &Cx,
    drain: Budget,
    spawn: impl FnOnce(&Cx, oneshot::Sender<()>) -> asupersync_core::Handle<T>,
) -> Outcome<T> {
    let (tell, mut inside) = oneshot::channel();
    let task = spawn(cx, tell);
    inside.recv(cx).await?;
    task.cancel(drain).await
}

fn a_shield_hides_request(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let outcome = cancelled_inside(cx, Budget::UNLIMITED, |cx, tell| {
            cx.spawn("task", async move |outer: &Cx| {
                outer
                    .shield(Budget::timeout(HOUR), async |cx: &Cx| {
                        drop(tell.send(()));
                        outer.cancelled().await;
                        assert!(!cx.is_cancelled());
                        cx.yield_now().await?;
                        cx.sleep(MS(1)).await?;
                        Ok(9)
                    })
                    .await
            })
        });
        assert_eq!(outcome.await?, 9);
        Ok(())
    });
}

fn a_shield_outlasts_the_drain_budget(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let outcome = cancelled_inside(cx, Budget::timeout(MS(2)), |cx, tell| {
            cx.spawn("task", async move |cx: &Cx| {
                cx.shield(Budget::timeout(HOUR), async |cx: &Cx| {
                    drop(tell.send(()));
                    cx.sleep(MS(10)).await?;
                    Ok("committed")
                })
                .await
            })
        });
        assert_eq!(outcome.await?, "committed");
        Ok(())
    });
}

fn a_shield_within_a_region_outlasts_the_drain_budget(host: &dyn Runner) {
    let ran = host.run(short(2, 10_000), async |cx: &Cx| {
        let (tell, mut inside) = oneshot::channel();
        let task = cx.spawn("task", async move |cx: &Cx| {
            asupersync_core::Region::open(cx, "r", async |cx: &Cx| {
                cx.race(
                    async |cx: &Cx| {
                        cx.shield(Budget::timeout(MS(5000)), async |cx: &Cx| {
                            drop(tell.send(()));
                            cx.sleep(MS(10)).await?;
                            Ok("committed")
                        })
                        .await
                    },
                    async |_: &Cx| std::future::pending().await,
                )
                .await
            })
            .await
        });
        inside.recv(cx).await?;
        task.cancel(Budget::UNLIMITED).await
    });
    assert_eq!(ran.outcome.expect("the shield holds"), "committed");
}

fn a_shield_ends_with_its_own_budget(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let polls = Arc::new(AtomicUsize::new(0));
        let inner = polls.clone();
        let outcome: Outcome = cx
            .shield(Budget::timeout(MS(5)), async move |cx: &Cx| {
                let told = cx.sleep(HOUR).await.unwrap_err();
                assert_eq!(told.reason().kind(), ReasonKind::Deadline);
                stubborn(inner).await;
                Ok(())
            })
            .await;
        assert_eq!(cancelled_kind(&outcome), ReasonKind::Deadline);
        assert_eq!(polls.load(SeqCst), 1, "dropped after the poll that told it");
        assert!(!cx.is_cancelled());
        Ok(())
    });
}

fn after_a_shield_the_request_is_seen(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let outcome = cancelled_inside(cx, Budget::UNLIMITED, |cx, tell| {
            cx.spawn("task", async move |outer: &Cx| {
                outer
                    .shield(Budget::timeout(HOUR), async |_: &Cx| {
                        drop(tell.send(()));
                        outer.cancelled().await;
                    })
                    .await?;
                outer.sleep(HOUR).await?;
                Ok(())
            })
        });
        assert_eq!(cancelled_kind(&outcome.await), ReasonKind::UserRequest);
        Ok(())
    });
}

fn a_shield_with_no_time_polls_its_body_once(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let value = cx.shield(Budget::timeout(MS(0)), async |_: &Cx| Ok(1)).await?;
        assert_eq!(value, 1);
        let count = Count::default();
        let one = count.one();
        let outcome: Outcome = cx
            .shield(Budget::timeout(MS(0)), async move |_: &Cx| -> Outcome {
                let _one = one;
                std::future::pending().await
            })
            .await;
        assert!(outcome.is_err());
        assert_eq!(count.dropped(), 1);
        Ok(())
    });
}

fn finish_nests(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let victim = Victim::new(cx).await;
        victim.request();
        let value = victim.cx.finish(async |cx: &Cx| {
            cx.finish(async |cx: &Cx| {
                cx.sleep(MS(1)).await?;
                cx.timeout(HOUR, async |cx: &Cx| Ok(cx.sleep(MS(1)).await?)).await?;
                Ok(2)
            })
            .await
        });
        assert_eq!(value.await?, 2);
        Ok(())
    });
}

fn a_deadline_requests_what_is_inside(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let begin = cx.now();
        let outcome: Outcome = cx.timeout(MS(5), async |cx: &Cx| Ok(cx.sleep(HOUR).await?)).await;
        assert_eq!(cancelled_kind(&outcome), ReasonKind::Deadline);
        assert!(cx.now() - begin >= MS(5) && !cx.is_cancelled());
        let value = cx.timeout(HOUR, async |cx: &Cx| {
            cx.yield_now().await?;
            Ok(3)
        });
        assert_eq!(value.await?, 3);
        Ok(())
    });
}

fn a_deadline_in_the_past_requests_at_once(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let outcome: Outcome = cx
            .deadline(Time::ZERO, async |cx: &Cx| {
                assert!(cx.is_cancelled(), "the body ran before the request");
                Ok(cx.checkpoint()?)
            })
            .await;
        assert_eq!(cancelled_kind(&outcome), ReasonKind::Deadline);
        let outcome = cx.timeout(MS(0), async |_: &Cx| Ok("no need to wait")).await;
        assert_eq!(outcome?, "no need to wait");
        Ok(())
    });
}

fn an_inner_deadline_never_outlasts_the_outer(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let outcome: Outcome = cx
            .timeout(MS(5), async |cx: &Cx| {
                cx.timeout(HOUR, async |cx: &Cx| {
                    cx.timeout(HOUR, async |cx: &Cx| Ok(cx.sleep(HOUR).await?)).await
                })
                .await
            })
            .await;
        assert_eq!(cancelled_kind(&outcome), ReasonKind::Deadline);
        Ok(())
    });
}

fn a_deadline_passes_requests_from_outside(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let outcome = cancelled_inside(cx, Budget::UNLIMITED, |cx, tell| {
            cx.spawn("task", async move |cx: &Cx| {
                cx.timeout(HOUR, async |cx: &Cx| {
                    drop(tell.send(()));
                    Ok(cx.sleep(HOUR).await?)
                })
                .await
            })
        });
        assert_eq!(cancelled_kind(&outcome.await), ReasonKind::UserRequest);
        Ok(())
    });
}

fn a_panic_inside_passes_through(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let panics = async |_: &Cx| -> Outcome { panic!("inside") };
        let shielded = cx.shield(Budget::UNLIMITED, panics).await;
        let timed = cx.timeout(HOUR, panics).await;
        let raced = cx.race(panics, async |cx: &Cx| Ok(cx.sleep(HOUR).await?)).await;
        for outcome in [shielded, timed, raced] {
            assert!(matches!(outcome, Err(asupersync_core::Failure::Panicked(_))));
        }
        assert!(!cx.is_cancelled());
        Ok(())
    });
}
