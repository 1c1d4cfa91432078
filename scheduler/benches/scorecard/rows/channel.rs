//! Rows 4, 7 and 8: channels, and what wakes many.

use std::future::Future;
use std::sync::Arc;

use asupersync::Cx;
use asupersync::channel::{broadcast, mpsc, oneshot, watch};
use asupersync::sync::Notify;
use tokio::sync as theirs;

use crate::measure::{Figures, Measure};
use crate::peer::{Foreign, Peer, Smol, TokioMt, on, ours};

pub(super) fn ping_pong(peer: Peer, scale: u64) -> Figures {
    let batches = 100 / scale;
    on!(peer, ours: ours_ping_pong(batches), foreign_ping_pong(batches))
}

const PAIRS: u64 = 1000;

fn ours_ping_pong(batches: u64) -> Figures {
    ours(async move |cx: &Cx| {
        let measure = Measure::start();
        for _ in 0..batches {
            let tasks: Vec<_> = (0..PAIRS)
                .map(|n| {
                    cx.spawn("ping", async move |cx| {
                        let (there, mut at_pong) = oneshot::channel();
                        let (back, mut at_ping) = oneshot::channel();
                        drop(cx.spawn("pong", async move |cx| {
                            let n = at_pong.recv(cx).await?;
                            back.send(n)?;
                            Ok(())
                        }));
                        there.send(n)?;
                        assert_eq!(at_ping.recv(cx).await?, n);
                        Ok(())
                    })
                })
                .collect();
            for task in tasks {
                task.join().await?;
            }
        }
        Ok(measure.over(batches * PAIRS))
    })
}

fn foreign_ping_pong<P: Foreign>(batches: u64) -> Figures {
    P::run(async move |peer| {
        let measure = Measure::start();
        for _ in 0..batches {
            let tasks: Vec<_> = (0..PAIRS)
                .map(|n| {
                    peer.spawn(async move {
                        let (there, at_pong) = theirs::oneshot::channel();
                        let (back, at_ping) = theirs::oneshot::channel();
                        peer.detach(async move {
                            let n: u64 = at_pong.await.expect("ping sends");
                            back.send(n).expect("ping waits");
                        });
                        there.send(n).expect("pong waits");
                        assert_eq!(at_ping.await, Ok(n));
                    })
                })
                .collect();
            for task in tasks {
                task.await;
            }
        }
        measure.over(batches * PAIRS)
    })
}

const CAPACITY: usize = 1024;

/// How many messages, from how many senders, and whether the channel is bounded.
#[derive(Clone, Copy)]
struct Load {
    senders: u64,
    each: u64,
    bounded: bool,
}

impl Load {
    fn messages(self) -> u64 {
        self.senders * self.each
    }

    fn sum(self) -> u64 {
        self.senders * (self.each * (self.each - 1) / 2)
    }
}

pub(super) fn mpsc(peer: Peer, scale: u64) -> Figures {
    let messages = 1_000_000 / scale;
    let loads = [(1, true), (4, true), (1, false)];
    let run = |(senders, bounded)| {
        let load = Load { senders, each: messages / senders, bounded };
        match peer {
            Peer::Ours => ours_mpsc(load),
            Peer::Tokio => TokioMt::run(async move |peer| tokio_mpsc(peer, load).await),
            Peer::TokioCt => crate::peer::TokioCt::run(async move |peer| tokio_mpsc(peer, load).await),
            Peer::Smol => Smol::run(async move |peer| smol_mpsc(peer, load).await),
            Peer::Kanal => TokioMt::run(async move |peer| kanal_mpsc(peer, load).await),
            Peer::Flume => TokioMt::run(async move |peer| flume_mpsc(peer, load).await),
            other => unreachable!("no row runs {} here", other.name()),
        }
    };
    loads.into_iter().map(|load| run(load)[0]).collect()
}

fn ours_mpsc(load: Load) -> Figures {
    ours(async move |cx: &Cx| {
        let measure = Measure::start();
        let mut sum = 0;
        if load.bounded {
            let (send, mut recv) = mpsc::channel(CAPACITY);
            for _ in 0..load.senders {
                let send = send.clone();
                drop(cx.spawn("sender", async move |cx| {
                    for n in 0..load.each {
                        send.send(cx, n).await?;
                    }
                    Ok(())
                }));
            }
            drop(send);
            while let Some(n) = recv.recv(cx).await? {
                sum += n;
            }
        } else {
            let (send, mut recv) = mpsc::unbounded();
            drop(cx.spawn("sender", async move |_| {
                (0..load.each).try_for_each(|n| send.send(n))?;
                Ok(())
            }));
            while let Some(n) = recv.recv(cx).await? {
                sum += n;
            }
        }
        assert_eq!(sum, load.sum());
        Ok(measure.over(load.messages()))
    })
}

