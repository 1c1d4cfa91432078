//! Numbers for tasks and objects that are the same in every order of the steps.
//!
//! A task is named by the task that started it and how many that had started before; an object by the
//! task that made it, likewise. The numbers are given in the order in which such names first appear, and
//! kept from run to run.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::explore::{ObjectId, TaskId};

/// What makes time pass.
pub(crate) const CLOCK: TaskId = 0;

/// Whoever set the program up; takes no steps.
pub(crate) const OUTSIDE: TaskId = 1;

/// The host's clock as an object.
pub(crate) const TIME: ObjectId = 0;

#[derive(Default)]
pub(crate) struct Names {
    tasks: HashMap<(TaskId, u32), TaskId, Fast>,
    objects: HashMap<u64, ObjectId, Fast>,
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

/// Hashes numbers that nobody chooses against us: a multiplication for each (Knuth, TAOCP 3, 6.4).
#[derive(Default)]
pub(crate) struct Multiply(u64);

pub(crate) type Fast = BuildHasherDefault<Multiply>;

impl Hasher for Multiply {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn finish(&self) -> u64 {
        // The table takes its place from the low bits, and the high ones are the good ones.
        self.0.rotate_left(26)
    }
}
