//! The loop that polls tasks.
//!
//! One turn: see which lanes wait, let the [`policy`](crate::policy) pick, poll one task. Ready
//! tasks come from the LIFO slot (what this worker just spawned, or woke while nothing else waited here: its
//! data is warm), then the ring, then the injector, then another worker's ring. The slot gives way after
//! three polls in a row, and the injector and the driver are looked at every 61 turns, so that no source
//! starves.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;

use asupersync_core::Time;
use asupersync_core::host::{Runnable, Wake};
use asupersync_queue::Local;

use crate::pace::{LOOK, Left, MEASURE, Stretch, Watch};
use crate::policy::{Choice, Policy, Waiting};
use crate::primitive::SeqCst;
use crate::shared::Shared;
use crate::watchdog::Polling;

/// Turns between looks at the injector and the driver; prime, so as not to beat with programs.
const LOOK_AROUND: u32 = 61;
/// Bytes of a worker's stack, of which the system backs only what is used. In a build without
/// optimisation, a service of many layers needs more than the 2 MiB that threads get otherwise.
const STACK: usize = 8 << 20;
/// Polls in a row from the LIFO slot.
const LIFO_STREAK: u32 = 3;
/// Who is woken behind a crowd of so many goes on after so many of them. Of a connection and the crowd of tasks
/// that answer its requests, the connection sends what there is while the rest of the crowd still runs: neither
/// each answer by itself, nor all of them at the end, when the other side has waited for them.
const CROWD: u32 = 16;

/// A poll that asks for recent times so often reads the clock once.
const RECENT: u32 = 64;

thread_local! {
    /// The worker that runs on this thread.
    static HERE: RefCell<Option<Rc<Here>>> = const { RefCell::new(None) };
}

/// What submitting from a worker's own thread needs.
struct Here {
    shared: Arc<Shared>,
    index: usize,
    ring: Local<Runnable>,
    slot: Cell<Option<Runnable>>,
    /// Something is in the slot, which itself can only be taken.
    slotted: Cell<bool>,
    /// So many others come before what is in the slot.
    before_slot: Cell<u32>,
    /// Nobody was told of what is in the ring.
    untold: Cell<bool>,
    /// Tells of all that is queued meanwhile when that is done.
    gathers: Cell<bool>,
    /// A time of the present poll, and how often it may still be told.
    recent: Cell<(Time, u32)>,
    /// Tasks that yielded since that was last told.
    yields: Cell<u32>,
}

impl Here {
    /// Puts a task into the slot, for when so many others had their turn; returns what was there.
    fn put(&self, runnable: Runnable, after: u32) -> Option<Runnable> {
        self.before_slot.set(after);
        self.slotted.set(true);
        self.slot.replace(Some(runnable))
    }

    fn take_slot(&self) -> Option<Runnable> {
        if self.slotted.take() { self.slot.take() } else { None }
    }

    fn is_slot_empty(&self) -> bool {
        !self.slotted.get()
    }

    fn is_empty(&self) -> bool {
        self.is_slot_empty() && self.ring.is_empty()
    }

    fn count(&self, why: Wake) {
        if why == Wake::Yield {
            self.yields.set(self.yields.get() + 1);
        }
    }

    fn submit(&self, runnable: Runnable, why: Wake) {
        self.count(why);
        let displaced = match why {
            // Its poll is over, and this worker goes on with it, or with what is queued before it.
            Wake::Yield if self.may_stay_untold() => {
                let overflows = self.push(runnable);
                self.untold.set(true);
                if overflows {
                    self.tell();
                }
                return;
            }
            // The others come first. Whoever is woken finds more to do, too, when they had their turn.
            Wake::Yield => Some(runnable),
            Wake::Wake if self.is_crowded() => self.put(runnable, CROWD),
            Wake::Wake if !self.is_empty() => Some(runnable),
            _ => self.put(runnable, 0),
        };
        let news = displaced.is_some() || self.untold.get();
        if let Some(displaced) = displaced {
            self.push(displaced);
        }
        if news {
            self.tell();
        }
    }