/// Runs the senders as tasks beside the receiver.
async fn sent<P: Foreign, S>(
    peer: P,
    load: Load,
    sender: impl Fn() -> S,
    received: impl Future<Output = u64>,
) -> Figures
where
    S: Future<Output = ()> + Send + 'static,
{
    let measure = Measure::start();
    for _ in 0..load.senders {
        peer.detach(sender());
    }
    drop(sender);
    assert_eq!(received.await, load.sum());
    measure.over(load.messages())
}

async fn tokio_mpsc<P: Foreign>(peer: P, load: Load) -> Figures {
    if load.bounded {
        let (send, mut recv) = theirs::mpsc::channel(CAPACITY);
        let sender = move || {
            let send = send.clone();
            async move {
                for n in 0..load.each {
                    send.send(n).await.expect("the receiver waits");
                }
            }
        };
        sent(peer, load, sender, async move {
            let mut sum = 0;
            while let Some(n) = recv.recv().await {
                sum += n;
            }
            sum
        })
        .await
    } else {
        let (send, mut recv) = theirs::mpsc::unbounded_channel();
        let sender = move || {
            let send = send.clone();
            async move { (0..load.each).for_each(|n| send.send(n).expect("the receiver waits")) }
        };
        sent(peer, load, sender, async move {
            let mut sum = 0;
            while let Some(n) = recv.recv().await {
                sum += n;
            }
            sum
        })
        .await
    }
}

/// A channel whose two ends are named alike whether it is bounded or not.
macro_rules! channel_of {
    ($name:ident, $bounded:expr, $unbounded:expr, $send:ident, $recv:ident) => {
        async fn $name<P: Foreign>(peer: P, load: Load) -> Figures {
            let (send, recv) = if load.bounded { $bounded } else { $unbounded };
            let sender = move || {
                let send = send.clone();
                async move {
                    for n in 0..load.each {
                        send.$send(n).await.expect("the receiver waits");
                    }
                }
            };
            sent(peer, load, sender, async move {
                let mut sum = 0;
                while let Ok(n) = recv.$recv().await {
                    sum += n;
                }
                sum
            })
            .await
        }
    };
}

channel_of!(smol_mpsc, async_channel::bounded(CAPACITY), async_channel::unbounded(), send, recv);
channel_of!(kanal_mpsc, kanal::bounded_async(CAPACITY), kanal::unbounded_async(), send, recv);
channel_of!(flume_mpsc, flume::bounded(CAPACITY), flume::unbounded(), send_async, recv_async);

const WAITERS: u64 = 100;

pub(super) fn others(peer: Peer, scale: u64) -> Figures {
    let rounds = 1000 / scale;
    let each = match peer {
        Peer::Ours => [ours_oneshot(rounds), ours_watch(rounds), ours_broadcast(rounds), ours_notify(rounds)],
        Peer::Tokio => {
            [their_oneshot(rounds), their_watch(rounds), their_broadcast(rounds), their_notify(rounds)]
        }
        other => unreachable!("no row runs {} here", other.name()),
    };
    let each = each.map(|figures| figures[0]);
    let mean = (each.iter().map(|value| value.ln()).sum::<f64>() / each.len() as f64).exp();
    [mean].into_iter().chain(each).collect()
}

fn ours_oneshot(rounds: u64) -> Figures {
    ours(async move |cx: &Cx| {
        let measure = Measure::start();
        for n in 0..rounds * WAITERS {
            let (send, mut recv) = oneshot::channel();
            drop(cx.spawn("sender", async move |_| Ok(send.send(n)?)));
            assert_eq!(recv.recv(cx).await?, n);
        }
        Ok(measure.over(rounds * WAITERS))
    })
}

fn their_oneshot(rounds: u64) -> Figures {
    TokioMt::run(async move |peer| {
        let measure = Measure::start();
        for n in 0..rounds * WAITERS {
            let (send, recv) = theirs::oneshot::channel();
            peer.detach(async move { send.send(n).expect("it waits") });
            assert_eq!(recv.await, Ok(n));
        }
        measure.over(rounds * WAITERS)
    })
}

/// Each value is seen by each receiver before the next is sent.
fn ours_watch(rounds: u64) -> Figures {
    ours(async move |cx: &Cx| {
        let (send, _keep) = watch::channel(0);
        let (seen, mut all_seen) = mpsc::unbounded();
        for _ in 0..WAITERS {
            let (mut recv, seen) = (send.subscribe(), seen.clone());
            drop(cx.spawn("watcher", async move |cx| {
                for n in 1..=rounds {
                    recv.changed(cx).await?;
                    assert_eq!(*recv.borrow_and_update(), n);
                    seen.send(())?;
                }
                Ok(())
            }));
        }
        let measure = Measure::start();
        for n in 1..=rounds {
            send.send(n)?;
            for _ in 0..WAITERS {
                assert!(all_seen.recv(cx).await?.is_some());
            }
        }
        Ok(measure.over(rounds * WAITERS))
    })
}

