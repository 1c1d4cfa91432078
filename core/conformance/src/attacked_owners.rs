//! Regions, local scopes, handles and obligations, cancelled at every await.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use asupersync_core::obligation::{Lease, Resolution, hold, try_hold};
use asupersync_core::region::{CloseReport, LocalScope};
use asupersync_core::{Budget, Cx, Outcome, ReasonKind, Region};

use crate::attack::{Ended, Play, at_every_await};
use crate::probe::{Count, Log, MS, breathe, cancelled_kind};
use crate::runner::Runner;

crate::cases![
    regions_are_opened,
    local_scopes_are_opened,
    tasks_are_joined_and_cancelled,
    child_regions_are_joined_and_cancelled,
    local_children_are_joined_and_cancelled,
    obligations_are_held,
];

/// What a region owns: each is counted while it is there, and so are finalizers that have not run.
#[derive(Clone, Default)]
struct Owned {
    alive: Count,
    unfinalized: Count,
    finalized: Arc<AtomicUsize>,
}

impl Owned {
    /// A body that starts one of each, and then waits some time.
    async fn body(&self, cx: &Cx) -> Outcome<usize> {
        let (owed, finalized) = (self.unfinalized.one(), self.finalized.clone());
        cx.defer(async move |cx: &Cx| {
            cx.yield_now().await?;
            finalized.fetch_add(1, SeqCst);
            drop(owed);
            Ok(())
        })?;
        let (one, two) = (self.alive.one(), self.alive.one());
        drop(cx.spawn("task", async move |cx: &Cx| {
            let _one = one;
            cx.cancelled().await;
            cx.finish(async |cx: &Cx| Ok(cx.sleep(MS(1)).await?)).await
        }));
        drop(cx.spork("child", async move |cx: &Cx| {
            let _two = two;
            cx.cancelled().await;
            cx.finish(async |cx: &Cx| Ok(cx.yield_now().await?)).await
        }));
        let _three = self.alive.one();
        breathe().await;
        cx.sleep(MS(1)).await?;
        Ok(7)
    }

    /// Nothing is left, whoever had to see to that.
    fn are_gone(&self) {
        assert_eq!((self.alive.alive(), self.unfinalized.alive()), (0, 0));
        assert_eq!(self.finalized.load(SeqCst), self.unfinalized.dropped(), "each has run");
    }

    fn gone(&self, ended: &Ended<Outcome<usize>>) {
        self.are_gone();
        match ended {
            Ended::Whole(outcome) => assert_eq!(outcome.as_ref().ok(), Some(&7), "{outcome:?}"),
            Ended::Requested(Ok(value)) => assert_eq!(*value, 7),
            Ended::Requested(outcome) => assert_eq!(cancelled_kind(outcome), ReasonKind::UserRequest),
            Ended::Dropped => {}
        }
    }
}

fn regions_are_opened(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let owned = Owned::default();
        let open = |_, cx: Cx| -> Play<Outcome<usize>> {
            let owned = owned.clone();
            Box::pin(async move { Region::open(&cx, "r", async |cx: &Cx| owned.body(cx).await).await })
        };
        at_every_await(cx, open, |ended| owned.gone(&ended)).await?;
        let builder = |_, cx: Cx| -> Play<Outcome<usize>> {
            let owned = owned.clone();
            Box::pin(async move {
                let region = Region::builder("r").drain(Budget::timeout(crate::probe::HOUR));
                region.open(&cx, async |cx: &Cx| owned.body(cx).await).await
            })
        };
        at_every_await(cx, builder, |ended| owned.gone(&ended)).await?;
        let reported = |_, cx: Cx| -> Play<(Outcome<usize>, CloseReport)> {
            let owned = owned.clone();
            Box::pin(async move {
                Region::builder("r").open_with_report(&cx, async |cx: &Cx| owned.body(cx).await).await
            })
        };
        at_every_await(cx, reported, |ended| reported_end(&owned, ended)).await
    });
}

