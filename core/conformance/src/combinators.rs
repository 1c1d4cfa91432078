//! Race, timeout and or_cancel: losers are drained, values are not thrown away.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use asupersync_core::channel::oneshot;
use asupersync_core::{Budget, Cx, Error, Failure, Outcome, ReasonKind, Region};

use crate::probe::{Count, HOUR, Log, MS, Victim, breathe, cancelled_kind, now_or_never, poll_now, stubborn};
use crate::runner::{Runner, short};

crate::cases![
    the_first_wins_on_either_side,
    the_loser_is_drained_before_race_returns,
    the_losers_regions_are_closed_before_race_returns,
    the_losers_panic_is_told,
    the_losers_error_is_not,
    a_stubborn_loser_is_dropped_at_the_budgets_end,
    a_request_reaches_both_arms,
    a_dropped_race_drops_both_arms,
    races_nest,
    a_value_that_comes_while_draining_is_returned,
    a_timeout_drains_its_body,
    or_cancel_drops_at_request,
    or_cancel_hands_on_what_is_ready,
];

fn the_first_wins_on_either_side(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let slow = async |cx: &Cx| {
            cx.sleep(HOUR).await?;
            Ok("slow")
        };
        let fast = async |cx: &Cx| {
            cx.yield_now().await?;
            Ok("fast")
        };
        assert_eq!(cx.race(slow, fast).await?, "fast");
        assert_eq!(cx.race(fast, slow).await?, "fast");
        assert_eq!(cx.race(async |_: &Cx| Ok(1), async |_: &Cx| Ok(2)).await?, 1, "the first in order");
        let error = async |_: &Cx| -> Outcome<&str> { Err(Failure::Err(Error::msg("e"))) };
        assert!(matches!(cx.race(slow, error).await, Err(Failure::Err(_))), "an error ends a race too");
        Ok(())
    });
}

fn the_loser_is_drained_before_race_returns(host: &dyn Runner) {
    let log = Log::new();
    let inner = log.clone();
    host.ok(async move |cx: &Cx| {
        for loser_is_first in [true, false] {
            let log = inner.clone();
            let loser = async move |cx: &Cx| {
                let why = cx.cancelled().await;
                assert_eq!(why.reason().kind(), ReasonKind::RaceLost);
                cx.finish(async |cx: &Cx| Ok(cx.sleep(MS(2)).await?)).await?;
                breathe().await;
                log.push("cleaned up");
                Ok("loser")
            };
            let winner = async |cx: &Cx| {
                cx.yield_now().await?;
                Ok("winner")
            };
            let won =
                if loser_is_first { cx.race(loser, winner).await } else { cx.race(winner, loser).await };
            assert_eq!(won?, "winner");
            inner.push("returned");
        }
        Ok(())
    });
    assert_eq!(log.take(), ["cleaned up", "returned", "cleaned up", "returned"]);
}

fn the_losers_regions_are_closed_before_race_returns(host: &dyn Runner) {
    let count = Count::default();
    let inner = count.clone();
    host.ok(async move |cx: &Cx| {
        let (tell, mut ready) = oneshot::channel();
        let one = inner.one();
        let loser = async |cx: &Cx| {
            Region::open(cx, "loser", async |cx: &Cx| {
                let finalizer = inner.one();
                cx.defer(async move |cx: &Cx| {
                    cx.yield_now().await?;
                    drop(finalizer);
                    Ok(())
                })?;
                drop(cx.spawn("child", async move |cx: &Cx| {
                    let _one = one;
                    drop(tell.send(()));
                    cx.cancelled().await;
                    breathe().await;
                }));
                Ok(cx.sleep(HOUR).await?)
            })
            .await
        };
        cx.race(loser, async |cx: &Cx| Ok(ready.recv(cx).await?)).await?;
        assert_eq!(inner.alive(), 0);
        Ok(())
    });
    assert_eq!(count.dropped(), 2);
}

fn the_losers_panic_is_told(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let loser = async |cx: &Cx| {
            cx.cancelled().await;
            panic!("in cleanup")
        };
        let outcome: Outcome<u32> = cx.race(loser, async |_: &Cx| Ok(1)).await;
        assert!(matches!(outcome, Err(Failure::Panicked(panic)) if panic.message() == "in cleanup"));
        Ok(())
    });
}

fn the_losers_error_is_not(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let loser = async |cx: &Cx| -> Outcome<u32> {
            cx.cancelled().await;
            Err(Failure::Err(Error::msg("too late to matter")))
        };
        assert_eq!(cx.race(loser, async |_: &Cx| Ok(1)).await?, 1);
        Ok(())
    });
}

