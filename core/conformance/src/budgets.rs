//! What a budget limits, who is charged, and what happens at zero.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use asupersync_core::channel::oneshot;
use asupersync_core::region::Close;
use asupersync_core::{Budget, Cx, Outcome, Priority, Reason, ReasonKind, Region, Time};

use crate::probe::{Count, HOUR, Log, MS, breathe, cancelled_kind, kind};
use crate::runner::{Runner, in_time};

crate::cases![
    a_regions_deadline_requests_all_of_it_and_in_flight_work_drains,
    a_deadline_in_the_past_is_seen_by_the_first_operation,
    a_limit_of_zero_is_seen_by_the_first_operation,
    what_ends_within_its_budget_is_not_requested,
    an_inner_deadline_ends_only_the_inner_region,
    polls_that_a_child_spins_away_request_the_region,
    polls_in_regions_below_are_charged_above,
    cost_in_a_grandchild_spends_the_grandparents,
    cost_in_a_shield_is_charged_around_it,
    a_childs_budget_is_never_more_than_its_parents,
    what_is_left_is_told_at_each_step,
    a_cancelled_task_drains_for_so_many_polls,
    a_region_drains_for_so_much_cost,
    a_spent_shield_ends_its_body,
    finalizers_share_their_polls,
    a_finalizers_cost_is_its_own,
    a_deadline_goes_before_none needs (OneAtATime),
    at_the_same_deadline_the_higher_priority_goes_first needs (OneAtATime),
];

/// A budget of so many units.
fn units(cost: u64) -> Budget {
    Budget::UNLIMITED.with_cost(cost)
}

/// A budget of so many polls.
fn polls(polls: u64) -> Budget {
    Budget::UNLIMITED.with_polls(polls)
}

/// The kind of what `cx` is cancelled for, and its words.
fn told(cx: &Cx) -> (ReasonKind, String) {
    let reason = cx.checkpoint().unwrap_err().into_reason();
    (reason.kind(), reason.message().unwrap_or_default().to_owned())
}

fn a_regions_deadline_requests_all_of_it_and_in_flight_work_drains(host: &dyn Runner) {
    in_time(|time| {
        host.ok(async move |cx: &Cx| {
            let (begin, begun, log) = (cx.now(), Count::default(), Log::new());
            let (begins, inner) = (begun.clone(), log.clone());
            let (outcome, report) = Region::builder("r")
                .budget(Budget::timeout(time))
                .open_with_report(cx, async move |cx: &Cx| {
                    let task = cx.spawn("task", async move |cx: &Cx| {
                        drop(begins.one());
                        let told = cx.sleep(HOUR).await.unwrap_err();
                        cx.finish(async |cx: &Cx| Ok(cx.sleep(MS(1)).await?)).await?;
                        inner.push(kind(&told));
                        Ok(())
                    });
                    drop(task);
                    Ok(cx.sleep(HOUR).await?)
                })
                .await;
            assert_eq!(cancelled_kind(&outcome), ReasonKind::Deadline);
            assert_eq!(log.take(), vec![ReasonKind::Deadline; begun.dropped()]);
            assert_eq!(report.reason.expect("it was requested").kind(), ReasonKind::Deadline);
            assert!(cx.now() - begin >= time && !cx.is_cancelled());
            Ok(begun.dropped() == 1)
        })
    });
}

fn a_deadline_in_the_past_is_seen_by_the_first_operation(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let outcome: Outcome = Region::builder("late")
            .budget(Budget::deadline(Time::ZERO))
            .open(cx, async |cx: &Cx| {
                let task = cx.spawn("refused", async |_: &Cx| ());
                assert_eq!(cancelled_kind(&task.join().await), ReasonKind::Deadline);
                Ok(cx.yield_now().await?)
            })
            .await;
        assert_eq!(cancelled_kind(&outcome), ReasonKind::Deadline);
        assert!(!cx.is_cancelled());
        Ok(())
    });
}

