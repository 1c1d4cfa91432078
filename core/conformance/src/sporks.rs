//! Sporks: a child region lives beside its parent's body, and does not outlive its parent.

use std::pin::Pin;
use std::sync::Arc;

use asupersync_core::channel::oneshot;
use asupersync_core::region::{
    Builder, ChildFailures, ChildRegion, Close, CloseReport, LeftoverKind, OnFailure,
};
use asupersync_core::{Budget, Cx, Error, Failure, Outcome, Reason, ReasonKind, Region, Severity};

use crate::probe::{Count, HOUR, Log, MS, Victim, asked, breathe, cancelled_kind, kind, poll_now, stubborn};
use crate::runner::{Runner, short};

crate::cases![
    it_lives_beside_its_parents_body,
    it_is_open_before_its_body_runs,
    it_closes_before_its_parent_finalizes,
    it_is_awaited_where_children_are_joined,
    a_request_to_close_leaves_it_its_own_drain_budget,
    cancel_may_give_it_less,
    it_has_no_more_time_than_its_parent,
    its_work_has_a_budget_of_its_own,
    its_lane_is_its_own needs (OneAtATime),
    its_failure_is_one_of_a_child_and_counts_once,
    its_childs_failure_is_its_own,
    a_parent_that_collects_goes_on,
    its_panic_is_its_outcome,
    to_be_cancelled_is_no_failure,
    a_dropped_handle_leaves_it_alone,
    a_dropped_join_leaves_it_alone,
    under_request_it_is_refused,
    work_in_flight_may_open_one_under_request,
    one_that_never_ran_is_closed_when_join_returns,
    the_report_tells_of_it,
    sporks_beside_each_other,
    sporks_ten_thousand_deep,
];

async fn fails(cx: &Cx) -> Outcome {
    cx.yield_now().await?;
    Err(Failure::Err(Error::msg("on purpose")))
}

/// One that is open, and idle until it is asked to close.
async fn idle(cx: &Cx, builder: Builder) -> Outcome<ChildRegion<()>> {
    let (tell, mut ready) = oneshot::channel();
    let child = builder.spork(cx, async move |cx: &Cx| {
        drop(tell.send(()));
        Err(cx.cancelled().await.into())
    });
    ready.recv(cx).await?;
    Ok(child)
}

fn it_lives_beside_its_parents_body(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tell, mut told) = oneshot::channel();
        let (answer, mut answered) = oneshot::channel();
        let child = cx.spork("child", async move |cx: &Cx| {
            drop(tell.send((cx.path(), cx.region_id())));
            let half: u32 = answered.recv(cx).await?;
            let task = cx.spawn("task", async move |_: &Cx| Ok(half));
            Ok(half + task.join().await?)
        });
        let (path, id) = told.recv(cx).await?;
        assert_eq!((path.clone(), Some(id)), (child.path(), child.id()));
        assert_eq!(path, format!("{}/child", cx.path()));
        assert!(id != cx.region_id() && !child.is_closed());
        drop(answer.send(21));
        assert_eq!(child.join().await?, 42);
        Ok(())
    });
}

fn it_is_open_before_its_body_runs(host: &dyn Runner) {
    let log = Log::new();
    let inner = log.clone();
    host.ok(async move |cx: &Cx| {
        let child = cx.spork("child", async move |cx: &Cx| {
            inner.push(kind(&cx.cancelled().await));
            cx.defer(async move |_: &Cx| inner.push(ReasonKind::Shutdown))?;
            Ok(())
        });
        assert!(child.id().is_some() && !child.is_closed());
        // Whether its body has begun or not: it runs, and hears of this.
        child.request_close(asked());
        child.join().await
    });
    assert_eq!(log.take(), [ReasonKind::UserRequest, ReasonKind::Shutdown]);
}

