//! The queues, the clock and the timers of one run.
//!
//! Everything happens on the thread that runs the lab. The state is behind a mutex only because a
//! host must be `Sync`; it is never held while a task, a waker or a job runs.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use asupersync_core::Time;
use asupersync_core::host::{Host, Job, Lane, Runnable, TaskInfo, TimerKey, Wake, WakerUse};
use asupersync_core::io::Sockets;
use asupersync_scheduler::queues::Queues;
use asupersync_scheduler::timer::{Key, TICK_NS, Wheel};

use crate::explore::{Footprint, Nondeterminism, Schedule, TaskId};
use crate::lab::Counts;
use crate::names::{CLOCK, OUTSIDE};
use crate::net::SimNet;
use crate::outside::Outside;
use crate::random::Random;
use crate::steps::Steps;

/// What one run consists of.
pub(crate) struct Executor {
    state: Mutex<State>,
    pub(crate) net: SimNet,
    outside: Outside,
    /// Twice the number of steps, and one more during a step.
    progress: AtomicU64,
}

struct State {
    order: Order,
    /// Of its own, so that what tasks draw changes no schedule.
    seeds: Random,
    now: u64,
    /// Made for the first timer: most runs have none.
    wheel: Option<Wheel<Waker>>,
    closed: bool,
}

/// What can run, and who decides what does.
enum Order {
    /// As in production, and the seed where that leaves a choice. A job is one of the Ready.
    Lanes { queues: Queues<Next>, random: Random },
    /// A schedule.
    Explored(Steps),
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
    /// The schedule gave the run up.
    GivenUp,
}

enum Next {
    Task(Runnable),
    Job(Job),
}

impl Executor {
    pub(crate) fn new(seed: u64) -> Self {
        let random = Random::new(seed);
        Self::with(seed, Order::Lanes { queues: Queues::default(), random })
    }

    /// For a run that a schedule decides.
    pub(crate) fn explored(steps: Steps) -> Self {
        Self::with(0, Order::Explored(steps))
    }

