//! The search: which schedule is run next, until no trace is left.
//!
//! Stateless: each run begins anew and repeats the choices of the stack before it makes a new one.
//! Two algorithms of Abdulla, Aronis, Jonsson and Sagonas (J. ACM 64(4), 2017): source sets, with
//! sleep sets against what is left over (algorithm 1), and wakeup trees (algorithm 2), which take no
//! run in vain.
//!
//! What a step touches is known only once it was taken; a sleeping task keeps what it touched when it
//! was. The step that a reversed race is about has not been taken in its new place: if it was
//! announced, it touches the same object there, and whether a comparison writes follows from the value
//! it will find; otherwise it counts as touching everything, which is sound but not optimal.

use std::ops::Range;

use super::access::{Access, Footprint, Kind, ObjectId, TaskId};
use super::nondeterminism::{Cause, Nondeterminism};
use super::race::{Event, Order, Race, Second};
use super::schedule::{Schedule, Search};
use super::wakeup::{Branch, Step, Taken, insert, weak_initial};

/// How the explorer avoids running the same trace twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Source sets and sleep sets: each trace once, and some runs given up halfway.
    Source,
    /// Wakeup trees: each trace once, and none given up if all steps are announced.
    Optimal,
    /// Every interleaving, most of them of traces that others have shown: to check the other two.
    Naive,
}

/// One state on the stack, and what is known of the step that is taken from it.
struct Frame {
    /// Where, among those of all frames, its tasks that can go on end.
    end: usize,
    /// What need not be taken from here: every run that begins so was explored.
    sleep: Vec<Step>,
    /// What is to be explored after the step that is taken.
    then: Branch,
    /// What else is to be explored from here, later.
    rest: Vec<Branch>,
    /// How many branches were explored.
    done: usize,
}

/// In place of a step that enabled a task.
const NOBODY: u32 = u32::MAX;

fn leaf(task: TaskId) -> Branch {
    Branch::new(vec![Step { task, footprint: Footprint::Unknown }])
}

/// Chooses the tasks of one run after the other.
pub struct Explorer {
    algorithm: Algorithm,
    stack: Vec<Frame>,
    /// The step of each frame.
    events: Vec<Event>,
    /// Who could go on in each frame, sorted, one frame after the other; and for each, the step after which it
    /// could, if that was not its own last.
    enabled: Vec<TaskId>,
    enablers: Vec<u32>,
    /// How many steps of this run were taken.
    depth: usize,
    /// How many of them repeat the run before, and were looked through then.
    repeated: usize,
    /// How many of them must be what they were.
    known: usize,
    order: Order,
    /// Kept for its memory.
    kept: Vec<usize>,
}

impl Schedule for Explorer {
    fn choose(&mut self, enabled: &[TaskId]) -> Result<Option<TaskId>, Nondeterminism> {
        if self.depth < self.stack.len() {
            let then = &self.enabled[self.range(self.depth)];
            if then != enabled {
                return Err(Nondeterminism::enabled(self.depth, then, enabled));
            }
            return Ok(Some(self.events[self.depth].task));
        }
        let naive = self.algorithm == Algorithm::Naive;
        let (sleep, mut then) = match (self.stack.last_mut(), self.events.last()) {
            (Some(last), Some(Event { task, footprint, .. })) => {
                let sleeps = |step: &&Step| step.task != *task && !step.footprint.conflicts(footprint);
                let sleep = last.sleep.iter().filter(|_| !naive).filter(sleeps).cloned().collect();
                (sleep, std::mem::take(&mut last.then))
            }
            _ => (Vec::new(), Branch::default()),
        };
        let (task, rest) = match then.next() {
            Some((step, rest)) => (step.task, rest),
            None if naive => (enabled[0], enabled[1..].iter().map(|task| leaf(*task)).collect()),
            None => {
                let awake = |task: &&TaskId| !sleep.iter().any(|step: &Step| step.task == **task);
                let Some(&task) = enabled.iter().find(awake) else {
                    return Ok(None);
                };
                (task, Vec::new())
            }
        };
        if enabled.binary_search(&task).is_err() {
            return Err(Nondeterminism::refused(self.depth, task, enabled, Cause::Unknown));
        }
        self.note_enabled(enabled);
        self.stack.push(Frame { end: self.enabled.len(), sleep, then, rest, done: 0 });
        let enabler = self.enabler(task);
        self.events.push(Event { task, footprint: Footprint::Unknown, enabler });
        Ok(Some(task))
    }

