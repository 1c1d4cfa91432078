//! Spans of `tracing`: what runs in a region runs in the span of whoever started it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use asupersync_core::channel::oneshot;
use asupersync_core::region::OnFailure;
use asupersync_core::{Budget, Cx, Failure, Outcome, Reason, ReasonKind, Region};
use futures_util::FutureExt;
use tracing::{Instrument, Span, info_span};

use crate::probe::{HOUR, Log, MS, breathe, poll_now};
use crate::recorder::{SUITE, entered, install, scope, span};
use crate::runner::Runner;
use crate::suite_span;

crate::cases![
    a_task_is_in_its_spawners_span,
    a_task_of_no_span_is_in_none,
    a_future_is_in_its_spawners_span,
    a_job_is_in_its_spawners_span needs (BlockingThreads),
    spans_nest_across_tasks,
    a_regions_children_are_in_the_span_around_it,
    a_finalizer_is_in_the_span_that_registered_it,
    main_is_in_its_callers_span,
    a_task_may_have_a_span_of_its_own,
    tasks_do_not_see_each_others_spans,
    a_panic_leaves_no_span_behind,
    a_future_is_dropped_in_its_span,
    a_span_is_open_until_its_last_task_is_gone,
];

/// Runs `body` where spans are kept.
fn ok<F>(host: &dyn Runner, body: F)
where
    F: for<'a> asupersync_core::TaskFn<&'a Cx, Outcome, Fut: Send> + Send + 'static,
{
    install();
    host.ok(body);
}

const NONE: [&str; 0] = [];

fn a_task_is_in_its_spawners_span(host: &dyn Runner) {
    ok(host, async |cx: &Cx| {
        let task = suite_span!("request").in_scope(|| {
            cx.spawn("task", async |cx: &Cx| {
                for _ in 0..3 {
                    assert_eq!((scope(), entered()), (vec!["request"], vec!["request"]));
                    cx.yield_now().await?;
                }
                cx.sleep(MS(1)).await?;
                assert_eq!(scope(), ["request"]);
                Ok(())
            })
        });
        assert_eq!(scope(), NONE);
        task.join().await?;
        assert_eq!(scope(), NONE);
        Ok(())
    });
}

fn a_task_of_no_span_is_in_none(host: &dyn Runner) {
    ok(host, async |cx: &Cx| {
        let task = cx.spawn("task", async |cx: &Cx| {
            cx.yield_now().await?;
            assert_eq!(entered(), NONE);
            Ok(())
        });
        let waits = async { task.join().await };
        waits.instrument(suite_span!("not the spawner's")).await
    });
}

fn a_future_is_in_its_spawners_span(host: &dyn Runner) {
    ok(host, async |cx: &Cx| {
        let future = async {
            breathe().await;
            scope()
        };
        let (tell, mut told) = oneshot::channel();
        suite_span!("request").in_scope(|| {
            cx.spawn_future("future", async move { drop(tell.send(future.await)) });
        });
        assert_eq!(told.recv(cx).await?, ["request"]);
        Ok(())
    });
}

fn a_job_is_in_its_spawners_span(host: &dyn Runner) {
    ok(host, async |cx: &Cx| {
        let job = suite_span!("request").in_scope(|| cx.spawn_blocking("job", || Ok((scope(), entered()))));
        assert_eq!(job.join().await?, (vec!["request"], vec!["request"]));
        // The threads are used again.
        for _ in 0..8 {
            assert_eq!(cx.spawn_blocking("job", || Ok(entered())).join().await?, NONE);
        }
        Ok(())
    });
}

fn spans_nest_across_tasks(host: &dyn Runner) {
    ok(host, async |cx: &Cx| {
        let task = async |cx: &Cx| {
            let inner = suite_span!("inner").in_scope(|| {
                cx.spawn("grandchild", async |_: &Cx| {
                    breathe().await;
                    Ok((scope(), entered()))
                })
            });
            inner.join().await
        };
        let task = suite_span!("outer").in_scope(|| cx.spawn("child", task));
        let (scope, entered) = task.join().await?;
        assert_eq!(scope, ["outer", "inner"]);
        assert_eq!(entered, ["inner"], "a span of the spawner's is context, it does not run here");
        Ok(())
    });
}

fn a_regions_children_are_in_the_span_around_it(host: &dyn Runner) {
    ok(host, async |cx: &Cx| {
        let region = Region::open(cx, "server", async |cx: &Cx| {
            assert_eq!(scope(), ["server"]);
            let child = cx.spawn("child", async |_: &Cx| Ok(scope()));
            assert_eq!(child.join().await?, ["server"]);
            Ok(())
        });
        region.instrument(suite_span!("server")).await?;
        assert_eq!(scope(), NONE);
        let beside = suite_span!("cache").in_scope(|| cx.spork("cache", async |_: &Cx| Ok(scope())));
        assert_eq!(beside.join().await?, ["cache"]);
        Ok(())
    });
}

/// Whoever drives the region when it runs.
fn a_finalizer_is_in_the_span_that_registered_it(host: &dyn Runner) {
    ok(host, async |cx: &Cx| {
        for dropped in [false, true] {
            let log = Log::new();
            let inner = log.clone();
            Region::open(cx, "outer", async move |cx: &Cx| {
                let mut open = Box::pin(Region::open(cx, "region", async |cx: &Cx| {
                    suite_span!("resource").in_scope(|| {
                        cx.defer(async move |_: &Cx| {
                            inner.push(scope());
                            breathe().await;
                            inner.push(scope());
                            Ok(())
                        })
                    })?;
                    if dropped {
                        cx.sleep(HOUR).await?;
                    }
                    Ok(())
                }));
                if dropped {
                    assert!(poll_now(open.as_mut()).is_pending());
                    return Ok(());
                }
                open.await
            })
            .await?;
            assert_eq!(log.take(), [["resource"], ["resource"]], "dropped: {dropped}");
        }
        Ok(())
    });
}

