//! Our own channels, locks, supervisors and regions, explored whole at small sizes. With `--nocapture`
//! each test tells how many traces there were.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, Instant};

use asupersync_core::channel::{broadcast, mpsc, oneshot, watch};
use asupersync_core::sync::{Barrier, Mutex, Notify, OnceCell, RwLock, Semaphore};
use asupersync_core::{Budget, Cx, Error, Failure, Outcome, Reason, ReasonKind, Region, TaskFn, TaskOutput};
use asupersync_lab::Explore;
use asupersync_lab::explore::Explored;

/// More than any of these needs.
const MOST: u64 = 300_000;

/// How many interleavings are tried to check that no outcome is missing.
const INTERLEAVINGS: u64 = 20_000;

fn whole<F, R>(name: &str, main: F)
where
    F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Clone + Send + 'static,
    R: TaskOutput<Ok: Debug + 'static> + 'static,
{
    let begin = Instant::now();
    let (found, optimal) = outcomes(&Explore::optimal().runs(MOST), main.clone());
    let seconds = begin.elapsed().as_secs_f64();
    println!("{name:<42} {:>7} traces {:>5} blocked {seconds:>7.3} s", found.traces, found.blocked);
    if let Some(failure) = found.failure {
        panic!("{name}: {}\n  {}", failure.message, failure.choices);
    }
    assert!(found.complete, "{name}: not explored whole");
    let (source, by_source) = outcomes(&Explore::source().runs(MOST), main.clone());
    assert!(source.complete && source.failure.is_none(), "{name}: {source:?}");
    assert_eq!(by_source, optimal, "{name}: source sets");
    let (naive, all) = outcomes(&Explore::naive().runs(INTERLEAVINGS), main);
    println!(
        "{:<42} {:>7} interleavings{}, {} outcomes",
        "",
        naive.traces,
        if naive.complete { "" } else { " of more" },
        all.len()
    );
    assert!(all.is_subset(&optimal), "{name}: {all:?} of all interleavings, {optimal:?} explored");
}

/// The outcomes of all runs.
fn outcomes<F, R>(explore: &Explore, main: F) -> (Explored, BTreeSet<String>)
where
    F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Clone + Send + 'static,
    R: TaskOutput<Ok: Debug + 'static> + 'static,
{
    // Beside the program, and written at its end only: what is explored does not depend on it.
    let outcomes = Arc::new(std::sync::Mutex::new(BTreeSet::new()));
    let told = outcomes.clone();
    let found = explore.run(async move |cx: &Cx| {
        let value = main(cx).await.into_outcome()?;
        told.lock().unwrap().insert(format!("{value:?}"));
        Ok(())
    });
    let outcomes = std::mem::take(&mut *outcomes.lock().unwrap());
    (found, outcomes)
}

fn stop() -> Reason {
    Reason::new(ReasonKind::UserRequest)
}

#[test]
fn mpsc_two_senders_one_place() {
    whole("mpsc(1), 2 senders of 1", async |cx: &Cx| {
        let (tx, mut rx) = mpsc::channel(1);
        for n in 1..=2 {
            let tx = tx.clone();
            drop(cx.spawn("send", async move |cx| Ok(tx.send(cx, n).await?)));
        }
        drop(tx);
        let mut got = Vec::new();
        while let Some(n) = rx.recv(cx).await? {
            got.push(n);
        }
        assert_eq!(got.iter().sum::<i32>(), 3);
        Ok(got)
    });
}

#[test]
fn mpsc_a_cancelled_sender_blocks_nobody() {
    whole("mpsc(1), one of 2 senders cancelled", async |cx: &Cx| {
        let (tx, mut rx) = mpsc::channel(1);
        tx.send(cx, 0).await?;
        let (first, second) = (tx.clone(), tx);
        let first = cx.spawn("first", async move |cx| Ok(first.send(cx, 1).await?));
        let second = cx.spawn("second", async move |cx| Ok(second.send(cx, 2).await?));
        first.request_cancel(stop());
        let mut got = Vec::new();
        while let Some(n) = rx.recv(cx).await? {
            got.push(n);
        }
        // What a sender was told is true: sent and received, or neither.
        let sent = first.join().await.is_ok();
        second.join().await?;
        assert_eq!(got.contains(&1), sent);
        assert!(got.contains(&0) && got.contains(&2));
        Ok((got, sent))
    });
}

#[test]
fn oneshot_and_its_dropped_sender() {
    whole("oneshot, sent or dropped", async |cx: &Cx| {
        let (tx, mut rx) = oneshot::channel();
        let send = cx.spawn("send", async |_| {
            drop(tx.send(7));
            Ok(())
        });
        send.request_cancel(stop());
        let got = rx.recv(cx).await;
        assert!(got.is_err() || got.as_ref().is_ok_and(|n| *n == 7));
        drop(send.join().await);
        Ok(got.ok())
    });
}

#[test]
fn watch_the_last_value_is_seen() {
    whole("watch, 2 values", async |cx: &Cx| {
        let (tx, mut rx) = watch::channel(0);
        let sender = cx.spawn("send", async move |_| {
            drop(tx.send(1));
            drop(tx.send(2));
            Ok(())
        });
        let mut seen = Vec::new();
        while rx.changed(cx).await.is_ok() {
            seen.push(*rx.borrow());
        }
        assert_eq!(*rx.borrow(), 2);
        sender.join().await?;
        Ok(seen)
    });
}

#[test]
fn mutex_three_increments() {
    whole("mutex, 3 tasks", async |cx: &Cx| {
        let count = Arc::new(Mutex::new(0));
        let tasks: Vec<_> = (0..2)
            .map(|_| {
                let count = count.clone();
                cx.spawn("add", async move |cx| {
                    let mut count = count.lock(cx).await?;
                    let before = *count;
                    cx.yield_now().await?;
                    *count = before + 1;
                    Ok(())
                })
            })
            .collect();
        for task in tasks {
            task.join().await?;
        }
        assert_eq!(*count.lock(cx).await?, 2);
        Ok(())
    });
}

