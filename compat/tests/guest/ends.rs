//! How enclaves end: what was in flight, what was stuck, what cannot be stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use asupersync_compat::guest::{Builder, End};
use asupersync_core::region::{Close, Leftover, LeftoverKind};
use asupersync_core::{Budget, Cx, Outcome, Region};
use tokio::sync::oneshot;

use crate::{Flag, Stuck, short};

/// What cannot be stopped takes it whole.
const FINALIZE: Budget = Budget::timeout(Duration::from_secs(1));

mod cases {
    crate::cases![
        what_is_in_flight_ends,
        what_guests_spawned_is_awaited,
        what_guests_spawned_is_left_on_request,
        a_ticket_keeps_the_drain_waiting,
        what_is_stuck_is_aborted_and_told,
        a_slow_drop_is_awaited,
        a_busy_task_is_quarantined,
        queued_jobs_never_run,
        a_job_that_runs_is_quarantined,
        a_region_that_joins_ends_with_the_last_handle,
        finalizers_use_the_enclave,
    ];
}

fn told(leftover: &Leftover) -> (LeftoverKind, &str) {
    (leftover.kind, &leftover.name)
}

async fn what_is_in_flight_ends(cx: &Cx, enclaves: Builder) -> Outcome {
    let (tokio, value) = Region::open(cx, "region", async |cx: &Cx| {
        let tokio = enclaves.open(cx)?;
        let (asked, inside) = (tokio.token(), tokio.clone());
        let call = cx.spawn("call", async move |cx: &Cx| {
            // It ends after Request only.
            let call = inside.run(cx, async move {
                asked.cancelled().await;
                tokio::task::yield_now().await;
                5
            });
            call.await
        });
        // Begun before the region is asked to close.
        while !tokio
            .run(cx, async { tokio::runtime::Handle::current().metrics().num_alive_tasks() > 1 })
            .await?
        {
            cx.yield_now().await?;
        }
        Ok((tokio, call))
    })
    .await?;
    assert_eq!(value.join().await?, 5);
    assert_eq!(tokio.report().map(|report| report.end), Some(End::Drained));
    Ok(())
}

async fn what_guests_spawned_is_awaited(cx: &Cx, enclaves: Builder) -> Outcome {
    let ended = Flag::default();
    let ends = ended.clone();
    Region::open(cx, "region", async move |cx: &Cx| {
        let tokio = enclaves.open(cx)?;
        let stop = tokio.token();
        tokio
            .run(cx, async move {
                tokio::spawn(async move {
                    stop.cancelled().await;
                    // a wait, not a synchronisation: it takes longer than the region's body
                    tokio::time::sleep(Duration::from_millis(3)).await;
                    ends.set();
                });
            })
            .await
    })
    .await?;
    assert!(ended.is_set());
    Ok(())
}

async fn what_guests_spawned_is_left_on_request(cx: &Cx, enclaves: Builder) -> Outcome {
    let (stuck, begun, gone) = Stuck::new();
    let (outcome, report) = Region::builder("region")
        .open_with_report(cx, async |cx: &Cx| {
            let tokio = enclaves.await_tasks(false).open(cx)?;
            tokio.run(cx, async { drop(tokio::spawn(stuck)) }).await?;
            begun.await?;
            Outcome::Ok(tokio)
        })
        .await;
    assert_eq!(outcome?.report().map(|report| report.end), Some(End::Drained));
    assert!(gone.is_set() && report.leftovers.is_empty(), "{report}");
    Ok(())
}

async fn a_ticket_keeps_the_drain_waiting(cx: &Cx, enclaves: Builder) -> Outcome {
    let (give, given) = oneshot::channel();
    let region = cx.spawn("region", async move |cx: &Cx| {
        Region::open(cx, "region", async move |cx: &Cx| {
            let tokio = enclaves.open(cx)?;
            let body = tokio.ticket(cx, "body").hold(tokio.token());
            let _ = give.send(body);
            Outcome::Ok(())
        })
        .await
    });
    // Held beyond the region's body, which has returned when the token is cancelled.
    let body = given.await?;
    body.cancelled().await;
    for _ in 0..100 {
        cx.yield_now().await?;
    }
    assert!(!region.is_finished());
    drop(body);
    region.join().await
}

