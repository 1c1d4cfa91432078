//! hyper's executor and timer on a region.
#![cfg(feature = "hyper")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use asupersync_compat::rt::{Executor, Timer};
use asupersync_core::{Cx, Region};
use common::run;
use hyper::rt::{Executor as _, Timer as _};

#[test]
fn what_is_executed_belongs_to_the_region() {
    run(async |cx: &Cx| {
        let ended = Arc::new(AtomicBool::new(false));
        let flag = ended.clone();
        Region::open(cx, "client", async |cx: &Cx| {
            let (inner, executor) = (cx.clone(), Executor::new(cx));
            executor.execute(async move {
                inner.cancelled().await;
                flag.store(true, Ordering::SeqCst);
                7
            });
            Ok(executor)
        })
        .await?
        // The region is closed: nothing starts any more.
        .execute(async { unreachable!("refused") });
        assert!(ended.load(Ordering::SeqCst));
        Ok(())
    });
}

#[test]
fn a_timer_waits_for_the_hosts_clock_even_under_request() {
    run(async |cx: &Cx| {
        let timer = Timer::new(cx);
        let (before, start) = (cx.now(), timer.now());
        timer.sleep(Duration::from_millis(5)).await;
        assert!(cx.now() - before >= Duration::from_millis(5));
        assert!(timer.now() - start >= Duration::from_millis(5));
        timer.sleep_until(start).await;
        let mut sleep = timer.sleep(Duration::from_secs(3600));
        timer.reset(&mut sleep, timer.now() + Duration::from_millis(1));
        sleep.await;
        let slept = cx.race(
            async |cx: &Cx| {
                cx.cancelled().await;
                Timer::new(cx).sleep(Duration::from_millis(5)).await;
                Ok("slept on")
            },
            async |cx: &Cx| {
                cx.yield_now().await?;
                Ok("won")
            },
        );
        assert_eq!(slept.await?, "won");
        Ok(())
    });
}
