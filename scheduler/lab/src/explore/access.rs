//! What a step touched: the footprint by which two steps of different tasks are told dependent.

use std::rc::Rc;

/// A task of the program that is explored. The same task has the same number in every run.
pub type TaskId = usize;

/// Something that steps touch. The same object has the same number in every run.
pub type ObjectId = usize;

/// How a step touched an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It looked. Two that only look commute.
    Read,
    /// It changed it, or may have: an equal value is a write too.
    Write,
    /// It took a lock, which was free.
    Acquire,
    /// It gave a lock back.
    Release,
}

/// One touch of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// What was touched.
    pub object: ObjectId,
    /// How.
    pub kind: Kind,
    /// What value was there, and what was left. Steps that are only observed say 0.
    pub(crate) found: u64,
    pub(crate) left: u64,
    /// It writes only where it finds this value.
    pub(crate) expects: Option<u64>,
}

impl Access {
    /// A touch that is no comparison, of an object whose value nobody asks for.
    pub fn new(object: ObjectId, kind: Kind) -> Self {
        Access { object, kind, found: 0, left: 0, expects: None }
    }

    fn conflicts(&self, other: &Access) -> bool {
        self.object == other.object && (self.kind, other.kind) != (Kind::Read, Kind::Read)
    }
}

/// All that a step touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Footprint {
    /// One access, which was known before the step: wherever the task takes this step, it touches
    /// this object. Only whether a comparison writes depends on the schedule.
    Announced(Access),
    /// What a step turned out to touch. In another schedule it may touch something else.
    Observed(Rc<[Access]>),
    /// A step that only comes when no other can: the passing of time, which writes the clock and each timer
    /// that is due. It has no other place, so that it counts as touching everything.
    Barrier,
    /// A step that was not taken yet, and may touch anything.
    Unknown,
}

impl Footprint {
    pub(crate) fn accesses(&self) -> &[Access] {
        match self {
            Footprint::Announced(access) => std::slice::from_ref(access),
            Footprint::Observed(accesses) => accesses,
            Footprint::Barrier | Footprint::Unknown => &[],
        }
    }

    /// Whether the order of two such steps of different tasks can matter.
    pub(crate) fn conflicts(&self, other: &Footprint) -> bool {
        match (self, other) {
            (Footprint::Barrier | Footprint::Unknown, _) | (_, Footprint::Barrier | Footprint::Unknown) => {
                true
            }
            (Footprint::Announced(a), Footprint::Announced(b)) => a.conflicts(b),
            (a, b) => a.accesses().iter().any(|a| b.accesses().iter().any(|b| a.conflicts(b))),
        }
    }
}
