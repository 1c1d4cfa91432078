//! Sampling: schedules drawn at random, where there are too many to run them all.
//!
//! What a seed draws is the same everywhere. None of these is ever complete.

use super::access::{Footprint, ObjectId, TaskId};
use super::nondeterminism::Nondeterminism;
use super::schedule::{Schedule, Search};
use crate::random::Random;

/// How schedules are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// Each step's task uniformly, of those that can go on.
    Walk,
    /// Partial order sampling (Yuan, Yang, Gu: "Partial Order Aware Concurrency Sampling", CAV 2018):
    /// the step with the highest random priority is next, and those that conflict with it draw theirs
    /// anew. What a step will touch is taken to be what its task's last one did, until it is known.
    PartialOrder,
    /// Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte, ASPLOS 2010):
    /// tasks have random priorities, and at `depth - 1` random steps the one that runs gets the
    /// lowest. Finds a bug of this depth with a probability that it guarantees.
    Priorities {
        /// How many ordering constraints the bug needs.
        depth: usize,
    },
}

/// Draws a number of runs.
pub struct Sampler {
    sampling: Sampling,
    left: u64,
    /// Of this run.
    seed: u64,
    random: Random,
    /// Of each task, by number; the greatest goes first.
    priorities: Vec<u64>,
    last: Vec<Footprint>,
    chosen: TaskId,
    steps: usize,
    /// The most steps that a run has had, from which the change points are drawn.
    longest: usize,
    changes: Vec<usize>,
}

/// Priorities from here on are those that tasks begin with; change points give lower ones.
const INITIAL: u64 = 1 << 32;

impl Sampler {
    /// Draws `runs` runs: the first by this seed, and each by the one after that of the run before.
    pub fn new(sampling: Sampling, seed: u64, runs: u64) -> Self {
        let mut sampler = Sampler {
            sampling,
            left: runs,
            seed,
            random: Random::new(seed),
            priorities: Vec::new(),
            last: Vec::new(),
            chosen: 0,
            steps: 0,
            longest: 1,
            changes: Vec::new(),
        };
        sampler.begin();
        sampler
    }

    fn begin(&mut self) {
        self.steps = 0;
        self.priorities.clear();
        self.last.clear();
        self.changes.clear();
        self.random = Random::new(self.seed);
        if let Sampling::Priorities { depth } = self.sampling {
            self.changes.extend((1..depth).map(|_| self.random.choose(self.longest)));
        }
    }

    fn know(&mut self, tasks: usize) {
        while self.priorities.len() < tasks {
            self.priorities.push(INITIAL | self.random.bits() >> 1);
            self.last.push(Footprint::Unknown);
        }
    }
}

impl Schedule for Sampler {
    fn choose(&mut self, enabled: &[TaskId]) -> Result<Option<TaskId>, Nondeterminism> {
        self.know(enabled.last().map_or(0, |most| most + 1));
        self.chosen = match self.sampling {
            Sampling::Walk => enabled[self.random.choose(enabled.len())],
            Sampling::PartialOrder | Sampling::Priorities { .. } => {
                let best = enabled.iter().max_by_key(|task| self.priorities[**task]);
                *best.expect("somebody can go on")
            }
        };
        Ok(Some(self.chosen))
    }

    fn stepped(&mut self, footprint: Footprint) -> Result<(), Nondeterminism> {
        match self.sampling {
            Sampling::Walk => {}
            Sampling::PartialOrder => {
                for task in 0..self.priorities.len() {
                    if task == self.chosen || self.last[task].conflicts(&footprint) {
                        self.priorities[task] = self.random.bits();
                    }
                }
                self.last[self.chosen] = footprint;
            }
            Sampling::Priorities { .. } => {
                if let Some(change) = self.changes.iter().position(|change| *change == self.steps) {
                    self.priorities[self.chosen] = change as u64;
                }
            }
        }
        self.steps += 1;
        Ok(())
    }

    fn sees(&self) -> bool {
        self.sampling == Sampling::PartialOrder
    }
}

impl Search for Sampler {
    fn again(&mut self) {
        self.begin();
    }

    fn end(&mut self, _: &[(TaskId, ObjectId)]) -> bool {
        self.longest = self.longest.max(self.steps);
        self.seed = self.seed.wrapping_add(1);
        self.begin();
        self.left = self.left.saturating_sub(1);
        self.left > 0
    }
}
