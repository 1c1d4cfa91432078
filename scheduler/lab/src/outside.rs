//! What reaches into a run from outside: a thread that is not the lab's wakes a task, or holds the waker
//! of one that nothing else can wake.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use asupersync_core::host::{TaskInfo, WakerUse};
use asupersync_core::id;

use crate::explore::Nondeterminism;

/// How long a thread may take to wake a task, before it is told that nothing can.
pub(crate) const PATIENCE: Duration = Duration::from_millis(200);

/// A wake by another thread.
#[derive(Clone, Debug)]
pub(crate) struct Intruder {
    task: TaskInfo,
    thread: String,
}

impl Intruder {
    pub(crate) fn told(&self, step: usize) -> Nondeterminism {
        Nondeterminism::woken(step, &self.task.name, &self.task.site.to_string(), &self.thread)
    }
}

/// Who is at the lab's tasks from outside.
pub(crate) struct Outside {
    /// The thread that runs the lab.
    own: usize,
    /// Which of this thread's it is.
    run: u64,
    /// Somebody came. Only a hint: who comes just now is met at the next step.
    hint: AtomicBool,
    seen: Mutex<Seen>,
    came: Condvar,
}

/// What threads tell that are not the lab's.
#[derive(Default)]
struct Seen {
    intruder: Option<Intruder>,
    /// How many wakers of each task they have made more than they have let go.
    wakers: Wakers,
}

/// For each task, by number.
#[derive(Default)]
struct Wakers(Vec<i32>);

impl Wakers {
    fn count(&mut self, task: usize, more: i32) {
        if self.0.len() <= task {
            self.0.resize(task + 1, 0);
        }
        self.0[task] += more;
    }

    fn of(&self, task: usize) -> i32 {
        self.0.get(task).copied().unwrap_or(0)
    }
}

thread_local! {
    static HERE: u8 = const { 0 };
    /// The run that was begun last on this thread, and the same of its tasks' wakers on it: most are made and
    /// used here, and need no lock.
    static LAST: RefCell<(u64, Wakers)> = const { RefCell::new((0, Wakers(Vec::new()))) };
}

/// This thread, among those that are alive.
fn here() -> usize {
    HERE.with(|here| std::ptr::from_ref(here) as usize)
}

impl Outside {
    /// For a lab that this thread runs.
    pub(crate) fn new() -> Self {
        let run = LAST.with_borrow_mut(|(run, wakers)| {
            *run += 1;
            wakers.0.clear();
            *run
        });
        let (hint, seen, came) = (AtomicBool::new(false), Mutex::default(), Condvar::new());
        Outside { own: here(), run, hint, seen, came }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A task is made runnable.
    #[inline]
    pub(crate) fn submitted(&self, task: &TaskInfo) {
        if here() != self.own {
            self.intrude(task);
        }
    }

    #[cold]
    fn intrude(&self, task: &TaskInfo) {
        let current = thread::current();
        let thread = match current.name() {
            Some(name) => format!("`{name}`"),
            None => format!("{:?}, which has no name", current.id()),
        };
        let mut seen = self.seen();
        seen.intruder.get_or_insert(Intruder { task: task.clone(), thread });
        // Under the lock, so that who finds the one finds the other.
        self.hint.store(true, Relaxed);
        drop(seen);
        self.came.notify_all();
    }

    /// A waker of a task is used.
    pub(crate) fn waker_used(&self, task: &TaskInfo, what: WakerUse) {
        let more = match what {
            WakerUse::Clone => 1,
            WakerUse::WakeByRef => 0,
            WakerUse::Wake | WakerUse::Drop => -1,
        };
        if what != WakerUse::Clone && what != WakerUse::Drop {
            self.submitted(task);
        }
        // Tasks of the runtime's own have the highest numbers, and are of no interest.
        let number = task.id.get() as usize;
        if more != 0 && number < MOST {
            if here() != self.own {
                self.seen().wakers.count(number, more);
                return;
            }
            // Of an earlier run, or of a thread that is at its end, nobody asks.
            let _ = LAST.try_with(|last| {
                let (run, wakers) = &mut *last.borrow_mut();
                if *run == self.run {
                    wakers.count(number, more);
                }
            });
        }
    }

    /// Somebody holds a waker of this task. Only asked by the lab's own thread.
    pub(crate) fn can_wake(&self, task: id::TaskId) -> bool {
        let number = task.get() as usize;
        let here = LAST.with_borrow(|(_, wakers)| wakers.of(number));
        here + self.seen().wakers.of(number) > 0
    }

    /// Who has woken a task from another thread.
    pub(crate) fn intruder(&self) -> Option<Intruder> {
        if !self.hint.load(Relaxed) {
            return None;
        }
        self.seen().intruder.clone()
    }

    /// The same, and waits a little for it.
    pub(crate) fn wait_for_intruder(&self, patience: Duration) -> Option<Intruder> {
        let seen = self.came.wait_timeout_while(self.seen(), patience, |seen| seen.intruder.is_none());
        seen.unwrap_or_else(PoisonError::into_inner).0.intruder.clone()
    }
}

/// Tasks are numbered from 1; one beyond this is not counted.
const MOST: usize = 1 << 24;
