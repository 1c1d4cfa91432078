//! The two classes of operations: what begins new work fails at Request, at once and also when it
//! is ready; what finishes work in flight goes on until the budget is spent.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use asupersync_core::channel::{mpsc, oneshot};
use asupersync_core::sync::{Mutex, Notify, Semaphore};
use asupersync_core::{Cx, Outcome, Time};

use crate::probe::{HOUR, MS, Victim, now_or_never, poll_now};
use crate::runner::Runner;

crate::cases![
    what_begins_work_fails_at_request_though_it_is_ready,
    what_waits_to_begin_work_fails_at_request,
    what_was_ready_first_wins,
    what_is_refused_took_nothing,
    what_finishes_work_goes_on_until_the_budget_is_spent,
    a_join_goes_on_through_request,
    cancelled_waits_for_nothing_else,
    a_sleep_in_the_past_is_ready,
    sleeps_end_in_order,
    a_yield_lets_others_run,
];

/// Operations that begin work, each ready at once, by name; the result is whether it succeeded.
async fn ready_ops(cx: &Cx, check: impl AsyncFn(&str, bool)) {
    let (tx, mut rx) = mpsc::channel(2);
    tx.try_send(1).expect("there is room");
    let (one_tx, mut one_rx) = oneshot::channel();
    one_tx.send(1).expect("the receiver is here");
    let (mutex, semaphore, notify) = (Mutex::new(()), Semaphore::new(1), Notify::new());
    notify.notify_one();
    check("checkpoint", cx.checkpoint().is_ok()).await;
    check("sleep", now_or_never(cx.sleep_until(Time::ZERO)).expect("ready").is_ok()).await;
    check("recv", now_or_never(rx.recv(cx)).expect("ready").is_ok()).await;
    check("oneshot recv", now_or_never(one_rx.recv(cx)).expect("ready").is_ok()).await;
    check("send", now_or_never(tx.send(cx, 2)).expect("ready").is_ok()).await;
    check("reserve", now_or_never(tx.reserve(cx)).expect("ready").is_ok()).await;
    check("lock", now_or_never(mutex.lock(cx)).expect("ready").is_ok()).await;
    check("acquire", now_or_never(semaphore.acquire(cx, 1)).expect("ready").is_ok()).await;
    check("notified", now_or_never(notify.notified(cx)).expect("ready").is_ok()).await;
    check("or_cancel", now_or_never(cx.or_cancel(async {})).expect("ready").is_ok()).await;
}

fn what_begins_work_fails_at_request_though_it_is_ready(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let victim = Victim::new(cx).await;
        ready_ops(&victim.cx, async |what, ok| assert!(ok, "{what} before Request")).await;
        victim.request();
        ready_ops(&victim.cx, async |what, ok| assert!(!ok, "{what} after Request")).await;
        assert!(now_or_never(victim.cx.yield_now()).expect("ready").is_err());
        // In work that is in flight they go on; and no more once the budget is spent.
        let finishing = victim.cx.finish(async |cx: &Cx| {
            ready_ops(cx, async |what, ok| assert!(ok, "{what} in finish")).await;
        });
        finishing.await?;
        let spent = victim.spend().await;
        let finishing = spent.finish(async |cx: &Cx| {
            ready_ops(cx, async |what, ok| assert!(!ok, "{what} after the budget's end")).await;
        });
        finishing.await
    });
}

/// Polls an operation that waits, requests, and polls it again: it must fail.
async fn fails_at_request<T, E>(what: &str, cx: &Cx, op: impl AsyncFnOnce(&Cx) -> Result<T, E>) {
    let victim = Victim::new(cx).await;
    {
        let mut waiting = pin!(op(&victim.cx));
        assert!(poll_now(waiting.as_mut()).is_pending(), "{what} does not wait");
        victim.request();
        let Poll::Ready(done) = poll_now(waiting.as_mut()) else { panic!("{what} goes on through Request") };
        assert!(done.is_err(), "{what} succeeded");
    }
}

fn what_waits_to_begin_work_fails_at_request(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        fails_at_request("sleep", cx, async |cx: &Cx| cx.sleep(HOUR).await).await;
        let (tx, mut rx) = mpsc::channel::<u8>(1);
        fails_at_request("recv", cx, async |cx: &Cx| rx.recv(cx).await).await;
        tx.try_send(1).expect("there is room");
        fails_at_request("send", cx, async |cx: &Cx| tx.send(cx, 2).await).await;
        fails_at_request("reserve", cx, async |cx: &Cx| tx.reserve(cx).await.map(drop)).await;
        let (_tell, mut told) = oneshot::channel::<u8>();
        fails_at_request("oneshot recv", cx, async |cx: &Cx| told.recv(cx).await).await;
        let mutex = Mutex::new(());
        let held = mutex.try_lock();
        fails_at_request("lock", cx, async |cx: &Cx| mutex.lock(cx).await.map(drop)).await;
        drop(held);
        let semaphore = Semaphore::new(0);
        fails_at_request("acquire", cx, async |cx: &Cx| semaphore.acquire(cx, 1).await.map(drop)).await;
        let notify = Notify::new();
        fails_at_request("notified", cx, async |cx: &Cx| notify.notified(cx).await).await;
        let pending = async |cx: &Cx| cx.or_cancel(std::future::pending::<()>()).await;
        fails_at_request("or_cancel", cx, pending).await;
        Ok(())
    });
}

