//! Rows 18 and 19: cancellation of one task among many that are busy, and of all that are idle.

use std::time::{Duration, Instant};

use asupersync::{Cx, Outcome, Reason, ReasonKind, Region};
use futures_lite::future::block_on;
use tokio::sync::oneshot;

use crate::measure::{Figures, Measure, percentiles};
use crate::peer::{Abort, Foreign, Peer, on, ours};

const TASKS: u64 = 100_000;

/// Tells when the task that has it has ended, however it ended.
struct Gone(Option<oneshot::Sender<Instant>>);

/// Hears when a task has begun to wait, and when it has ended.
struct Heard {
    waits: oneshot::Receiver<()>,
    gone: oneshot::Receiver<Instant>,
}

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.take().map(|tell| tell.send(Instant::now()));
    }
}

/// A task that waits.
struct Victim<T> {
    task: T,
    heard: Heard,
}

impl<T> Victim<T> {
    fn start(start: &impl Fn(oneshot::Sender<()>, Gone) -> T) -> Self {
        let ((waiting, waits), (tell, gone)) = (oneshot::channel(), oneshot::channel());
        Victim { task: start(waiting, Gone(Some(tell))), heard: Heard { waits, gone } }
    }

    /// Asks it to stop, and returns how long it lived after that.
    async fn cancel(&mut self, stop: &impl Fn(&T)) -> Duration {
        let asked = Instant::now();
        stop(&self.task);
        (&mut self.heard.gone).await.expect("it ends").saturating_duration_since(asked)
    }
}

/// Tasks that are to be cancelled, on each side, one after the other. All begin before that: to begin is to wait
/// for a turn among those that are busy, which takes most of a second, and is nothing that is measured.
const VICTIMS: usize = 200;

/// So many of them are cancelled as can be before this is over, but one at least; Tokio takes a second for each.
/// Once it was ten of other runtimes, and all of ours, each begun alone, which took minutes.
const SIDE: Duration = Duration::from_secs(1);

/// How long each lived, of those that were cancelled in time.
async fn lifetimes<T>(
    start: &impl Fn(oneshot::Sender<()>, Gone) -> T,
    stop: &impl Fn(&T),
    side: Duration,
) -> Vec<Duration> {
    let mut victims: Vec<_> = (0..VICTIMS).map(|_| Victim::start(start)).collect();
    for victim in &mut victims {
        (&mut victim.heard.waits).await.expect("it begins");
    }
    let (begin, mut late) = (Instant::now(), Vec::new());
    for victim in &mut victims {
        if !late.is_empty() && begin.elapsed() >= side {
            break;
        }
        late.push(victim.cancel(stop).await);
    }
    late
}

/// Many tasks are always ready; those that wait are cancelled by a thread of none of the runtime's, then by a
/// task. Last come the numbers of them.
async fn latencies<T, S>(side: Duration, start: S, stop: impl Fn(&T) + Clone + Send + 'static) -> Figures
where
    S: Fn(oneshot::Sender<()>, Gone) -> T + Clone + Send + 'static,
    T: Send,
{
    let (tell, told) = oneshot::channel();
    let (outside, stop_outside) = (start.clone(), stop.clone());
    std::thread::spawn(move || tell.send(block_on(lifetimes(&outside, &stop_outside, side))));
    let outside = told.await.expect("the thread ends");
    let inside = lifetimes(&start, &stop, side).await;
    let counts = [outside.len() as f64, inside.len() as f64];
    percentiles(outside).into_iter().chain(percentiles(inside)).chain(counts).collect()
}

pub(super) fn one_of_many(peer: Peer, scale: u64) -> Figures {
    let (busy, side) = (TASKS / scale, SIDE / u32::try_from(scale).expect("a small number"));
    on!(peer, ours: ours_one_of_many(busy, side), foreign_one_of_many(busy, side))
}

fn ours_one_of_many(busy: u64, side: Duration) -> Figures {
    ours(async move |cx: &Cx| {
        Region::open(cx, "busy", async move |cx| {
            for _ in 0..busy {
                drop(cx.spawn("busy", async |cx: &Cx| -> Outcome {
                    loop {
                        cx.yield_now().await?;
                    }
                }));
            }
            let of_region = cx.clone();
            let start = move |waiting: oneshot::Sender<()>, guard| {
                of_region.spawn("one", async move |cx| {
                    let _guard = guard;
                    waiting.send(()).ok();
                    cx.cancelled().await;
                    Ok(())
                })
            };
            let figures =
                latencies(side, start, |task| task.request_cancel(Reason::new(ReasonKind::UserRequest)))
                    .await;
            Ok(figures)
        })
        .await
    })
}

fn foreign_one_of_many<P: Foreign>(busy: u64, side: Duration) -> Figures {
    P::run(async move |peer| {
        for _ in 0..busy {
            peer.detach(async {
                loop {
                    P::yield_now().await;
                }
            });
        }
        let start = move |waiting: oneshot::Sender<()>, guard: Gone| {
            peer.abortable(async move {
                let _guard = guard;
                waiting.send(()).ok();
                std::future::pending::<()>().await;
            })
        };
        latencies(side, start, Abort::abort).await
    })
}

/// All wait; all are cancelled, and it is known when the last has ended.
pub(super) fn all(peer: Peer, scale: u64) -> Figures {
    vec![all_of(peer, TASKS / scale)]
}

pub(super) fn all_of(peer: Peer, tasks: u64) -> f64 {
    on!(peer, ours: ours_all(tasks), foreign_all(tasks))
}

fn ours_all(tasks: u64) -> f64 {
    ours(async move |cx: &Cx| {
        let measure = Region::builder("all")
            .open(cx, async move |cx| {
                let mut waits = Vec::new();
                for _ in 0..tasks {
                    let (waiting, begun) = oneshot::channel();
                    waits.push(begun);
                    drop(cx.spawn("waits", async move |cx| {
                        waiting.send(()).ok();
                        cx.cancelled().await;
                        Ok(())
                    }));
                }
                for begun in waits {
                    begun.await.expect("it begins");
                }
                Ok(Measure::start())
            })
            .await?;
        Ok(measure.over(tasks)[0])
    })
}

fn foreign_all<P: Foreign>(tasks: u64) -> f64 {
    P::run(async move |peer| {
        let (mut waits, mut handles) = (Vec::new(), Vec::new());
        for _ in 0..tasks {
            let (waiting, begun) = oneshot::channel();
            waits.push(begun);
            handles.push(peer.abortable(async move {
                waiting.send(()).ok();
                std::future::pending::<()>().await;
            }));
        }
        for begun in waits {
            begun.await.expect("it begins");
        }
        let measure = Measure::start();
        Abort::drain(handles).await;
        measure.over(tasks)[0]
    })
}
