//! Task spans: what consoles are told of each task.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc;
use std::task::Waker;

use asupersync_core::channel::oneshot;
use asupersync_core::{Cx, Outcome, Reason, ReasonKind, Region};

use crate::probe::{breathe, until};
use crate::recorder::{self, Kept, entered, install, scope, watched};
use crate::runner::Runner;
use crate::suite_span;

crate::cases![
    it_says_who_the_task_is,
    it_is_around_the_inherited_span,
    a_stand_in_is_where_nothing_is_inherited,
    no_task_inherits_it,
    it_closes_with_the_future,
    it_is_entered_at_each_poll,
    wakes_are_told,
    wakers_are_counted,
    a_jobs_span_is_entered_where_it_runs needs (BlockingThreads),
    a_refused_task_has_none,
];

/// Runs `body` where spans are kept.
fn ok<F>(host: &dyn Runner, body: F)
where
    F: for<'a> asupersync_core::TaskFn<&'a Cx, Outcome, Fut: Send> + Send + 'static,
{
    install();
    host.ok(body);
}

/// A name that no other task has.
fn unique() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("task {}", NEXT.fetch_add(1, SeqCst))
}

/// What became of the watched task of this name.
fn task(name: &str) -> Kept {
    recorder::task(name).expect("a watched task of this name")
}

const NONE: [&str; 0] = [];

fn it_says_who_the_task_is(host: &dyn Runner) {
    ok(host, async |cx: &Cx| {
        Region::open(cx, "server", async |cx: &Cx| {
            let [a, b] = [unique(), unique()];
            let first = (line!(), watched(|| cx.spawn(&a, async |_: &Cx| ())));
            let second = (line!(), watched(|| cx.spawn_future(&b, async {})));
            for (name, (line, handle)) in [(a, first), (b, second)] {
                handle.join().await?;
                let told = task(&name).fields;
                assert_eq!(told["kind"], "task");
                assert!(told["region"].ends_with("/server"), "{told:?}");
                assert_eq!((&*told["loc.file"], &*told["loc.line"]), (file!(), &*line.to_string()));
                for number in ["loc.col", "task.id", "size.bytes"] {
                    assert!(told[number].parse::<u64>().is_ok_and(|n| n > 0), "{number} of {told:?}");
                }
            }
            Ok(())
        })
        .await
    });
}

fn it_is_around_the_inherited_span(host: &dyn Runner) {
    ok(host, async |cx: &Cx| {
        let name = unique();
        let spawn = || watched(|| cx.spawn(&name, async |_: &Cx| Ok((entered(), scope()))));
        let (entered, scope) = suite_span!("request").in_scope(spawn).join().await?;
        assert_eq!(entered, ["runtime.spawn", "request"]);
        assert_eq!(scope, ["request"], "it is nobody's parent");
        Ok(())
    });
}

fn a_stand_in_is_where_nothing_is_inherited(host: &dyn Runner) {
    ok(host, async |cx: &Cx| {
        let spawn = || watched(|| cx.spawn(&unique(), async |_: &Cx| Ok((entered(), scope()))));
        assert_eq!(spawn().join().await?, (vec!["runtime.spawn", "runtime.task"], vec!["runtime.task"]));
        Ok(())
    });
}

/// Else a task would go on, to a console, as long as one that it spawned.
fn no_task_inherits_it(host: &dyn Runner) {
    ok(host, async |cx: &Cx| {
        let [parent, child] = [unique(), unique()];
        let inner = child.clone();
        let spawned = watched(|| {
            cx.spawn(&parent, async move |cx: &Cx| {
                let plain = cx.spawn("plain", async |_: &Cx| Ok(entered()));
                assert_eq!(plain.join().await?, NONE);
                let waits = async |cx: &Cx| {
                    cx.cancelled().await;
                    Ok(entered())
                };
                let step = suite_span!("step").in_scope(|| cx.spawn("step", waits));
                Ok([step, watched(|| cx.spawn(&inner, waits))])
            })
        });
        let [step, watched] = spawned.join().await?;
        assert!(!task(&parent).is_open() && task(&child).parent.is_none());
        step.request_cancel(Reason::new(ReasonKind::UserRequest));
        watched.request_cancel(Reason::new(ReasonKind::UserRequest));
        assert_eq!(step.join().await?, ["step"]);
        assert_eq!(watched.join().await?, ["runtime.spawn", "runtime.task"]);
        Ok(())
    });
}

