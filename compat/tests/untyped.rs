//! A root on Tokio takes its main untyped, `async |cx| ..`, inside a task of Tokio's, whose future must
//! be `Send`; and so do enclaves the bodies of their calls.

use ::tokio_util::sync::CancellationToken;
use asupersync_compat::guest::Enclave;
use asupersync_compat::hosted;
use asupersync_compat::tokio_util;
use asupersync_core::{Cx, Outcome, TaskFn};
use tokio::runtime;

macro_rules! in_a_task {
    ($name:ident, $function:literal, $body:expr) => {
        #[test]
        fn $name() {
            let mut tokio = runtime::Builder::new_multi_thread();
            let tokio = tokio.worker_threads(1).enable_all().build().expect("a runtime");
            let len = tokio.block_on(async { tokio::spawn($body).await });
            assert_eq!(len.expect("it does not panic"), 4);
        }
    };
}

in_a_task!(run, "compat::hosted::run::run", async {
    let word = String::from("word");
    let len = hosted::run(async move |cx| {
        cx.yield_now().await?;
        Ok(word.len())
    });
    len.await.expect("it ends well")
});

in_a_task!(run_with_report, "compat::hosted::run::Builder::run_with_report", async {
    let word = String::from("word");
    let (len, report) = hosted::Builder::default()
        .run_with_report(async move |cx| {
            cx.yield_now().await?;
            Ok(word.len())
        })
        .await;
    assert_eq!(report.totals.ok, 1);
    len.expect("it ends well")
});

/// Runs `body` in a task of a region.
async fn spawned<F>(body: F) -> usize
where
    F: for<'a> TaskFn<&'a Cx, Outcome<usize>, Fut: Send> + Send + 'static,
{
    let len = hosted::run(async move |cx: &Cx| cx.spawn("task", body).join().await);
    len.await.expect("it ends well")
}

in_a_task!(run_with, "compat::guest::enclave::Enclave::run_with", async {
    let body = spawned(async |cx| {
        let word = String::from("word");
        let tokio = Enclave::open(cx)?;
        let call = tokio.run_with(cx, async move |stop| {
            tokio::task::yield_now().await;
            assert!(!stop.is_cancelled());
            word.len()
        });
        call.await
    });
    body.await
});

in_a_task!(owned_call, "compat::guest::owned::Owned::call", async {
    let body = spawned(async |cx| {
        let owned = Enclave::open(cx)?.owned(String::from("word"));
        let call = owned.call(cx, async |word| {
            tokio::task::yield_now().await;
            word.len()
        });
        call.await
    });
    body.await
});

in_a_task!(owned_ending, "compat::guest::owned::Owned::ending", async {
    let body = spawned(async |cx| {
        let owned = Enclave::open(cx)?.owned(String::from("word"));
        let owned = owned.ending(async |word| {
            tokio::task::yield_now().await;
            assert_eq!(*word, "word");
        });
        owned.call(cx, async |word: &String| word.len()).await
    });
    body.await
});

in_a_task!(until_cancelled, "compat::tokio_util::token::until_cancelled", async {
    let body = spawned(async |cx| {
        let (token, word) = (CancellationToken::new(), String::from("word"));
        let region = tokio_util::until_cancelled(cx, &token, "region", async move |cx| {
            cx.yield_now().await?;
            Ok(word.len())
        });
        region.await
    });
    body.await
});

in_a_task!(join_set, "compat::tokio_util::join_set::JoinSet::spawn", async {
    let body = spawned(async |cx| {
        let (mut set, word) = (tokio_util::JoinSet::new(cx), String::from("word"));
        set.spawn("task", async move |cx| {
            cx.yield_now().await?;
            Ok(word.len())
        });
        set.join_next(cx).await.unwrap_or(Ok(0))
    });
    body.await
});
