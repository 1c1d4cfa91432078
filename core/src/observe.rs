//! What the steps of tasks touch, for a host that tries their orders (feature `observe`).
//!
//! Two steps that touch no object in common, or only look at it, may as well come in the other order. Each
//! thing that tasks share has an [`Object`]; between `begin` and `end` its uses on this thread are recorded.
//! The number of an object is that of the task whose step made it, and how many that task had
//! made: the same in every order of the steps.
//!
//! Without the feature an `Object` has no size and none of this does anything.

#[cfg(feature = "observe")]
use std::cell::RefCell;
#[cfg(feature = "observe")]
use std::sync::atomic::{AtomicU64, Ordering};

/// Who a thing that tasks share is. Whatever uses that thing says so here.
#[derive(Debug)]
pub struct Object {
    #[cfg(feature = "observe")]
    number: u64,
}

impl Object {
    /// Another one, made by the current step.
    #[cfg_attr(feature = "observe", expect(clippy::new_without_default, reason = "each is another one"))]
    pub fn new() -> Self {
        Object {
            #[cfg(feature = "observe")]
            number: made(),
        }
    }

    /// The one of this name (below 2^62), whoever makes it: for what is there before the program runs, such as
    /// the ports of a host.
    #[cfg(feature = "observe")]
    pub fn named(name: u64) -> Self {
        Object { number: 1 << 62 | name }
    }

    /// Who it is: the same in every order of the steps if one of them made it.
    #[cfg(feature = "observe")]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// For what is made before the program runs. All such count as one, since nobody made them.
    pub(crate) const fn of_static() -> Self {
        Object {
            #[cfg(feature = "observe")]
            number: STATIC,
        }
    }

    /// This step has looked at it.
    #[inline]
    pub fn read(&self) {
        #[cfg(feature = "observe")]
        touch(self.number, false);
    }

    /// This step may have changed it.
    #[inline]
    pub fn write(&self) {
        #[cfg(feature = "observe")]
        touch(self.number, true);
    }
}

/// This thread records.
#[inline]
pub(crate) fn is_recording() -> bool {
    #[cfg(feature = "observe")]
    return RECORD.with_borrow(|record| record.on);
    #[cfg(not(feature = "observe"))]
    return false;
}

/// One use of one object.
#[cfg(feature = "observe")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Touch {
    /// The object's number.
    pub object: u64,
    /// It may have been changed; else it was looked at.
    pub write: bool,
}

/// What this thread records; kept for its memory.
#[cfg(feature = "observe")]
struct Record {
    on: bool,
    /// It keeps what is touched.
    keeps: bool,
    task: u32,
    made: u32,
    touches: Vec<Touch>,
}

#[cfg(feature = "observe")]
thread_local! {
    static RECORD: RefCell<Record> =
        const { RefCell::new(Record { on: false, keeps: false, task: 0, made: 0, touches: Vec::new() }) };
}

#[cfg(feature = "observe")]
const STATIC: u64 = u64::MAX;

/// Made while nobody records; these numbers have the highest bit.
#[cfg(feature = "observe")]
static ELSEWHERE: AtomicU64 = AtomicU64::new(1 << 63);

#[cfg(feature = "observe")]
fn made() -> u64 {
    RECORD.with_borrow_mut(|record| {
        if !record.on {
            return ELSEWHERE.fetch_add(1, Ordering::Relaxed);
        }
        record.made += 1;
        u64::from(record.task) << 32 | u64::from(record.made)
    })
}

#[cfg(feature = "observe")]
fn touch(object: u64, write: bool) {
    RECORD.with_borrow_mut(|record| {
        if record.keeps {
            record.touches.push(Touch { object, write });
        }
    });
}

/// From here on this thread records, as a step of `task` (below 2^30), which has made `made` objects. What it
/// touches is only kept if `keeps`.
#[cfg(feature = "observe")]
pub fn begin(task: u32, made: u32, keeps: bool) {
    RECORD.with_borrow_mut(|record| {
        (record.on, record.keeps, record.task, record.made) = (true, keeps, task, made);
        record.touches.clear();
    });
}

/// The step is over: tells how many objects its task has made by now, and what it touched, each object
/// once and in the order of their numbers. `tell` uses nothing that is shared.
#[cfg(feature = "observe")]
pub fn end<R>(tell: impl FnOnce(u32, &[Touch]) -> R) -> R {
    RECORD.with_borrow_mut(|record| {
        (record.on, record.keeps) = (false, false);
        record.touches.sort_unstable_by_key(|touch| (touch.object, !touch.write));
        record.touches.dedup_by_key(|touch| touch.object);
        tell(record.made, &record.touches)
    })
}
