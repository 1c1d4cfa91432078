//! What nobody waits for, or what does not listen, is still owned: it ends with its region.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use asupersync_core::channel::oneshot;
use asupersync_core::{Cx, ReasonKind, Region};

use crate::probe::{Count, HOUR, cancelled_kind, poll_now, stubborn, until};
use crate::runner::{Runner, short};

crate::cases![
    a_dropped_open_is_reparented,
    a_dropped_open_runs_its_finalizers,
    a_dropped_handle_detaches_nothing,
    a_future_that_knows_no_cx_gets_one_more_poll,
    an_unstarted_task_of_a_spent_region_never_runs,
];

fn a_dropped_open_is_reparented(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let count = Count::default();
        let inner = count.clone();
        let told = Arc::new(Mutex::new(None));
        let hears = told.clone();
        Region::open(cx, "outer", async move |cx: &Cx| {
            let (tell, mut ready) = oneshot::channel();
            {
                let mut open = Box::pin(Region::open(cx, "dropped", async |cx: &Cx| {
                    let one = inner.one();
                    drop(cx.spawn("child", async move |cx: &Cx| {
                        let _one = one;
                        drop(tell.send(()));
                        let why = cx.cancelled().await;
                        crate::probe::breathe().await;
                        *hears.lock().unwrap() = Some(why.into_reason());
                    }));
                    cx.sleep(HOUR).await?;
                    Ok(())
                }));
                assert!(poll_now(open.as_mut()).is_pending());
                ready.recv(cx).await?;
            }
            Ok(())
        })
        .await?;
        assert_eq!(count.alive(), 0, "the enclosing region closed before what was dropped in it");
        let told = told.lock().unwrap().take().expect("the child was told");
        assert!(told.involves(ReasonKind::HandleDropped), "{told:?}");
        Ok(())
    });
}

fn a_dropped_open_runs_its_finalizers(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let ran = Arc::new(AtomicUsize::new(0));
        let inner = ran.clone();
        Region::open(cx, "outer", async move |cx: &Cx| {
            let mut open = Box::pin(Region::open(cx, "dropped", async |cx: &Cx| {
                cx.defer(async move |cx: &Cx| {
                    cx.yield_now().await?;
                    inner.fetch_add(1, SeqCst);
                    Ok(())
                })?;
                cx.sleep(HOUR).await?;
                Ok(())
            }));
            assert!(poll_now(open.as_mut()).is_pending());
            Ok(())
        })
        .await?;
        assert_eq!(ran.load(SeqCst), 1);
        Ok(())
    });
}

fn a_dropped_handle_detaches_nothing(host: &dyn Runner) {
    let count = Count::default();
    let inner = count.clone();
    host.ok(async move |cx: &Cx| {
        let one = inner.one();
        drop(cx.spawn("child", async move |cx: &Cx| {
            cx.cancelled().await;
            drop(one);
        }));
        Ok(())
    });
    assert_eq!((count.alive(), count.dropped()), (0, 1));
}

fn a_future_that_knows_no_cx_gets_one_more_poll(host: &dyn Runner) {
    let polls = Arc::new(AtomicUsize::new(0));
    let (inner, count) = (polls.clone(), Count::default());
    let one = count.one();
    let ran = host.run(short(5, 1000), async move |cx: &Cx| {
        let started = inner.clone();
        let child = cx.spawn_future("stubborn", async move {
            let _one = one;
            stubborn(inner).await;
        });
        until(|| started.load(SeqCst) == 1).await;
        drop(child);
        Ok(())
    });
    assert!(ran.outcome.is_ok(), "{:?}", ran.outcome);
    assert_eq!(count.alive(), 0);
    // The first poll, one at Request, one at the end of the budget; a busy host may come to the
    // second only when it is time for the third.
    let polls = polls.load(SeqCst);
    assert!(polls == 3 || polls == 2 && !host.is_virtual(), "{polls} polls");
    let totals = ran.report.expect("the host tells how the root closed").totals;
    assert_eq!((totals.dropped, totals.abandoned), (1, 0));
}

fn an_unstarted_task_of_a_spent_region_never_runs(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let ran = Arc::new(AtomicUsize::new(0));
        let victim = crate::probe::Victim::new(cx).await;
        let inner = ran.clone();
        // Spent before it can be polled: its `Cx` is under the spent scope from the start.
        let late = victim.spend().await;
        let outcome = late
            .finish(async |cx: &Cx| {
                cx.spawn("late", async move |_: &Cx| {
                    inner.fetch_add(1, SeqCst);
                })
                .join()
                .await
            })
            .await;
        cancelled_kind(&outcome);
        assert_eq!(ran.load(SeqCst), 0);
        Ok(())
    });
}