fn it_closes_before_its_parent_finalizes(host: &dyn Runner) {
    let log = Log::new();
    let inner = log.clone();
    host.ok(async move |cx: &Cx| {
        Region::open(cx, "parent", async |cx: &Cx| {
            let (tell, mut ready) = oneshot::channel();
            let log = inner.clone();
            cx.defer(async move |_: &Cx| log.push("parent finalized"))?;
            let log = inner.clone();
            let child = cx.spork("child", async move |cx: &Cx| {
                let finalizer = log.clone();
                cx.defer(async move |cx: &Cx| {
                    cx.yield_now().await?;
                    finalizer.push("child finalized");
                    Ok(())
                })?;
                drop(tell.send(()));
                assert_eq!(kind(&cx.cancelled().await), ReasonKind::ParentClosed);
                log.push("child asked");
                cx.finish(async |cx: &Cx| Ok(cx.sleep(MS(2)).await?)).await?;
                log.push("child drained");
                Ok(())
            });
            drop(child);
            ready.recv(cx).await?;
            inner.push("parent's body returns");
            Ok(())
        })
        .await?;
        inner.push("parent closed");
        Ok(())
    });
    let order = log.take();
    let expected = [
        "parent's body returns",
        "child asked",
        "child drained",
        "child finalized",
        "parent finalized",
        "parent closed",
    ];
    assert_eq!(order, expected);
}

fn it_is_awaited_where_children_are_joined(host: &dyn Runner) {
    let count = Count::default();
    let one = count.one();
    host.ok(async move |cx: &Cx| {
        Region::builder("parent")
            .close(Close::Join)
            .open(cx, async move |cx: &Cx| {
                drop(cx.spork("child", async move |cx: &Cx| {
                    cx.sleep(MS(2)).await?;
                    drop(one);
                    Ok(())
                }));
                Ok(())
            })
            .await
    });
    assert_eq!(count.dropped(), 1);
}

/// One that never ends by itself, and tells that it runs.
async fn stuck(cx: &Cx, builder: Builder, count: &Count) -> Outcome<ChildRegion<()>> {
    let (tell, mut ready) = oneshot::channel();
    let one = count.one();
    let child = builder.spork(cx, async move |_: &Cx| -> Outcome {
        let _one = one;
        drop(tell.send(()));
        stubborn(Arc::default()).await;
        Ok(())
    });
    ready.recv(cx).await?;
    Ok(child)
}

/// The region was cut at the end of its drain budget.
#[track_caller]
fn cut((outcome, report): (Outcome, CloseReport)) {
    assert_eq!(cancelled_kind(&outcome), ReasonKind::UserRequest);
    let kinds: Vec<_> = report.leftovers.iter().map(|leftover| leftover.kind).collect();
    assert_eq!(kinds, [LeftoverKind::Dropped], "{report}");
}

fn a_request_to_close_leaves_it_its_own_drain_budget(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let count = Count::default();
        let builder = Region::builder("child").drain(Budget::timeout(MS(5)));
        let child = stuck(cx, builder, &count).await?;
        let (began, log) = (cx.now(), Log::new());
        child.request_close(asked());
        cut(child.join_with_report().await);
        assert!(cx.now() - began >= MS(4), "it had its time");
        assert_eq!((count.alive(), cx.is_cancelled()), (0, false));
        // Its finalizers come after that.
        let inner = log.clone();
        let child = Region::builder("child").drain(Budget::timeout(MS(0))).spork(cx, async move |cx: &Cx| {
            cx.defer(async move |cx: &Cx| {
                cx.sleep(MS(2)).await?;
                inner.push("finalized");
                Ok(())
            })?;
            stubborn(Arc::default()).await;
            Ok(())
        });
        breathe().await;
        child.request_close(asked());
        let finalizers = child.join_with_report().await.1.totals;
        assert_eq!(log.take().len() as u64, finalizers.finalizers_run, "unless it never ran");
        assert_eq!(finalizers.finalizers_registered, finalizers.finalizers_run);
        Ok(())
    });
}

fn cancel_may_give_it_less(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let count = Count::default();
        let child = stuck(cx, Region::builder("child").drain(Budget::timeout(HOUR)), &count).await?;
        let outcome = child.cancel(Budget::timeout(MS(2))).await;
        assert_eq!(cancelled_kind(&outcome), ReasonKind::UserRequest);
        assert_eq!(count.alive(), 0);
        Ok(())
    });
}

