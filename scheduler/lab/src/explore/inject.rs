//! Cancellation at every await: one run for each step of each task, which is asked to stop just before it.

use std::collections::HashMap;

use super::access::{Footprint, ObjectId, TaskId};
use super::nondeterminism::Nondeterminism;
use super::schedule::{Schedule, Search};
use crate::random::Random;

/// A task, and which of its steps, from 1.
type Point = (TaskId, u32);

/// Runs a program once as a seed draws it, and then once for each step of that run, in which the task of
/// the step is asked to stop before it. Up to there the runs are the same.
pub struct Injector {
    seed: u64,
    random: Random,
    taken: HashMap<TaskId, u32>,
    last: Point,
    /// Where to ask, in this run; none in the first.
    point: Option<Point>,
    /// Those that are left.
    points: Vec<Point>,
    most: usize,
    first: bool,
}

impl Injector {
    /// Draws by a seed.
    pub fn new(seed: u64) -> Self {
        let (random, taken, points) = (Random::new(seed), HashMap::new(), Vec::new());
        Injector { seed, random, taken, last: (0, 0), point: None, points, most: usize::MAX, first: true }
    }

    /// At so many points at the most, evenly among all of them. Default: at each.
    pub fn points(mut self, most: usize) -> Self {
        self.most = most;
        self
    }

    /// The task that is asked to stop in this run, and before which of its steps.
    pub fn point(&self) -> Option<(TaskId, u32)> {
        self.point
    }
}

impl Schedule for Injector {
    fn choose(&mut self, enabled: &[TaskId]) -> Result<Option<TaskId>, Nondeterminism> {
        let task = enabled[self.random.choose(enabled.len())];
        let step = self.taken.entry(task).or_default();
        *step += 1;
        self.last = (task, *step);
        if self.first {
            self.points.push(self.last);
        }
        Ok(Some(task))
    }

    fn stepped(&mut self, _: Footprint) -> Result<(), Nondeterminism> {
        Ok(())
    }

    fn cancels(&mut self) -> bool {
        self.point == Some(self.last)
    }
}

impl Search for Injector {
    fn end(&mut self, _: &[(TaskId, ObjectId)]) -> bool {
        if std::mem::take(&mut self.first) && self.points.len() > self.most {
            let (all, most) = (self.points.len(), self.most);
            self.points = (0..most).map(|n| self.points[n * all / most]).collect();
        }
        self.random = Random::new(self.seed);
        self.taken.clear();
        self.point = self.points.pop();
        self.point.is_some()
    }
}
