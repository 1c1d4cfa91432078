//! Aborted tasks: which are awaited after the fix, and which are left.

use std::sync::Mutex;
use tokio::task::JoinHandle;

async fn step() {
    tokio::task::yield_now().await;
}

async fn fallible() -> Result<(), ()> {
    Ok(())
}

async fn mended() -> Result<(), ()> {
    let handle = tokio::spawn(step());
    step().await;
    handle.abort();
    let _ = handle.await;

    let one = tokio::spawn(step());
    let two = tokio::spawn(async { std::future::pending::<()>().await });
    if one.is_finished() {
        return Err(());
    }
    fallible().await?;
    one.abort();
    let _ = one.await;
    two.abort();
    let _ = two.await; // both
    {
        let inner = tokio::spawn(step());
        let _ = fallible().await;
        inner
            .abort();
        let other = tokio::spawn(step());
        let _ = fallible().await;
        other.abort(/* now */);
    }
    Ok(())
}

async fn left(numbers: &Mutex<u32>) {
    // an await would hold the guard, and the future is no longer `Send`
    let handle = tokio::spawn(step());
    let guard = numbers.lock().unwrap();
    handle.abort();
    drop(guard);
    // nothing shows that an await is possible
    let handle = tokio::spawn(step());
    let _ = handle.is_finished();
    handle.abort();
    // used afterwards
    let handle = tokio::spawn(step());
    step().await;
    handle.abort();
    let _ = handle.is_finished();
    // moved if the condition holds, and then there is a loop around
    let handle = tokio::spawn(step());
    for _ in 0..2 {
        step().await;
        handle.abort();
    }
    // borrowed
    let handle = tokio::spawn(step());
    let seen = &handle;
    step().await;
    handle.abort();
    let _ = seen.is_finished();
    // an argument, not a statement
    let handle = tokio::spawn(step());
    step().await;
    let () = handle.abort();
    // a name that the fix does not write
    let r#type = tokio::spawn(step());
    step().await;
    r#type.abort();
    // in a closure nothing can be awaited
    let handle = tokio::spawn(step());
    let stop = || {
        handle.abort();
    };
    step().await;
    stop();
}

fn not_async(handle: JoinHandle<()>) {
    handle.abort();
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let task = tokio::spawn(async {
        mended().await.unwrap();
        left(&Mutex::new(1)).await;
    });
    task.await.unwrap();
    not_async(tokio::spawn(step()));
}
