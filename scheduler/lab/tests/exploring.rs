//! Programs of tasks in regions, explored whole.

use std::sync::Arc;

use asupersync_core::Cx;
use asupersync_core::channel::mpsc;
use asupersync_core::sync::Mutex;
use asupersync_lab::Explore;
use asupersync_lab::explore::Explored;

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
