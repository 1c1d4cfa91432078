//! What makes runs of a program differ is noticed, and named as far as can be known; a program whose runs
//! do not differ is never accused.

mod child;

use std::cell::Cell;
use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::thread;
use std::time::Instant;

use asupersync_core::channel::{mpsc, oneshot};
use asupersync_core::sync::{Mutex, Notify};
use asupersync_core::{Cx, Outcome, TaskFn};
use asupersync_lab::explore::{Cause, Failure, Sampling};
use asupersync_lab::{Explore, Lab};

const FILE: &str = "scheduler/lab/tests/nondeterminism.rs:";

/// Steps that tell one number from another: for each bit, one of two objects is touched.
async fn act(cx: &Cx, number: u64) -> Outcome {
    let (zero, one) = (Notify::new(), Notify::new());
    for bit in 0..64 {
        if number >> bit & 1 == 0 { &zero } else { &one }.notify_one();
        cx.yield_now().await?;
    }
    Ok(())
}

/// However it is explored, the program is found out.
fn accused<F>(main: F) -> Failure
where
    F: for<'a> TaskFn<&'a Cx, Outcome, Fut: Send> + Clone + Send + 'static,
{
    let drawn = Explore::sample(Sampling::Walk, 0, 1).run(main.clone()).failure.expect("drawn");
    let failure = Explore::optimal().run(main).failure.expect("explored");
    for failure in [&drawn, &failure] {
        assert!(failure.message.starts_with("the program is not deterministic"), "{failure}");
    }
    failure
}

