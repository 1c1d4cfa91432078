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
use std::task::{Context, Poll, Waker, ready};

use super::awaits::{Note, Notes};
use super::scope::ScopeRef;
use super::turn::Turn;
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
    note: Note,
    interest: Interest,
}

impl<'a> Watch<'a> {
    /// For whoever waits for what `note` says, unless the scope's level ends that.
    pub(crate) fn new(scope: &'a ScopeRef, note: Note) -> Self {
        Watch { scope, note, interest: Interest::default() }
    }

    /// Ready once the scope's level is at least `at`.
    pub(crate) fn poll(&mut self, at: Level, cx: &mut Context<'_>) -> Poll<Cancelled> {
        self.interest.poll(self.scope, self.note, at, cx)
    }

    /// As [`Interest::poll_op`].
    #[inline]
    pub(crate) fn poll_op<T, E: From<Cancelled>>(
        &mut self,
        at: Level,
        task: &mut Context<'_>,
        poll: impl FnMut(&mut Context<'_>) -> Poll<Result<T, E>>,
    ) -> Poll<Result<T, E>> {
        self.interest.poll_op(self.scope, self.note, at, task, poll)
    }
}

impl Drop for Watch<'_> {
    #[inline]
    fn drop(&mut self) {
        self.interest.end(self.scope, self.note);
    }
}

/// What a wait is to remember of itself. Whoever has it knows the scope, and the note, which are the same each
/// time; and [ends](Self::end) it.
#[derive(Default)]
pub(crate) struct Interest {
    /// The key of its waker there, and one: each task that waits has room for this.
    key: Option<NonZero<u32>>,
    /// It is noted in the scope itself.
    at_home: bool,
    turn: Turn,
    /// What it waits for was found ahead when it was made, and need not be looked for when it is first polled.
    ahead: bool,
}

impl Interest {
    pub(crate) fn new(ahead: bool) -> Self {
        Interest { ahead, ..Interest::default() }
    }

    /// That is known, this time.
    pub(crate) fn take_ahead(&mut self) -> bool {
        std::mem::take(&mut self.ahead)
    }

    /// One operation of the given class: see [`Cx::op`](crate::cx::Cx::op).
    #[inline]
    pub(crate) fn poll_op<T, E: From<Cancelled>>(
        &mut self,
        scope: &ScopeRef,
        note: Note,
        at: Level,
        task: &mut Context<'_>,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<Result<T, E>>,
    ) -> Poll<Result<T, E>> {
        ready!(self.turn.poll_begin(scope, task));
        let polled = if scope.level() >= at {
            Poll::Ready(Err(scope.cancelled().into()))
        } else if let Poll::Ready(done) = poll(task) {
            Poll::Ready(done)
        } else {
            self.poll(scope, note, at, task).map(|cancelled| Err(cancelled.into()))
        };
        if polled.is_ready() {
            scope.count_ready();
        }
        polled
    }

    /// Ready once the scope's level is at least `at`.
    #[inline]
    fn poll(&mut self, scope: &ScopeRef, note: Note, at: Level, cx: &mut Context<'_>) -> Poll<Cancelled> {
        if scope.level() >= at {
            return Poll::Ready(scope.cancelled());
        }
        // A request wakes the task itself, so its own waker need not be kept. The level is stored
        // before that wake, and a wake during this poll makes the task be polled again.
        if scope.is_home_of(cx.waker()) {
            self.at_home = true;
            scope.note.begin(note);
            return Poll::Pending;
        }
        self.poll_as_guest(scope, note, at, cx)
    }

    #[cold]
    fn poll_as_guest(
        &mut self,
        scope: &ScopeRef,
        note: Note,
        at: Level,
        cx: &mut Context<'_>,
    ) -> Poll<Cancelled> {
        let waker = cx.waker().clone();
        let mut inner = lock(&scope.inner);
        if scope.level_in(&inner) >= at {
            drop(inner);
            return Poll::Ready(scope.cancelled());
        }
        let waiters = &mut inner.rare().waiters;
        let before = match self.key {
            Some(key) => Some(std::mem::replace(&mut waiters[index(key)], waker)),
            None => {
                self.key = Some(key(waiters.insert(waker)));
                None
            }
        };
        drop(inner);
        if let Some(before) = before {
            scope.note_of(&before).end(note);
        }
        scope.note_of(cx.waker()).begin(note);
        Poll::Pending
    }

    /// The wait is over. Most operations never had to wait.
    #[inline]
    pub(crate) fn end(&mut self, scope: &ScopeRef, note: Note) {
        if self.at_home {
            scope.note.end(note);
        }
        if self.key.is_some() {
            self.withdraw(scope, note);
        }
    }

    #[cold]
    fn withdraw(&mut self, scope: &ScopeRef, note: Note) {
        if let Some(key) = self.key.take() {
            let waker = lock(&scope.inner).rare().waiters.remove(index(key));
            scope.note_of(&waker).end(note);
            drop(waker);
        }
    }
}

fn key(index: usize) -> NonZero<u32> {
    u32::try_from(index + 1)
        .ok()
        .and_then(NonZero::new)
        .expect("fewer wait in one scope than memory has room for")
}

fn index(key: NonZero<u32>) -> usize {
    key.get() as usize - 1
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
