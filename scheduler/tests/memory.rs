//! What a runtime used is given back: regions, tasks and whole runtimes leave nothing behind, those
//! that had to be given up included.
//!
//! One test in a process of its own, since it looks at the whole process's memory.

use std::alloc::System;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};

use asupersync_core::{Budget, Cx, Outcome, Reason, ReasonKind, Region, host};
use asupersync_scheduler::{Runtime, entry};
use cap::Cap;

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

/// What this process has in memory, in bytes; 0 where the system does not tell.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4096
}

/// Bytes that something has, beside what tasks that are gone leave to those to come.
fn allocated() -> usize {
    HEAP.allocated().saturating_sub(host::kept_bytes())
}

/// Runs `rounds` after a tenth of that, and fails if there are more bytes alive than before, or if
/// memory grew by more than 16 bytes a round beyond 3 MB for allocators.
fn stays_flat(what: &str, rounds: usize, run: impl Fn(usize)) {
    run(rounds / 10);
    let (alive, before) = (allocated(), resident());
    run(rounds);
    let grown = resident().saturating_sub(before);
    let patience = Instant::now() + Duration::from_secs(5);
    while allocated() > alive + 1024 && Instant::now() < patience {
        // a wait, not a synchronisation: a thread gives back its own when it has ended
        thread::sleep(Duration::from_millis(1));
    }
    let leaked = allocated().saturating_sub(alive);
    println!("{what}: {leaked} bytes more alive, {grown} more resident after {rounds} rounds");
    assert!(leaked <= 1024, "{what}: {leaked} bytes leaked in {rounds} rounds");
    assert!(grown < 16 * rounds + (3 << 20), "{what}: {grown} bytes more resident after {rounds} rounds");
}

async fn sleeps(cx: &Cx) -> Outcome {
    Ok(cx.sleep(Duration::from_secs(3600)).await?)
}

#[test]
fn nothing_is_left_behind() {
    let runtime = Runtime::builder().workers(2).build().expect("a runtime");
    stays_flat("regions", 100_000, |rounds| {
        let outcome = runtime.block_on(async move |cx: &Cx| {
            for _ in 0..rounds {
                Region::open(cx, "r", async |cx: &Cx| {
                    cx.defer(async |_: &Cx| ())?;
                    drop(cx.spawn("idle", async |cx: &Cx| sleeps(cx).await));
                    cx.spawn("child", async |_: &Cx| ()).join().await
                })
                .await?;
            }
            Ok(())
        });
        outcome.expect("the body succeeds");
    });
    stays_flat("cancelled tasks", 50_000, |rounds| {
        let outcome = runtime.block_on(async move |cx: &Cx| {
            for _ in 0..rounds {
                let task = cx.spawn("idle", async |cx: &Cx| sleeps(cx).await);
                task.request_cancel(Reason::new(ReasonKind::UserRequest));
                drop(task.join().await);
            }
            Ok(())
        });
        outcome.expect("the body succeeds");
    });
    stays_flat("races and timeouts", 50_000, |rounds| {
        let outcome = runtime.block_on(async move |cx: &Cx| {
            for _ in 0..rounds {
                cx.race(async |cx: &Cx| sleeps(cx).await, async |_: &Cx| Ok(())).await?;
                cx.timeout(Duration::from_secs(3600), async |_: &Cx| ()).await?;
            }
            Ok(())
        });
        outcome.expect("the body succeeds");
    });
    // Each with something of 64 KB, and with signal handlers: one that leaks shows.
    stays_flat("runtimes", 300, |rounds| {
        for _ in 0..rounds {
            drop(entry::main(entry::config().workers(1), async |cx: &Cx| {
                let ballast = vec![1_u8; 64 * 1024];
                drop(cx.spawn("idle", async move |cx: &Cx| {
                    sleeps(cx).await?;
                    drop(ballast);
                    Ok(())
                }));
                Ok::<(), asupersync_core::Failure>(())
            }));
        }
    });
    for way in ["a stuck task", "a stuck finalizer", "a shield", "an orphan"] {
        stays_flat(&format!("runtimes given up for {way}"), 20, |rounds| {
            (0..rounds).for_each(|_| given_up(way));
        });
    }
}

/// A runtime that does not close by itself. What is stuck goes on once the runtime is gone.
fn given_up(way: &'static str) {
    let stuck = Arc::new(AtomicBool::new(true));
    let hold = stuck.clone();
    let stays = move || {
        while hold.load(SeqCst) {
            // a wait, not a synchronisation: a poll that does not return, and burns no CPU
            thread::sleep(Duration::from_millis(1));
        }
    };
    let short = Budget::timeout(Duration::from_millis(1));
    let runtime = Runtime::builder().workers(1).drain(short).finalize(short).build().expect("a runtime");
    let ballast = vec![1_u8; 4096];
    let (outcome, _) = runtime.block_on_with_report(async move |cx: &Cx| {
        let shielded = async move |cx: &Cx| {
            let kept = ballast;
            cx.shield(Budget::UNLIMITED, async |_: &Cx| std::future::pending::<()>().await).await?;
            drop(kept);
            Ok(())
        };
        match way {
            "a stuck task" => drop(cx.spawn_future("stuck", async move { stays() })),
            "a stuck finalizer" => cx.defer(async move |_: &Cx| stays())?,
            "a shield" => {
                drop(cx.spawn("shielded", shielded));
                cx.yield_now().await?;
            }
            _ => {
                let mut open = Box::pin(Region::open(cx, "dropped", async |cx: &Cx| {
                    cx.spawn("shielded", shielded);
                    sleeps(cx).await
                }));
                assert!(open.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
                cx.yield_now().await?;
            }
        }
        Ok(())
    });
    drop(outcome);
    stuck.store(false, SeqCst);
}
