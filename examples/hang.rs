//! What a hang looks like: a program that does not go on, and what says why.
//!
//! `cargo run --example hang`, and then, in another terminal, the `kill -USR1` that it tells you. Two
//! tasks join each other, customers wait for a lock that an accountant holds for ever, an upload has a
//! deadline that is far off, and one task blocks its thread: that is told by itself, after a second.
//! Ctrl-C ends it.
//!
//! What `cargo migrate-lint` says of it: 1 uncancellable_loop allowed.

use std::sync::Arc;
use std::time::Duration;

use asupersync::channel::oneshot;
use asupersync::sync::Mutex;
use asupersync::{Cx, Handle, Outcome, Region};

/// Two tasks, each of which waits for the other's end.
fn circle(cx: &Cx) {
    let (tell, mut told) = oneshot::channel();
    let one = cx.spawn("one", async move |cx| {
        let two: Handle<()> = told.recv(cx).await?;
        two.join().await
    });
    let two = cx.spawn("two", async move |_| one.join().await);
    drop(tell.send(two));
}

/// A task that holds a lock, and many that want it.
async fn lock(cx: &Cx) -> Outcome {
    let ledger = Arc::new(Mutex::new(0_u64));
    let held = ledger.clone();
    let (tell, mut told) = oneshot::channel();
    drop(cx.spawn("accountant", async move |cx| {
        let _balance = held.lock(cx).await?;
        drop(tell.send(()));
        std::future::pending::<()>().await;
        Ok(())
    }));
    told.recv(cx).await?;
    for _ in 0..1000 {
        let ledger = ledger.clone();
        drop(cx.spawn("customer", async move |cx| {
            *ledger.lock(cx).await? += 1;
            Ok(())
        }));
    }
    Ok(())
}

/// A task that never comes to an await: its worker polls nobody else.
fn block(cx: &Cx) {
    drop(cx.spawn("blocks", async |_| -> Outcome {
        // migrate-lint: allow(uncancellable_loop) a loop that never ends is what the program shows
        loop {
            std::thread::park();
        }
    }));
}

#[asupersync::main(workers = 2)]
pub(crate) async fn main(cx: &Cx) -> Outcome<()> {
    circle(cx);
    lock(cx).await?;
    block(cx);
    Region::open(cx, "upload", async |cx: &Cx| -> Outcome {
        drop(cx.spawn("progress", async |cx| {
            cx.timeout(Duration::from_secs(3600), async |cx: &Cx| {
                Ok(cx.sleep(Duration::from_secs(7200)).await?)
            })
            .await
        }));
        println!("kill -USR1 {}", std::process::id());
        cx.shutdown_signal().await;
        std::process::exit(0)
    })
    .await
}
