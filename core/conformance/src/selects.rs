//! Select, and races among many: the loser's value is not lost, and each body is polled when it was
//! woken.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use asupersync_core::channel::{mpsc, oneshot};
use asupersync_core::{Budget, Cx, Either, Error, Failure, Outcome, ReasonKind, Selected};

use crate::probe::{Count, HOUR, Log, MS, at_every_poll, breathe, cancelled_kind, poll_now, stubborn};
use crate::runner::{Runner, short};

crate::cases![
    either_side_wins_with_its_own_type,
    a_value_of_the_loser_is_kept,
    a_message_that_the_loser_took_is_not_lost,
    a_value_is_kept_when_the_winner_fails,
    the_losers_panic_is_told_by_winner,
    what_is_finished_wins_when_the_caller_is_asked_to_stop,
    a_select_is_cancelled_at_every_await,
    the_first_of_many_wins_and_the_others_are_drained,
    values_of_many_losers_are_kept,
    a_race_among_nobody_is_an_error,
    one_of_many_is_polled_when_it_was_woken,
    many_stubborn_losers_are_dropped_at_the_budgets_end,
    a_request_reaches_all_of_many,
    a_race_among_many_is_cancelled_at_every_await,
];

fn either_side_wins_with_its_own_type(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let slow = async |cx: &Cx| {
            cx.sleep(HOUR).await?;
            Ok("slow")
        };
        let fast = async |cx: &Cx| {
            cx.yield_now().await?;
            Ok(1)
        };
        assert_eq!(cx.select(slow, fast).await.winner()?, Either::Second(1));
        assert_eq!(cx.select(fast, slow).await.winner()?, Either::First(1));
        match cx.select(fast, slow).await {
            Selected::First { won, lost } => {
                assert_eq!((won?, cancelled_kind(&lost)), (1, ReasonKind::RaceLost));
            }
            Selected::Second { .. } => panic!("an hour has not passed"),
        }
        Ok(())
    });
}

/// Ends with a value, a while after it was asked to stop.
async fn finishes(cx: &Cx) -> Outcome<&'static str> {
    cx.cancelled().await;
    cx.finish(async |cx: &Cx| Ok(cx.sleep(MS(1)).await?)).await?;
    Ok("finished")
}

fn a_value_of_the_loser_is_kept(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let Selected::First { won, lost } = cx.select(async |_: &Cx| Ok(1), finishes).await else {
            panic!("the first was ready")
        };
        assert_eq!((won?, lost?), (1, "finished"));
        let Selected::Second { won, lost } = cx.select(finishes, async |_: &Cx| Ok(1)).await else {
            panic!("the second was ready")
        };
        assert_eq!((won?, lost?), (1, "finished"));
        Ok(())
    });
}

/// Whichever of the messages the loser has taken when it loses: received are all, each once.
fn a_message_that_the_loser_took_is_not_lost(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        const MESSAGES: usize = 20;
        let (tx, mut rx) = mpsc::channel(4);
        let sender = cx.spawn("sender", async move |cx: &Cx| {
            for message in 0..MESSAGES {
                tx.send(cx, message).await?;
                cx.yield_now().await?;
            }
            Ok(())
        });
        let mut received = Vec::new();
        let mut round = 0;
        while received.len() < MESSAGES {
            round += 1;
            let take = async |cx: &Cx| {
                let message = rx.recv(cx).await?.expect("the sender sends them all");
                // It is in the hands of this body now, which may lose while it works on it.
                cx.finish(async |_: &Cx| {
                    for _ in 0..round % 5 {
                        breathe().await;
                    }
                })
                .await?;
                Ok(message)
            };
            let tick = async |cx: &Cx| {
                for _ in 0..round % 3 {
                    cx.yield_now().await?;
                }
                Ok(())
            };
            let (Selected::First { won: message, .. } | Selected::Second { lost: message, .. }) =
                cx.select(take, tick).await;
            match message {
                Err(failure @ Failure::Panicked(_)) => return Err(failure),
                message => received.extend(message.ok()),
            }
            cx.yield_now().await?;
        }
        assert_eq!(received, (0..MESSAGES).collect::<Vec<_>>());
        sender.join().await
    });
}

fn a_value_is_kept_when_the_winner_fails(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let fails = async |_: &Cx| -> Outcome { Err(Failure::Err(Error::msg("on purpose"))) };
        let Selected::First { won, lost } = cx.select(fails, finishes).await else {
            panic!("an error ends a race")
        };
        assert_eq!((won.unwrap_err().to_string().as_str(), lost?), ("on purpose", "finished"));
        assert_eq!(cx.select(finishes, fails).await.winner().unwrap_err().to_string(), "on purpose");
        Ok(())
    });
}

