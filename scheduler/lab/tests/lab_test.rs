//! `#[asupersync::lab_test]` as users have it, on the front door.

mod child;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use asupersync::channel::oneshot;
use asupersync::sync::Mutex;
use asupersync::{Cx, Outcome};
use child::crosswise;

#[asupersync::lab_test]
async fn no_update_is_lost(cx: &Cx) -> Outcome {
    let count = Arc::new(Mutex::new(0));
    let other = count.clone();
    let task = cx.spawn("add", async move |cx| {
        *other.lock(cx).await? += 1;
        Ok(())
    });
    *count.lock(cx).await? += 1;
    task.join().await?;
    assert_eq!(*count.lock(cx).await?, 2);
    Ok(())
}

#[asupersync::lab_test(seeds = 0..16)]
async fn a_test_may_do_without_a_cx() {
    assert_eq!(std::future::ready(1).await, 1);
}

#[asupersync::lab_test(explore = dpor)]
#[should_panic(expected = "deadlock: no task can go on")]
async fn all_orders(cx: &Cx) -> Outcome {
    crosswise(cx).await
}

#[asupersync::lab_test(seeds = 0..256)]
#[should_panic(expected = "deadlock: no task can go on")]
async fn seeds(cx: &Cx) -> Outcome {
    crosswise(cx).await
}

#[asupersync::lab_test(explore = random, runs = 256)]
#[should_panic(expected = "deadlock: no task can go on")]
async fn random(cx: &Cx) -> Outcome {
    crosswise(cx).await
}

#[asupersync::lab_test(explore = pct, depth = 3, runs = 256)]
#[should_panic(expected = "deadlock: no task can go on")]
async fn priorities(cx: &Cx) -> Outcome {
    crosswise(cx).await
}

#[asupersync::lab_test(explore = pos, runs = 256)]
#[should_panic(expected = "deadlock: no task can go on")]
async fn partial_order(cx: &Cx) -> Outcome {
    crosswise(cx).await
}

/// Runs of the test below.
static DRAWN: AtomicU64 = AtomicU64::new(0);

#[asupersync::lab_test(seeds = 7..20)]
#[ignore = "counted by the test below"]
async fn counted() {
    DRAWN.fetch_add(1, Ordering::Relaxed);
}

#[test]
fn as_many_runs_as_were_asked_for() {
    counted();
    // Those that are had twice: the first, second, fourth and eighth.
    assert_eq!(DRAWN.load(Ordering::Relaxed), 13 + 4);
}

mod failing {
    use super::*;

    #[asupersync::lab_test]
    #[ignore = "fails on purpose, for the tests below"]
    async fn a_deadlock(cx: &Cx) -> Outcome {
        crosswise(cx).await
    }

    #[asupersync::lab_test(seeds = 3..1000)]
    #[ignore = "fails on purpose, for the tests below"]
    async fn a_panic(cx: &Cx) {
        let (tx, mut rx) = oneshot::channel();
        drop(cx.spawn("send", async |_| {
            drop(tx.send(7));
            Ok(())
        }));
        cx.yield_now().await.ok();
        assert!(rx.try_recv().is_none(), "it came early");
    }
}

const PANICS: u32 = line!() - 4;

#[test]
fn the_first_screen_tells_what_who_how_and_where() {
    let text = child::said("failing::a_deadlock", &[]);
    let mut lines = text.lines();
    for part in [
        "failing::a_deadlock, run ",
        "`kant` (t3) waiting for a mutex",
        "ASUPERSYNC_LAB_REPLAY='1:",
        "picture: ",
        "plato#",
    ] {
        assert!(lines.any(|line| line.contains(part)), "no `{part}`, or not in this order, in\n{text}");
    }
    assert!(text.lines().count() < 50, "more than a screen:\n{text}");
    assert!(text.contains(" cargo test -p asupersync-lab failing::a_deadlock\n"), "{text}");

    let text = child::said("failing::a_panic", &[]);
    assert!(text.contains("panicked: it came early\n"), "{text}");
    assert!(text.contains(&format!("\n  at scheduler/lab/tests/lab_test.rs:{PANICS}:9\n")), "{text}");
}

#[test]
fn the_line_has_the_same_run_again() {
    for test in ["failing::a_deadlock", "failing::a_panic"] {
        let first = child::said(test, &[]);
        let again = child::said(test, &[("ASUPERSYNC_LAB_REPLAY", child::line(&first))]);
        let story = |text: &str| {
            let (_, rest) = text.split_once(", run ").expect("what failed");
            let (_, rest) = rest.split_once(": ").expect("after which run");
            rest.to_owned()
        };
        assert_eq!(story(&first), story(&again));
    }
}
