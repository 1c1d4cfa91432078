//! The end of a hosted root that nobody waits for: its future is dropped, or its Tokio runtime.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use asupersync_compat::hosted;
use asupersync_core::{Budget, Cx, Outcome, Region};
use tokio::runtime;
use tokio::sync::oneshot;

/// Alive as long as a clone is.
type Token = Arc<()>;

async fn idle(cx: &Cx) -> Outcome {
    Ok(cx.sleep(Duration::from_secs(3600)).await?)
}

/// Tasks of every kind that hold `token`: idle, in a region, behind a shield, unaware of any request.
fn tasks(cx: &Cx, token: &Token) {
    let held = [(); 4].map(|()| token.clone());
    let [a, b, c, d] = held;
    drop(cx.spawn("idle", async move |cx: &Cx| {
        let _held = a;
        idle(cx).await
    }));
    drop(cx.spawn("region", async move |cx: &Cx| {
        Region::open(cx, "r", async |cx: &Cx| {
            cx.defer(async move |_: &Cx| drop(b))?;
            idle(cx).await
        })
        .await
    }));
    drop(cx.spawn("shielded", async move |cx: &Cx| {
        let _held = c;
        cx.shield(Budget::UNLIMITED, async |cx: &Cx| idle(cx).await).await
    }));
    drop(cx.spawn_future("unaware", async move {
        let _held = d;
        std::future::pending::<()>().await;
    }));
}

fn tokio(workers: usize) -> runtime::Runtime {
    let mut builder = match workers {
        0 => runtime::Builder::new_current_thread(),
        _ => runtime::Builder::new_multi_thread(),
    };
    builder.worker_threads(workers.max(1)).enable_all().build().expect("a runtime")
}

#[test]
fn a_root_whose_future_is_dropped_closes_by_itself() {
    for workers in [0, 2] {
        let ran = Arc::new(AtomicUsize::new(0));
        let counter = ran.clone();
        tokio(workers).block_on(async move {
            let (tell, told) = oneshot::channel();
            let (ended, has_ended) = oneshot::channel::<()>();
            let root = tokio::spawn(hosted::run(async move |cx: &Cx| -> Outcome {
                cx.defer(async move |cx: &Cx| {
                    cx.yield_now().await?;
                    counter.fetch_add(1, SeqCst);
                    drop(ended);
                    Ok(())
                })?;
                tell.send(()).ok();
                idle(cx).await
            }));
            told.await.expect("main runs");
            root.abort();
            has_ended.await.expect_err("nothing is sent");
        });
        assert_eq!(ran.load(SeqCst), 1);
    }
}

/// Dropped while the root runs, or while it closes by itself.
#[test]
fn a_tokio_runtime_that_is_dropped_takes_its_root_along() {
    for (workers, closing) in [(0, false), (1, false), (2, false), (0, true), (2, true)] {
        let token = Token::default();
        let tokio = tokio(workers);
        let (tell, told) = oneshot::channel();
        let held = token.clone();
        let root = tokio.spawn(hosted::run(async move |cx: &Cx| -> Outcome {
            tasks(cx, &held);
            for _ in 0..10 {
                cx.yield_now().await?;
            }
            tell.send(()).ok();
            idle(cx).await
        }));
        tokio.block_on(told).expect("main runs");
        assert_eq!(Arc::strong_count(&token), 6);
        if closing {
            root.abort();
            tokio.block_on(root).expect_err("aborted");
        }
        drop(tokio);
        assert_eq!(Arc::strong_count(&token), 1, "tasks outlive their runtime of {workers} workers");
    }
}
