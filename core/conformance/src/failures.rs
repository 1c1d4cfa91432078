//! Children that fail: who is cancelled, what the region's outcome is.

use asupersync_core::channel::oneshot;
use asupersync_core::region::{ChildFailures, Close, OnFailure};
use asupersync_core::{Cx, Error, Failure, Outcome, Reason, ReasonKind, Region};

use crate::probe::{HOUR, cancelled_kind};
use crate::runner::Runner;

crate::cases![
    a_panic_of_a_child_is_told,
    a_panic_of_a_child_is_told_through_its_handle,
    a_failure_cancels_siblings,
    collect_lets_siblings_go_on,
    all_failures_are_kept_in_order_of_spawning,
    a_panic_is_graver_than_an_error,
    induced_cancellations_are_absorbed,
    a_cancelled_child_is_no_failure,
    a_panic_while_draining_is_told,
    a_panic_of_a_dropped_future_is_contained,
    an_error_of_main_is_the_outcome,
    a_panic_of_main_is_the_outcome,
    a_failure_of_a_root_task_cancels_main,
];

fn fails<T>(message: &'static str) -> Outcome<T> {
    Err(Failure::Err(Error::msg(message)))
}

fn names(outcome: Outcome) -> Vec<String> {
    let Err(Failure::Err(error)) = outcome else { panic!("no error: {outcome:?}") };
    let failures = error.downcast_ref::<ChildFailures>().expect("the children's failures");
    failures.failures().iter().map(|failure| format!("{}: {}", failure.name, failure.error)).collect()
}

fn a_panic_of_a_child_is_told(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let outcome = Region::open(cx, "r", async |cx: &Cx| {
            drop(cx.spawn("child", async |_: &Cx| -> Outcome { panic!("child") }));
            cx.sleep(HOUR).await?;
            Ok(())
        })
        .await;
        let Err(Failure::Panicked(panic)) = outcome else { panic!("{outcome:?}") };
        assert_eq!(panic.message(), "child");
        assert!(panic.take_payload().is_some());
        Ok(())
    });
}

fn a_panic_of_a_child_is_told_through_its_handle(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let outcome: Outcome = Region::builder("r")
            .on_failure(OnFailure::Collect)
            .open(cx, async |cx: &Cx| {
                let child = cx.spawn("child", async |_: &Cx| -> Outcome { panic!("child") });
                let told = child.join().await;
                assert!(matches!(&told, Err(Failure::Panicked(panic)) if panic.message() == "child"));
                Ok(())
            })
            .await;
        // Looking at it does not make it undone.
        assert!(matches!(outcome, Err(Failure::Panicked(_))));
        Ok(())
    });
}

fn a_failure_cancels_siblings(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tell, mut told) = oneshot::channel();
        let outcome = Region::open(cx, "r", async |cx: &Cx| {
            drop(cx.spawn("sibling", async move |cx: &Cx| {
                drop(tell.send(cx.cancelled().await.into_reason()));
            }));
            drop(cx.spawn("bad", async |_: &Cx| fails::<()>("bad")));
            let body = cx.sleep(HOUR).await.unwrap_err();
            assert_eq!(body.reason().kind(), ReasonKind::SiblingFailed);
            Err(body.into())
        })
        .await;
        assert_eq!(names(outcome), ["bad: bad"]);
        let reason = told.recv(cx).await?;
        assert_eq!(reason.kind(), ReasonKind::SiblingFailed);
        assert!(reason.message().unwrap().contains("bad"));
        Ok(())
    });
}

fn collect_lets_siblings_go_on(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tell, mut told) = oneshot::channel();
        let outcome = Region::builder("r")
            .on_failure(OnFailure::Collect)
            .close(Close::Join)
            .open(cx, async |cx: &Cx| {
                let bad = cx.spawn("bad", async |_: &Cx| fails::<()>("bad"));
                drop(cx.spawn("good", async move |cx: &Cx| {
                    assert!(bad.join().await.is_err());
                    cx.yield_now().await?;
                    drop(tell.send(cx.is_cancelled()));
                    Ok(())
                }));
                Ok(())
            })
            .await;
        assert_eq!(names(outcome), ["bad: bad"]);
        assert!(!told.recv(cx).await?);
        Ok(())
    });
}

fn all_failures_are_kept_in_order_of_spawning(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let outcome = Region::builder("r")
            .on_failure(OnFailure::Collect)
            .close(Close::Join)
            .open(cx, async |cx: &Cx| {
                let (first_may, mut may) = oneshot::channel::<()>();
                drop(cx.spawn("first", async move |cx: &Cx| {
                    may.recv(cx).await?;
                    fails::<()>("1")
                }));
                drop(cx.spawn("fine", async |_: &Cx| ()));
                // Fails before the first, though it was spawned after it.
                let second = cx.spawn("second", async |_: &Cx| fails::<()>("2"));
                assert!(second.join().await.is_err());
                drop(first_may.send(()));
                drop(cx.spawn("third", async |_: &Cx| fails::<()>("3")));
                Ok(())
            })
            .await;
        assert_eq!(names(outcome), ["first: 1", "second: 2", "third: 3"]);
        Ok(())
    });
}