fn a_limit_of_zero_is_seen_by_the_first_operation(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let zeros = [
            (Budget::timeout(MS(0)), ReasonKind::Deadline, ""),
            (polls(0), ReasonKind::BudgetSpent, "its polls"),
            (units(0), ReasonKind::BudgetSpent, "its cost"),
        ];
        for (budget, kind, words) in zeros {
            let ran = Region::builder("zero").budget(budget).open(cx, async |cx: &Cx| {
                assert_eq!(told(cx), (kind, words.to_owned()));
                assert!(cx.sleep(MS(0)).await.is_err());
                // What is in flight is finished all the same.
                cx.finish(async |cx: &Cx| Ok(cx.yield_now().await?)).await?;
                Ok(1)
            });
            assert_eq!(ran.await?, 1);
        }
        Ok(())
    });
}

fn what_ends_within_its_budget_is_not_requested(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let budget = Budget::timeout(HOUR).with_polls(1000).with_cost(10);
        let (outcome, report) = Region::builder("r")
            .budget(budget)
            .open_with_report(cx, async |cx: &Cx| {
                let task = cx.spawn("task", async |cx: &Cx| Ok(cx.charge(9)?));
                task.join().await?;
                cx.yield_now().await?;
                Ok(2)
            })
            .await;
        assert_eq!(outcome?, 2);
        let kinds = [ReasonKind::Deadline, ReasonKind::BudgetSpent];
        assert!(!report.reason.is_some_and(|reason| kinds.contains(&reason.kind())));
        Ok(())
    });
}

fn an_inner_deadline_ends_only_the_inner_region(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        Region::builder("outer")
            .budget(Budget::timeout(HOUR))
            .open(cx, async |cx: &Cx| {
                let inner = Region::builder("inner").budget(Budget::timeout(MS(3)));
                let outcome: Outcome = inner.open(cx, async |cx: &Cx| Ok(cx.sleep(HOUR).await?)).await;
                assert_eq!(cancelled_kind(&outcome), ReasonKind::Deadline);
                // And one that would end later than what is around it ends with that.
                let inner = Region::builder("inner").budget(Budget::timeout(HOUR));
                let begin = cx.now();
                let outcome: Outcome = Region::builder("middle")
                    .budget(Budget::timeout(MS(3)))
                    .open(cx, async |cx: &Cx| inner.open(cx, async |cx: &Cx| Ok(cx.sleep(HOUR).await?)).await)
                    .await;
                assert_eq!(cancelled_kind(&outcome), ReasonKind::Deadline);
                assert!(cx.now() - begin < HOUR);
                Ok(cx.checkpoint()?)
            })
            .await
    });
}

fn polls_that_a_child_spins_away_request_the_region(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let log = Log::new();
        let drained = log.clone();
        let outcome: Outcome = Region::builder("r")
            .budget(polls(50))
            .open(cx, async move |cx: &Cx| {
                let sibling = cx.spawn("sibling", async move |cx: &Cx| {
                    let told = cx.sleep(HOUR).await.unwrap_err();
                    cx.finish(async |cx: &Cx| Ok(cx.yield_now().await?)).await?;
                    drained.push(kind(&told));
                    Ok(())
                });
                drop(sibling);
                drop(cx.spawn("spinner", async |cx: &Cx| -> Outcome {
                    loop {
                        cx.yield_now().await?;
                    }
                }));
                cx.cancelled().await;
                assert_eq!(told(cx), (ReasonKind::BudgetSpent, "its polls".to_owned()));
                Ok(cx.checkpoint()?)
            })
            .await;
        assert_eq!(cancelled_kind(&outcome), ReasonKind::BudgetSpent);
        assert_eq!(log.take(), [ReasonKind::BudgetSpent]);
        Ok(())
    });
}

fn polls_in_regions_below_are_charged_above(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let outcome: Outcome = Region::builder("above")
            .budget(polls(100))
            .open(cx, async |cx: &Cx| {
                let task = cx.spawn("opener", async |cx: &Cx| {
                    // Twice, since a sum counts and not each by itself.
                    for _ in 0..2 {
                        Region::builder("below")
                            .budget(polls(100))
                            .open(cx, async |cx: &Cx| {
                                let turns = cx.spawn("turns", async |cx: &Cx| {
                                    for _ in 0..60 {
                                        cx.yield_now().await?;
                                    }
                                    Ok(())
                                });
                                turns.join().await
                            })
                            .await?;
                    }
                    Ok(())
                });
                task.join().await
            })
            .await;
        assert_eq!(cancelled_kind(&outcome), ReasonKind::BudgetSpent);
        Ok(cx.checkpoint()?)
    });
}