fn it_has_no_more_time_than_its_parent(host: &dyn Runner) {
    let count = Count::default();
    let inner = count.clone();
    let ran = host.run(short(5, 10_000), async move |cx: &Cx| {
        let builder = Region::builder("child").drain(Budget::timeout(HOUR));
        drop(stuck(cx, builder, &inner).await?);
        Ok(())
    });
    ran.outcome.expect("its cancellation is absorbed");
    assert_eq!((count.alive(), count.dropped()), (0, 1));
}

fn its_work_has_a_budget_of_its_own(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let works = |budget| {
            Region::builder("child").budget(budget).spork(cx, async |cx: &Cx| -> Outcome {
                loop {
                    cx.charge(1)?;
                    cx.yield_now().await?;
                }
            })
        };
        let over = works(Budget::deadline(cx.now())).join().await;
        assert_eq!(cancelled_kind(&over), ReasonKind::Deadline);
        for spent in [Budget::UNLIMITED.with_cost(3), Budget::UNLIMITED.with_polls(3)] {
            assert_eq!(cancelled_kind(&works(spent).join().await), ReasonKind::BudgetSpent);
        }
        Ok(cx.checkpoint()?)
    });
}

/// A deadline goes before none, and what must stop before a deadline: also for its body, which is
/// polled by a task of the parent.
fn its_lane_is_its_own(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let log = Log::new();
        let notes = |name: &'static str, builder: Builder| {
            let log = log.clone();
            builder.spork(cx, async move |_: &Cx| {
                for _ in 0..3 {
                    log.push(name);
                    breathe().await;
                }
                Ok(())
            })
        };
        let plain = notes("plain", Region::builder("plain"));
        let soon = notes("soon", Region::builder("soon").budget(Budget::timeout(HOUR)));
        let asked = notes("asked", Region::builder("asked").budget(Budget::UNLIMITED.with_cost(0)));
        for child in [plain, soon, asked] {
            child.join().await?;
        }
        let order = ["asked", "asked", "asked", "soon", "soon", "soon", "plain", "plain", "plain"];
        assert_eq!(log.take(), order);
        Ok(())
    });
}

fn its_failure_is_one_of_a_child_and_counts_once(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (outcome, report) = Region::builder("parent")
            .open_with_report(cx, async |cx: &Cx| {
                let sibling = cx.spawn("sibling", async |cx: &Cx| Ok(kind(&cx.cancelled().await)));
                drop(cx.spork("child", fails));
                assert_eq!(sibling.join().await?, ReasonKind::SiblingFailed);
                Ok(())
            })
            .await;
        let Err(Failure::Err(error)) = outcome else { panic!("the parent failed: {outcome:?}") };
        let failures = error.downcast_ref::<ChildFailures>().expect("a child of its").failures();
        let [failure] = failures else { panic!("counted {} times", failures.len()) };
        assert_eq!((&*failure.name, failure.error.to_string().as_str()), ("child", "on purpose"));
        assert_eq!((report.totals.tasks, report.totals.err, report.totals.regions), (2, 1, 2), "{report}");
        Ok(())
    });
}

fn its_childs_failure_is_its_own(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let outcome = Region::builder("parent")
            .on_failure(OnFailure::Collect)
            .open(cx, async |cx: &Cx| {
                let child = cx.spork("child", async |cx: &Cx| {
                    drop(cx.spawn("grandchild", fails));
                    Ok(kind(&cx.cancelled().await))
                });
                // Its own children cancel each other, whatever its parent's do.
                let failure = child.join().await.unwrap_err();
                assert!(failure.to_string().contains("grandchild"), "{failure}");
                assert!(!cx.is_cancelled());
                Ok(())
            })
            .await;
        let Err(Failure::Err(error)) = outcome else { panic!("the parent failed: {outcome:?}") };
        let failures = error.downcast_ref::<ChildFailures>().expect("a child of its").failures();
        assert_eq!(failures.iter().map(|failure| &*failure.name).collect::<Vec<_>>(), ["child"]);
        Ok(())
    });
}

