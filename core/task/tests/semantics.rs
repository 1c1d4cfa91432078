//! What each call does to a task, one thread at a time.
#![cfg(not(loom))]

mod common;

use asupersync_task::{
    Activity, JoinError, Part, Ran, Runnable, Schedule, Shutdown, TaskRef, Wake, new, new_cyclic, note,
};
use common::{Count, Exec, Executor, Script, count, counter, panics_when_dropped, quietly};
use std::future::{Future, pending, poll_fn, ready};
use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll, Waker};

fn poll<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

#[test]
fn runs_to_its_output() {
    let exec = Executor::default();
    let (runnable, mut handle) = new(ready(7), exec.meta());
    assert!(!handle.is_finished());
    assert!(handle.try_take().is_none());
    assert_eq!(runnable.run(), Ran::Complete);
    assert!(handle.is_finished() && handle.task().is_complete());
    assert_eq!(handle.try_take().unwrap().unwrap(), 7);
    assert!(handle.try_take().is_none(), "it is taken once");
}

#[test]
fn schedule_says_why() {
    let exec = Executor::default();
    let (runnable, handle) = new(Script::yields(1).then_pending(), exec.meta());
    runnable.schedule();
    assert_eq!(exec.whys(), [Wake::Spawn]);
    assert_eq!(exec.next().run(), Ran::Rescheduled);
    assert_eq!(exec.whys(), [Wake::Yield]);
    assert_eq!(exec.next().run(), Ran::Pending);
    assert!(exec.is_empty());
    handle.task().wake();
    handle.task().wake();
    assert_eq!(exec.whys(), [Wake::Wake], "a queued task is queued once");
    handle.task().promote();
    assert_eq!(exec.whys(), [Wake::Wake, Wake::Promote]);
    assert_eq!(exec.next().run(), Ran::Pending);
    assert_eq!(exec.next().run(), Ran::Stale);
    handle.task().promote();
    assert_eq!(exec.whys(), [Wake::Wake], "an idle task has no first entry");
    assert_eq!(exec.next().run(), Ran::Pending);
}

/// The entry that went stale finds the task queued again: it runs it, and the
/// newer entry is the stale one.
#[test]
fn entries_are_interchangeable() {
    let exec = Executor::default();
    let (runnable, handle) = new(pending::<()>(), exec.meta());
    handle.task().promote();
    let old = exec.next();
    assert_eq!(runnable.run(), Ran::Pending);
    handle.task().wake();
    assert_eq!(old.run(), Ran::Pending);
    assert_eq!(exec.next().run(), Ran::Stale);
    handle.task().wake();
    assert_eq!(exec.next().run(), Ran::Pending, "and no wake was lost");
}

#[test]
fn a_stale_entry_during_the_poll_leaves_the_wake_to_the_runner() {
    let exec = Executor::default();
    let queue = exec.clone();
    let future = poll_fn(move |cx| {
        if let Some(second) = queue.pop() {
            cx.waker().wake_by_ref();
            assert_eq!(second.run(), Ran::Stale);
            return Poll::Pending;
        }
        Poll::Ready(())
    });
    let (runnable, mut handle) = new(future, exec.meta());
    handle.task().promote();
    assert_eq!(runnable.run(), Ran::Rescheduled);
    assert_eq!(exec.next().run(), Ran::Complete);
    handle.try_take().unwrap().unwrap();
}