fn cost_in_a_grandchild_spends_the_grandparents(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let outcome: Outcome = Region::builder("grandparent")
            .budget(units(10))
            .open(cx, async |grandparent: &Cx| {
                let parent = Region::builder("parent").budget(units(100));
                let outcome: Outcome = parent
                    .open(grandparent, async |cx: &Cx| {
                        let child = cx.spawn("child", async |cx: &Cx| {
                            Region::open(cx, "grandchild", async |cx: &Cx| {
                                cx.charge(9)?;
                                assert_eq!(cx.budget().cost(), Some(1));
                                let spent = cx.charge(9).unwrap_err();
                                assert_eq!(spent.reason().region(), Some("grandparent"));
                                Ok(cx.checkpoint()?)
                            })
                            .await
                        });
                        child.join().await
                    })
                    .await;
                assert_eq!(cancelled_kind(&outcome), ReasonKind::BudgetSpent);
                assert_eq!(told(grandparent), (ReasonKind::BudgetSpent, "its cost".to_owned()));
                Ok(grandparent.checkpoint()?)
            })
            .await;
        assert_eq!(cancelled_kind(&outcome), ReasonKind::BudgetSpent);
        Ok(cx.checkpoint()?)
    });
}

fn cost_in_a_shield_is_charged_around_it(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let outcome: Outcome = Region::builder("r")
            .budget(units(10))
            .open(cx, async |outer: &Cx| {
                let within = outer.shield(units(100), async |cx: &Cx| {
                    cx.charge(10)?;
                    assert!(outer.is_cancelled(), "the bill is not hidden");
                    cx.yield_now().await?;
                    Ok(cx.budget().cost())
                });
                assert_eq!(within.await?, Some(90));
                Ok(outer.checkpoint()?)
            })
            .await;
        assert_eq!(cancelled_kind(&outcome), ReasonKind::BudgetSpent);
        Ok(())
    });
}

fn a_childs_budget_is_never_more_than_its_parents(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let low = Priority::new(7);
        let parent = Budget::timeout(HOUR).with_polls(1000).with_cost(10).with_priority(low);
        let child = Budget::timeout(2 * HOUR).with_polls(2000).with_cost(20);
        Region::builder("parent")
            .budget(parent)
            .open(cx, async |cx: &Cx| {
                let outer = cx.budget();
                Region::builder("child")
                    .budget(child)
                    .open(cx, async |cx: &Cx| {
                        let task = cx.spawn("task", async |cx: &Cx| Ok(cx.budget()));
                        for inner in [cx.budget(), task.join().await?] {
                            assert_eq!(inner, inner.meet(outer));
                            assert_eq!((inner.cost(), inner.priority()), (Some(10), low));
                            assert_eq!(inner.until(), outer.until());
                            assert!(inner.polls() <= outer.polls());
                        }
                        Ok(())
                    })
                    .await
            })
            .await
    });
}

