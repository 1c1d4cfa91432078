//! The workloads whose cost is looked at as they grow.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use asupersync::{Cx, Region};
use tokio::task::JoinSet;

use super::{cancel, echo, timer};
use crate::measure::Measure;
use crate::peer::{Foreign, Peer, TokioCt, TokioMt, on, ours};

/// All are there before the first is joined.
pub(crate) fn spawn(peer: Peer, tasks: u64) -> f64 {
    on!(peer, ours: ours_spawn(tasks), foreign_spawn(tasks))
}

fn ours_spawn(tasks: u64) -> f64 {
    ours(async move |cx: &Cx| {
        let (measure, mut sum) = (Measure::start(), 0);
        let handles: Vec<_> = (0..tasks).map(|n| cx.spawn("n", async move |_| Ok(n))).collect();
        for handle in handles {
            sum += handle.join().await?;
        }
        assert_eq!(sum, tasks * (tasks - 1) / 2);
        Ok(measure.over(tasks)[0])
    })
}

fn foreign_spawn<P: Foreign>(tasks: u64) -> f64 {
    P::run(async move |peer| {
        let (measure, mut sum) = (Measure::start(), 0);
        let handles: Vec<_> = (0..tasks).map(|n| peer.spawn(async move { n })).collect();
        for handle in handles {
            sum += handle.await;
        }
        assert_eq!(sum, tasks * (tasks - 1) / 2);
        measure.over(tasks)[0]
    })
}

pub(crate) fn cancel(peer: Peer, tasks: u64) -> f64 {
    cancel::all_of(peer, tasks)
}

/// All are spawned before the first is waited for; nobody has a handle of one.
pub(crate) fn close(peer: Peer, tasks: u64) -> f64 {
    match peer {
        Peer::Ours => ours_close(tasks),
        Peer::Tokio => join_set::<TokioMt>(tasks),
        Peer::TokioCt => join_set::<TokioCt>(tasks),
        other => unreachable!("no curve has {} here", other.name()),
    }
}

fn ours_close(tasks: u64) -> f64 {
    ours(async move |cx: &Cx| {
        let (measure, ran) = (Measure::start(), Arc::new(AtomicU64::new(0)));
        Region::open(cx, "many", async |cx: &Cx| {
            for _ in 0..tasks {
                let ran = ran.clone();
                drop(cx.spawn("one", async move |_| {
                    ran.fetch_add(1, Relaxed);
                    Ok(())
                }));
            }
            Ok(())
        })
        .await?;
        assert_eq!(ran.load(Relaxed), tasks);
        Ok(measure.over(tasks)[0])
    })
}

fn join_set<P: Foreign>(tasks: u64) -> f64 {
    P::run(async move |_| {
        let (measure, ran) = (Measure::start(), Arc::new(AtomicU64::new(0)));
        let mut set = JoinSet::new();
        for _ in 0..tasks {
            let ran = ran.clone();
            set.spawn(async move {
                ran.fetch_add(1, Relaxed);
            });
        }
        while set.join_next().await.is_some() {}
        assert_eq!(ran.load(Relaxed), tasks);
        measure.over(tasks)[0]
    })
}

pub(crate) fn timers(peer: Peer, timers: u64) -> f64 {
    timer::dropped_of(peer, timers)[1]
}

pub(crate) fn connections(peer: Peer, connections: u64) -> f64 {
    echo::many_of(peer, connections, 100_000_u64.div_ceil(connections))[0]
}

pub(crate) fn regions(_: Peer, regions: u64) -> f64 {
    ours(async move |cx: &Cx| {
        let measure = Measure::start();
        Region::open(cx, "all", async move |cx| {
            let sporks: Vec<_> = (0..regions)
                .map(|_| {
                    Region::builder("one").spork(cx, async |cx: &Cx| {
                        cx.cancelled().await;
                        Ok(())
                    })
                })
                .collect();
            assert_eq!(sporks.len() as u64, regions);
            cx.yield_now().await?;
            Ok(())
        })
        .await?;
        Ok(measure.over(regions)[0])
    })
}