    fn with(seed: u64, order: Order) -> Self {
        let net = SimNet::new(seed, matches!(order, Order::Explored(_)));
        let state = State { order, seeds: Random::new(!seed), now: 0, wheel: None, closed: false };
        Executor { state: Mutex::new(state), outside: Outside::new(), progress: AtomicU64::new(0), net }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Polls one task, runs one job, or lets time pass to the next timer, but not beyond `limit`. Counts whose
    /// step it was, if that is asked for.
    pub(crate) fn step(&self, limit: Time, counts: Option<&mut Counts>) -> Step {
        let next = self.state().next();
        match next {
            Some(Next::Task(runnable)) => {
                if let Some(counts) = counts {
                    let info = runnable.info();
                    counts.entry(info.id).or_insert_with(|| (0, info.clone())).0 += 1;
                }
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
        let limit = limit.min(self.net.next());
        let mut state = self.state();
        let Some(next) = state.next_deadline(limit) else { return Step::Stuck };
        // Timers fire at the end of their tick, and time is what they fire at.
        state.now = state.now.max(next);
        let now = state.now;
        if let Some(wheel) = &mut state.wheel {
            wheel.advance(now, &mut due);
        }
        drop(state);
        self.net.advance(now);
        for (_, waker) in due {
            waker.wake();
        }
        Step::Waited
    }

    /// Takes one step of whom the schedule chooses; lets time pass, but not beyond `limit`, when nobody can.
    pub(crate) fn step_by(
        &self,
        schedule: &mut dyn Schedule,
        limit: impl FnOnce() -> Time,
    ) -> Result<(Step, TaskId), Nondeterminism> {
        let seen = schedule.sees();
        let next = self.steps(|steps| match steps.enabled() {
            [] => Ok(None),
            enabled => Ok(match schedule.choose(enabled)? {
                Some(chosen) => Some((chosen, steps.begin(chosen, seen))),
                None => Some((CLOCK, None)),
            }),
        })?;
        let (chosen, entry) = match next {
            Some((chosen, Some(entry))) => (chosen, entry),
            Some((_, None)) => return Ok((Step::GivenUp, CLOCK)),
            None => return Ok((self.wait_by(schedule, limit())?, CLOCK)),
        };
        self.pass();
        if schedule.cancels() {
            entry.request_cancel();
        }
        let left = entry.run();
        self.pass();
        let (touched, left) = self.steps(|steps| (steps.end(), steps.keep(chosen, left)));
        drop(left);
        schedule.stepped(touched)?;
        Ok((Step::Ran, chosen))
    }

    /// Lets time pass, if the schedule does.
    fn wait_by(&self, schedule: &mut dyn Schedule, limit: Time) -> Result<Step, Nondeterminism> {
        if self.state().next_deadline(limit.min(self.net.next())).is_none() {
            return Ok(Step::Stuck);
        }
        if schedule.choose(&[CLOCK])?.is_none() {
            return Ok(Step::GivenUp);
        }
        drop(self.steps(|steps| steps.begin(CLOCK, false)));
        self.pass();
        let step = self.wait(limit);
        self.pass();
        self.steps(|steps| steps.end());
        schedule.stepped(Footprint::Barrier)?;
        Ok(step)
    }

    /// A step begins, or has ended.
    fn pass(&self) {
        self.progress.store(self.progress.load(Relaxed) + 1, Relaxed);
    }

    /// Which step is being taken, if one is.
    pub(crate) fn step_in_progress(&self) -> Option<u64> {
        let progress = self.progress.load(Relaxed);
        (progress % 2 == 1).then_some(progress)
    }

    /// Whose step it is.
    pub(crate) fn current(&self) -> String {
        self.steps(|steps| steps.current())
    }

    /// Who is at its tasks from outside.
    pub(crate) fn outside(&self) -> &Outside {
        &self.outside
    }

    /// Says who the tasks and objects of a message are.
    pub(crate) fn introduce(&self, mut other: Nondeterminism) -> Nondeterminism {
        self.steps(|steps| steps.introduce(&mut other));
        other
    }

    /// Who a task is: not a job, and not time.
    pub(crate) fn info(&self, task: TaskId) -> Option<TaskInfo> {
        self.steps(|steps| steps.info(task))
    }

    /// What time it is, asked by nobody in the run.
    pub(crate) fn time(&self) -> Time {
        Time::from_nanos(self.state().now)
    }

    fn steps<R>(&self, f: impl FnOnce(&mut Steps) -> R) -> R {
        match &mut self.state().order {
            Order::Explored(steps) => f(steps),
            Order::Lanes { .. } => unreachable!("a schedule decides this run"),
        }
    }

    /// Sets the program up, as a step that nobody chose.
    pub(crate) fn set_up(&self, f: impl FnOnce()) {
        drop(self.steps(|steps| steps.begin(OUTSIDE, false)));
        f();
        self.steps(|steps| steps.end());
    }

    /// What the next run goes on with.
    pub(crate) fn take_steps(&self) -> Steps {
        let order = std::mem::replace(&mut self.state().order, Order::Explored(Steps::new()));
        match order {
            Order::Explored(steps) => steps.renewed(),
            Order::Lanes { .. } => Steps::new(),
        }
    }

    /// Drops what is queued, until nothing is, and takes nothing more.
    pub(crate) fn close(&self) {
        loop {
            let mut state = self.state();
            state.closed = true;
            let wheel = state.wheel.take();
            let was_empty = match &mut state.order {
                Order::Lanes { queues, .. } => {
                    let queues = std::mem::take(queues);
                    drop(state);
                    queues.is_empty()
                }
                Order::Explored(steps) => {
                    let queued = steps.take_all();
                    drop(state);
                    queued.is_empty()
                }
            };
            drop(wheel);
            self.net.close();
            if was_empty {
                return;
            }
        }
    }
}

impl State {
    fn next(&mut self) -> Option<Next> {
        match &mut self.order {
            Order::Lanes { queues, random } => queues.take(|waiting| random.choose(waiting)),
            Order::Explored(_) => None,
        }
    }

    /// When the next timer is due, or `limit`.
    fn next_deadline(&self, limit: Time) -> Option<u64> {
        let next =
            self.wheel.as_ref().and_then(Wheel::next_deadline).unwrap_or(u64::MAX).min(limit.as_nanos());
        (next < u64::MAX).then_some(next)
    }
}

impl Host for Executor {
    fn submit(&self, runnable: Runnable, lane: Lane, why: Wake) {
        self.outside.submitted(runnable.info());
        let mut state = self.state();
        if state.closed {
            drop(state);
            drop(runnable);
            return;
        }
        match &mut state.order {
            Order::Lanes { queues, .. } => queues.push(lane, Next::Task(runnable)),
            Order::Explored(steps) => steps.submit(runnable, why),
        }
    }

    fn now(&self) -> Time {
        let mut state = self.state();
        if let Order::Explored(steps) = &mut state.order {
            steps.read_now();
        }
        Time::from_nanos(state.now)
    }

    fn add_timer(&self, at: Time, waker: Waker) -> TimerKey {
        let mut state = self.state();
        let now = state.now;
        let wheel = state.wheel.get_or_insert_with(|| Wheel::new(now));
        TimerKey(wheel.insert(at.as_nanos(), waker).to_bits())
    }

    fn cancel_timer(&self, key: TimerKey) {
        let waker = Key::from_bits(key.0).and_then(|key| self.state().wheel.as_mut()?.cancel(key));
        drop(waker);
    }

    fn spawn_blocking(&self, job: Job) {
        let mut state = self.state();
        if state.closed {
            drop(state);
            drop(job);
            return;
        }
        match &mut state.order {
            Order::Lanes { queues, .. } => queues.push(Lane::Ready, Next::Job(job)),
            Order::Explored(steps) => steps.submit_job(job),
        }
    }

    fn random_seed(&self) -> u64 {
        let mut state = self.state();
        match &mut state.order {
            Order::Lanes { .. } => state.seeds.bits(),
            Order::Explored(steps) => steps.seed(),
        }
    }

    fn waker_used(&self, task: &TaskInfo, what: WakerUse) {
        self.outside.waker_used(task, what);
    }

    fn net(&self) -> &dyn Sockets {
        &self.net
    }
}

/// How late a timer may fire: the wheel's tick.
pub(crate) const TICK: std::time::Duration = std::time::Duration::from_nanos(TICK_NS);