#[test]
fn mutex_a_cancelled_waiter_blocks_nobody() {
    whole("mutex, the first waiter cancelled", async |cx: &Cx| {
        let lock = Arc::new(Mutex::new(()));
        let held = lock.lock(cx).await?;
        let (one, two) = (lock.clone(), lock.clone());
        let first = cx.spawn("first", async move |cx| Ok(_ = one.lock(cx).await?));
        let second = cx.spawn("second", async move |cx| Ok(_ = two.lock(cx).await?));
        first.request_cancel(stop());
        drop(held);
        second.join().await?;
        Ok(first.join().await.is_ok())
    });
}

#[test]
fn rwlock_two_readers_and_a_writer() {
    whole("rwlock, 2 readers and a writer", async |cx: &Cx| {
        let lock = Arc::new(RwLock::new(0));
        let (one, two, three) = (lock.clone(), lock.clone(), lock.clone());
        let readers = [one, two].map(|lock| {
            cx.spawn("read", async move |cx| {
                let value = *lock.read(cx).await?;
                assert!(value == 0 || value == 2);
                Ok(value)
            })
        });
        let writer = cx.spawn("write", async move |cx| {
            let mut value = three.write(cx).await?;
            *value = 1;
            cx.yield_now().await?;
            *value = 2;
            Ok(())
        });
        writer.join().await?;
        let mut seen = Vec::new();
        for reader in readers {
            seen.push(reader.join().await?);
        }
        Ok(seen)
    });
}

#[test]
fn semaphore_a_cancelled_waiter_gives_its_permit_on() {
    whole("semaphore(1), one of 2 waiters cancelled", async |cx: &Cx| {
        let semaphore = Arc::new(Semaphore::new(1));
        let held = semaphore.acquire(cx, 1).await?;
        let waiters = [0, 1].map(|_| {
            let semaphore = semaphore.clone();
            cx.spawn("wait", async move |cx| {
                // Kept for ever, so that only one of them gets it.
                std::mem::forget(semaphore.acquire(cx, 1).await?);
                Ok(())
            })
        });
        waiters[0].request_cancel(stop());
        drop(held);
        let [first, second] = waiters;
        // One permit: if the first did not take it, the second does.
        if first.join().await.is_ok() {
            second.request_cancel(stop());
            assert!(second.join().await.is_err());
            return Ok("first");
        }
        second.join().await?;
        Ok("second")
    });
}

#[test]
fn notify_one_is_not_lost_with_a_dropped_waiter() {
    whole("notify_one, one of 2 waiters cancelled", async |cx: &Cx| {
        let notify = Arc::new(Notify::new());
        let waiters = [0, 1].map(|_| {
            let notify = notify.clone();
            cx.spawn("wait", async move |cx| Ok(notify.notified(cx).await?))
        });
        waiters[0].request_cancel(stop());
        notify.notify_one();
        let [first, second] = waiters;
        if first.join().await.is_ok() {
            second.request_cancel(stop());
            drop(second.join().await);
            return Ok("first");
        }
        second.join().await?;
        Ok("second")
    });
}

#[test]
fn barrier_of_two() {
    whole("barrier(2)", async |cx: &Cx| {
        let barrier = Arc::new(Barrier::new(2));
        let other = barrier.clone();
        let task = cx.spawn("other", async move |cx| Ok(other.wait(cx).await?.is_leader()));
        let leads = barrier.wait(cx).await?.is_leader();
        assert_ne!(leads, task.join().await?);
        Ok(leads)
    });
}

#[test]
fn once_cell_one_initialiser_cancelled() {
    whole("once_cell, one of 2 initialisers cancelled", async |cx: &Cx| {
        let cell = Arc::new(OnceCell::new());
        let tasks = [1, 2].map(|n| {
            let cell = cell.clone();
            cx.spawn("init", async move |cx| {
                let value = cell.get_or_init(cx, async |cx| {
                    cx.yield_now().await?;
                    Ok(n)
                });
                Ok(*value.await?)
            })
        });
        tasks[0].request_cancel(stop());
        let [first, second] = tasks;
        let first = first.join().await;
        let second = second.join().await?;
        assert!(first.is_err() || first.is_ok_and(|first| first == second));
        Ok(second)
    });
}

#[test]
fn broadcast_each_receiver_sees_all() {
    whole("broadcast, 2 receivers, 2 values", async |cx: &Cx| {
        let (tx, rx) = broadcast::channel(4);
        let receivers = [tx.subscribe(), rx].map(|mut rx| {
            cx.spawn("recv", async move |cx| {
                assert_eq!(rx.recv(cx).await?, 1);
                assert_eq!(rx.recv(cx).await?, 2);
                Ok(())
            })
        });
        drop(tx.send(1));
        drop(tx.send(2));
        for receiver in receivers {
            receiver.join().await?;
        }
        Ok(())
    });
}

#[test]
fn a_region_whose_child_fails_cancels_the_other() {
    whole("region, a failing and a waiting child", async |cx: &Cx| {
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
    whole("region, 2 finalizers and a cancelled child", async |cx: &Cx| {
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
        drop(region.cancel(Budget::timeout(Duration::from_secs(1))).await);
        assert_eq!((rx.recv(cx).await?, rx.recv(cx).await?, rx.recv(cx).await?), (Some(2), Some(1), None));
        Ok(())
    });
}

#[test]
fn a_race_between_two() {
    whole("race, both ready", async |cx: &Cx| {
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
