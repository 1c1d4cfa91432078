//! Inline regions: polled by whoever holds them, and not dropped where they wait when that one leaves.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use asupersync_core::caps::{Authority, Effect};
use asupersync_core::channel::oneshot;
use asupersync_core::region::dump::TaskState;
use asupersync_core::region::{ChildFailures, CloseReport, InlineRegion, LeftoverKind};
use asupersync_core::{Budget, Cx, Error, Failure, Outcome, Reason, ReasonKind, Region};

use crate::attack::{Ended, Play, at_every_await};
use crate::probe::{
    Count, HOUR, Log, MS, Victim, asked, begin, breathe, cancelled_kind, kind, stubborn, until,
};
use crate::runner::{Runner, short};

crate::cases![
    who_holds_it_polls_it,
    left_behind_it_goes_on,
    left_behind_before_its_first_poll_it_runs,
    its_parent_awaits_it,
    it_hears_its_parent_and_not_its_holder,
    a_request_wakes_whoever_holds_it,
    it_goes_from_hand_to_hand,
    its_drain_budget_ends_it,
    its_failure_is_its_holders_or_its_parents,
    what_is_made_of_its_end_counts,
    it_is_refused_as_a_spork_is,
    a_dump_tells_who_polls_it,
    many_in_a_row_let_others_run,
    inline_regions_are_attacked,
];

fn who_holds_it_polls_it(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (outcome, report) = Region::builder("parent")
            .open_with_report(cx, async |cx: &Cx| {
                let log = Log::new();
                let inner = log.clone();
                let region = Region::builder("inline").inline(cx, async move |cx: &Cx| {
                    let finalizer = inner.clone();
                    cx.defer(async move |cx: &Cx| {
                        cx.yield_now().await?;
                        finalizer.push("finalized");
                        Ok(())
                    })?;
                    drop(cx.spawn("child", async |cx: &Cx| drop(cx.cancelled().await)));
                    inner.push("runs");
                    Ok(cx.path())
                });
                breathe().await;
                assert!(log.take().is_empty() && !region.is_closed(), "nobody has polled it");
                assert_eq!(region.await?, format!("{}/inline", cx.path()));
                assert_eq!(log.take(), ["runs", "finalized"]);
                Ok(())
            })
            .await;
        outcome?;
        assert_eq!((report.totals.regions, report.totals.tasks), (2, 1), "the child: {report}");
        Ok(())
    });
}

fn left_behind_it_goes_on(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (outcome, report) = Region::builder("parent")
            .open_with_report(cx, async |cx: &Cx| {
                let (go, mut gone) = oneshot::channel();
                let (tell, mut told) = oneshot::channel();
                let count = Count::default();
                let one = count.one();
                let mut region = Region::builder("inline").inline(cx, async move |cx: &Cx| {
                    let _one = one;
                    gone.recv(cx).await?;
                    cx.yield_now().await?;
                    drop(tell.send(()));
                    Ok(())
                });
                begin(&mut region).await;
                drop(region);
                assert_eq!(count.alive(), 1, "what it holds is not dropped where it waits");
                drop(go.send(()));
                Ok(told.recv(cx).await?)
            })
            .await;
        outcome?;
        assert_eq!((report.totals.regions, report.totals.tasks, report.totals.ok), (2, 1, 1), "{report}");
        assert!(report.leftovers.is_empty(), "{report}");
        Ok(())
    });
}

fn left_behind_before_its_first_poll_it_runs(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tell, mut told) = oneshot::channel();
        let region = Region::builder("inline").inline(cx, async move |cx: &Cx| {
            drop(tell.send(kind(&cx.cancelled().await)));
            Ok(())
        });
        region.request_close(asked());
        drop(region);
        assert_eq!(told.recv(cx).await?, ReasonKind::UserRequest);
        Ok(())
    });
}

