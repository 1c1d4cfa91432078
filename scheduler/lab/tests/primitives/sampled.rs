//! What is too large to be explored whole.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use asupersync_core::channel::{broadcast, delivery, mpsc};
use asupersync_core::supervise::{ChildSpec, Restart, Strategy, Supervisor};
use asupersync_core::sync::{Mutex, Semaphore};
use asupersync_core::{Budget, Cx, Error, Failure, Outcome, Region};
use asupersync_lab::{Shared, pause};

use crate::{sampled, stop};

#[test]
fn mpsc_of_many() {
    sampled("mpsc: many senders, some cancelled", "room 2, 6 senders of 4", 200, async |cx: &Cx| {
        let (tx, mut rx) = mpsc::channel(2);
        let senders: Vec<_> = (0..6)
            .map(|_| {
                let tx = tx.clone();
                cx.spawn("send", async move |cx| {
                    for n in 0..4 {
                        tx.send(cx, n).await?;
                    }
                    Ok(())
                })
            })
            .collect();
        drop(tx);
        senders[0].request_cancel(stop());
        let mut got = 0;
        while rx.recv(cx).await?.is_some() {
            got += 1;
            if got == 10 {
                senders[1].request_cancel(stop());
            }
        }
        for sender in &senders[2..] {
            assert!(sender.is_finished() || got >= 16);
        }
        assert!((16..=24).contains(&got));
        Ok(())
    });
}

#[test]
fn philosophers_of_seven() {
    sampled("mutexes: philosophers, one of them left-handed", "7 tasks, 7 locks", 200, async |cx: &Cx| {
        let forks: Vec<_> = (0..7).map(|_| Arc::new(Mutex::new(0))).collect();
        let tasks: Vec<_> = (0..7)
            .map(|n| {
                let (left, right) = (forks[n].clone(), forks[(n + 1) % 7].clone());
                let (first, second) = if n == 6 { (right, left) } else { (left, right) };
                cx.spawn("philosopher", async move |cx| {
                    let mut first = first.lock(cx).await?;
                    pause().await;
                    let mut second = second.lock(cx).await?;
                    *first += 1;
                    *second += 1;
                    Ok(())
                })
            })
            .collect();
        for task in tasks {
            task.join().await?;
        }
        for fork in forks {
            assert_eq!(*fork.lock(cx).await?, 2);
        }
        Ok(())
    });
}

#[test]
fn broadcast_of_many() {
    sampled("broadcast: slow receivers", "room 2, 2 senders of 5, 4 receivers", 200, async |cx: &Cx| {
        let (tx, rx) = broadcast::channel(2);
        let receivers: Vec<_> = (0..4)
            .map(|_| {
                let mut rx = rx.clone();
                cx.spawn("recv", async move |cx| {
                    let mut seen = 0;
                    loop {
                        match rx.recv(cx).await {
                            Ok(()) => seen += 1,
                            Err(broadcast::RecvError::Lagged(missed)) => seen += missed,
                            Err(_) => return Ok(seen),
                        }
                    }
                })
            })
            .collect();
        drop(rx);
        for _ in 0..2 {
            let tx = tx.clone();
            drop(cx.spawn("send", async move |cx| {
                for _ in 0..5 {
                    drop(tx.send(()));
                    cx.yield_now().await?;
                }
                Ok(())
            }));
        }
        drop(tx);
        for receiver in receivers {
            assert_eq!(receiver.join().await?, 10);
        }
        Ok(())
    });
}

#[test]
fn deliveries_of_many() {
    sampled("delivery: workers that fail", "room 3, 8 messages, 3 workers", 200, async |cx: &Cx| {
        let (tx, rx) = delivery::channel::<u32>(3);
        let (rx, done) = (Arc::new(Mutex::new(rx)), Arc::new(Shared::new(0)));
        let workers: Vec<_> = (0..3)
            .map(|_| {
                let (rx, done) = (rx.clone(), done.clone());
                cx.spawn("work", async move |cx| {
                    loop {
                        // Only one receives, but all work.
                        let received = rx.lock(cx).await?.recv(cx).await?;
                        let Some(message) = received else { return Ok(()) };
                        cx.yield_now().await?;
                        if message.attempt() == 1 && *message % 2 == 0 {
                            message.nack();
                        } else {
                            message.ack();
                            *done.lock() += 1;
                        }
                    }
                })
            })
            .collect();
        for n in 0..8 {
            tx.send(cx, n).await?;
        }
        drop(tx);
        for worker in workers {
            worker.join().await?;
        }
        assert_eq!(*done.read(), 8);
        Ok(())
    });
}

#[test]
fn regions_of_many() {
    sampled("regions: a tree that is cancelled", "depth 3, 2 tasks in each of 7", 150, async |cx: &Cx| {
        let slots = Arc::new(Semaphore::new(2));
        let finalized = Arc::new(Shared::new((0, 0)));
        let (permits, counts) = (slots.clone(), finalized.clone());
        let root = cx.spork("root", async move |cx| grow(cx.clone(), 3, permits, counts).await);
        pause().await;
        drop(root.cancel(Budget::timeout(Duration::from_secs(1))).await);
        let (registered, run) = *finalized.read();
        assert_eq!(registered, run, "a finalizer was lost, or ran twice");
        assert_eq!(slots.available(), 2);
        Ok(())
    });
}

/// How many finalizers were registered, and have run.
type Counts = Arc<Shared<(u32, u32)>>;

type Growing = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// A region with a finalizer, two tasks that want a permit, and two such regions.
fn grow(cx: Cx, depth: u32, slots: Arc<Semaphore>, counts: Counts) -> Growing {
    Box::pin(async move {
        if depth == 0 {
            return Ok(());
        }
        Region::open(&cx, "region", async move |cx: &Cx| {
            let run = counts.clone();
            cx.defer(async move |_| run.lock().1 += 1)?;
            counts.lock().0 += 1;
            for _ in 0..2 {
                let permits = slots.clone();
                drop(cx.spawn("task", async move |cx| {
                    let _permit = permits.acquire(cx, 1).await?;
                    Ok(cx.yield_now().await?)
                }));
                let (slots, counts) = (slots.clone(), counts.clone());
                drop(cx.spork("child", async move |cx| grow(cx.clone(), depth - 1, slots, counts).await));
            }
            cx.cancelled().await;
            Ok(())
        })
        .await
    })
}

#[test]
fn a_supervisor_of_many() {
    sampled("supervisor: one for all, again and again", "5 children, 4 restarts", 150, async |cx: &Cx| {
        let starts = Arc::new(Shared::new(0));
        let mut supervisor = Supervisor::new(Strategy::OneForAll).intensity(4, Duration::from_secs(60));
        for _ in 0..5 {
            let starts = starts.clone();
            let child = ChildSpec::new("child", async move |cx: &Cx| {
                let start = {
                    let mut starts = starts.lock();
                    *starts += 1;
                    *starts
                };
                cx.yield_now().await?;
                if start % 7 == 3 { Err(Failure::Err(Error::msg("no"))) } else { Ok(()) }
            });
            supervisor = supervisor.child(child.restart(Restart::Transient));
        }
        // Whether it gives up depends on the order; that it ends does not.
        Ok(supervisor.run(cx).await.is_ok())
    });
}
