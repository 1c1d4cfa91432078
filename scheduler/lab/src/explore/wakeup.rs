//! Wakeup trees: which beginnings of runs are still to be explored from one state on.
//!
//! Abdulla, Aronis, Jonsson, Sagonas: "Source Sets: A Foundation for Optimal Dynamic Partial Order
//! Reduction", J. ACM 64(4), 2017, section 6. A tree is ordered: branches are explored from the first
//! to the last, and a new sequence is added only if no branch before it leads to the same traces.

use super::access::{Footprint, TaskId};
use super::race::Event;

/// One step of a sequence, as far as it is known.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) task: TaskId,
    pub(crate) footprint: Footprint,
}

/// Some steps, and what may come after them. A leaf goes on as it likes.
#[derive(Debug, Default)]
pub(crate) struct Branch {
    /// The first is the last in here.
    steps: Vec<Step>,
    then: Vec<Branch>,
}

impl Branch {
    pub(crate) fn new(mut steps: Vec<Step>) -> Self {
        steps.reverse();
        Branch { steps, then: Vec::new() }
    }

    /// Its first step; only a branch that goes on after all its own has none.
    pub(crate) fn first(&self) -> Option<&Step> {
        self.steps.last()
    }

    /// Takes out its first step, and what could come in place of that, unless it goes on as it likes.
    pub(crate) fn next(&mut self) -> Option<(Step, Vec<Branch>)> {
        if let Some(step) = self.steps.pop() {
            return Some((step, Vec::new()));
        }
        let mut rest = std::mem::take(&mut self.then);
        if !rest.is_empty() {
            *self = rest.remove(0);
        }
        Some((self.steps.pop()?, rest))
    }
}

/// Steps one after the other.
pub(crate) trait Sequence {
    fn len(&self) -> usize;
    /// The step at a place.
    fn at(&self, place: usize) -> (TaskId, &Footprint);
}

impl Sequence for [Step] {
    fn len(&self) -> usize {
        self.len()
    }

    fn at(&self, place: usize) -> (TaskId, &Footprint) {
        (self[place].task, &self[place].footprint)
    }
}

/// Some of the steps that a run took, and then another.
pub(crate) struct Taken<'a> {
    pub(crate) events: &'a [Event],
    /// Places in the run.
    pub(crate) kept: &'a [usize],
    pub(crate) second: &'a Step,
}

impl Taken<'_> {
    pub(crate) fn to_steps(&self) -> Vec<Step> {
        let step = |place| {
            let (task, footprint) = self.at(place);
            Step { task, footprint: footprint.clone() }
        };
        (0..self.len()).map(step).collect()
    }
}

impl Sequence for Taken<'_> {
    fn len(&self) -> usize {
        self.kept.len() + 1
    }

    fn at(&self, place: usize) -> (TaskId, &Footprint) {
        match self.kept.get(place) {
            Some(at) => (self.events[*at].task, &self.events[*at].footprint),
            None => (self.second.task, &self.second.footprint),
        }
    }
}

/// Whether some continuation of `sequence` is equivalent to a run that begins with `step`: its task
/// is a weak initial of the sequence. If so, tells where in the sequence the task's step is, if it
/// is there.
pub(crate) fn weak_initial(step: &Step, sequence: &(impl Sequence + ?Sized)) -> Option<Option<usize>> {
    let at = (0..sequence.len()).find(|at| sequence.at(*at).0 == step.task);
    let (own, before) = match at {
        Some(at) => (sequence.at(at).1, at),
        None => (&step.footprint, sequence.len()),
    };
    let apart = !(0..before).any(|at| sequence.at(at).1.conflicts(own));
    apart.then_some(at)
}

/// Adds `sequence` unless the tree covers it already.
pub(crate) fn insert(tree: &mut Vec<Branch>, mut sequence: Vec<Step>) {
    let mut tree = tree;
    while let Some((branch, at)) = tree
        .iter()
        .enumerate()
        .find_map(|(branch, head)| Some((branch, weak_initial(head.first()?, &sequence[..])?)))
    {
        if let Some(at) = at {
            sequence.remove(at);
        }
        let branch = &mut tree[branch];
        // How many steps of the branch the sequence need not take any more.
        let mut covered = 1;
        for step in branch.steps.iter().rev().skip(1) {
            if sequence.is_empty() {
                return;
            }
            let Some(at) = weak_initial(step, &sequence[..]) else { break };
            if let Some(at) = at {
                sequence.remove(at);
            }
            covered += 1;
        }
        if sequence.is_empty() {
            return;
        }
        if covered < branch.steps.len() {
            let others = branch.steps.split_off(branch.steps.len() - covered);
            let steps = std::mem::replace(&mut branch.steps, others);
            let then = std::mem::take(&mut branch.then);
            branch.then = vec![Branch { steps, then }, Branch::new(sequence)];
            return;
        }
        if branch.then.is_empty() {
            return;
        }
        tree = &mut branch.then;
    }
    tree.push(Branch::new(sequence));
}
