//! Local scopes: children that live in the region's own future, and borrow.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::Poll;

use asupersync_core::cancel::{Awaits, Use};
use asupersync_core::channel::oneshot;
use asupersync_core::region::dump::TaskState;
use asupersync_core::region::{ChildFailures, Close, LocalScope, OnFailure};
use asupersync_core::{Budget, Cx, Error, Failure, Outcome, Reason, ReasonKind, Region, Severity};

use crate::dumps::{self, awaits, uses};
use crate::probe::{Count, HOUR, Log, MS, breathe, cancelled_kind, counted, kind, poll_now, stubborn};
use crate::runner::Runner;

crate::cases![
    children_borrow_pieces_of_what_is_outside,
    children_start_children,
    one_child_is_polled_when_it_was_woken,
    a_failure_asks_the_others_and_the_body,
    all_failures_are_collected_in_order,
    a_panic_is_contained,
    a_handle_asks_one_child_only,
    a_dropped_handle_leaves_its_child_alone,
    the_report_counts_them,
    the_dump_names_them_and_what_they_await,
    scopes_nest_and_race,
    wakes_come_from_other_tasks,
    a_hundred_thousand_children,
];

async fn fails(cx: &Cx) -> Outcome {
    cx.yield_now().await?;
    Err(Failure::Err(Error::msg("on purpose")))
}

fn children_borrow_pieces_of_what_is_outside(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let task = cx.spawn("task", async |cx: &Cx| {
            let mut pieces = vec![String::from("a"), String::from("b"), String::from("c")];
            let suffix = String::from("!");
            let lengths = cx
                .local(async |_: &Cx, scope| {
                    let mut children = Vec::new();
                    for piece in &mut pieces {
                        children.push(scope.spawn("piece", async |cx: &Cx| {
                            cx.yield_now().await?;
                            piece.push_str(&suffix);
                            Ok(&*piece)
                        }));
                    }
                    let mut lengths = 0;
                    for child in children {
                        lengths += child.join().await?.len();
                    }
                    Ok(lengths)
                })
                .await?;
            assert_eq!((lengths, suffix.len()), (6, 1));
            Ok(pieces.concat())
        });
        assert_eq!(task.join().await?, "a!b!c!");
        Ok(())
    });
}

/// The sum of some numbers, halved until they are single, each half by a child of the same scope.
async fn sum<'e>(scope: LocalScope<'e>, numbers: &'e [u64]) -> Outcome<u64> {
    fn half<'e>(
        scope: &LocalScope<'e>,
        numbers: &'e [u64],
    ) -> Pin<Box<dyn Future<Output = Outcome<u64>> + Send + 'e>> {
        let inner = scope.clone();
        let child = scope.spawn("half", async move |cx: &Cx| {
            cx.yield_now().await?;
            match numbers {
                [] => Ok(0),
                [one] => Ok(*one),
                _ => {
                    let (a, b) = numbers.split_at(numbers.len() / 2);
                    let (a, b) = (half(&inner, a), half(&inner, b));
                    Ok(a.await? + b.await?)
                }
            }
        });
        Box::pin(child.join())
    }
    half(&scope, numbers).await
}

fn children_start_children(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let numbers: Vec<u64> = (1..=100).collect();
        let total = cx.local(async |_: &Cx, scope| sum(scope, &numbers).await).await?;
        assert_eq!(total, 5050);
        Ok(())
    });
}

fn one_child_is_polled_when_it_was_woken(host: &dyn Runner) {
    let many = 1000 / host.scale().min(10);
    host.ok(async move |cx: &Cx| {
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..many).map(|_| oneshot::channel::<usize>()).unzip();
        let (polls, body_polls) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let teller = cx.spawn("teller", async move |cx: &Cx| {
            for (n, sender) in senders.into_iter().enumerate() {
                cx.yield_now().await?;
                drop(sender.send(n));
            }
            Ok(())
        });
        let told = cx
            .local(async |cx: &Cx, scope| {
                let mut children = Vec::new();
                for mut receiver in receivers {
                    let polls = &polls;
                    children.push(
                        scope.spawn("waits", async move |cx: &Cx| {
                            Ok(counted(polls, receiver.recv(cx)).await?)
                        }),
                    );
                }
                // Waits for one of them all the time.
                counted(&body_polls, async {
                    let mut told = 0;
                    for child in children {
                        told += child.join().await?;
                    }
                    cx.checkpoint()?;
                    Ok(told)
                })
                .await
            })
            .await?;
        assert_eq!(told, many * (many - 1) / 2);
        let (polls, body_polls) = (polls.into_inner(), body_polls.into_inner());
        assert!((many..=2 * many).contains(&polls), "{polls} polls for {many} children");
        // Several may end in one poll of the task.
        assert!(body_polls <= many + 1, "{body_polls} polls of a body that waited for {many} children");
        teller.join().await
    });
}

