//! Inline regions that are opened when somebody asks for them: who looks finds the region that would have been
//! there, whoever asks first.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Wake, Waker};

use asupersync_core::caps::{Authority, Effect};
use asupersync_core::channel::oneshot;
use asupersync_core::region::{CloseReport, LazyCx, LeftoverKind, Phase};
use asupersync_core::{Budget, Cx, Error, Failure, Outcome, Reason, ReasonKind, Region};

use crate::attack::{Ended, Play, at_every_await};
use crate::probe::{
    Count, HOUR, Log, MS, Victim, asked, begin, breathe, cancelled_kind, kind, stubborn, until,
};
use crate::runner::Runner;

crate::cases![
    who_never_asks_counts_all_the_same,
    who_asks_has_a_region_of_its_own,
    who_asks_late_has_it_too,
    somebody_else_may_ask,
    who_asks_after_the_end_has_one_that_is_closed,
    its_panic_and_its_failure_are_outcomes,
    left_behind_it_goes_on_unasked,
    left_behind_it_is_told_why,
    a_closing_parent_tells_it,
    a_closing_parent_awaits_it_and_names_what_it_drops,
    a_dump_finds_it,
    a_deadline_of_its_own_ends_it,
    one_that_lies_is_woken_by_a_request,
    it_is_refused_as_others_are,
    many_in_a_row_let_others_run,
    what_is_made_of_its_end_can_tell,
    it_is_attacked,
];

/// Something that is awaited without a `Cx`.
#[derive(Clone, Default)]
struct Gate(Arc<Mutex<(bool, Option<Waker>)>>);

impl Gate {
    async fn passed(&self) {
        poll_fn(|task| {
            let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if inner.0 {
                return Poll::Ready(());
            }
            inner.1 = Some(task.waker().clone());
            Poll::Pending
        })
        .await;
    }

    fn open(&self) {
        let waker = {
            let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            inner.0 = true;
            inner.1.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }
}

fn same<T>(outcome: Outcome<T>, _: &dyn Fn() -> CloseReport) -> Outcome<T> {
    outcome
}

fn who_never_asks_counts_all_the_same(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (outcome, report) = Region::builder("parent")
            .open_with_report(cx, async |cx: &Cx| {
                let mut kept = None;
                for n in 0..3 {
                    let body = async move |cx: LazyCx| {
                        breathe().await;
                        Ok((cx, n))
                    };
                    let (given, m) = Region::builder("lazy").inline_lazily(cx, body, same).await?;
                    assert!(m == n && !given.is_open());
                    kept = Some(given);
                }
                drop(kept);
                Ok(())
            })
            .await;
        outcome?;
        assert_eq!((report.totals.regions, report.totals.tasks), (4, 0), "{report}");
        Ok(())
    });
}

/// Does what only a region can, and tells that to `log`.
async fn uses(cx: &Cx, log: &Log<&'static str>) -> Outcome<String> {
    let finalizer = log.clone();
    cx.defer(async move |cx: &Cx| {
        cx.yield_now().await?;
        finalizer.push("finalized");
        Ok(())
    })?;
    let child = log.clone();
    drop(cx.spawn("child", async move |cx: &Cx| {
        cx.cancelled().await;
        child.push("child stopped");
    }));
    cx.sleep(MS(1)).await?;
    log.push("slept");
    Ok(cx.path())
}

fn who_asks_has_a_region_of_its_own(host: &dyn Runner) {
    let log = Log::new();
    let inner = log.clone();
    host.ok(async move |cx: &Cx| {
        let log = inner.clone();
        let body = async move |cx: LazyCx| {
            assert!(!cx.is_open());
            let path = uses(&cx, &log).await?;
            assert!(cx.is_open());
            Ok(path)
        };
        let path = Region::builder("lazy").inline_lazily(cx, body, same).await?;
        assert_eq!(path, format!("{}/lazy", cx.path()));
        inner.push("closed");
        Ok(())
    });
    assert_eq!(log.take(), ["slept", "child stopped", "finalized", "closed"]);
}

fn who_asks_late_has_it_too(host: &dyn Runner) {
    let log = Log::new();
    let inner = log.clone();
    host.ok(async move |cx: &Cx| {
        let (outcome, report) = Region::builder("parent")
            .open_with_report(cx, async |cx: &Cx| {
                let (log, gate) = (inner.clone(), Gate::default());
                let opener = gate.clone();
                let body = async move |cx: LazyCx| {
                    gate.passed().await;
                    uses(&cx, &log).await
                };
                let region = Region::builder("lazy").inline_lazily(cx, body, same);
                drop(cx.spawn("opens", async move |_: &Cx| opener.open()));
                assert_eq!(region.await?, format!("{}/lazy", cx.path()));
                Ok(())
            })
            .await;
        outcome?;
        assert_eq!((report.totals.regions, report.totals.finalizers_run), (2, 1), "{report}");
        Ok(())
    });
    assert_eq!(log.take(), ["slept", "child stopped", "finalized"]);
}

