//! Threads of others: they may request, wake, send and drop.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, mpsc as std_mpsc};
use std::thread;

use asupersync_core::channel::{mpsc, oneshot};
use asupersync_core::sync::Notify;
use asupersync_core::{Cx, Outcome, Reason, ReasonKind, Region};

use crate::probe::{Count, HOUR, Log, kind};
use crate::runner::Runner;

crate::cases![
    a_request_from_a_thread_is_heard needs (ForeignThreads),
    requests_from_many_threads_end_once needs (ForeignThreads),
    a_request_from_a_thread_while_main_only_waits needs (ForeignThreads),
    values_from_threads_arrive needs (ForeignThreads),
    a_cx_may_be_used_on_a_thread needs (ForeignThreads),
    a_future_may_be_dropped_on_a_thread needs (ForeignThreads),
    requests_race_with_the_end_of_what_they_end needs (ForeignThreads),
];

fn a_request_from_a_thread_is_heard(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let task = cx.spawn("task", async |cx: &Cx| Ok(kind(&cx.sleep(HOUR).await.unwrap_err())));
        let (back, mut handle) = oneshot::channel();
        let thread = thread::spawn(move || {
            task.request_cancel(Reason::new(ReasonKind::UserRequest));
            drop(back.send(task));
        });
        assert_eq!(handle.recv(cx).await?.join().await?, ReasonKind::UserRequest);
        thread.join().expect("the thread ends");
        Ok(())
    });
}

fn requests_from_many_threads_end_once(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        for _ in 0..20 {
            let ended = Arc::new(AtomicUsize::new(0));
            let inner = ended.clone();
            let task = Arc::new(cx.spawn("task", async move |cx: &Cx| {
                Region::open(cx, "r", async |cx: &Cx| {
                    let ended = inner.clone();
                    cx.defer(async move |_: &Cx| {
                        ended.fetch_add(1, SeqCst);
                    })?;
                    Ok(cx.sleep(HOUR).await?)
                })
                .await
            }));
            let threads: Vec<_> = [ReasonKind::UserRequest, ReasonKind::Shutdown, ReasonKind::RaceLost]
                .map(|kind| {
                    let task = task.clone();
                    thread::spawn(move || task.request_cancel(Reason::new(kind)))
                })
                .into();
            for thread in threads {
                thread.join().expect("the thread ends");
            }
            let task = Arc::into_inner(task).expect("the threads are gone");
            assert!(task.join().await.is_err());
            assert!(ended.load(SeqCst) <= 1, "twice");
        }
        Ok(())
    });
}

fn a_request_from_a_thread_while_main_only_waits(host: &dyn Runner) {
    let (give, given) = std_mpsc::channel::<asupersync_core::Handle<()>>();
    let thread = thread::spawn(move || {
        given.recv().expect("a handle").request_cancel(Reason::new(ReasonKind::UserRequest));
    });
    host.ok(async move |cx: &Cx| {
        let (tell, mut told) = oneshot::channel();
        let task = cx.spawn("task", async move |cx: &Cx| {
            let why = cx.cancelled().await;
            drop(tell.send(kind(&why)));
        });
        give.send(task).expect("the thread waits");
        assert_eq!(told.recv(cx).await?, ReasonKind::UserRequest);
        Ok(())
    });
    thread.join().expect("the thread ends");
}

fn values_from_threads_arrive(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tx, mut rx) = mpsc::channel(1000);
        let notify = Arc::new(Notify::new());
        let threads: Vec<_> = (0..4)
            .map(|n| {
                let (tx, notify) = (tx.clone(), notify.clone());
                thread::spawn(move || {
                    for value in 0..200 {
                        tx.try_send((n, value)).expect("there is room");
                        notify.notify_one();
                    }
                })
            })
            .collect();
        drop(tx);
        let mut got = 0;
        while rx.recv(cx).await?.is_some() {
            got += 1;
        }
        assert_eq!(got, 800);
        notify.notified(cx).await?;
        for thread in threads {
            thread.join().expect("the thread ends");
        }
        Ok(())
    });
}

fn a_cx_may_be_used_on_a_thread(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (lent, log) = (cx.clone(), Log::new());
        let inner = log.clone();
        let (tell, mut told) = oneshot::channel();
        let thread = thread::spawn(move || {
            let handle = lent.spawn("from a thread", async move |_: &Cx| inner.push("ran"));
            drop(tell.send(handle));
        });
        told.recv(cx).await?.join().await?;
        thread.join().expect("the thread ends");
        assert_eq!(log.take(), ["ran"]);
        Ok(())
    });
}

fn a_future_may_be_dropped_on_a_thread(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let count = Count::default();
        let inner = count.clone();
        Region::open(cx, "around", async move |cx: &Cx| {
            let lent = cx.clone();
            let mut open = Box::pin(async move {
                let outcome: Outcome = Region::open(&lent, "dropped", async |cx: &Cx| {
                    let one = inner.one();
                    cx.defer(async move |_: &Cx| drop(one))?;
                    Ok(cx.sleep(HOUR).await?)
                })
                .await;
                drop(outcome);
            });
            assert!(crate::probe::poll_now(open.as_mut()).is_pending());
            thread::spawn(move || drop(open)).join().expect("dropping does not panic");
            Ok(())
        })
        .await?;
        assert_eq!(count.alive(), 0);
        Ok(())
    });
}

/// Requests, drops and ends of scopes that meet at the same moment; what must not happen is a
/// deadlock, a task that is not told, or a count that is wrong.
fn requests_race_with_the_end_of_what_they_end(host: &dyn Runner) {
    let rounds = 20_000 / host.scale().min(20);
    host.ok(async move |cx: &Cx| {
        let go = Arc::new(AtomicUsize::new(0));
        let (give, given) = std_mpsc::sync_channel::<Arc<asupersync_core::Handle<()>>>(4);
        let seen = go.clone();
        let thread = thread::spawn(move || {
            while let Ok(handle) = given.recv() {
                handle.request_cancel(Reason::new(ReasonKind::UserRequest));
                seen.fetch_add(1, SeqCst);
            }
        });
        for _ in 0..rounds {
            let task = Arc::new(cx.spawn("task", async move |cx: &Cx| {
                for _ in 0..20 {
                    cx.finish(async |_: &Cx| crate::probe::breathe().await).await?;
                    cx.shield(asupersync_core::Budget::UNLIMITED, async |_: &Cx| ()).await?;
                    cx.timeout(HOUR, async |_: &Cx| ()).await?;
                }
                Ok(())
            }));
            give.send(task.clone()).expect("the thread is there");
            crate::probe::until(|| task.is_finished()).await;
        }
        drop(give);
        thread.join().expect("the thread ends");
        assert_eq!(go.load(SeqCst), rounds);
        Ok(())
    });
}
