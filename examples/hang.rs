//! What a hang looks like: a small program that cannot go on, and the dump that says why.
//!
//! `cargo run --example hang`. Two tasks join each other, connections wait for a lock that a third
//! holds for ever, and a region closes but one task in it ignores that.
//!
//! What `cargo migrate-lint` says of it: nothing.

use std::sync::Arc;
use std::time::Duration;

use asupersync::channel::oneshot;
use asupersync::sync::Mutex;
use asupersync::{Budget, Cx, Outcome, Region};

/// Two tasks, each of which waits for the other's end.
fn circle(cx: &Cx) {
    let (tell, mut told) = oneshot::channel();
    let one = cx.spawn("one", async move |cx| {
        let two: asupersync::Handle<()> = told.recv(cx).await?;
        two.join().await
    });
    let two = cx.spawn("two", async move |_| one.join().await);
    drop(tell.send(two));
}

/// A task that holds a lock, and many that want it.
fn lock(cx: &Cx) {
    let ledger = Arc::new(Mutex::new(0_u64));
    let held = ledger.clone();
    drop(cx.spawn("accountant", async move |cx| {
        let _balance = held.lock(cx).await?;
        std::future::pending::<()>().await;
        Ok(())
    }));
    for _ in 0..1000 {
        let ledger = ledger.clone();
        drop(cx.spawn("customer", async move |cx| {
            *ledger.lock(cx).await? += 1;
            Ok(())
        }));
    }
}

#[asupersync::main]
async fn main(cx: &Cx) -> Outcome<()> {
    circle(cx);
    lock(cx);
    let bounded = Region::builder("upload").drain(Budget::timeout(Duration::from_secs(1)));
    bounded
        .open(cx, async |cx: &Cx| {
            drop(cx.spawn("progress", async |cx| {
                cx.timeout(Duration::from_secs(30), async |cx: &Cx| {
                    Ok(cx.sleep(Duration::from_secs(60)).await?)
                })
                .await
            }));
            cx.sleep(Duration::from_millis(100)).await?;
            eprint!("{}", cx.dump());
            Ok(())
        })
        .await?;
    std::process::exit(0)
}
