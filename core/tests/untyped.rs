//! Every function of the API that takes a closure takes it untyped, `async |cx| ..`, inside a spawned
//! task, whose future must be `Send`. One function each; that it compiles is most of the test. The rules
//! of the house see to it that none is missing.

use std::time::Duration;

use asupersync::caps::{Authority, Effect};
use asupersync::channel::{mpsc, oneshot};
use asupersync::obligation::{self, Lease};
use asupersync::region::{Close, CloseReport, LazyCx};
use asupersync::supervise::{ChildSpec, Restart, Strategy, Supervisor};
use asupersync::sync::OnceCell;
use asupersync::{Budget, Cx, Either, Outcome, Region};

const HOUR: Duration = Duration::from_secs(3600);

/// Something on the stack of the task, for bodies to borrow.
fn word() -> String {
    String::from("word")
}

macro_rules! in_a_task {
    ($name:ident, $function:literal, $body:expr) => {
        #[asupersync::test]
        async fn $name(cx: &Cx) -> Outcome {
            cx.spawn("task", $body).join().await
        }
    };
}

in_a_task!(spawn, "core::spawn::Cx::spawn", async |cx| {
    let inner = cx.spawn("inner", async |cx| {
        cx.yield_now().await?;
        Ok(1)
    });
    assert_eq!(inner.join().await?, 1);
    Ok(())
});

in_a_task!(spawn_future, "core::spawn::Cx::spawn_future", async |cx| {
    cx.spawn_future("future", async {}).join().await
});

in_a_task!(spawn_blocking, "core::blocking::Cx::spawn_blocking", async |cx| {
    assert_eq!(cx.spawn_blocking("job", || Ok(1)).join().await?, 1);
    Ok(())
});

in_a_task!(defer, "core::cx::Cx::defer", async |cx| {
    let word = word();
    cx.defer(async move |cx| {
        cx.yield_now().await?;
        drop(word);
        Ok(())
    })?;
    Ok(())
});

in_a_task!(finish, "core::cx::Cx::finish", async |cx| {
    let word = word();
    let len = cx.finish(async |cx| {
        cx.yield_now().await?;
        Ok(word.len())
    });
    assert_eq!(len.await?, word.len());
    Ok(())
});

in_a_task!(race, "core::combinator::race::Cx::race", async |cx| {
    let word = word();
    let slow = async |cx: &Cx| {
        cx.sleep(HOUR).await?;
        Ok(0)
    };
    let fast = cx.race(
        async |cx| {
            cx.yield_now().await?;
            Ok(word.len())
        },
        slow,
    );
    assert_eq!(fast.await?, word.len());
    Ok(())
});

in_a_task!(select, "core::combinator::race::Cx::select", async |cx| {
    let word = word();
    let selected = cx.select(
        async |cx| {
            cx.sleep(HOUR).await?;
            Ok(0)
        },
        async |cx| {
            cx.yield_now().await?;
            Ok(&word)
        },
    );
    assert_eq!(selected.await.winner()?, Either::Second(&word));
    Ok(())
});

in_a_task!(race_all, "core::combinator::race::Cx::race_all", async |cx| {
    let word = word();
    let first = cx.race_all([1, 2], async |cx, n| {
        cx.yield_now().await?;
        Ok(word.len() + n)
    });
    assert_eq!(first.await?, word.len() + 1);
    Ok(())
});

in_a_task!(select_all, "core::combinator::race::Cx::select_all", async |cx| {
    let word = word();
    let selected = cx.select_all(word.chars(), async |cx, letter| {
        cx.yield_now().await?;
        Ok((letter, &word))
    });
    assert_eq!(selected.await.winner()?.0, 'w');
    Ok(())
});

in_a_task!(join, "core::combinator::join::Cx::join", async |cx| {
    let word = word();
    let joined = cx.join(
        async |cx| {
            cx.yield_now().await?;
            Ok(word.len())
        },
        async |_| Ok(&word),
    );
    assert_eq!(joined.await?, (word.len(), &word));
    Ok(())
});

in_a_task!(join_outcomes, "core::combinator::join::Cx::join_outcomes", async |cx| {
    let word = word();
    let joined = cx.join_outcomes(
        async |cx| {
            cx.yield_now().await?;
            Ok(word.len())
        },
        async |_| Ok(&word),
    );
    assert_eq!(joined.await.0?, word.len());
    Ok(())
});

in_a_task!(join_all, "core::combinator::join::Cx::join_all", async |cx| {
    let mut words = vec![word(), word()];
    let longer = cx.join_all(&mut words, async |cx, word| {
        cx.yield_now().await?;
        word.push('s');
        Ok(word.len())
    });
    assert_eq!(longer.await?, [5, 5]);
    Ok(())
});

