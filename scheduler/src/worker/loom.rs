//! How workers and the monitor sleep, against what wakes them, in every order. The workers, what they
//! share, the driver and the alarm are the real ones; only the system's wait is loom's. Somebody who sleeps
//! too long shows as threads none of which can go on.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use asupersync_core::host::{Host, Lane, Runnable, Urgency, Wake};
use asupersync_core::region::Root;
use asupersync_core::{Budget, Cx, Priority, Reason, ReasonKind, Time};
use asupersync_queue::Local;
use loom::thread::{self, JoinHandle};

use super::{Here, Worker};
use crate::monitor;
use crate::pace::{MEASURE, Stretch};
use crate::primitive::{AtomicBool, AtomicUsize, SeqCst};
use crate::shared::Shared;

fn check(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.max_branches = 10_000;
    builder.check(model);
}

/// What so many workers share, who are not there yet.
fn shared(workers: usize) -> Arc<Shared> {
    with_rings(workers).0
}

fn with_rings(workers: usize) -> (Arc<Shared>, Vec<Local<Runnable>>) {
    let rings: Vec<Local<Runnable>> = (0..=workers).map(|_| Local::new()).collect();
    (Shared::new(rings.iter().map(Local::stealer).collect(), 1).unwrap(), rings)
}

fn here(shared: &Arc<Shared>, index: usize) -> Here {
    with_ring(shared, index, Local::new())
}

fn with_ring(shared: &Arc<Shared>, index: usize, ring: Local<Runnable>) -> Here {
    Here {
        shared: shared.clone(),
        index,
        ring,
        slot: Cell::new(None),
        before_slot: Cell::default(),
        untold: Cell::default(),
        gathers: Cell::default(),
        recent: Cell::default(),
        yields: Cell::default(),
        slotted: Cell::default(),
    }
}

/// What a worker does that has found nothing, `times` times.
fn sleeping(shared: &Arc<Shared>, index: usize, times: usize) -> JoinHandle<()> {
    let shared = shared.clone();
    thread::spawn(move || {
        let here = here(&shared, index);
        let mut worker = Worker::new(shared, Rc::new(here), index);
        for _ in 0..times {
            worker.sleep();
        }
    })
}

/// Queues a task, which nobody will run.
fn start(shared: &Arc<Shared>) {
    let root = Root::new(shared.clone(), "root", Budget::UNLIMITED, Budget::UNLIMITED);
    root.start(async |_: &Cx| (), |_, _| ());
}

/// A worker was woken, asked the root to close, and sleeps again: the monitor has heard it, or sees that there
/// is a budget to keep.
#[test]
fn nor_for_ever_while_the_root_closes() {
    check(|| {
        let shared = shared(1);
        let hour = Budget::timeout(Duration::from_secs(3600));
        let root = Arc::new(Root::new(shared.clone(), "root", hour, hour));
        let worker = thread::spawn({
            let (shared, root) = (shared.clone(), root.clone());
            move || {
                let here = here(&shared, 0);
                let mut worker = Worker::new(shared, Rc::new(here), 0);
                worker.sleep();
                root.request(Reason::new(ReasonKind::Shutdown));
                worker.sleep();
            }
        });
        shared.driver.wake();
        monitor_of(&shared, &root);
        shared.close();
        worker.join().unwrap();
        shared.clear();
    });
}

/// A task that is not queued, and nothing else is.
fn task(shared: &Arc<Shared>) -> Runnable {
    start(shared);
    let main = shared.lanes.ready.pop().unwrap();
    // Who closes its region.
    drop(shared.lanes.ready.pop());
    assert!(shared.lanes.ready.is_empty());
    main
}

/// Takes a worker off the list, once there is one.
fn take_sleeper(shared: &Shared) -> usize {
    loop {
        if let Some(sleeper) = shared.idle.take_sleeper() {
            return sleeper;
        }
        thread::yield_now();
    }
}

/// Turns were quick, until now.
fn hurry(shared: &Shared) {
    shared.pace.add(Stretch { lasting: MEASURE * 2, turns: 1 << 16, yields: 0 }, 2);
}

#[test]
fn what_is_queued_wakes_who_goes_to_sleep() {
    let urgency = Urgency { deadline: Time::ZERO, priority: Priority::HIGHEST };
    let lanes = [Lane::Cancel, Lane::Timed(urgency), Lane::Ready];
    for (lane, quick) in lanes.into_iter().flat_map(|lane| [(lane, false), (lane, true)]) {
        check(move || {
            let shared = shared(1);
            if quick {
                hurry(&shared);
                shared.pace.keep(0);
            }
            let runnable = task(&shared);
            let sleeping = sleeping(&shared, 0, 1);
            shared.submit(runnable, lane, Wake::Wake);
            sleeping.join().unwrap();
            shared.clear();
        });
    }
}

/// A worker polls what was queued first, for ever, and what yielded after that lies in its ring.
#[test]
fn who_yields_behind_another_is_not_left_to_one_who_goes_to_sleep() {
    check(|| {
        let (shared, mut rings) = with_rings(2);
        let runnables = [(); 2].map(|()| task(&shared));
        let here = Rc::new(with_ring(&shared, 0, rings.swap_remove(0)));
        let mut worker = Worker::new(shared.clone(), here.clone(), 0);
        let sleeping = sleeping(&shared, 1, 1);
        let [first, yielded] = runnables;
        let overflows = here.push(first);
        assert!(!overflows);
        here.tell();
        here.submit(yielded, Wake::Yield);
        let polled = worker.next_ready();
        sleeping.join().unwrap();
        drop(polled);
        while let Some(rest) = worker.next_ready() {
            drop(rest);
        }
        shared.clear();
    });
}