fn what_is_left_is_told_at_each_step(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        assert_eq!(cx.budget(), Budget::UNLIMITED);
        let opened = cx.now();
        let (tell, mut inside) = oneshot::channel();
        let task = cx.spawn("opener", async move |cx: &Cx| {
            Region::builder("r")
                .budget(Budget::timeout(HOUR).with_cost(10))
                .drain(Budget::timeout(2 * HOUR).with_cost(3))
                .open(cx, async |cx: &Cx| {
                    let end = cx.budget().until().expect("it has an end");
                    assert!(end >= opened + HOUR && end <= cx.now() + HOUR);
                    cx.charge(4)?;
                    assert_eq!(cx.budget().cost(), Some(6));
                    cx.finish(async |cx: &Cx| {
                        assert_eq!(cx.budget(), Budget::deadline(end).with_cost(6));
                    })
                    .await?;
                    cx.timeout(MS(3_000_000), async |cx: &Cx| {
                        assert!(cx.budget().until() < Some(end));
                    })
                    .await?;
                    cx.shield(units(2), async |cx: &Cx| {
                        assert_eq!(cx.budget(), units(2));
                    })
                    .await?;
                    let (told, asked) = (oneshot::channel::<()>(), cx.now());
                    drop(tell.send(told.0));
                    cx.cancelled().await;
                    let drain = cx.budget();
                    assert_eq!(drain.cost(), Some(3), "of the drain");
                    let end = drain.until().expect("the drain has an end");
                    // Unless the runtime's own drain budget is the shorter one.
                    assert!(end > asked && end <= cx.now() + 2 * HOUR);
                    let outcome: Outcome = cx
                        .finish(async |cx: &Cx| {
                            cx.charge(2)?;
                            assert_eq!(cx.budget().cost(), Some(1));
                            Ok(cx.charge(1)?)
                        })
                        .await;
                    assert_eq!(cancelled_kind(&outcome), ReasonKind::UserRequest);
                    assert_eq!(cx.budget().cost(), Some(0));
                    Ok(())
                })
                .await
        });
        drop(inside.recv(cx).await?);
        task.request_cancel(Reason::new(ReasonKind::UserRequest));
        task.join().await
    });
}

/// Never ready, and wakes itself; counts the polls that find `cx` under Request.
async fn spin(cx: &Cx, found: &AtomicUsize) {
    std::future::poll_fn(|task| {
        found.fetch_add(usize::from(cx.is_cancelled()), SeqCst);
        task.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await
}

fn a_cancelled_task_drains_for_so_many_polls(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let found = Arc::new(AtomicUsize::new(0));
        let inner = found.clone();
        let (tell, mut inside) = oneshot::channel();
        let task = cx.spawn("task", async move |cx: &Cx| {
            drop(tell.send(()));
            spin(cx, &inner).await;
        });
        inside.recv(cx).await?;
        let outcome = task.cancel(polls(3)).await;
        assert_eq!(cancelled_kind(&outcome), ReasonKind::UserRequest);
        // Three, or two when the request came in the midst of one, and the one more.
        assert!((3..=4).contains(&found.load(SeqCst)), "{found:?}");
        Ok(())
    });
}

fn a_region_drains_for_so_much_cost(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let count = Count::default();
        let (dropped, one) = (count.clone(), count.one());
        let (tell, mut inside) = oneshot::channel();
        let task = cx.spawn("opener", async move |cx: &Cx| {
            Region::builder("r")
                .drain(units(5))
                .open(cx, async |cx: &Cx| {
                    drop(cx.spawn_future("stubborn", async move {
                        let _one = one;
                        std::future::pending::<()>().await;
                    }));
                    drop(tell.send(()));
                    cx.cancelled().await;
                    assert_eq!(count.alive(), 1);
                    let outcome: Outcome = cx
                        .finish(async |cx: &Cx| -> Outcome {
                            loop {
                                cx.charge(1)?;
                                breathe().await;
                            }
                        })
                        .await;
                    assert_eq!(cancelled_kind(&outcome), ReasonKind::UserRequest);
                    Ok(())
                })
                .await
        });
        inside.recv(cx).await?;
        task.request_cancel(Reason::new(ReasonKind::UserRequest));
        task.join().await?;
        assert_eq!(dropped.dropped(), 1, "what knows no scope is dropped");
        Ok(())
    });
}

fn a_spent_shield_ends_its_body(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let found = AtomicUsize::new(0);
        let outcome: Outcome = cx
            .shield(polls(4), async |cx: &Cx| {
                spin(cx, &found).await;
                Ok(())
            })
            .await;
        assert_eq!(cancelled_kind(&outcome), ReasonKind::BudgetSpent);
        assert_eq!(found.load(SeqCst), 1, "the one more, after four");
        let outcome: Outcome = cx
            .shield(units(4), async |cx: &Cx| -> Outcome {
                cx.charge(3)?;
                cx.yield_now().await?;
                drop(cx.charge(3));
                std::future::pending().await
            })
            .await;
        assert_eq!(cancelled_kind(&outcome), ReasonKind::BudgetSpent);
        let outcome: Outcome = cx.shield(polls(0), async |cx: &Cx| Ok(cx.checkpoint()?)).await;
        assert_eq!(cancelled_kind(&outcome), ReasonKind::BudgetSpent);
        Ok(cx.checkpoint()?)
    });
}