in_a_task!(join_all_outcomes, "core::combinator::join::Cx::join_all_outcomes", async |cx| {
    let word = word();
    let joined = cx.join_all_outcomes([1, 2], async |cx, n| {
        cx.yield_now().await?;
        Ok(word.len() + n)
    });
    assert_eq!(joined.await.len(), 2);
    Ok(())
});

in_a_task!(timeout, "core::combinator::limit::Cx::timeout", async |cx| {
    let word = word();
    let len = cx.timeout(HOUR, async |cx| {
        cx.yield_now().await?;
        Ok(word.len())
    });
    assert_eq!(len.await?, word.len());
    Ok(())
});

in_a_task!(deadline, "core::combinator::limit::Cx::deadline", async |cx| {
    let word = word();
    let len = cx.deadline(cx.now() + HOUR, async |cx| {
        cx.yield_now().await?;
        Ok(word.len())
    });
    assert_eq!(len.await?, word.len());
    Ok(())
});

in_a_task!(shield, "core::combinator::limit::Cx::shield", async |cx| {
    let word = word();
    let len = cx.shield(Budget::timeout(HOUR), async |cx| {
        cx.yield_now().await?;
        Ok(word.len())
    });
    assert_eq!(len.await?, word.len());
    Ok(())
});

in_a_task!(region_open, "core::region::Region::open", async |cx| {
    let word = word();
    let len = Region::open(cx, "region", async |cx| {
        cx.yield_now().await?;
        Ok(word.len())
    });
    assert_eq!(len.await?, word.len());
    Ok(())
});

in_a_task!(builder_open, "core::region::Builder::open", async |cx| {
    let word = word();
    let len = Region::builder("region").close(Close::Join).open(cx, async |cx| {
        cx.yield_now().await?;
        Ok(word.len())
    });
    assert_eq!(len.await?, word.len());
    Ok(())
});

in_a_task!(builder_open_with_report, "core::region::Builder::open_with_report", async |cx| {
    let word = word();
    let (len, report) = Region::builder("region")
        .open_with_report(cx, async |cx| {
            cx.yield_now().await?;
            Ok(word.len())
        })
        .await;
    assert_eq!((len?, report.totals.tasks), (word.len(), 0));
    Ok(())
});

in_a_task!(spork, "core::region::spork::Cx::spork", async |cx| {
    let child = cx.spork("child", async |cx| {
        cx.yield_now().await?;
        Ok(1)
    });
    assert_eq!(child.join().await?, 1);
    Ok(())
});

in_a_task!(builder_spork, "core::region::spork::Builder::spork", async |cx| {
    let child = Region::builder("child").close(Close::Join).spork(cx, async |cx| {
        cx.yield_now().await?;
        Ok(1)
    });
    let (outcome, report) = child.join_with_report().await;
    assert_eq!((outcome?, report.totals.regions), (1, 1));
    Ok(())
});

in_a_task!(inline, "core::region::inline::Builder::inline", async |cx| {
    let word = word();
    let region = Region::builder("inline").inline(cx, async move |cx| {
        cx.yield_now().await?;
        Ok(word.len())
    });
    assert_eq!(region.await?, 4);
    Ok(())
});

in_a_task!(inline_then, "core::region::inline::Builder::inline_then", async |cx| {
    let end =
        |outcome: Outcome<usize>, report: &dyn Fn() -> CloseReport| Ok((outcome?, report().totals.regions));
    let region = Region::builder("inline").inline_then(
        cx,
        async |cx| {
            cx.yield_now().await?;
            Ok(1)
        },
        end,
    );
    assert_eq!(region.await?, (1, 1));
    Ok(())
});

in_a_task!(inline_lazily, "core::region::inline::Builder::inline_lazily", async |cx| {
    let word = word();
    let region = Region::builder("inline").inline_lazily(
        cx,
        async move |cx: LazyCx| {
            cx.yield_now().await?;
            Ok(word.len())
        },
        |outcome, _| outcome,
    );
    assert_eq!(region.await?, 4);
    Ok(())
});

in_a_task!(local, "core::region::local::Cx::local", async |cx| {
    let mut words = [word(), word()];
    let longer = cx.local(async |_, scope| {
        let [a, b] = words.each_mut().map(|word| {
            scope.spawn("child", async move |cx| {
                cx.yield_now().await?;
                word.push('s');
                Ok(word.len())
            })
        });
        Ok(a.join().await? + b.join().await?)
    });
    assert_eq!(longer.await?, 10);
    Ok(())
});

in_a_task!(builder_local, "core::region::local::Builder::local", async |cx| {
    let word = word();
    let len = Region::builder("region").close(Close::Join).local(cx, async |cx, _| {
        cx.yield_now().await?;
        Ok(word.len())
    });
    assert_eq!(len.await?, word.len());
    Ok(())
});