fn reported_end(owned: &Owned, ended: Ended<(Outcome<usize>, CloseReport)>) {
    let closed = |(outcome, report): (Outcome<usize>, CloseReport)| {
        assert!(report.leftovers.is_empty(), "{report}");
        assert_eq!(report.totals.finalizers_run, report.totals.finalizers_registered, "{report}");
        outcome
    };
    owned.gone(&match ended {
        Ended::Whole(told) => Ended::Whole(closed(told)),
        Ended::Requested(told) => Ended::Requested(closed(told)),
        Ended::Dropped => Ended::Dropped,
    });
}

fn local_scopes_are_opened(host: &dyn Runner) {
    /// With children that borrow, besides what any region has.
    async fn body<'e>(cx: &Cx, scope: LocalScope<'e>, owned: &'e Owned) -> Outcome<usize> {
        scope.spawn("lasts", async |cx: &Cx| {
            let _one = owned.alive.one();
            cx.cancelled().await;
            cx.finish(async |cx: &Cx| Ok(cx.sleep(MS(1)).await?)).await
        });
        let child = scope.spawn("ends", async |cx: &Cx| {
            let _one = owned.alive.one();
            Ok(cx.sleep(MS(1)).await?)
        });
        let value = owned.body(cx).await?;
        child.join().await?;
        Ok(value)
    }
    host.ok(async |cx: &Cx| {
        let owned = Owned::default();
        let local = |_, cx: Cx| -> Play<Outcome<usize>> {
            let owned = owned.clone();
            Box::pin(async move { cx.local(async |cx: &Cx, scope| body(cx, scope, &owned).await).await })
        };
        at_every_await(cx, local, |ended| owned.gone(&ended)).await?;
        let builder = |_, cx: Cx| -> Play<Outcome<usize>> {
            let owned = owned.clone();
            Box::pin(async move {
                let region = Region::builder("r").drain(Budget::timeout(crate::probe::HOUR));
                region.local(&cx, async |cx: &Cx, scope| body(cx, scope, &owned).await).await
            })
        };
        at_every_await(cx, builder, |ended| owned.gone(&ended)).await?;
        let reported = |_, cx: Cx| -> Play<(Outcome<usize>, CloseReport)> {
            let owned = owned.clone();
            Box::pin(async move {
                let region = Region::builder("r");
                region.local_with_report(&cx, async |cx: &Cx, scope| body(cx, scope, &owned).await).await
            })
        };
        at_every_await(cx, reported, |ended| reported_end(&owned, ended)).await
    });
}

/// A value that waits some time, or is asked to stop, and counts that it came to its end.
async fn ends(cx: &Cx, ended: Arc<AtomicUsize>) -> Outcome<usize> {
    let slept = cx.sleep(MS(1)).await;
    cx.finish(async |cx: &Cx| Ok(cx.yield_now().await?)).await?;
    ended.fetch_add(1, SeqCst);
    Ok(if slept.is_ok() { 1 } else { 2 })
}

/// What is awaited came to its end, whatever became of who awaits it; and that one was told.
fn came_to_its_end(ended: &Ended<Outcome<usize>>, values: &[usize], came: &AtomicUsize) {
    assert_eq!(came.swap(0, SeqCst), 1, "{ended:?}");
    if let Some(outcome) = ended.value() {
        assert!(outcome.as_ref().is_ok_and(|value| values.contains(value)), "{outcome:?}");
    }
}

fn tasks_are_joined_and_cancelled(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let came = Arc::new(AtomicUsize::new(0));
        let join = |around: Cx, _| -> Play<Outcome<usize>> {
            let counter = came.clone();
            let task = around.spawn("task", async move |cx: &Cx| ends(cx, counter).await);
            Box::pin(task.join())
        };
        at_every_await(cx, join, |ended| came_to_its_end(&ended, &[1], &came)).await?;
        let cancel = |around: Cx, _| -> Play<Outcome<usize>> {
            let counter = came.clone();
            let task = around.spawn("task", async move |cx: &Cx| ends(cx, counter).await);
            Box::pin(task.cancel(Budget::UNLIMITED))
        };
        at_every_await(cx, cancel, |ended| came_to_its_end(&ended, &[1, 2], &came)).await
    });
}

