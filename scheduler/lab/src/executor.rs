//! The queues, the clock and the timers of one run.
//!
//! Everything happens on the thread that runs the lab. The state is behind a mutex only because a
//! host must be `Sync`; it is never held while a task, a waker or a job runs.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use asupersync_core::Time;
use asupersync_core::host::{Host, Job, Lane, Runnable, TimerKey, Wake};
use asupersync_core::io::{Listener, Sockets, Stream};
use asupersync_scheduler::policy::{Choice, Policy, Waiting};
use asupersync_scheduler::timer::{Key, TICK_NS, Wheel};

use crate::random::Random;

/// What one run consists of.
pub(crate) struct Executor {
    state: Mutex<State>,
    net: NoNet,
}

struct State {
    cancel: VecDeque<Runnable>,
    /// In the order of their deadlines.
    timed: Vec<(Time, Runnable)>,
    ready: Vec<Runnable>,
    jobs: VecDeque<Job>,
    policy: Policy,
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
            cancel: VecDeque::new(),
            timed: Vec::new(),
            ready: Vec::new(),
            jobs: VecDeque::new(),
            policy: Policy::new(),
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
            let left = (
                std::mem::take(&mut state.cancel),
                std::mem::take(&mut state.timed),
                std::mem::take(&mut state.ready),
                std::mem::take(&mut state.jobs),
                std::mem::replace(&mut state.wheel, Wheel::new(0)),
            );
            drop(state);
            if left.0.is_empty() && left.1.is_empty() && left.2.is_empty() && left.3.is_empty() {
                return;
            }
        }
    }
}

impl State {
    fn next(&mut self) -> Option<Next> {
        let waiting = Waiting {
            cancel: !self.cancel.is_empty(),
            timed: !self.timed.is_empty(),
            ready: !self.ready.is_empty() || !self.jobs.is_empty(),
        };
        let (choice, policy) = self.policy.pick(waiting)?;
        self.policy = policy;
        Some(match choice {
            Choice::Cancel => Next::Task(self.cancel.pop_front()?),
            Choice::Timed => Next::Task(self.timed.remove(0).1),
            Choice::Ready => {
                let choice = self.random.choose(self.ready.len() + self.jobs.len());
                if choice < self.ready.len() {
                    Next::Task(self.ready.swap_remove(choice))
                } else {
                    Next::Job(self.jobs.remove(choice - self.ready.len())?)
                }
            }
        })
    }
}

impl Host for Executor {
    fn submit(&self, runnable: Runnable, lane: Lane, _: Wake) {
        let mut state = self.state();
        if state.closed {
            drop(state);
            drop(runnable);
            return;
        }
        match lane {
            Lane::Cancel => state.cancel.push_back(runnable),
            Lane::Timed(deadline) => {
                let at = state.timed.partition_point(|(other, _)| *other <= deadline);
                state.timed.insert(at, (deadline, runnable));
            }
            Lane::Ready => state.ready.push(runnable),
        }
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
        let mut state = self.state();
        if state.closed {
            drop(state);
            drop(job);
            return;
        }
        state.jobs.push_back(job);
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