fn its_parent_awaits_it(host: &dyn Runner) {
    let log = Log::new();
    let inner = log.clone();
    host.ok(async move |cx: &Cx| {
        Region::open(cx, "parent", async |cx: &Cx| {
            let log = inner.clone();
            cx.defer(async move |_: &Cx| log.push("parent finalized"))?;
            let log = inner.clone();
            let mut region = Region::builder("inline").inline(cx, async move |cx: &Cx| {
                let finalizer = log.clone();
                cx.defer(async move |cx: &Cx| {
                    cx.yield_now().await?;
                    finalizer.push("finalized");
                    Ok(())
                })?;
                assert_eq!(kind(&cx.cancelled().await), ReasonKind::ParentClosed);
                cx.finish(async |cx: &Cx| Ok(cx.sleep(MS(1)).await?)).await?;
                log.push("drained");
                Ok(())
            });
            begin(&mut region).await;
            Ok(())
        })
        .await?;
        inner.push("parent closed");
        Ok(())
    });
    assert_eq!(log.take(), ["drained", "finalized", "parent finalized", "parent closed"]);
}

fn it_hears_its_parent_and_not_its_holder(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (lend, mut lent) = oneshot::channel::<InlineRegion<ReasonKind>>();
        let ((tell, mut told), (ask, mut asks)) = (oneshot::channel(), oneshot::channel());
        let holder = cx.spawn("holder", async move |cx: &Cx| {
            let mut region = cx.finish(async |cx: &Cx| Ok(lent.recv(cx).await?)).await?;
            begin(&mut region).await;
            drop(tell.send(()));
            cx.cancelled().await;
            begin(&mut region).await;
            drop(ask.send(()));
            cx.finish(async |_: &Cx| region.await).await
        });
        let parent = cx.spork("parent", async move |cx: &Cx| {
            let region = Region::builder("inline");
            drop(lend.send(region.inline(cx, async |cx: &Cx| Ok(kind(&cx.cancelled().await)))));
            cx.cancelled().await;
            Ok(())
        });
        told.recv(cx).await?;
        holder.request_cancel(Reason::new(ReasonKind::Deadline));
        asks.recv(cx).await?;
        assert!(!parent.is_closed());
        parent.request_close(asked());
        assert_eq!(holder.join().await?, ReasonKind::UserRequest);
        parent.join().await
    });
}

fn a_request_wakes_whoever_holds_it(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (lend, mut lent) = oneshot::channel();
        let region = Region::builder("inline").inline(cx, async move |cx: &Cx| {
            drop(lend.send(cx.clone()));
            // In a scope of its own, which has its home from the region's.
            let waits = async |cx: &Cx| Ok(kind(&cx.cancelled().await));
            cx.race(waits, async |cx: &Cx| Ok(cx.or_cancel(std::future::pending()).await?)).await
        });
        let asker = cx.spawn("asks", async move |cx: &Cx| {
            let inside = lent.recv(cx).await?;
            until(|| inside.dump().to_string().contains("request to stop")).await;
            drop(inside.spawn("fails", async |_: &Cx| Outcome::<()>::Err(Failure::Err(Error::msg("it")))));
            Ok(())
        });
        let failure = region.await.unwrap_err();
        assert!(failure.to_string().contains("task `fails` failed: it"), "{failure}");
        asker.join().await
    });
}

fn it_goes_from_hand_to_hand(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let polls = Arc::new(AtomicUsize::new(0));
        let counter = polls.clone();
        let mut region = Region::builder("inline").inline(cx, async move |cx: &Cx| {
            // A scope that was made where the first holder polled.
            let (inside, mut cancelled) = (cx.in_flight(), pin!(cx.cancelled()));
            let reason = poll_fn(|task| {
                counter.fetch_add(1, SeqCst);
                cancelled.as_mut().poll(task)
            });
            let reason = kind(&reason.await);
            Ok((reason, inside.is_cancelled()))
        });
        for hand in 1..=3 {
            region = cx
                .spawn("holds", async move |_: &Cx| {
                    begin(&mut region).await;
                    Ok(region)
                })
                .join()
                .await?;
            assert_eq!(polls.load(SeqCst), hand);
        }
        let last = cx.spawn("last", async move |_: &Cx| {
            begin(&mut region).await;
            region.request_close(asked());
            region.await
        });
        assert_eq!(last.join().await?, (ReasonKind::UserRequest, false));
        Ok(())
    });
}

/// Stubborn, with a finalizer that waits.
fn stuck(cx: &Cx, count: &Count, polls: &Arc<AtomicUsize>) -> InlineRegion<()> {
    let (one, polls) = (count.one(), polls.clone());
    Region::builder("stuck").drain(Budget::timeout(MS(2))).inline(cx, async move |cx: &Cx| {
        let finalized = cx.clone();
        cx.defer(async move |cx: &Cx| {
            drop(finalized);
            Ok(cx.sleep(MS(1)).await?)
        })?;
        let _one = one;
        stubborn(polls).await;
        Ok(())
    })
}

