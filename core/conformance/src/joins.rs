//! Join: both values, or a failure that has waited for the other body.

use asupersync_core::{Cx, Error, Failure, Outcome, Reason, ReasonKind, Severity};

use crate::probe::{Count, HOUR, Log, MS};
use crate::runner::{Runner, Settings, short};

crate::cases![
    both_values_are_returned,
    a_failure_drains_the_other_before_join_returns,
    an_induced_cancellation_does_not_mask_the_failure,
    the_graver_failure_is_told,
    a_value_finished_while_draining_does_not_hide_the_failure,
    a_request_reaches_both_bodies,
    a_stubborn_body_is_dropped_at_the_budgets_end,
];

fn both_values_are_returned(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let slow = async |cx: &Cx| {
            cx.sleep(MS(2)).await?;
            Ok("slow")
        };
        assert_eq!(cx.join(slow, async |_: &Cx| Ok(2)).await?, ("slow", 2));
        assert_eq!(cx.join(async |_: &Cx| Ok(1), slow).await?, (1, "slow"));
        Ok(())
    });
}

async fn fails(cx: &Cx) -> Outcome<()> {
    cx.yield_now().await?;
    Err(Failure::Err(Error::msg("on purpose")))
}

fn a_failure_drains_the_other_before_join_returns(host: &dyn Runner) {
    let log = Log::new();
    let inner = log.clone();
    host.ok(async move |cx: &Cx| {
        for first in [true, false] {
            let log = inner.clone();
            let other = async move |cx: &Cx| -> Outcome<()> {
                let why = cx.cancelled().await;
                assert_eq!(why.reason().kind(), ReasonKind::SiblingFailed);
                cx.finish(async |cx: &Cx| Ok(cx.sleep(MS(2)).await?)).await?;
                log.push("drained");
                Err(why.into())
            };
            let joined = if first { cx.join(fails, other).await } else { cx.join(other, fails).await };
            inner.push("returned");
            assert_eq!(joined.unwrap_err().to_string(), "on purpose");
        }
        Ok(())
    });
    assert_eq!(log.take(), ["drained", "returned", "drained", "returned"]);
}

fn an_induced_cancellation_does_not_mask_the_failure(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let idle = async |cx: &Cx| -> Outcome<()> { Ok(cx.sleep(HOUR).await?) };
        for joined in [cx.join(idle, fails).await, cx.join(fails, idle).await] {
            assert_eq!(joined.unwrap_err().severity(), Severity::Err, "graver, but induced");
        }
        Ok(())
    });
}

fn the_graver_failure_is_told(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let panics = async |cx: &Cx| -> Outcome<()> {
            cx.cancelled().await;
            panic!("on purpose, while it drains")
        };
        for joined in [cx.join(panics, fails).await, cx.join(fails, panics).await] {
            assert_eq!(joined.unwrap_err().severity(), Severity::Panicked);
        }
        Ok(())
    });
}

fn a_value_finished_while_draining_does_not_hide_the_failure(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let finishes = async |cx: &Cx| -> Outcome<()> {
            cx.cancelled().await;
            Ok(())
        };
        assert_eq!(cx.join(finishes, fails).await.unwrap_err().to_string(), "on purpose");
        Ok(())
    });
}

fn a_request_reaches_both_bodies(host: &dyn Runner) {
    let log = Log::new();
    let inner = log.clone();
    let ran = host.run(Settings::default(), async move |cx: &Cx| {
        let task = cx.spawn("joins", async move |cx: &Cx| {
            let body = |name: &'static str| {
                let log = inner.clone();
                async move |cx: &Cx| -> Outcome {
                    let why = cx.cancelled().await;
                    assert_eq!(why.reason().kind(), ReasonKind::UserRequest);
                    log.push(name);
                    Err(why.into())
                }
            };
            cx.join(body("a"), body("b")).await.map(drop)
        });
        task.request_cancel(Reason::new(ReasonKind::UserRequest));
        let failure = task.join().await.unwrap_err();
        assert!(failure.as_cancelled().is_some());
        Ok(())
    });
    ran.outcome.expect("the task's cancellation is its own");
    let mut told = log.take();
    told.sort_unstable();
    assert!(told.is_empty() || told == ["a", "b"], "one of two was told: {told:?}");
}

fn a_stubborn_body_is_dropped_at_the_budgets_end(host: &dyn Runner) {
    let count = Count::default();
    let inner = count.clone();
    let ran = host.run(short(5, 500), async move |cx: &Cx| {
        let stubborn = async move |_: &Cx| -> Outcome<()> {
            let _held = inner.one();
            std::future::pending().await
        };
        let failure = cx.join(stubborn, fails).await.unwrap_err();
        assert_eq!(failure.to_string(), "on purpose");
        Ok(())
    });
    ran.outcome.expect("join waited for the budget only");
    assert_eq!((count.alive(), count.dropped()), (0, 1));
}