fn a_stubborn_loser_is_dropped_at_the_budgets_end(host: &dyn Runner) {
    let (count, polls) = (Count::default(), Arc::new(AtomicUsize::new(0)));
    let (one, inner) = (count.one(), polls.clone());
    let ran = host.run(short(5, 10_000), async move |cx: &Cx| {
        let loser = async move |_: &Cx| {
            let _one = one;
            stubborn(inner).await;
            Ok(0)
        };
        let outcome = cx.race(loser, async |_: &Cx| Ok(1)).await;
        assert!(!cx.is_cancelled(), "only the loser's budget is spent");
        outcome
    });
    assert_eq!(ran.outcome.expect("the winner's value"), 1);
    assert_eq!(count.alive(), 0);
    assert!(polls.load(SeqCst) >= 2, "it had one more poll");
}

fn a_request_reaches_both_arms(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let log = Log::new();
        let inner = log.clone();
        let (tell, mut ready) = oneshot::channel();
        let task = cx.spawn("racer", async move |cx: &Cx| {
            let arm = async |cx: &Cx| -> Outcome {
                let why = cx.sleep(HOUR).await.unwrap_err();
                inner.push(why.reason().kind());
                Err(why.into())
            };
            let other = async |cx: &Cx| {
                drop(tell.send(()));
                arm(cx).await
            };
            cx.race(arm, other).await
        });
        ready.recv(cx).await?;
        assert_eq!(cancelled_kind(&task.cancel(Budget::UNLIMITED).await), ReasonKind::UserRequest);
        assert_eq!(log.take(), [ReasonKind::UserRequest; 2]);
        Ok(())
    });
}

fn a_dropped_race_drops_both_arms(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let count = Count::default();
        let (a, b) = (count.one(), count.one());
        let mut race = Box::pin(cx.race(
            async move |cx: &Cx| {
                let _a = a;
                Ok(cx.sleep(HOUR).await?)
            },
            async move |_: &Cx| {
                let _b = b;
                std::future::pending().await
            },
        ));
        assert!(poll_now(race.as_mut()).is_pending());
        drop(race);
        assert_eq!(count.dropped(), 2);
        Ok(())
    });
}

fn races_nest(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let log = Log::new();
        let idle = |name: &'static str| {
            let log = log.clone();
            async move |cx: &Cx| -> Outcome<&'static str> {
                let why = cx.sleep(HOUR).await.unwrap_err();
                log.push(name);
                Err(why.into())
            }
        };
        let (a, b, c) = (idle("a"), idle("b"), idle("c"));
        let inner = async move |cx: &Cx| cx.race(a, async move |cx: &Cx| cx.race(b, c).await).await;
        assert_eq!(cx.race(inner, async |_: &Cx| Ok("quick")).await?, "quick");
        assert_eq!(log.take(), ["a", "b", "c"]);
        Ok(())
    });
}

fn a_value_that_comes_while_draining_is_returned(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let outcome = cx
            .timeout(MS(2), async |cx: &Cx| {
                cx.cancelled().await;
                cx.finish(async |cx: &Cx| {
                    cx.sleep(MS(2)).await?;
                    Ok("late, but whole")
                })
                .await
            })
            .await;
        assert_eq!(outcome?, "late, but whole");
        Ok(())
    });
}

fn a_timeout_drains_its_body(host: &dyn Runner) {
    let count = Count::default();
    let one = count.one();
    let ran = host.run(short(5, 10_000), async move |cx: &Cx| {
        let outcome: Outcome = cx
            .timeout(MS(2), async move |_: &Cx| -> Outcome {
                let _one = one;
                std::future::pending().await
            })
            .await;
        assert_eq!(cancelled_kind(&outcome), ReasonKind::Deadline);
        cx.checkpoint()?;
        Ok(())
    });
    ran.outcome.expect("the timeout is over, not main");
    assert_eq!(count.alive(), 0);
}

fn or_cancel_drops_at_request(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let victim = Victim::new(cx).await;
        let (count, polls) = (Count::default(), Arc::new(AtomicUsize::new(0)));
        let (one, inner) = (count.one(), polls.clone());
        let mut waiting = Box::pin(victim.cx.or_cancel(async move {
            let _one = one;
            stubborn(inner).await
        }));
        assert!(poll_now(waiting.as_mut()).is_pending());
        victim.request();
        assert!(poll_now(waiting.as_mut()).is_ready());
        drop(waiting);
        assert_eq!((count.dropped(), polls.load(SeqCst)), (1, 1), "polled after Request");
        Ok(())
    });
}

fn or_cancel_hands_on_what_is_ready(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        assert_eq!(now_or_never(cx.or_cancel(async { 4 })).expect("ready")?, 4);
        let (tx, mut rx) = oneshot::channel();
        drop(tx.send(5));
        assert_eq!(cx.or_cancel(std::future::poll_fn(|task| rx.poll_recv(task))).await??, 5);
        Ok(())
    });
}