async fn what_is_stuck_is_aborted_and_told(cx: &Cx, enclaves: Builder) -> Outcome {
    let (give, given) = oneshot::channel();
    let (stuck, begun, gone) = Stuck::new();
    let (other, other_begun, other_gone) = Stuck::new();
    let report = short(cx, async move |cx: &Cx| {
        let tokio = enclaves.open(cx)?;
        let _ = give.send(tokio.clone());
        let inside = tokio.clone();
        drop(cx.spawn("call", async move |cx: &Cx| inside.run(cx, stuck).await));
        tokio.run(cx, async { drop(tokio::spawn(other)) }).await?;
        begun.await?;
        Ok(other_begun.await?)
    })
    .await;
    assert!(gone.is_set() && other_gone.is_set());
    let ended = given.await?.report().expect("it has ended");
    assert_eq!(ended.end, End::Aborted(2), "{ended}");
    let leftovers: Vec<_> = report.leftovers.iter().map(told).collect();
    let aborted = LeftoverKind::ForeignAborted;
    assert_eq!(leftovers, [(aborted, "call"), (aborted, "1 tasks that guests spawned")], "{report}");
    assert!(report.leftovers[0].site.file().ends_with("ends.rs"));
    Ok(())
}

async fn a_slow_drop_is_awaited(cx: &Cx, enclaves: Builder) -> Outcome {
    struct Slow(Flag, Flag);
    impl Drop for Slow {
        fn drop(&mut self) {
            self.0.set();
            // a wait, not a synchronisation: a drop that takes a while is the subject
            std::thread::sleep(Duration::from_millis(50));
            self.1.set();
        }
    }
    let (begun, ended) = (Flag::default(), Flag::default());
    let slow = Slow(begun.clone(), ended.clone());
    let (give, given) = oneshot::channel();
    short(cx, async move |cx: &Cx| {
        let tokio = enclaves.open(cx)?;
        let _ = give.send(tokio.clone());
        tokio
            .run(cx, async {
                drop(tokio::spawn(async move {
                    let _slow = slow;
                    std::future::pending::<()>().await;
                }));
            })
            .await
    })
    .await;
    assert!(begun.is_set() && ended.is_set());
    assert_eq!(given.await?.report().map(|report| report.end), Some(End::Aborted(1)));
    Ok(())
}

async fn a_busy_task_is_quarantined(cx: &Cx, enclaves: Builder) -> Outcome {
    let (give, given) = oneshot::channel();
    let (stop, begun) = (Flag::default(), Flag::default());
    let (stops, begins) = (stop.clone(), begun.clone());
    let region = Region::builder("busy").drain(Budget::timeout(Duration::from_millis(5))).finalize(FINALIZE);
    let (_, report) = region
        .open_with_report(cx, async move |cx: &Cx| {
            let tokio = enclaves.open(cx)?;
            let _ = give.send(tokio.clone());
            let inside = tokio.clone();
            drop(cx.spawn("call", async move |cx: &Cx| {
                let busy = inside.run(cx, async move {
                    begins.set();
                    while !stops.is_set() {
                        std::hint::spin_loop();
                    }
                });
                busy.await
            }));
            while !begun.is_set() {
                cx.yield_now().await?;
            }
            Outcome::Ok(())
        })
        .await;
    stop.set();
    let ended = given.await?.report().expect("it has ended");
    assert_eq!(ended.end, End::Quarantined(1), "{ended}");
    assert!(
        ended.left.iter().any(|left| left.quarantined && left.site.file().ends_with("ends.rs")),
        "{ended}"
    );
    let quarantined = (LeftoverKind::ForeignQuarantined, "call");
    assert!(report.leftovers.iter().any(|left| told(left) == quarantined), "{report}");
    Ok(())
}

