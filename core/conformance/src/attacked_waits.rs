//! Waits and bodies of `Cx`, cancelled at every await.

use std::future::Future;
use std::sync::Arc;

use asupersync_core::caps::{Authority, Effect};
use asupersync_core::sync::Mutex;
use asupersync_core::{Budget, Cx, Either, Outcome, ReasonKind, Selected};

use crate::attack::{Ended, Play, at_every_await};
use crate::probe::{Count, Counted, HOUR, Log, MS, breathe, cancelled_kind};
use crate::runner::Runner;

crate::cases![
    time_is_waited_for,
    a_tick_is_waited_for,
    requests_and_signals_are_waited_for,
    foreign_futures_are_awaited,
    bodies_under_a_limit_are_run,
    bodies_in_flight_are_run,
    bodies_race,
    bodies_join,
];

/// A value, or nothing because of a request.
fn value_or_request<T: PartialEq + std::fmt::Debug>(ended: &Ended<Outcome<T>>, value: &T) {
    match ended {
        Ended::Whole(outcome) => assert_eq!(outcome.as_ref().ok(), Some(value)),
        Ended::Requested(Ok(told)) => assert_eq!(told, value),
        Ended::Requested(outcome) => assert_eq!(cancelled_kind(outcome), ReasonKind::UserRequest),
        Ended::Dropped => {}
    }
}

/// A value, whoever asks it to stop.
fn value_always<T: PartialEq + std::fmt::Debug>(ended: &Ended<Outcome<T>>, value: &T) {
    if let Some(outcome) = ended.value() {
        assert_eq!(outcome.as_ref().ok(), Some(value), "{outcome:?}");
    }
}

fn time_is_waited_for(host: &dyn Runner) {
    async fn attacked<F>(cx: &Cx, wait: impl Fn(Cx) -> F) -> Outcome
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        at_every_await(cx, |_, cx| Box::pin(wait(cx)), |ended| value_or_request(&ended, &())).await
    }
    host.ok(async |cx: &Cx| {
        attacked(cx, |cx| async move { Ok(cx.sleep(MS(1)).await?) }).await?;
        attacked(cx, |cx| async move { Ok(cx.sleep_until(cx.now() + MS(1)).await?) }).await?;
        attacked(cx, |cx| async move { Ok(cx.clock().sleep(&cx, MS(1)).await?) }).await?;
        attacked(cx, |cx| async move { Ok(cx.clock().sleep_until(&cx, cx.now() + MS(1)).await?) }).await?;
        attacked(cx, |cx| async move { Ok(cx.yield_now().await?) }).await?;
        // It hears of no request.
        let alarm = |_, cx: Cx| -> Play<Outcome> {
            Box::pin(async move {
                cx.alarm(cx.now() + MS(1)).await;
                Ok(())
            })
        };
        at_every_await(cx, alarm, |ended| value_always(&ended, &())).await
    });
}

fn a_tick_is_waited_for(host: &dyn Runner) {
    const PERIOD: u64 = 1;
    host.ok(async |cx: &Cx| {
        let log = Log::new();
        let play = |around: Cx, cx: Cx| -> Play<Outcome> {
            let ticks = Arc::new(Mutex::new(around.interval(MS(PERIOD))));
            let (log, theirs, told) = (log.clone(), ticks.clone(), log.clone());
            drop(around.spawn("next", async move |cx: &Cx| {
                // What the victim leaves is for the next.
                cx.sleep(MS(PERIOD)).await?;
                let due = theirs.lock(cx).await?.tick(cx).await?;
                told.push(due);
                Ok(())
            }));
            Box::pin(async move {
                let mut ticks = ticks.lock(&cx).await?;
                for _ in 0..2 {
                    let due = ticks.tick(&cx).await?;
                    log.push(due);
                }
                Ok(())
            })
        };
        let gone = |ended: Ended<Outcome>| {
            value_or_request(&ended, &());
            let due = log.take();
            assert!(!due.is_empty() && due.len() <= 3);
            for two in due.windows(2) {
                let apart = (two[1] - two[0]).as_nanos();
                assert!(apart > 0 && apart % MS(PERIOD).as_nanos() == 0, "{due:?}");
            }
        };
        at_every_await(cx, play, gone).await
    });
}

