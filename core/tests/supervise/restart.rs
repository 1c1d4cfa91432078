//! What is started again, when, and in which order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use asupersync::supervise::{Backoff, ChildSpec, Restart, Strategy, Supervisor};
use asupersync::sync::Notify;
use asupersync::{Budget, Cx};

use crate::{ENDS, End, HOUR, KINDS, Log, ends, idle, run, wait_children};

const STRATEGIES: [Strategy; 4] =
    [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne, Strategy::SimpleOneForOne];

#[test]
fn every_strategy_kind_and_end() {
    run(async |cx: &Cx| {
        for strategy in STRATEGIES {
            for kind in KINDS {
                for end in ENDS {
                    let log = Log::default();
                    let mut supervisor = Supervisor::new(strategy)
                        .child(idle("a", &log))
                        .child(ends("b", end, 1, &log, &["a", "c"]).restart(kind))
                        .child(idle("c", &log));
                    let handle = supervisor.handle();
                    let supervisor = cx.spawn("s", async move |cx| supervisor.run(cx).await);
                    let again = match kind {
                        Restart::Permanent => true,
                        Restart::Transient => end.is_abnormal(),
                        Restart::Temporary => false,
                    };
                    let grouped = matches!(strategy, Strategy::OneForAll | Strategy::RestForOne);
                    if again {
                        wait_children(cx, &handle, "a Up, b Up, c Up").await?;
                        log.wait(cx, "b up", 2).await?;
                    } else if grouped && kind == Restart::Transient {
                        wait_children(cx, &handle, "a Up, b Down, c Up").await?;
                    } else {
                        wait_children(cx, &handle, "a Up, c Up").await?;
                    }
                    let others = [strategy == Strategy::OneForAll, grouped];
                    for (other, taken_along) in ["a", "c"].into_iter().zip(others) {
                        let starts = if again && taken_along { 2 } else { 1 };
                        log.wait(cx, &format!("{other} up"), starts).await?;
                    }
                    let outcome = supervisor.cancel(Budget::UNLIMITED).await;
                    assert!(outcome.is_err());
                    let starts = ["a up", "b up", "c up"].map(|up| log.count(up));
                    let wanted = match (again, strategy) {
                        (false, _) => [1, 1, 1],
                        (true, Strategy::OneForAll) => [2, 2, 2],
                        (true, Strategy::RestForOne) => [1, 2, 2],
                        (true, _) => [1, 2, 1],
                    };
                    assert_eq!(starts, wanted, "{strategy:?}, {kind:?}, {end:?}");
                }
            }
        }
        Ok(())
    });
}

#[test]
fn a_group_stops_in_reverse_and_then_starts_in_order() {
    run(async |cx: &Cx| {
        let log = Log::default();
        let fail = Arc::new(Notify::new());
        let failing = {
            let (log, fail) = (log.clone(), fail.clone());
            ChildSpec::new("b", async move |cx: &Cx| {
                log.add("b up");
                fail.notified(cx).await?;
                End::Fails.come()
            })
        };
        let supervisor = Supervisor::new(Strategy::OneForAll)
            .child(idle("a", &log))
            .child(failing)
            .child(idle("c", &log))
            .child(idle("d", &log));
        let supervisor = cx.spawn("s", async move |cx| supervisor.run(cx).await);
        for name in ["a", "b", "c", "d"] {
            log.wait(cx, &format!("{name} up"), 1).await?;
        }
        let before = log.all().len();
        fail.notify_one();
        for name in ["a", "b", "c", "d"] {
            log.wait(cx, &format!("{name} up"), 2).await?;
        }
        let stops = ["d", "c", "a"]
            .into_iter()
            .flat_map(|name| [format!("{name} asked: SiblingFailed"), format!("{name} closed")]);
        assert_eq!(log.all()[before..before + 6], stops.collect::<Vec<_>>());
        assert!(supervisor.cancel(Budget::UNLIMITED).await.is_err());
        Ok(())
    });
}

#[test]
fn those_after_wait_until_a_child_is_ready() {
    run(async |cx: &Cx| {
        let log = Log::default();
        let go = Arc::new(Notify::new());
        let slow = {
            let (log, go) = (log.clone(), go.clone());
            ChildSpec::with_ready("a", async move |cx: &Cx, ready| {
                log.add("a up");
                go.notified(cx).await?;
                // Its first start fails.
                if log.count("a up") == 1 {
                    return End::Fails.come();
                }
                ready.signal();
                Err(cx.cancelled().await.into())
            })
        };
        let mut supervisor = Supervisor::new(Strategy::OneForOne).child(slow).child(idle("b", &log));
        let handle = supervisor.handle();
        let supervisor = cx.spawn("s", async move |cx| supervisor.run(cx).await);
        wait_children(cx, &handle, "a Starting, b Waiting").await?;
        go.notify_one();
        log.wait(cx, "a up", 2).await?;
        wait_children(cx, &handle, "a Starting, b Waiting").await?;
        assert_eq!(log.count("b up"), 0);
        go.notify_one();
        wait_children(cx, &handle, "a Up, b Up").await?;
        assert_eq!(handle.which_children(cx).await?[0].restarts, 1);
        assert!(supervisor.cancel(Budget::UNLIMITED).await.is_err());
        Ok(())
    });
}