async fn queued_jobs_never_run(cx: &Cx, enclaves: Builder) -> Outcome {
    let (give, given) = oneshot::channel();
    let (ran, held) = (Arc::new(AtomicUsize::new(0)), Arc::new(()));
    let (runs, holds) = (ran.clone(), held.clone());
    short(cx, async move |cx: &Cx| {
        let tokio = enclaves.blocking_limit(1).open(cx)?;
        let _ = give.send(tokio.clone());
        let (begin, begun) = oneshot::channel();
        let (first, stop) = (tokio.clone(), tokio.token());
        drop(cx.spawn("first", async move |cx: &Cx| {
            let job = first.blocking(cx, move || {
                let _ = begin.send(());
                // Ends with the region.
                tokio::runtime::Handle::current().block_on(stop.cancelled());
            });
            job.await
        }));
        begun.await?;
        for _ in 0..20 {
            let (tokio, runs, holds) = (tokio.clone(), runs.clone(), holds.clone());
            let (queue, queued) = oneshot::channel();
            drop(cx.spawn("queued", async move |cx: &Cx| {
                let mut job = Box::pin(tokio.blocking(cx, move || {
                    let _holds = holds;
                    runs.fetch_add(1, SeqCst);
                }));
                let mut queue = Some(queue);
                std::future::poll_fn(move |task| {
                    let polled = job.as_mut().poll(task);
                    queue.take().into_iter().for_each(|queue| queue.send(()).unwrap_or_default());
                    polled
                })
                .await
            }));
            queued.await?;
        }
        drop(holds);
        Ok(())
    })
    .await;
    assert_eq!(given.await?.report().map(|report| report.end), Some(End::Drained));
    assert_eq!((ran.load(SeqCst), Arc::strong_count(&held)), (0, 1));
    Ok(())
}

async fn a_job_that_runs_is_quarantined(cx: &Cx, enclaves: Builder) -> Outcome {
    let (give, given) = oneshot::channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let region = Region::builder("job").drain(Budget::timeout(Duration::from_millis(5))).finalize(FINALIZE);
    let (_, report) = region
        .open_with_report(cx, async move |cx: &Cx| {
            let tokio = enclaves.open(cx)?;
            let _ = give.send(tokio.clone());
            let (begin, begun) = oneshot::channel();
            drop(cx.spawn("job", async move |cx: &Cx| {
                let job = tokio.blocking(cx, move || {
                    let _ = begin.send(());
                    released.recv().ok();
                });
                job.await
            }));
            begun.await?;
            Outcome::Ok(())
        })
        .await;
    let ended = given.await?.report().expect("it has ended");
    drop(release);
    assert_eq!(ended.end, End::Quarantined(1), "{ended}");
    let quarantined = (LeftoverKind::ForeignQuarantined, "job");
    assert!(report.leftovers.iter().any(|left| told(left) == quarantined), "{report}");
    Ok(())
}

async fn a_region_that_joins_ends_with_the_last_handle(cx: &Cx, enclaves: Builder) -> Outcome {
    let region = Region::builder("joins").close(Close::Join);
    let (outcome, report) = region
        .open_with_report(cx, async |cx: &Cx| {
            let tokio = enclaves.open(cx)?;
            let task = tokio.clone();
            drop(cx.spawn("task", async move |cx: &Cx| {
                cx.yield_now().await?;
                task.run(cx, async {}).await
            }));
            Outcome::Ok(())
        })
        .await;
    outcome?;
    assert_eq!((report.totals.ok, report.reason.is_none()), (2, true), "{report}");
    Ok(())
}

async fn finalizers_use_the_enclave(cx: &Cx, enclaves: Builder) -> Outcome {
    let (outcome, report) = Region::builder("region")
        .open_with_report(cx, async |cx: &Cx| {
            let tokio = enclaves.open(cx)?;
            cx.defer(async move |cx: &Cx| {
                tokio.run(cx, async { drop(tokio::spawn(tokio::task::yield_now())) }).await
            })?;
            Outcome::Ok(())
        })
        .await;
    outcome?;
    assert_eq!((report.totals.finalizers_run, report.leftovers.len()), (2, 0), "{report}");
    Ok(())
}
