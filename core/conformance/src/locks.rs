//! Mutex, semaphore and notify: handed over in order, and a waiter that leaves loses nothing.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use asupersync_core::sync::{Mutex, Notify, Semaphore};
use asupersync_core::{Budget, Cx, Outcome};

use crate::probe::{Victim, poll_now};
use crate::runner::Runner;

crate::cases![
    a_mutex_excludes,
    a_mutex_is_handed_over_in_order,
    a_guard_dropped_by_a_panic_unlocks,
    a_waiter_that_leaves_blocks_nobody,
    a_waiter_that_leaves_with_the_lock_passes_it_on,
    a_semaphore_is_fair_to_the_large,
    a_large_waiter_that_leaves_lets_the_small_pass,
    forgotten_permits_stay_away,
    a_notification_is_kept_once,
    a_notification_wakes_one,
    notify_waiters_wakes_those_who_wait_only,
    a_notified_waiter_that_leaves_passes_it_on,
    a_waiter_of_all_that_leaves_passes_nothing_on,
    locks_survive_cancels_at_any_point,
];

fn a_mutex_excludes(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let sum = Arc::new(Mutex::new((0, false)));
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let sum = sum.clone();
                cx.spawn("adder", async move |cx: &Cx| {
                    for _ in 0..20 {
                        let mut guard = sum.lock(cx).await?;
                        assert!(!guard.1, "two inside");
                        guard.1 = true;
                        cx.yield_now().await?;
                        guard.0 += 1;
                        guard.1 = false;
                    }
                    Ok(())
                })
            })
            .collect();
        for task in tasks {
            task.join().await?;
        }
        assert_eq!(sum.lock(cx).await?.0, 400);
        assert_eq!(Arc::into_inner(sum).expect("the tasks are gone").into_inner().0, 400);
        Ok(())
    });
}

fn a_mutex_is_handed_over_in_order(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let mutex = Mutex::new(0);
        let mut held = Some(mutex.lock(cx).await?);
        assert!(mutex.try_lock().is_none());
        let mut waiting: Vec<_> = (0..4).map(|_| Box::pin(mutex.lock(cx))).collect();
        for lock in &mut waiting {
            assert!(poll_now(lock.as_mut()).is_pending());
        }
        for n in 0..4 {
            drop(held.take());
            assert!(mutex.try_lock().is_none(), "nobody barges past those who wait");
            for later in waiting.iter_mut().skip(n + 1) {
                assert!(poll_now(later.as_mut()).is_pending());
            }
            let Poll::Ready(guard) = poll_now(waiting[n].as_mut()) else { panic!("{n} was not served") };
            held = Some(guard?);
        }
        drop(held);
        assert!(mutex.try_lock().is_some());
        Ok(())
    });
}

fn a_guard_dropped_by_a_panic_unlocks(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let mutex = Mutex::new(1);
        let panics = async |cx: &Cx| -> Outcome {
            let mut guard = mutex.lock(cx).await?;
            *guard = 2;
            panic!("with the lock")
        };
        let outcome = cx.shield(Budget::UNLIMITED, panics).await;
        drop(outcome);
        assert_eq!(*mutex.lock(cx).await?, 2);
        Ok(())
    });
}

fn a_waiter_that_leaves_blocks_nobody(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let mutex = Mutex::new(());
        let held = mutex.lock(cx).await?;
        let victim = Victim::new(cx).await;
        let mut first = Box::pin(mutex.lock(&victim.cx));
        let mut second = Box::pin(mutex.lock(cx));
        assert!(poll_now(first.as_mut()).is_pending() && poll_now(second.as_mut()).is_pending());
        victim.request();
        assert!(matches!(poll_now(first.as_mut()), Poll::Ready(Err(_))));
        drop(held);
        assert!(poll_now(second.as_mut()).is_ready());
        Ok(())
    });
}

fn a_waiter_that_leaves_with_the_lock_passes_it_on(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        for dropped in [true, false] {
            let mutex = Mutex::new(());
            let held = mutex.lock(cx).await?;
            let victim = Victim::new(cx).await;
            let mut first = Box::pin(mutex.lock(&victim.cx));
            let mut second = Box::pin(mutex.lock(cx));
            assert!(poll_now(first.as_mut()).is_pending() && poll_now(second.as_mut()).is_pending());
            drop(held);
            assert!(poll_now(second.as_mut()).is_pending(), "it is the first's");
            if !dropped {
                victim.request();
                assert!(matches!(poll_now(first.as_mut()), Poll::Ready(Err(_))));
            }
            drop(first);
            assert!(poll_now(second.as_mut()).is_ready(), "the lock was lost");
            drop(second);
            assert!(mutex.try_lock().is_some());
        }
        Ok(())
    });
}

