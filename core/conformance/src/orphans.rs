//! What nobody waits for, or what does not listen, is still owned: it ends with its region.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;

use asupersync_core::channel::oneshot;
use asupersync_core::{Budget, Cx, Outcome, Reason, ReasonKind, Region};

use crate::probe::{Count, Counted, HOUR, Log, MS, cancelled_kind, kind, poll_now, stubborn, until};
use crate::runner::{Runner, Settings, short, succeed};

crate::cases![
    a_dropped_open_is_reparented,
    a_dropped_open_runs_its_finalizers,
    a_dropped_open_within_a_dropped_open,
    one_left_in_a_drain_ends_with_it,
    one_left_deep_inside_is_reached_from_around,
    one_dropped_because_of_a_request_hears_of_the_request needs (ForeignThreads),
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

/// Each is awaited by the nearest region around it that is still open, and nothing of either outlives
/// that.
fn a_dropped_open_within_a_dropped_open(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (log, count) = (Log::new(), Count::default());
        Region::open(cx, "around", async |cx: &Cx| {
            let mut open = Box::pin(Region::open(cx, "outer", async |cx: &Cx| {
                let last = log.clone();
                cx.defer(async move |_: &Cx| last.push("outer"))?;
                Region::open(cx, "inner", async |cx: &Cx| {
                    let (first, one) = (log.clone(), count.one());
                    cx.defer(async move |cx: &Cx| {
                        cx.yield_now().await?;
                        first.push("inner");
                        Ok(())
                    })?;
                    drop(cx.spawn("child", async move |cx: &Cx| {
                        let _one = one;
                        cx.cancelled().await;
                        crate::probe::breathe().await;
                    }));
                    Ok(cx.sleep(HOUR).await?)
                })
                .await
            }));
            assert!(poll_now(open.as_mut()).is_pending());
            drop(open);
            Ok(())
        })
        .await?;
        assert_eq!((log.take(), count.alive()), (vec!["inner", "outer"], 0));
        Ok(())
    });
}

/// Opens a region with a child that knows no `Cx`, and leaves both.
async fn leave_one(cx: &Cx, one: Counted) {
    let mut open = Box::pin(Region::builder("left").in_flight().open(cx, async |cx: &Cx| {
        drop(cx.spawn_future("stubborn", async move {
            let _one = one;
            stubborn(Arc::default()).await;
        }));
        Ok(cx.sleep(HOUR).await?)
    }));
    drop(poll_now(open.as_mut()));
}

/// The root ends nothing by itself.
fn endless() -> Settings {
    Settings { drain: Budget::UNLIMITED, ..Settings::default() }
}

/// The task whose drain it is has ended before that is over.
fn one_left_in_a_drain_ends_with_it(host: &dyn Runner) {
    let count = Count::default();
    let inner = count.clone();
    let ran = host.run(endless(), async move |cx: &Cx| {
        let (one, (tell, mut waits)) = (inner.one(), oneshot::channel());
        let task = cx.spawn("leaves", async move |cx: &Cx| {
            drop(tell.send(()));
            cx.cancelled().await;
            leave_one(cx, one).await;
        });
        waits.recv(cx).await?;
        drop(task.cancel(Budget::timeout(MS(20))).await);
        Ok(())
    });
    succeed(ran.outcome);
    assert_eq!(count.alive(), 0);
}

/// A scope between its own and its region's is gone when that is cancelled.
fn one_left_deep_inside_is_reached_from_around(host: &dyn Runner) {
    let count = Count::default();
    let ran = host.run(endless(), async move |cx: &Cx| {
        let (one, (tell, mut has_left)) = (count.one(), oneshot::channel());
        let task = cx.spawn("leaves", async move |cx: &Cx| {
            Region::open(cx, "around", async |cx: &Cx| {
                cx.timeout(HOUR, async |cx: &Cx| leave_one(cx, one).await).await?;
                drop(tell.send(()));
                Ok(cx.sleep(HOUR).await?)
            })
            .await
        });
        has_left.recv(cx).await?;
        drop(task.cancel(Budget::timeout(MS(5))).await);
        assert_eq!(count.alive(), 0);
        Ok(())
    });
    succeed(ran.outcome);
}

/// A task that runs may see a request before that has come to the regions inside of it, and leave
/// them. Their children are told what the task was told, and not that it left.
fn one_dropped_because_of_a_request_hears_of_the_request(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        for _ in 0..20 {
            let (tell, told) = std::sync::mpsc::channel();
            let (hear, mut heard) = oneshot::channel();
            let task = cx.spawn("opener", async move |cx: &Cx| leave_at_request(cx, tell, hear).await);
            let requester = thread::spawn(move || {
                told.recv().expect("the opener gets inside");
                task.request_cancel(Reason::new(ReasonKind::UserRequest));
            });
            assert_eq!(heard.recv(cx).await?, ReasonKind::UserRequest);
            requester.join().expect("requesting does not panic");
        }
        Ok(())
    });
}

/// Opens a region; sees the request as soon as it stands, without being woken; drops the region.
async fn leave_at_request(
    cx: &Cx,
    inside: std::sync::mpsc::Sender<()>,
    heard: oneshot::Sender<ReasonKind>,
) -> Outcome {
    let (ready, mut is_ready) = oneshot::channel();
    let mut region = region_deep_inside(cx, 50, ready, heard);
    assert!(poll_now(region.as_mut()).is_pending());
    is_ready.recv(cx).await?;
    inside.send(()).ok();
    while !cx.is_cancelled() {
        std::hint::spin_loop();
    }
    drop(region);
    Ok(())
}

/// A region with a child, in scopes so deep that a request needs a while to come to it.
fn region_deep_inside<'a>(
    cx: &'a Cx,
    depth: usize,
    ready: oneshot::Sender<()>,
    heard: oneshot::Sender<ReasonKind>,
) -> Pin<Box<dyn Future<Output = Outcome> + Send + 'a>> {
    Box::pin(async move {
        if depth > 0 {
            let deeper = async |cx: &Cx| region_deep_inside(cx, depth - 1, ready, heard).await;
            return cx.timeout(HOUR, deeper).await;
        }
        Region::open(cx, "left", async |cx: &Cx| {
            drop(cx.spawn("child", async move |cx: &Cx| {
                ready.send(()).ok();
                heard.send(kind(&cx.cancelled().await)).ok();
            }));
            Ok(cx.sleep(HOUR).await?)
        })
        .await
    })
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
