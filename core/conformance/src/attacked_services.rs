//! Channels' permits and supervisors, cancelled at every await.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use asupersync_core::channel::{mpsc, oneshot};
use asupersync_core::supervise::{ChildError, ChildSpec, Restart, Strategy, Supervisor};
use asupersync_core::{Cx, Failure, Outcome};

use crate::attack::{Ended, Play, at_every_await};
use crate::probe::{Count, Log, MS};
use crate::runner::Runner;

crate::cases![room_in_a_channel_is_held, the_one_message_is_held, supervisors_run, supervisors_are_asked,];

fn room_in_a_channel_is_held(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (sent, received) = (Arc::new(AtomicBool::new(false)), Log::new());
        for tries in [false, true] {
            let play = |around: Cx, cx: Cx| -> Play<Outcome> {
                let (tx, mut rx) = mpsc::channel(1);
                let other = tx.clone();
                drop(around.spawn("other", async move |cx: &Cx| {
                    for _ in 0..2 {
                        other.send(cx, 0).await?;
                    }
                    Ok(())
                }));
                let log = received.clone();
                drop(around.spawn("receiver", async move |cx: &Cx| {
                    while let Some(message) = rx.recv(cx).await? {
                        log.push(message);
                        cx.yield_now().await?;
                    }
                    Ok(())
                }));
                let sent = sent.clone();
                Box::pin(async move {
                    if tries {
                        tx.try_with_permit(&cx, async |permit| {
                            let (permit, ()) = permit.or_abort(cx.sleep(MS(1)).await)?;
                            sent.store(true, SeqCst);
                            Ok(permit.send(1))
                        })
                        .await
                    } else {
                        tx.with_permit(&cx, async |permit| {
                            if cx.sleep(MS(1)).await.is_err() {
                                return permit.abort();
                            }
                            sent.store(true, SeqCst);
                            permit.send(1)
                        })
                        .await?;
                        Ok(())
                    }
                })
            };
            let gone = |ended: Ended<Outcome>| {
                let (sent, received) = (sent.swap(false, SeqCst), received.take());
                assert_eq!(received.iter().filter(|message| **message == 0).count(), 2, "the others go on");
                assert_eq!(received.contains(&1), sent, "{ended:?}");
                assert!(sent || !matches!(ended, Ended::Whole(_)));
            };
            at_every_await(cx, play, gone).await?;
        }
        Ok(())
    });
}

fn the_one_message_is_held(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (sent, received) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        for tries in [false, true] {
            let play = |around: Cx, cx: Cx| -> Play<Outcome> {
                let (tx, mut rx) = oneshot::channel();
                let flag = received.clone();
                drop(around.spawn("receiver", async move |cx: &Cx| {
                    flag.store(rx.recv(cx).await.is_ok(), SeqCst);
                    Ok(cx.checkpoint()?)
                }));
                let sent = sent.clone();
                Box::pin(async move {
                    if tries {
                        tx.try_with_permit(&cx, async |permit| {
                            let (permit, ()) = permit.or_abort(cx.sleep(MS(1)).await)?;
                            sent.store(true, SeqCst);
                            Ok(permit.send(1))
                        })
                        .await?;
                    } else {
                        tx.with_permit(&cx, async |permit| {
                            if cx.sleep(MS(1)).await.is_err() {
                                return permit.abort();
                            }
                            sent.store(true, SeqCst);
                            permit.send(1)
                        })
                        .await;
                    }
                    Ok(())
                })
            };
            let gone = |ended: Ended<Outcome>| {
                let sent = sent.swap(false, SeqCst);
                assert_eq!(received.swap(false, SeqCst), sent, "{ended:?}");
                assert!(sent || !matches!(ended, Ended::Whole(_)));
            };
            at_every_await(cx, play, gone).await?;
        }
        Ok(())
    });
}

/// A child that ends after some time, or when it is asked to, with some work in flight.
fn job(count: &Count) -> ChildSpec {
    let count = count.clone();
    let job = ChildSpec::new("job", async move |cx: &Cx| {
        let _one = count.one();
        cx.sleep(MS(2)).await.ok();
        cx.finish(async |cx: &Cx| Ok(cx.yield_now().await?)).await
    });
    job.restart(Restart::Temporary)
}

/// A value, or a cancellation of whoever was disturbed; and nobody is left.
fn fine<T: std::fmt::Debug>(ended: &Ended<Outcome<T>>, count: &Count) {
    assert_eq!(count.alive(), 0);
    match ended {
        Ended::Whole(outcome) => assert!(outcome.is_ok(), "{outcome:?}"),
        Ended::Requested(outcome) => {
            assert!(matches!(outcome, Ok(_) | Err(Failure::Cancelled(_))), "{outcome:?}");
        }
        Ended::Dropped => {}
    }
}

fn supervisors_run(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let count = Count::default();
        let play = |_, cx: Cx| -> Play<Outcome> {
            let supervisor = Supervisor::new(Strategy::OneForAll).child(job(&count)).child(job(&count));
            Box::pin(async move { supervisor.run(&cx).await })
        };
        at_every_await(cx, play, |ended| fine(&ended, &count)).await
    });
}

fn supervisors_are_asked(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let count = Count::default();
        let play = |around: Cx, cx: Cx| -> Play<Outcome> {
            let mut pool = Supervisor::new(Strategy::SimpleOneForOne);
            let handle = pool.handle();
            // It ends when the victim's handle is gone, and its children are.
            drop(around.spawn("pool", async move |cx: &Cx| pool.run(cx).await));
            let count = count.clone();
            Box::pin(async move {
                let first = handle.start_child(&cx, job(&count)).await?;
                handle.start_child(&cx, job(&count)).await?;
                assert!(handle.which_children(&cx).await?.len() <= 2);
                match handle.terminate_child(&cx, first).await {
                    // It may have ended before.
                    Ok(()) | Err(Failure::Err(ChildError::NotFound(_))) => Ok(()),
                    Err(failure) => Err(failure.err_into()),
                }
            })
        };
        at_every_await(cx, play, |ended| fine(&ended, &count)).await
    });
}
