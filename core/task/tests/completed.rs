//! `Schedule::completed`: once, however a task ends, after everything of it is gone but an output
//! that somebody may still take.
#![cfg(not(loom))]

use asupersync_task::{JoinHandle, Ran, Runnable, Schedule, TaskRef, Wake, new};
use std::future::{pending, ready};
use std::sync::{Arc, Mutex};

/// What happened, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<&'static str>>>);

impl Log {
    fn add(&self, what: &'static str) {
        self.0.lock().unwrap().push(what);
    }

    fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

struct Meta(Log);

impl Schedule for Meta {
    fn schedule(&self, runnable: Runnable<Self>, _: Wake) {
        drop(runnable);
    }

    fn completed(&self) -> Option<TaskRef<Self>> {
        self.0.add("completed");
        None
    }
}

/// Says when it is dropped.
struct Says(Log, &'static str);

impl Drop for Says {
    fn drop(&mut self) {
        self.0.add(self.1);
    }
}

fn task(log: &Log, ends: bool) -> (Runnable<Meta>, JoinHandle<Says, Meta>) {
    let (held, output) = (Says(log.clone(), "future"), Says(log.clone(), "output"));
    let future = async move {
        let _held = held;
        if !ends {
            pending::<()>().await;
        }
        ready(()).await;
        output
    };
    new(future, Meta(log.clone()))
}

#[test]
fn an_output_that_nobody_can_take_goes_first() {
    let log = Log::default();
    let (runnable, handle) = task(&log, true);
    drop(handle);
    assert_eq!(runnable.run(), Ran::Complete);
    assert_eq!(log.take(), ["future", "output", "completed"]);
}

#[test]
fn an_output_that_somebody_may_take_stays() {
    let log = Log::default();
    let (runnable, mut handle) = task(&log, true);
    assert_eq!(runnable.run(), Ran::Complete);
    assert_eq!(log.take(), ["future", "completed"]);
    drop(handle.try_take());
    assert_eq!(log.take(), ["output"]);
}

#[test]
fn a_task_that_is_shut_down_is_complete_once() {
    for polled in [false, true] {
        let log = Log::default();
        let (runnable, handle) = task(&log, false);
        if polled {
            assert_eq!(runnable.run(), Ran::Pending);
            handle.task().shutdown();
        } else {
            // A queue that goes away.
            drop(runnable);
        }
        handle.task().shutdown();
        let mut told = log.take();
        assert_eq!(told.pop(), Some("completed"), "after what the future held");
        assert!(!told.contains(&"completed") && told.contains(&"future"), "{told:?}");
    }
}