    /// A task that yields wakes nobody: the slot is empty, and either so is the ring, or what is there was told
    /// of, and as far as one load knows nobody sleeps.
    fn may_stay_untold(&self) -> bool {
        self.is_slot_empty()
            && (self.ring.is_empty() || !self.untold.get() && self.shared.idle.sleeping() == 0)
    }

    /// Tells whether something went to the injector.
    fn push(&self, runnable: Runnable) -> bool {
        self.ring.push_or_overflow(runnable, &self.shared.lanes.ready)
    }

    /// Wakes somebody for what is in the ring, or leaves that to the end of [`Worker::gather`].
    fn tell(&self) {
        self.untold.set(self.gathers.get());
        if !self.gathers.get() {
            self.shared.notify_of_own();
        }
    }

    fn recent(&self) -> Time {
        let (time, left) = self.recent.get();
        let (time, left) = if left > 0 { (time, left) } else { (self.shared.driver.now(), RECENT) };
        self.recent.set((time, left - 1));
        time
    }

    /// Many tasks are in the ring, and none in the slot.
    fn is_crowded(&self) -> bool {
        self.is_slot_empty() && self.ring.len() >= CROWD as usize
    }
}

/// This thread is a worker of some runtime.
pub(crate) fn is_worker_thread() -> bool {
    HERE.with_borrow(Option::is_some)
}

/// Asks the worker of this thread; `None` if that is none of `shared`.
fn ask_here<R>(shared: &Shared, ask: impl FnOnce(&Here) -> R) -> Option<R> {
    HERE.with_borrow(|here| here.as_deref().filter(|here| std::ptr::eq(&*here.shared, shared)).map(ask))
}

/// Which worker of `shared` runs on this thread; any other thread is taken for the first.
pub(crate) fn index_here(shared: &Shared) -> usize {
    ask_here(shared, |here| here.index).unwrap_or(0)
}

/// Tells whether a worker of `shared` runs on this thread, which has queued a task where it is everybody's.
pub(crate) fn is_queued_here(shared: &Shared, why: Wake) -> bool {
    ask_here(shared, |here| here.count(why)).is_some()
}

/// A time of the present poll of this thread, if that is a worker of `shared`; or now.
pub(crate) fn recent(shared: &Shared) -> Time {
    ask_here(shared, Here::recent).unwrap_or_else(|| shared.driver.now())
}

/// Queues a Ready task on the worker of this thread; gives it back if that is none of `shared`.
pub(crate) fn submit_here(shared: &Shared, runnable: Runnable, why: Wake) -> Result<(), Runnable> {
    // Nothing that queueing does runs anybody's code, which might end this worker.
    HERE.with_borrow(|here| match here.as_deref() {
        Some(here) if std::ptr::eq(&*here.shared, shared) => {
            here.submit(runnable, why);
            Ok(())
        }
        _ => Err(runnable),
    })
}

/// One worker thread.
pub(crate) struct Worker {
    shared: Arc<Shared>,
    here: Rc<Here>,
    polling: Arc<Polling>,
    index: usize,
    policy: Policy,
    turns: u32,
    streak: u32,
    searching: bool,
    /// Nobody woke it, and since it slept it has found nothing.
    rested: bool,
    random: u32,
    watch: Watch,
    stretch: Stretch,
    /// What is not yet in the stretch: since when, and since which turn.
    since: (Time, u32),
}

/// Starts a worker that runs until the runtime closes. `ring` is the one whose stealer the others
/// have under `index`.
pub(crate) fn start(shared: &Arc<Shared>, ring: Local<Runnable>, index: usize) -> io::Result<()> {
    shared.alive.fetch_add(1, SeqCst);
    let mine = shared.clone();
    let thread = thread::Builder::new().name(format!("asupersync-{index}")).stack_size(STACK);
    thread.spawn(move || run(mine, ring, index)).map(drop).inspect_err(|_| {
        shared.alive.fetch_sub(1, SeqCst);
    })
}

