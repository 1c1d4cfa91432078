//! Rows 10 and 11: timers that are dropped, and timers that expire.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant};

use asupersync::Cx;

use crate::measure::{Figures, Measure, cpu_ns, percentiles};
use crate::peer::{Foreign, Peer, on, ours};

const HOUR: Duration = Duration::from_secs(3600);

pub(super) fn dropped(peer: Peer, scale: u64) -> Figures {
    dropped_of(peer, 1_000_000 / scale)
}

pub(super) fn dropped_of(peer: Peer, timers: u64) -> Figures {
    on!(peer, ours: ours_dropped(timers), foreign_dropped(timers))
}

/// Polls once: that is when a timer is set.
async fn set<F: Future>(mut timer: Pin<&mut F>) {
    poll_fn(|task| {
        assert!(timer.as_mut().poll(task).is_pending());
        Poll::Ready(())
    })
    .await;
}

fn ours_dropped(timers: u64) -> Figures {
    ours(async move |cx: &Cx| {
        let measure = Measure::start();
        for n in 0..timers {
            set(pin!(cx.sleep(HOUR + Duration::from_millis(n)))).await;
        }
        let single = measure.over(timers)[0];
        let measure = Measure::start();
        let mut live = Vec::new();
        for n in 0..timers {
            let mut timer = Box::pin(cx.sleep(HOUR + Duration::from_millis(n)));
            set(timer.as_mut()).await;
            live.push(timer);
        }
        assert_eq!(live.len() as u64, timers);
        drop(live);
        Ok(vec![single, measure.over(timers)[0]])
    })
}

fn foreign_dropped<P: Foreign>(timers: u64) -> Figures {
    P::run(async move |_| {
        let measure = Measure::start();
        for n in 0..timers {
            set(pin!(P::sleep(HOUR + Duration::from_millis(n)))).await;
        }
        let single = measure.over(timers)[0];
        let measure = Measure::start();
        let mut live = Vec::new();
        for n in 0..timers {
            let mut timer = Box::pin(P::sleep(HOUR + Duration::from_millis(n)));
            set(timer.as_mut()).await;
            live.push(timer);
        }
        assert_eq!(live.len() as u64, timers);
        drop(live);
        vec![single, measure.over(timers)[0]]
    })
}

/// So many tasks, each woken each millisecond at a time of its own.
const SLEEPERS: u32 = 200;
const EVERY: Duration = Duration::from_millis(1);

pub(super) fn expired(peer: Peer, scale: u64) -> Figures {
    let rounds = u32::try_from(1000 / scale).expect("a small number");
    on!(peer, ours: ours_expired(rounds), foreign_expired(rounds))
}

/// When a sleeper is to be woken first.
fn phase(sleeper: u32) -> Duration {
    Duration::from_millis(20) + EVERY * sleeper / SLEEPERS
}

/// CPU time an expiry, and its lateness.
fn expiries(cpu_before: f64, late: Vec<Duration>, rounds: u32) -> Figures {
    assert_eq!(late.len(), (SLEEPERS * rounds) as usize);
    let cpu = (cpu_ns() - cpu_before) / late.len() as f64;
    [cpu].into_iter().chain(percentiles(late)).collect()
}

fn ours_expired(rounds: u32) -> Figures {
    ours(async move |cx: &Cx| {
        let (begin, cpu) = (cx.now(), cpu_ns());
        let tasks: Vec<_> = (0..SLEEPERS)
            .map(|sleeper| {
                cx.spawn("sleeper", async move |cx| {
                    let mut late = Vec::with_capacity(rounds as usize);
                    for round in 0..rounds {
                        let deadline = begin + phase(sleeper) + EVERY * round;
                        cx.sleep_until(deadline).await?;
                        late.push(cx.now() - deadline);
                    }
                    Ok(late)
                })
            })
            .collect();
        let mut late = Vec::new();
        for task in tasks {
            late.extend(task.join().await?);
        }
        Ok(expiries(cpu, late, rounds))
    })
}

fn foreign_expired<P: Foreign>(rounds: u32) -> Figures {
    P::run(async move |peer| {
        let (begin, cpu) = (Instant::now(), cpu_ns());
        let tasks: Vec<_> = (0..SLEEPERS)
            .map(|sleeper| {
                peer.spawn(async move {
                    let mut late = Vec::with_capacity(rounds as usize);
                    for round in 0..rounds {
                        let deadline = begin + phase(sleeper) + EVERY * round;
                        P::sleep_until(deadline).await;
                        late.push(deadline.elapsed());
                    }
                    late
                })
            })
            .collect();
        let mut late = Vec::new();
        for task in tasks {
            late.extend(task.await);
        }
        expiries(cpu, late, rounds)
    })
}