fn a_failure_asks_the_others_and_the_body(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let log = Log::new();
        let outcome: Outcome = cx
            .local(async |cx: &Cx, scope| {
                for _ in 0..2 {
                    scope.spawn("sibling", async |cx: &Cx| {
                        log.push(kind(&cx.cancelled().await));
                        Ok(())
                    });
                }
                let failed = scope.spawn("fails", fails);
                log.push(kind(&cx.cancelled().await));
                assert_eq!(failed.join().await.unwrap_err().to_string(), "on purpose");
                Ok(())
            })
            .await;
        let Err(Failure::Err(error)) = outcome else { panic!("it failed: {outcome:?}") };
        let failures = error.downcast_ref::<ChildFailures>().expect("a child's").failures();
        assert_eq!(failures.iter().map(|f| &*f.name).collect::<Vec<_>>(), ["fails"]);
        assert_eq!(log.take(), [ReasonKind::SiblingFailed; 3]);
        Ok(cx.checkpoint()?)
    });
}

fn all_failures_are_collected_in_order(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let outcome: Outcome = Region::builder("collects")
            .on_failure(OnFailure::Collect)
            .close(Close::Join)
            .local(cx, async |cx: &Cx, scope| {
                // The first to be started is the last to fail; a task of the region is among them.
                scope.spawn("a", async |cx: &Cx| {
                    cx.sleep(MS(2)).await?;
                    fails(cx).await
                });
                drop(cx.spawn("b", async |cx: &Cx| {
                    cx.sleep(MS(1)).await?;
                    fails(cx).await
                }));
                scope.spawn("c", fails);
                scope.spawn("d", async |cx: &Cx| Ok(cx.sleep(MS(3)).await?));
                Ok(())
            })
            .await;
        let message = outcome.unwrap_err().to_string();
        let each = ["a", "b", "c"].map(|name| format!("task `{name}` failed: on purpose"));
        assert_eq!(message, each.join("; "));
        Ok(())
    });
}

fn a_panic_is_contained(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let count = Count::default();
        let outcome: Outcome = cx
            .local(async |_: &Cx, scope| {
                let one = count.one();
                let sibling = scope.spawn("sibling", async move |cx: &Cx| {
                    let _one = one;
                    Ok(kind(&cx.cancelled().await))
                });
                let panics = scope.spawn("panics", async |cx: &Cx| -> Outcome {
                    cx.yield_now().await?;
                    panic!("on purpose")
                });
                assert_eq!(panics.join().await.unwrap_err().severity(), Severity::Panicked);
                assert_eq!(sibling.join().await?, ReasonKind::SiblingFailed);
                Ok(())
            })
            .await;
        assert!(matches!(outcome, Err(Failure::Panicked(panic)) if panic.message() == "on purpose"));
        assert_eq!(count.alive(), 0);
        // Of the body.
        let outcome: Outcome = cx
            .local(async |_: &Cx, scope| -> Outcome {
                let one = count.one();
                scope.spawn("child", async move |cx: &Cx| {
                    let _one = one;
                    cx.cancelled().await;
                });
                breathe().await;
                panic!("on purpose")
            })
            .await;
        assert!(matches!(outcome, Err(Failure::Panicked(panic)) if panic.message() == "on purpose"));
        assert_eq!(count.alive(), 0);
        Ok(cx.checkpoint()?)
    });
}

