//! Which steps of a run happened before which, and which pairs could have come the other way round.
//!
//! Two steps of different tasks race if they conflict, nothing else orders them, and the later one
//! could have been taken before the earlier. Of a lock, two acquires race, not a release and the
//! acquire that it makes possible.

use super::access::{Access, Footprint, Kind, ObjectId, TaskId};

/// A step that was taken.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) task: TaskId,
    pub(crate) footprint: Footprint,
    /// The step after which this one was possible, if it was not from its task's last step on.
    pub(crate) enabler: Option<usize>,
}

/// Two steps that could have come in the other order.
#[derive(Clone, Debug)]
pub(crate) struct Race {
    pub(crate) first: usize,
    pub(crate) second: Second,
}

#[derive(Clone, Debug)]
pub(crate) enum Second {
    /// A step that was taken.
    Taken(usize),
    /// A step that never could be: the acquire of a lock that was not given back.
    Never(TaskId, Access),
}

/// What is known of an object while the run is looked through.
#[derive(Clone, Default)]
struct Seen {
    write: Option<usize>,
    reads: Vec<usize>,
    acquire: Option<usize>,
}

/// The order of a run. Kept between runs for its memory.
#[derive(Default)]
pub(crate) struct Order {
    width: usize,
    tasks: Vec<TaskId>,
    /// For each step, how many steps of each task happened before it or are it.
    clocks: Vec<u32>,
    /// For each step, which of its task's it is, from 1.
    numbers: Vec<u32>,
    seen: Vec<Seen>,
    last: Vec<Option<usize>>,
    pub(crate) races: Vec<Race>,
}

impl Order {
    /// Looks through a run, of which the first `known` steps are those of the one before; `stuck` are the
    /// acquires that were waited for at its end.
    pub(crate) fn of(&mut self, events: &[Event], known: usize, stuck: &[(TaskId, ObjectId)]) {
        let known = self.begin(events, known, stuck);
        let mut before: Vec<(usize, bool)> = Vec::new();
        let mut barrier = self.repeat(&events[..known]);
        for (at, event) in events.iter().enumerate().skip(known) {
            before.clear();
            if event.footprint == Footprint::Barrier {
                before.extend(self.last.iter().flatten().map(|last| (*last, false)));
                barrier = Some(at);
            }
            let own = self.last[event.task];
            self.tasks.push(event.task);
            self.numbers.push(own.map_or(0, |own| self.numbers[own]) + 1);
            before.extend(own.map(|own| (own, false)));
            before.extend(event.enabler.map(|enabler| (enabler, false)));
            before.extend(barrier.map(|barrier| (barrier, false)));
            let mut holder = None;
            for access in event.footprint.accesses() {
                let seen = &mut self.seen[access.object];
                match access.kind {
                    Kind::Read => {
                        before.extend(seen.write.map(|write| (write, true)));
                        seen.reads.push(at);
                    }
                    Kind::Write => {
                        before.extend(seen.write.map(|write| (write, true)));
                        before.extend(seen.reads.drain(..).map(|read| (read, true)));
                        seen.write = Some(at);
                    }
                    // Of a lock, `write` is the last release.
                    Kind::Acquire => {
                        holder = seen.acquire.map(|acquire| (acquire, seen.write));
                        before.extend(seen.write.map(|release| (release, false)));
                        seen.acquire = Some(at);
                    }
                    Kind::Release => {
                        before.extend(seen.acquire.map(|acquire| (acquire, false)));
                        seen.write = Some(at);
                    }
                }
            }
            before.retain(|(earlier, _)| *earlier != at);
            before.sort_unstable();
            before.dedup();
            for &(earlier, races) in &before {
                if races
                    && Some(earlier) != event.enabler
                    && self.is_apart(earlier, event.task, &before, None)
                {
                    self.races.push(Race { first: earlier, second: Second::Taken(at) });
                }
            }
            if let Some((acquire, release)) = holder
                && self.is_apart(acquire, event.task, &before, release)
            {
                self.races.push(Race { first: acquire, second: Second::Taken(at) });
            }
            self.push_clock(event.task, &before);
            self.last[event.task] = Some(at);
        }
        for &(task, lock) in stuck {
            let Some(acquire) = self.seen[lock].acquire else { continue };
            let known = self.last[task].is_some_and(|own| self.includes(own, acquire));
            if !known {
                let second = Second::Never(task, Access::new(lock, Kind::Acquire));
                self.races.push(Race { first: acquire, second });
            }
        }
    }

    /// Makes room, and forgets what is not `known`; tells how many steps are.
    fn begin(&mut self, events: &[Event], known: usize, stuck: &[(TaskId, ObjectId)]) -> usize {
        let tasks = events[known..].iter().map(|event| event.task).chain(stuck.iter().map(|(task, _)| *task));
        let width = tasks.max().map_or(0, |most| most + 1);
        // Clocks of another width are made anew.
        let known = if width > self.width { 0 } else { known };
        self.width = self.width.max(width);
        let accesses = events[known..].iter().flat_map(|event| event.footprint.accesses());
        let objects = accesses.map(|access| access.object).chain(stuck.iter().map(|(_, lock)| *lock));
        let objects = objects.max().map_or(0, |most| most + 1);
        self.tasks.truncate(known);
        self.numbers.truncate(known);
        self.clocks.truncate(known * self.width);
        let is_new = |race: &mut Race| !matches!(race.second, Second::Taken(second) if second < known);
        while self.races.pop_if(is_new).is_some() {}
        for seen in &mut self.seen {
            (seen.write, seen.acquire) = (None, None);
            seen.reads.clear();
        }
        self.seen.resize_with(objects.max(self.seen.len()), Seen::default);
        self.last.clear();
        self.last.resize(self.width, None);
        known
    }

    /// Sees known steps again; tells which was the last barrier.
    fn repeat(&mut self, events: &[Event]) -> Option<usize> {
        let mut barrier = None;
        for (at, event) in events.iter().enumerate() {
            if event.footprint == Footprint::Barrier {
                barrier = Some(at);
            }
            for access in event.footprint.accesses() {
                let seen = &mut self.seen[access.object];
                match access.kind {
                    Kind::Read => seen.reads.push(at),
                    Kind::Write => {
                        seen.reads.clear();
                        seen.write = Some(at);
                    }
                    Kind::Acquire => seen.acquire = Some(at),
                    Kind::Release => seen.write = Some(at),
                }
            }
            self.last[event.task] = Some(at);
        }
        barrier
    }

    fn push_clock(&mut self, task: TaskId, before: &[(usize, bool)]) {
        let start = self.clocks.len();
        self.clocks.resize(start + self.width, 0);
        let (done, own) = self.clocks.split_at_mut(start);
        for &(earlier, _) in before {
            let other = &done[earlier * self.width..][..self.width];
            own.iter_mut().zip(other).for_each(|(own, other)| *own = (*own).max(*other));
        }
        own[task] = self.numbers[start / self.width];
    }

    /// No step but `earlier` itself, and `except`, brings `earlier` before a step of `task`.
    fn is_apart(
        &self,
        earlier: usize,
        task: TaskId,
        before: &[(usize, bool)],
        except: Option<usize>,
    ) -> bool {
        let brings = |other| other != earlier && Some(other) != except && self.includes(other, earlier);
        self.tasks[earlier] != task && !before.iter().any(|&(other, _)| brings(other))
    }

    /// `earlier` is `later`, or happened before it.
    pub(crate) fn includes(&self, later: usize, earlier: usize) -> bool {
        self.clocks[later * self.width + self.tasks[earlier]] >= self.numbers[earlier]
    }
}