fn its_drain_budget_ends_it(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (count, polls) = (Count::default(), Arc::new(AtomicUsize::new(0)));
        // Where it is held.
        let mut region = stuck(cx, &count, &polls);
        begin(&mut region).await;
        let before = cx.now();
        region.request_close(asked());
        assert_eq!(cancelled_kind(&region.await), ReasonKind::UserRequest);
        assert!(cx.now() - before >= MS(2));
        // And where it was left: its body, and the report of the region around tells of that.
        let (outcome, report) = Region::builder("parent")
            .open_with_report(cx, async |cx: &Cx| {
                let mut region = stuck(cx, &count, &polls);
                begin(&mut region).await;
                region.request_close(asked());
                drop(region);
                Ok(())
            })
            .await;
        outcome?;
        assert_eq!(count.alive(), 0);
        let [left] = &report.leftovers[..] else { panic!("{report}") };
        assert_eq!((left.kind, &*left.name), (LeftoverKind::Dropped, "stuck"));
        assert_eq!((report.totals.finalizers_run, report.totals.cancelled), (1, 1), "{report}");
        Ok(())
    });
    // Nor has it more time than its parent.
    let count = Count::default();
    let inner = count.clone();
    let ran = host.run(short(5, 10_000), async move |cx: &Cx| {
        let one = inner.one();
        let mut region =
            Region::builder("inline").drain(Budget::timeout(HOUR)).inline(cx, async move |_: &Cx| {
                let _one = one;
                stubborn(Arc::default()).await;
                Ok(())
            });
        begin(&mut region).await;
        Ok(())
    });
    ran.outcome.expect("its cancellation is absorbed");
    assert_eq!((count.alive(), count.dropped()), (0, 1));
}

async fn fails(cx: &Cx) -> Outcome {
    cx.yield_now().await?;
    Err(Failure::Err(Error::msg("on purpose")))
}

fn its_failure_is_its_holders_or_its_parents(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        Region::open(cx, "held", async |cx: &Cx| {
            let failure = Region::builder("inline").inline(cx, fails).await.unwrap_err();
            assert_eq!(failure.to_string(), "on purpose");
            let panics = Region::builder("inline").inline(cx, async |_: &Cx| -> Outcome { panic!("so") });
            assert!(matches!(panics.await, Err(Failure::Panicked(panic)) if panic.message() == "so"));
            Ok(cx.checkpoint()?)
        })
        .await?;
        let (outcome, report) = Region::builder("left")
            .open_with_report(cx, async |cx: &Cx| {
                drop(Region::builder("inline").inline(cx, fails));
                assert_eq!(kind(&cx.cancelled().await), ReasonKind::SiblingFailed);
                Ok(())
            })
            .await;
        let Err(Failure::Err(error)) = outcome else { panic!("the parent failed: {outcome:?}") };
        let failures = error.downcast_ref::<ChildFailures>().expect("a child of its").failures();
        let [failure] = failures else { panic!("counted {} times", failures.len()) };
        assert_eq!((&*failure.name, failure.error.to_string().as_str()), ("inline", "on purpose"));
        assert_eq!((report.totals.tasks, report.totals.err, report.totals.regions), (1, 1, 2), "{report}");
        Ok(())
    });
}

fn what_is_made_of_its_end_counts(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let log = Log::new();
        let open = |cx: &Cx| {
            let log = log.clone();
            let end = move |outcome: Outcome, report: &dyn Fn() -> CloseReport| {
                log.push(report().path);
                Ok(outcome.is_err())
            };
            Region::builder("inline").inline_then(cx, fails, end)
        };
        assert!(open(cx).await?);
        Region::open(cx, "left", async |cx: &Cx| {
            drop(open(cx));
            Ok(())
        })
        .await?;
        assert_eq!(log.take(), [format!("{}/inline", cx.path()), format!("{}/left/inline", cx.path())]);
        Ok(())
    });
}

