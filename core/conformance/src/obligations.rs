//! Obligations: each reserved one is committed or aborted, once, and none is reserved at Closed.
//!
//! The lease stands for all kinds, which differ in their verbs only; those are tried in one case.

use std::sync::Arc;

use asupersync_core::channel::{call, delivery, mpsc, oneshot};
use asupersync_core::obligation::Resolution::{Aborted, Committed};
use asupersync_core::obligation::{Detached, Kind, Lease, Resolution, hold};
use asupersync_core::region::{CloseReport, LeftoverKind};
use asupersync_core::{Budget, Cx, Failure, Outcome, Region};

use crate::probe::{HOUR, Log, MS};
use crate::runner::{Runner, short};

crate::cases![
    every_kind_is_committed_and_aborted,
    a_cancel_a_panic_and_a_drop_abort_what_is_held,
    the_end_of_the_drain_aborts_what_is_held,
    a_detached_one_is_resolved_by_another_task,
    a_detached_one_is_resolved_by_a_finalizer,
    what_is_left_is_aborted_after_the_finalizers_and_reported,
    what_is_left_is_aborted_when_the_root_is_given_up,
    a_region_that_finalizes_takes_no_more,
    one_that_outlives_its_region_has_expired,
];

type Ends = Log<(u32, Resolution)>;

/// A lease whose end goes into the log.
fn lease(number: u32, log: &Ends) -> Lease<u32> {
    let log = log.clone();
    Lease::new(number, move |number, how| log.push((number, how)))
}

async fn detached(cx: &Cx, number: u32, log: &Ends) -> Detached<Lease<u32>> {
    hold(cx, lease(number, log), async |lease| {
        let (detached, done) = lease.detach();
        done.with(detached)
    })
    .await
}

/// Detached, committed, aborted, and how many the report names as unresolved.
fn account(report: &CloseReport) -> [u64; 4] {
    let totals = report.totals;
    let unresolved = |kind| kind == LeftoverKind::Unresolved(Kind::Lease);
    let named = report.leftovers.iter().filter(|left| unresolved(left.kind)).count();
    [totals.obligations, totals.obligations_committed, totals.obligations_aborted, named as u64]
}

fn every_kind_is_committed_and_aborted(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tx, mut rx) = mpsc::channel(1);
        tx.with_permit(cx, async |permit| permit.abort()).await?;
        tx.with_permit(cx, async |permit| permit.send(1)).await?;
        assert_eq!(rx.recv(cx).await?, Some(1));

        let log = Log::new();
        hold(cx, lease(1, &log), async |lease| lease.complete()).await;
        hold(cx, lease(2, &log), async |lease| lease.abort()).await;
        assert_eq!(log.take(), [(1, Committed), (2, Aborted)]);

        let (tx, mut rx) = delivery::channel(1);
        tx.send(cx, "job").await?;
        for attempt in 1..=2 {
            let job = rx.recv(cx).await?.expect("delivered again until it is acked");
            assert_eq!(job.attempt(), attempt);
            hold(cx, job, async |job| if attempt == 1 { job.nack() } else { job.ack() }).await;
        }
        drop(tx);
        assert!(rx.recv(cx).await?.is_none());

        let (client, mut server) = call::channel::<u8, u8>(2);
        let serve = cx.spawn("server", async move |cx: &Cx| {
            for answers in [true, false] {
                let request = server.recv(cx).await?.expect("the client asks twice");
                hold(cx, request.reply, async |reply| {
                    if answers { reply.answer(request.question + 1) } else { reply.abort() }
                })
                .await;
            }
            Ok(())
        });
        assert_eq!(client.call(cx, 6).await.ok(), Some(7));
        assert!(matches!(client.call(cx, 6).await, Err(call::CallError::Aborted)));
        serve.join().await
    });
}

fn a_cancel_a_panic_and_a_drop_abort_what_is_held(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        for way in ["cancel", "panic", "drop"] {
            let log = Log::new();
            let (lease, (tell, mut inside)) = (lease(3, &log), oneshot::channel());
            let (outcome, report) = Region::builder("r")
                .open_with_report(cx, async |cx: &Cx| {
                    let task = cx.spawn("holder", async move |cx: &Cx| {
                        let holding = hold(cx, lease, async |lease| {
                            tell.send(()).ok();
                            assert_ne!(way, "panic", "on purpose");
                            cx.cancelled().await;
                            lease.abort()
                        });
                        if way == "drop" {
                            cx.or_cancel(holding).await.ok();
                        } else {
                            holding.await;
                        }
                        Ok(())
                    });
                    inside.recv(cx).await?;
                    if way == "panic" { task.join().await } else { task.cancel(Budget::UNLIMITED).await }
                })
                .await;
            assert_eq!(matches!(outcome, Err(Failure::Panicked(_))), way == "panic", "{outcome:?}");
            assert_eq!(log.take(), [(3, Aborted)], "{way}");
            assert_eq!(account(&report), [0; 4], "what is held is on nobody's account");
        }
        Ok(())
    });
}