fn what_was_ready_first_wins(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let victim = Victim::new(cx).await;
        let (tx, mut rx) = mpsc::channel(1);
        tx.try_send(7).expect("there is room");
        // Ready at the poll that comes before the request: the value is not thrown away.
        assert_eq!(now_or_never(rx.recv(&victim.cx)).expect("ready")?, Some(7));
        Ok(())
    });
}

fn what_is_refused_took_nothing(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let victim = Victim::new(cx).await;
        victim.request();
        let (tx, mut rx) = mpsc::channel(1);
        tx.try_send(7).expect("there is room");
        assert!(rx.recv(&victim.cx).await.is_err());
        assert_eq!(rx.recv(cx).await?, Some(7));
        assert_eq!(tx.send(&victim.cx, 8).await.unwrap_err().into_value(), 8);
        tx.try_send(9).expect("the refused send left the room");
        let notify = Notify::new();
        notify.notify_one();
        assert!(notify.notified(&victim.cx).await.is_err());
        notify.notified(cx).await?;
        let semaphore = Semaphore::new(1);
        assert!(semaphore.acquire(&victim.cx, 1).await.is_err());
        assert_eq!(semaphore.available(), 1);
        Ok(())
    });
}

fn what_finishes_work_goes_on_until_the_budget_is_spent(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let victim = Victim::new(cx).await;
        victim.request();
        let inside = victim.cx.clone();
        let mut work = Box::pin(async move {
            let outcome: Outcome = inside.finish(async |cx: &Cx| Ok(cx.sleep(HOUR).await?)).await;
            outcome
        });
        assert!(poll_now(work.as_mut()).is_pending(), "finish saw Request");
        victim.spend().await;
        let Poll::Ready(outcome) = poll_now(work.as_mut()) else { panic!("finish outlasts the budget") };
        assert!(outcome.is_err());
        Ok(())
    });
}

fn a_join_goes_on_through_request(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (go, mut may_go) = oneshot::channel::<()>();
        let (tell, mut ready) = oneshot::channel();
        let worker = cx.spawn("worker", async move |cx: &Cx| {
            may_go.recv(cx).await?;
            Ok(5)
        });
        let waiter = cx.spawn("waiter", async move |cx: &Cx| {
            drop(tell.send(()));
            let told = worker.join().await;
            assert!(cx.is_cancelled());
            told
        });
        ready.recv(cx).await?;
        waiter.request_cancel(asupersync_core::Reason::new(asupersync_core::ReasonKind::UserRequest));
        cx.yield_now().await?;
        drop(go.send(()));
        assert_eq!(waiter.join().await?, 5);
        Ok(())
    });
}

fn cancelled_waits_for_nothing_else(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let victim = Victim::new(cx).await;
        let mut told = pin!(victim.cx.cancelled());
        assert!(poll_now(told.as_mut()).is_pending());
        victim.request();
        assert!(poll_now(told).is_ready());
        assert!(!cx.is_cancelled());
        Ok(())
    });
}

fn a_sleep_in_the_past_is_ready(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        assert!(now_or_never(cx.sleep(std::time::Duration::ZERO)).is_some());
        assert!(now_or_never(cx.sleep_until(Time::ZERO)).is_some());
        assert!(now_or_never(cx.sleep(std::time::Duration::MAX)).is_none(), "for ever");
        Ok(())
    });
}

fn sleeps_end_in_order(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let begin = cx.now();
        let sleepers: Vec<_> = (0..20)
            .map(|n| {
                let until = begin + MS(20 - n);
                cx.spawn("sleeper", async move |cx: &Cx| {
                    cx.sleep_until(until).await?;
                    Ok((cx.now(), until))
                })
            })
            .collect();
        for sleeper in sleepers {
            let (woke, until) = sleeper.join().await?;
            assert!(woke >= until, "woken early: {woke:?} for {until:?}");
        }
        Ok(())
    });
}

fn a_yield_lets_others_run(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tell, mut told) = oneshot::channel();
        drop(cx.spawn("other", async move |_: &Cx| drop(tell.send(()))));
        while told.try_recv().is_none() {
            cx.yield_now().await?;
        }
        Ok(())
    });
}

/// An operation may be named as a future of a known output.
#[expect(dead_code, reason = "asserts at compile time that operations may move between threads")]
fn operations_are_send<'a>(cx: &'a Cx, rx: &'a mut mpsc::Receiver<u8>) -> impl Future + Send + 'a {
    async move {
        drop(cx.sleep(HOUR).await);
        drop(rx.recv(cx).await);
        cx.cancelled().await
    }
}