fn somebody_else_may_ask(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (lend, mut lent) = oneshot::channel::<LazyCx>();
        let gate = Gate::default();
        let opener = gate.clone();
        let body = async move |cx: LazyCx| {
            drop(lend.send(cx.clone()));
            gate.passed().await;
            Ok(kind(&cx.cancelled().await))
        };
        let region = Region::builder("lazy").inline_lazily(cx, body, same);
        let other = cx.spawn("asks", async move |cx: &Cx| {
            let inside = lent.recv(cx).await?;
            let fails = async |_: &Cx| Outcome::<()>::Err(Failure::Err(Error::msg("it")));
            let failed = inside.spawn("fails", fails).join().await;
            assert!(failed.is_err() && inside.is_cancelled());
            opener.open();
            Ok(())
        });
        let failure = region.await.unwrap_err();
        assert!(failure.to_string().contains("task `fails` failed: it"), "{failure}");
        other.join().await
    });
}

fn who_asks_after_the_end_has_one_that_is_closed(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let late = Region::builder("lazy").inline_lazily(cx, async |cx: LazyCx| Ok(cx), same).await?;
        assert_eq!(late.path(), format!("{}/lazy", cx.path()));
        assert!(late.is_cancelled() && !late.is_open());
        assert_eq!(kind(&late.cancelled().await), ReasonKind::ParentClosed);
        let refused = late.spawn("late", async |_: &Cx| Ok(())).join().await;
        assert_eq!(cancelled_kind(&refused), ReasonKind::ParentClosed);
        assert!(late.defer(async |_: &Cx| {}).is_err());
        assert!(cx.dump().regions.iter().all(|region| &*region.name != "lazy"));
        Ok(())
    });
}

fn its_panic_and_its_failure_are_outcomes(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let log = Log::new();
        for asks in [false, true] {
            let finalized = log.clone();
            let body = async move |cx: LazyCx| -> Outcome {
                if asks {
                    cx.defer(async move |_: &Cx| finalized.push("finalized"))?;
                }
                panic!("so")
            };
            let panics = Region::builder("lazy").inline_lazily(cx, body, same);
            assert!(matches!(panics.await, Err(Failure::Panicked(panic)) if panic.message() == "so"));
            let fails = async |_: LazyCx| Outcome::<()>::Err(Failure::Err(Error::msg("it")));
            let failure = Region::builder("lazy").inline_lazily(cx, fails, same).await.unwrap_err();
            assert_eq!(failure.to_string(), "it");
        }
        assert_eq!(log.take(), ["finalized"]);
        Ok(cx.checkpoint()?)
    });
}

fn left_behind_it_goes_on_unasked(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        for begun in [false, true] {
            let (outcome, report) = Region::builder("parent")
                .open_with_report(cx, async |cx: &Cx| {
                    let (gate, count, done) = (Gate::default(), Count::default(), Gate::default());
                    let (opener, one, told) = (gate.clone(), count.one(), done.clone());
                    let body = async move |_: LazyCx| {
                        let _one = one;
                        gate.passed().await;
                        told.open();
                        Ok(())
                    };
                    let mut region = Region::builder("lazy").inline_lazily(cx, body, same);
                    if begun {
                        begin(&mut region).await;
                    }
                    drop(region);
                    assert_eq!(count.alive(), 1, "what it holds is not dropped where it waits");
                    opener.open();
                    done.passed().await;
                    Ok(())
                })
                .await;
            outcome?;
            assert_eq!((report.totals.regions, report.totals.tasks, report.totals.ok), (2, 1, 1), "{report}");
            assert!(report.leftovers.is_empty(), "{report}");
        }
        Ok(())
    });
}

fn left_behind_it_is_told_why(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tell, mut told) = oneshot::channel();
        let body = async move |cx: LazyCx| {
            breathe().await;
            drop(tell.send(kind(&cx.cancelled().await)));
            Ok(())
        };
        let mut region = Region::builder("lazy").inline_lazily(cx, body, same);
        begin(&mut region).await;
        region.request_close(Reason::new(ReasonKind::ClientDisconnected));
        drop(region);
        assert_eq!(told.recv(cx).await?, ReasonKind::ClientDisconnected);
        Ok(())
    });
}