fn finalizers_share_their_polls(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (log, found) = (Log::new(), Arc::new(AtomicUsize::new(0)));
        let (inner, spun) = (log.clone(), found.clone());
        let (outcome, report) = Region::builder("r")
            .finalize(polls(6))
            .open_with_report(cx, async |cx: &Cx| {
                cx.defer(async move |cx: &Cx| {
                    inner.push(cx.budget().polls());
                    cx.yield_now().await?;
                    Ok(())
                })?;
                cx.defer(async move |cx: &Cx| spin(cx, &spun).await)?;
                Ok(())
            })
            .await;
        outcome?;
        assert_eq!((report.totals.finalizers_run, report.totals.finalizers_failed), (1, 1));
        assert_eq!(found.load(SeqCst), 1, "the one more, after three");
        assert_eq!(log.take(), [Some(3)], "half is for the last, whatever the other does");
        Ok(())
    });
}

fn a_finalizers_cost_is_its_own(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let log = Log::new();
        let inner = log.clone();
        Region::builder("outer")
            .budget(units(10))
            .open(cx, async |cx: &Cx| {
                let r = Region::builder("r").budget(units(1)).finalize(units(8));
                r.open(cx, async move |cx: &Cx| {
                    for _ in 0..2 {
                        let log = inner.clone();
                        cx.defer(async move |cx: &Cx| {
                            log.push(cx.budget().cost());
                            Ok(cx.charge(3)?)
                        })?;
                    }
                    drop(cx.charge(1));
                    Ok(())
                })
                .await?;
                assert_eq!(cx.budget().cost(), Some(9), "cleanup is not refused for what work has used");
                Ok(())
            })
            .await?;
        assert_eq!(log.take(), [Some(4), Some(5)]);
        Ok(())
    });
}

/// Opens a region with this budget in which three tasks note `name`, and joins them.
async fn noting(cx: &Cx, budget: Budget, name: &'static str, log: &Log<&'static str>) -> Outcome {
    let region = Region::builder(name).close(Close::Join).budget(budget);
    let open = region.open(cx, async |cx: &Cx| {
        for _ in 0..3 {
            let log = log.clone();
            drop(cx.spawn(name, async move |_: &Cx| log.push(name)));
        }
        Ok(())
    });
    open.await
}

fn a_deadline_goes_before_none(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let log = Log::new();
        cx.join(
            async |cx: &Cx| noting(cx, Budget::UNLIMITED, "none", &log).await,
            async |cx: &Cx| {
                let late = async |cx: &Cx| noting(cx, Budget::timeout(2 * HOUR), "late", &log).await;
                let soon = async |cx: &Cx| noting(cx, Budget::timeout(HOUR), "soon", &log).await;
                cx.join(late, soon).await
            },
        )
        .await?;
        let order = log.take();
        assert_eq!(order[..6], ["soon", "soon", "soon", "late", "late", "late"], "{order:?}");
        Ok(())
    });
}

fn at_the_same_deadline_the_higher_priority_goes_first(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let log = Log::new();
        let with = |level| Budget::UNLIMITED.with_priority(Priority::new(level));
        Region::builder("r")
            .budget(Budget::timeout(HOUR))
            .open(cx, async |cx: &Cx| {
                cx.join(
                    async |cx: &Cx| noting(cx, with(1), "low", &log).await,
                    async |cx: &Cx| {
                        cx.join(
                            async |cx: &Cx| noting(cx, with(9), "high", &log).await,
                            // An earlier deadline is more urgent than any priority.
                            async |cx: &Cx| {
                                let soon = Budget::timeout(HOUR / 2).with_priority(Priority::LOWEST);
                                noting(cx, soon, "soon", &log).await
                            },
                        )
                        .await
                    },
                )
                .await?;
                Ok(())
            })
            .await?;
        let order = ["soon", "soon", "soon", "high", "high", "high", "low", "low", "low"];
        assert_eq!(log.take(), order);
        Ok(())
    });
}