fn their_watch(rounds: u64) -> Figures {
    TokioMt::run(async move |peer| {
        let (send, _keep) = theirs::watch::channel(0);
        let (seen, mut all_seen) = theirs::mpsc::unbounded_channel();
        for _ in 0..WAITERS {
            let (mut recv, seen) = (send.subscribe(), seen.clone());
            peer.detach(async move {
                for n in 1..=rounds {
                    recv.changed().await.expect("the sender is there");
                    assert_eq!(*recv.borrow_and_update(), n);
                    seen.send(()).expect("somebody counts");
                }
            });
        }
        let measure = Measure::start();
        for n in 1..=rounds {
            send.send(n).expect("there are receivers");
            for _ in 0..WAITERS {
                assert!(all_seen.recv().await.is_some());
            }
        }
        measure.over(rounds * WAITERS)
    })
}

fn ours_broadcast(rounds: u64) -> Figures {
    ours(async move |cx: &Cx| {
        let (send, _keep) = broadcast::channel(rounds as usize);
        let tasks: Vec<_> = (0..WAITERS)
            .map(|_| {
                let mut recv = send.subscribe();
                cx.spawn("listener", async move |cx| {
                    for n in 0..rounds {
                        assert_eq!(recv.recv(cx).await?, n);
                    }
                    Ok(())
                })
            })
            .collect();
        let measure = Measure::start();
        for n in 0..rounds {
            send.send(n)?;
        }
        for task in tasks {
            task.join().await?;
        }
        Ok(measure.over(rounds * WAITERS))
    })
}

fn their_broadcast(rounds: u64) -> Figures {
    TokioMt::run(async move |peer| {
        let (send, _keep) = theirs::broadcast::channel(rounds as usize);
        let tasks: Vec<_> = (0..WAITERS)
            .map(|_| {
                let mut recv = send.subscribe();
                peer.spawn(async move {
                    for n in 0..rounds {
                        assert_eq!(recv.recv().await, Ok(n));
                    }
                })
            })
            .collect();
        let measure = Measure::start();
        for n in 0..rounds {
            send.send(n).expect("there are receivers");
        }
        for task in tasks {
            task.await;
        }
        measure.over(rounds * WAITERS)
    })
}

/// All wait, are woken at once, and say that they were. Who says so waits again only in the next
/// round, which begins when all have begun to wait.
fn ours_notify(rounds: u64) -> Figures {
    ours(async move |cx: &Cx| {
        let notify = Arc::new(Notify::new());
        let measure = Measure::start();
        for _ in 0..rounds {
            let (waiting, mut all_wait) = mpsc::unbounded();
            let tasks: Vec<_> = (0..WAITERS)
                .map(|_| {
                    let (notify, waiting) = (notify.clone(), waiting.clone());
                    cx.spawn("waiter", async move |cx| {
                        let mut notified = std::pin::pin!(notify.notified(cx));
                        let first =
                            std::future::poll_fn(|task| std::task::Poll::Ready(notified.as_mut().poll(task)))
                                .await;
                        assert!(first.is_pending());
                        waiting.send(())?;
                        notified.await?;
                        Ok(())
                    })
                })
                .collect();
            for _ in 0..WAITERS {
                assert!(all_wait.recv(cx).await?.is_some());
            }
            notify.notify_waiters();
            for task in tasks {
                task.join().await?;
            }
        }
        Ok(measure.over(rounds * WAITERS))
    })
}

fn their_notify(rounds: u64) -> Figures {
    TokioMt::run(async move |peer| {
        let notify = Arc::new(theirs::Notify::new());
        let measure = Measure::start();
        for _ in 0..rounds {
            let (waiting, mut all_wait) = theirs::mpsc::unbounded_channel();
            let tasks: Vec<_> = (0..WAITERS)
                .map(|_| {
                    let (notify, waiting) = (notify.clone(), waiting.clone());
                    peer.spawn(async move {
                        let mut notified = std::pin::pin!(notify.notified());
                        let first =
                            std::future::poll_fn(|task| std::task::Poll::Ready(notified.as_mut().poll(task)))
                                .await;
                        assert!(first.is_pending());
                        waiting.send(()).expect("somebody counts");
                        notified.await;
                    })
                })
                .collect();
            for _ in 0..WAITERS {
                assert!(all_wait.recv().await.is_some());
            }
            notify.notify_waiters();
            for task in tasks {
                task.await;
            }
        }
        measure.over(rounds * WAITERS)
    })
}