in_a_task!(builder_local_with_report, "core::region::local::Builder::local_with_report", async |cx| {
    let word = word();
    let (len, report) = Region::builder("region")
        .local_with_report(cx, async |cx, scope| {
            cx.yield_now().await?;
            scope.spawn("child", async |_| Ok(word.len())).join().await
        })
        .await;
    assert_eq!((len?, report.totals.tasks), (word.len(), 1));
    Ok(())
});

in_a_task!(local_spawn, "core::region::local::LocalScope::spawn", async |cx| {
    let words = [word(), word()];
    let lens = cx.local(async |_, scope| {
        let (outer, inner, words) = (scope.clone(), scope, &words);
        let len = outer.spawn("outer", async move |_| {
            let len = inner.spawn("inner", async |cx| {
                cx.yield_now().await?;
                Ok(words[1].len())
            });
            Ok(words[0].len() + len.join().await?)
        });
        len.join().await
    });
    assert_eq!(lens.await?, 8);
    Ok(())
});

in_a_task!(attenuate, "core::attenuate::Cx::attenuate", async |cx| {
    let word = word();
    let len = cx.attenuate(Authority::all().without(Effect::Fs), async |cx| {
        cx.yield_now().await?;
        Ok(word.len())
    });
    assert_eq!(len.await?, word.len());
    Ok(())
});

in_a_task!(hold, "core::obligation::held::hold", async |cx| {
    let word = word();
    let lease = Lease::new(word.clone(), |_, _| {});
    let len = obligation::hold(cx, lease, async |lease| {
        cx.yield_now().await.ok();
        lease.complete().with(word.len())
    });
    assert_eq!(len.await, word.len());
    Ok(())
});

in_a_task!(try_hold, "core::obligation::held::try_hold", async |cx| {
    let word = word();
    let lease = Lease::new(word.clone(), |_, _| {});
    let len = obligation::try_hold(cx, lease, async |lease| {
        let (lease, ()) = lease.or_abort(cx.yield_now().await)?;
        Ok(lease.complete().with(word.len()))
    });
    assert_eq!(len.await?, word.len());
    Ok(())
});

in_a_task!(get_or_init, "core::sync::once_cell::OnceCell::get_or_init", async |cx| {
    let (cell, word) = (OnceCell::new(), word());
    let value = cell.get_or_init(cx, async |cx| {
        cx.yield_now().await?;
        Ok(word.len())
    });
    assert_eq!(*value.await?, word.len());
    Ok(())
});

in_a_task!(mpsc_with_permit, "core::channel::mpsc::room::Sender::with_permit", async |cx| {
    let (tx, mut rx) = mpsc::channel(1);
    let word = word();
    let sent = tx.with_permit(cx, async |permit| {
        let len = word.len();
        permit.send(len)
    });
    sent.await?;
    assert_eq!(rx.recv(cx).await?, Some(word.len()));
    Ok(())
});

in_a_task!(mpsc_try_with_permit, "core::channel::mpsc::room::Sender::try_with_permit", async |cx| {
    let (tx, mut rx) = mpsc::channel(1);
    let word = word();
    tx.try_with_permit(cx, async |permit| Ok(permit.send(word.len()))).await?;
    assert_eq!(rx.recv(cx).await?, Some(word.len()));
    Ok(())
});

in_a_task!(oneshot_with_permit, "core::channel::oneshot::Sender::with_permit", async |cx| {
    let (tx, mut rx) = oneshot::channel();
    let word = word();
    tx.with_permit(cx, async |permit| permit.send(word.len())).await;
    assert_eq!(rx.recv(cx).await?, word.len());
    Ok(())
});

in_a_task!(oneshot_try_with_permit, "core::channel::oneshot::Sender::try_with_permit", async |cx| {
    let (tx, mut rx) = oneshot::channel();
    let word = word();
    tx.try_with_permit(cx, async |permit| Ok(permit.send(word.len()))).await?;
    assert_eq!(rx.recv(cx).await?, word.len());
    Ok(())
});

in_a_task!(child_spec, "core::supervise::child::ChildSpec::new", async |cx| {
    let word = word();
    let child = ChildSpec::new("child", async move |cx| {
        cx.yield_now().await?;
        drop(word.clone());
        Ok(())
    });
    Supervisor::new(Strategy::OneForOne).child(child.restart(Restart::Temporary)).run(cx).await
});

in_a_task!(child_spec_with_ready, "core::supervise::child::ChildSpec::with_ready", async |cx| {
    let child = ChildSpec::with_ready("child", async |cx, ready| {
        cx.yield_now().await?;
        ready.signal();
        Ok(())
    });
    Supervisor::new(Strategy::OneForOne).child(child.restart(Restart::Temporary)).run(cx).await
});
