//! Locks, and what else tasks wait for.

use std::sync::Arc;

use asupersync_core::sync::{Barrier, Mutex, Notify, OnceCell, RwLock, Semaphore};
use asupersync_core::{Cx, Error, Failure};
use asupersync_lab::{Shared, pause};

use crate::{Log, stop, whole};

#[test]
fn mutex_three_increments() {
    whole("mutex: no update is lost", "3 tasks", async |cx: &Cx| {
        let count = Arc::new(Mutex::new(0));
        let tasks: Vec<_> = (0..3)
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
        assert_eq!(*count.lock(cx).await?, 3);
        Ok(())
    });
}

#[test]
fn mutex_a_cancelled_waiter_blocks_nobody() {
    whole("mutex: a cancelled waiter blocks nobody", "2 waiters", async |cx: &Cx| {
        let lock = Arc::new(Mutex::new(()));
        let held = lock.lock(cx).await?;
        let (one, two) = (lock.clone(), lock.clone());
        let first = cx.spawn("first", async move |cx| Ok(_ = one.lock(cx).await?));
        let second = cx.spawn("second", async move |cx| Ok(_ = two.lock(cx).await?));
        first.request_cancel(stop());
        pause().await;
        drop(held);
        second.join().await?;
        Ok(first.join().await.is_ok())
    });
}

#[test]
fn rwlock_two_readers_and_a_writer() {
    whole("rwlock: readers see whole writes", "2 readers and a writer", async |cx: &Cx| {
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
    whole("semaphore: a cancelled waiter gives its permit on", "1 permit, 2 waiters", async |cx: &Cx| {
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
        pause().await;
        waiters[0].request_cancel(stop());
        pause().await;
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
    whole("notify_one: a cancelled waiter passes it on", "2 waiters", async |cx: &Cx| {
        let notify = Arc::new(Notify::new());
        let waiters = [0, 1].map(|_| {
            let notify = notify.clone();
            cx.spawn("wait", async move |cx| Ok(notify.notified(cx).await?))
        });
        pause().await;
        waiters[0].request_cancel(stop());
        pause().await;
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
    whole("barrier: of two one leads", "2 tasks", async |cx: &Cx| {
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
    whole("once_cell: one initialiser is cancelled", "2 tasks", async |cx: &Cx| {
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
        pause().await;
        tasks[0].request_cancel(stop());
        let [first, second] = tasks;
        let first = first.join().await;
        let second = second.join().await?;
        assert!(first.is_err() || first.is_ok_and(|first| first == second));
        Ok(second)
    });
}

#[test]
fn rwlock_a_cancelled_writer_lets_readers_in() {
    whole("rwlock: a waiting writer is cancelled", "2 readers and a writer", async |cx: &Cx| {
        let lock = Arc::new(RwLock::new(0));
        let held = lock.read(cx).await?;
        let (one, two) = (lock.clone(), lock.clone());
        let writer = cx.spawn("write", async move |cx| {
            *one.write(cx).await? += 1;
            Ok(())
        });
        let reader = cx.spawn("read", async move |cx| Ok(*two.read(cx).await?));
        pause().await;
        writer.request_cancel(stop());
        // While the first reader is there, no writer has written.
        let seen = reader.join().await?;
        assert_eq!(seen, 0);
        drop(held);
        Ok(writer.join().await.is_ok())
    });
}

#[test]
fn rwlock_two_writers() {
    whole("rwlock: writers exclude each other", "2 writers and a reader", async |cx: &Cx| {
        let lock = Arc::new(RwLock::new(0));
        for _ in 0..2 {
            let lock = lock.clone();
            drop(cx.spawn("write", async move |cx| {
                let mut value = lock.write(cx).await?;
                let before = *value;
                cx.yield_now().await?;
                *value = before + 1;
                Ok(())
            }));
        }
        pause().await;
        let seen = *lock.read(cx).await?;
        Ok(seen)
    });
}

#[test]
fn semaphore_of_mixed_demands() {
    whole("semaphore: nobody overtakes", "2 permits, demands 2, 1 and 1", async |cx: &Cx| {
        let (semaphore, log) = (Arc::new(Semaphore::new(2)), Log::default());
        let tasks = [("two", 2), ("one", 1), ("another", 1)].map(|(name, wants)| {
            let (semaphore, log) = (semaphore.clone(), log.clone());
            cx.spawn(name, async move |cx| {
                let _permit = semaphore.acquire(cx, wants).await?;
                log.tell(name);
                Ok(cx.yield_now().await?)
            })
        });
        for task in tasks {
            task.join().await?;
        }
        assert_eq!(semaphore.available(), 2);
        Ok(log.told())
    });
}

#[test]
fn notify_waiters_wakes_who_waits() {
    whole("notify_waiters: those who wait, and no others", "2 waiters", async |cx: &Cx| {
        let notify = Arc::new(Notify::new());
        let waiters = [1, 2].map(|_| {
            let notify = notify.clone();
            cx.spawn("wait", async move |cx| Ok(notify.notified(cx).await?))
        });
        pause().await;
        notify.notify_waiters();
        let mut woken = Vec::new();
        for waiter in waiters {
            pause().await;
            waiter.request_cancel(stop());
            woken.push(waiter.join().await.is_ok());
        }
        Ok(woken)
    });
}

#[test]
fn barrier_of_three() {
    whole("barrier: one leads", "3 tasks", async |cx: &Cx| {
        let barrier = Arc::new(Barrier::new(3));
        let tasks = [1, 2].map(|_| {
            let barrier = barrier.clone();
            cx.spawn("wait", async move |cx| Ok(barrier.wait(cx).await?.is_leader()))
        });
        let mut leaders = usize::from(barrier.wait(cx).await?.is_leader());
        for task in tasks {
            leaders += usize::from(task.join().await?);
        }
        assert_eq!(leaders, 1);
        Ok(())
    });
}

#[test]
fn barrier_one_is_cancelled() {
    whole("barrier: one is cancelled, another takes its place", "2 of 3 tasks", async |cx: &Cx| {
        let barrier = Arc::new(Barrier::new(2));
        let wait = || {
            let barrier = barrier.clone();
            cx.spawn("wait", async move |cx| Ok(_ = barrier.wait(cx).await?))
        };
        let (first, second) = (wait(), wait());
        pause().await;
        first.request_cancel(stop());
        let first = first.join().await.is_ok();
        // One that left when the barrier was open already has been counted.
        let third = wait();
        second.join().await?;
        third.request_cancel(stop());
        Ok((first, third.join().await.is_ok()))
    });
}

#[test]
fn once_cell_one_initialiser_fails() {
    whole("once_cell: the first initialiser fails", "2 tasks", async |cx: &Cx| {
        let (cell, tries) = (Arc::new(OnceCell::new()), Arc::new(Shared::new(0)));
        let tasks = [1, 2].map(|n| {
            let (cell, tries) = (cell.clone(), tries.clone());
            cx.spawn("init", async move |cx| {
                let value = cell.get_or_init(cx, async |cx: &Cx| {
                    cx.yield_now().await?;
                    let mut tries = tries.lock();
                    *tries += 1;
                    if *tries == 1 { Err(Failure::Err(Error::msg("no"))) } else { Ok(n) }
                });
                Ok(value.await.ok().copied())
            })
        });
        let mut values = Vec::new();
        for task in tasks {
            values.push(task.join().await?);
        }
        assert!(*tries.read() == 2 && values.iter().flatten().count() == 1, "{values:?}");
        Ok(values)
    });
}
