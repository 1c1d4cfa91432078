//! Out of the closure: resolved elsewhere, or by the region, once; and what its report tells.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::Poll;

use asupersync::channel::oneshot;
use asupersync::obligation::Resolution::{Aborted, Committed};
use asupersync::obligation::{Detached, Kind, Lease, Obligation, hold, kind};
use asupersync::region::{CloseReport, LeftoverKind, Phase};
use asupersync::{Budget, Cx, Failure, Outcome, Region, Runtime};

use crate::cases::{Case, each_kind, poll_once};

async fn detach<O: Obligation<Input: Send>, C: Case<O>>(case: &mut C, cx: &Cx) -> Detached<O> {
    let detached = case.with(cx, async |held| {
        let (detached, done) = held.detach();
        done.with(detached)
    });
    detached.await
}

/// Reserved, committed, aborted, and unresolved ones named.
fn account(report: &CloseReport) -> [u64; 4] {
    let totals = report.totals;
    let unresolved = |kind| matches!(kind, LeftoverKind::Unresolved(_));
    let named = report.leftovers.iter().filter(|leftover| unresolved(leftover.kind)).count();
    [totals.obligations, totals.obligations_committed, totals.obligations_aborted, named as u64]
}

async fn is_committed_by_another_task<O: Obligation<Input: Send>, C: Case<O>>(cx: &Cx) -> Outcome {
    let mut case = C::make(cx).await;
    let opened = Region::builder("r").open_with_report(cx, async |cx| {
        let detached = detach(&mut case, cx).await;
        assert_eq!(case.seen(), None);
        cx.spawn("elsewhere", async move |_| Ok(C::commit_detached(detached).is_ok())).join().await
    });
    let (outcome, report) = opened.await;
    assert!(outcome?);
    assert_eq!(account(&report), [1, 1, 0, 0]);
    assert_eq!(case.seen(), Some(Committed));
    Ok(())
}

async fn is_aborted_by_a_drop_or_a_panic_of_another_task<O: Obligation<Input: Send>, C: Case<O>>(
    cx: &Cx,
) -> Outcome {
    for panics in [false, true] {
        let mut case = C::make(cx).await;
        let opened = Region::builder("r").open_with_report(cx, async |cx| {
            let detached = detach(&mut case, cx).await;
            let elsewhere = cx.spawn("elsewhere", async move |_| {
                let detached = detached;
                assert!(!panics, "on purpose");
                detached.abort();
                Ok(())
            });
            drop(elsewhere.join().await);
            Ok(())
        });
        let (outcome, report) = opened.await;
        assert_eq!(matches!(outcome, Err(Failure::Panicked(_))), panics);
        assert_eq!(account(&report), [1, 0, 1, 0]);
        assert_eq!(case.seen(), Some(Aborted));
    }
    Ok(())
}

/// A task that was told to stop resolves what it has, or drops it.
async fn is_aborted_by_a_cancel_of_its_holder<O: Obligation<Input: Send>, C: Case<O>>(cx: &Cx) -> Outcome {
    let mut case = C::make(cx).await;
    let opened = Region::builder("r").open_with_report(cx, async |cx| {
        let detached = detach(&mut case, cx).await;
        drop(cx.spawn("holder", async move |cx| {
            cx.cancelled().await;
            drop(detached);
            Ok(())
        }));
        Ok(())
    });
    let (outcome, report) = opened.await;
    outcome?;
    assert_eq!(account(&report), [1, 0, 1, 0]);
    assert_eq!(case.seen(), Some(Aborted));
    Ok(())
}

/// Leaked, or kept by somebody outside: the region does not wait, aborts it, and says so.
async fn is_aborted_and_reported_when_its_region_closes<O: Obligation<Input: Send>, C: Case<O>>(
    cx: &Cx,
) -> Outcome {
    for leaked in [true, false] {
        let (mut case, mut kept) = (C::make(cx).await, None);
        let mut line = 0;
        let opened = Region::builder("r").open_with_report(cx, async |cx| {
            let detached = case.with(cx, async |held| {
                line = line!() + 1;
                let (detached, done) = held.detach();
                done.with(detached)
            });
            let detached = detached.await;
            if leaked {
                std::mem::forget(detached);
            } else {
                kept = Some(detached);
            }
            Ok(())
        });
        let (outcome, report) = opened.await;
        outcome?;
        assert_eq!(case.seen(), Some(Aborted));
        assert_eq!(account(&report), [1, 0, 1, 1]);
        let [leftover] = &report.leftovers[..] else { panic!("{report}") };
        assert_eq!((leftover.kind, leftover.phase), (LeftoverKind::Unresolved(C::KIND), Phase::Finalizing));
        assert_eq!((leftover.site.file(), leftover.site.line()), (file!(), line));
        let text = report.to_string();
        let named = format!("! `{}` in {} (Finalizing), detached at {}", C::KIND, report.path, leftover.site);
        assert!(text.contains(&named), "{text}");
        assert!(text.ends_with(" old: unresolved, so its region aborted it"), "{text}");
        assert!(text.contains("finalizers 0/0, obligations 0/1"), "{text}");
        if let Some(kept) = kept {
            assert!(kept.is_expired());
            assert!(C::commit_detached(kept).is_err());
        }
    }
    Ok(())
}

