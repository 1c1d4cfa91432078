//! Regions: how they close, and what they leave.

use std::future::Future;
use std::time::Duration;

use asupersync_core::channel::mpsc;
use asupersync_core::region::{Close, LeftoverKind, OnFailure};
use asupersync_core::{Budget, Cx, Error, Failure, Outcome, Region};
use asupersync_lab::pause;

use crate::{Log, stop, whole, whole_if};

#[test]
fn a_region_whose_child_fails_cancels_the_other() {
    whole("region: a failing child cancels the other", "2 children", async |cx: &Cx| {
        let outcome: Outcome = Region::open(cx, "region", async |cx| {
            drop(cx.spawn("fails", async |_| -> Outcome { Err(Failure::Err(Error::msg("no"))) }));
            let waits = cx.spawn("waits", async |cx| {
                cx.cancelled().await;
                Ok(())
            });
            waits.join().await
        })
        .await;
        assert!(outcome.is_err());
        Ok(())
    });
}

#[test]
fn finalizers_run_last_first_and_once() {
    whole("region: finalizers run last first, and once", "2 finalizers, 1 child", async |cx: &Cx| {
        let (tx, mut rx) = mpsc::unbounded();
        let region = cx.spork("region", async move |cx| {
            for n in 1..=2 {
                let tx = tx.clone();
                cx.defer(async move |_| {
                    drop(tx.send(n));
                    Ok(())
                })?;
            }
            drop(cx.spawn("waits", async |cx| {
                cx.cancelled().await;
                Ok(())
            }));
            cx.cancelled().await;
            Ok(())
        });
        pause().await;
        drop(region.cancel(Budget::timeout(Duration::from_secs(1))).await);
        assert_eq!((rx.recv(cx).await?, rx.recv(cx).await?, rx.recv(cx).await?), (Some(2), Some(1), None));
        Ok(())
    });
}

#[test]
fn a_finalizer_that_panics_stops_no_other() {
    whole_if(false, "region: a finalizer panics", "3 finalizers, 1 child", async |cx: &Cx| {
        let log = Log::default();
        let inner = log.clone();
        let region = cx.spork("region", async move |cx| {
            for what in ["first", "panics", "last"] {
                let log = inner.clone();
                cx.defer(async move |_| {
                    pause().await;
                    log.tell(what);
                    assert!(what != "panics", "on purpose");
                    Ok(())
                })?;
                // Asked to close here, it has those that were registered before.
                cx.yield_now().await?;
            }
            drop(cx.spawn("waits", async move |cx| {
                cx.cancelled().await;
                inner.tell("child");
            }));
            cx.cancelled().await;
            Ok(())
        });
        pause().await;
        region.request_close(stop());
        let (_, report) = region.join_with_report().await;
        assert!(report.leftovers.iter().all(|left| left.kind == LeftoverKind::FinalizerFailed), "{report}");
        let mut told = log.told();
        let finalized = told.split_off(usize::from(told.first() == Some(&"child")));
        assert!(["last", "panics", "first"].ends_with(&finalized), "{finalized:?}");
        assert_eq!(report.leftovers.len(), usize::from(finalized.contains(&"panics")), "{report}");
        Ok((told, finalized))
    });
}

#[test]
fn a_region_that_joins_its_children() {
    whole("region: its children are awaited", "2 children", async |cx: &Cx| {
        let (tx, mut rx) = mpsc::unbounded();
        let region = Region::builder("region").close(Close::Join);
        region
            .open(cx, async |cx: &Cx| {
                for n in 1..=2 {
                    let tx = tx.clone();
                    drop(cx.spawn("child", async move |cx| {
                        cx.yield_now().await?;
                        Ok(tx.send(n)?)
                    }));
                }
                Ok(())
            })
            .await?;
        Ok((rx.try_recv(), rx.try_recv()))
    });
}

#[test]
fn a_region_that_collects_failures() {
    whole("region: all failures are told, by number", "2 failing children", async |cx: &Cx| {
        let region = Region::builder("region").close(Close::Join).on_failure(OnFailure::Collect);
        let opened = region.open(cx, async |cx: &Cx| {
            for name in ["one", "two"] {
                drop(cx.spawn(name, async move |cx| -> Outcome {
                    cx.yield_now().await?;
                    Err(Failure::Err(Error::msg(name)))
                }));
            }
            Ok(())
        });
        let failure = opened.await.expect_err("they fail").to_string();
        assert!(failure.find("one") < failure.find("two"), "{failure}");
        Ok(failure)
    });
}