fn a_handle_asks_one_child_only(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        cx.local(async |cx: &Cx, scope| {
            let hears = async |cx: &Cx| Ok(kind(&cx.cancelled().await));
            let (a, b) = (scope.spawn("a", hears), scope.spawn("b", hears));
            assert!(!a.is_finished());
            a.request_cancel(Reason::new(ReasonKind::ClientDisconnected));
            assert_eq!(a.join().await?, ReasonKind::ClientDisconnected);
            assert!(!b.is_finished() && !cx.is_cancelled());
            let stubborn = scope.spawn("c", async |_: &Cx| -> Outcome {
                stubborn(Arc::default()).await;
                Ok(())
            });
            breathe().await;
            let outcome = stubborn.cancel(Budget::timeout(MS(1))).await;
            assert_eq!(cancelled_kind(&outcome), ReasonKind::UserRequest);
            assert_eq!(b.cancel(Budget::UNLIMITED).await?, ReasonKind::UserRequest);
            Ok(cx.checkpoint()?)
        })
        .await
    });
}

fn a_dropped_handle_leaves_its_child_alone(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tell, mut told) = oneshot::channel();
        cx.local(async |cx: &Cx, scope| {
            drop(scope.spawn("child", async move |cx: &Cx| {
                for _ in 0..3 {
                    cx.yield_now().await?;
                }
                drop(tell.send(()));
                Ok(())
            }));
            let idle = scope.spawn("idle", async |cx: &Cx| Ok(cx.sleep(MS(1)).await?));
            let mut join = Box::pin(idle.join());
            assert!(poll_now(join.as_mut()).is_pending());
            drop(join);
            Ok(told.recv(cx).await?)
        })
        .await
    });
}

fn the_report_counts_them(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (outcome, report) = Region::builder("r")
            .on_failure(OnFailure::Collect)
            .local_with_report(cx, async |cx: &Cx, scope| {
                let a = scope.spawn("a", async |_: &Cx| Ok(1));
                let b = scope.spawn("b", fails);
                let c = scope.spawn("c", async |cx: &Cx| Ok(cx.sleep(HOUR).await?));
                let d = cx.spawn("d", async |_: &Cx| Ok(4));
                drop((b.join().await, c.cancel(Budget::UNLIMITED).await));
                Ok(a.join().await? + d.join().await?)
            })
            .await;
        assert_eq!(outcome.unwrap_err().to_string(), "task `b` failed: on purpose");
        let totals = report.totals;
        assert_eq!((totals.tasks, totals.ok, totals.err, totals.cancelled), (4, 2, 1, 1), "{report}");
        assert_eq!(report.failures.len(), 1);
        Ok(())
    });
}

fn the_dump_names_them_and_what_they_await(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let task = cx.spawn("opener", async |cx: &Cx| {
            // One does not hear.
            let region = Region::builder("local").drain(Budget::timeout(MS(5)));
            let local = region.local(cx, async |cx: &Cx, scope| {
                let foreign = scope
                    .spawn("foreign", async |_: &Cx| -> Outcome { match stubborn(Arc::default()).await {} });
                let joins = scope.spawn("joins", async move |_: &Cx| foreign.join().await);
                let (keep, mut never) = oneshot::channel::<()>();
                scope.spawn("receives", async move |cx: &Cx| Ok(never.recv(cx).await?));
                let opens = scope.spawn("opens", async |cx: &Cx| {
                    Region::open(cx, "inner", async |cx: &Cx| Ok(cx.sleep(HOUR).await?)).await
                });
                breathe().await;
                let ending = async {
                    joins.join().await?;
                    opens.join().await
                };
                let mut ending = std::pin::pin!(ending);
                poll_fn(|task| {
                    assert!(ending.as_mut().poll(task).is_pending());
                    Poll::Ready(())
                })
                .await;
                let dump = cx.dump();
                let told = dumps::region(&dump, "local");
                let names: Vec<_> = told.tasks.iter().map(|task| (&*task.name, task.local)).collect();
                assert_eq!(
                    names,
                    ["foreign", "joins", "receives", "opens"].map(|name| (name, true)),
                    "{dump}"
                );
                let [foreign, joins, receives, opens] = &told.tasks[..] else { unreachable!("four") };
                let opener = dumps::task(&dump, "opener");
                assert_eq!((opener.local, told.opened_by), (false, Some(opener.id)));
                assert!(told.tasks.iter().all(|task| task.site.file().ends_with("locals.rs")));
                assert!(told.tasks.iter().all(|task| task.state == TaskState::Waiting), "{dump}");
                assert_eq!(awaits(foreign), [Awaits::Unknown]);
                assert_eq!(
                    (awaits(joins), foreign.joined_by),
                    (vec![Awaits::Join(foreign.id)], Some(joins.id))
                );
                assert_eq!(joins.joined_by, Some(opener.id));
                assert_eq!(uses(receives), [Use::OneshotRecv]);
                assert!(matches!(awaits(opens)[..], [Awaits::Until(_)]), "{dump}");
                assert_eq!(dumps::region(&dump, "inner").opened_by, Some(opens.id));
                // What the children await the opener does not.
                assert_eq!(awaits(opener), [Awaits::Join(joins.id)], "{dump}");
                assert!(dump.to_string().contains("local child `receives`"), "{dump}");
                assert!(dump.to_json().contains(r#""local":true"#));
                drop(keep);
                Ok(())
            });
            local.await
        });
        task.join().await
    });
}