fn the_losers_panic_is_told_by_winner(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let panics = async |cx: &Cx| -> Outcome<u8> {
            cx.cancelled().await;
            panic!("in cleanup")
        };
        for selected in
            [cx.select(panics, async |_: &Cx| Ok(1)).await, cx.select(async |_: &Cx| Ok(1), panics).await]
        {
            let (Selected::First { lost, .. } | Selected::Second { lost, .. }) = &selected;
            assert!(matches!(lost, Err(Failure::Panicked(_))), "{lost:?}");
            let told = selected.winner().expect_err("whoever won");
            assert!(matches!(told, Failure::Panicked(panic) if panic.message() == "in cleanup"));
        }
        Ok(())
    });
}

fn what_is_finished_wins_when_the_caller_is_asked_to_stop(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tell, mut ready) = oneshot::channel();
        let task = cx.spawn("selects", async move |cx: &Cx| {
            let idle = async |cx: &Cx| -> Outcome<u8> {
                drop(tell.send(()));
                Ok(cx.sleep(HOUR).await.map(|()| 0)?)
            };
            cx.select(idle, finishes).await.winner()
        });
        ready.recv(cx).await?;
        assert_eq!(task.cancel(Budget::UNLIMITED).await?, Either::Second("finished"));
        Ok(())
    });
}

/// Some steps, and then a value: `slow` ones more than others.
async fn steps(counted: crate::probe::Counted, steps: usize) -> Outcome<usize> {
    for _ in 0..steps {
        breathe().await;
    }
    drop(counted);
    Ok(steps)
}

fn a_select_is_cancelled_at_every_await(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let count = Count::default();
        let play = |cx: Cx| -> Pin<Box<dyn Future<Output = usize> + Send>> {
            let (a, b) = (count.one(), count.one());
            Box::pin(async move {
                let body_a = async |cx: &Cx| {
                    cx.yield_now().await?;
                    steps(a, 3).await
                };
                let body_b = async |cx: &Cx| {
                    cx.yield_now().await?;
                    cx.finish(async |_: &Cx| steps(b, 4).await).await
                };
                let (Selected::First { won, lost } | Selected::Second { won, lost }) =
                    cx.select(body_a, body_b).await;
                [won, lost].into_iter().filter_map(Outcome::ok).sum()
            })
        };
        let (whole, ends) = at_every_poll(cx, play, || assert_eq!(count.alive(), 0)).await;
        assert_eq!(whole, 3 + 4, "both finish what they began");
        assert!(ends.iter().all(|end| [0, 7].contains(end)), "{ends:?}");
        assert!(ends.contains(&0) && ends.contains(&7), "{ends:?}");
        Ok(())
    });
}

fn the_first_of_many_wins_and_the_others_are_drained(host: &dyn Runner) {
    let log = Log::new();
    let inner = log.clone();
    host.ok(async move |cx: &Cx| {
        let first = cx
            .race_all(0..5, async |cx: &Cx, n: u64| {
                if n == 3 {
                    cx.yield_now().await?;
                    return Ok(n);
                }
                let why = cx.cancelled().await;
                assert_eq!(why.reason().kind(), ReasonKind::RaceLost);
                cx.finish(async |cx: &Cx| Ok(cx.sleep(MS(1)).await?)).await?;
                inner.push("drained");
                Err(why.into())
            })
            .await?;
        inner.push("returned");
        assert_eq!(first, 3);
        let ready = cx.race_all([7, 8], async |_: &Cx, n: i32| Ok(n)).await?;
        assert_eq!(ready, 7, "the first in order");
        Ok(())
    });
    assert_eq!(log.take(), ["drained", "drained", "drained", "drained", "returned"]);
}

fn values_of_many_losers_are_kept(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let selected = cx
            .select_all(
                [false, true, false],
                async |cx: &Cx, wins: bool| {
                    if wins { Ok("won") } else { finishes(cx).await }
                },
            )
            .await;
        assert_eq!(selected.winner, Some(1));
        let values: Vec<_> = selected.outcomes.into_iter().filter_map(Outcome::ok).collect();
        assert_eq!(values, ["finished", "won", "finished"]);
        Ok(())
    });
}

