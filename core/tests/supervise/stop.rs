//! Stopping: Request, budgets, back-off, and a supervisor that is dropped.

use std::future::{Future, pending, poll_fn};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use asupersync::supervise::{Backoff, ChildSpec, Restart, Strategy, Supervisor};
use asupersync::sync::Notify;
use asupersync::{Budget, Cx, Outcome, Reason, ReasonKind, Region};

use crate::{End, HOUR, Log, cancelled_by, ends, idle, run, wait_children};

fn family(strategy: Strategy, log: &Log) -> Supervisor {
    Supervisor::new(strategy).child(idle("a", log)).child(idle("b", log)).child(idle("c", log))
}

async fn all_up(cx: &Cx, log: &Log) -> Outcome {
    for name in ["a up", "b up", "c up"] {
        log.wait(cx, name, 1).await?;
    }
    Ok(())
}

#[test]
fn request_reaches_the_children_one_by_one_in_reverse() {
    run(async |cx: &Cx| {
        for strategy in [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne] {
            let log = Log::default();
            let supervisor = family(strategy, &log);
            let supervisor = cx.spawn("s", async move |cx| supervisor.run(cx).await);
            all_up(cx, &log).await?;
            supervisor.request_cancel(Reason::new(ReasonKind::ClientDisconnected));
            let outcome = supervisor.join().await;
            assert_eq!(cancelled_by(&outcome), ReasonKind::ClientDisconnected);
            let stops = ["c", "b", "a"]
                .into_iter()
                .flat_map(|name| [format!("{name} asked: ClientDisconnected"), format!("{name} closed")]);
            assert_eq!(log.all()[3..], stops.collect::<Vec<_>>());
        }
        Ok(())
    });
}

#[test]
fn children_without_order_are_all_asked_at_once() {
    run(async |cx: &Cx| {
        let log = Log::default();
        // Each waits for the other two to be asked as well.
        let child = |name| {
            let log = log.clone();
            ChildSpec::new(name, async move |cx: &Cx| {
                log.add("up");
                drop(cx.cancelled().await);
                log.add("asked");
                cx.finish(async |cx: &Cx| log.wait(cx, "asked", 3).await).await
            })
        };
        let pool = Supervisor::new(Strategy::SimpleOneForOne);
        let pool = pool.child(child("a")).child(child("b")).child(child("c"));
        let pool = cx.spawn("pool", async move |cx| pool.run(cx).await);
        log.wait(cx, "up", 3).await?;
        assert_eq!(cancelled_by(&pool.cancel(Budget::UNLIMITED).await), ReasonKind::UserRequest);
        Ok(())
    });
}

#[test]
fn request_ends_a_back_off() {
    run(async |cx: &Cx| {
        let log = Log::default();
        let mut supervisor = Supervisor::new(Strategy::RestForOne)
            .backoff(Backoff::exponential(HOUR, HOUR).jitter(50))
            .child(idle("a", &log))
            .child(ends("b", End::Fails, 1, &log, &["a", "c"]))
            .child(idle("c", &log));
        let handle = supervisor.handle();
        let supervisor = cx.spawn("s", async move |cx| supervisor.run(cx).await);
        wait_children(cx, &handle, "a Up, b Waiting, c Waiting").await?;
        assert!(supervisor.cancel(Budget::UNLIMITED).await.is_err());
        assert_eq!((log.count("b up"), log.count("a closed"), log.count("c closed")), (1, 1, 1));
        Ok(())
    });
}

#[test]
fn request_in_the_middle_of_a_group_restart() {
    run(async |cx: &Cx| {
        let log = Log::default();
        let (fail, drained) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let failing = {
            let fail = fail.clone();
            ChildSpec::new("b", async move |cx: &Cx| {
                fail.notified(cx).await?;
                End::Fails.come()
            })
        };
        let slow = {
            let (log, drained) = (log.clone(), drained.clone());
            ChildSpec::new("c", async move |cx: &Cx| {
                log.add("c up");
                drop(cx.cancelled().await);
                log.add("c asked");
                cx.finish(async |cx: &Cx| drained.notified(cx).await.map_err(Into::into)).await
            })
        };
        let supervisor = Supervisor::new(Strategy::OneForAll);
        let supervisor = supervisor.child(idle("a", &log)).child(failing).child(slow);
        let supervisor = cx.spawn("s", async move |cx| supervisor.run(cx).await);
        log.wait(cx, "c up", 1).await?;
        log.wait(cx, "a up", 1).await?;
        fail.notify_one();
        log.wait(cx, "c asked", 1).await?;
        supervisor.request_cancel(Reason::new(ReasonKind::UserRequest));
        drained.notify_one();
        assert_eq!(cancelled_by(&supervisor.join().await), ReasonKind::UserRequest);
        assert_eq!((log.count("a up"), log.count("c up"), log.count("a closed")), (1, 1, 1));
        Ok(())
    });
}

