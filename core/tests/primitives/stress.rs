//! Locks and channels between real workers, while some of their users are cancelled. What holds by
//! hand must hold in parallel; this is the part that a test by hand cannot see.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use asupersync::{Cx, Handle, Outcome, Reason, ReasonKind};
use asupersync_core::channel::{broadcast, mpsc, watch};
use asupersync_core::sync::{Barrier, Mutex, Notify, OnceCell, RwLock, Semaphore};

use crate::hand::{Census, Token};

const TASKS: usize = 24;
const ROUNDS: usize = 100;

/// Asks every third to stop, then waits for all.
async fn cancel_some(handles: Vec<Handle<()>>) {
    for handle in handles.iter().step_by(3) {
        handle.request_cancel(Reason::new(ReasonKind::UserRequest));
    }
    for handle in handles {
        // Those that were asked may be cancelled.
        let ended = handle.join().await;
        assert!(ended.as_ref().err().is_none_or(|failure| failure.as_cancelled().is_some()), "{ended:?}");
    }
}

#[asupersync::test(workers = 4)]
async fn a_lock_excludes(cx: &Cx) -> Outcome<()> {
    let lock = Arc::new((Mutex::new(0), RwLock::new((0, 0)), Semaphore::new(2)));
    let (done, inside) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let tasks = (0..TASKS).map(|task| {
        let (lock, done, inside) = (lock.clone(), done.clone(), inside.clone());
        cx.spawn("user", async move |cx| {
            let (mutex, rwlock, slots) = &*lock;
            for round in 0..ROUNDS {
                if (task + round) % 4 == 0 {
                    let mut pair = rwlock.write(cx).await?;
                    pair.0 += 1;
                    pair.1 += 1;
                    let pair = pair.downgrade();
                    assert_eq!(pair.0, pair.1);
                } else {
                    let pair = rwlock.read(cx).await?;
                    assert_eq!(pair.0, pair.1);
                }
                {
                    let _slot = slots.acquire(cx, 1 + round % 2).await?;
                    assert!(inside.fetch_add(1, Ordering::SeqCst) < 2);
                    inside.fetch_sub(1, Ordering::SeqCst);
                }
                *mutex.lock(cx).await? += 1;
                done.fetch_add(1, Ordering::SeqCst);
            }
            Ok(())
        })
    });
    cancel_some(tasks.collect()).await;
    let (mutex, rwlock, slots) = &*lock;
    assert_eq!(*mutex.try_lock().expect("free"), done.load(Ordering::SeqCst));
    assert!(done.load(Ordering::SeqCst) >= TASKS * 2 / 3 * ROUNDS);
    assert!(rwlock.try_write().is_some());
    assert_eq!(slots.available(), 2);
    Ok(())
}

#[asupersync::test(workers = 4)]
async fn a_barrier_and_a_cell_are_passed_by_all(cx: &Cx) -> Outcome<()> {
    for _ in 0..ROUNDS {
        let shared = Arc::new((Barrier::new(TASKS), OnceCell::new()));
        let (made, leaders) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let tasks: Vec<_> = (0..TASKS)
            .map(|task| {
                let (shared, made, leaders) = (shared.clone(), made.clone(), leaders.clone());
                cx.spawn("party", async move |cx| {
                    let (barrier, cell) = &*shared;
                    if barrier.wait(cx).await?.is_leader() {
                        leaders.fetch_add(1, Ordering::SeqCst);
                    }
                    let made = cell.get_or_init(cx, async |cx| {
                        cx.yield_now().await?;
                        Ok((task, made.fetch_add(1, Ordering::SeqCst)))
                    });
                    assert_eq!(made.await?.1, 0);
                    Ok(())
                })
            })
            .collect();
        for task in tasks {
            task.join().await?;
        }
        assert_eq!((made.load(Ordering::SeqCst), leaders.load(Ordering::SeqCst)), (1, 1));
    }
    Ok(())
}

