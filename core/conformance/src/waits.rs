//! The dump of the region tree: what each task waits for.

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use asupersync_core::cancel::{Awaits, Use};
use asupersync_core::channel::{broadcast, mpsc, oneshot, watch};
use asupersync_core::region::dump::TaskState;
use asupersync_core::sync::{Barrier, Mutex, Notify, OnceCell, RwLock, Semaphore};
use asupersync_core::{Budget, Cx, Outcome, Reason, ReasonKind};

use crate::dumps::{Waits, awaits, impatient, task, uses, waiting};
use crate::probe::{HOUR, MS, stubborn, until};
use crate::runner::Runner;

crate::cases![
    a_task_tells_what_it_waits_for,
    arms_tell_each_for_itself,
    what_is_over_is_told_as_the_last,
    a_wait_that_was_dropped_is_over,
    a_wait_in_the_scope_of_another_is_the_waiters,
    who_waits_at_the_same_thing_has_the_same_number,
    joins_are_told_from_both_sides,
];

type Wait = Box<dyn FnOnce(Cx) -> Waits + Send>;

fn a_task_tells_what_it_waits_for(host: &dyn Runner) {
    impatient(host, async |cx: &Cx| {
        let full = mpsc::channel(1);
        full.0.try_send(()).expect("there is room");
        let (full, _full) = (full.0, full.1);
        let (_never, mut empty) = mpsc::channel::<()>(1);
        let (_one, mut once) = oneshot::channel::<()>();
        let (_watched, mut watcher) = watch::channel(0);
        let (closes, _watcher) = watch::channel(0);
        let (_cast, mut caught) = broadcast::channel::<()>(1);
        // Locked, and never released: their guards are never dropped.
        let mutex = Arc::new(Mutex::new(()));
        std::mem::forget(mutex.lock(cx).await?);
        let (written, read) = (Arc::new(RwLock::new(())), Arc::new(RwLock::new(())));
        std::mem::forget(written.write(cx).await?);
        std::mem::forget(read.read(cx).await?);
        let (permits, notify) = (Arc::new(Semaphore::new(0)), Arc::new(Notify::new()));
        let (barrier, cell) = (Arc::new(Barrier::new(2)), Arc::new(OnceCell::new()));
        let initialising = cell.clone();
        let first = waiting(cx, "first", move |cx| {
            Box::pin(async move {
                initialising.get_or_init(&cx, async |cx: &Cx| Ok(cx.cancelled().await)).await?;
                Ok(())
            })
        })
        .await;
        drop(first);

        let all: Vec<(Use, Wait)> = vec![
            (Use::MpscSend, Box::new(move |cx| Box::pin(async move { Ok(full.send(&cx, ()).await?) }))),
            (
                Use::MpscRecv,
                Box::new(move |cx| Box::pin(async move { Ok(empty.recv(&cx).await.map(|_| ())?) })),
            ),
            (Use::OneshotRecv, Box::new(move |cx| Box::pin(async move { Ok(once.recv(&cx).await?) }))),
            (Use::WatchChanged, Box::new(move |cx| Box::pin(async move { Ok(watcher.changed(&cx).await?) }))),
            (Use::WatchClosed, Box::new(move |cx| Box::pin(async move { Ok(closes.closed(&cx).await?) }))),
            (Use::BroadcastRecv, Box::new(move |cx| Box::pin(async move { Ok(caught.recv(&cx).await?) }))),
            (Use::Mutex, Box::new(move |cx| Box::pin(async move { Ok(mutex.lock(&cx).await.map(|_| ())?) }))),
            (
                Use::RwLockRead,
                Box::new(move |cx| Box::pin(async move { Ok(written.read(&cx).await.map(|_| ())?) })),
            ),
            (
                Use::RwLockWrite,
                Box::new(move |cx| Box::pin(async move { Ok(read.write(&cx).await.map(|_| ())?) })),
            ),
            (
                Use::Permits,
                Box::new(move |cx| Box::pin(async move { Ok(permits.acquire(&cx, 1).await.map(|_| ())?) })),
            ),
            (Use::Notify, Box::new(move |cx| Box::pin(async move { Ok(notify.notified(&cx).await?) }))),
            (
                Use::Barrier,
                Box::new(move |cx| Box::pin(async move { Ok(barrier.wait(&cx).await.map(|_| ())?) })),
            ),
            (
                Use::OnceCell,
                Box::new(move |cx| {
                    Box::pin(async move {
                        cell.get_or_init(&cx, async |cx: &Cx| Ok(cx.cancelled().await)).await?;
                        Ok(())
                    })
                }),
            ),
        ];
        let wanted: Vec<Use> = all.iter().map(|(what, _)| *what).collect();
        for (what, wait) in all {
            drop(waiting(cx, what.name(), wait).await);
        }
        drop(waiting(cx, "request", |cx| Box::pin(async move { Err(cx.cancelled().await.into()) })).await);
        drop(
            waiting(cx, "shutdown", |cx| {
                Box::pin(async move {
                    cx.shutdown_signal().await;
                    Ok(())
                })
            })
            .await,
        );
        drop(waiting(cx, "foreign", |cx| Box::pin(async move { Ok(cx.or_cancel(pending()).await?) })).await);
        drop(waiting(cx, "unknown", |_| Box::pin(pending())).await);

        let dump = cx.dump();
        for what in wanted {
            assert_eq!(uses(task(&dump, what.name())), [what], "{dump}");
        }
        for (name, awaited) in
            [("request", Awaits::Request), ("shutdown", Awaits::Shutdown), ("foreign", Awaits::Foreign)]
        {
            assert_eq!(awaits(task(&dump, name)), [awaited], "{dump}");
        }
        // Known only once it has returned from its poll.
        until(|| awaits(task(&cx.dump(), "unknown")) == [Awaits::Unknown]).await;
        // Were they dropped, that could be told before the request that ends the others.
        std::mem::forget((_full, _never, _one, _watched, _watcher, _cast));
        Ok(())
    });
}

