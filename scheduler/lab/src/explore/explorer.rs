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

use super::access::{Access, Footprint, Kind, ObjectId, TaskId};
use super::nondeterminism::{Cause, Nondeterminism};
use super::race::{Event, Order, Race, Second};
use super::schedule::{Schedule, Search};
use super::wakeup::{Branch, Step, insert, weak_initial};

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

/// One state on the stack, and the step that was taken from it.
struct Frame {
    /// Sorted.
    enabled: Vec<TaskId>,
    /// What need not be taken from here: every run that begins so was explored.
    sleep: Vec<Step>,
    /// What is to be explored from here; the first is.
    branches: Vec<Branch>,
    /// What the step of the first branch touched, once it was taken.
    taken: Footprint,
    /// How many branches were explored.
    done: usize,
}

/// Chooses the tasks of one run after the other.
pub struct Explorer {
    algorithm: Algorithm,
    stack: Vec<Frame>,
    /// How many steps of this run were taken.
    depth: usize,
    /// How many of them repeat the run before.
    repeated: usize,
    events: Vec<Event>,
    /// For each task, the step after which it could go on, if that was not its own last.
    enablers: Vec<Option<usize>>,
    order: Order,
}

impl Schedule for Explorer {
    fn choose(&mut self, enabled: &[TaskId]) -> Result<Option<TaskId>, Nondeterminism> {
        self.note_enabled(enabled);
        if let Some(frame) = self.stack.get(self.depth) {
            if frame.enabled != enabled {
                return Err(Nondeterminism::enabled(self.depth, &frame.enabled, enabled));
            }
            return Ok(Some(frame.branches[0].step.task));
        }
        let (sleep, mut branches) = match self.stack.last_mut() {
            None => (Vec::new(), Vec::new()),
            Some(last) => {
                let (task, taken) = (last.branches[0].step.task, &last.taken);
                let reduced = self.algorithm != Algorithm::Naive;
                let sleeps = |step: &&Step| reduced && step.task != task && !step.footprint.conflicts(taken);
                let sleep = last.sleep.iter().filter(sleeps).cloned().collect();
                (sleep, std::mem::take(&mut last.branches[0].then))
            }
        };
        let leaf = |task| Branch::leaf(Step { task, footprint: Footprint::Unknown });
        if self.algorithm == Algorithm::Naive {
            branches.extend(enabled.iter().copied().map(leaf));
        } else if branches.is_empty() {
            let awake = |task: &&TaskId| !sleep.iter().any(|step: &Step| step.task == **task);
            let Some(&task) = enabled.iter().find(awake) else {
                return Ok(None);
            };
            branches.push(leaf(task));
        }
        let task = branches[0].step.task;
        if enabled.binary_search(&task).is_err() {
            return Err(Nondeterminism::refused(self.depth, task, enabled, Cause::Unknown));
        }
        self.stack.push(Frame {
            enabled: enabled.to_vec(),
            sleep,
            branches,
            taken: Footprint::Unknown,
            done: 0,
        });
        Ok(Some(task))
    }

    fn stepped(&mut self, footprint: Footprint) -> Result<(), Nondeterminism> {
        let frame = &mut self.stack[self.depth];
        if self.depth < self.repeated && frame.taken != footprint {
            let task = frame.branches[0].step.task;
            return Err(Nondeterminism::touched(self.depth, task, &frame.taken, &footprint));
        }
        let task = frame.branches[0].step.task;
        let enabler = self.enablers[task];
        self.stack[self.depth].taken = footprint.clone();
        self.events.push(Event { task, footprint, enabler });
        self.depth += 1;
        Ok(())
    }
}

impl Search for Explorer {
    /// Finds what is to be explored because of the run.
    fn end(&mut self, stuck: &[(TaskId, ObjectId)]) -> bool {
        if self.algorithm != Algorithm::Naive {
            self.order.of(&self.events, stuck);
        }
        let mut races = std::mem::take(&mut self.order.races);
        for race in races.drain(..) {
            match self.algorithm {
                Algorithm::Source => self.add_source(&race),
                Algorithm::Optimal => self.add_sequence(&race),
                Algorithm::Naive => {}
            }
        }
        self.order.races = races;
        self.events.clear();
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
            weight /= (frame.done + frame.branches.len()) as f64;
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
            depth: 0,
            repeated: 0,
            events: Vec::new(),
            enablers: Vec::new(),
            order: Order::default(),
        }
    }

    /// Notes who can go on since the last step that could not before it.
    fn note_enabled(&mut self, enabled: &[TaskId]) {
        let most = enabled.last().map_or(0, |most| most + 1);
        self.enablers.resize(most.max(self.enablers.len()), None);
        let Some(last) = self.depth.checked_sub(1) else {
            self.enablers.fill(None);
            return;
        };
        self.enablers[self.events[last].task] = None;
        let mut before = self.stack[last].enabled.iter().peekable();
        for task in enabled {
            while before.next_if(|before| *before < task).is_some() {}
            if before.peek() != Some(&task) {
                self.enablers[*task] = Some(last);
            }
        }
    }

    fn next_branch(&mut self) -> bool {
        while let Some(frame) = self.stack.last_mut() {
            let step = frame.branches.remove(0).step;
            frame.sleep.push(Step { footprint: frame.taken.clone(), ..step });
            frame.done += 1;
            let sleep = &frame.sleep;
            frame.branches.retain(|branch| !sleep.iter().any(|step| step.task == branch.step.task));
            if !frame.branches.is_empty() {
                self.repeated = self.stack.len() - 1;
                return true;
            }
            self.stack.pop();
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
        let sequence = self.sequence(race, end);
        let frame = &mut self.stack[race.first];
        let initial = |step: &Step| weak_initial(step, &sequence).is_some_and(|at| at.is_some());
        let mut there = frame.branches.iter().map(|branch| &branch.step).chain(&frame.sleep);
        if !there.any(initial) {
            let first = sequence.into_iter().next().expect("the second of a race is in it");
            frame.branches.push(Branch::leaf(Step { footprint: Footprint::Unknown, ..first }));
        }
    }

    /// Adds a sequence in which the race comes the other way round, unless it was or will be explored.
    fn add_sequence(&mut self, race: &Race) {
        let sequence = self.sequence(race, self.events.len());
        let frame = &mut self.stack[race.first];
        if !frame.sleep.iter().any(|step| weak_initial(step, &sequence).is_some()) {
            insert(&mut frame.branches, sequence);
        }
    }

    /// The steps up to `end` that do not follow from the race's first, and then its second.
    fn sequence(&self, race: &Race, end: usize) -> Vec<Step> {
        let (task, footprint, second) = match race.second {
            Second::Taken(at) => (self.events[at].task, self.events[at].footprint.clone(), at),
            Second::Never(task, access) => (task, Footprint::Announced(access), end),
        };
        let apart = |at: &usize| *at != second && !self.order.includes(*at, race.first);
        let kept: Vec<usize> = (race.first + 1..end).filter(apart).collect();
        let footprint = match footprint {
            Footprint::Announced(access) => Footprint::Announced(self.elsewhere(access, race.first, &kept)),
            _ => Footprint::Unknown,
        };
        let step =
            |at: usize| Step { task: self.events[at].task, footprint: self.events[at].footprint.clone() };
        kept.into_iter().map(step).chain([Step { task, footprint }]).collect()
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
