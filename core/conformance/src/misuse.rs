//! Runtimes inside of runtimes.

use std::sync::Arc;

use asupersync_core::{Cx, Failure, Outcome};

use crate::runner::{Runner, Settings};

crate::cases![
    runs_follow_one_another,
    a_run_may_be_inside_a_blocking_job needs (BlockingThreads, Nested),
    a_run_inside_a_task_is_a_panic_that_says_so,
];

fn runs_follow_one_another(host: &dyn Runner) {
    for n in 0..5 {
        assert_eq!(host.ok(async move |cx: &Cx| cx.spawn("t", async move |_: &Cx| Ok(n)).join().await), n);
    }
}

fn another(host: &dyn Runner) -> Arc<dyn Runner + Send> {
    host.another().expect("a host that can nest makes another of itself")
}

fn a_run_may_be_inside_a_blocking_job(host: &dyn Runner) {
    let inner = another(host);
    let value = host.ok(async move |cx: &Cx| {
        let job = cx.spawn_blocking("nested", move || Ok((&*inner as &dyn Runner).ok(async |_: &Cx| Ok(3))));
        job.join().await
    });
    assert_eq!(value, 3);
}

fn a_run_inside_a_task_is_a_panic_that_says_so(host: &dyn Runner) {
    let inner = another(host);
    let ran = host.run(Settings::default(), async move |_: &Cx| -> Outcome {
        drop((&*inner as &dyn Runner).run(Settings::default(), async |_: &Cx| ()));
        Ok(())
    });
    let Err(Failure::Panicked(panic)) = ran.outcome else { panic!("{:?}", ran.outcome) };
    // In the words of the host, which is Tokio in one case.
    let says_so = ["block_on on a worker", "inside a task", "from within a runtime"];
    assert!(says_so.iter().any(|words| panic.message().contains(words)), "{}", panic.message());
}
