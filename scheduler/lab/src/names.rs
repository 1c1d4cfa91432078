//! Numbers for tasks and objects that are the same in every order of the steps.
//!
//! A task is named by the task that started it and how many that had started before; an object by the
//! task that made it, likewise. The numbers are given in the order in which such names first appear, and
//! kept from run to run.

use std::collections::HashMap;

use crate::explore::{ObjectId, TaskId};

/// What makes time pass.
pub(crate) const CLOCK: TaskId = 0;

/// Whoever set the program up; takes no steps.
pub(crate) const OUTSIDE: TaskId = 1;

/// The host's clock as an object.
pub(crate) const TIME: ObjectId = 0;

#[derive(Default)]
pub(crate) struct Names {
    tasks: HashMap<(TaskId, u32), TaskId>,
    objects: HashMap<u64, ObjectId>,
}

impl Names {
    pub(crate) fn task(&mut self, starter: TaskId, nth: u32) -> TaskId {
        let next = OUTSIDE + 1 + self.tasks.len();
        *self.tasks.entry((starter, nth)).or_insert(next)
    }

    /// Whose step made an object, and which of that task's it is; nobody's if it was made beside the run.
    pub(crate) fn maker(&self, object: ObjectId) -> Option<(TaskId, u32)> {
        let (number, _) = self.objects.iter().find(|(_, known)| **known == object)?;
        let made = number >> 63 == 0;
        made.then_some(((number >> 32) as TaskId, *number as u32))
    }

    pub(crate) fn object(&mut self, number: u64) -> ObjectId {
        let next = TIME + 1 + self.objects.len();
        *self.objects.entry(number).or_insert(next)
    }
}