fn a_parent_that_collects_goes_on(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let outcome = Region::builder("parent")
            .on_failure(OnFailure::Collect)
            .close(Close::Join)
            .open(cx, async |cx: &Cx| {
                for child in [cx.spork("a", fails), cx.spork("b", fails)] {
                    assert_eq!(child.join().await.unwrap_err().to_string(), "on purpose");
                }
                cx.spork("c", async |cx: &Cx| Ok(cx.sleep(MS(1)).await?)).join().await
            })
            .await;
        let message = outcome.unwrap_err().to_string();
        assert_eq!(message, "task `a` failed: on purpose; task `b` failed: on purpose");
        Ok(())
    });
}

fn its_panic_is_its_outcome(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let finalized = Count::default();
        let inner = finalized.clone();
        let outcome: Outcome = Region::open(cx, "parent", async |cx: &Cx| {
            let child = cx.spork("child", async move |cx: &Cx| -> Outcome {
                let one = inner.one();
                cx.defer(async move |_: &Cx| drop(one))?;
                panic!("on purpose")
            });
            let failure = child.join().await.unwrap_err();
            assert_eq!(failure.severity(), Severity::Panicked);
            Ok(cx.checkpoint()?)
        })
        .await;
        assert!(matches!(outcome, Err(Failure::Panicked(panic)) if panic.message() == "on purpose"));
        assert_eq!(finalized.dropped(), 1);
        Ok(())
    });
}

fn to_be_cancelled_is_no_failure(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        Region::open(cx, "parent", async |cx: &Cx| {
            let child = idle(cx, Region::builder("child")).await?;
            let outcome = child.cancel(Budget::UNLIMITED).await;
            assert_eq!(cancelled_kind(&outcome), ReasonKind::UserRequest);
            Ok(cx.checkpoint()?)
        })
        .await
    });
}

fn a_dropped_handle_leaves_it_alone(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tell, mut told) = oneshot::channel();
        drop(cx.spork("child", async move |cx: &Cx| {
            for _ in 0..5 {
                cx.yield_now().await?;
            }
            drop(tell.send(()));
            Ok(())
        }));
        told.recv(cx).await.expect("it was not cancelled");
        Ok(())
    });
}

fn a_dropped_join_leaves_it_alone(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tell, mut told) = oneshot::channel();
        let (go, mut gone) = oneshot::channel();
        let child = cx.spork("child", async move |cx: &Cx| {
            gone.recv(cx).await?;
            drop(tell.send(()));
            Ok(())
        });
        let mut join = Box::pin(child.join_with_report());
        assert!(poll_now(join.as_mut()).is_pending());
        drop(join);
        drop(go.send(()));
        told.recv(cx).await.expect("it was not cancelled");
        Ok(())
    });
}

fn under_request_it_is_refused(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let victim = Victim::new(cx).await;
        victim.request();
        let count = Count::default();
        let one = count.one();
        let child = victim.cx.spork("late", async move |_: &Cx| {
            drop(one);
            Ok(())
        });
        assert_eq!(count.dropped(), 1, "what it captured is gone at once");
        assert!(child.is_closed() && child.id().is_none());
        assert_eq!(child.path(), format!("{}/late", victim.cx.path()));
        child.request_close(asked());
        let (outcome, report) = child.join_with_report().await;
        assert_eq!(cancelled_kind(&outcome), ReasonKind::UserRequest);
        assert_eq!(
            (report.totals.regions, report.reason.map(|r| r.kind())),
            (0, Some(ReasonKind::UserRequest))
        );
        Ok(())
    });
}

fn work_in_flight_may_open_one_under_request(host: &dyn Runner) {
    let log = Log::new();
    let inner = log.clone();
    host.ok(async move |cx: &Cx| {
        Region::open(cx, "parent", async |cx: &Cx| {
            let log = inner.clone();
            drop(cx.spawn("flushes", async move |cx: &Cx| {
                cx.cancelled().await;
                let child = cx
                    .finish(async |cx: &Cx| {
                        let child = cx.spork("flush", async move |cx: &Cx| {
                            log.push(cx.is_cancelled());
                            cx.finish(async |cx: &Cx| Ok(cx.sleep(MS(1)).await?)).await
                        });
                        child.join().await
                    })
                    .await;
                let late = Region::builder("late").in_flight().spork(cx, async |_: &Cx| Ok(()));
                late.join().await.and(child)
            }));
            Ok(())
        })
        .await
    });
    assert_eq!(log.take(), [true], "it hears the request of its parent at once");
}

