//! Work for threads that may block.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc;

use asupersync_core::channel::oneshot;
use asupersync_core::region::OnFailure;
use asupersync_core::{Budget, Cx, Error, Failure, Outcome, Reason, ReasonKind, Region};

use crate::probe::{Count, MS, cancelled_kind};
use crate::runner::{Runner, short};

crate::cases![
    a_job_returns_its_value needs (BlockingThreads),
    many_jobs_run needs (BlockingThreads),
    an_error_and_a_panic_are_told needs (BlockingThreads),
    a_running_job_is_awaited needs (BlockingThreads),
    a_job_that_outlasts_the_budget_is_left needs (BlockingThreads),
    a_queued_job_never_starts_after_request needs (BlockingThreads),
    a_job_of_a_refused_task_never_starts needs (BlockingThreads),
];

fn a_job_returns_its_value(host: &dyn Runner) {
    let value = host.ok(async |cx: &Cx| cx.spawn_blocking("job", || Ok(6 * 7)).join().await);
    assert_eq!(value, 42);
}

fn many_jobs_run(host: &dyn Runner) {
    let ran = Arc::new(AtomicUsize::new(0));
    let inner = ran.clone();
    host.ok(async move |cx: &Cx| {
        let jobs: Vec<_> = (0..200)
            .map(|_| {
                let ran = inner.clone();
                cx.spawn_blocking("job", move || {
                    ran.fetch_add(1, SeqCst);
                })
            })
            .collect();
        for job in jobs {
            job.join().await?;
        }
        Ok(())
    });
    assert_eq!(ran.load(SeqCst), 200);
}

fn an_error_and_a_panic_are_told(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let outcome: Outcome = Region::builder("r")
            .on_failure(OnFailure::Collect)
            .open(cx, async |cx: &Cx| {
                let bad = cx.spawn_blocking("bad", || -> Outcome { Err(Failure::Err(Error::msg("bad"))) });
                assert!(matches!(bad.join().await, Err(Failure::Err(_))));
                let worse = cx.spawn_blocking("worse", || -> Outcome { panic!("worse") });
                let told = worse.join().await;
                assert!(matches!(&told, Err(Failure::Panicked(panic)) if panic.message() == "worse"));
                Ok(())
            })
            .await;
        assert!(matches!(outcome, Err(Failure::Panicked(_))));
        Ok(())
    });
}

fn a_running_job_is_awaited(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let count = Count::default();
        let inner = count.clone();
        let (go, may_go) = mpsc::channel::<()>();
        let value = Region::open(cx, "r", async move |cx: &Cx| {
            let (tell, mut running) = oneshot::channel();
            let one = inner.one();
            let job = cx.spawn_blocking("job", move || {
                let _one = one;
                drop(tell.send(()));
                may_go.recv().expect("the other end is kept");
                Ok(5)
            });
            running.recv(cx).await?;
            job.request_cancel(Reason::new(ReasonKind::UserRequest));
            cx.yield_now().await?;
            assert!(!job.is_finished() && inner.alive() == 1);
            go.send(()).expect("the job waits");
            job.join().await
        })
        .await?;
        assert_eq!((value, count.alive()), (5, 0));
        Ok(())
    });
}

fn a_job_that_outlasts_the_budget_is_left(host: &dyn Runner) {
    let (go, may_go) = mpsc::channel::<()>();
    let count = Count::default();
    let one = count.one();
    let ran = host.run(short(10, 10_000), async move |cx: &Cx| {
        let (tell, mut running) = oneshot::channel();
        let job = cx.spawn_blocking("job", move || {
            let _one = one;
            drop(tell.send(()));
            may_go.recv().ok();
        });
        running.recv(cx).await?;
        assert_eq!(cancelled_kind(&job.cancel(Budget::timeout(MS(1))).await), ReasonKind::UserRequest);
        Ok(())
    });
    ran.outcome.expect("the body succeeds");
    assert_eq!(count.alive(), 1, "it runs on, on its thread");
    drop(go);
    while count.alive() > 0 {
        std::thread::yield_now();
    }
}

fn a_queued_job_never_starts_after_request(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let started = Arc::new(AtomicUsize::new(0));
        for _ in 0..200 {
            let inner = started.clone();
            let (lend, mut lent) = oneshot::channel();
            // The job is queued by a task whose scope is requested at that very moment.
            let task = cx.spawn("queuer", async move |cx: &Cx| {
                drop(lend.send(cx.clone()));
                cx.cancelled().await;
                let late = cx.spawn_blocking("late", move || {
                    inner.fetch_add(1, SeqCst);
                });
                late.join().await
            });
            lent.recv(cx).await?;
            assert!(task.cancel(Budget::UNLIMITED).await.is_err());
        }
        assert_eq!(started.load(SeqCst), 0);
        Ok(())
    });
}

fn a_job_of_a_refused_task_never_starts(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let count = Count::default();
        let late = Region::open(cx, "r", async |cx: &Cx| Ok(cx.clone())).await?;
        let one = count.one();
        let outcome = late.spawn_blocking("late", move || drop(one)).join().await;
        cancelled_kind(&outcome);
        assert_eq!(count.dropped(), 1);
        Ok(())
    });
}
