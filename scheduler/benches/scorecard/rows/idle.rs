//! Row 20: what a runtime does that has nothing to do, and what a flood of cancelled tasks leaves to
//! the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use asupersync::{Cx, Outcome, Reason, ReasonKind};
use tokio::sync::oneshot;

use crate::measure::{Figures, cpu_ns};
use crate::peer::{Peer, ours};

pub(super) fn idle(_: Peer, scale: u64) -> Figures {
    let [wake_ups, cpu] = asleep(10_000 / scale);
    vec![wake_ups, cpu, share(1_000_000 / scale)]
}

/// Has a thread look on while the runtime waits.
async fn looked_at<T: Send + 'static>(look: impl FnOnce() -> T + Send + 'static) -> T {
    let (tell, told) = oneshot::channel();
    std::thread::spawn(move || tell.send(look()));
    told.await.unwrap_or_else(|_| panic!("the thread that looks failed"))
}

fn asleep(tasks: u64) -> [f64; 2] {
    ours(async move |cx: &Cx| {
        for _ in 0..tasks {
            drop(cx.spawn("idle", async move |cx| {
                cx.cancelled().await;
                Ok(())
            }));
        }
        let look = || {
            // Until the tasks have begun, and the workers gone to sleep.
            std::thread::sleep(Duration::from_millis(300));
            let (switches, cpu) = (context_switches(), cpu_ns());
            std::thread::sleep(Duration::from_secs(1));
            [(context_switches() - switches) as f64, (cpu_ns() - cpu) / 1e3]
        };
        Ok(looked_at(look).await)
    })
}

/// How often the other threads of this process were put on a core, or taken off it.
fn context_switches() -> u64 {
    let me = std::fs::read_link("/proc/thread-self").expect("Linux names threads");
    let me = me.file_name().expect("by a number").to_owned();
    let threads = std::fs::read_dir("/proc/self/task").expect("Linux lists threads");
    let others = threads.map(|thread| thread.expect("an entry")).filter(|thread| thread.file_name() != me);
    others
        .map(|thread| {
            let status = std::fs::read_to_string(thread.path().join("status")).unwrap_or_default();
            let counts = status.lines().filter(|line| line.contains("ctxt_switches"));
            counts.filter_map(|line| line.split_whitespace().last()?.parse::<u64>().ok()).sum::<u64>()
        })
        .sum()
}

/// What part of the polls goes to tasks that are just ready, while others run under Request.
fn share(polls: u64) -> f64 {
    const EACH: usize = 1000;
    ours(async move |cx: &Cx| {
        let [under_request, ready] = [(); 2].map(|()| Arc::new(AtomicU64::new(0)));
        let over = Arc::new(AtomicBool::new(false));
        let mut tasks = Vec::new();
        for _ in 0..EACH {
            let (count, end) = (under_request.clone(), over.clone());
            let task = cx.spawn("cancelled", async move |cx| {
                cx.cancelled().await;
                cx.finish(async |cx: &Cx| spin(cx, &count, &end).await).await
            });
            task.request_cancel(Reason::new(ReasonKind::UserRequest));
            tasks.push(task);
            let (count, end) = (ready.clone(), over.clone());
            tasks.push(cx.spawn("ready", async move |cx| spin(cx, &count, &end).await));
        }
        let look = move || {
            let counts = || [&under_request, &ready].map(|count| count.load(Ordering::Relaxed));
            // Until all have begun.
            while counts().iter().any(|count| *count < 10 * EACH as u64) {
                std::thread::yield_now();
            }
            let before = counts();
            while counts()[0] < before[0] + polls {
                std::thread::sleep(Duration::from_millis(1));
            }
            let after = counts();
            over.store(true, Ordering::Relaxed);
            let [under_request, ready] = [0, 1].map(|lane| (after[lane] - before[lane]) as f64);
            ready / (under_request + ready)
        };
        let share = looked_at(look).await;
        for task in tasks {
            task.join().await?;
        }
        Ok(share)
    })
}

async fn spin(cx: &Cx, count: &AtomicU64, over: &AtomicBool) -> Outcome {
    while !over.load(Ordering::Relaxed) {
        count.fetch_add(1, Ordering::Relaxed);
        cx.yield_now().await?;
    }
    Ok(())
}
