//! Join: both values, or a failure that has waited for the other body.

use std::pin::Pin;

use asupersync_core::{Cx, Error, Failure, Outcome, Reason, ReasonKind, Severity};

use crate::probe::{Count, HOUR, Log, MS, Victim, at_every_poll, breathe, cancelled_kind, poll_now};
use crate::runner::{Runner, Settings, short};

crate::cases![
    both_values_are_returned,
    a_failure_drains_the_other_before_join_returns,
    an_induced_cancellation_does_not_mask_the_failure,
    the_graver_failure_is_told,
    a_value_finished_while_draining_does_not_hide_the_failure,
    a_request_reaches_both_bodies,
    a_stubborn_body_is_dropped_at_the_budgets_end,
    collecting_leaves_the_other_alone,
    collecting_keeps_a_panic_beside_a_value,
    a_request_reaches_both_of_a_collecting_join,
    values_of_many_come_in_the_order_of_their_items,
    a_failure_among_many_drains_the_others,
    all_outcomes_of_many_are_collected,
    joins_are_cancelled_at_every_await,
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
    let ran = host.run(short(5, 10_000), async move |cx: &Cx| {
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

fn collecting_leaves_the_other_alone(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let slow = async |cx: &Cx| {
            cx.sleep(MS(2)).await?;
            Ok("slow")
        };
        let (a, b) = cx.join_outcomes(fails, slow).await;
        assert_eq!((a.unwrap_err().to_string().as_str(), b?), ("on purpose", "slow"));
        let (a, b) = cx.join_outcomes(slow, fails).await;
        assert_eq!((a?, b.unwrap_err().to_string().as_str()), ("slow", "on purpose"));
        Ok(())
    });
}

fn collecting_keeps_a_panic_beside_a_value(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let panics = async |cx: &Cx| -> Outcome<()> {
            cx.yield_now().await?;
            panic!("on purpose")
        };
        let (a, b) = cx.join_outcomes(panics, async |cx: &Cx| Ok(cx.sleep(MS(1)).await?)).await;
        assert_eq!(a.unwrap_err().severity(), Severity::Panicked);
        b
    });
}

fn a_request_reaches_both_of_a_collecting_join(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let victim = Victim::new(cx).await;
        let idle = async |cx: &Cx| -> Outcome { Ok(cx.sleep(HOUR).await?) };
        let mut joining = Box::pin(victim.cx.join_outcomes(idle, idle));
        assert!(poll_now(joining.as_mut()).is_pending());
        victim.request();
        let (a, b) = joining.await;
        assert_eq!([cancelled_kind(&a), cancelled_kind(&b)], [ReasonKind::UserRequest; 2]);
        Ok(())
    });
}

fn values_of_many_come_in_the_order_of_their_items(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let slower_first = async |cx: &Cx, n: u64| {
            cx.sleep(MS(5 - n)).await?;
            Ok(n)
        };
        assert_eq!(cx.join_all(0..5, slower_first).await?, [0, 1, 2, 3, 4]);
        assert!(cx.join_all(0..0, slower_first).await?.is_empty());
        Ok(())
    });
}

fn a_failure_among_many_drains_the_others(host: &dyn Runner) {
    let log = Log::new();
    let inner = log.clone();
    host.ok(async move |cx: &Cx| {
        let joined = cx
            .join_all(0..4, async |cx: &Cx, n: u8| {
                if n == 2 {
                    return fails(cx).await;
                }
                let why = cx.cancelled().await;
                assert_eq!(why.reason().kind(), ReasonKind::SiblingFailed);
                cx.finish(async |cx: &Cx| Ok(cx.sleep(MS(1)).await?)).await?;
                inner.push("drained");
                Err(why.into())
            })
            .await;
        inner.push("returned");
        assert_eq!(joined.unwrap_err().to_string(), "on purpose", "what it induced weighs less");
        Ok(())
    });
    assert_eq!(log.take(), ["drained", "drained", "drained", "returned"]);
}

fn all_outcomes_of_many_are_collected(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let outcomes = cx
            .join_all_outcomes(0..4, async |cx: &Cx, n: u8| {
                match n {
                    0 => fails(cx).await?,
                    1 => panic!("on purpose"),
                    _ => cx.sleep(MS(1)).await?,
                }
                Ok(n)
            })
            .await;
        let severities: Vec<_> =
            outcomes.iter().map(|o| o.as_ref().map_or_else(Failure::severity, |_| Severity::Ok)).collect();
        assert_eq!(severities, [Severity::Err, Severity::Panicked, Severity::Ok, Severity::Ok]);
        assert!(cx.join_all_outcomes(0..0, async |_: &Cx, n: u8| Ok(n)).await.is_empty());
        Ok(())
    });
}

fn joins_are_cancelled_at_every_await(host: &dyn Runner) {
    type Play = Pin<Box<dyn Future<Output = usize> + Send>>;
    host.ok(async |cx: &Cx| {
        let count = Count::default();
        // Ends by itself after some steps, or at Request, or when it has finished what it began.
        let body = |begins: bool| {
            let one = count.one();
            async move |cx: &Cx| -> Outcome<usize> {
                let _one = one;
                cx.yield_now().await?;
                if begins {
                    cx.finish(async |_: &Cx| breathe().await).await?;
                }
                cx.yield_now().await?;
                Ok(1)
            }
        };
        let gone = || assert_eq!(count.alive(), 0);
        let fast = |cx: Cx| -> Play {
            let (a, b) = (body(true), body(false));
            Box::pin(async move { cx.join(a, b).await.map_or(0, |(a, b)| a + b) })
        };
        let (whole, ends) = at_every_poll(cx, fast, gone).await;
        assert!(whole == 2 && ends.iter().all(|end| [0, 2].contains(end)), "{ends:?}");
        let collecting = |cx: Cx| -> Play {
            let (a, b) = (body(true), body(false));
            Box::pin(async move {
                let (a, b) = cx.join_outcomes(a, b).await;
                a.unwrap_or(0) + b.unwrap_or(0)
            })
        };
        assert_eq!(at_every_poll(cx, collecting, gone).await.0, 2);
        let many = |cx: Cx| -> Play {
            let bodies: Vec<_> = (0..3).map(|n| body(n == 1)).collect();
            Box::pin(async move {
                let joined = cx.join_all(bodies, async |cx: &Cx, body| body(cx).await);
                joined.await.map_or(0, |ones| ones.into_iter().sum())
            })
        };
        let (whole, ends) = at_every_poll(cx, many, gone).await;
        assert!(whole == 3 && ends.iter().all(|end| [0, 3].contains(end)), "{ends:?}");
        Ok(())
    });
}