fn a_panic_is_graver_than_an_error(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (outcome, report): (Outcome, _) = Region::builder("r")
            .on_failure(OnFailure::Collect)
            .close(Close::Join)
            .open_with_report(cx, async |cx: &Cx| {
                drop(cx.spawn("bad", async |_: &Cx| fails::<()>("bad")));
                drop(cx.spawn("worse", async |_: &Cx| -> Outcome { panic!("worse") }));
                drop(cx.spawn("worse still", async |_: &Cx| -> Outcome { panic!("worse still") }));
                fails("body")
            })
            .await;
        let Err(Failure::Panicked(panic)) = outcome else { panic!("{outcome:?}") };
        assert_eq!(panic.message(), "worse", "the first that was spawned");
        // What the outcome does not tell is not lost.
        let told = report.failures.iter().map(|failure| format!("{}: {}", failure.name, failure.error));
        let all = ["bad: bad", "worse: panicked: worse", "worse still: panicked: worse still"];
        assert_eq!(told.collect::<Vec<_>>(), all);
        let shown = report.to_string();
        assert!(shown.contains("`worse` failed: panicked: worse"), "{shown}");
        Ok(())
    });
}

fn induced_cancellations_are_absorbed(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let outcome = Region::open(cx, "r", async |cx: &Cx| {
            for _ in 0..5 {
                drop(cx.spawn("idle", async |cx: &Cx| {
                    cx.sleep(HOUR).await?;
                    Ok(())
                }));
            }
            Ok("value")
        })
        .await;
        assert_eq!(outcome?, "value");
        assert!(!cx.is_cancelled());
        Ok(())
    });
}

fn a_cancelled_child_is_no_failure(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let outcome = Region::builder("r")
            .close(Close::Join)
            .open(cx, async |cx: &Cx| {
                let one = cx.spawn("one", async |cx: &Cx| {
                    cx.sleep(HOUR).await?;
                    Ok(())
                });
                let two = cx.spawn("two", async |cx: &Cx| {
                    cx.yield_now().await?;
                    Ok(2)
                });
                one.request_cancel(Reason::new(ReasonKind::UserRequest));
                assert_eq!(cancelled_kind(&one.join().await), ReasonKind::UserRequest);
                two.join().await
            })
            .await;
        assert_eq!(outcome?, 2);
        Ok(())
    });
}

fn a_panic_while_draining_is_told(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let outcome = Region::open(cx, "r", async |cx: &Cx| {
            let (tell, mut ready) = oneshot::channel();
            drop(cx.spawn("child", async move |cx: &Cx| -> Outcome {
                drop(tell.send(()));
                cx.cancelled().await;
                panic!("in cleanup");
            }));
            ready.recv(cx).await?;
            Ok(1)
        })
        .await;
        assert!(matches!(outcome, Err(Failure::Panicked(panic)) if panic.message() == "in cleanup"));
        Ok(())
    });
}

fn a_panic_of_a_dropped_future_is_contained(host: &dyn Runner) {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in drop");
        }
    }
    host.ok(async |cx: &Cx| {
        let outcome = Region::builder("r")
            .drain(asupersync_core::Budget::timeout(crate::probe::MS(5)))
            .open(cx, async |cx: &Cx| {
                let (tell, mut ready) = oneshot::channel();
                drop(cx.spawn_future("child", async move {
                    let _bomb = Bomb;
                    drop(tell.send(()));
                    std::future::pending::<()>().await;
                }));
                ready.recv(cx).await?;
                Ok(1)
            })
            .await;
        // Whatever the outcome is, the region closed and nothing else was harmed.
        drop(outcome);
        assert!(!cx.is_cancelled());
        Ok(())
    });
}

fn an_error_of_main_is_the_outcome(host: &dyn Runner) {
    let ran = host.run(Default::default(), async |_: &Cx| fails::<()>("main"));
    assert!(matches!(ran.outcome, Err(Failure::Err(error)) if error.to_string().contains("main")));
}

fn a_panic_of_main_is_the_outcome(host: &dyn Runner) {
    let ran = host.run(Default::default(), async |cx: &Cx| -> Outcome {
        drop(cx.spawn("child", async |cx: &Cx| {
            cx.cancelled().await;
        }));
        panic!("main")
    });
    let outcome: Outcome = ran.outcome;
    assert!(matches!(outcome, Err(Failure::Panicked(panic)) if panic.message() == "main"));
    assert_eq!(ran.report.expect("a report").totals.ok, 1);
}

fn a_failure_of_a_root_task_cancels_main(host: &dyn Runner) {
    let ran = host.run(Default::default(), async |cx: &Cx| {
        drop(cx.spawn("bad", async |_: &Cx| fails::<()>("bad")));
        cx.sleep(HOUR).await?;
        Ok(())
    });
    assert_eq!(names(ran.outcome), ["bad: bad"]);
}