fn a_closing_parent_tells_it(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let gate = Gate::default();
        let (opener, (lend, mut lent)) = (gate.clone(), oneshot::channel());
        let parent = cx.spork("parent", async move |cx: &Cx| {
            let body = async move |cx: LazyCx| {
                gate.passed().await;
                let reason = kind(&cx.cancelled().await);
                cx.finish(async |cx: &Cx| Ok(cx.sleep(MS(1)).await?)).await?;
                Ok(reason)
            };
            drop(lend.send(Region::builder("lazy").inline_lazily(cx, body, same)));
            cx.cancelled().await;
            Ok(())
        });
        let mut region = lent.recv(cx).await?;
        begin(&mut region).await;
        parent.request_close(asked());
        // It waits for the region, which it has told by now.
        until(|| cx.dump().regions.iter().any(|dump| &*dump.name == "lazy" && dump.phase > Phase::Open))
            .await;
        assert!(!parent.is_closed());
        opener.open();
        assert_eq!(region.await?, ReasonKind::UserRequest);
        parent.join().await
    });
}

fn a_closing_parent_awaits_it_and_names_what_it_drops(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (count, polls) = (Count::default(), Arc::new(AtomicUsize::new(0)));
        let (outcome, report) = Region::builder("parent")
            .drain(Budget::timeout(MS(2)))
            .open_with_report(cx, async |cx: &Cx| {
                let (one, polls) = (count.one(), polls.clone());
                let body = async move |_: LazyCx| {
                    let _one = one;
                    stubborn(polls).await;
                    Ok(())
                };
                let mut region =
                    Region::builder("lazy").drain(Budget::timeout(HOUR)).inline_lazily(cx, body, same);
                begin(&mut region).await;
                Ok(())
            })
            .await;
        outcome?;
        assert_eq!((count.alive(), count.dropped()), (0, 1));
        let [left] = &report.leftovers[..] else { panic!("{report}") };
        assert_eq!((left.kind, &*left.name), (LeftoverKind::Dropped, "lazy"));
        Ok(())
    });
}

fn a_dump_finds_it(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let gate = Gate::default();
        let opener = gate.clone();
        let body = async move |cx: LazyCx| {
            gate.passed().await;
            assert!(cx.is_open());
            Ok(cx.region_id())
        };
        let mut region = Region::builder("lazy").inline_lazily(cx, body, same);
        let find =
            || cx.dump().regions.into_iter().find(|region| &*region.name == "lazy").map(|found| found.id);
        let found = find().expect("before its first poll");
        begin(&mut region).await;
        assert_eq!(find(), Some(found));
        opener.open();
        assert_eq!(region.await?, found);
        assert_eq!(find(), None);
        Ok(())
    });
}

fn a_deadline_of_its_own_ends_it(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let body = async move |cx: LazyCx| {
            assert!(cx.is_open());
            Ok(kind(&cx.cancelled().await))
        };
        let region = Region::builder("lazy").budget(Budget::timeout(MS(1))).inline_lazily(cx, body, same);
        assert_eq!(region.await?, ReasonKind::Deadline);
        // One that does not ask is dropped when its drain is over.
        let limited = Region::builder("lazy").budget(Budget::timeout(MS(1))).drain(Budget::timeout(MS(1)));
        let never = limited.inline_lazily(cx, async |_: LazyCx| ends_never().await, same);
        assert_eq!(cancelled_kind(&never.await), ReasonKind::Deadline);
        Ok(())
    });
}

/// Knows no `Cx`.
async fn ends_never() -> Outcome {
    match stubborn(Arc::default()).await {}
}

/// Counts how often it is woken.
#[derive(Default)]
struct Rings(AtomicUsize);

impl Wake for Rings {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

fn one_that_lies_is_woken_by_a_request(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        for asks in [false, true] {
            let rings = Arc::new(Rings::default());
            let (lend, mut lent) = oneshot::channel();
            let parent = cx.spork("parent", async move |cx: &Cx| {
                let body = async move |cx: LazyCx| {
                    if asks {
                        cx.checkpoint()?;
                    }
                    ends_never().await
                };
                let limited = Region::builder("lazy").drain(Budget::timeout(MS(1)));
                drop(lend.send(limited.inline_lazily(cx, body, same)));
                cx.cancelled().await;
                Ok(())
            });
            let mut region = lent.recv(cx).await?;
            begin(&mut region).await;
            region.set_waker(&Waker::from(rings.clone()));
            assert_eq!(rings.0.load(SeqCst), 0, "nothing has come");
            parent.request_close(asked());
            until(|| rings.0.load(SeqCst) > 0).await;
            // What came since the last poll is told to who comes then.
            let late = Arc::new(Rings::default());
            region.set_waker(&Waker::from(late.clone()));
            assert_eq!(late.0.load(SeqCst), 1);
            drop(region);
            parent.join().await?;
        }
        Ok(())
    });
}

