//! Local scopes under Request, and at their end.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use asupersync_core::cancel::Awaits;
use asupersync_core::channel::oneshot;
use asupersync_core::region::{Close, LeftoverKind};
use asupersync_core::{Budget, Cx, Failure, Outcome, ReasonKind, Region};

use crate::probe::{
    Count, Counted, HOUR, Log, MS, Victim, at_every_poll, breathe, cancelled_kind, kind, now_or_never,
    poll_now, stubborn, until,
};
use crate::runner::{Runner, in_time, short};

crate::cases![
    the_bodys_end_asks_them_to_stop_and_awaits_them,
    they_are_awaited_where_children_are_joined,
    a_request_reaches_them_and_they_drain,
    each_that_does_not_hear_is_dropped_at_the_budgets_end,
    a_shielded_child_outlasts_the_drain,
    one_that_is_forced_out_is_told,
    a_panic_in_a_drop_is_contained,
    a_value_that_nobody_joins_is_gone_before_the_region_closes,
    under_request_nothing_starts,
    nothing_starts_once_the_scope_is_over,
    dropped_half_way_children_are_dropped_and_tasks_are_drained,
    a_handle_that_outlives_a_dropped_scope_tells_why,
    tasks_of_the_scope_are_awaited_too,
    its_work_has_a_budget,
    a_scope_is_cancelled_at_every_await,
];

fn the_bodys_end_asks_them_to_stop_and_awaits_them(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (log, outside) = (Log::new(), String::from("borrowed to the end"));
        cx.local(async |cx: &Cx, scope| {
            let finalizer = log.clone();
            cx.defer(async move |_: &Cx| finalizer.push("finalized"))?;
            for _ in 0..2 {
                scope.spawn("child", async |cx: &Cx| {
                    assert_eq!(kind(&cx.cancelled().await), ReasonKind::ParentClosed);
                    cx.finish(async |cx: &Cx| Ok(cx.sleep(MS(1)).await?)).await?;
                    assert_eq!(outside.len(), 19);
                    log.push("drained");
                    Ok(())
                });
            }
            log.push("body returns");
            Ok(())
        })
        .await?;
        assert_eq!(log.take(), ["body returns", "drained", "drained", "finalized"]);
        Ok(())
    });
}

fn they_are_awaited_where_children_are_joined(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let done = AtomicUsize::new(0);
        Region::builder("jobs")
            .close(Close::Join)
            .local(cx, async |_: &Cx, scope| {
                for n in 0..3 {
                    let done = &done;
                    scope.spawn("job", async move |cx: &Cx| {
                        cx.sleep(MS(n)).await?;
                        done.fetch_add(1, SeqCst);
                        Ok(())
                    });
                }
                Ok(())
            })
            .await?;
        assert_eq!(done.into_inner(), 3);
        Ok(())
    });
}

fn a_request_reaches_them_and_they_drain(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let log = Log::new();
        let (inner, (tell, mut ready)) = (log.clone(), oneshot::channel());
        let task = cx.spawn("task", async move |cx: &Cx| {
            let log = &inner;
            cx.local(async |cx: &Cx, scope| {
                for n in 0..2 {
                    scope.spawn("child", async move |cx: &Cx| {
                        let why = kind(&cx.cancelled().await);
                        cx.finish(async |cx: &Cx| Ok(cx.sleep(MS(1)).await?)).await?;
                        log.push((n, why));
                        Ok(())
                    });
                }
                breathe().await;
                drop(tell.send(()));
                Ok(cx.sleep(HOUR).await?)
            })
            .await
        });
        ready.recv(cx).await?;
        assert_eq!(cancelled_kind(&task.cancel(Budget::UNLIMITED).await), ReasonKind::UserRequest);
        let mut told = log.take();
        told.sort_unstable();
        assert_eq!(told, [(0, ReasonKind::UserRequest), (1, ReasonKind::UserRequest)]);
        Ok(())
    });
}

