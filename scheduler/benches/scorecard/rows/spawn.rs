//! Rows 1, 2, 3 and 5: tasks that come, go and yield.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use asupersync::Cx;
use asupersync::channel::oneshot;

use crate::measure::{Figures, Measure};
use crate::peer::{Foreign, Peer, on, ours};

pub(super) fn joined(peer: Peer, scale: u64) -> Figures {
    let batches = 1000 / scale;
    on!(peer, ours: ours_joined(batches), foreign_joined(batches))
}

fn ours_joined(batches: u64) -> Figures {
    ours(async move |cx: &Cx| {
        let measure = Measure::start();
        let mut sum = 0;
        for _ in 0..batches {
            let tasks: Vec<_> = (0..1000_u64).map(|n| cx.spawn("n", async move |_| Ok(n))).collect();
            for task in tasks {
                sum += task.join().await?;
            }
        }
        assert_eq!(sum, batches * 499_500);
        Ok(measure.over(batches * 1000))
    })
}

fn foreign_joined<P: Foreign>(batches: u64) -> Figures {
    P::run(async move |peer| {
        let measure = Measure::start();
        let mut sum = 0;
        for _ in 0..batches {
            let tasks: Vec<_> = (0..1000_u64).map(|n| peer.spawn(async move { n })).collect();
            for task in tasks {
                sum += task.await;
            }
        }
        assert_eq!(sum, batches * 499_500);
        measure.over(batches * 1000)
    })
}

/// Counts tasks, and tells when the last has run.
struct Countdown {
    left: AtomicU64,
    tell: tokio::sync::Notify,
}

impl Countdown {
    fn of(tasks: u64) -> Arc<Self> {
        Arc::new(Countdown { left: AtomicU64::new(tasks), tell: tokio::sync::Notify::new() })
    }

    fn one_less(&self) {
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.tell.notify_one();
        }
    }
}

pub(super) fn remote(peer: Peer, scale: u64) -> Figures {
    let tasks = 300_000 / scale;
    on!(peer, ours: ours_remote(tasks), foreign_remote(tasks))
}

fn ours_remote(tasks: u64) -> Figures {
    ours(async move |cx: &Cx| {
        let (countdown, outside) = (Countdown::of(tasks), cx.clone());
        let measure = Measure::start();
        let ours = countdown.clone();
        std::thread::spawn(move || {
            for _ in 0..tasks {
                let countdown = ours.clone();
                drop(outside.spawn("remote", async move |_| {
                    countdown.one_less();
                    Ok(())
                }));
            }
        });
        countdown.tell.notified().await;
        Ok(measure.over(tasks))
    })
}

fn foreign_remote<P: Foreign>(tasks: u64) -> Figures {
    P::run(async move |peer| {
        let countdown = Countdown::of(tasks);
        let measure = Measure::start();
        let theirs = countdown.clone();
        std::thread::spawn(move || {
            for _ in 0..tasks {
                let countdown = theirs.clone();
                peer.detach(async move { countdown.one_less() });
            }
        });
        countdown.tell.notified().await;
        measure.over(tasks)
    })
}

pub(super) fn chained(peer: Peer, scale: u64) -> Figures {
    let links = 1_000_000 / scale;
    on!(peer, ours: ours_chained(links), foreign_chained(links))
}

fn ours_chained(links: u64) -> Figures {
    fn link(cx: &Cx, left: u64, done: oneshot::Sender<u64>) {
        drop(cx.spawn("link", async move |cx| {
            match left {
                0 => done.send(7)?,
                left => link(cx, left - 1, done),
            }
            Ok(())
        }));
    }
    ours(async move |cx: &Cx| {
        let measure = Measure::start();
        let (done, mut end) = oneshot::channel();
        link(cx, links - 1, done);
        assert_eq!(end.recv(cx).await?, 7);
        Ok(measure.over(links))
    })
}

fn foreign_chained<P: Foreign>(links: u64) -> Figures {
    fn link<P: Foreign>(peer: P, left: u64, done: tokio::sync::oneshot::Sender<u64>) {
        peer.detach(async move {
            match left {
                0 => done.send(7).expect("somebody waits for the end"),
                left => link(peer, left - 1, done),
            }
        });
    }
    P::run(async move |peer| {
        let measure = Measure::start();
        let (done, end) = tokio::sync::oneshot::channel();
        link(peer, links - 1, done);
        assert_eq!(end.await, Ok(7));
        measure.over(links)
    })
}

pub(super) fn yields(peer: Peer, scale: u64) -> Figures {
    let times = 1000 / scale;
    on!(peer, ours: ours_yields(times), foreign_yields(times))
}

const YIELDERS: u64 = 1000;

fn ours_yields(times: u64) -> Figures {
    ours(async move |cx: &Cx| {
        let measure = Measure::start();
        let tasks: Vec<_> = (0..YIELDERS)
            .map(|_| {
                cx.spawn("yields", async move |cx| {
                    for _ in 0..times {
                        cx.yield_now().await?;
                    }
                    Ok(times)
                })
            })
            .collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.join().await?;
        }
        assert_eq!(sum, YIELDERS * times);
        Ok(measure.over(sum))
    })
}

fn foreign_yields<P: Foreign>(times: u64) -> Figures {
    P::run(async move |peer| {
        let measure = Measure::start();
        let tasks: Vec<_> = (0..YIELDERS)
            .map(|_| {
                peer.spawn(async move {
                    for _ in 0..times {
                        P::yield_now().await;
                    }
                    times
                })
            })
            .collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await;
        }
        assert_eq!(sum, YIELDERS * times);
        measure.over(sum)
    })
}
