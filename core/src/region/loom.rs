//! Whole trees: tasks of a region on two threads, against requests, signals and each other, in every order
//! within a bound. The host is as plain as one can be, and everything else is what ships. A wake or a
//! request that is lost shows as threads none of which can go on.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Waker};
use std::time::Duration;

use loom::sync::{Condvar, Mutex};
use loom::thread;

use super::{Close, LazyCx, Region, Root};
use crate::body::{TaskFn, TaskOutput};
use crate::budget::Budget;
use crate::cancel::{Reason, ReasonKind};
use crate::cx::Cx;
use crate::host::{Host, Job, Lane, Runnable, TimerKey, Wake};
use crate::io::Sockets;
use crate::outcome::Outcome;
use crate::time::Time;

/// One queue, which threads work off until the root is closed, and a clock that stands still.
#[derive(Default)]
struct Crew {
    state: Mutex<State>,
    changed: Condvar,
    /// Timers that nobody cancelled.
    timers: AtomicUsize,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Runnable>,
    closed: bool,
}

impl Crew {
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
        self.changed.notify_all();
    }

    fn next(&self) -> Option<Runnable> {
        let mut state = self.state.lock().unwrap();
        while state.queue.is_empty() && !state.closed {
            state = self.changed.wait(state).unwrap();
        }
        state.queue.pop_front()
    }

    fn work(&self) {
        while let Some(runnable) = self.next() {
            let _ = runnable.run();
        }
    }
}

impl Host for Crew {
    fn submit(&self, runnable: Runnable, _: Lane, _: Wake) {
        self.change(|state| state.queue.push_back(runnable));
    }
    fn now(&self) -> Time {
        Time::ZERO
    }
    fn add_timer(&self, _: Time, _: Waker) -> TimerKey {
        self.timers.fetch_add(1, Ordering::Relaxed);
        TimerKey(0)
    }
    fn cancel_timer(&self, _: TimerKey) {
        self.timers.fetch_sub(1, Ordering::Relaxed);
    }
    fn spawn_blocking(&self, _: Job) {
        unreachable!("no model here blocks")
    }
    fn random_seed(&self) -> u64 {
        0
    }
    fn net(&self) -> &dyn Sockets {
        unreachable!("no model here has sockets")
    }
}

/// Runs `main` in a root, on this thread, while `meanwhile` goes on in another one.
fn check<F, R>(main: impl Fn() -> F + Send + Sync + 'static, meanwhile: fn(&Root, &Crew))
where
    F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Send + 'static,
    R: TaskOutput<Ok: 'static> + 'static,
{
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.max_branches = 20_000;
    builder.check(move || {
        let crew = Arc::new(Crew::default());
        let root = Root::new(crew.clone(), "root", Budget::UNLIMITED, Budget::UNLIMITED);
        let closing = crew.clone();
        root.start(main(), move |_, _| closing.change(|state| state.closed = true));
        let other = thread::spawn({
            let (root, crew) = (root.clone(), crew.clone());
            move || meanwhile(&root, &crew)
        });
        crew.work();
        other.join().unwrap();
        assert_eq!(crew.timers.load(Ordering::Relaxed), 0);
    });
}

fn request(root: &Root, _: &Crew) {
    root.request(Reason::new(ReasonKind::UserRequest));
}

fn work(_: &Root, crew: &Crew) {
    crew.work();
}

#[test]
fn a_request_ends_who_waits_for_it() {
    check(|| async |cx: &Cx| drop(cx.cancelled().await), request);
}

#[test]
fn a_request_ends_a_child_that_is_being_spawned() {
    let main = || {
        async |cx: &Cx| -> Outcome {
            let child = cx.spawn("child", async |cx| drop(cx.cancelled().await));
            child.join().await
        }
    };
    check(main, request);
}

/// Whoever waits for the signal is told of it, or the root is asked to close.
#[test]
fn a_signal_is_heard() {
    check(|| async |cx: &Cx| drop(cx.shutdown_signal().await), |root, _| root.signal("a signal"));
}

#[test]
fn the_end_of_a_child_wakes_who_joins_it() {
    check(|| async |cx: &Cx| cx.spawn("child", async |_| Ok(1)).join().await.map(drop), work);
}

#[test]
fn a_region_closes_after_its_tasks_on_another_thread() {
    let main = || {
        async |cx: &Cx| {
            Region::open(cx, "region", async |cx| {
                cx.spawn("child", async |cx| drop(cx.cancelled().await));
                Ok(())
            })
            .await
        }
    };
    check(main, work);
}

#[test]
fn a_child_comes_into_a_local_scope_from_another_thread() {
    let main = || {
        async |cx: &Cx| {
            cx.local(async |cx, scope| {
                let task = cx.spawn("task", async move |_| {
                    let child = scope.spawn("child", async |_| Ok(1));
                    child.join().await
                });
                task.join().await.map(drop)
            })
            .await
        }
    };
    check(main, work);
}

#[test]
fn a_task_that_ends_while_it_is_cancelled_leaves_no_timer() {
    let main = || {
        async |cx: &Cx| {
            let child = cx.spawn("child", async |_| Ok(()));
            child.cancel(Budget::timeout(Duration::from_secs(1))).await.ok();
            Ok(())
        }
    };
    check(main, work);
}

/// How a body that waits once uses its region.
#[derive(Clone, Copy)]
enum Asks {
    Never,
    First,
    Late,
}

/// It is opened by its body, by the request, or not at all; the request is heard in each case.
#[test]
fn a_request_comes_to_a_region_that_may_not_be_open() {
    for asks in [Asks::Never, Asks::First, Asks::Late] {
        let main = move || {
            async move |cx: &Cx| {
                let body = async move |cx: LazyCx| {
                    if let Asks::First = asks {
                        cx.cancelled().await;
                    }
                    let mut waited = false;
                    poll_fn(|task| {
                        task.waker().wake_by_ref();
                        if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }
                    })
                    .await;
                    if let Asks::Late = asks {
                        cx.cancelled().await;
                    }
                };
                // Refused, if the request was first.
                Region::builder("lazy").inline_lazily(cx, body, |outcome, _| outcome).await.ok();
            }
        };
        check(main, request);
    }
}

/// A vacant place is taken away by the request, or used once more before: the region does not wait for whoever
/// keeps it.
#[test]
fn a_request_comes_to_a_place_that_is_kept() {
    let main = || {
        async |cx: &Cx| {
            // Refused, if the request was first.
            let region = Region::open(cx, "region", async |cx| {
                let builder = Arc::new(Region::builder("promised"));
                let (mut standing, first) = builder.stand(cx, None, Waker::noop().clone())?;
                drop(first.end());
                if let Some(next) = standing.promise(&builder, cx, None) {
                    drop(next?.end());
                }
                Ok(standing)
            });
            drop(region.await);
        }
    };
    check(main, request);
}

/// Nobody asks the region to close, and it does when the place is given up, whoever comes later.
#[test]
fn a_place_becomes_vacant_when_nobody_keeps_it_any_more() {
    let main = || {
        async |cx: &Cx| {
            let region = Region::builder("region").close(Close::Join).open(cx, async |cx| {
                let builder = Arc::new(Region::builder("promised"));
                let (standing, region) = builder.stand(cx, None, Waker::noop().clone())?;
                cx.spawn("child", async move |_| drop(standing));
                drop(region.end());
                Ok(())
            });
            region.await
        }
    };
    check(main, work);
}
