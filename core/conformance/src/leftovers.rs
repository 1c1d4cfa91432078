//! What is told of those that did not end by themselves: above all, what they awaited last.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use asupersync_core::cancel::{Awaits, Use, Waits};
use asupersync_core::channel::oneshot;
use asupersync_core::region::{CloseReport, Leftover, LeftoverKind};
use asupersync_core::{Budget, Cx, Outcome, ReasonKind, Region};

use crate::probe::{HOUR, MS, cancelled_kind, counted, stubborn, until};
use crate::runner::{Runner, in_time, short};

crate::cases![
    what_knows_no_cx_is_told_with_what_came_before_it,
    a_join_is_told_with_the_task_that_is_joined,
    what_never_began_awaited_nothing,
    a_body_that_is_dropped_tells_what_it_awaited,
    a_finalizer_that_is_spent_tells_what_it_awaited,
    what_is_forced_out_tells_what_it_awaited,
    a_poll_that_does_not_return_tells_what_was_awaited_before needs (StuckPoll),
];

/// Runs `main` in a region whose drain budget is small, and tells what is left over.
async fn report<F>(cx: &Cx, main: F) -> CloseReport
where
    F: AsyncFnOnce(&Cx) -> Outcome,
{
    Region::builder("r").drain(Budget::timeout(MS(5))).open_with_report(cx, main).await.1
}

#[track_caller]
fn only(report: &CloseReport) -> &Leftover {
    let [left] = &report.leftovers[..] else { panic!("{:?}", report.leftovers) };
    left
}

fn now(left: &Leftover) -> Vec<Awaits> {
    waits(left).now.iter().map(|wait| wait.awaits).collect()
}

#[track_caller]
fn waits(left: &Leftover) -> &Waits {
    left.awaited.as_ref().unwrap_or_else(|| panic!("nothing is known of {left:?}"))
}

fn what_knows_no_cx_is_told_with_what_came_before_it(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let report = report(cx, async |cx: &Cx| {
            let (tell, mut told) = oneshot::channel();
            let (first, second) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let (before, after) = (first.clone(), second.clone());
            drop(cx.spawn("stubborn", async move |cx: &Cx| {
                counted(&before, told.recv(cx)).await?;
                stubborn(after).await;
                Ok(())
            }));
            until(|| first.load(SeqCst) > 0).await;
            drop(tell.send(()));
            until(|| second.load(SeqCst) > 0).await;
            Ok(())
        })
        .await;
        let left = only(&report);
        assert_eq!((left.kind, now(left)), (LeftoverKind::Dropped, vec![Awaits::Unknown]));
        assert!(matches!(waits(left).last, Some(Awaits::Object(Use::OneshotRecv, _))), "{left:?}");
        let said = "it awaited a future that knows no `Cx`, before that the value of a oneshot channel";
        assert!(report.to_string().contains(said), "{report}");
        Ok(())
    });
}

fn a_join_is_told_with_the_task_that_is_joined(host: &dyn Runner) {
    let ran = host.run(short(5, 5), async |cx: &Cx| {
        let begun = Arc::new(AtomicUsize::new(0));
        let begins = begun.clone();
        let joined = cx.spawn("joined", async move |cx: &Cx| {
            // A shield without a limit: only force ends it.
            cx.shield(Budget::UNLIMITED, async |_: &Cx| -> Outcome { match stubborn(begins).await {} }).await
        });
        until(|| begun.load(SeqCst) > 0).await;
        let polls = Arc::new(AtomicUsize::new(0));
        let polled = polls.clone();
        drop(cx.spawn("joiner", async move |_: &Cx| counted(&polled, joined.join()).await));
        until(|| polls.load(SeqCst) > 0).await;
        Ok(())
    });
    let report = ran.report.expect("every host tells of what it forces out");
    let of = |name: &str| report.leftovers.iter().find(|left| &*left.name == name);
    let (joined, joiner) = (of("joined").expect("left over"), of("joiner").expect("left over"));
    assert_eq!(joined.kind, LeftoverKind::Forced);
    // On a busy machine both may have to wait until the host gives up.
    let late = !host.is_virtual() && joiner.kind == LeftoverKind::Forced;
    assert!(joiner.kind == LeftoverKind::Dropped || late, "{joiner}");
    let id = joined.task.expect("it is a task");
    assert_eq!(now(joiner), [Awaits::Join(id)]);
    assert!(joiner.to_string().contains(&format!("it awaited the end of task {id:?}")), "{joiner}");
    assert!(joined.to_string().contains(&format!("`joined` ({id:?}) in ")), "{joined}");
}