fn each_that_does_not_hear_is_dropped_at_the_budgets_end(host: &dyn Runner) {
    let (count, polls) = (Count::default(), Arc::new(AtomicUsize::new(0)));
    let (inner, polled) = (count.clone(), polls.clone());
    let ran = host.run(short(5, 10_000), async move |cx: &Cx| {
        let (outcome, report) = Region::builder("r")
            .local_with_report(cx, async |_: &Cx, scope| {
                for _ in 0..3 {
                    scope.spawn("stubborn", async |_: &Cx| {
                        let _one = inner.one();
                        stubborn(polled.clone()).await;
                        Ok(())
                    });
                }
                breathe().await;
                assert_eq!(inner.alive(), 3);
                Ok(())
            })
            .await;
        outcome?;
        let told: Vec<_> = report.leftovers.iter().map(|l| (l.kind, &*l.name, l.path.as_str())).collect();
        assert_eq!(told, [(LeftoverKind::Dropped, "stubborn", "root/r"); 3], "{report}");
        assert!(report.leftovers[0].site.file().ends_with("local_closing.rs"));
        Ok(cx.checkpoint()?)
    });
    ran.outcome.expect("only the scope's budget is spent");
    assert_eq!((count.alive(), count.dropped()), (0, 3));
    assert!(polls.load(SeqCst) >= 6, "each had one more poll");
}

fn a_shielded_child_outlasts_the_drain(host: &dyn Runner) {
    let log = Log::new();
    let inner = log.clone();
    let ran = host.run(short(2, 10_000), async move |cx: &Cx| {
        let log = &inner;
        cx.local(async |_: &Cx, scope| {
            scope.spawn("shielded", async move |cx: &Cx| {
                let shielded = cx.shield(Budget::timeout(MS(500)), async |cx: &Cx| {
                    cx.sleep(MS(10)).await?;
                    log.push("whole");
                    Ok(())
                });
                shielded.await
            });
            breathe().await;
            Ok(())
        })
        .await
    });
    ran.outcome.expect("its value, or an absorbed cancellation");
    assert_eq!(log.take(), ["whole"]);
}

fn one_that_is_forced_out_is_told(host: &dyn Runner) {
    let ran = host.run(short(5, 5), async |cx: &Cx| {
        let (begun, mut begins) = oneshot::channel();
        drop(cx.spawn("opener", async move |cx: &Cx| {
            cx.local(async |_: &Cx, scope| {
                let child = scope.spawn("child", async |cx: &Cx| {
                    // A shield without a limit: only force ends it.
                    let body = async |cx: &Cx| Ok(cx.sleep(HOUR).await?);
                    drop(begun.send(()));
                    cx.shield(Budget::UNLIMITED, body).await
                });
                child.join().await
            })
            .await
        }));
        begins.recv(cx).await?;
        Ok(())
    });
    let report = ran.report.expect("every host tells of what it forces out");
    let left: Vec<_> = report.leftovers.iter().filter(|left| &*left.name == "child").collect();
    let [left] = left[..] else { panic!("once: {report}; {:?}", ran.outcome) };
    assert_eq!((left.kind, left.path.as_str()), (LeftoverKind::Forced, "root/local"));
    let awaited = left.awaited.as_ref().expect("it is known");
    assert!(matches!(awaited.now[..], [wait] if matches!(wait.awaits, Awaits::Until(_))), "{left}");
}

/// Panics when it is dropped, but not while something else does.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("in a drop");
        }
    }
}

fn a_panic_in_a_drop_is_contained(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let log = Log::new();
        let outcome: Outcome = Region::builder("r")
            .drain(Budget::timeout(MS(1)))
            .local(cx, async |_: &Cx, scope| {
                // Dropped at the end of the budget, and a value that nobody joins.
                scope.spawn("bomb", async |_: &Cx| {
                    let _bomb = Bomb;
                    stubborn(Arc::default()).await;
                    Ok(())
                });
                drop(scope.spawn("value", async |_: &Cx| Ok(Bomb)));
                scope.spawn("shielded", async |cx: &Cx| {
                    cx.shield(Budget::timeout(HOUR), async |cx: &Cx| Ok(cx.sleep(MS(5)).await?)).await?;
                    log.push("whole");
                    Ok(())
                });
                breathe().await;
                Ok(())
            })
            .await;
        assert!(matches!(outcome, Err(Failure::Panicked(panic)) if panic.message() == "in a drop"));
        assert_eq!(log.take(), ["whole"], "it is nobody else's");
        Ok(())
    });
}