fn child_regions_are_joined_and_cancelled(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let came = Arc::new(AtomicUsize::new(0));
        let join = |around: Cx, _| -> Play<Outcome<usize>> {
            let counter = came.clone();
            let child = around.spork("child", async move |cx: &Cx| ends(cx, counter).await);
            Box::pin(child.join())
        };
        at_every_await(cx, join, |ended| came_to_its_end(&ended, &[1], &came)).await?;
        let reported = |around: Cx, _| -> Play<Outcome<usize>> {
            let counter = came.clone();
            let child = around.spork("child", async move |cx: &Cx| ends(cx, counter).await);
            Box::pin(async move {
                let (outcome, report) = child.join_with_report().await;
                assert!(report.leftovers.is_empty(), "{report}");
                outcome
            })
        };
        at_every_await(cx, reported, |ended| came_to_its_end(&ended, &[1], &came)).await?;
        let cancel = |around: Cx, _| -> Play<Outcome<usize>> {
            let counter = came.clone();
            let child = around.spork("child", async move |cx: &Cx| ends(cx, counter).await);
            Box::pin(child.cancel(Budget::UNLIMITED))
        };
        at_every_await(cx, cancel, |ended| came_to_its_end(&ended, &[1, 2], &came)).await
    });
}

/// Here the handle is what is attacked: the scope of the child stands in a task of its own.
fn local_children_are_joined_and_cancelled(host: &dyn Runner) {
    /// Lends a child to `play`.
    fn lent(
        around: &Cx,
        came: &Arc<AtomicUsize>,
    ) -> asupersync_core::channel::oneshot::Receiver<asupersync_core::region::LocalHandle<usize>> {
        let (lend, lent) = asupersync_core::channel::oneshot::channel();
        let counter = came.clone();
        drop(around.spawn("opener", async move |cx: &Cx| {
            let region = Region::builder("local").close(asupersync_core::region::Close::Join);
            let local = region.local(cx, async move |_: &Cx, scope| {
                drop(lend.send(scope.spawn("child", async move |cx: &Cx| ends(cx, counter).await)));
                Ok(())
            });
            local.await
        }));
        lent
    }
    host.ok(async |cx: &Cx| {
        let came = Arc::new(AtomicUsize::new(0));
        let join = |around: Cx, _| -> Play<Outcome<usize>> {
            let mut child = lent(&around, &came);
            Box::pin(async move { child.recv(&around).await?.join().await })
        };
        at_every_await(cx, join, |ended| came_to_its_end(&ended, &[1], &came)).await?;
        let cancel = |around: Cx, _| -> Play<Outcome<usize>> {
            let mut child = lent(&around, &came);
            Box::pin(async move { child.recv(&around).await?.cancel(Budget::UNLIMITED).await })
        };
        at_every_await(cx, cancel, |ended| came_to_its_end(&ended, &[1, 2], &came)).await
    });
}

fn obligations_are_held(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let resolved = Log::new();
        let lease = || {
            let resolved = resolved.clone();
            Lease::new((), move |(), how| resolved.push(how))
        };
        let holds = |_, cx: Cx| -> Play<Outcome<bool>> {
            let lease = lease();
            Box::pin(async move {
                let held = hold(&cx, lease, async |lease| match cx.sleep(MS(1)).await {
                    Ok(()) => lease.complete().with(true),
                    Err(_) => lease.abort().with(false),
                });
                Ok(held.await)
            })
        };
        let gone = |ended: Ended<Outcome<bool>>| {
            let completed = ended.value().is_some_and(|held| matches!(held, Ok(true)));
            assert!(completed || !matches!(ended, Ended::Whole(_)));
            let how = if completed { Resolution::Committed } else { Resolution::Aborted };
            assert_eq!(resolved.take(), [how], "{ended:?}");
        };
        at_every_await(cx, holds, gone).await?;
        let tries = |_, cx: Cx| -> Play<Outcome<bool>> {
            let lease = lease();
            Box::pin(async move {
                let held = try_hold(&cx, lease, async |lease| {
                    let (lease, ()) = lease.or_abort(cx.sleep(MS(1)).await)?;
                    Ok(lease.complete().with(true))
                });
                held.await
            })
        };
        at_every_await(cx, tries, gone).await
    });
}