/// Though handles and wakers are kept.
fn it_closes_with_the_future(host: &dyn Runner) {
    ok(host, async |cx: &Cx| {
        let name = unique();
        let (lend, mut lent) = oneshot::channel();
        let handle = watched(|| {
            cx.spawn(&name, async move |cx: &Cx| {
                let waker = std::future::poll_fn(|cx| std::task::Poll::Ready(cx.waker().clone())).await;
                drop(lend.send(waker));
                drop(cx.cancelled().await)
            })
        });
        let waker: Waker = lent.recv(cx).await?;
        assert!(task(&name).is_open());
        handle.request_cancel(Reason::new(ReasonKind::UserRequest));
        until(|| handle.is_finished()).await;
        assert!(!task(&name).is_open());
        waker.wake();
        handle.join().await
    });
}

fn it_is_entered_at_each_poll(host: &dyn Runner) {
    ok(host, async |cx: &Cx| {
        let name = unique();
        let handle = watched(|| {
            cx.spawn(&name, async |_: &Cx| {
                for _ in 0..9 {
                    breathe().await;
                }
            })
        });
        handle.join().await?;
        // The last is the drop.
        assert_eq!(task(&name).entered, 10 + 1);
        Ok(())
    });
}

fn wakes_are_told(host: &dyn Runner) {
    ok(host, async |cx: &Cx| {
        let name = unique();
        let (tell, mut told) = oneshot::channel();
        let (ready, mut waits) = oneshot::channel();
        let handle = watched(|| {
            cx.spawn(&name, async move |cx: &Cx| {
                let mut told = pin!(told.recv(cx));
                let mut ready = Some(ready);
                let told = std::future::poll_fn(|cx| {
                    let poll = told.as_mut().poll(cx);
                    ready.take().into_iter().for_each(|ready| drop(ready.send(())));
                    poll
                });
                told.await?;
                breathe().await;
                Ok(())
            })
        });
        waits.recv(cx).await?;
        let wakes = || task(&name).wakers("waker.wake") + task(&name).wakers("waker.wake_by_ref");
        assert_eq!(wakes(), 0);
        drop(tell.send(()));
        assert_eq!(wakes(), 1, "by whoever has what it waits for");
        handle.join().await?;
        assert_eq!(wakes(), 2, "and by itself, to yield");
        Ok(())
    });
}

/// Those that are alive, and one: a console that counts none takes the task for lost.
fn wakers_are_counted(host: &dyn Runner) {
    ok(host, async |cx: &Cx| {
        let name = unique();
        let handle = watched(|| cx.spawn(&name, async |cx: &Cx| drop(cx.cancelled().await)));
        let alive = || {
            let told = task(&name);
            told.wakers("waker.clone") - told.wakers("waker.drop") - told.wakers("waker.wake")
        };
        until(|| task(&name).entered > 0).await;
        assert_eq!(alive(), 1, "the region's, though nobody cloned the task's");
        let wakes = task(&name).wakers("waker.wake_by_ref");
        handle.request_cancel(Reason::new(ReasonKind::UserRequest));
        assert!(task(&name).wakers("waker.wake_by_ref") > wakes, "a request wakes");
        handle.join().await?;
        assert_eq!(alive(), 1);
        Ok(())
    });
}

fn a_jobs_span_is_entered_where_it_runs(host: &dyn Runner) {
    ok(host, async |cx: &Cx| {
        let name = unique();
        let (go, may_go) = mpsc::channel::<()>();
        let (running, mut runs) = oneshot::channel();
        let job = watched(|| {
            cx.spawn_blocking(&name, move || {
                drop(running.send(()));
                may_go.recv().ok();
                Ok(entered())
            })
        });
        runs.recv(cx).await?;
        assert_eq!(task(&name).fields["kind"], "blocking");
        drop(go);
        assert_eq!(job.join().await?, ["runtime.spawn", "runtime.task"]);
        assert!(!task(&name).is_open());
        Ok(())
    });
}

fn a_refused_task_has_none(host: &dyn Runner) {
    ok(host, async |cx: &Cx| {
        let late = Region::open(cx, "r", async |cx: &Cx| Ok(cx.clone())).await?;
        let name = unique();
        assert!(watched(|| late.spawn(&name, async |_: &Cx| ())).join().await.is_err());
        assert!(recorder::task(&name).is_none());
        Ok(())
    });
}
