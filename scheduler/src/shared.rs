//! What all threads of one runtime share, and the [`Host`] that core sees.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::Arc;
use std::task::Waker;

use asupersync_core::Time;
use asupersync_core::host::{Host, Job, Lane, Runnable, TimerKey, Wake};
use asupersync_core::io::Sockets;
use asupersync_queue::{Idle, Stealer};

use crate::blocking::Pool;
use crate::driver::Driver;
use crate::lanes::Lanes;
use crate::monitor::Alarm;
use crate::pace::Pace;
use crate::park::Parker;
use crate::primitive::{AtomicBool, AtomicUsize, SeqCst};
use crate::reactor::NativeNet;
use crate::watchdog::Polling;
use crate::worker;

/// One runtime.
pub(crate) struct Shared {
    /// Worker threads, but for a stand-in, whose number this is.
    pub(crate) workers: usize,
    pub(crate) lanes: Lanes,
    pub(crate) stealers: Box<[Stealer<Runnable>]>,
    pub(crate) parkers: Box<[Parker]>,
    /// What each worker polls. Workers have their own at hand: this line of memory is written often.
    pub(crate) polling: Box<[Arc<Polling>]>,
    pub(crate) idle: Idle,
    pub(crate) pace: Pace,
    pub(crate) driver: Arc<Driver>,
    pub(crate) alarm: Alarm,
    /// Stored before workers are unparked, and looked at after one has listed itself as sleeping.
    pub(crate) closing: AtomicBool,
    /// Worker threads that have not ended. A counter, which the end of the runtime looks at now and then.
    pub(crate) alive: AtomicUsize,
    blocking: Pool,
    net: NativeNet,
}

impl Shared {
    /// `stealers` of the workers' rings, and of a stand-in's last.
    pub(crate) fn new(stealers: Box<[Stealer<Runnable>]>, blocking_limit: usize) -> io::Result<Arc<Self>> {
        let driver = Arc::new(Driver::new(stealers.len() - 1)?);
        Ok(Arc::new(Shared {
            workers: stealers.len() - 1,
            lanes: Lanes::new(stealers.len()),
            parkers: stealers.iter().map(|_| Parker::default()).collect(),
            polling: stealers.iter().map(|_| Arc::default()).collect(),
            alive: AtomicUsize::new(0),
            stealers,
            idle: Idle::new(),
            pace: Pace::new(),
            net: NativeNet(driver.clone()),
            driver,
            alarm: Alarm::default(),
            closing: AtomicBool::new(false),
            blocking: Pool::new(blocking_limit),
        }))
    }

    /// Wakes a worker for something that was just queued, if one is needed.
    pub(crate) fn notify(&self) {
        if let Some(worker) = self.idle.worker_to_notify() {
            self.unpark(worker);
        }
    }

    /// After a turn of the driver: wakes somebody, if one went to sleep meanwhile who would have waited there.
    pub(crate) fn hand_over_driver(&self) {
        if self.driver.take_wanted() {
            self.notify();
        }
    }

    pub(crate) fn unpark(&self, worker: usize) {
        self.parkers[worker].unpark(&self.driver);
    }

    pub(crate) fn all_asleep(&self) -> bool {
        self.idle.sleeping() >= self.workers
    }

    /// Ends the workers, and drops what is left in queues and timers.
    pub(crate) fn close(&self) {
        self.closing.store(true, SeqCst);
        self.blocking.close();
        for parker in &self.parkers {
            parker.unpark(&self.driver);
        }
    }

    /// Drops what closed workers left: tasks there hold this runtime alive otherwise.
    pub(crate) fn clear(&self) {
        // Dropping one task may queue another.
        while self.lanes.clear() {}
        self.driver.clear();
    }
}

impl Host for Shared {
    fn submit(&self, runnable: Runnable, lane: Lane, why: Wake) {
        match lane {
            Lane::Cancel => {
                self.lanes.cancel.push(runnable);
                if worker::is_queued_here(self, why) {
                    return self.notify_of_own();
                }
            }
            Lane::Timed(urgency) => self.lanes.timed.push(urgency, runnable),
            Lane::Ready => {
                let Err(runnable) = worker::submit_here(self, runnable, why) else { return };
                self.lanes.ready.push(runnable);
                return self.notify_of_injected();
            }
        }
        self.notify();
    }

    fn now(&self) -> Time {
        self.driver.now()
    }

    fn recent(&self) -> Time {
        worker::recent(self)
    }

    fn is_past(&self, at: Time) -> bool {
        self.driver.is_past(at)
    }

    fn add_timer(&self, at: Time, waker: Waker) -> TimerKey {
        self.driver.add_timer(worker::index_here(self), at, waker)
    }

    fn cancel_timer(&self, key: TimerKey) {
        self.driver.cancel_timer(key);
    }

    fn spawn_blocking(&self, job: Job) {
        self.blocking.run(job);
    }

    fn random_seed(&self) -> u64 {
        // The system's, and another one for each hasher.
        RandomState::new().hash_one(())
    }

    fn net(&self) -> &dyn Sockets {
        &self.net
    }
}