    fn stepped(&mut self, footprint: Footprint) -> Result<(), Nondeterminism> {
        let event = &mut self.events[self.depth];
        if self.depth >= self.known {
            event.footprint = footprint;
        } else if event.footprint != footprint {
            return Err(Nondeterminism::touched(self.depth, event.task, &event.footprint, &footprint));
        }
        self.depth += 1;
        Ok(())
    }
}

impl Search for Explorer {
    fn again(&mut self) {
        (self.known, self.depth) = (self.depth, 0);
    }

    /// Finds what is to be explored because of the run.
    fn end(&mut self, stuck: &[(TaskId, ObjectId)]) -> bool {
        if self.algorithm != Algorithm::Naive {
            self.order.of(&self.events, self.repeated, stuck);
        }
        let races = std::mem::take(&mut self.order.races);
        for race in &races {
            match self.algorithm {
                Algorithm::Source => self.add_source(race),
                Algorithm::Optimal => self.add_sequence(race),
                Algorithm::Naive => {}
            }
        }
        self.order.races = races;
        self.depth = 0;
        self.next_branch()
    }

    /// Each run weighs what a random descent into the tree of branches would come to it with, the sum of
    /// which is the part that was had: Knuth ("Estimating the efficiency of backtrack programs", Math.
    /// Comp. 29, 1975), with the runs in the order of the search for his probes, as Kilby, Slaney,
    /// Thiébaux and Walsh ("Estimating search tree size", AAAI 2006) do. Rough: branches that later
    /// runs will add are not known.
    fn part(&self) -> Option<f64> {
        let (mut part, mut weight) = (0.0, 1.0);
        for frame in &self.stack {
            weight /= (frame.done + 1 + frame.rest.len()) as f64;
            part += frame.done as f64 * weight;
        }
        Some(part)
    }
}

impl Explorer {
    /// Before the first run.
    pub fn new(algorithm: Algorithm) -> Self {
        Explorer {
            algorithm,
            stack: Vec::new(),
            events: Vec::new(),
            enabled: Vec::new(),
            enablers: Vec::new(),
            depth: 0,
            repeated: 0,
            known: 0,
            order: Order::default(),
            kept: Vec::new(),
        }
    }

    /// Where those are that could go on in a frame.
    fn range(&self, frame: usize) -> Range<usize> {
        frame.checked_sub(1).map_or(0, |before| self.stack[before].end)..self.stack[frame].end
    }

    /// Notes who can go on, and since when.
    fn note_enabled(&mut self, enabled: &[TaskId]) {
        let last = self.stack.len().checked_sub(1);
        let mut before = last.map_or(0..0, |last| self.range(last));
        for task in enabled {
            while before.start < before.end && self.enabled[before.start] < *task {
                before.start += 1;
            }
            let enabler = match before.start < before.end && self.enabled[before.start] == *task {
                // It took the last step, or could before that.
                true if last.is_some_and(|last| self.events[last].task == *task) => NOBODY,
                true => self.enablers[before.start],
                false => last.map_or(NOBODY, |last| last as u32),
            };
            self.enabled.push(*task);
            self.enablers.push(enabler);
        }
    }

    /// The step since which a task can go on that can in the last frame, unless that is its own last one,
    /// or it could from the beginning.
    fn enabler(&self, task: TaskId) -> Option<usize> {
        let range = self.range(self.stack.len() - 1);
        let place = self.enabled[range.clone()].binary_search(&task).ok()?;
        let enabler = self.enablers[range][place];
        (enabler != NOBODY).then_some(enabler as usize)
    }

