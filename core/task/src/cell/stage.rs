//! The stage: the future, then its outcome, then nothing, in one place.
//!
//! Who may touch it, and when, is in the safety case; here is what they do.
//! These are the only places where user code runs while a field is claimed.

use super::Cell;
use crate::error::JoinError;
use crate::task::TaskRef;
use crate::unwind::contain;
use crate::work::Work;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;

/// What the stage holds, in this order and never back; while the task is being made, nothing.
pub(crate) enum Stage<F, T> {
    Future(F),
    Outcome(Result<T, JoinError>),
    Empty,
}

impl<F: Work<M>, M> Cell<F, M> {
    /// One poll, or the payload of its panic.
    ///
    /// # Safety
    ///
    /// The stage is the caller's, and the cell, which is `task`'s, never moves again.
    pub(crate) unsafe fn poll(
        &self,
        task: &TaskRef<M>,
        cx: &mut Context<'_>,
    ) -> thread::Result<Poll<F::Output>> {
        self.stage.with_mut(|stage| {
            // SAFETY: the stage is the caller's.
            let Stage::Future(future) = (unsafe { &mut *stage }) else {
                unreachable!("a task that is not complete has its future");
            };
            // SAFETY: the cell never moves, and the future is dropped in place.
            let future = unsafe { Pin::new_unchecked(future) };
            // Unwind safety: a future that panicked is dropped, never polled.
            catch_unwind(AssertUnwindSafe(|| future.poll_with(task, cx)))
        })
    }

    /// Puts the future into the stage of a cell that is being made.
    ///
    /// # Safety
    ///
    /// The stage is the caller's, and empty.
    pub(crate) unsafe fn put(&self, future: F) {
        self.stage.with_mut(|stage| {
            // SAFETY: the stage is the caller's, and nothing is in it that would have to be dropped.
            unsafe { stage.write(Stage::Future(future)) }
        });
    }

    /// Drops what the stage holds, in place, and puts `next` there.
    ///
    /// # Safety
    ///
    /// The stage is the caller's.
    pub(crate) unsafe fn replace_stage(&self, next: Stage<F, F::Output>) {
        self.stage.with_mut(|stage| {
            contain(|| {
                // SAFETY: the stage is the caller's and valid; what is left
                // of it after its drop is overwritten below, panic or not.
                unsafe { stage.drop_in_place() }
            });
            // SAFETY: the stage is the caller's, its content was dropped.
            unsafe { stage.write(next) }
        });
    }

    /// The outcome, unless it was taken before.
    ///
    /// # Safety
    ///
    /// The stage is the caller's, and the task is complete.
    pub(crate) unsafe fn take_outcome(&self) -> Option<Result<F::Output, JoinError>> {
        let stage = self.stage.with_mut(|stage| {
            // SAFETY: the stage is the caller's; as the task is complete, it
            // holds no future, which would have to stay where it is.
            unsafe { stage.replace(Stage::Empty) }
        });
        match stage {
            Stage::Outcome(outcome) => Some(outcome),
            Stage::Empty => None,
            Stage::Future(_) => unreachable!("a task that is complete has no future"),
        }
    }
}