fn requests_and_signals_are_waited_for(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        // Undisturbed, it is the race that asks them to stop.
        let cancelled = |_, cx: Cx| -> Play<Outcome<ReasonKind>> {
            Box::pin(async move {
                let heard = async |cx: &Cx| Ok(cx.cancelled().await.reason().kind());
                let timer = async |cx: &Cx| Ok(cx.sleep(MS(1)).await?);
                let selected = cx.select(heard, timer).await;
                let (Selected::First { won: heard, .. } | Selected::Second { lost: heard, .. }) = selected;
                heard
            })
        };
        let gone = |ended: Ended<Outcome<ReasonKind>>| match ended {
            Ended::Dropped => {}
            Ended::Whole(heard) => assert_eq!(heard.ok(), Some(ReasonKind::RaceLost)),
            Ended::Requested(heard) => {
                assert!([Some(ReasonKind::RaceLost), Some(ReasonKind::UserRequest)].contains(&heard.ok()));
            }
        };
        at_every_await(cx, cancelled, gone).await?;
        let signal = |_, cx: Cx| -> Play<Outcome<ReasonKind>> {
            Box::pin(async move {
                let heard = async |cx: &Cx| Ok(cx.shutdown_signal().await.kind());
                let timer = async |cx: &Cx| Ok(cx.sleep(MS(1)).await?);
                let selected = cx.select(heard, timer).await;
                let (Selected::First { won: heard, .. } | Selected::Second { lost: heard, .. }) = selected;
                heard
            })
        };
        at_every_await(cx, signal, gone).await
    });
}

/// So many steps of something that knows no scope, and holds what is counted.
async fn steps(counted: Counted, many: usize) -> usize {
    let _counted = counted;
    for _ in 0..many {
        breathe().await;
    }
    many
}

fn foreign_futures_are_awaited(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let count = Count::default();
        let or_cancel = |_, cx: Cx| -> Play<Outcome<usize>> {
            let one = count.one();
            Box::pin(async move { Ok(cx.or_cancel(steps(one, 3)).await?) })
        };
        let gone = |ended| {
            value_or_request(&ended, &3);
            assert_eq!(count.alive(), 0);
        };
        at_every_await(cx, or_cancel, gone).await?;
        let or_spent = |_, cx: Cx| -> Play<Outcome<usize>> {
            let one = count.one();
            Box::pin(async move { Ok(cx.or_spent(steps(one, 3)).await?) })
        };
        let gone = |ended| {
            value_always(&ended, &3);
            assert_eq!(count.alive(), 0);
        };
        at_every_await(cx, or_spent, gone).await
    });
}

/// A body that holds what is counted through a timer and some steps.
async fn body(cx: &Cx, counted: Counted) -> Outcome<usize> {
    cx.sleep(MS(1)).await?;
    Ok(steps(counted, 2).await)
}

fn bodies_under_a_limit_are_run(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let count = Count::default();
        let gone = |ended| {
            value_or_request(&ended, &2);
            assert_eq!(count.alive(), 0);
        };
        let timeout = |_, cx: Cx| -> Play<Outcome<usize>> {
            let one = count.one();
            Box::pin(async move { cx.timeout(HOUR, async |cx: &Cx| body(cx, one).await).await })
        };
        at_every_await(cx, timeout, gone).await?;
        let deadline = |_, cx: Cx| -> Play<Outcome<usize>> {
            let one = count.one();
            Box::pin(async move { cx.deadline(cx.now() + HOUR, async |cx: &Cx| body(cx, one).await).await })
        };
        at_every_await(cx, deadline, gone).await?;
        let attenuate = |_, cx: Cx| -> Play<Outcome<usize>> {
            let (one, authority) = (count.one(), Authority::all().without(Effect::Fs));
            Box::pin(async move { cx.attenuate(authority, async |cx: &Cx| body(cx, one).await).await })
        };
        at_every_await(cx, attenuate, gone).await
    });
}

