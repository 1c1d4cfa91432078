//! Waiting for a scope's level, and telling what else is waited for.
//!
//! The task that polls in a scope is woken by the request itself (the scope's home). A future that is
//! polled under another waker leaves that waker with the scope, and takes it back when dropped.
//!
//! What is waited for is noted in the scope, or, if it is another task that waits in it, with that
//! task. The note ends when the wait is dropped.

use std::future::{Future, poll_fn};
use std::num::NonZero;
use std::pin::pin;
use std::sync::atomic::AtomicU64;
use std::task::{Context, Poll, Waker};

use super::awaits::{Note, Notes};
use super::scope::ScopeRef;
use super::{Cancelled, Level};
use crate::lock::lock;

impl ScopeRef {
    /// Notes a wait that nothing here ends, if it is of the task that polls in this scope.
    pub(crate) fn begin_at_home(&self, note: Note, waker: &Waker) {
        if self.is_home_of(waker) {
            self.note.begin(note);
        }
    }

    pub(crate) fn end_at_home(&self, note: Note) {
        self.note.end(note);
    }

    /// Where a wait is noted that is not polled by the scope's own task.
    fn note_of<'a>(&'a self, waker: &'a Waker) -> &'a AtomicU64 {
        asupersync_task::note(waker).unwrap_or(&self.note)
    }
}

/// A future's interest in a scope; dropping it withdraws the interest.
pub(crate) struct Watch<'a> {
    scope: &'a ScopeRef,
    /// The key of its waker there, and one: each task that waits has room for this.
    key: Option<NonZero<usize>>,
    note: Note,
    /// It is noted in the scope itself.
    at_home: bool,
}

impl<'a> Watch<'a> {
    /// For whoever waits for what `note` says, unless the scope's level ends that.
    pub(crate) fn new(scope: &'a ScopeRef, note: Note) -> Self {
        Watch { scope, key: None, note, at_home: false }
    }

    pub(crate) fn scope(&self) -> &'a ScopeRef {
        self.scope
    }

    /// Ready once the scope's level is at least `at`.
    pub(crate) fn poll(&mut self, at: Level, cx: &mut Context<'_>) -> Poll<Cancelled> {
        if self.scope.level() >= at {
            return Poll::Ready(self.scope.cancelled());
        }
        // A request wakes the task itself, so its own waker need not be kept. The level is stored
        // before that wake, and a wake during this poll makes the task be polled again.
        if self.scope.is_home_of(cx.waker()) {
            self.at_home = true;
            self.scope.note.begin(self.note);
            return Poll::Pending;
        }
        let waker = cx.waker().clone();
        let mut inner = lock(&self.scope.inner);
        if self.scope.level_in(&inner) >= at {
            drop(inner);
            return Poll::Ready(self.scope.cancelled());
        }
        let before = match self.key {
            Some(key) => Some(std::mem::replace(&mut inner.rare().waiters[key.get() - 1], waker)),
            None => {
                self.key = NonZero::new(inner.rare().waiters.insert(waker) + 1);
                None
            }
        };
        drop(inner);
        if let Some(before) = before {
            self.scope.note_of(&before).end(self.note);
        }
        self.scope.note_of(cx.waker()).begin(self.note);
        Poll::Pending
    }
}

impl Drop for Watch<'_> {
    /// Most operations never had to wait.
    #[inline]
    fn drop(&mut self) {
        if self.at_home {
            self.scope.note.end(self.note);
        }
        if self.key.is_some() {
            self.withdraw();
        }
    }
}

impl Watch<'_> {
    #[cold]
    fn withdraw(&mut self) {
        if let Some(key) = self.key.take() {
            let waker = lock(&self.scope.inner).rare().waiters.remove(key.get() - 1);
            self.scope.note_of(&waker).end(self.note);
            drop(waker);
        }
    }
}

/// The next turn of whoever waits for it; the wait is noted if it is the task that polls in the scope.
pub(crate) struct NextTurn<'a> {
    scope: &'a ScopeRef,
    waits: bool,
}

impl ScopeRef {
    pub(crate) fn next_turn(&self) -> NextTurn<'_> {
        NextTurn { scope: self, waits: false }
    }
}

impl NextTurn<'_> {
    /// Ready the second time.
    #[inline]
    pub(crate) fn poll_next(&mut self, task: &mut Context<'_>) -> Poll<()> {
        if self.waits {
            return Poll::Ready(());
        }
        self.waits = true;
        self.scope.begin_at_home(Note::TURN, task.waker());
        task.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Drop for NextTurn<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.waits {
            self.scope.end_at_home(Note::TURN);
        }
    }
}

/// Awaits a future that the scope's level does not end, and notes what for.
pub(crate) async fn noted<F: Future>(scope: &ScopeRef, note: Note, future: F) -> F::Output {
    let mut future = pin!(future);
    let mut wait = Wait { scope, note, at_home: false, guest: None };
    poll_fn(|cx| {
        let polled = future.as_mut().poll(cx);
        if polled.is_pending() {
            wait.begin(cx.waker());
        }
        polled
    })
    .await
}

/// A wait that is noted; over when dropped.
struct Wait<'a> {
    scope: &'a ScopeRef,
    note: Note,
    at_home: bool,
    /// Of whoever waits but is not the scope's own task.
    guest: Option<Waker>,
}

impl Wait<'_> {
    fn begin(&mut self, waker: &Waker) {
        if self.scope.is_home_of(waker) {
            self.at_home = true;
            self.scope.note.begin(self.note);
            return;
        }
        if !self.guest.as_ref().is_some_and(|guest| guest.will_wake(waker)) {
            self.end();
            self.guest = Some(waker.clone());
        }
        self.scope.note_of(waker).begin(self.note);
    }

    fn end(&self) {
        if self.at_home {
            self.scope.note.end(self.note);
        }
        if let Some(guest) = &self.guest {
            self.scope.note_of(guest).end(self.note);
        }
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.end();
    }
}