/// What a quick worker queues before a poll that does not return.
#[test]
fn what_is_left_to_a_worker_is_looked_at() {
    check(|| {
        let (shared, mut rings) = with_rings(2);
        hurry(&shared);
        let runnable = task(&shared);
        let here = with_ring(&shared, 0, rings.swap_remove(0));
        let sleeping = sleeping(&shared, 1, 1);
        let overflows = here.push(runnable);
        assert!(!overflows);
        here.tell();
        sleeping.join().unwrap();
        drop(here.ring.pop());
        shared.clear();
    });
}

/// The same in the lane that is everybody's.
#[test]
fn what_a_worker_cancels_is_looked_at() {
    check(|| {
        let shared = shared(2);
        hurry(&shared);
        let runnable = task(&shared);
        let sleeping = sleeping(&shared, 1, 1);
        shared.lanes.cancel.push(runnable);
        shared.notify_of_own();
        sleeping.join().unwrap();
        shared.clear();
    });
}

/// Who turns the driver while another goes to sleep is in a long poll after that, with something in its ring.
#[test]
fn who_is_to_wait_in_the_driver_is_told_when_it_is_free() {
    check(|| {
        let (shared, mut rings) = with_rings(2);
        hurry(&shared);
        let runnable = task(&shared);
        let here = with_ring(&shared, 0, rings.swap_remove(0));
        let overflows = here.push(runnable);
        assert!(!overflows);
        let sleeping = sleeping(&shared, 1, 1);
        if let Some(mut turn) = shared.driver.try_turn() {
            turn.handle();
        }
        shared.hand_over_driver();
        sleeping.join().unwrap();
        drop(here.ring.pop());
        shared.clear();
    });
}

/// What came from outside is left to a worker that goes to sleep, too.
#[test]
fn what_came_from_outside_is_looked_at_when_all_sleep() {
    from_outside(Lane::Ready);
}

#[test]
fn what_is_cancelled_from_outside_is_looked_at_when_all_sleep() {
    from_outside(Lane::Cancel);
}

fn from_outside(lane: Lane) {
    check(move || {
        let shared = shared(2);
        hurry(&shared);
        shared.pace.keep(0);
        let runnable = task(&shared);
        let woken = Arc::new(AtomicUsize::new(0));
        let sleeping = [0, 1].map(|index| {
            let (shared, woken) = (shared.clone(), woken.clone());
            thread::spawn(move || {
                let here = here(&shared, index);
                Worker::new(shared, Rc::new(here), index).sleep();
                woken.fetch_add(1, SeqCst);
            })
        });
        shared.submit(runnable, lane, Wake::Wake);
        while woken.load(SeqCst) == 0 {
            thread::yield_now();
        }
        shared.close();
        sleeping.into_iter().for_each(|sleeping| sleeping.join().unwrap());
        shared.clear();
    });
}

#[test]
fn each_of_two_sleepers_is_woken() {
    check(|| {
        let shared = shared(2);
        let sleeping = [0, 1].map(|index| sleeping(&shared, index, 1));
        for _ in 0..2 {
            shared.unpark(take_sleeper(&shared));
        }
        sleeping.into_iter().for_each(|sleeping| sleeping.join().unwrap());
        assert_eq!(shared.idle.sleeping(), 0);
    });
}

#[test]
fn the_end_of_the_runtime_wakes_who_goes_to_sleep() {
    check(|| {
        let shared = shared(1);
        let worker = thread::spawn({
            let shared = shared.clone();
            move || {
                let here = here(&shared, 0);
                Worker::new(shared, Rc::new(here), 0).run();
            }
        });
        shared.close();
        worker.join().unwrap();
    });
}

#[test]
fn a_timer_ends_a_wait_that_did_not_know_it() {
    check(|| {
        let shared = shared(1);
        let sleeping = sleeping(&shared, 0, 1);
        shared.add_timer(shared.now() + Duration::from_secs(3600), Waker::noop().clone());
        sleeping.join().unwrap();
    });
}

/// The monitor goes to sleep, if it thinks that everybody does. Somebody stirs before this must end.
fn monitor(shared: &Arc<Shared>) {
    let root = Root::new(shared.clone(), "root", Budget::UNLIMITED, Budget::UNLIMITED);
    monitor_of(shared, &root);
}

fn monitor_of(shared: &Shared, root: &Root) {
    if shared.all_asleep() && root.close_by() == Time::MAX {
        monitor::sleep(shared, root, &AtomicBool::new(false));
    }
}

/// Woken by the system, a worker is in a long poll then: the monitor must not go to sleep for it.
#[test]
fn the_monitor_does_not_sleep_while_a_worker_is_awake() {
    check(|| {
        let shared = shared(1);
        let sleeping = sleeping(&shared, 0, 1);
        let system = thread::spawn({
            let shared = shared.clone();
            move || shared.driver.wake()
        });
        monitor(&shared);
        sleeping.join().unwrap();
        system.join().unwrap();
    });
}

/// Something was queued before the worker listed itself, when there was nobody to wake.
#[test]
fn nor_while_one_stays_awake_for_what_is_queued() {
    check(|| {
        let shared = shared(1);
        start(&shared);
        let sleeping = sleeping(&shared, 0, 1);
        monitor(&shared);
        sleeping.join().unwrap();
        shared.clear();
    });
}
