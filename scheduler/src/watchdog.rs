//! Polls that do not return. Each worker notes which task it polls; the monitor looks, whenever it
//! does, whether that still goes on.
//!
//! A note is one word in a cache line of its own: the low 48 bits of the task's address, and the low
//! 16 of the number of the worker's turn, which tells one poll of a task from the next. Address 0: no poll.
//! A turn's number comes back after 65,536 turns; to be taken for one poll, others would have to be
//! seen at just such distances, at each of the looks that a limit takes.
//!
//! Invariant: a task's address is looked up while its note stands, and counts only if the note still
//! stands afterwards; so the task was polled all the time, and its address was nobody else's.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use asupersync_core::host::Runnable;
use asupersync_core::region::{LongPoll, Root};

/// What one worker polls.
#[repr(align(128))]
#[derive(Default)]
pub(crate) struct Polling(AtomicU64);

impl Polling {
    /// Polls a task, in this turn.
    pub(crate) fn run(&self, runnable: Runnable, turn: u32) {
        self.0.store(word(runnable.address(), turn), Relaxed);
        let _ = runnable.run();
        // Of which turn it was the end.
        self.0.store(word(0, turn), Relaxed);
    }

    /// The number of its last turn, as far as that is kept.
    pub(crate) fn turn(&self) -> u16 {
        self.0.load(Relaxed) as u16
    }
}

fn word(address: usize, turn: u32) -> u64 {
    (address as u64) << 16 | u64::from(turn as u16)
}

/// Whoever takes the reports.
type Taker = Arc<dyn Fn(&LongPoll) + Send + Sync>;

/// What is done with a report.
#[derive(Clone, Default)]
pub(crate) struct Hook(pub(crate) Option<Taker>);

impl Hook {
    fn tell(&self, poll: &LongPoll) {
        match &self.0 {
            Some(hook) => hook(poll),
            None if poll.log() => {}
            None => eprintln!("asupersync: {poll}"),
        }
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "a hook" } else { "no hook" })
    }
}

/// The polls that go on, as the monitor saw them last.
pub(crate) struct Watchdog {
    limit: Duration,
    hook: Hook,
    seen: Vec<Seen>,
}

#[derive(Clone, Copy)]
struct Seen {
    word: u64,
    since: Instant,
    told: bool,
}

impl Watchdog {
    pub(crate) fn new(limit: Duration, hook: Hook) -> Self {
        Watchdog { limit, hook, seen: Vec::new() }
    }

    /// Every worker sleeps: what was seen is over.
    pub(crate) fn rest(&mut self) {
        self.seen.clear();
    }

    pub(crate) fn look(&mut self, workers: &[Arc<Polling>], root: &Root) {
        if self.limit == Duration::MAX {
            return;
        }
        for (worker, word, lasting) in self.due(workers, Instant::now()) {
            let found = root.long_poll(|address| is_at(word, address), lasting);
            if let Some(poll) = found.filter(|_| workers[worker].0.load(Relaxed) == word) {
                tell(self.hook.clone(), poll);
            }
        }
    }

    /// Polls to be told of: by which worker, its note, and how long it stands.
    fn due(&mut self, workers: &[Arc<Polling>], now: Instant) -> Vec<(usize, u64, Duration)> {
        self.seen.resize(workers.len(), Seen { word: 0, since: now, told: false });
        let mut due = Vec::new();
        for (n, (worker, seen)) in workers.iter().zip(&mut self.seen).enumerate() {
            let word = worker.0.load(Relaxed);
            if word != seen.word {
                *seen = Seen { word, since: now, told: false };
            }
            let lasting = now - seen.since;
            if word >> 16 != 0 && !seen.told && lasting >= self.limit {
                seen.told = true;
                due.push((n, word, lasting));
            }
        }
        due
    }
}

fn is_at(note: u64, address: usize) -> bool {
    note == word(address, note as u32)
}

/// On a thread of its own: whoever takes the report may block, and the monitor must not.
fn tell(hook: Hook, poll: LongPoll) {
    let thread = thread::Builder::new().name("asupersync-watchdog".into());
    if let Err(error) = thread.spawn(move || hook.tell(&poll)) {
        eprintln!("asupersync: cannot start a thread to tell of a poll that does not return: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_millis(100);

    /// What is due when the notes of two workers are seen at these milliseconds.
    fn due(looks: &[(u64, [u64; 2])]) -> Vec<(u64, usize)> {
        let (workers, begin) = (<[Arc<Polling>; 2]>::default(), Instant::now());
        let mut watchdog = Watchdog::new(LIMIT, Hook::default());
        let mut told = Vec::new();
        for &(at, notes) in looks {
            for (worker, note) in workers.iter().zip(notes) {
                worker.0.store(note, Relaxed);
            }
            let due = watchdog.due(&workers, begin + Duration::from_millis(at));
            told.extend(due.into_iter().map(|(worker, ..)| (at, worker)));
        }
        told
    }

    #[test]
    fn a_poll_that_lasts_is_due_once() {
        let (one, other, none) = (word(7, 0), word(9, 0), word(0, 3));
        assert_eq!(
            due(&[(0, [one, none]), (99, [one, none]), (100, [one, none]), (300, [one, none])]),
            [(100, 0)]
        );
        assert_eq!(
            due(&[(0, [one, none]), (60, [one, other]), (120, [one, other]), (180, [one, other])]),
            [(120, 0), (180, 1)]
        );
    }

    #[test]
    fn another_poll_of_the_same_task_begins_anew() {
        let (first, second) = (word(0x7f00_1230, 1), word(0x7f00_1230, 2));
        assert_eq!(due(&[(0, [first, 0]), (90, [second, 0]), (180, [second, 0])]), []);
        assert_eq!(
            due(&[(0, [first, 0]), (100, [first, 0]), (110, [second, 0]), (210, [second, 0])]),
            [(100, 0), (210, 0)]
        );
    }

    #[test]
    fn who_polls_nothing_is_never_due() {
        assert_eq!(due(&[(0, [0, word(0, 7)]), (1000, [0, word(0, 7)])]), []);
    }

    #[test]
    fn a_note_is_of_one_address() {
        let note = word(0x7fff_dead_bee8, 70_000);
        assert!(is_at(note, 0x7fff_dead_bee8) && !is_at(note, 0x7fff_dead_bef0));
    }
}