fn contains(failure: &Failure, parts: &[&str]) {
    let text = failure.to_string();
    for part in parts {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
}

#[test]
fn the_wall_clock() {
    let begin = Instant::now();
    let failure = accused(async move |cx: &Cx| {
        let reader = cx.spawn("reads the clock", async move |cx: &Cx| {
            let now = begin.elapsed().as_nanos() as u64;
            act(cx, now).await
        });
        reader.join().await
    });
    contains(&failure, &["`reads the clock`, spawned at ", FILE, "then: ", "now:  ", "the wall clock"]);
}

#[test]
fn the_order_of_a_hash_map() {
    let failure = accused(async |cx: &Cx| {
        let map: HashMap<u64, ()> = (0..64).map(|key| (key, ())).collect();
        let (even, odd) = (Notify::new(), Notify::new());
        for key in map.keys() {
            if key % 2 == 0 { &even } else { &odd }.notify_one();
            cx.yield_now().await?;
        }
        Ok(())
    });
    contains(&failure, &["`main`, spawned at ", FILE, "the order of a `HashMap`", "made"]);
}

#[test]
fn a_static_that_the_first_run_changes() {
    static FIRST: AtomicBool = AtomicBool::new(true);
    let main = async |cx: &Cx| {
        let first = FIRST.swap(false, Ordering::Relaxed);
        act(cx, u64::from(first)).await
    };
    let failure = Explore::optimal().run(main).failure.expect("it is found out");
    contains(&failure, &["later runs are the same", "a `static`"]);
    // Nothing is left to be changed.
    assert_eq!(Explore::optimal().run(main).failure, None);
}

#[test]
fn a_static_that_counts() {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let failure = accused(async |cx: &Cx| act(cx, RUNS.fetch_add(1, Ordering::Relaxed)).await);
    contains(&failure, &["`static`"]);
}

#[test]
fn a_thread_local_that_counts() {
    thread_local! {
        static RUNS: Cell<u64> = const { Cell::new(0) };
    }
    let failure = accused(async |cx: &Cx| act(cx, RUNS.replace(RUNS.get() + 1)).await);
    contains(&failure, &["`thread_local!`"]);
}

#[test]
fn what_only_a_later_run_does() {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    // The second of the runs that are compared, in its second time.
    let explore = Explore::sample(Sampling::Walk, 0, 100);
    let failure =
        explore.run(async |cx: &Cx| act(cx, RUNS.fetch_add(1, Ordering::Relaxed) / 3).await).failure;
    contains(&failure.expect("it is found out"), &["the program is not deterministic"]);
}

#[test]
fn a_failure_that_does_not_come_again() {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let found = Explore::sample(Sampling::Walk, 0, 100).model(|p| {
        let x = p.var(0);
        p.task(async move |t| t.write(x, 1).await);
        p.at_end(|_| assert_ne!(RUNS.fetch_add(1, Ordering::Relaxed), 10, "once in a lifetime"));
    });
    let failure = found.failure.expect("it is found out");
    contains(&failure, &["the run ended otherwise", "once in a lifetime", "now:  all tasks have ended"]);
}

/// Waits until another thread has woken it, in its first poll or after.
async fn woken_by(thread: &str, at_once: bool) {
    let mut spawned = false;
    poll_fn(|context| {
        if std::mem::replace(&mut spawned, true) {
            return Poll::Ready(());
        }
        let waker = context.waker().clone();
        let thread = thread::Builder::new().name(thread.into());
        let thread = thread.spawn(move || waker.wake()).expect("a thread");
        if at_once {
            thread.join().expect("it wakes");
        }
        Poll::Pending
    })
    .await;
}

#[test]
fn a_thread_that_wakes_a_task() {
    for at_once in [true, false] {
        let failure = accused(async move |cx: &Cx| {
            let task = cx.spawn("waits", async move |_: &Cx| {
                woken_by("intruder", at_once).await;
                Ok(())
            });
            task.join().await
        });
        contains(&failure, &["task `waits` was woken by the thread `intruder`", FILE, "`cx.spawn_blocking`"]);
    }
}

#[test]
fn a_thread_that_sends() {
    let failure = accused(async |cx: &Cx| {
        let (tx, mut rx) = oneshot::channel();
        let go = Arc::new(AtomicBool::new(false));
        let goes = go.clone();
        drop(thread::spawn(move || {
            while !goes.load(Ordering::Acquire) {
                std::hint::spin_loop();
            }
            drop(tx.send(1));
        }));
        let waits = cx.spawn("waits", async move |cx: &Cx| Ok(rx.recv(cx).await?));
        let lets_go = async move |_: &Cx| {
            go.store(true, Ordering::Release);
            Ok(())
        };
        cx.spawn("lets go", lets_go).join().await?;
        waits.join().await?;
        Ok(())
    });
    contains(&failure, &["not deterministic"]);
}

/// In a run of a seed a wake is noticed that makes a task runnable: this one is when the poll that hands the
/// waker out is over.
#[test]
fn a_thread_that_wakes_a_task_of_a_seed() {
    let outcome = Lab::new(1).run(async |cx: &Cx| -> Outcome {
        let (tx, mut rx) = mpsc::channel(1);
        cx.spawn("lends its waker", async move |_: &Cx| {
            let mut lent = false;
            poll_fn(|task| {
                if std::mem::replace(&mut lent, true) {
                    return Poll::Ready(());
                }
                drop(tx.try_send(task.waker().clone()));
                Poll::Pending
            })
            .await;
            Ok(())
        });
        let waker = rx.recv(cx).await?.expect("it lends one");
        let intruder = thread::Builder::new().name("intruder".into());
        intruder.spawn(move || waker.wake())?.join().expect("it wakes");
        Ok(())
    });
    let text = outcome.expect_err("it is told").to_string();
    assert!(text.contains("was woken by the thread `intruder`"), "{text}");
}

#[test]
fn a_real_socket_that_nobody_connects_to() {
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_io().build();
    let handle = tokio.as_ref().expect("a runtime").handle().clone();
    let found = Explore::optimal().run(async move |cx: &Cx| {
        let handle = handle.clone();
        let task = cx.spawn("accepts", async move |_: &Cx| {
            let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
            listener.set_nonblocking(true)?;
            let listener = {
                let _inside = handle.enter();
                tokio::net::TcpListener::from_std(listener)?
            };
            listener.accept().await?;
            Ok(())
        });
        task.join().await
    });
    let failure = found.failure.expect("nobody connects");
    contains(
        &failure,
        &["nothing of the lab's", "`accepts`, spawned at ", FILE, "holds its waker", "real socket"],
    );
}

#[test]
fn a_tokio_call() {
    let main = async |_: &Cx| {
        // a wait, not a synchronisation: it panics, since there is no such runtime
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        Ok(())
    };
    let failure = Explore::optimal().run(main).failure.expect("there is no such runtime");
    contains(&failure, &["in the lab no Tokio runtime runs", "`cx.sleep`"]);
}

#[test]
fn a_waker_that_nobody_has_is_a_deadlock() {
    let found = Explore::optimal().run(async |_: &Cx| std::future::pending::<Outcome>().await);
    contains(&found.failure.expect("it never ends"), &["deadlock"]);
}

#[test]
#[ignore = "fails on purpose, for the test below"]
fn blocked() {
    Explore::optimal().check(async |cx: &Cx| {
        let task = cx.spawn("accepts", async |_: &Cx| {
            let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
            listener.accept()?;
            Ok(())
        });
        task.join().await
    });
}

#[test]
fn a_socket_that_blocks_the_thread_ends_the_test() {
    let text = child::said("blocked", &[("ASUPERSYNC_LAB_PATIENCE", "1")]);
    assert!(text.contains("blocked: task `accepts`, spawned at scheduler/lab/tests/"), "{text}");
    assert!(text.contains("has not returned from a step for 1 s"), "{text}");
}

/// Tasks, locks, channels, timers, jobs, random numbers and cancellation.
async fn a_bit_of_all(cx: &Cx) -> Outcome {
    let (count, (tx, mut rx)) = (Arc::new(Mutex::new(0)), mpsc::channel(2));
    let tasks = [0, 1, 2].map(|n| {
        let (count, tx) = (count.clone(), tx.clone());
        cx.spawn("adds", async move |cx| {
            cx.sleep(std::time::Duration::from_millis(cx.random().below(3))).await?;
            *count.lock(cx).await? += 1;
            Ok(tx.send(cx, n).await?)
        })
    });
    drop(tx);
    let job = cx.spawn_blocking("job", || Ok(7));
    tasks[1].request_cancel(asupersync_core::Reason::new(asupersync_core::ReasonKind::UserRequest));
    while rx.recv(cx).await?.is_some() {}
    job.join().await?;
    Ok(())
}

#[test]
fn who_does_the_same_again_is_never_accused() {
    for seed in 0..500 {
        for sampling in [Sampling::Walk, Sampling::PartialOrder, Sampling::Priorities { depth: 3 }] {
            let found = Explore::sample(sampling, seed, 1).run(a_bit_of_all);
            assert_eq!(found.failure, None, "{sampling:?}, seed {seed}");
        }
    }
    let found = Explore::optimal().runs(2000).run(a_bit_of_all);
    assert_eq!(found.failure, None);
}

#[test]
fn the_cause_is_told_to_programs_too() {
    let outcome = Lab::new(0).run_by(&mut Once, async |_: &Cx| -> Outcome {
        woken_by("intruder", true).await;
        Ok(())
    });
    assert_eq!(outcome.expect_err("it is told").cause, Cause::Thread);
}

/// The first that can go on.
struct Once;

impl asupersync_lab::explore::Schedule for Once {
    fn choose(
        &mut self,
        enabled: &[usize],
    ) -> Result<Option<usize>, asupersync_lab::explore::Nondeterminism> {
        Ok(Some(enabled[0]))
    }

    fn stepped(
        &mut self,
        _: asupersync_lab::explore::Footprint,
    ) -> Result<(), asupersync_lab::explore::Nondeterminism> {
        Ok(())
    }
}