async fn is_committed_by_a_finalizer<O: Obligation<Input: Send>, C: Case<O>>(cx: &Cx) -> Outcome {
    let mut case = C::make(cx).await;
    let opened = Region::builder("r").open_with_report(cx, async |cx| {
        let detached = detach(&mut case, cx).await;
        cx.defer(async move |cx| {
            cx.yield_now().await?;
            assert!(C::commit_detached(detached).is_ok());
            Ok(())
        })?;
        Ok(())
    });
    let (outcome, report) = opened.await;
    outcome?;
    assert_eq!((account(&report), report.totals.finalizers_run), ([1, 1, 0, 0], 1));
    assert_eq!(case.seen(), Some(Committed));
    Ok(())
}

/// A region that finalizes takes no more: it is aborted at once, and not counted.
async fn is_refused_by_a_region_that_finalizes<O: Obligation<Input: Send>, C: Case<O>>(cx: &Cx) -> Outcome {
    let mut case = C::make(cx).await;
    let told = Arc::new(Mutex::new(None));
    let tell = told.clone();
    let opened = Region::builder("r").open_with_report(cx, async |inside| {
        let late = C::make(cx).await;
        inside.defer(async move |cx| {
            let mut late = late;
            let detached = detach(&mut late, cx).await;
            *tell.lock().unwrap() = Some((detached.is_expired(), C::commit_detached(detached).is_err()));
            assert_eq!(late.seen(), Some(Aborted));
            Ok(())
        })?;
        // One that is merely held is on nobody's account.
        case.with(inside, async |held| C::commit(held)).await;
        Ok(())
    });
    let (outcome, report) = opened.await;
    outcome?;
    assert_eq!(*told.lock().unwrap(), Some((true, true)));
    assert_eq!((account(&report), report.totals.finalizers_failed), ([0; 4], 0));
    assert_eq!(case.seen(), Some(Committed));
    Ok(())
}

each_kind!(
    is_committed_by_another_task,
    is_aborted_by_a_drop_or_a_panic_of_another_task,
    is_aborted_by_a_cancel_of_its_holder,
    is_aborted_and_reported_when_its_region_closes,
    is_committed_by_a_finalizer,
    is_refused_by_a_region_that_finalizes,
);