#[test]
fn panics_become_the_outcome() {
    let exec = Executor::default();
    let dropped = counter();
    let bomb = Count(dropped.clone());
    let future = async move {
        let _bomb = bomb;
        panic!("boom");
    };
    let (runnable, mut handle) = new(future, exec.meta());
    assert_eq!(quietly(|| runnable.run()), Ran::Complete);
    assert_eq!(count(&dropped), 1);
    let Some(Err(error @ JoinError::Panicked(_))) = handle.try_take() else {
        panic!("not the panic");
    };
    assert_eq!(error.to_string(), "task panicked: boom");
    assert_eq!(format!("{error:?}"), r#"Panicked("boom")"#);
}

#[test]
fn the_first_panic_wins() {
    let exec = Executor::default();
    let bomb = panics_when_dropped("second");
    let future = poll_fn(move |_| -> Poll<()> {
        let _ = &bomb;
        panic!("first")
    });
    let (runnable, mut handle) = new(future, exec.meta());
    assert_eq!(quietly(|| runnable.run()), Ran::Complete);
    let error = handle.try_take().unwrap().unwrap_err();
    assert_eq!(error.to_string(), "task panicked: first");
}

#[test]
fn a_panic_in_the_futures_drop_changes_no_outcome() {
    let exec = Executor::default();
    let bomb = panics_when_dropped("future");
    let future = poll_fn(move |_| {
        let _ = &bomb;
        Poll::Ready(3)
    });
    let (runnable, mut handle) = new(future, exec.meta());
    assert_eq!(quietly(|| runnable.run()), Ran::Complete);
    assert_eq!(handle.try_take().unwrap().unwrap(), 3);

    let bomb = panics_when_dropped("future");
    let future = async move {
        let _bomb = bomb;
        pending::<()>().await;
    };
    let (runnable, mut handle) = new(future, exec.meta());
    assert_eq!(runnable.run(), Ran::Pending);
    assert_eq!(quietly(|| handle.task().shutdown()), Shutdown::Dropped);
    assert!(matches!(handle.try_take(), Some(Err(JoinError::Shutdown))));
}

#[test]
fn a_panic_in_the_outputs_drop_ends_there() {
    let exec = Executor::default();
    let (runnable, handle) = new(async { panics_when_dropped("output") }, exec.meta());
    drop(handle);
    assert_eq!(quietly(|| runnable.run()), Ran::Complete);

    let (runnable, handle) = new(async { panics_when_dropped("output") }, exec.meta());
    let task = handle.task();
    assert_eq!(runnable.run(), Ran::Complete);
    quietly(|| drop(handle));
    assert!(task.is_complete());
    assert_eq!(task.shutdown(), Shutdown::AlreadyComplete);
}

#[test]
fn shutdown_in_each_state() {
    let exec = Executor::default();
    let dropped = counter();
    let future = || {
        let count = Count(dropped.clone());
        async move {
            let _count = count;
            pending::<()>().await;
        }
    };
    // Queued, never run.
    let (runnable, mut handle) = new(future(), exec.meta());
    assert_eq!(handle.task().shutdown(), Shutdown::Dropped);
    assert_eq!(count(&dropped), 1);
    assert_eq!(runnable.run(), Ran::Stale);
    assert!(matches!(handle.try_take(), Some(Err(JoinError::Shutdown))));
    // Idle.
    let (runnable, mut handle) = new(future(), exec.meta());
    assert_eq!(runnable.run(), Ran::Pending);
    assert_eq!(handle.task().shutdown(), Shutdown::Dropped);
    assert_eq!(handle.task().shutdown(), Shutdown::AlreadyComplete);
    assert_eq!(count(&dropped), 2);
    assert!(matches!(handle.try_take(), Some(Err(JoinError::Shutdown))));
    handle.task().wake();
    handle.task().promote();
    assert!(exec.is_empty(), "a complete task is not scheduled");
}

/// Running: by its own poll, which then returns `Pending`, or an output.
#[test]
fn shutdown_during_the_poll() {
    let exec = Executor::default();
    for output in [None, Some(5)] {
        let me: Arc<OnceLock<TaskRef<Exec>>> = Arc::default();
        let task = me.clone();
        let future = poll_fn(move |cx| {
            let task = task.get().unwrap();
            assert!(task.is_running() && task.will_wake(cx.waker()));
            assert_eq!(task.shutdown(), Shutdown::Running);
            task.wake();
            output.map_or(Poll::Pending, Poll::Ready)
        });
        let (runnable, mut handle) = new(future, exec.meta());
        me.set(handle.task()).unwrap();
        assert_eq!(runnable.run(), Ran::Complete);
        assert!(exec.is_empty());
        match (output, handle.try_take().unwrap()) {
            (None, Err(JoinError::Shutdown)) => {}
            (Some(output), Ok(got)) => assert_eq!(output, got),
            (_, other) => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_dropped_runnable_shuts_the_task_down() {
    let exec = Executor::default();
    let dropped = counter();
    let held = Count(dropped.clone());
    let (runnable, mut handle) = new(async move { drop(held) }, exec.meta());
    drop(runnable);
    assert_eq!(count(&dropped), 1);
    assert!(matches!(handle.try_take(), Some(Err(JoinError::Shutdown))));
    // Idle: the entry is out of date, so only its reference goes.
    let (runnable, handle) = new(pending::<()>(), exec.meta());
    handle.task().promote();
    assert_eq!(runnable.run(), Ran::Pending);
    drop(exec.next());
    assert!(!handle.is_finished());
}

#[test]
fn join_wakes_the_last_waker() {
    let exec = Executor::default();
    let (runnable, mut handle) = new(ready(1), exec.meta());
    let wakers = [(); 2].map(|()| new(pending::<()>(), exec.meta()));
    let [(one, _one), (two, _two)] = wakers;
    let (first, second) = (one.task().waker(), two.task().waker());
    for runnable in [one, two] {
        assert_eq!(runnable.run(), Ran::Pending);
    }
    assert!(poll(&mut handle, &first).is_pending());
    assert!(poll(&mut handle, &second).is_pending());
    assert!(poll(&mut handle, &second).is_pending());
    assert_eq!(runnable.run(), Ran::Complete);
    assert_eq!(exec.next().task().waker().data(), second.data());
    assert!(exec.is_empty());
    assert!(matches!(poll(&mut handle, &first), Poll::Ready(Ok(1))));
}

#[test]
#[should_panic(expected = "after it gave the outcome")]
fn join_polled_after_its_output() {
    let exec = Executor::default();
    let (runnable, mut handle) = new(ready(1), exec.meta());
    let _ = runnable.run();
    let _ = handle.try_take();
    let _ = poll(&mut handle, Waker::noop());
}

#[test]
fn wakers_are_the_task() {
    let exec = Executor::default();
    let (runnable, handle) = new(pending::<()>(), exec.meta());
    let (task, other) = (handle.task(), new(pending::<()>(), exec.meta()).1.task());
    let waker = task.waker();
    assert!(waker.will_wake(&waker.clone()) && task.will_wake(&waker));
    assert!(!other.will_wake(&waker) && !task.will_wake(Waker::noop()));
    assert!(task.ptr_eq(&task.clone()) && !task.ptr_eq(&other));
    assert_eq!(runnable.id_addr(), task.id_addr());
    assert_ne!(task.id_addr(), other.id_addr());
    assert_eq!(runnable.run(), Ran::Pending);
    let another = waker.clone();
    waker.wake();
    assert_eq!(exec.next().run(), Ran::Pending);
    another.wake_by_ref();
    drop(another);
    assert_eq!(exec.next().run(), Ran::Pending);
}

/// The last reference may be any handle; what the cell holds goes with it,
/// and the meta goes last.
#[test]
fn the_last_reference_frees_the_cell() {
    let exec = Executor::default();
    let [futures, metas] = [counter(), counter()];
    let make = || {
        let count = Count(futures.clone());
        let future = async move {
            let _count = count;
            pending::<()>().await;
        };
        let (runnable, handle) = new(future, exec.counted(&metas));
        assert_eq!(runnable.run(), Ran::Pending);
        handle
    };
    let handle = make();
    let task = handle.task();
    drop(handle);
    let waker = task.waker();
    drop(task);
    assert_eq!((count(&futures), count(&metas)), (0, 0));
    drop(waker);
    assert_eq!((count(&futures), count(&metas)), (1, 1));
    drop(make());
    assert_eq!((count(&futures), count(&metas)), (2, 2));
    // A meta outlives the future that was shut down.
    let task = make().task();
    let _ = task.shutdown();
    assert_eq!((count(&futures), count(&metas)), (3, 2));
    drop(task);
    assert_eq!(count(&metas), 3);
    // An entry that nobody else refers to: the future is dropped by its run.
    let count_in_future = Count(futures.clone());
    let future = poll_fn(move |_| {
        let _ = &count_in_future;
        Poll::<()>::Pending
    });
    let (runnable, handle) = new(future, exec.counted(&metas));
    drop(handle);
    assert_eq!(runnable.run(), Ran::Pending);
    assert_eq!((count(&futures), count(&metas)), (4, 4));
}

/// An executor without a queue: `schedule` runs the task where it stands.
#[test]
fn schedule_may_run_the_task_inline() {
    struct Inline(Arc<Mutex<Vec<Ran>>>);
    impl Schedule for Inline {
        fn schedule(&self, runnable: Runnable<Self>, _: Wake) {
            let ran = runnable.run();
            self.0.lock().unwrap().push(ran);
        }
    }
    let rans: Arc<Mutex<Vec<Ran>>> = Arc::default();
    let (runnable, handle) = new(Script::yields(3), Inline(rans.clone()));
    // Nothing but the runnable refers to the cell while its meta is in use.
    drop(handle);
    runnable.schedule();
    let expected = [Ran::Complete, Ran::Rescheduled, Ran::Rescheduled, Ran::Rescheduled];
    assert_eq!(*rans.lock().unwrap(), expected);
}

/// The joiner's waker is user code too; the task is complete when it runs.
#[test]
fn a_panic_in_the_joiners_waker_ends_there() {
    struct Panics;
    impl std::task::Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("waker");
        }
    }
    let exec = Executor::default();
    let (runnable, mut handle) = new(ready(1), exec.meta());
    let waker = Waker::from(Arc::new(Panics));
    assert!(poll(&mut handle, &waker).is_pending());
    assert_eq!(quietly(|| runnable.run()), Ran::Complete);
    assert!(matches!(poll(&mut handle, &waker), Poll::Ready(Ok(1))));
}

/// A task that joins another, and a joiner woken inline by the completion.
#[test]
fn tasks_join_tasks() {
    let exec = Executor::default();
    let (inner, handle) = new(Script::yields(2), exec.meta());
    let (outer, mut outcome) = new(async move { handle.await.is_ok() }, exec.meta());
    outer.schedule();
    inner.schedule();
    exec.run_all();
    assert!(outcome.try_take().unwrap().unwrap());
}

/// A future that owns its own handle, and is dropped with it.
#[test]
fn a_future_may_hold_its_own_handle() {
    let exec = Executor::default();
    let slot = Arc::new(Mutex::new(None));
    let mine = slot.clone();
    let future = async move {
        let handle: Pin<Box<dyn Future<Output = ()> + Send>> = mine.lock().unwrap().take().unwrap();
        handle.await;
    };
    let (runnable, handle) = new(future, exec.meta());
    let task = handle.task();
    *slot.lock().unwrap() = Some(Box::pin(async move { drop(handle.await) }));
    assert_eq!(runnable.run(), Ran::Pending);
    assert_eq!(task.shutdown(), Shutdown::Dropped);
    assert!(exec.is_empty());
}

#[test]
fn a_schedule_that_panics_shuts_the_task_down() {
    struct Refuses;
    impl Schedule for Refuses {
        fn schedule(&self, _: Runnable<Self>, _: Wake) {
            panic!("no room");
        }
    }
    let (runnable, mut handle) = new(pending::<()>(), Refuses);
    let refused = quietly(|| std::panic::catch_unwind(|| runnable.schedule()));
    assert!(refused.is_err());
    assert!(matches!(handle.try_take(), Some(Err(JoinError::Shutdown))));
    // The same for a reschedule: its runner still gives up its reference.
    let (runnable, mut handle) = new(Script::yields(1), Refuses);
    let refused = quietly(|| std::panic::catch_unwind(|| runnable.run()));
    assert!(refused.is_err());
    assert!(matches!(handle.try_take(), Some(Err(JoinError::Shutdown))));
}

#[test]
fn a_note_is_kept_beside_the_future_and_found_by_any_waker_of_the_task() {
    let exec = Executor::default();
    let future = poll_fn(|cx| {
        note(cx.waker()).expect("a waker of ours").store(7, Relaxed);
        Poll::<()>::Pending
    });
    let (runnable, handle) = new(future, exec.meta());
    let task = handle.task();
    assert_eq!(task.note().load(Relaxed), 0);
    assert_eq!(runnable.run(), Ran::Pending);
    assert_eq!(task.note().load(Relaxed), 7);
    for waker in [task.waker(), task.promote_waker()] {
        assert!(std::ptr::eq(note(&waker).expect("a waker of ours"), task.note()));
    }
    assert!(note(Waker::noop()).is_none());
    task.shutdown();
    assert_eq!(task.note().load(Relaxed), 7, "it outlives the future");
}

#[test]
fn activity_follows_the_state() {
    let exec = Executor::default();
    let slot = Arc::new(OnceLock::<TaskRef<_>>::new());
    let mine = slot.clone();
    let future = poll_fn(move |cx| {
        let task = mine.get().expect("set before the first poll");
        assert_eq!(task.activity(), Activity::Running);
        cx.waker().wake_by_ref();
        assert_eq!(task.activity(), Activity::Running, "woken meanwhile");
        Poll::<()>::Pending
    });
    let (runnable, handle) = new(future, exec.meta());
    let task = handle.task();
    assert!(slot.set(handle.task()).is_ok());
    assert_eq!(task.activity(), Activity::Queued);
    assert_eq!(runnable.run(), Ran::Rescheduled);
    assert_eq!(task.activity(), Activity::Queued);
    task.shutdown();
    assert_eq!(task.activity(), Activity::Complete);
    let (runnable, handle) = new(pending::<()>(), exec.meta());
    assert_eq!(runnable.run(), Ran::Pending);
    assert_eq!(handle.task().activity(), Activity::Idle);
}

#[test]
fn a_join_waker_taken_back_wakes_nobody() {
    let exec = Executor::default();
    let (joiner, joiner_handle) = new(pending::<()>(), exec.meta());
    assert_eq!(joiner.run(), Ran::Pending);
    let (runnable, mut handle) = new(ready(7), exec.meta());
    let waker = joiner_handle.task().waker();
    assert!(handle.take_waker().is_none(), "nobody polled");
    assert!(poll(&mut handle, &waker).is_pending());
    assert!(handle.take_waker().expect("left by the poll").will_wake(&waker));
    assert!(handle.take_waker().is_none());
    assert_eq!(runnable.run(), Ran::Complete);
    assert!(exec.is_empty(), "the joiner was not woken");
    assert!(handle.take_waker().is_none());
    assert_eq!(handle.try_take().unwrap().unwrap(), 7);
}

#[test]
fn a_future_may_hold_its_own_task() {
    let (exec, dropped) = (Executor::default(), counter());
    let held = Count(dropped.clone());
    let (runnable, mut handle, [task]) = new_cyclic(
        || exec.meta(),
        |[me]| async move {
            let _held = held;
            assert!(me.is_running());
            me.id_addr()
        },
    );
    assert_eq!((task.activity(), count(&dropped)), (Activity::Queued, 0));
    assert_eq!(runnable.run(), Ran::Complete);
    assert_eq!(handle.try_take().unwrap().unwrap(), task.id_addr());
    assert_eq!(count(&dropped), 1);
}

#[test]
fn shut_down_while_it_is_made_it_is_dropped_when_it_is_there() {
    let (exec, dropped) = (Executor::default(), counter());
    let held = Count(dropped.clone());
    let (runnable, mut handle, [_]) = new_cyclic(
        || exec.meta(),
        |[me]| {
            assert_eq!((me.shutdown(), me.activity()), (Shutdown::Running, Activity::Running));
            me.wake();
            async move { drop(held) }
        },
    );
    assert_eq!(count(&dropped), 1);
    assert_eq!(runnable.run(), Ran::Stale);
    assert!(matches!(handle.try_take(), Some(Err(JoinError::Shutdown))));
    assert!(exec.is_empty());
}

#[test]
fn nothing_is_left_of_one_whose_making_panics() {
    let (exec, kept) = (Executor::default(), OnceLock::new());
    quietly(|| {
        let made = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            new_cyclic(
                || exec.meta(),
                |[me]| -> std::future::Ready<()> {
                    drop(kept.set(me));
                    panic!("not made")
                },
            )
        }));
        assert!(made.is_err());
    });
    let task = kept.into_inner().unwrap();
    task.wake();
    assert!(exec.is_empty(), "nobody runs it");
    assert_eq!(task.shutdown(), Shutdown::Running);
}

#[test]
fn a_part_keeps_the_meta_and_promotes_the_task() {
    let exec = Executor::default();
    let (runnable, handle) = new(pending::<()>(), exec.meta());
    let part: Part<Exec> = handle.task().part(|exec| exec);
    assert_eq!(runnable.run(), Ran::Pending);
    part.promote_waker().wake();
    assert_eq!(exec.whys(), [Wake::Wake]);
    part.clone().promote_waker().wake();
    assert_eq!(exec.whys(), [Wake::Wake, Wake::Promote]);
    assert_eq!(part.id_addr(), handle.task().id_addr());
    drop(handle);
    assert_eq!(exec.next().run(), Ran::Pending);
    assert_eq!(exec.next().run(), Ran::Stale);
    drop(part);
}