fn a_value_that_nobody_joins_is_gone_before_the_region_closes(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let count = Count::default();
        cx.local(async |cx: &Cx, scope| {
            let finalizer = count.clone();
            cx.defer(async move |_: &Cx| assert_eq!(finalizer.alive(), 0))?;
            let (a, b) = (count.one(), count.one());
            drop(scope.spawn("dropped", async move |_: &Cx| Ok(a)));
            let kept = scope.spawn("kept", async move |_: &Cx| Ok(b));
            breathe().await;
            assert!(kept.is_finished());
            Ok(())
        })
        .await?;
        assert_eq!(count.dropped(), 2);
        Ok(())
    });
}

fn under_request_nothing_starts(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let victim = Victim::new(cx).await;
        let count = Count::default();
        let mut local = Box::pin(victim.cx.local(async |cx: &Cx, scope| {
            cx.cancelled().await;
            let one = count.one();
            let late = scope.spawn("late", async move |_: &Cx| {
                drop(one);
                Ok(())
            });
            assert!(late.is_finished());
            assert_eq!(count.dropped(), 1, "what it captured is gone at once");
            // Work in flight has a scope of its own for that.
            let inner = cx.finish(async |cx: &Cx| {
                cx.local(async |_: &Cx, scope| scope.spawn("inner", async |_: &Cx| Ok(7)).join().await).await
            });
            assert_eq!(inner.await?, 7);
            late.join().await
        }));
        assert!(poll_now(local.as_mut()).is_pending());
        victim.request();
        assert_eq!(cancelled_kind(&local.await), ReasonKind::UserRequest);
        // Nor does a whole scope.
        let refused = now_or_never(victim.cx.local(async |_: &Cx, _| Ok(()))).expect("at once");
        assert_eq!(cancelled_kind(&refused), ReasonKind::UserRequest);
        Ok(())
    });
}

fn nothing_starts_once_the_scope_is_over(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let count = Count::default();
        let scope = cx.local(async |_: &Cx, scope| Ok(scope)).await?;
        let one = count.one();
        let late = scope.spawn("late", async move |_: &Cx| {
            drop(one);
            Ok(())
        });
        assert_eq!(count.dropped(), 1);
        assert_eq!(cancelled_kind(&late.join().await), ReasonKind::ParentClosed);
        // The value of a child may be taken out, and taken afterwards.
        let child = cx
            .local(async |_: &Cx, scope| {
                let child = scope.spawn("child", async |_: &Cx| Ok(5));
                breathe().await;
                Ok(child)
            })
            .await?;
        assert_eq!(child.join().await?, 5);
        Ok(())
    });
}

fn dropped_half_way_children_are_dropped_and_tasks_are_drained(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (count, log) = (Count::default(), Log::new());
        let told = log.clone();
        Region::open(cx, "around", async |cx: &Cx| {
            let (tell, mut ready) = oneshot::channel();
            let hears = Arc::new(AtomicUsize::new(0));
            let heard = hears.clone();
            let mut local = Box::pin(cx.local(async |cx: &Cx, scope| {
                for _ in 0..2 {
                    scope.spawn("child", async |cx: &Cx| {
                        let _one = count.one();
                        Ok(cx.sleep(HOUR).await?)
                    });
                }
                drop(cx.spawn("task", async move |cx: &Cx| {
                    drop(tell.send(()));
                    let why = kind(&cx.cancelled().await);
                    heard.fetch_add(1, SeqCst);
                    cx.finish(async |_: &Cx| breathe().await).await?;
                    told.push(why);
                    Ok(())
                }));
                Ok(cx.sleep(HOUR).await?)
            }));
            for _ in 0..2 {
                assert!(poll_now(local.as_mut()).is_pending());
            }
            ready.recv(cx).await?;
            assert_eq!(count.alive(), 2);
            drop(local);
            assert_eq!((count.alive(), count.dropped()), (0, 2));
            until(|| hears.load(SeqCst) > 0).await;
            Ok(())
        })
        .await?;
        assert_eq!(log.take(), [ReasonKind::HandleDropped], "the region around has waited");
        Ok(())
    });
}