fn it_is_refused_as_a_spork_is(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let victim = Victim::new(cx).await;
        victim.request();
        let count = Count::default();
        let one = count.one();
        let late = Region::builder("late").inline(&victim.cx, async move |_: &Cx| {
            drop(one);
            Ok(())
        });
        assert!(late.is_closed() && count.dropped() == 1, "what it captured is gone at once");
        late.request_close(asked());
        assert_eq!(cancelled_kind(&late.await), ReasonKind::UserRequest);
        let in_flight = Region::builder("late").in_flight().inline(&victim.cx, async |_: &Cx| Ok(7));
        assert_eq!(in_flight.await?, 7);
        let no_tasks = Authority::all().without(Effect::Spawn);
        let denied = cx.attenuate(no_tasks, async |cx: &Cx| {
            Region::builder("denied").inline(cx, async |_: &Cx| Ok(())).await
        });
        assert!(matches!(denied.await, Err(Failure::Err(_))));
        Ok(())
    });
}

fn a_dump_tells_who_polls_it(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (go, mut gone) = oneshot::channel::<()>();
        let region = Region::builder("inline").inline(cx, async move |cx: &Cx| {
            let inner = async |cx: &Cx| Ok(gone.recv(cx).await?);
            Region::open(cx, "inner", inner).await
        });
        let holder = cx.spawn("holder", async move |_: &Cx| region.await);
        let waits = |name: &str| {
            let dump = cx.dump();
            let mut tasks = dump.regions.iter().flat_map(|region| &region.tasks);
            let Some(task) = tasks.find(|task| task.name.to_string() == name) else { return false };
            let polls = |name| {
                let mut regions = dump.regions.iter();
                regions.any(|region| &*region.name == name && region.opened_by == Some(task.id))
            };
            let idle = task.state == TaskState::Waiting && task.awaits.to_string().contains("oneshot");
            idle && polls("inline") && polls("inner")
        };
        until(|| waits("holder")).await;
        drop(go.send(()));
        holder.join().await?;
        // Left behind, it is a task of its own name.
        let (go, mut gone) = oneshot::channel::<()>();
        drop(Region::builder("inline").inline(cx, async move |cx: &Cx| {
            Region::open(cx, "inner", async |cx: &Cx| Ok(gone.recv(cx).await?)).await
        }));
        until(|| waits("inline")).await;
        drop(go.send(()));
        Ok(())
    });
}

fn many_in_a_row_let_others_run(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let count = Arc::new(AtomicUsize::new(0));
        let others = count.clone();
        let other = cx.spawn("other", async move |_: &Cx| {
            others.fetch_add(1, SeqCst);
            Ok(())
        });
        let mut polls = 0;
        let mut opens = pin!(async {
            for _ in 0..1000 {
                Region::builder("inline").inline(cx, async |_: &Cx| Ok(())).await?;
            }
            Outcome::Ok(())
        });
        poll_fn(|task| {
            polls += 1;
            opens.as_mut().poll(task)
        })
        .await?;
        assert!(polls > 1, "it never yielded");
        other.join().await
    });
}

fn inline_regions_are_attacked(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (count, came) = (Count::default(), Arc::new(AtomicUsize::new(0)));
        let play = |_, cx: Cx| -> Play<Outcome<usize>> {
            let (one, counter) = (count.one(), came.clone());
            Box::pin(async move {
                let region = Region::builder("inline").in_flight().inline(&cx, async move |cx: &Cx| {
                    let (_one, finalized) = (one, counter.clone());
                    cx.defer(async move |cx: &Cx| {
                        cx.yield_now().await?;
                        finalized.fetch_add(1, SeqCst);
                        Ok(())
                    })?;
                    cx.sleep(MS(1)).await?;
                    cx.race(
                        async |cx: &Cx| Ok(cx.yield_now().await?),
                        async |cx: &Cx| Err(cx.cancelled().await.into()),
                    )
                    .await?;
                    Ok(counter.fetch_add(1, SeqCst))
                });
                region.await
            })
        };
        let gone = |ended: Ended<Outcome<usize>>| {
            assert_eq!(count.alive(), 0);
            let came = came.swap(0, SeqCst);
            match ended {
                // It hears its parent, who is not asked; so it comes to its end, polled here or not.
                Ended::Whole(outcome) | Ended::Requested(outcome) => {
                    assert!(outcome.is_ok_and(|before| before == 0) && came == 2);
                }
                // It was never opened.
                Ended::Dropped => assert!(came == 2 || came == 0, "{came}"),
            }
        };
        at_every_await(cx, play, gone).await
    });
}