/// A child that hears nothing, and logs when it is cut.
fn deaf(name: &'static str, log: &Log) -> ChildSpec {
    struct Cut(&'static str, Log);
    impl Drop for Cut {
        fn drop(&mut self) {
            self.1.add(format!("{} cut", self.0));
        }
    }
    let log = log.clone();
    ChildSpec::new(name, async move |cx: &Cx| {
        let end = log.clone();
        cx.defer(async move |_: &Cx| end.add(format!("{name} closed")))?;
        let _cut = Cut(name, log.clone());
        log.add(format!("{name} up"));
        pending::<()>().await;
        Ok(())
    })
}

#[test]
fn a_child_that_does_not_hear_is_cut_at_its_own_budget() {
    run(async |cx: &Cx| {
        let log = Log::default();
        let never = ChildSpec::new("c", {
            let log = log.clone();
            async move |cx: &Cx| {
                cx.defer(async |_: &Cx| pending::<()>().await)?;
                log.add("c up");
                Err::<(), _>(cx.cancelled().await.into())
            }
        });
        let supervisor = Supervisor::new(Strategy::OneForOne)
            .child(idle("a", &log))
            .child(deaf("b", &log).drain(Budget::timeout(Duration::from_millis(2))))
            .child(never.finalize(Budget::timeout(Duration::from_millis(2))));
        let supervisor = cx.spawn("s", async move |cx| supervisor.run(cx).await);
        all_up(cx, &log).await?;
        supervisor.request_cancel(Reason::new(ReasonKind::UserRequest));
        assert_eq!(cancelled_by(&supervisor.join().await), ReasonKind::UserRequest);
        assert_eq!(log.all()[3..], ["b cut", "b closed", "a asked: UserRequest", "a closed"]);
        Ok(())
    });
}

#[test]
fn the_drain_budget_around_a_supervisor_cuts_all_that_is_left() {
    run(async |cx: &Cx| {
        let log = Log::default();
        let task = {
            let log = log.clone();
            cx.spawn("s", async move |cx| {
                let around = Region::builder("around").drain(Budget::timeout(Duration::from_millis(2)));
                let supervised = around.open(cx, async |cx: &Cx| {
                    let supervisor = Supervisor::new(Strategy::OneForOne).child(idle("a", &log));
                    supervisor.child(deaf("b", &log)).child(idle("c", &log)).run(cx).await
                });
                supervised.await
            })
        };
        all_up(cx, &log).await?;
        task.request_cancel(Reason::new(ReasonKind::UserRequest));
        assert_eq!(cancelled_by(&task.join().await), ReasonKind::UserRequest);
        let all = log.all();
        assert_eq!(all[3..5], ["c asked: UserRequest", "c closed"], "{all:?}");
        // Those that are left get no turn of their own.
        assert_eq!(["b cut", "b closed", "a closed"].map(|end| log.count(end)), [1, 1, 1], "{all:?}");
        Ok(())
    });
}

#[test]
fn dropped_half_way_its_children_are_closed_by_the_region_around() {
    run(async |cx: &Cx| {
        let log = Log::default();
        let inner = log.clone();
        Region::open(cx, "around", async move |cx: &Cx| {
            let mut run = Box::pin(family(Strategy::OneForOne, &inner).run(cx));
            let up = poll_fn(|task| {
                assert!(run.as_mut().poll(task).is_pending());
                if inner.all().len() == 3 {
                    return Poll::Ready(());
                }
                task.waker().wake_by_ref();
                Poll::Pending
            });
            up.await;
            drop(run);
            // What the end of this body asks for is a stronger reason.
            while !["a", "b", "c"].iter().all(|name| inner.count(&format!("{name} closed")) == 1) {
                cx.yield_now().await?;
            }
            Ok(())
        })
        .await?;
        for name in ["a", "b", "c"] {
            let asked = log.count(&format!("{name} asked: HandleDropped"));
            assert_eq!((asked, log.count(&format!("{name} closed"))), (1, 1), "{:?}", log.all());
        }
        Ok(())
    });
}

#[test]
fn under_request_nothing_is_started() {
    run(async |cx: &Cx| {
        let log = Log::default();
        let inner = log.clone();
        // Only the task is under Request, not its region.
        let around = Region::builder("around").open_with_report(cx, async move |cx: &Cx| {
            let task = cx.spawn("s", async move |cx| {
                drop(cx.cancelled().await);
                family(Strategy::OneForAll, &inner).run(cx).await
            });
            task.request_cancel(Reason::new(ReasonKind::UserRequest));
            Ok(task.join().await)
        });
        let (outcome, report) = around.await;
        assert_eq!(cancelled_by(&outcome?), ReasonKind::UserRequest);
        assert_eq!((report.totals.regions, report.totals.tasks, log.all().len()), (1, 1, 0));
        Ok(())
    });
}

#[test]
fn without_children_or_with_all_done_it_returns() {
    run(async |cx: &Cx| {
        Supervisor::new(Strategy::OneForAll).run(cx).await?;
        let log = Log::default();
        let once = |name, end| ends(name, end, 1, &log, &[]);
        Supervisor::new(Strategy::OneForAll)
            .child(once("a", End::Returns).restart(Restart::Transient))
            .child(once("b", End::Panics).restart(Restart::Temporary))
            .run(cx)
            .await?;
        assert_eq!((log.count("a up"), log.count("b up")), (1, 1));
        Ok(())
    });
}
