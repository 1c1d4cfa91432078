//! Cancellation at every await: one run for each step of each task, which is asked to stop just before it.

use std::collections::HashMap;

use super::access::{Footprint, ObjectId, TaskId};
use super::nondeterminism::Nondeterminism;
use super::schedule::{Schedule, Search};
use super::timeline::Moment;
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
    /// This one of so many shares.
    share: (usize, usize),
    first: bool,
    asked: Option<String>,
}

impl Injector {
    /// Draws by a seed.
    pub fn new(seed: u64) -> Self {
        Injector {
            seed,
            random: Random::new(seed),
            taken: HashMap::new(),
            last: (0, 0),
            point: None,
            points: Vec::new(),
            most: usize::MAX,
            share: (0, 1),
            first: true,
            asked: None,
        }
    }

    /// At so many points at the most, evenly among all of them. Default: at each.
    pub fn points(mut self, most: usize) -> Self {
        self.most = most;
        self
    }

    /// At these of them only: the `nth` of so many equal shares, from 0. For several threads.
    pub fn share(mut self, nth: usize, of: usize) -> Self {
        self.share = (nth, of);
        self
    }

    /// How many points are left after this run's.
    pub fn left(&self) -> usize {
        self.points.len()
    }

    /// The task that is asked to stop in this run, and before which of its steps.
    pub fn point(&self) -> Option<(TaskId, u32)> {
        self.point
    }

    /// The name of that task, once it was asked.
    pub fn asked(&self) -> Option<&str> {
        self.asked.as_deref()
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

    fn sees(&self) -> bool {
        false
    }

    fn tell(&mut self, moment: &dyn Fn() -> Moment) {
        if self.point == Some(self.last) {
            self.asked = Some(moment().name);
        }
    }
}

impl Search for Injector {
    fn again(&mut self) {
        self.random = Random::new(self.seed);
        self.taken.clear();
        self.asked = None;
        if self.first {
            self.points.clear();
        }
    }

    fn end(&mut self, _: &[(TaskId, ObjectId)]) -> bool {
        if std::mem::take(&mut self.first) {
            let (all, (nth, of)) = (self.points.len(), self.share);
            let most = self.most.min(all);
            self.points = (nth..most).step_by(of).map(|n| self.points[n * all / most]).collect();
        }
        self.again();
        self.point = self.points.pop();
        self.point.is_some()
    }
}