fn what_never_began_awaited_nothing(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let region = Region::builder("r").drain(Budget::timeout(MS(0)));
        let (_, report) = region
            .open_with_report(cx, async |cx: &Cx| {
                drop(cx.spawn("late", async |cx: &Cx| {
                    cx.cancelled().await;
                }));
                Ok(())
            })
            .await;
        // One that did begin ends by itself.
        assert!(report.leftovers.iter().all(|left| left.awaited.is_none()), "{:?}", report.leftovers);
        Ok(())
    });
}

fn a_body_that_is_dropped_tells_what_it_awaited(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let report = report(cx, async |cx: &Cx| {
            drop(cx.spawn("fails", async |_: &Cx| -> Outcome { panic!("fails") }));
            stubborn(Arc::default()).await;
            Ok(())
        })
        .await;
        let left = only(&report);
        assert_eq!((&*left.name, left.kind, left.task), ("r", LeftoverKind::Dropped, None));
        assert_eq!(now(left), [Awaits::Unknown]);
        Ok(())
    });
}

fn a_finalizer_that_is_spent_tells_what_it_awaited(host: &dyn Runner) {
    in_time(|time| {
        host.ok(async move |cx: &Cx| {
            let (_, report) = Region::builder("r")
                .finalize(Budget::timeout(time))
                .open_with_report(cx, async |cx: &Cx| {
                    Ok(cx.defer(async |cx: &Cx| {
                        cx.sleep(MS(1)).await.ok();
                        stubborn(Arc::default()).await;
                        Ok(())
                    })?)
                })
                .await;
            let left = only(&report);
            assert_eq!((left.kind, now(left)), (LeftoverKind::FinalizerSpent, vec![Awaits::Unknown]));
            Ok(matches!(waits(left).last, Some(Awaits::Until(_))))
        })
    });
}

fn what_is_forced_out_tells_what_it_awaited(host: &dyn Runner) {
    let ran = host.run(short(5, 5), async |cx: &Cx| {
        let (begun, mut begins) = oneshot::channel();
        drop(cx.spawn("racer", async move |cx: &Cx| {
            // A shield without a limit: only force ends it.
            let body = async |cx: &Cx| {
                let begun = begun;
                let (_keep, mut never) = oneshot::channel::<()>();
                drop(begun.send(()));
                cx.race(async |cx: &Cx| Ok(never.recv(cx).await?), async |cx: &Cx| Ok(cx.sleep(HOUR).await?))
                    .await
            };
            cx.shield(Budget::UNLIMITED, body).await
        }));
        begins.recv(cx).await?;
        Ok(())
    });
    let report = ran.report.expect("every host tells of what it forces out");
    let left = report.leftovers.iter().find(|left| &*left.name == "racer");
    let left = left.unwrap_or_else(|| panic!("not left over: {report}; {:?}", ran.outcome));
    assert_eq!(left.kind, LeftoverKind::Forced);
    assert_eq!(cancelled_kind(&ran.outcome), ReasonKind::Deadline);
    let now = now(left);
    assert!(now.iter().any(|awaits| matches!(awaits, Awaits::Object(Use::OneshotRecv, _))), "{now:?}");
    assert!(now.iter().any(|awaits| matches!(awaits, Awaits::Until(_))), "{now:?}");
    assert_eq!(now.len(), 2, "{now:?}");
}

/// Lets a stuck poll go, however the case ends.
struct Release(Arc<AtomicBool>);

impl Drop for Release {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

fn a_poll_that_does_not_return_tells_what_was_awaited_before(host: &dyn Runner) {
    let release = Arc::new(AtomicBool::new(false));
    let free = Release(release.clone());
    let ran = host.run(short(50, 2000), async move |cx: &Cx| {
        let (tell, mut begins) = oneshot::channel();
        drop(cx.spawn("stuck", async move |cx: &Cx| {
            drop(tell.send(()));
            drop(cx.finish(async |cx: &Cx| Ok(cx.sleep(MS(1)).await?)).await);
            while !release.load(SeqCst) {
                std::thread::yield_now();
            }
        }));
        Ok(begins.recv(cx).await?)
    });
    drop(free);
    let report = ran.report.expect("a host that bounds stuck polls tells of them");
    let left = report.leftovers.iter().find(|left| &*left.name == "stuck").expect("left over");
    assert_eq!(left.kind, LeftoverKind::Abandoned);
    assert!(now(left).is_empty() && matches!(waits(left).last, Some(Awaits::Until(_))), "{left:?}");
    assert!(left.to_string().contains("it awaited nothing, but before that"), "{left}");
}