fn bodies_in_flight_are_run(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let count = Count::default();
        let gone = |ended| {
            value_always(&ended, &2);
            assert_eq!(count.alive(), 0);
        };
        let finish = |_, cx: Cx| -> Play<Outcome<usize>> {
            let one = count.one();
            Box::pin(async move { cx.finish(async |cx: &Cx| body(cx, one).await).await })
        };
        at_every_await(cx, finish, gone).await?;
        let shield = |_, cx: Cx| -> Play<Outcome<usize>> {
            let one = count.one();
            let budget = Budget::timeout(HOUR);
            Box::pin(async move { cx.shield(budget, async |cx: &Cx| body(cx, one).await).await })
        };
        at_every_await(cx, shield, gone).await
    });
}

fn bodies_race(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let count = Count::default();
        let gone = |ended| {
            value_or_request(&ended, &2);
            assert_eq!(count.alive(), 0);
        };
        let slow = async |cx: &Cx, counted: Counted| {
            let _counted = counted;
            cx.sleep(HOUR).await?;
            Ok(0)
        };
        let race = |_, cx: Cx| -> Play<Outcome<usize>> {
            let (a, b) = (count.one(), count.one());
            Box::pin(async move {
                cx.race(async |cx: &Cx| body(cx, a).await, async |cx: &Cx| slow(cx, b).await).await
            })
        };
        at_every_await(cx, race, gone).await?;
        let select = |_, cx: Cx| -> Play<Outcome<usize>> {
            let (a, b) = (count.one(), count.one());
            Box::pin(async move {
                let selected =
                    cx.select(async |cx: &Cx| slow(cx, a).await, async |cx: &Cx| body(cx, b).await);
                selected.await.winner().map(|winner| match winner {
                    Either::First(value) | Either::Second(value) => value,
                })
            })
        };
        at_every_await(cx, select, gone).await?;
        let race_all = |_, cx: Cx| -> Play<Outcome<usize>> {
            let items = [(false, count.one()), (true, count.one()), (false, count.one())];
            Box::pin(async move {
                let raced = cx.race_all(
                    items,
                    async |cx: &Cx, (wins, one)| {
                        if wins { body(cx, one).await } else { slow(cx, one).await }
                    },
                );
                raced.await
            })
        };
        at_every_await(cx, race_all, gone).await?;
        let select_all = |_, cx: Cx| -> Play<Outcome<usize>> {
            let items = [(false, count.one()), (true, count.one()), (false, count.one())];
            Box::pin(async move {
                let selected =
                    cx.select_all(
                        items,
                        async |cx: &Cx, (wins, one)| {
                            if wins { body(cx, one).await } else { slow(cx, one).await }
                        },
                    );
                selected.await.winner()
            })
        };
        at_every_await(cx, select_all, gone).await
    });
}

fn bodies_join(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let count = Count::default();
        let gone = |ended| {
            value_or_request(&ended, &4);
            assert_eq!(count.alive(), 0);
        };
        let join = |_, cx: Cx| -> Play<Outcome<usize>> {
            let (a, b) = (count.one(), count.one());
            Box::pin(async move {
                let joined = cx.join(async |cx: &Cx| body(cx, a).await, async |cx: &Cx| body(cx, b).await);
                joined.await.map(|(a, b)| a + b)
            })
        };
        at_every_await(cx, join, gone).await?;
        let join_outcomes = |_, cx: Cx| -> Play<Outcome<usize>> {
            let (a, b) = (count.one(), count.one());
            Box::pin(async move {
                let both =
                    cx.join_outcomes(async |cx: &Cx| body(cx, a).await, async |cx: &Cx| body(cx, b).await);
                let (a, b) = both.await;
                Ok(a? + b?)
            })
        };
        at_every_await(cx, join_outcomes, gone).await?;
        let join_all = |_, cx: Cx| -> Play<Outcome<usize>> {
            let items = [count.one(), count.one()];
            Box::pin(async move {
                let joined = cx.join_all(items, async |cx: &Cx, one| body(cx, one).await);
                joined.await.map(|all| all.into_iter().sum())
            })
        };
        at_every_await(cx, join_all, gone).await?;
        let join_all_outcomes = |_, cx: Cx| -> Play<Outcome<usize>> {
            let items = [count.one(), count.one()];
            Box::pin(async move {
                let joined = cx.join_all_outcomes(items, async |cx: &Cx, one| body(cx, one).await);
                joined.await.into_iter().sum()
            })
        };
        at_every_await(cx, join_all_outcomes, gone).await
    });
}
