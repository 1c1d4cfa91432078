//! No task keeps its thread by operations that never wait.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::task::Poll;

use asupersync_core::channel::mpsc;
use asupersync_core::sync::Mutex;
use asupersync_core::{Budget, Cx, Outcome, Region};

use crate::probe::{HOUR, MS, Victim};
use crate::runner::Runner;

crate::cases![
    a_channel_that_is_always_ready_starves_nobody,
    a_lock_that_is_always_free_starves_nobody,
    operations_in_scopes_of_their_own_starve_nobody,
    regions_opened_in_a_row_starve_nobody,
    refusals_in_a_row_starve_nobody,
    one_that_waits_beside_one_that_is_ready_starves_nobody,
    a_finalizer_starves_nobody,
    a_cx_of_another_task_starves_nobody_and_gets_on,
    nothing_is_lost_when_a_turn_ends,
    the_last_poll_of_a_drain_is_not_cut_short,
];

/// Far more than are ready in a row, and few enough to give up soon.
const MANY: usize = 100_000;

/// Another task of the region, which has not run yet.
struct Other {
    ran: Arc<AtomicBool>,
    tries: usize,
}

impl Other {
    fn new(cx: &Cx) -> Other {
        let ran = Arc::new(AtomicBool::new(false));
        let inner = ran.clone();
        drop(cx.spawn("other", async move |_: &Cx| inner.store(true, SeqCst)));
        Other { ran, tries: 0 }
    }

    /// It has still not run; fails the case after far too many of these.
    fn waits(&mut self) -> bool {
        self.tries += 1;
        assert!(self.tries < MANY, "{MANY} operations, and nobody else ran");
        !self.ran.load(SeqCst)
    }
}

fn a_channel_that_is_always_ready_starves_nobody(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tx, mut rx) = mpsc::channel(1);
        let mut other = Other::new(cx);
        while other.waits() {
            tx.send(cx, 1).await.expect("there is room");
            assert_eq!(rx.recv(cx).await?, Some(1));
        }
        Ok(())
    });
}

fn a_lock_that_is_always_free_starves_nobody(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let mutex = Mutex::new(0);
        let mut other = Other::new(cx);
        while other.waits() {
            *mutex.lock(cx).await? += 1;
        }
        Ok(())
    });
}

fn operations_in_scopes_of_their_own_starve_nobody(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let mut other = Other::new(cx);
        while other.waits() {
            let timed =
                cx.timeout(HOUR, async |cx: &Cx| cx.finish(async |cx: &Cx| Ok(cx.sleep(MS(0)).await?)).await);
            timed.await?;
        }
        Ok(())
    });
}

fn regions_opened_in_a_row_starve_nobody(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let mut other = Other::new(cx);
        while other.waits() {
            Region::open(cx, "r", async |_: &Cx| ()).await?;
        }
        let mut other = Other::new(cx);
        while other.waits() {
            cx.local(async |_: &Cx, _| ()).await?;
        }
        Ok(())
    });
}

fn refusals_in_a_row_starve_nobody(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let victim = Victim::new(cx).await;
        victim.request();
        let mut other = Other::new(cx);
        while other.waits() {
            assert!(victim.cx.sleep(HOUR).await.is_err());
        }
        Ok(())
    });
}

fn one_that_waits_beside_one_that_is_ready_starves_nobody(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let mutex = Mutex::new(0);
        let mut other = Other::new(cx);
        while other.waits() {
            let (mut waits, mut ready) = (pin!(cx.sleep(HOUR)), pin!(mutex.lock(cx)));
            poll_fn(|task| {
                assert!(waits.as_mut().poll(task).is_pending());
                ready.as_mut().poll(task).map(drop)
            })
            .await;
        }
        Ok(())
    });
}

fn a_finalizer_starves_nobody(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let ran = Arc::new(AtomicBool::new(false));
        let other = ran.clone();
        Region::open(cx, "r", async |inside: &Cx| {
            inside.defer(async move |cx: &Cx| -> Outcome {
                for _ in 0..MANY {
                    cx.sleep(MS(0)).await?;
                    if ran.load(SeqCst) {
                        return Ok(());
                    }
                }
                panic!("nobody else ran")
            })?;
            // Of the region around: in this one it would come before the finalizer.
            drop(cx.spawn("other", async move |_: &Cx| other.store(true, SeqCst)));
            Ok(())
        })
        .await
    });
}

fn a_cx_of_another_task_starves_nobody_and_gets_on(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let victim = Victim::new(cx).await;
        let borrowed = victim.cx.clone();
        let ran = Arc::new(AtomicBool::new(false));
        let inner = ran.clone();
        let task = cx.spawn_future("borrower", async move {
            for turn in 0..MANY {
                borrowed.sleep(MS(0)).await?;
                if turn > 1000 && inner.load(SeqCst) {
                    return Ok(());
                }
            }
            panic!("nobody else ran")
        });
        drop(cx.spawn("other", async move |_: &Cx| ran.store(true, SeqCst)));
        let outcome: Outcome = task.join().await;
        outcome
    });
}

fn nothing_is_lost_when_a_turn_ends(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tx, mut rx) = mpsc::channel(1000);
        (0..1000).for_each(|n| tx.try_send(n).expect("there is room"));
        drop(tx);
        // Dropped between two polls, a call that yielded has taken nothing.
        let mut dropped = 0;
        for n in 0..1000 {
            let mut recv = Box::pin(rx.recv(cx));
            let polled = poll_fn(|task| Poll::Ready(recv.as_mut().poll(task))).await;
            drop(recv);
            match polled {
                Poll::Ready(got) => assert_eq!(got?, Some(n)),
                Poll::Pending => {
                    dropped += 1;
                    assert_eq!(rx.recv(cx).await?, Some(n));
                }
            }
        }
        assert!(dropped > 0, "no turn ended");
        assert_eq!(rx.recv(cx).await?, None);
        Ok(())
    });
}

fn the_last_poll_of_a_drain_is_not_cut_short(host: &dyn Runner) {
    let refused = Arc::new(AtomicUsize::new(0));
    let inner = refused.clone();
    host.ok(async |cx: &Cx| {
        let task = cx.spawn("task", async move |cx: &Cx| {
            drop(cx.finish(async |cx: &Cx| Ok(cx.sleep(HOUR).await?)).await);
            // The drain is over: this is the last poll.
            for _ in 0..1000 {
                drop(cx.finish(async |cx: &Cx| Ok(cx.sleep(HOUR).await?)).await);
                inner.fetch_add(1, SeqCst);
            }
        });
        cx.yield_now().await?;
        drop(task.cancel(Budget::timeout(MS(1))).await);
        Ok(())
    });
    let refused = refused.load(SeqCst);
    // Never begun, if the request came before its first poll and the end of the drain too.
    assert!(refused == 1000 || refused == 0, "cut short after {refused}");
}
