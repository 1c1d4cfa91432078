//! Programs of tasks in regions, explored whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use asupersync_core::channel::mpsc;
use asupersync_core::sync::Mutex;
use asupersync_core::{Cx, Outcome};
use asupersync_lab::explore::Explored;
use asupersync_lab::{Explore, Lab, pause};

fn whole(found: &Explored) {
    println!("{found:?}");
    assert_eq!(found.failure, None);
    assert!(found.complete);
}

#[test]
fn one_task_has_one_order() {
    let found = Explore::optimal().run(async |_: &Cx| Ok(()));
    whole(&found);
}

#[test]
fn two_tasks() {
    for explore in [Explore::source(), Explore::optimal()] {
        let found = explore.run(async |cx: &Cx| {
            let a = cx.spawn("a", async |_| Ok(1));
            let b = cx.spawn("b", async |_| Ok(2));
            assert_eq!(a.join().await? + b.join().await?, 3);
            Ok(())
        });
        whole(&found);
    }
}

#[test]
fn two_senders() {
    for explore in [Explore::source(), Explore::optimal()] {
        let found = explore.run(async |cx: &Cx| {
            let (tx, mut rx) = mpsc::channel(1);
            for n in 0..2 {
                let tx = tx.clone();
                drop(cx.spawn("send", async move |cx| Ok(tx.send(cx, n).await?)));
            }
            drop(tx);
            let mut sum = 0;
            while let Some(n) = rx.recv(cx).await? {
                sum += n;
            }
            assert_eq!(sum, 1);
            Ok(())
        });
        whole(&found);
    }
}

#[test]
fn a_deadlock_is_found_and_told() {
    let found = Explore::optimal().run(async |cx: &Cx| {
        let forks = [0, 1].map(|_| Arc::new(Mutex::new(())));
        let philosopher = |first: usize, second: usize| {
            let (first, second) = (forks[first].clone(), forks[second].clone());
            cx.spawn("philosopher", async move |cx| {
                let _first = first.lock(cx).await?;
                cx.yield_now().await?;
                let _second = second.lock(cx).await?;
                Ok(())
            })
        };
        let (a, b) = (philosopher(0, 1), philosopher(1, 0));
        a.join().await?;
        b.join().await
    });
    let failure = found.failure.expect("they can starve");
    println!("{failure:?}");
    assert!(failure.message.contains("deadlock"), "{failure:?}");
}

#[test]
fn a_run_that_goes_on_for_ever_is_told_with_who_does() {
    let found = Explore::optimal().run_in(&Lab::builder(0).steps(100), async |cx: &Cx| {
        let turns = cx.spawn("turns", async |cx| -> Outcome {
            loop {
                cx.yield_now().await?;
            }
        });
        turns.join().await
    });
    let failure = found.failure.expect("it has no end");
    // The same words for each such run, or no shorter one would count as the same failure.
    assert_eq!(failure.message, "more than 100 steps: somebody goes on for ever");
    assert!(failure.details.contains("`turns`"), "{failure}");
}

#[test]
fn a_run_that_is_not_the_same_again_leaves_nothing() {
    let (count, held) = (Arc::new(AtomicUsize::new(0)), Arc::new(()));
    let hold = held.clone();
    let found = Explore::optimal().run(async move |cx: &Cx| {
        let waits = [0, 1].map(|_| {
            let hold = hold.clone();
            cx.spawn("waits", async move |cx| {
                let _hold = hold;
                cx.cancelled().await;
            })
        });
        pause().await;
        if count.fetch_add(1, Ordering::Relaxed) % 2 == 1 {
            drop(cx.spawn("another", async |_| {}));
        }
        pause().await;
        drop(waits);
        Ok(())
    });
    let failure = found.failure.expect("every other run is another");
    assert!(failure.message.contains("not deterministic"), "{failure}");
    assert_eq!(Arc::strong_count(&held), 1, "what the last run has left");
}
