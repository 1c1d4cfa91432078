//! The queues, the clock and the timers of one run.
//!
//! Everything happens on the thread that runs the lab. The state is behind a mutex only because a
//! host must be `Sync`; it is never held while a task, a waker or a job runs.

use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use asupersync_core::Time;
use asupersync_core::host::{Host, Job, Lane, Runnable, TimerKey, Wake};
use asupersync_core::io::{Listener, Sockets, Stream};
use asupersync_scheduler::queues::Queues;
use asupersync_scheduler::timer::{Key, TICK_NS, Wheel};

use crate::random::Random;

/// What one run consists of.
pub(crate) struct Executor {
    state: Mutex<State>,
    net: NoNet,
}

struct State {
    /// What may run; a job is one of the Ready.
    queues: Queues<Next>,
    random: Random,
    /// Of its own, so that what tasks draw changes no schedule.
    seeds: Random,
    now: u64,
    wheel: Wheel<Waker>,
    closed: bool,
}

/// What a step did.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A task was polled, or a job ran.
    Ran,
    /// Time went on to the next timer.
    Waited,
    /// Nothing can run, and no timer is set.
    Stuck,
}

enum Next {
    Task(Runnable),
    Job(Job),
}

impl Executor {
    pub(crate) fn new(seed: u64) -> Self {
        let state = State {
            queues: Queues::default(),
            random: Random::new(seed),
            seeds: Random::new(!seed),
            now: 0,
            wheel: Wheel::new(0),
            closed: false,
        };
        Executor { state: Mutex::new(state), net: NoNet }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Polls one task, runs one job, or lets time pass to the next timer, but not beyond `limit`.
    pub(crate) fn step(&self, limit: Time) -> Step {
        let next = self.state().next();
        match next {
            Some(Next::Task(runnable)) => {
                let _ = runnable.run();
                Step::Ran
            }
            Some(Next::Job(job)) => {
                job();
                Step::Ran
            }
            None => self.wait(limit),
        }
    }

    fn wait(&self, limit: Time) -> Step {
        let mut due = Vec::new();
        let mut state = self.state();
        let next = state.wheel.next_deadline().unwrap_or(u64::MAX).min(limit.as_nanos());
        if next == u64::MAX {
            return Step::Stuck;
        }
        // Timers fire at the end of their tick, and time is what they fire at.
        state.now = state.now.max(next);
        let now = state.now;
        state.wheel.advance(now, &mut due);
        drop(state);
        for (_, waker) in due {
            waker.wake();
        }
        Step::Waited
    }

    /// Drops what is queued, until nothing is, and takes nothing more.
    pub(crate) fn close(&self) {
        loop {
            let mut state = self.state();
            state.closed = true;
            let queues = std::mem::take(&mut state.queues);
            let wheel = std::mem::replace(&mut state.wheel, Wheel::new(0));
            drop(state);
            drop(wheel);
            if queues.is_empty() {
                return;
            }
        }
    }
}

impl State {
    fn next(&mut self) -> Option<Next> {
        self.queues.take(|waiting| self.random.choose(waiting))
    }
}

impl Executor {
    fn queue(&self, lane: Lane, next: Next) {
        let mut state = self.state();
        if state.closed {
            drop(state);
            drop(next);
            return;
        }
        state.queues.push(lane, next);
    }
}

impl Host for Executor {
    fn submit(&self, runnable: Runnable, lane: Lane, _: Wake) {
        self.queue(lane, Next::Task(runnable));
    }

    fn now(&self) -> Time {
        Time::from_nanos(self.state().now)
    }

    fn add_timer(&self, at: Time, waker: Waker) -> TimerKey {
        TimerKey(self.state().wheel.insert(at.as_nanos(), waker).to_bits())
    }

    fn cancel_timer(&self, key: TimerKey) {
        let waker = Key::from_bits(key.0).and_then(|key| self.state().wheel.cancel(key));
        drop(waker);
    }

    fn spawn_blocking(&self, job: Job) {
        self.queue(Lane::Ready, Next::Job(job));
    }

    fn random_seed(&self) -> u64 {
        self.state().seeds.bits()
    }

    fn net(&self) -> &dyn Sockets {
        &self.net
    }
}

/// Real sockets would make a run depend on the world, and simulated ones are not there yet.
#[derive(Clone)]
struct NoNet;

fn unsupported<T>() -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "the lab has no sockets yet"))
}

impl Sockets for NoNet {
    fn tcp_bind(&self, _: SocketAddr) -> io::Result<Box<dyn Listener>> {
        unsupported()
    }

    fn tcp_connect(&self, _: SocketAddr) -> io::Result<Box<dyn Stream>> {
        unsupported()
    }

    fn resolve(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        unsupported()
    }

    fn boxed(&self) -> Box<dyn Sockets> {
        Box::new(self.clone())
    }
}

/// How late a timer may fire: the wheel's tick.
pub(crate) const TICK: std::time::Duration = std::time::Duration::from_nanos(TICK_NS);
