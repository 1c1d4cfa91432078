//! Row 17: what it costs to keep eight tasks together, and to know that all have ended.

use asupersync::{Cx, Region};
use tokio::task::JoinSet;

use crate::measure::{Figures, Measure};
use crate::peer::{Foreign, Peer, TokioCt, TokioMt, ours};

const CHILDREN: u64 = 8;

pub(super) fn of_eight(peer: Peer, scale: u64) -> Figures {
    let times = 50_000 / scale;
    match peer {
        Peer::Ours => ours_of_eight(times),
        Peer::Tokio => join_set::<TokioMt>(times),
        Peer::TokioCt => join_set::<TokioCt>(times),
        other => unreachable!("no row runs {} here", other.name()),
    }
}

fn ours_of_eight(times: u64) -> Figures {
    ours(async move |cx: &Cx| {
        let (measure, mut sum) = (Measure::start(), 0);
        for _ in 0..times {
            sum += Region::open(cx, "eight", async |cx| {
                let tasks: [_; CHILDREN as usize] =
                    std::array::from_fn(|n| cx.spawn("child", async move |_| Ok(n as u64)));
                let mut sum = 0;
                for task in tasks {
                    sum += task.join().await?;
                }
                Ok(sum)
            })
            .await?;
        }
        assert_eq!(sum, times * CHILDREN * (CHILDREN - 1) / 2);
        Ok(measure.over(times))
    })
}

fn join_set<P: Foreign>(times: u64) -> Figures {
    P::run(async move |_| {
        let (measure, mut sum) = (Measure::start(), 0);
        for _ in 0..times {
            let mut set = JoinSet::new();
            for n in 0..CHILDREN {
                set.spawn(async move { n });
            }
            while let Some(n) = set.join_next().await {
                sum += n.expect("the task ends");
            }
        }
        assert_eq!(sum, times * CHILDREN * (CHILDREN - 1) / 2);
        measure.over(times)
    })
}