fn a_handle_that_outlives_a_dropped_scope_tells_why(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tell, mut told) = oneshot::channel();
        let mut local = Box::pin(cx.local(async move |cx: &Cx, scope| {
            drop(tell.send(scope.spawn("child", async |cx: &Cx| Ok(cx.sleep(HOUR).await?))));
            Ok(cx.sleep(HOUR).await?)
        }));
        assert!(poll_now(local.as_mut()).is_pending());
        let child = told.recv(cx).await?;
        drop(local);
        assert_eq!(cancelled_kind(&child.join().await), ReasonKind::HandleDropped);
        Ok(())
    });
}

fn tasks_of_the_scope_are_awaited_too(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let count = Count::default();
        cx.local(async |_: &Cx, scope| {
            let one = count.one();
            let child = scope.spawn("child", async move |cx: &Cx| {
                drop(cx.spawn("task", async move |cx: &Cx| {
                    cx.cancelled().await;
                    cx.finish(async |cx: &Cx| Ok(cx.sleep(MS(1)).await?)).await?;
                    drop(one);
                    Ok(())
                }));
                Ok(())
            });
            child.join().await
        })
        .await?;
        assert_eq!(count.dropped(), 1);
        Ok(())
    });
}

fn its_work_has_a_budget(host: &dyn Runner) {
    in_time(|time| {
        host.ok(async move |cx: &Cx| {
            let heard = Log::new();
            let outcome: Outcome = Region::builder("limited")
                .budget(Budget::timeout(time))
                .local(cx, async |cx: &Cx, scope| {
                    scope.spawn("child", async |cx: &Cx| {
                        heard.push(kind(&cx.cancelled().await));
                        Ok(())
                    });
                    Ok(cx.sleep(HOUR).await?)
                })
                .await;
            assert_eq!(cancelled_kind(&outcome), ReasonKind::Deadline);
            let heard = heard.take();
            assert!(heard.is_empty() || heard == [ReasonKind::Deadline]);
            Ok(!heard.is_empty())
        })
    });
    host.ok(async |cx: &Cx| {
        let heard = Log::new();
        let outcome: Outcome = Region::builder("limited")
            .budget(Budget::UNLIMITED.with_cost(3))
            .local(cx, async |cx: &Cx, scope| {
                scope.spawn("child", async |cx: &Cx| -> Outcome {
                    loop {
                        cx.charge(1)?;
                        cx.yield_now().await?;
                    }
                });
                heard.push(kind(&cx.cancelled().await));
                Ok(())
            })
            .await;
        outcome?;
        assert_eq!(heard.take(), [ReasonKind::BudgetSpent]);
        Ok(())
    });
}

/// Some steps, of which those in the middle are in flight.
async fn steps(cx: &Cx, counted: Counted) -> Outcome<usize> {
    let _counted = counted;
    cx.yield_now().await?;
    cx.finish(async |_: &Cx| {
        breathe().await;
        breathe().await;
    })
    .await?;
    Ok(1)
}

fn a_scope_is_cancelled_at_every_await(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (count, finalized) = (Count::default(), Count::default());
        let play = |cx: Cx| -> Pin<Box<dyn Future<Output = usize> + Send>> {
            let (count, finalized) = (count.clone(), finalized.clone());
            Box::pin(async move {
                let outcome = cx.local(async |cx: &Cx, scope| {
                    let one = finalized.one();
                    cx.defer(async move |_: &Cx| drop(one))?;
                    let children = [(); 3].map(|()| {
                        let one = count.one();
                        scope.spawn("child", async move |cx: &Cx| steps(cx, one).await)
                    });
                    let mut sum = steps(cx, count.one()).await.unwrap_or(0);
                    for child in children {
                        sum += child.join().await.unwrap_or(0);
                    }
                    Ok(sum)
                });
                outcome.await.unwrap_or(0)
            })
        };
        let (whole, ends) = at_every_poll(cx, play, || assert_eq!(count.alive(), 0)).await;
        assert_eq!(whole, 4);
        // The body may be in flight before the children are.
        assert!(ends.is_sorted() && ends.first() == Some(&0) && ends.last() == Some(&4), "{ends:?}");
        // Those dropped half-way are finalized by this region, which they were left to.
        until(|| finalized.alive() == 0).await;
        Ok(())
    });
}
