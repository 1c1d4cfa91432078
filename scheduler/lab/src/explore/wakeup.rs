//! Wakeup trees: which beginnings of runs are still to be explored from one state on.
//!
//! Abdulla, Aronis, Jonsson, Sagonas: "Source Sets: A Foundation for Optimal Dynamic Partial Order
//! Reduction", J. ACM 64(4), 2017, section 6. A tree is ordered: branches are explored from the first
//! to the last, and a new sequence is added only if no branch before it leads to the same traces.

use super::access::{Footprint, TaskId};

/// One step of a sequence, as far as it is known.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) task: TaskId,
    pub(crate) footprint: Footprint,
}

/// A step, and what comes after it. A leaf goes on as it likes.
#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) step: Step,
    pub(crate) then: Vec<Branch>,
}

impl Branch {
    pub(crate) fn leaf(step: Step) -> Self {
        Branch { step, then: Vec::new() }
    }
}

/// Whether some continuation of `sequence` is equivalent to a run that begins with `step`: its task
/// is a weak initial of the sequence. If so, tells where in the sequence the task's step is, if it
/// is there.
pub(crate) fn weak_initial(step: &Step, sequence: &[Step]) -> Option<Option<usize>> {
    match sequence.iter().position(|other| other.task == step.task) {
        Some(at) => {
            let own = &sequence[at].footprint;
            let first = !sequence[..at].iter().any(|before| before.footprint.conflicts(own));
            first.then_some(Some(at))
        }
        None => {
            let apart = !sequence.iter().any(|other| other.footprint.conflicts(&step.footprint));
            apart.then_some(None)
        }
    }
}

/// Adds `sequence` unless the tree covers it already.
pub(crate) fn insert(tree: &mut Vec<Branch>, mut sequence: Vec<Step>) {
    let mut tree = tree;
    loop {
        let found = tree
            .iter()
            .enumerate()
            .find_map(|(branch, head)| Some((branch, weak_initial(&head.step, &sequence)?)));
        let Some((branch, at)) = found else { break };
        if let Some(at) = at {
            sequence.remove(at);
        }
        tree = &mut tree[branch].then;
        if sequence.is_empty() || tree.is_empty() {
            return;
        }
    }
    let mut chain = Vec::new();
    for step in sequence.into_iter().rev() {
        chain = vec![Branch { step, then: chain }];
    }
    tree.append(&mut chain);
}