fn one_that_never_ran_is_closed_when_join_returns(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let count = Count::default();
        for _ in 0..50 {
            let one = count.one();
            let child = cx.spork("child", async move |cx: &Cx| {
                let _one = one;
                Err::<(), _>(cx.cancelled().await.into())
            });
            let (id, path) = (child.id(), child.path());
            assert!(id.is_some() && path.ends_with("/child"));
            // Spent at once: mostly before the first poll.
            let outcome = child.cancel(Budget::timeout(MS(0))).await;
            assert_eq!(cancelled_kind(&outcome), ReasonKind::UserRequest);
            assert_eq!(count.alive(), 0);
        }
        Ok(())
    });
}

fn the_report_tells_of_it(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let child = Region::builder("child").close(Close::Join).spork(cx, async |cx: &Cx| {
            for _ in 0..3 {
                drop(cx.spawn("task", async |_: &Cx| ()));
            }
            cx.defer(async |_: &Cx| ())?;
            Ok("value")
        });
        let path = child.path();
        let (outcome, report) = child.join_with_report().await;
        assert_eq!(outcome?, "value");
        assert_eq!((report.path.as_str(), report.reason.is_none()), (path.as_str(), true));
        assert!(report.site.file().ends_with("sporks.rs"), "{}", report.site);
        let totals = report.totals;
        assert_eq!((totals.regions, totals.tasks, totals.ok, totals.finalizers_run), (1, 3, 3, 1));
        let child = idle(cx, Region::builder("child")).await?;
        child.request_close(asked().with_message("that will do"));
        let report = child.join_with_report().await.1;
        assert_eq!(report.reason.as_ref().and_then(Reason::message), Some("that will do"));
        Ok(())
    });
}

fn sporks_beside_each_other(host: &dyn Runner) {
    let n = 20_000 / host.scale();
    host.ok(async move |cx: &Cx| {
        let (outcome, report) = Region::builder("parent")
            .open_with_report(cx, async move |cx: &Cx| {
                let some: Vec<_> = (0..n).map(|n| cx.spork("child", async move |_: &Cx| Ok(n))).collect();
                let mut sum = 0;
                for child in some {
                    sum += child.join().await?;
                }
                Ok(sum)
            })
            .await;
        assert_eq!(outcome?, n * (n - 1) / 2);
        assert_eq!(report.totals.regions, n as u64 + 1);
        Ok(())
    });
}

fn nest(cx: &Cx, depth: usize, bottom: oneshot::Sender<()>) -> ChildRegion<()> {
    cx.spork("deeper", async move |cx: &Cx| deeper(cx.clone(), depth, bottom).await)
}

fn deeper(
    cx: Cx,
    depth: usize,
    bottom: oneshot::Sender<()>,
) -> Pin<Box<dyn Future<Output = Outcome> + Send>> {
    Box::pin(async move {
        if depth > 0 {
            return nest(&cx, depth - 1, bottom).join().await;
        }
        drop(bottom.send(()));
        Ok(cx.sleep(HOUR).await?)
    })
}

fn sporks_ten_thousand_deep(host: &dyn Runner) {
    let depth = host.depth();
    host.ok(async move |cx: &Cx| {
        let (tell, mut told) = oneshot::channel();
        let top = nest(cx, depth, tell);
        told.recv(cx).await?;
        top.request_close(asked());
        let (outcome, report) = top.join_with_report().await;
        assert_eq!(cancelled_kind(&outcome), ReasonKind::UserRequest);
        assert_eq!(report.totals.regions, depth as u64 + 1);
        // Left to the root, and below forced out: nothing overflows either.
        let (tell, mut told) = oneshot::channel();
        drop(nest(cx, depth, tell));
        told.recv(cx).await?;
        Ok(())
    });
    drop(host.run(short(0, 0), async move |cx: &Cx| {
        let (tell, mut told) = oneshot::channel();
        drop(nest(cx, depth, tell));
        Ok(told.recv(cx).await?)
    }));
}
