//! Futures polled under other wakers than their task's: they hear of Request, and of everything
//! else, all the same.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Wake, Waker};

use asupersync_core::channel::{mpsc, oneshot};
use asupersync_core::sync::{Notify, Semaphore};
use asupersync_core::{Budget, Cx, Outcome, ReasonKind, Region};
use futures_util::future::{self, Either};
use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::probe::{HOUR, Log, MS, Victim, cancelled_kind, kind};
use crate::runner::{Runner, short};

crate::cases![
    a_set_of_futures_hears_of_request,
    a_set_of_futures_hears_of_the_budgets_end,
    joined_futures_hear_of_request,
    a_selected_region_that_loses_is_closed_all_the_same,
    scopes_inside_a_set_hear_of_request,
    regions_inside_a_set_close,
    a_cx_lent_to_another_task_is_heard_there,
    a_waker_is_let_go_with_its_future,
    a_future_that_moves_between_wakers_is_woken_at_the_last,
    channels_wake_within_a_set,
];

fn a_set_of_futures_hears_of_request(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tell, mut ready) = oneshot::channel();
        let task = cx.spawn("set", async move |cx: &Cx| {
            let mut set: FuturesUnordered<_> = (0..50).map(|_| cx.sleep(HOUR)).collect();
            drop(tell.send(()));
            let mut heard = 0;
            while let Some(slept) = set.next().await {
                assert_eq!(kind(&slept.unwrap_err()), ReasonKind::UserRequest);
                heard += 1;
            }
            Ok(heard)
        });
        ready.recv(cx).await?;
        assert_eq!(task.cancel(Budget::UNLIMITED).await?, 50);
        Ok(())
    });
}

/// At the end of the budget a body gets one more poll. All that it awaits must be told by then,
/// however deep: a scope inside that is told after its task was woken may be too late.
fn a_set_of_futures_hears_of_the_budgets_end(host: &dyn Runner) {
    let mut whole = 0;
    for _ in 0..10 {
        let log = Log::new();
        let inner = log.clone();
        let ran = host.run(short(3, 10_000), async move |cx: &Cx| {
            let (tell, mut ready) = oneshot::channel();
            drop(cx.spawn("set", async move |cx: &Cx| {
                let set: FuturesUnordered<_> = (0..50)
                    .map(|n| {
                        let log = inner.clone();
                        async move {
                            let outcome: Outcome = cx
                                .finish(async |cx: &Cx| {
                                    cx.timeout(HOUR, async |cx: &Cx| {
                                        let told = cx.finish(async |cx: &Cx| Ok(cx.sleep(HOUR).await?)).await;
                                        log.push(n);
                                        told
                                    })
                                    .await
                                })
                                .await;
                            assert!(outcome.is_err());
                        }
                    })
                    .collect();
                let mut set = set;
                let mut tell = Some(tell);
                future::poll_fn(|task| {
                    let polled = set.poll_next_unpin(task);
                    drop(tell.take().map(|tell| tell.send(())));
                    polled
                })
                .await;
                while set.next().await.is_some() {}
            }));
            ready.recv(cx).await?;
            Ok(())
        });
        ran.outcome.expect("the body succeeds");
        if ran.report.is_some_and(|report| report.totals.abandoned > 0) {
            // The machine was so busy that the host took that poll for one that does not return.
            continue;
        }
        assert_eq!(log.take().len(), 50, "some were dropped without having been told");
        whole += 1;
    }
    assert!(whole > 0, "each time it was abandoned");
}

fn joined_futures_hear_of_request(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tell, mut ready) = oneshot::channel();
        let task = cx.spawn("join", async move |cx: &Cx| {
            let (notify, semaphore) = (Notify::new(), Semaphore::new(0));
            let many = future::join_all((0..40).map(|_| cx.sleep(HOUR)));
            let all = future::join4(many, notify.notified(cx), semaphore.acquire(cx, 1), async {
                drop(tell.send(()));
                cx.cancelled().await
            });
            let (slept, notified, acquired, _) = all.await;
            assert!(slept.iter().all(Result::is_err) && notified.is_err() && acquired.is_err());
            Ok(())
        });
        ready.recv(cx).await?;
        task.cancel(Budget::UNLIMITED).await
    });
}

fn a_selected_region_that_loses_is_closed_all_the_same(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let ran = Arc::new(AtomicUsize::new(0));
        let inner = ran.clone();
        Region::open(cx, "around", async |cx: &Cx| {
            let loses = Region::open(cx, "loser", async |cx: &Cx| {
                let (a, b) = (inner.clone(), inner.clone());
                cx.defer(async move |_: &Cx| {
                    a.fetch_add(10, SeqCst);
                })?;
                drop(cx.spawn("child", async move |cx: &Cx| {
                    assert!(cx.cancelled().await.reason().involves(ReasonKind::HandleDropped));
                    b.fetch_add(1, SeqCst);
                }));
                cx.yield_now().await?;
                Ok(cx.sleep(HOUR).await?)
            });
            let wins = async {
                crate::probe::breathe().await;
            };
            match future::select(pin!(loses), pin!(wins)).await {
                Either::Left(_) => panic!("the region sleeps"),
                Either::Right(_) => Ok(()),
            }
        })
        .await?;
        // The child may have been told before its first poll; the finalizer ran in any case.
        assert_eq!(ran.load(SeqCst), 11);
        Ok(())
    });
}

