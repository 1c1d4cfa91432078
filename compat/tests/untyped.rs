//! A root on Tokio takes its main untyped, `async |cx| ..`, inside a task of Tokio's, whose future must
//! be `Send`.

use asupersync_compat::hosted;
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
