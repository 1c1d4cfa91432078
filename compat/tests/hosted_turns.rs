//! Whose turn it is, where Tokio's own tasks run beside those of a hosted root.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::Poll;

use asupersync_compat::hosted;
use asupersync_core::{Cx, Outcome};
use tokio::runtime;
use tokio::task::coop::consume_budget;

/// Of the one worker that there is. Each polls one of ours in its turn.
const PUMPS: usize = 2;

/// How many polls of ours come between two of a Tokio task, at most. Each of many tasks does what `busy` says, and is
/// always ready to go on.
fn most_between<F>(busy: fn(Cx) -> F) -> usize
where
    F: Future<Output = ()> + Send + 'static,
{
    let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let root = hosted::run(async move |cx: &Cx| -> Outcome<usize> {
        let polls = Arc::new(AtomicUsize::new(0));
        for _ in 0..64 {
            let polls = polls.clone();
            drop(cx.spawn("busy", async move |cx: &Cx| {
                let mut busy = pin!(busy(cx.clone()));
                let counted = poll_fn(|task| {
                    polls.fetch_add(1, Relaxed);
                    busy.as_mut().poll(task)
                });
                Ok(cx.or_cancel(counted).await?)
            }));
        }
        let own = tokio::spawn(async move {
            let mut most = 0;
            for _ in 0..200 {
                let before = polls.load(Relaxed);
                let mut waited = false;
                poll_fn(|task| {
                    task.waker().wake_by_ref();
                    if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }
                })
                .await;
                most = most.max(polls.load(Relaxed) - before);
            }
            most
        });
        Ok(cx.or_cancel(own).await?.expect("it ends"))
    });
    runtime.block_on(root).expect("it succeeds")
}

#[test]
fn tokios_tasks_wait_for_one_of_each_pump() {
    let most = most_between(|cx: Cx| async move { while cx.yield_now().await.is_ok() {} });
    assert!((1..=PUMPS).contains(&most), "{most} polls in between");
}

#[test]
fn so_they_do_beside_those_that_use_up_tokios_budget() {
    let most = most_between(|_: Cx| async {
        loop {
            consume_budget().await;
        }
    });
    assert!((1..=PUMPS).contains(&most), "{most} polls in between");
}