    fn next_branch(&mut self) -> bool {
        while let (Some(frame), Some(event)) = (self.stack.last_mut(), self.events.last_mut()) {
            let footprint = std::mem::replace(&mut event.footprint, Footprint::Unknown);
            frame.sleep.push(Step { task: event.task, footprint });
            frame.done += 1;
            let sleep = &frame.sleep;
            let asleep = |step: &Step| sleep.iter().any(|other| other.task == step.task);
            frame.rest.retain(|branch| !branch.first().is_some_and(asleep));
            if !frame.rest.is_empty() {
                frame.then = frame.rest.remove(0);
                let (step, _) = frame.then.next().expect("it has a first step");
                let at = self.stack.len() - 1;
                (self.repeated, self.known) = (at, at);
                let enabler = self.enabler(step.task);
                self.events[at] = Event { task: step.task, footprint: Footprint::Unknown, enabler };
                return true;
            }
            self.stack.pop();
            self.events.pop();
            let end = self.stack.last().map_or(0, |frame| frame.end);
            self.enabled.truncate(end);
            self.enablers.truncate(end);
        }
        false
    }

    /// Adds a task to the first step's state from which the race comes the other way round, unless
    /// one is there.
    fn add_source(&mut self, race: &Race) {
        let end = match race.second {
            // Races among repeated steps were seen when those were new.
            Second::Taken(second) if second < self.repeated => return,
            Second::Taken(second) => second,
            Second::Never(..) => self.events.len(),
        };
        let second = self.second(race, end);
        let sequence = Taken { events: &self.events, kept: &self.kept, second: &second };
        let frame = &mut self.stack[race.first];
        let initial = |step: &Step| weak_initial(step, &sequence).is_some_and(|at| at.is_some());
        let mut there = frame.rest.iter().filter_map(Branch::first).chain(&frame.sleep);
        if !there.any(initial) {
            let task = self.kept.first().map_or(second.task, |first| self.events[*first].task);
            frame.rest.push(leaf(task));
        }
    }

    /// Adds a sequence in which the race comes the other way round, unless it was or will be explored.
    fn add_sequence(&mut self, race: &Race) {
        let second = self.second(race, self.events.len());
        let sequence = Taken { events: &self.events, kept: &self.kept, second: &second };
        let frame = &mut self.stack[race.first];
        if !frame.sleep.iter().any(|step| weak_initial(step, &sequence).is_some()) {
            let sequence = sequence.to_steps();
            insert(&mut frame.rest, sequence);
        }
    }

    /// The second step of a race as it comes in the sequence that turns the race round: before it come the
    /// steps up to `end` that do not follow from the first, which are left in `kept`.
    fn second(&mut self, race: &Race, end: usize) -> Step {
        let mut kept = std::mem::take(&mut self.kept);
        kept.clear();
        let (task, footprint, second) = match &race.second {
            Second::Taken(at) => (self.events[*at].task, self.events[*at].footprint.clone(), *at),
            Second::Never(task, access) => (*task, Footprint::Announced(*access), end),
        };
        let apart = |at: &usize| *at != second && !self.order.includes(*at, race.first);
        kept.extend((race.first + 1..end).filter(apart));
        let footprint = match footprint {
            Footprint::Announced(access) => Footprint::Announced(self.elsewhere(access, race.first, &kept)),
            _ => Footprint::Unknown,
        };
        self.kept = kept;
        Step { task, footprint }
    }

    /// The same access after the first `prefix` steps and `kept`.
    fn elsewhere(&self, access: Access, prefix: usize, kept: &[usize]) -> Access {
        let Some(expected) = access.expects else { return access };
        let of_object = |at: usize| {
            let accesses = self.events[at].footprint.accesses();
            accesses.iter().find(|other| other.object == access.object)
        };
        let written =
            kept.iter().copied().rev().chain((0..prefix).rev()).find_map(|at| {
                of_object(at).filter(|other| other.kind == Kind::Write).map(|other| other.left)
            });
        let initial = || (0..self.events.len()).find_map(of_object).map_or(access.found, |other| other.found);
        let found = written.unwrap_or_else(initial);
        let kind = if found == expected { Kind::Write } else { Kind::Read };
        Access { kind, found, ..access }
    }
}