/// A lease that writes to a log how it ended, detached.
async fn logged(cx: &Cx, name: &'static str, log: &Log) -> Detached<Lease<&'static str>> {
    let log = log.clone();
    let lease = Lease::new(name, move |name, how| log.lock().unwrap().push(format!("{name} {how:?}")));
    hold(cx, lease, async |lease| {
        let (detached, done) = lease.detach();
        done.with(detached)
    })
    .await
}

type Log = Arc<Mutex<Vec<String>>>;

#[asupersync::test]
async fn what_is_left_is_aborted_after_the_finalizers_the_last_first(cx: &Cx) -> Outcome {
    let log = Log::default();
    let opened = Region::builder("outer").open_with_report(cx, async |cx| {
        for name in ["a", "b", "c"] {
            std::mem::forget(logged(cx, name, &log).await);
        }
        let end = log.clone();
        cx.defer(async move |_| end.lock().unwrap().push("finalizer".to_owned()))?;
        let (inner, report) = Region::builder("inner")
            .open_with_report(cx, async |cx| {
                std::mem::forget(logged(cx, "inner", &log).await);
                Ok(())
            })
            .await;
        assert_eq!(account(&report), [1, 0, 1, 1]);
        inner
    });
    let (outcome, report) = opened.await;
    outcome?;
    assert_eq!(
        *log.lock().unwrap(),
        ["inner Aborted", "finalizer", "c Aborted", "b Aborted", "a Aborted"],
        "a child's belong to the child, and end with it"
    );
    assert_eq!(account(&report), [4, 0, 4, 4], "and the parent's report has them all");
    Ok(())
}

#[asupersync::test]
async fn a_finalizer_that_an_abort_registers_runs_before_the_end(cx: &Cx) -> Outcome {
    let log = Log::default();
    let opened = Region::builder("r").open_with_report(cx, async |cx| {
        std::mem::forget(logged(cx, "first", &log).await);
        let (inside, tell) = (cx.clone(), log.clone());
        let lease = Lease::new((), move |(), _| {
            let late = inside.defer(async move |_| tell.lock().unwrap().push("late".to_owned()));
            late.expect("not Closed yet");
        });
        let detached = hold(cx, lease, async |lease| {
            let (detached, done) = lease.detach();
            done.with(detached)
        });
        std::mem::forget(detached.await);
        Ok(())
    });
    let (outcome, report) = opened.await;
    outcome?;
    assert_eq!(*log.lock().unwrap(), ["first Aborted", "late"]);
    assert_eq!((account(&report), report.totals.finalizers_run), ([2, 0, 2, 2], 1));
    Ok(())
}

#[asupersync::test]
async fn an_abort_that_panics_is_told_of_and_stops_nothing(cx: &Cx) -> Outcome {
    let log = Log::default();
    let opened = Region::builder("r").open_with_report(cx, async |cx| {
        std::mem::forget(logged(cx, "first", &log).await);
        let lease = Lease::new((), |(), _| panic!("on purpose"));
        let detached = hold(cx, lease, async |lease| {
            let (detached, done) = lease.detach();
            done.with(detached)
        });
        std::mem::forget(detached.await);
        Ok(())
    });
    let (outcome, report) = opened.await;
    outcome?;
    assert_eq!(*log.lock().unwrap(), ["first Aborted"]);
    assert_eq!(account(&report), [2, 0, 2, 2]);
    assert!(report.to_string().contains("`lease, whose abort panicked` in"), "{report}");
    Ok(())
}

/// An abort may end another obligation: each ends once all the same.
#[asupersync::test]
async fn an_abort_may_resolve_another(cx: &Cx) -> Outcome {
    let log = Log::default();
    let opened = Region::builder("r").open_with_report(cx, async |cx| {
        let inner = logged(cx, "inner", &log).await;
        let lease = Lease::new(inner, |inner, _| assert!(inner.complete().is_ok()));
        let outer = hold(cx, lease, async |lease| {
            let (detached, done) = lease.detach();
            done.with(detached)
        });
        std::mem::forget(outer.await);
        Ok(())
    });
    let (outcome, report) = opened.await;
    outcome?;
    assert_eq!(*log.lock().unwrap(), ["inner Committed"]);
    assert_eq!(account(&report), [2, 1, 1, 1]);
    Ok(())
}

/// Commits when it is told to.
struct Slow {
    begun: oneshot::Sender<()>,
    go: mpsc::Receiver<()>,
}

impl Obligation for Slow {
    type Kind = kind::Permit;
    type Input = ();
    type Output = ();
    fn commit(self, (): ()) {
        self.begun.send(()).expect("the test waits");
        self.go.recv().expect("the test tells");
    }
}

#[asupersync::test(workers = 2)]
async fn one_that_is_being_resolved_is_waited_for(cx: &Cx) -> Outcome {
    let ((begun, mut has_begun), (tell, go)) = (oneshot::channel(), mpsc::channel());
    let (mut elsewhere, mut kept, ended) = (None, None, AtomicBool::new(false));
    let opened = Region::builder("r").open_with_report(cx, async |inside| {
        let detached = hold(inside, Slow { begun, go }, async |held| {
            let (detached, done) = held.detach();
            done.with(detached)
        });
        let detached = detached.await;
        // Of the outer region: this one is quiet while that runs.
        elsewhere = Some(cx.spawn_blocking("slow", move || Ok(detached.send(())?)));
        has_begun.recv(inside).await?;
        kept = Some(inside.clone());
        ended.store(true, Ordering::Relaxed);
        Ok(())
    });
    let mut opened = Box::pin(opened);
    poll_fn(|task| {
        assert!(opened.as_mut().poll(task).is_pending());
        if ended.load(Ordering::Relaxed) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    // The body has ended and nothing else is in the region: it waits for the commit.
    for _ in 0..3 {
        assert!(poll_once(opened.as_mut()).is_pending());
    }
    // Only after its waker is there: it is the end of the commit that wakes.
    let mut tell = Some(tell);
    let (outcome, report) = poll_fn(|task| {
        let polled = opened.as_mut().poll(task);
        if let Some(tell) = tell.take() {
            assert!(polled.is_pending());
            tell.send(()).expect("the commit waits");
        }
        polled
    })
    .await;
    drop(opened);
    outcome?;
    let inside = kept.expect("the body ended");
    let spent = pin!(inside.or_spent(pending::<()>()));
    assert!(poll_once(spent).is_pending(), "what woke was not the end of the drain budget");
    assert_eq!(account(&report), [1, 1, 0, 0]);
    elsewhere.expect("it was started").join().await
}

/// The same obligation, resolved by its holder and by its region at once, over and over.
#[asupersync::test(workers = 2)]
async fn a_race_for_it_has_one_winner(cx: &Cx) -> Outcome {
    let mut won = [0; 2];
    for _ in 0..500 {
        let log = Log::default();
        let mut elsewhere = None;
        let opened = Region::builder("r").open_with_report(cx, async |inside| {
            let detached = logged(inside, "it", &log).await;
            elsewhere = Some(cx.spawn("holder", async move |_| Ok(detached.complete().is_ok())));
            Ok(())
        });
        let (outcome, report) = opened.await;
        outcome?;
        // Closed: it has ended, whoever ended it.
        let ended = log.lock().unwrap().clone();
        let committed = elsewhere.expect("it was started").join().await?;
        assert_eq!(ended, [if committed { "it Committed" } else { "it Aborted" }]);
        let lost = u64::from(!committed);
        assert_eq!(account(&report), [1, 1 - lost, lost, lost]);
        won[usize::from(committed)] += 1;
    }
    assert_eq!(won[0] + won[1], 500);
    Ok(())
}

/// A region that is left by force settles too: its opener was dropped.
#[asupersync::test]
async fn a_region_whose_opener_is_dropped_settles_before_its_parent_closes(cx: &Cx) -> Outcome {
    let log = Log::default();
    let opened = Region::builder("outer").open_with_report(cx, async |cx| {
        let mut inner = Box::pin(Region::open(cx, "inner", async |cx| {
            std::mem::forget(logged(cx, "it", &log).await);
            cx.cancelled().await;
            Ok(())
        }));
        assert!(poll_once(inner.as_mut()).is_pending());
        drop(inner);
        Ok(())
    });
    let (outcome, report) = opened.await;
    outcome?;
    assert_eq!(*log.lock().unwrap(), ["it Aborted"]);
    assert_eq!(account(&report), [1, 0, 1, 1]);
    assert_eq!(report.leftovers[0].kind, LeftoverKind::Unresolved(Kind::Lease));
    Ok(())
}

/// The finalizers used up the budget: what is left is aborted all the same.
#[asupersync::test]
async fn a_spent_budget_aborts_too(cx: &Cx) -> Outcome {
    let log = Log::default();
    let region = Region::builder("r").finalize(Budget::timeout(std::time::Duration::ZERO));
    let opened = region.open_with_report(cx, async |cx| {
        std::mem::forget(logged(cx, "it", &log).await);
        cx.defer(async |_| std::future::pending::<()>().await)?;
        Ok(())
    });
    let (outcome, report) = opened.await;
    outcome?;
    assert_eq!(*log.lock().unwrap(), ["it Aborted"]);
    assert_eq!((account(&report), report.totals.finalizers_failed), ([1, 0, 1, 1], 1));
    Ok(())
}

/// A poll that never returns keeps its region from closing: what the runtime gives up on, it settles.
#[test]
fn a_runtime_that_gives_up_settles_what_is_left() {
    let (go, wait) = mpsc::channel::<()>();
    let (log, zero) = (Log::default(), Budget::timeout(std::time::Duration::ZERO));
    let tell = log.clone();
    let runtime = Runtime::builder().workers(2).drain(zero).finalize(zero).build().expect("threads");
    let (_, report) = runtime.block_on_with_report(async move |cx: &Cx| {
        std::mem::forget(logged(cx, "it", &tell).await);
        cx.defer(async move |_| assert!(wait.recv().is_err(), "never told, only let go"))?;
        Ok(())
    });
    assert_eq!(*log.lock().unwrap(), ["it Aborted"]);
    let report = report.expect("it ran");
    assert_eq!(account(&report), [1, 0, 1, 1], "{report}");
    drop(go);
}

/// A `Cx` that outlived its region keeps no account.
#[asupersync::test]
async fn a_closed_region_takes_none(cx: &Cx) -> Outcome {
    let log = Log::default();
    let late = Region::open(cx, "r", async |cx| Ok(cx.clone())).await?;
    let detached = logged(&late, "it", &log).await;
    assert!(detached.is_expired());
    assert_eq!(*log.lock().unwrap(), ["it Aborted"]);
    assert!(detached.complete().is_err());
    Ok(())
}