#[test]
fn a_region_within_a_region_is_cancelled() {
    whole("regions: one in another, cancelled from outside", "depth 2, 2 finalizers", async |cx: &Cx| {
        let log = Log::default();
        let (outer, inner, task) = (log.clone(), log.clone(), log.clone());
        let region = cx.spork("outer", async move |cx| {
            cx.defer(async move |_| outer.tell("outer"))?;
            Region::open(cx, "inner", async move |cx: &Cx| {
                cx.defer(async move |_| inner.tell("inner"))?;
                let task = cx.spawn("task", async move |cx| {
                    cx.cancelled().await;
                    task.tell("task");
                });
                task.join().await
            })
            .await
        });
        pause().await;
        drop(region.cancel(Budget::timeout(Duration::from_secs(1))).await);
        let told = log.told();
        let mut rest = told.iter().filter(|what| **what != "task");
        // Whatever was begun is finalized from the inside.
        assert!(!told.contains(&"task") || told.first() == Some(&"task"), "{told:?}");
        assert!(rest.next() != Some(&"outer") || rest.next().is_none(), "{told:?}");
        Ok(told)
    });
}

#[test]
fn a_region_whose_future_is_dropped() {
    whole("region: the future that opened it is dropped", "1 child", async |cx: &Cx| {
        let log = Log::default();
        let told = log.clone();
        let outer = Region::open(cx, "outer", async move |cx: &Cx| {
            let mut left = Box::pin(Region::open(cx, "left", async move |cx: &Cx| {
                let finalized = told.clone();
                cx.defer(async move |_| finalized.tell("finalized"))?;
                let child = cx.spawn("child", async move |cx| {
                    cx.cancelled().await;
                    told.tell("child");
                });
                child.join().await
            }));
            let polled = std::future::poll_fn(|task| std::task::Poll::Ready(left.as_mut().poll(task)));
            drop(polled.await);
            pause().await;
            drop(left);
            Ok(())
        });
        outer.await?;
        // Nobody is orphaned: the region around has waited.
        assert_eq!(log.told().last(), Some(&"finalized"));
        Ok(log.told())
    });
}

#[test]
fn a_spawn_while_the_region_is_asked_to_close() {
    whole("region: a task is started as it is asked to close", "1 child, 1 late task", async |cx: &Cx| {
        let log = Log::default();
        let told = log.clone();
        let region = cx.spork("region", async move |cx| {
            let late = cx.spawn("late", async move |_| told.tell("late"));
            Ok(late.join().await.is_ok())
        });
        pause().await;
        region.request_close(stop());
        let ran = region.join().await.unwrap_or(false);
        assert_eq!(ran, log.told() == ["late"]);
        Ok(ran)
    });
}

#[test]
fn the_end_of_a_drain_comes_as_the_work_does() {
    whole("region: its drain ends as work in flight does", "1 task, 1 s each", async |cx: &Cx| {
        let second = Duration::from_secs(1);
        let task = cx
            .spawn("task", async move |cx| cx.finish(async move |cx: &Cx| Ok(cx.sleep(second).await?)).await);
        pause().await;
        Ok(task.cancel(Budget::timeout(second)).await.is_ok())
    });
}

#[test]
fn a_local_scope_and_its_children() {
    whole("local scope: children that borrow", "2 children, 1 task", async |cx: &Cx| {
        let (tx, mut rx) = mpsc::channel(1);
        let send = cx.spawn("send", async move |cx| Ok(tx.send(cx, 5).await?));
        let mut values = [1, 2];
        let [one, two] = &mut values;
        let sum = cx.local(async |_, scope| {
            let one = scope.spawn("one", async move |cx| {
                *one = rx.recv(cx).await?.unwrap_or(0);
                Ok(*one)
            });
            let two = scope.spawn("two", async move |cx| {
                cx.yield_now().await?;
                *two *= 10;
                Ok(*two)
            });
            Ok(one.join().await? + two.join().await?)
        });
        assert_eq!(sum.await?, 25);
        send.join().await?;
        Ok(values)
    });
}

#[test]
fn a_local_scope_whose_child_fails() {
    whole("local scope: a child fails beside a task", "1 child, 1 task", async |cx: &Cx| {
        let log = Log::default();
        let told = log.clone();
        let ended = cx.local(async move |cx, scope| {
            let task = cx.spawn("task", async move |cx| {
                cx.cancelled().await;
                told.tell("task");
            });
            scope.spawn("fails", async |cx| -> Outcome {
                cx.yield_now().await?;
                Err(Failure::Err(Error::msg("no")))
            });
            task.join().await
        });
        assert!(ended.await.is_err());
        Ok(log.told())
    });
}

#[test]
fn two_children_beside_their_parent() {
    whole("sporks: one fails, the other is asked to close", "2 child regions", async |cx: &Cx| {
        let log = Log::default();
        let told = log.clone();
        let outcome: Outcome = Region::open(cx, "region", async move |cx: &Cx| {
            drop(cx.spork("fails", async |_| -> Outcome { Err(Failure::Err(Error::msg("no"))) }));
            let waits = cx.spork("waits", async move |cx| {
                cx.defer(async move |_| told.tell("finalized"))?;
                cx.cancelled().await;
                Ok(())
            });
            waits.join().await
        })
        .await;
        assert!(outcome.is_err());
        Ok(log.told())
    });
}