#[test]
fn a_word_from_an_earlier_start_counts_no_more() {
    run(async |cx: &Cx| {
        let log = Log::default();
        let kept = Arc::new(std::sync::Mutex::new(None));
        let child = {
            let (log, kept) = (log.clone(), kept.clone());
            ChildSpec::with_ready("a", async move |cx: &Cx, ready| {
                log.add("a up");
                if log.count("a up") == 1 {
                    *kept.lock().unwrap() = Some(ready);
                    return End::Fails.come();
                }
                let _unused = ready;
                Err(cx.cancelled().await.into())
            })
        };
        let mut supervisor = Supervisor::new(Strategy::OneForAll).child(child).child(idle("b", &log));
        let handle = supervisor.handle();
        let supervisor = cx.spawn("s", async move |cx| supervisor.run(cx).await);
        log.wait(cx, "a up", 2).await?;
        let stale: asupersync::supervise::Ready = kept.lock().unwrap().take().unwrap();
        stale.signal();
        // Answered after what children told before.
        wait_children(cx, &handle, "a Starting, b Waiting").await?;
        assert!(supervisor.cancel(Budget::UNLIMITED).await.is_err());
        assert_eq!(log.count("b up"), 0);
        Ok(())
    });
}

#[test]
fn nothing_of_a_child_is_left_when_it_starts_again() {
    run(async |cx: &Cx| {
        let alive = Arc::new(AtomicUsize::new(0));
        let inner = alive.clone();
        let parent = ChildSpec::new("parent", async move |cx: &Cx| {
            assert_eq!(inner.fetch_add(1, Ordering::SeqCst), 0, "the one before still lives");
            let counted = inner.clone();
            drop(cx.spawn("part", async move |cx| {
                let cancelled = cx.cancelled().await;
                cx.yield_now().await.unwrap_err();
                counted.fetch_sub(1, Ordering::SeqCst);
                Err::<(), asupersync::Failure>(cancelled.into())
            }));
            cx.yield_now().await?;
            End::Fails.come()
        });
        let supervisor = Supervisor::new(Strategy::OneForOne).intensity(20, HOUR).child(parent);
        let outcome = supervisor.run(cx).await;
        let error = crate::gave_up(&outcome);
        assert_eq!(error.restarts(), 20);
        assert_eq!(error.to_string().matches("panic").count(), 0, "{error}");
        assert_eq!(alive.load(Ordering::SeqCst), 0);
        Ok(())
    });
}

#[test]
fn a_failed_part_is_a_failed_child() {
    run(async |cx: &Cx| {
        let log = Log::default();
        let starts = log.clone();
        let whole = ChildSpec::new("whole", async move |cx: &Cx| {
            starts.add("up");
            if starts.count("up") < 3 {
                drop(cx.spawn("part", async |_| End::Fails.come()));
                drop(cx.cancelled().await);
            }
            Ok(())
        });
        let supervisor = Supervisor::new(Strategy::OneForOne).intensity(2, HOUR);
        supervisor.child(whole.restart(Restart::Transient)).run(cx).await?;
        assert_eq!(log.count("up"), 3);
        Ok(())
    });
}

#[test]
fn a_back_off_is_waited_for() {
    run(async |cx: &Cx| {
        let log = Log::default();
        let (first, cap) = (Duration::from_millis(1), Duration::from_millis(4));
        let backoff = Backoff::exponential(first, cap);
        let begin = cx.now();
        let child = {
            let log = log.clone();
            ChildSpec::new("x", async move |_: &Cx| {
                log.add("up");
                if log.count("up") <= 4 { End::Fails.come() } else { Ok(()) }
            })
        };
        let supervisor = Supervisor::new(Strategy::OneForOne).intensity(9, HOUR).backoff(backoff);
        supervisor.child(child.restart(Restart::Transient)).run(cx).await?;
        assert_eq!(log.count("up"), 5);
        // A lower bound, which no slow day breaks: 1 + 2 + 4 + 4.
        assert!(cx.now() - begin >= Duration::from_millis(11));
        Ok(())
    });
}
