//! Every function of the API that takes a closure takes it untyped, `async |cx| ..`, inside a spawned
//! task, whose future must be `Send`. One function each; that it compiles is most of the test.

use std::time::Duration;

use asupersync::channel::{mpsc, oneshot};
use asupersync::region::Close;
use asupersync::supervise::{ChildSpec, Restart, Strategy, Supervisor};
use asupersync::sync::OnceCell;
use asupersync::{Budget, Cx, Either, Outcome, Region};

const HOUR: Duration = Duration::from_secs(3600);

/// Something on the stack of the task, for bodies to borrow.
fn word() -> String {
    String::from("word")
}

macro_rules! in_a_task {
    ($name:ident, $body:expr) => {
        #[asupersync::test]
        async fn $name(cx: &Cx) -> Outcome {
            cx.spawn("task", $body).join().await
        }
    };
}

in_a_task!(spawn, async |cx| {
    let inner = cx.spawn("inner", async |cx| {
        cx.yield_now().await?;
        Ok(1)
    });
    assert_eq!(inner.join().await?, 1);
    Ok(())
});

in_a_task!(spawn_future, async |cx| { cx.spawn_future("future", async {}).join().await });

in_a_task!(spawn_blocking, async |cx| {
    assert_eq!(cx.spawn_blocking("job", || Ok(1)).join().await?, 1);
    Ok(())
});

in_a_task!(defer, async |cx| {
    let word = word();
    cx.defer(async move |cx| {
        cx.yield_now().await?;
        drop(word);
        Ok(())
    })?;
    Ok(())
});

in_a_task!(finish, async |cx| {
    let word = word();
    let len = cx.finish(async |cx| {
        cx.yield_now().await?;
        Ok(word.len())
    });
    assert_eq!(len.await?, word.len());
    Ok(())
});

in_a_task!(race, async |cx| {
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

in_a_task!(select, async |cx| {
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

in_a_task!(race_all, async |cx| {
    let word = word();
    let first = cx.race_all([1, 2], async |cx, n| {
        cx.yield_now().await?;
        Ok(word.len() + n)
    });
    assert_eq!(first.await?, word.len() + 1);
    Ok(())
});

in_a_task!(select_all, async |cx| {
    let word = word();
    let selected = cx.select_all(word.chars(), async |cx, letter| {
        cx.yield_now().await?;
        Ok((letter, &word))
    });
    assert_eq!(selected.await.winner()?.0, 'w');
    Ok(())
});

in_a_task!(join, async |cx| {
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

in_a_task!(join_outcomes, async |cx| {
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

in_a_task!(join_all, async |cx| {
    let mut words = vec![word(), word()];
    let longer = cx.join_all(&mut words, async |cx, word| {
        cx.yield_now().await?;
        word.push('s');
        Ok(word.len())
    });
    assert_eq!(longer.await?, [5, 5]);
    Ok(())
});

in_a_task!(join_all_outcomes, async |cx| {
    let word = word();
    let joined = cx.join_all_outcomes([1, 2], async |cx, n| {
        cx.yield_now().await?;
        Ok(word.len() + n)
    });
    assert_eq!(joined.await.len(), 2);
    Ok(())
});

in_a_task!(timeout, async |cx| {
    let word = word();
    let len = cx.timeout(HOUR, async |cx| {
        cx.yield_now().await?;
        Ok(word.len())
    });
    assert_eq!(len.await?, word.len());
    Ok(())
});

in_a_task!(deadline, async |cx| {
    let word = word();
    let len = cx.deadline(cx.now() + HOUR, async |cx| {
        cx.yield_now().await?;
        Ok(word.len())
    });
    assert_eq!(len.await?, word.len());
    Ok(())
});

in_a_task!(shield, async |cx| {
    let word = word();
    let len = cx.shield(Budget::timeout(HOUR), async |cx| {
        cx.yield_now().await?;
        Ok(word.len())
    });
    assert_eq!(len.await?, word.len());
    Ok(())
});

in_a_task!(region_open, async |cx| {
    let word = word();
    let len = Region::open(cx, "region", async |cx| {
        cx.yield_now().await?;
        Ok(word.len())
    });
    assert_eq!(len.await?, word.len());
    Ok(())
});

in_a_task!(builder_open, async |cx| {
    let word = word();
    let len = Region::builder("region").close(Close::Join).open(cx, async |cx| {
        cx.yield_now().await?;
        Ok(word.len())
    });
    assert_eq!(len.await?, word.len());
    Ok(())
});

in_a_task!(builder_open_with_report, async |cx| {
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

in_a_task!(spork, async |cx| {
    let child = cx.spork("child", async |cx| {
        cx.yield_now().await?;
        Ok(1)
    });
    assert_eq!(child.join().await?, 1);
    Ok(())
});

in_a_task!(builder_spork, async |cx| {
    let child = Region::builder("child").close(Close::Join).spork(cx, async |cx| {
        cx.yield_now().await?;
        Ok(1)
    });
    let (outcome, report) = child.join_with_report().await;
    assert_eq!((outcome?, report.totals.regions), (1, 1));
    Ok(())
});

in_a_task!(get_or_init, async |cx| {
    let (cell, word) = (OnceCell::new(), word());
    let value = cell.get_or_init(cx, async |cx| {
        cx.yield_now().await?;
        Ok(word.len())
    });
    assert_eq!(*value.await?, word.len());
    Ok(())
});

in_a_task!(mpsc_with_permit, async |cx| {
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

in_a_task!(mpsc_try_with_permit, async |cx| {
    let (tx, mut rx) = mpsc::channel(1);
    let word = word();
    tx.try_with_permit(cx, async |permit| Ok(permit.send(word.len()))).await?;
    assert_eq!(rx.recv(cx).await?, Some(word.len()));
    Ok(())
});

in_a_task!(oneshot_with_permit, async |cx| {
    let (tx, mut rx) = oneshot::channel();
    let word = word();
    tx.with_permit(cx, async |permit| permit.send(word.len())).await;
    assert_eq!(rx.recv(cx).await?, word.len());
    Ok(())
});

in_a_task!(oneshot_try_with_permit, async |cx| {
    let (tx, mut rx) = oneshot::channel();
    let word = word();
    tx.try_with_permit(cx, async |permit| Ok(permit.send(word.len()))).await?;
    assert_eq!(rx.recv(cx).await?, word.len());
    Ok(())
});

in_a_task!(child_spec, async |cx| {
    let word = word();
    let child = ChildSpec::new("child", async move |cx| {
        cx.yield_now().await?;
        drop(word.clone());
        Ok(())
    });
    Supervisor::new(Strategy::OneForOne).child(child.restart(Restart::Temporary)).run(cx).await
});

in_a_task!(child_spec_with_ready, async |cx| {
    let child = ChildSpec::with_ready("child", async |cx, ready| {
        cx.yield_now().await?;
        ready.signal();
        Ok(())
    });
    Supervisor::new(Strategy::OneForOne).child(child.restart(Restart::Temporary)).run(cx).await
});
