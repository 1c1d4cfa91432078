//! A runtime as a value: it is its settings, so that its end is no matter where it runs. And in which order its
//! one worker takes tasks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use asupersync_core::sync::Notify;
use asupersync_core::{Cx, Outcome};
use asupersync_scheduler::Runtime;

#[test]
fn it_may_be_dropped_inside_a_task_of_its_own() {
    let runtime = Runtime::builder().workers(1).build().expect("a runtime");
    let (inside, other) = (runtime.clone(), Runtime::new().expect("a runtime"));
    let value = runtime.block_on(async move |cx: &Cx| -> Outcome<u8> {
        {
            let _dropped_here = (inside, other);
        }
        cx.spawn("after", async |_: &Cx| Ok(4)).join().await
    });
    assert_eq!(value.expect("it goes on"), 4);
    // And serves again.
    assert_eq!(runtime.block_on(async |_: &Cx| Ok(5)).expect("it goes on"), 5);
}

/// A connection that sends what others answer: neither each answer by itself, nor all of them at the end.
#[test]
fn who_is_woken_behind_a_crowd_goes_on_amid_it() {
    const CROWD: usize = 64;
    let runtime = Runtime::builder().workers(1).build().expect("a runtime");
    let seen = runtime.block_on(async move |cx: &Cx| -> Outcome<Vec<usize>> {
        let (answered, notify) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let (answers, woken) = (answered.clone(), notify.clone());
        let connection = cx.spawn("connection", async move |cx| {
            let mut seen = vec![];
            while seen.last() != Some(&CROWD) {
                woken.notified(cx).await?;
                seen.push(answers.load(Relaxed));
                // The last of those that it has seen may be kept for it.
                seen.dedup();
            }
            Ok(seen)
        });
        cx.yield_now().await?;
        for _ in 0..CROWD {
            let (answered, notify) = (answered.clone(), notify.clone());
            drop(cx.spawn("answer", async move |_| {
                answered.fetch_add(1, Relaxed);
                notify.notify_one();
                Ok(())
            }));
        }
        connection.join().await
    });
    let seen = seen.expect("all answer");
    let sizes: Vec<usize> =
        seen.iter().scan(0, |before, now| Some(now - std::mem::replace(before, *now))).collect();
    assert!(sizes.iter().all(|size| (8..=32).contains(size)), "{sizes:?}");
}