fn run(shared: Arc<Shared>, ring: Local<Runnable>, index: usize) {
    let here = Rc::new(Here {
        shared: shared.clone(),
        index,
        ring,
        slot: Cell::new(None),
        slotted: Cell::default(),
        before_slot: Cell::default(),
        untold: Cell::default(),
        gathers: Cell::default(),
        recent: Cell::default(),
        yields: Cell::default(),
    });
    HERE.set(Some(here.clone()));
    let mut worker = Worker::new(shared, here, index);
    worker.run();
    // Tasks that are dropped now and wake others queue them in the injector.
    HERE.set(None);
    drop(worker.here.take_slot());
    while let Some(runnable) = worker.here.ring.pop() {
        drop(runnable);
    }
    // One that was stuck comes after the runtime has cleared the injector.
    worker.shared.clear();
    worker.shared.alive.fetch_sub(1, SeqCst);
    worker.shared.alarm.stirred();
}

impl Worker {
    fn new(shared: Arc<Shared>, here: Rc<Here>, index: usize) -> Self {
        let random = (index as u32 + 1).wrapping_mul(0x9E37_79B9);
        let (polling, policy) = (shared.polling[index].clone(), Policy::new());
        let (watch, stretch) = (Watch::new(shared.stealers.len()), Stretch::default());
        let since = (shared.driver.now(), 0);
        let (turns, streak, searching, rested) = (0, 0, false, false);
        Worker {
            shared,
            here,
            polling,
            index,
            policy,
            turns,
            streak,
            searching,
            rested,
            random,
            watch,
            stretch,
            since,
        }
    }

    fn run(&mut self) {
        while !self.shared.closing.load(Relaxed) {
            self.turns = self.turns.wrapping_add(1);
            if self.turns.is_multiple_of(LOOK_AROUND) {
                self.look_around();
            }
            let found = self.pick().or_else(|| self.steal());
            match found {
                Some(runnable) => {
                    self.found();
                    self.poll(runnable);
                }
                None => self.sleep(),
            }
        }
    }

    fn pick(&mut self) -> Option<Runnable> {
        // The scorecard measures what lanes cost beside a build without them.
        if cfg!(one_lane) {
            return self.next_ready();
        }
        let lanes = &self.shared.lanes;
        let cancel = !lanes.cancel.is_empty() && !self.leaves_cancelled();
        let timed = !lanes.timed.is_empty();
        if !cancel && !timed {
            // What the policy says, without a look first whether something is ready.
            return self.next_ready().inspect(|_| self.policy = Policy::new());
        }
        let mut waiting = Waiting { cancel, timed, ready: self.has_ready() };
        loop {
            let (choice, policy) = self.policy.pick(waiting)?;
            let found = match choice {
                Choice::Cancel => self.shared.lanes.cancel.pop(self.index),
                Choice::Timed => self.shared.lanes.timed.pop(),
                Choice::Ready => self.next_ready(),
            };
            if found.is_some() {
                self.policy = policy;
                return found;
            }
            // Another worker was faster.
            match choice {
                Choice::Cancel => waiting.cancel = false,
                Choice::Timed => waiting.timed = false,
                Choice::Ready => waiting.ready = false,
            }
        }
    }

    /// It only looks how the others do.
    fn leaves_cancelled(&self) -> bool {
        self.rested && self.watch.leaves_cancelled(&self.shared, self.index, self.shared.idle.sleeping())
    }

    fn has_ready(&self) -> bool {
        !self.here.is_empty() || !self.shared.lanes.ready.is_empty()
    }

    fn next_ready(&mut self) -> Option<Runnable> {
        let before_slot = self.here.before_slot.get();
        self.here.before_slot.set(before_slot.saturating_sub(1));
        if before_slot == 0
            && self.streak < LIFO_STREAK
            && let Some(runnable) = self.here.take_slot()
        {
            self.streak += 1;
            return Some(runnable);
        }
        self.streak = 0;
        self.here.untold.set(false);
        self.here.ring.pop().or_else(|| self.here.take_slot()).or_else(|| self.injected())
    }

    /// A fair share of what came from outside.
    fn injected(&self) -> Option<Runnable> {
        let injector = &self.shared.lanes.ready;
        if injector.is_empty() || self.watch.leaves_injected(&self.shared, self.index) {
            return None;
        }
        self.shared.pace.keep(self.index);
        let share = injector.len() / self.shared.stealers.len().max(1) + 1;
        injector.pop_batch_into(&self.here.ring, share)
    }