fn main_is_in_its_callers_span(host: &dyn Runner) {
    install();
    suite_span!("process").in_scope(|| {
        host.ok(async |cx: &Cx| {
            assert_eq!(scope(), ["process"]);
            assert_eq!(cx.spawn("task", async |_: &Cx| Ok(scope())).join().await?, ["process"]);
            Ok(())
        });
    });
    assert_eq!(scope(), NONE);
}

/// To be traced apart is to bring a root span.
fn a_task_may_have_a_span_of_its_own(host: &dyn Runner) {
    ok(host, async |cx: &Cx| {
        let task = suite_span!("listener").in_scope(|| {
            let own = info_span!(target: SUITE, parent: None, "connection");
            let task = async |_: &Cx| {
                breathe().await;
                Ok(scope())
            };
            cx.spawn("connection", async move |cx: &Cx| task(cx).instrument(own).await)
        });
        assert_eq!(task.join().await?, ["connection"]);
        Ok(())
    });
}

/// On however many threads: each is in its own span, at each poll.
fn tasks_do_not_see_each_others_spans(host: &dyn Runner) {
    ok(host, async |cx: &Cx| {
        let spans: [fn() -> Span; 3] = [|| suite_span!("red"), || suite_span!("blue"), Span::none];
        let mut tasks = Vec::new();
        for n in 0..30 {
            let own = spans[n % 3]();
            let name = own.metadata().map(|metadata| metadata.name());
            let task = own.in_scope(|| {
                cx.spawn("task", async move |_: &Cx| {
                    for _ in 0..20 {
                        assert_eq!(entered(), Vec::from_iter(name));
                        let step = async {
                            breathe().await;
                            assert_eq!(entered(), Vec::from_iter(name.into_iter().chain(["step"])));
                        };
                        step.instrument(suite_span!("step")).await;
                        breathe().await;
                    }
                    Ok(())
                })
            });
            tasks.push(task);
        }
        for task in tasks {
            task.join().await?;
        }
        Ok(())
    });
}

fn a_panic_leaves_no_span_behind(host: &dyn Runner) {
    ok(host, async |cx: &Cx| {
        let outcome: Outcome = Region::builder("r")
            .on_failure(OnFailure::Collect)
            .open(cx, async |cx: &Cx| {
                for n in 0..20 {
                    suite_span!("request").in_scope(|| {
                        cx.spawn("panics", async move |_: &Cx| -> Outcome {
                            let _entered = suite_span!("step").entered();
                            std::panic::resume_unwind(Box::new(n))
                        })
                    });
                    let clean = cx.spawn("clean", async |_: &Cx| Ok(entered()));
                    assert_eq!(clean.join().await?, NONE);
                }
                Ok(())
            })
            .await;
        assert!(matches!(outcome, Err(Failure::Panicked(_))));
        // Nor does one that the task itself catches.
        let caught = AssertUnwindSafe(async { std::panic::resume_unwind(Box::new(0)) }).catch_unwind();
        let caught: Result<(), _> = caught.instrument(suite_span!("caught")).await;
        assert!(caught.is_err());
        assert_eq!(entered(), NONE);
        Ok(())
    });
}

/// Says where it is dropped.
struct Says(Log<Vec<&'static str>>);

impl Drop for Says {
    fn drop(&mut self) {
        self.0.push(scope());
    }
}

fn a_future_is_dropped_in_its_span(host: &dyn Runner) {
    ok(host, async |cx: &Cx| {
        let log = Log::new();
        let inner = log.clone();
        let region = Region::builder("r").on_failure(OnFailure::Collect);
        let outcome: Outcome = region
            .open(cx, async move |cx: &Cx| {
                let spawn = |body: fn() -> bool| {
                    let says = Says(inner.clone());
                    suite_span!("request").in_scope(|| {
                        cx.spawn_future("drops", async move {
                            let _says = says;
                            breathe().await;
                            if body() {
                                std::future::pending::<()>().await;
                            }
                        })
                    })
                };
                spawn(|| false).join().await?;
                assert!(spawn(|| std::panic::resume_unwind(Box::new(0))).join().await.is_err());
                // Where it waits, or has not begun.
                let waits = spawn(|| true);
                breathe().await;
                drop(waits.cancel(Budget::timeout(MS(0))).await);
                drop(spawn(|| true).cancel(Budget::timeout(MS(0))).await);
                Ok(())
            })
            .await;
        assert!(matches!(outcome, Err(Failure::Panicked(_))), "{outcome:?}");
        assert_eq!(log.take(), [["request"]; 4]);
        Ok(())
    });
}

fn a_span_is_open_until_its_last_task_is_gone(host: &dyn Runner) {
    ok(host, async |cx: &Cx| {
        let request = suite_span!("request");
        let id = request.id().expect("it is recorded");
        let left = Arc::new(AtomicUsize::new(0));
        let tasks = [1, 2].map(|n| {
            let left = left.clone();
            request.in_scope(|| {
                cx.spawn("task", async move |cx: &Cx| {
                    cx.cancelled().await;
                    left.fetch_add(n, SeqCst);
                })
            })
        });
        drop(request);
        let [first, second] = tasks;
        first.request_cancel(Reason::new(ReasonKind::UserRequest));
        first.join().await?;
        assert!(span(&id).is_open() && left.load(SeqCst) == 1);
        second.request_cancel(Reason::new(ReasonKind::UserRequest));
        second.join().await?;
        assert!(!span(&id).is_open() && left.load(SeqCst) == 3);
        Ok(())
    });
}
