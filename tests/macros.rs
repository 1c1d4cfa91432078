//! The attribute macros as users have them: on the front door, on the native runtime.

use std::time::Duration;

use asupersync::{Cx, Outcome, Region};

#[asupersync::test]
async fn a_test_gets_a_cx_and_may_fail_with_a_question_mark(cx: &Cx) -> Outcome {
    let sum = Region::open(cx, "sum", async |cx| {
        let (a, b) = (cx.spawn("a", async |_| Ok(20)), cx.spawn("b", async |_| Ok(22)));
        Ok(a.join().await? + b.join().await?)
    })
    .await?;
    assert_eq!(sum, 42);
    Ok(())
}

#[asupersync::test(workers = 1)]
async fn a_test_may_name_its_workers(cx: &Cx) {
    let task = cx.spawn("other", async |cx| Ok(cx.yield_now().await?));
    assert!(task.join().await.is_ok());
}

#[asupersync::test]
async fn a_test_may_do_without_a_cx() {
    assert_eq!(std::future::ready(1).await, 1);
}

#[asupersync::test]
#[should_panic(expected = "on purpose")]
async fn a_panic_fails_it_with_its_own_message(_: &Cx) {
    panic!("on purpose");
}

#[asupersync::test]
#[should_panic(expected = "the deadline passed")]
async fn a_failure_fails_it(cx: &Cx) -> Outcome {
    cx.timeout(Duration::ZERO, async |cx| Ok(cx.cancelled().await)).await?;
    cx.timeout(Duration::ZERO, async |cx| Ok(cx.sleep(Duration::MAX).await?)).await
}

#[asupersync::test]
#[should_panic(expected = "task `child` failed: no such thing")]
async fn a_child_that_fails_fails_it(cx: &Cx) -> Outcome {
    drop(cx.spawn("child", async |_| -> Outcome {
        Err(std::io::Error::new(std::io::ErrorKind::NotFound, "no such thing"))?
    }));
    cx.cancelled().await;
    Ok(())
}