fn scopes_nest_and_race(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (words, count) = (["a", "bc", "def"].map(String::from), Count::default());
        let slow = async |cx: &Cx| -> Outcome<usize> {
            cx.local(async |cx: &Cx, scope| {
                let one = count.one();
                scope.spawn("child", async move |cx: &Cx| {
                    let _one = one;
                    cx.cancelled().await;
                    breathe().await;
                });
                cx.sleep(HOUR).await?;
                Ok(0)
            })
            .await
        };
        let fast = async |cx: &Cx| {
            cx.local(async |_: &Cx, scope| {
                let words = &words;
                let nested = scope.spawn("nested", async move |cx: &Cx| {
                    let longest = cx.local(async |_: &Cx, scope| {
                        let mut most = 0;
                        for word in words {
                            let len = scope.spawn("word", async |_: &Cx| Ok(word.len()));
                            most = most.max(len.join().await?);
                        }
                        Ok(most)
                    });
                    longest.await
                });
                nested.join().await
            })
            .await
        };
        assert_eq!(cx.race(slow, fast).await?, 3);
        assert_eq!(cx.race(fast, slow).await?, 3);
        assert_eq!(count.alive(), 0);
        let late = cx.timeout(MS(1), slow).await;
        assert_eq!((cancelled_kind(&late), count.alive()), (ReasonKind::Deadline, 0));
        Ok(())
    });
}

fn wakes_come_from_other_tasks(host: &dyn Runner) {
    const ROUNDS: usize = 50;
    host.ok(async |cx: &Cx| {
        let received = AtomicUsize::new(0);
        cx.local(async |cx: &Cx, scope| {
            let mut children = Vec::new();
            for _ in 0..4 {
                let (tx, mut rx) = asupersync_core::channel::mpsc::channel(1);
                drop(cx.spawn("sender", async move |cx: &Cx| {
                    for n in 0..ROUNDS {
                        tx.send(cx, n).await?;
                    }
                    Ok(())
                }));
                let received = &received;
                children.push(scope.spawn("receiver", async move |cx: &Cx| {
                    while rx.recv(cx).await?.is_some() {
                        received.fetch_add(1, SeqCst);
                    }
                    Ok(())
                }));
            }
            for child in children {
                child.join().await?;
            }
            Ok(())
        })
        .await?;
        assert_eq!(received.into_inner(), 4 * ROUNDS);
        Ok(())
    });
}

fn a_hundred_thousand_children(host: &dyn Runner) {
    let n = 100_000 / host.scale();
    host.ok(async move |cx: &Cx| {
        let sum = AtomicUsize::new(0);
        Region::builder("many")
            .close(Close::Join)
            .local(cx, async |_: &Cx, scope| {
                for n in 0..n {
                    let sum = &sum;
                    scope.spawn("child", async move |cx: &Cx| {
                        cx.yield_now().await?;
                        sum.fetch_add(n, SeqCst);
                        Ok(())
                    });
                }
                Ok(())
            })
            .await?;
        assert_eq!(sum.into_inner(), n * (n - 1) / 2);
        Ok(())
    });
}