fn it_is_refused_as_others_are(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let victim = Victim::new(cx).await;
        victim.request();
        let count = Count::default();
        let one = count.one();
        let body = async move |_: LazyCx| {
            drop(one);
            Ok(())
        };
        let late = Region::builder("late").inline_lazily(&victim.cx, body, same);
        assert!(late.is_closed() && count.dropped() == 1, "what it captured is gone at once");
        assert_eq!(cancelled_kind(&late.await), ReasonKind::UserRequest);
        let body = async |cx: LazyCx| Ok((cx.is_open(), cx.is_cancelled()));
        let in_flight = Region::builder("late").in_flight().inline_lazily(&victim.cx, body, same);
        assert_eq!(in_flight.await?, (false, false), "it hears the region, not the task");
        let asked_to = cx.spork("parent", async |cx: &Cx| {
            cx.cancelled().await;
            let body = async |cx: LazyCx| Ok((cx.is_open(), cx.is_cancelled()));
            Region::builder("late").in_flight().inline_lazily(cx, body, same).await
        });
        asked_to.request_close(asked());
        assert_eq!(asked_to.join().await?, (true, true));
        let no_tasks = Authority::all().without(Effect::Spawn);
        let denied = cx.attenuate(no_tasks, async |cx: &Cx| {
            Region::builder("denied").inline_lazily(cx, async |_: LazyCx| Ok(()), same).await
        });
        assert!(matches!(denied.await, Err(Failure::Err(_))));
        Ok(())
    });
}

fn many_in_a_row_let_others_run(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let mut polls = 0;
        let mut opens = pin!(async {
            for _ in 0..1000 {
                Region::builder("lazy").inline_lazily(cx, async |_: LazyCx| Ok(()), same).await?;
            }
            Outcome::Ok(())
        });
        poll_fn(|task| {
            polls += 1;
            opens.as_mut().poll(task)
        })
        .await?;
        assert!(polls > 1, "it never yielded");
        Ok(())
    });
}

fn what_is_made_of_its_end_can_tell(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        for asks in [false, true] {
            let end = |outcome: Outcome, report: &dyn Fn() -> CloseReport| {
                let CloseReport { path, reason, totals, .. } = report();
                Ok((outcome.is_ok(), path, reason.map(|reason| reason.kind()), totals.regions))
            };
            let body = async move |cx: LazyCx| if asks { Ok(cx.checkpoint()?) } else { Ok(()) };
            let told = Region::builder("lazy").inline_lazily(cx, body, end).await?;
            let expected = (true, format!("{}/lazy", cx.path()), Some(ReasonKind::ParentClosed), 1);
            assert_eq!(told, expected);
        }
        Ok(())
    });
}

fn it_is_attacked(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (count, came) = (Count::default(), Arc::new(AtomicUsize::new(0)));
        let play = |_, cx: Cx| -> Play<Outcome<usize>> {
            let (one, counter) = (count.one(), came.clone());
            Box::pin(async move {
                let body = async move |cx: LazyCx| {
                    let _one = one;
                    breathe().await;
                    let finalized = counter.clone();
                    cx.defer(async move |cx: &Cx| {
                        cx.yield_now().await?;
                        finalized.fetch_add(1, SeqCst);
                        Ok(())
                    })?;
                    cx.sleep(MS(1)).await?;
                    Ok(counter.fetch_add(1, SeqCst))
                };
                Region::builder("lazy").in_flight().inline_lazily(&cx, body, same).await
            })
        };
        let gone = |ended: Ended<Outcome<usize>>| {
            assert_eq!(count.alive(), 0);
            let came = came.swap(0, SeqCst);
            match ended {
                // It hears its parent, who is not asked; so it comes to its end, polled here or not.
                Ended::Whole(outcome) | Ended::Requested(outcome) => {
                    assert!(outcome.is_ok_and(|before| before == 0) && came == 2);
                }
                // It was never promised.
                Ended::Dropped => assert!(came == 2 || came == 0, "{came}"),
            }
        };
        at_every_await(cx, play, gone).await
    });
}
