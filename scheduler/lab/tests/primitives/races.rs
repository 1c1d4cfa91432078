//! Races, joins and timeouts.

use std::sync::Arc;
use std::time::Duration;

use asupersync_core::channel::{mpsc, oneshot};
use asupersync_core::sync::Mutex;
use asupersync_core::{Cx, Error, Failure, Outcome, Region, Selected};
use asupersync_lab::pause;

use crate::{Log, stop, whole};

#[test]
fn a_race_between_two() {
    whole("race: between a message and a turn", "2 arms, 1 sender", async |cx: &Cx| {
        let (tx, mut rx) = mpsc::channel(1);
        let send = cx.spawn("send", async move |cx| Ok(tx.send(cx, 1).await?));
        let won = cx.race(
            async |cx: &Cx| Ok(rx.recv(cx).await?),
            async |cx: &Cx| {
                cx.yield_now().await?;
                Ok(None)
            },
        );
        let won = won.await?;
        Ok((won, send.join().await.is_ok()))
    });
}

#[test]
fn a_race_whose_loser_holds_a_lock() {
    whole("race: the loser gives its lock back", "2 arms, 1 task", async |cx: &Cx| {
        let lock = Arc::new(Mutex::new(0));
        let other = lock.clone();
        let task = cx.spawn("lock", async move |cx| {
            *other.lock(cx).await? += 1;
            Ok(())
        });
        let won = cx.race(
            async |cx: &Cx| {
                let _held = lock.lock(cx).await?;
                cx.yield_now().await?;
                Ok("locks")
            },
            async |cx: &Cx| {
                cx.yield_now().await?;
                Ok("yields")
            },
        );
        let won = won.await?;
        task.join().await?;
        Ok(won)
    });
}

#[test]
fn a_race_that_is_cancelled() {
    whole("race: cancelled while both wait", "2 arms, 2 senders", async |cx: &Cx| {
        let (one, mut first) = oneshot::channel();
        let (two, mut second) = oneshot::channel();
        let race = cx.spawn("race", async move |cx| {
            cx.race(async |cx: &Cx| Ok(first.recv(cx).await?), async |cx: &Cx| Ok(second.recv(cx).await?))
                .await
        });
        let send = cx.spawn("send", async move |_| drop(one.send(1)));
        pause().await;
        race.request_cancel(stop());
        drop(two.send(2));
        send.join().await?;
        Ok(race.join().await.ok())
    });
}

#[test]
fn select_keeps_what_the_loser_took() {
    whole("select: a message that the loser took", "2 arms, 2 messages", async |cx: &Cx| {
        let (tx, mut rx) = mpsc::channel(2);
        let (tell, mut told) = oneshot::channel();
        let send = cx.spawn("send", async move |cx| Ok(tx.send(cx, 1).await?));
        let tells = cx.spawn("tell", async move |_| drop(tell.send(2)));
        let selected =
            cx.select(async |cx: &Cx| Ok(rx.recv(cx).await?), async |cx: &Cx| Ok(told.recv(cx).await?));
        let taken = match selected.await {
            Selected::First { won, .. } => won?,
            Selected::Second { lost, .. } => lost.ok().flatten(),
        };
        send.join().await?;
        tells.join().await?;
        // What was sent is taken, or still there.
        assert_eq!(taken.or(rx.recv(cx).await?), Some(1));
        Ok(taken)
    });
}

#[test]
fn a_join_that_fails_stops_the_other() {
    whole("join: one fails, the other is stopped", "2 arms", async |cx: &Cx| {
        let log = Log::default();
        let joined = cx.join(
            async |cx: &Cx| -> Outcome {
                cx.yield_now().await?;
                Err(Failure::Err(Error::msg("no")))
            },
            async |cx: &Cx| {
                cx.cancelled().await;
                log.tell("stopped");
                Ok(())
            },
        );
        assert!(joined.await.is_err());
        Ok(log.told())
    });
}

#[test]
fn a_timeout_at_the_moment_of_the_message() {
    whole("timeout: due when the message comes", "1 sender", async |cx: &Cx| {
        let second = Duration::from_secs(1);
        let (tx, mut rx) = mpsc::channel(1);
        let send = cx.spawn("send", async move |cx| {
            cx.sleep(second).await?;
            Ok(tx.send(cx, 1).await?)
        });
        let got = cx.timeout(second, async |cx: &Cx| Ok(rx.recv(cx).await?)).await.ok();
        send.join().await?;
        // It is not lost: received, or still there.
        let left = rx.recv(cx).await?;
        assert_eq!(got.flatten().is_some(), left.is_none());
        Ok(got)
    });
}

#[test]
fn a_race_that_is_won_in_a_region() {
    whole("race: the loser is a region with a task", "2 arms, 1 task", async |cx: &Cx| {
        let log = Log::default();
        let tell = log.clone();
        let won = cx.race(
            async move |cx: &Cx| {
                Region::open(cx, "region", async move |cx: &Cx| {
                    let told = tell.clone();
                    cx.defer(async move |_| told.tell("finalized"))?;
                    let task = cx.spawn("task", async move |cx| {
                        cx.cancelled().await;
                        tell.tell("drained");
                    });
                    task.join().await
                })
                .await
            },
            async |cx: &Cx| Ok(cx.yield_now().await?),
        );
        won.await?;
        assert_eq!(log.told().last(), Some(&"finalized"));
        Ok(log.told())
    });
}