fn a_semaphore_is_fair_to_the_large(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let semaphore = Semaphore::new(3);
        let two = semaphore.acquire(cx, 2).await?;
        let mut large = Box::pin(semaphore.acquire(cx, 3));
        let mut small = Box::pin(semaphore.acquire(cx, 1));
        assert!(poll_now(large.as_mut()).is_pending());
        assert!(poll_now(small.as_mut()).is_pending() && semaphore.try_acquire(1).is_none(), "overtaken");
        drop(two);
        let Poll::Ready(got) = poll_now(large.as_mut()) else { panic!("not served") };
        assert_eq!(got?.permits(), 3);
        assert!(poll_now(small.as_mut()).is_ready());
        Ok(())
    });
}

fn a_large_waiter_that_leaves_lets_the_small_pass(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let semaphore = Semaphore::new(1);
        let victim = Victim::new(cx).await;
        let mut large = Box::pin(semaphore.acquire(&victim.cx, 2));
        let mut small = Box::pin(semaphore.acquire(cx, 1));
        assert!(poll_now(large.as_mut()).is_pending() && poll_now(small.as_mut()).is_pending());
        victim.request();
        assert!(poll_now(large.as_mut()).is_ready());
        drop(large);
        assert!(poll_now(small.as_mut()).is_ready());
        Ok(())
    });
}

fn forgotten_permits_stay_away(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let semaphore = Semaphore::new(2);
        semaphore.acquire(cx, 1).await?.forget();
        assert_eq!(semaphore.available(), 1);
        let mut both = pin!(semaphore.acquire(cx, 2));
        assert!(poll_now(both.as_mut()).is_pending());
        semaphore.release(1);
        assert!(poll_now(both).is_ready());
        Ok(())
    });
}

fn a_notification_is_kept_once(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let notify = Notify::new();
        notify.notify_one();
        notify.notify_one();
        assert!(poll_now(pin!(notify.notified(cx))).is_ready());
        assert!(poll_now(pin!(notify.notified(cx))).is_pending());
        Ok(())
    });
}

fn a_notification_wakes_one(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let notify = Notify::new();
        let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(notify.notified(cx))).collect();
        for waiter in &mut waiting {
            assert!(poll_now(waiter.as_mut()).is_pending());
        }
        for n in 0..3 {
            notify.notify_one();
            for later in waiting.iter_mut().skip(n + 1) {
                assert!(poll_now(later.as_mut()).is_pending());
            }
            assert!(poll_now(waiting[n].as_mut()).is_ready());
        }
        Ok(())
    });
}

fn notify_waiters_wakes_those_who_wait_only(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let notify = Notify::new();
        let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(notify.notified(cx))).collect();
        for waiter in &mut waiting {
            assert!(poll_now(waiter.as_mut()).is_pending());
        }
        notify.notify_waiters();
        let mut late = pin!(notify.notified(cx));
        assert!(poll_now(late.as_mut()).is_pending());
        for waiter in &mut waiting {
            assert!(poll_now(waiter.as_mut()).is_ready());
        }
        assert!(poll_now(late).is_pending());
        Ok(())
    });
}

fn a_notified_waiter_that_leaves_passes_it_on(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        for dropped in [true, false] {
            let notify = Notify::new();
            let victim = Victim::new(cx).await;
            let mut first = Box::pin(notify.notified(&victim.cx));
            let mut second = Box::pin(notify.notified(cx));
            assert!(poll_now(first.as_mut()).is_pending() && poll_now(second.as_mut()).is_pending());
            notify.notify_one();
            if !dropped {
                victim.request();
                assert!(matches!(poll_now(first.as_mut()), Poll::Ready(Err(_))));
            }
            drop(first);
            assert!(poll_now(second.as_mut()).is_ready(), "the notification was lost");
            assert!(poll_now(pin!(notify.notified(cx))).is_pending(), "it became two");
        }
        Ok(())
    });
}

fn a_waiter_of_all_that_leaves_passes_nothing_on(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let notify = Notify::new();
        let mut first = Box::pin(notify.notified(cx));
        assert!(poll_now(first.as_mut()).is_pending());
        notify.notify_waiters();
        let mut late = Box::pin(notify.notified(cx));
        assert!(poll_now(late.as_mut()).is_pending());
        drop(first);
        assert!(poll_now(late.as_mut()).is_pending(), "one who came later was woken");
        Ok(())
    });
}

fn locks_survive_cancels_at_any_point(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (mutex, semaphore) = (Arc::new(Mutex::new(0)), Arc::new(Semaphore::new(3)));
        for round in 0..50 {
            let tasks: Vec<_> = (0..8)
                .map(|n| {
                    let (mutex, semaphore) = (mutex.clone(), semaphore.clone());
                    cx.spawn("locker", async move |cx: &Cx| -> Outcome {
                        loop {
                            let _permit = semaphore.acquire(cx, 1 + n % 3).await?;
                            let mut value = mutex.lock(cx).await?;
                            cx.yield_now().await?;
                            *value += 1;
                        }
                    })
                })
                .collect();
            for _ in 0..round % 7 {
                cx.yield_now().await?;
            }
            for task in tasks {
                drop(task.cancel(Budget::UNLIMITED).await);
            }
            assert!(mutex.try_lock().is_some(), "the lock was lost in round {round}");
            assert_eq!(semaphore.available(), 3, "round {round}");
        }
        Ok(())
    });
}
