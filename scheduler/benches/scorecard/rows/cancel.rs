//! Rows 18 and 19: cancellation of one task among many that are busy, and of all that are idle.

use std::time::{Duration, Instant};

use asupersync::{Cx, Outcome, Reason, ReasonKind, Region};
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

fn watched() -> (oneshot::Sender<()>, Gone, Heard) {
    let ((waiting, waits), (tell, gone)) = (oneshot::channel(), oneshot::channel());
    (waiting, Gone(Some(tell)), Heard { waits, gone })
}

/// Starts a task that waits, asks it to stop, and returns how long it lived after that.
fn from_outside<T>(start: &impl Fn(oneshot::Sender<()>, Gone) -> T, stop: &impl Fn(&T)) -> Duration {
    let (waiting, guard, heard) = watched();
    let task = start(waiting, guard);
    heard.waits.blocking_recv().expect("it begins");
    let asked = Instant::now();
    stop(&task);
    heard.gone.blocking_recv().expect("it ends").saturating_duration_since(asked)
}

async fn from_inside<T>(start: &impl Fn(oneshot::Sender<()>, Gone) -> T, stop: &impl Fn(&T)) -> Duration {
    let (waiting, guard, heard) = watched();
    let task = start(waiting, guard);
    heard.waits.await.expect("it begins");
    let asked = Instant::now();
    stop(&task);
    heard.gone.await.expect("it ends").saturating_duration_since(asked)
}

/// Many tasks are always ready; one that waits is cancelled, again and again.
async fn latencies<T, S>(times: usize, start: S, stop: impl Fn(&T) + Clone + Send + 'static) -> Figures
where
    S: Fn(oneshot::Sender<()>, Gone) -> T + Clone + Send + 'static,
{
    let (tell, told) = oneshot::channel();
    let (outside, stop_outside) = (start.clone(), stop.clone());
    std::thread::spawn(move || {
        let late = (0..times).map(|_| from_outside(&outside, &stop_outside)).collect();
        tell.send(percentiles(late)).expect("somebody waits for the figures");
    });
    let mut figures = told.await.expect("the thread ends");
    let mut late = Vec::new();
    for _ in 0..times {
        late.push(from_inside(&start, &stop).await);
    }
    figures.extend(percentiles(late));
    figures
}

pub(super) fn one_of_many(peer: Peer, scale: u64) -> Figures {
    let busy = TASKS / scale;
    // Tokio takes a second for each.
    let times = if peer == Peer::Ours { 200 } else { 10 };
    on!(peer, ours: ours_one_of_many(busy, times), foreign_one_of_many(busy, times))
}

fn ours_one_of_many(busy: u64, times: usize) -> Figures {
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
                latencies(times, start, |task| task.request_cancel(Reason::new(ReasonKind::UserRequest)))
                    .await;
            Ok(figures)
        })
        .await
    })
}

fn foreign_one_of_many<P: Foreign>(busy: u64, times: usize) -> Figures {
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
        latencies(times, start, Abort::abort).await
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