fn arms_tell_each_for_itself(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let notify = Arc::new(Notify::new());
        let racer = waiting(cx, "racer", move |cx| {
            Box::pin(async move {
                let within = async |cx: &Cx| {
                    cx.race(
                        async |cx: &Cx| Ok(notify.notified(cx).await?),
                        async |cx: &Cx| cx.finish(async |cx: &Cx| Ok(cx.sleep(HOUR * 2).await?)).await,
                    )
                    .await
                };
                cx.timeout(HOUR, within).await
            })
        })
        .await;
        let dump = cx.dump();
        let racer_dump = task(&dump, "racer");
        assert_eq!(racer_dump.awaits.now.len(), 2, "{dump}");
        assert_eq!(uses(racer_dump), [Use::Notify]);
        assert!(racer_dump.awaits.now.iter().any(|wait| matches!(wait.awaits, Awaits::Until(_))), "{dump}");
        for wait in &racer_dump.awaits.now {
            let left = wait.deadline.expect("both are within a timeout") - dump.at;
            assert!(left <= HOUR && left > HOUR / 2, "{dump}");
        }
        racer.request_cancel(Reason::new(ReasonKind::UserRequest));
        drop(racer.cancel(Budget::timeout(MS(0))).await);
        Ok(())
    });
}

fn what_is_over_is_told_as_the_last(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (notify, polls) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
        let (notified, polled) = (notify.clone(), polls.clone());
        let stays = waiting(cx, "stays", move |cx| {
            Box::pin(async move {
                notified.notified(&cx).await?;
                match stubborn(polled).await {}
            })
        })
        .await;
        notify.notify_one();
        until(|| polls.load(SeqCst) > 0).await;
        until(|| task(&cx.dump(), "stays").state == TaskState::Waiting).await;
        let dump = cx.dump();
        assert_eq!(awaits(task(&dump, "stays")), [Awaits::Unknown], "{dump}");
        assert!(matches!(task(&dump, "stays").awaits.last, Some(Awaits::Object(Use::Notify, _))), "{dump}");
        drop(stays.cancel(Budget::timeout(MS(0))).await);
        Ok(())
    });
}

