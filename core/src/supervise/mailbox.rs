//! What children tell their supervisor.
//!
//! Invariant: a running child has at most two notes here, that it is ready and that it ended, so
//! the queue is no longer than twice their number.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::policy::ChildId;
use crate::cancel::{Cancelled, Reason, ReasonKind};
use crate::lock::{Mutex, lock};
use crate::outcome::Outcome;

/// One thing a child tells.
pub(super) enum Note {
    /// That its `run`th start has succeeded.
    Ready { id: ChildId, run: u64 },
    /// That nothing of it is left.
    Ended { id: ChildId, outcome: Outcome },
}

/// Many children, one supervisor.
#[derive(Clone, Default)]
pub(super) struct Mailbox(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    notes: VecDeque<Note>,
    reader: Option<Waker>,
}

impl Mailbox {
    fn tell(&self, note: Note) {
        let mut inner = lock(&self.0);
        inner.notes.push_back(note);
        let reader = inner.reader.take();
        drop(inner);
        reader.into_iter().for_each(Waker::wake);
    }

    /// The next note, in the order in which they came.
    pub(super) fn poll(&self, task: &mut Context<'_>) -> Poll<Note> {
        let mut inner = lock(&self.0);
        if let Some(note) = inner.notes.pop_front() {
            return Poll::Ready(note);
        }
        let stale = inner.reader.replace(task.waker().clone());
        drop(inner);
        drop(stale);
        Poll::Pending
    }
}

/// Tells the supervisor that the child has started well; children after it wait for that.
///
/// Dropped without a word, it tells nothing: they wait on, until the child signals after a restart,
/// or is done.
#[must_use = "children started later wait for `signal`"]
pub struct Ready {
    mailbox: Mailbox,
    id: ChildId,
    run: u64,
}

impl Ready {
    pub(super) fn new(mailbox: Mailbox, id: ChildId, run: u64) -> Self {
        Ready { mailbox, id, run }
    }

    /// The child is ready. Does not wait.
    pub fn signal(self) {
        self.mailbox.tell(Note::Ready { id: self.id, run: self.run });
    }
}

/// Tells of the child's end when it is dropped, so however the child's task ends.
pub(super) struct LastWill {
    mailbox: Mailbox,
    id: ChildId,
    outcome: Option<Outcome>,
}

impl LastWill {
    pub(super) fn new(mailbox: Mailbox, id: ChildId) -> Self {
        LastWill { mailbox, id, outcome: None }
    }

    /// The child ended like this.
    pub(super) fn tell(mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }
}

impl Drop for LastWill {
    fn drop(&mut self) {
        let dropped = || Err(Cancelled::new(Reason::new(ReasonKind::HandleDropped)).into());
        let outcome = self.outcome.take().unwrap_or_else(dropped);
        self.mailbox.tell(Note::Ended { id: self.id, outcome });
    }
}