    fn look_around(&mut self) {
        if let Some(mut turn) = self.shared.driver.try_turn() {
            self.gather(|| turn.poll());
            drop(turn);
            self.shared.hand_over_driver();
        }
        self.measure(self.shared.driver.now());
        if !self.here.ring.is_empty() {
            self.here.tell();
        }
        // Who holds it may be in a long poll, while the queue is never empty. It is one of its lane, which gets no
        // more for that.
        let timed = !self.shared.lanes.timed.is_empty();
        let waiting = Waiting { cancel: true, timed, ready: self.has_ready() };
        if let Some((Choice::Cancel, policy)) = self.policy.pick(waiting)
            && let Some(runnable) = self.shared.lanes.cancel.pop_held(self.index)
        {
            self.policy = policy;
            self.poll(runnable);
        }
        // Ahead of the ring, which may never be empty.
        if !self.watch.leaves_injected(&self.shared, self.index)
            && let Some(runnable) = self.shared.lanes.ready.pop()
        {
            self.poll(runnable);
        }
    }

    /// Up to `now` it was awake.
    fn measure(&mut self, now: Time) {
        let (since, turn) = std::mem::replace(&mut self.since, (now, self.turns));
        self.stretch.lasting += now - since;
        self.stretch.turns += self.turns.wrapping_sub(turn);
        if self.stretch.lasting >= MEASURE {
            self.stretch.yields = self.here.yields.take();
            self.shared.pace.add(std::mem::take(&mut self.stretch), self.shared.workers);
        }
    }

    /// Wakes another worker for what is queued here only when all of it is: one that is woken for the first
    /// task of many has done that, and sleeps again, before the next is queued.
    fn gather(&self, queue: impl FnOnce()) {
        self.here.gathers.set(true);
        queue();
        self.here.gathers.set(false);
        if self.here.untold.get() {
            self.here.tell();
        }
    }

    fn poll(&self, runnable: Runnable) {
        self.here.recent.set((Time::ZERO, 0));
        self.polling.run(runnable, self.turns);
    }

    fn steal(&mut self) -> Option<Runnable> {
        if !self.searching {
            self.shared.idle.begin_search();
            self.searching = true;
        }
        let count = self.shared.stealers.len();
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        let start = self.random as usize % count.max(1);
        (0..count)
            .map(|n| (start + n) % count)
            .filter(|&victim| victim != self.index && !self.watch.leaves(&self.shared, victim))
            .find_map(|victim| self.shared.stealers[victim].steal_into(&self.here.ring))
    }

    /// Ends the search; the last that searched wakes another, in case there is more.
    fn found(&mut self) {
        self.rested = false;
        if std::mem::take(&mut self.searching)
            && self.shared.idle.end_search()
            && self.watch.left(&self.shared, self.index) == Left::Work
        {
            self.shared.notify();
        }
    }

    fn sleep(&mut self) {
        self.measure(self.shared.driver.now());
        let shared = &self.shared;
        shared.pace.keep_no_longer(self.index);
        shared.idle.begin_sleep(self.index, std::mem::take(&mut self.searching));
        self.watch.look(shared);
        let left = self.watch.left(shared, self.index);
        let stay = left == Left::Work || shared.closing.load(SeqCst);
        if left == Left::ToOthers {
            shared.driver.watch(LOOK);
        }
        let park = || shared.parkers[self.index].park(&shared.driver, left == Left::ToOthers);
        let turn = if stay { None } else { park() };
        self.since.0 = shared.driver.now();
        self.searching = shared.idle.end_sleep(self.index);
        self.rested = left == Left::ToOthers && !self.searching;
        // Only now: the monitor goes to sleep if it still finds everybody on the list.
        shared.alarm.stirred();
        // Off the list, or what is due would wake this very worker.
        if let Some(mut turn) = turn {
            self.gather(|| turn.handle());
        }
        if !stay {
            shared.hand_over_driver();
        } else if !self.searching {
            shared.idle.begin_search();
            self.searching = true;
        }
    }
}

#[cfg(all(test, loom))]
mod loom;
