//! What a runtime used is given back: regions, tasks and whole runtimes leave nothing behind.
//!
//! One test in a process of its own, since it looks at the whole process's memory.

use std::time::Duration;

use asupersync_core::{Cx, Outcome, Reason, ReasonKind, Region};
use asupersync_scheduler::{Runtime, entry};

/// What this process has in memory, in bytes; 0 where the system does not tell.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4096
}

/// Runs `rounds` after a tenth of that, and fails if memory grew by more than 16 bytes a round
/// beyond 3 MB for allocators.
fn stays_flat(what: &str, rounds: usize, run: impl Fn(usize)) {
    run(rounds / 10);
    let before = resident();
    run(rounds);
    let grown = resident().saturating_sub(before);
    println!("{what}: {grown} bytes more after {rounds} rounds");
    assert!(grown < 16 * rounds + (3 << 20), "{what}: {grown} bytes more after {rounds} rounds");
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
}
