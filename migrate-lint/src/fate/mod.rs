//! What becomes of the handle of a task that is started.
//!
//! A task is *unscoped* if on some path, `?`, a panic and cancellation of the
//! starting future included, it goes on with no owner that aborts or awaits
//! it. The fate of its handle decides that; the words here are those of
//! reports, of the JSON form, and of the hand-made labels.

mod calls;
mod endless;
mod flow;
mod place;
mod uses;

pub(crate) use endless::{is_endless, is_left};

use crate::kin::{Kin, Owner};
use crate::sites::Site;
use crate::types::{At, World};
use flow::{Flow, Steps, Went};
use std::fmt;

/// What becomes of a task's handle.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Fate {
    /// Nobody keeps it: the task is detached, at once or when a local goes
    /// out of scope that is neither awaited nor aborted.
    Dropped,
    /// `mem::forget`, `Box::leak` and their like.
    Forgotten,
    /// Awaited by the function that started the task, on its ordinary path.
    Awaited,
    /// Aborted by that function, and not awaited.
    Aborted,
    /// In a `JoinSet`, which aborts its tasks when it is dropped.
    JoinSet,
    /// In a `LocalSet`, which drops its tasks when it is dropped.
    LocalSet,
    /// In a `TaskTracker`, which only counts its tasks.
    TaskTracker,
    /// In a value that aborts the task when it is dropped.
    Wrapped,
    /// In a value that outlives the function, whose `Drop` aborts the task.
    StoredAborting,
    /// In a value that outlives the function and does not abort the task.
    Stored,
    /// The caller's.
    Returned,
    /// Given to another function or task.
    Passed,
}

impl Fate {
    /// Every fate, in the order of reports.
    pub const ALL: [Fate; 12] = [
        Fate::Dropped,
        Fate::Forgotten,
        Fate::Awaited,
        Fate::Aborted,
        Fate::JoinSet,
        Fate::LocalSet,
        Fate::TaskTracker,
        Fate::Wrapped,
        Fate::StoredAborting,
        Fate::Stored,
        Fate::Returned,
        Fate::Passed,
    ];

    /// Its name in reports, JSON and labels.
    pub fn name(self) -> &'static str {
        match self {
            Fate::Dropped => "dropped",
            Fate::Forgotten => "forgotten",
            Fate::Awaited => "awaited",
            Fate::Aborted => "aborted",
            Fate::JoinSet => "join_set",
            Fate::LocalSet => "local_set",
            Fate::TaskTracker => "task_tracker",
            Fate::Wrapped => "wrapped",
            Fate::StoredAborting => "stored_aborting",
            Fate::Stored => "stored",
            Fate::Returned => "returned",
            Fate::Passed => "passed",
        }
    }

    /// The fate of this name.
    pub fn of_name(name: &str) -> Option<Fate> {
        Fate::ALL.into_iter().find(|fate| fate.name() == name)
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A fate, and what decided it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    /// What becomes of the handle.
    pub fate: Fate,
    /// The await, the assignment, the call that decides it.
    pub by: At,
}

/// What becomes of the handle of the task that `site` starts, or why that
/// cannot be told.
pub(crate) fn fate_of(world: &World<'_>, site: &Site, kin: &Kin) -> Result<Found, String> {
    let owned = |fate| Ok(Found { fate, by: site.at });
    match kin.owner {
        Owner::JoinSet => return owned(Fate::JoinSet),
        Owner::LocalSet => return owned(Fate::LocalSet),
        Owner::TaskTracker => return owned(Fate::TaskTracker),
        Owner::Handle => {}
    }
    let mut flow = Flow::new(world);
    let went = if site.is_call { flow.value(site.at, &Steps::new()) } else { flow.of_function(site.at) };
    match went {
        Went::To(fate, by) => Ok(Found { fate, by }),
        Went::Nowhere => Ok(Found { fate: Fate::Dropped, by: site.at }),
        Went::Lost(why) => Err(why.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        for fate in Fate::ALL {
            assert_eq!(Fate::of_name(fate.name()), Some(fate));
        }
        assert_eq!(Fate::of_name("lost"), None);
    }
}