#[asupersync::test(workers = 4)]
async fn one_notification_is_never_lost(cx: &Cx) -> Outcome<()> {
    let notify = Arc::new(Notify::new());
    let tasks = (0..TASKS).map(|_| {
        let notify = notify.clone();
        cx.spawn("waiter", async move |cx| {
            for _ in 0..ROUNDS {
                notify.notified(cx).await?;
                notify.notify_one();
            }
            Ok(())
        })
    });
    let tasks = tasks.collect();
    notify.notify_one();
    cancel_some(tasks).await;
    notify.notified(cx).await?;
    Ok(())
}

#[asupersync::test(workers = 4)]
async fn channels_lose_nothing(cx: &Cx) -> Outcome<()> {
    let (census, sent) = (Census::default(), Arc::new(AtomicUsize::new(0)));
    let (tx, mut rx) = mpsc::channel(3);
    let (utx, mut urx) = mpsc::unbounded();
    let tasks = (0..TASKS).map(|_| {
        let (tx, utx, census, sent) = (tx.clone(), utx.clone(), census.clone(), sent.clone());
        cx.spawn("sender", async move |cx| {
            for _ in 0..ROUNDS {
                let permit = tx.reserve(cx).await?;
                sent.fetch_add(1, Ordering::SeqCst);
                permit.send(census.token(0));
                assert!(utx.send(census.token(1)).is_ok());
            }
            Ok(())
        })
    });
    let tasks: Vec<_> = tasks.collect();
    drop((tx, utx));
    let receiver = cx.spawn("receiver", async move |cx| {
        let mut got = 0;
        while rx.recv(cx).await?.is_some() {
            got += 1;
        }
        let mut unbounded = 0;
        while urx.recv(cx).await?.is_some() {
            unbounded += 1;
        }
        Ok((got, unbounded))
    });
    cancel_some(tasks).await;
    let sent = sent.load(Ordering::SeqCst);
    assert_eq!(receiver.join().await?, (sent, sent));
    assert_eq!(census.alive(), 0);
    Ok(())
}

#[asupersync::test(workers = 4)]
async fn everybody_hears_of_the_last_value(cx: &Cx) -> Outcome<()> {
    let last = u32::try_from(ROUNDS * 10).expect("small");
    let census = Census::default();
    let (btx, brx) = broadcast::channel(4);
    let (wtx, wrx) = watch::channel(0);
    let tasks = (0..TASKS).map(|_| {
        let (mut brx, mut wrx) = (brx.clone(), wrx.clone());
        cx.spawn("receiver", async move |cx| {
            let mut next: u64 = 0;
            loop {
                match brx.recv(cx).await {
                    Ok(Token(name, ..)) => {
                        assert_eq!(u64::from(name), next);
                        next += 1;
                    }
                    Err(broadcast::RecvError::Lagged(missed)) => next += missed,
                    Err(broadcast::RecvError::Closed) => break,
                    Err(cancelled) => return Err(cancelled.into()),
                }
            }
            assert_eq!(next, u64::from(last));
            wrx.wait_for(cx, |value| *value == TASKS + 1).await?;
            Ok(())
        })
    });
    let tasks: Vec<_> = tasks.collect();
    drop((brx, wrx));
    let names = census.clone();
    let sender = cx.spawn("sender", async move |cx| {
        for name in 0..last {
            assert!(btx.send(names.token(name)).is_ok());
            if name % 7 == 0 {
                cx.yield_now().await?;
            }
        }
        Ok(())
    });
    // Concurrent changes of one value: none is lost.
    let counters = (0..TASKS).map(|_| {
        let wtx = wtx.clone();
        cx.spawn("counter", async move |_| {
            wtx.send_modify(|value| *value += 1);
            Ok(())
        })
    });
    for counter in counters.collect::<Vec<_>>() {
        counter.join().await?;
    }
    wtx.send_modify(|value| *value += 1);
    sender.join().await?;
    cancel_some(tasks).await;
    wtx.closed(cx).await?;
    assert_eq!((*wtx.borrow(), census.alive()), (TASKS + 1, 0));
    Ok(())
}