fn a_wait_that_was_dropped_is_over(host: &dyn Runner) {
    impatient(host, async |cx: &Cx| {
        let polls = Arc::new(AtomicUsize::new(0));
        let polled = polls.clone();
        let fickle = cx.spawn("fickle", async move |cx: &Cx| -> Outcome {
            let other = cx.spawn_future("other", pending::<()>());
            {
                let (mut sleep, mut join) = (pin!(cx.sleep(HOUR)), pin!(other.join()));
                std::future::poll_fn(|task| {
                    assert!(sleep.as_mut().poll(task).is_pending());
                    assert!(join.as_mut().poll(task).is_pending());
                    std::task::Poll::Ready(())
                })
                .await;
            }
            match stubborn(polled).await {}
        });
        until(|| polls.load(SeqCst) > 0).await;
        until(|| task(&cx.dump(), "fickle").state == TaskState::Waiting).await;
        let dump = cx.dump();
        assert_eq!(awaits(task(&dump, "fickle")), [Awaits::Unknown], "{dump}");
        assert_eq!(task(&dump, "other").joined_by, None, "{dump}");
        drop(fickle.cancel(Budget::timeout(MS(0))).await);
        Ok(())
    });
}

fn a_wait_in_the_scope_of_another_is_the_waiters(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (lent, never) = (cx.clone(), Arc::new(Notify::new()));
        let borrower =
            waiting(cx, "borrower", move |_| Box::pin(async move { Ok(never.notified(&lent).await?) })).await;
        let dump = cx.dump();
        assert_eq!(uses(task(&dump, "borrower")), [Use::Notify], "{dump}");
        assert!(uses(task(&dump, "main")).is_empty(), "{dump}");
        drop(borrower.cancel(Budget::timeout(MS(0))).await);
        Ok(())
    });
}

fn who_waits_at_the_same_thing_has_the_same_number(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (one, other) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        for (name, semaphore) in [("a", &one), ("b", &one), ("c", &other)] {
            let semaphore = semaphore.clone();
            let wait = move |cx| -> Waits {
                Box::pin(async move { Ok(semaphore.acquire(&cx, 1).await.map(|_| ())?) })
            };
            drop(waiting(cx, name, wait).await);
        }
        let dump = cx.dump();
        let [a, b, c] = ["a", "b", "c"].map(|name| awaits(task(&dump, name)));
        assert!(a == b && a != c, "{dump}");
        one.release(2);
        other.release(1);
        Ok(())
    });
}

fn joins_are_told_from_both_sides(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let end = Arc::new(Notify::new());
        let ends = [(); 3].map(|()| end.clone());
        let handles = ends.map(|end| cx.spawn("joined", async move |cx: &Cx| Ok(end.notified(cx).await?)));
        let [one, two, three] = handles;
        let joiner = waiting(cx, "joiner", |_| Box::pin(one.join())).await;
        // Under wakers of its own, one for each arm.
        let both = waiting(cx, "both", |cx| {
            Box::pin(async move {
                cx.join(async |_: &Cx| two.join().await, async |_: &Cx| three.join().await).await?;
                Ok(())
            })
        })
        .await;
        let dump = cx.dump();
        let (joiner_dump, both_dump) = (task(&dump, "joiner"), task(&dump, "both"));
        assert!(matches!(awaits(joiner_dump)[..], [Awaits::Join(_)]), "{dump}");
        assert!(matches!(awaits(both_dump)[..], [Awaits::Join(_), Awaits::Join(_)]), "{dump}");
        for joined in dump.regions[0].tasks.iter().filter(|task| &*task.name == "joined") {
            let by = joined.joined_by.expect("somebody joins it");
            let by = if by == joiner_dump.id { joiner_dump } else { both_dump };
            assert!(awaits(by).contains(&Awaits::Join(joined.id)), "{dump}");
            assert_eq!(joined.joined_by, Some(by.id));
        }
        until(|| {
            end.notify_waiters();
            joiner.is_finished() && both.is_finished()
        })
        .await;
        Ok(())
    });
}