fn a_race_among_nobody_is_an_error(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let raced = cx.race_all([0; 0], async |_: &Cx, n: i32| Ok(n)).await;
        assert!(matches!(raced, Err(Failure::Err(_))), "{raced:?}");
        let selected = cx.select_all([0; 0], async |_: &Cx, n: i32| Ok(n)).await;
        assert!(selected.winner.is_none() && selected.outcomes.is_empty());
        Ok(())
    });
}

/// Polls its future and counts that.
async fn counting<F: Future>(polls: &AtomicUsize, future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|task| {
        polls.fetch_add(1, SeqCst);
        future.as_mut().poll(task)
    })
    .await
}

fn one_of_many_is_polled_when_it_was_woken(host: &dyn Runner) {
    let many = 2000 / host.scale().min(20);
    host.ok(async move |cx: &Cx| {
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..many).map(|_| oneshot::channel::<usize>()).unzip();
        let teller = cx.spawn("teller", async move |cx: &Cx| {
            for (n, sender) in senders.into_iter().enumerate() {
                cx.yield_now().await?;
                drop(sender.send(n));
            }
            Ok(())
        });
        // An iterator whose items are used once: the bodies' clones share the counter only.
        let polls = AtomicUsize::new(0);
        let values = cx
            .join_all(receivers, async |cx: &Cx, mut receiver: oneshot::Receiver<usize>| {
                Ok(counting(&polls, receiver.recv(cx)).await?)
            })
            .await?;
        assert_eq!(values, (0..many).collect::<Vec<_>>());
        assert!(polls.load(SeqCst) <= 2 * many, "{} polls of {many} bodies", polls.load(SeqCst));
        teller.join().await
    });
}

fn many_stubborn_losers_are_dropped_at_the_budgets_end(host: &dyn Runner) {
    let (count, polls) = (Count::default(), Arc::new(AtomicUsize::new(0)));
    let (inner, polled) = (count.clone(), polls.clone());
    let ran = host.run(short(10, 10_000), async move |cx: &Cx| {
        cx.race_all(0..10, async |_: &Cx, n: usize| {
            let _one = inner.one();
            if n < 9 {
                stubborn(polled.clone()).await;
            }
            Ok(n)
        })
        .await
    });
    assert_eq!(ran.outcome.expect("the winner's value"), 9);
    assert_eq!((count.alive(), count.dropped()), (0, 10));
    assert!(polls.load(SeqCst) >= 18, "each had one more poll");
}

fn a_request_reaches_all_of_many(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let log = Log::new();
        let inner = log.clone();
        let (tell, mut ready) = oneshot::channel();
        let task = cx.spawn("racer", async move |cx: &Cx| {
            let tell = std::sync::Mutex::new(Some(tell));
            cx.race_all(0..3, async |cx: &Cx, n: usize| {
                if n == 2 {
                    let tell = tell.lock().expect("nobody panicked").take();
                    drop(tell.map(|tell| tell.send(())));
                }
                let why = cx.sleep(HOUR).await.unwrap_err();
                inner.push(why.reason().kind());
                Err::<(), _>(why.into())
            })
            .await
        });
        ready.recv(cx).await?;
        assert_eq!(cancelled_kind(&task.cancel(Budget::UNLIMITED).await), ReasonKind::UserRequest);
        assert_eq!(log.take(), [ReasonKind::UserRequest; 3]);
        Ok(())
    });
}

fn a_race_among_many_is_cancelled_at_every_await(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let count = Count::default();
        let play = |cx: Cx| -> Pin<Box<dyn Future<Output = usize> + Send>> {
            let count = count.clone();
            Box::pin(async move {
                let selected = cx
                    .select_all(2..5, async |cx: &Cx, n: usize| {
                        let one = count.one();
                        cx.yield_now().await?;
                        cx.finish(async |_: &Cx| steps(one, n).await).await
                    })
                    .await;
                selected.outcomes.into_iter().filter_map(Outcome::ok).sum()
            })
        };
        let (whole, ends) = at_every_poll(cx, play, || assert_eq!(count.alive(), 0)).await;
        assert_eq!(whole, 2 + 3 + 4, "all finish what they began");
        assert!(ends.iter().all(|end| [0, 9].contains(end)), "{ends:?}");
        assert!(ends.contains(&0) && ends.contains(&9), "{ends:?}");
        let mut dropped = Box::pin(cx.race_all(0..3, async |cx: &Cx, _: usize| {
            let _one = count.one();
            Ok(cx.sleep(HOUR).await?)
        }));
        assert!(poll_now(dropped.as_mut()).is_pending());
        assert_eq!(count.alive(), 3);
        drop(dropped);
        assert_eq!(count.alive(), 0);
        Ok(())
    });
}
