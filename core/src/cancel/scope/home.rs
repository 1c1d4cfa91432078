//! Who polls in a scope: the task that it is a part of, or who has left a waker.

use std::task::Waker;

use super::{Inner, ScopeRef};
use crate::lock::{Mutex, lock};
use crate::primitive::{AtomicUsize, Ordering};

/// Who polls in a scope that is no part of a task.
pub(super) struct Home {
    /// The waker's data pointer, for the quick test in `Watch::poll`; 0 when there is none. Stored under the
    /// lock. Whoever finds its own waker here stored it in an earlier step; to others it is a hint.
    data: AtomicUsize,
    /// Moves the task that polls in this scope into the Cancel lane. Who raises a scope looks here after it has
    /// stored the level, and who polls looks at the level after it has stored this.
    waker: Mutex<Option<Waker>>,
}

impl Home {
    pub(super) fn new(waker: Option<Waker>) -> Self {
        Home { data: AtomicUsize::new(waker.as_ref().map_or(0, address)), waker: Mutex::new(waker) }
    }

    fn set(&self, home: Option<Waker>) {
        let before = {
            let mut waker = lock(&self.waker);
            self.data.store(home.as_ref().map_or(0, address), Ordering::Relaxed);
            std::mem::replace(&mut *waker, home)
        };
        drop(before);
    }
}

impl ScopeRef {
    /// Who polls in it, by the data pointer of that waker; 0 if nobody does.
    pub(crate) fn home(&self) -> usize {
        match self {
            ScopeRef::Own(own) => own.home.data.load(Ordering::Relaxed),
            ScopeRef::OfTask(task) => task.id_addr(),
        }
    }

    pub(crate) fn is_home_of(&self, waker: &Waker) -> bool {
        let home = self.home();
        home != 0 && home == address(waker)
    }

    /// Names the waker that moves the task that polls in this scope into the Cancel lane. That of a task whose part
    /// it is has no other.
    pub(crate) fn set_home(&self, home: Waker) {
        if let ScopeRef::Own(own) = self {
            own.home.set(Some(home));
        }
    }

    /// Makes the task of `waker` the one that polls in this scope, unless it is.
    pub(crate) fn make_home_of(&self, waker: &Waker) {
        if self.home() != address(waker) {
            self.set_home(waker.clone());
        }
    }

    /// Forgets the task, whose memory the waker holds.
    pub(crate) fn clear_home(&self) {
        if let ScopeRef::Own(own) = self {
            own.home.set(None);
        }
    }

    /// Who polls in this scope.
    pub(crate) fn polled(&self, inner: &Inner) -> Option<Polled> {
        match self {
            ScopeRef::OfTask(_) if self.has_ended_in(inner) => None,
            ScopeRef::OfTask(_) => Some(Polled::ByTask),
            ScopeRef::Own(own) => lock(&own.home.waker).clone().map(Polled::Under),
        }
    }
}

/// Who polls in a scope.
pub(crate) enum Polled {
    /// The task that it is the scope of.
    ByTask,
    Under(Waker),
}

impl Polled {
    /// Moves the task that polls in `scope`, of which this is, into the Cancel lane.
    pub(crate) fn into_waker(self, scope: ScopeRef) -> Waker {
        match (self, scope) {
            (Polled::ByTask, ScopeRef::OfTask(task)) => task.into_promote_waker(),
            (Polled::Under(waker), _) => waker,
            (Polled::ByTask, ScopeRef::Own(_)) => unreachable!("it is no task's"),
        }
    }
}

/// What [`Watch`](crate::cancel::Watch) knows a waker by.
fn address(waker: &Waker) -> usize {
    waker.data() as usize
}