fn the_end_of_the_drain_aborts_what_is_held(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let log = Log::new();
        let held = lease(4, &log);
        let region = Region::builder("r").drain(Budget::timeout(MS(2)));
        region
            .open(cx, async |cx: &Cx| {
                let (tell, mut inside) = oneshot::channel();
                drop(cx.spawn("stubborn", async move |cx: &Cx| {
                    let holding = hold(cx, held, async |held| {
                        tell.send(()).ok();
                        std::future::pending::<()>().await;
                        held.complete()
                    });
                    holding.await;
                }));
                inside.recv(cx).await?;
                Ok(())
            })
            .await?;
        assert_eq!(log.take(), [(4, Aborted)]);
        Ok(())
    });
}

fn a_detached_one_is_resolved_by_another_task(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let log = Log::new();
        let (outcome, report) = Region::builder("r")
            .open_with_report(cx, async |cx: &Cx| {
                let (one, two) = (detached(cx, 1, &log).await, detached(cx, 2, &log).await);
                cx.spawn("commits", async move |_: &Cx| Ok(one.complete().is_ok())).join().await?;
                cx.spawn("aborts", async move |_: &Cx| drop(two)).join().await
            })
            .await;
        outcome?;
        assert_eq!(log.take(), [(1, Committed), (2, Aborted)]);
        assert_eq!(account(&report), [2, 1, 1, 0]);
        Ok(())
    });
}

fn a_detached_one_is_resolved_by_a_finalizer(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let log = Log::new();
        let (outcome, report) = Region::builder("r")
            .open_with_report(cx, async |cx: &Cx| {
                let detached = detached(cx, 5, &log).await;
                cx.defer(async move |cx: &Cx| {
                    cx.yield_now().await?;
                    Ok(detached.complete()?)
                })?;
                Ok(())
            })
            .await;
        outcome?;
        assert_eq!((log.take(), account(&report)), (vec![(5, Committed)], [1, 1, 0, 0]));
        assert_eq!(report.totals.finalizers_run, 1);
        Ok(())
    });
}

fn what_is_left_is_aborted_after_the_finalizers_and_reported(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let log = Log::new();
        let (outcome, report) = Region::builder("r")
            .open_with_report(cx, async |cx: &Cx| {
                for number in 1..=3 {
                    // migrate-lint: allow(permit_forgotten) what becomes of it then is the case
                    std::mem::forget(detached(cx, number, &log).await);
                }
                let end = log.clone();
                cx.defer(async move |_: &Cx| end.push((0, Committed)))?;
                Ok(())
            })
            .await;
        outcome?;
        assert_eq!(log.take(), [(0, Committed), (3, Aborted), (2, Aborted), (1, Aborted)]);
        assert_eq!(account(&report), [3, 0, 3, 3]);
        let left = &report.leftovers[0];
        assert!(left.path.ends_with("/r") && left.site.file().ends_with("obligations.rs"), "{left}");
        Ok(())
    });
}

fn what_is_left_is_aborted_when_the_root_is_given_up(host: &dyn Runner) {
    let log = Log::new();
    let inner = log.clone();
    let ran = host.run(short(2, 2), async move |cx: &Cx| {
        // migrate-lint: allow(permit_forgotten) what becomes of it then is the case
        std::mem::forget(detached(cx, 6, &inner).await);
        let (tell, mut inside) = oneshot::channel();
        drop(cx.spawn("shielded", async move |cx: &Cx| {
            let body = async |cx: &Cx| {
                tell.send(()).ok();
                cx.sleep(HOUR).await
            };
            drop(cx.shield(Budget::UNLIMITED, async |cx: &Cx| Ok(body(cx).await?)).await);
        }));
        inside.recv(cx).await?;
        Ok(())
    });
    assert!(ran.outcome.is_err(), "the root closed though a shield without a limit was in it");
    assert_eq!(log.take(), [(6, Aborted)]);
    assert_eq!(account(&ran.report.expect("a report")), [1, 0, 1, 1]);
}

fn a_region_that_finalizes_takes_no_more(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let log = Log::new();
        let (late, told) = (log.clone(), Log::new());
        let tell = told.clone();
        let (outcome, report) = Region::builder("r")
            .open_with_report(cx, async |cx: &Cx| {
                cx.defer(async move |cx: &Cx| {
                    let refused = detached(cx, 7, &late).await;
                    tell.push((refused.is_expired(), refused.complete().is_err()));
                })?;
                Ok(())
            })
            .await;
        outcome?;
        assert_eq!((told.take(), log.take()), (vec![(true, true)], vec![(7, Aborted)]));
        assert_eq!(account(&report), [0; 4]);
        Ok(())
    });
}

fn one_that_outlives_its_region_has_expired(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let log = Log::new();
        let kept = Region::open(cx, "r", async |cx: &Cx| Ok(Arc::new(detached(cx, 8, &log).await))).await?;
        assert_eq!(log.take(), [(8, Aborted)]);
        assert!(kept.is_expired());
        let kept = Arc::into_inner(kept).expect("nobody else has it");
        let late: Outcome = kept.complete().map_err(Failure::from);
        assert!(late.is_err());
        assert!(log.take().is_empty(), "resolved twice");
        Ok(())
    });
}