fn scopes_inside_a_set_hear_of_request(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tell, mut ready) = oneshot::channel();
        let task = cx.spawn("set", async move |cx: &Cx| {
            let timed = cx.timeout(HOUR, async |cx: &Cx| Ok(cx.sleep(HOUR).await?));
            let raced =
                cx.race(async |cx: &Cx| Ok(cx.sleep(HOUR).await?), async |cx: &Cx| Ok(cx.sleep(HOUR).await?));
            let told = async {
                drop(tell.send(()));
                cx.cancelled().await
            };
            let (timed, raced, _) = future::join3(timed, raced, told).await;
            assert_eq!(cancelled_kind(&timed), ReasonKind::UserRequest);
            assert_eq!(cancelled_kind(&raced), ReasonKind::UserRequest);
            Ok(())
        });
        ready.recv(cx).await?;
        task.cancel(Budget::UNLIMITED).await
    });
}

fn regions_inside_a_set_close(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let mut set: FuturesUnordered<_> = (0..20)
            .map(|n| {
                Region::open(cx, "r", async move |cx: &Cx| {
                    cx.defer(async |cx: &Cx| {
                        cx.sleep(MS(1)).await?;
                        Ok(())
                    })?;
                    cx.spawn("t", async move |cx: &Cx| {
                        cx.yield_now().await?;
                        Ok(n)
                    })
                    .join()
                    .await
                })
            })
            .collect();
        let mut sum = 0;
        while let Some(value) = set.next().await {
            sum += value?;
        }
        assert_eq!(sum, (0..20).sum::<i32>());
        Ok(())
    });
}

fn a_cx_lent_to_another_task_is_heard_there(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let victim = Victim::new(cx).await;
        let lent = victim.cx.clone();
        let (tell, mut ready) = oneshot::channel();
        let borrower = cx.spawn_future("borrower", async move {
            drop(tell.send(()));
            Ok(kind(&lent.sleep(HOUR).await.unwrap_err()))
        });
        ready.recv(cx).await?;
        victim.request();
        assert_eq!(borrower.join().await?, ReasonKind::UserRequest);
        Ok(())
    });
}

struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

fn a_waker_is_let_go_with_its_future(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let victim = Victim::new(cx).await;
        let bell = Arc::new(Bell(AtomicUsize::new(0)));
        let waker = Waker::from(bell.clone());
        {
            let mut sleep = pin!(victim.cx.sleep(HOUR));
            let notify = Notify::new();
            let mut notified = pin!(notify.notified(&victim.cx));
            for _ in 0..2 {
                assert!(sleep.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
                assert!(notified.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            }
            assert!(Arc::strong_count(&bell) > 2);
        }
        drop(waker);
        assert_eq!(Arc::strong_count(&bell), 1, "a timer, a queue or a scope kept the waker");
        victim.request();
        assert_eq!(bell.0.load(SeqCst), 0, "woken after it was gone");
        Ok(())
    });
}

fn a_future_that_moves_between_wakers_is_woken_at_the_last(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let victim = Victim::new(cx).await;
        let bells = [(); 2].map(|()| Arc::new(Bell(AtomicUsize::new(0))));
        let (tx, mut rx) = mpsc::channel::<u8>(1);
        {
            let mut recv = pin!(rx.recv(&victim.cx));
            for bell in &bells {
                let waker = Waker::from(bell.clone());
                assert!(recv.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            }
            tx.try_send(1).expect("there is room");
            assert_eq!(bells.each_ref().map(|bell| bell.0.load(SeqCst)), [0, 1]);
            victim.request();
            assert_eq!(bells.each_ref().map(|bell| bell.0.load(SeqCst)), [0, 2]);
        }
        Ok(())
    });
}

fn channels_wake_within_a_set(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tx, mut rx) = mpsc::channel(1);
        let send = future::join_all((0..30).map(|n| tx.send(cx, n)));
        let receive = async {
            let mut got = Vec::new();
            while got.len() < 30 {
                got.push(rx.recv(cx).await?.expect("the sender is here"));
            }
            Ok(got)
        };
        let (sent, got): (_, Outcome<Vec<_>>) = future::join(send, receive).await;
        assert!(sent.iter().all(Result::is_ok));
        assert_eq!(got?, (0..30).collect::<Vec<_>>());
        Ok(())
    });
}
