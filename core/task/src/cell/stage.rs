//! The stage: the future, then its outcome, then nothing, in one place.
//!
//! Nothing here tells which of them it is: whoever may touch the stage knows.
//!
//! | when | the stage holds |
//! |---|---|
//! | the task is being made | nothing, and then its future |
//! | it was made, and is not complete | its future |
//! | COMPLETE | its outcome, until the party to which that belongs has taken or dropped it |
//!
//! Who may touch it, and when, is in the safety case; here is what they do.
//! These are the only places where user code runs while a field is claimed.

use super::Cell;
use crate::error::JoinError;
use crate::task::TaskRef;
use crate::unwind::contain;
use crate::work::Work;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;

/// What the stage holds, in this order and never back, each at its start. A union, so that each is moved to its
/// place and from there, and not the room for both.
#[repr(C)]
pub(crate) union Stage<F, T> {
    pub(crate) nothing: (),
    future: ManuallyDrop<F>,
    outcome: ManuallyDrop<Result<T, JoinError>>,
}

impl<F: Work<M>, M> Cell<F, M> {
    /// One poll, or the payload of its panic.
    ///
    /// # Safety
    ///
    /// The stage is the caller's, and holds the future; the cell, which is `task`'s, never moves again.
    pub(crate) unsafe fn poll(
        &self,
        task: &TaskRef<M>,
        cx: &mut Context<'_>,
    ) -> thread::Result<Poll<F::Output>> {
        self.stage.with_mut(|stage| {
            // SAFETY: the stage is the caller's, and the future is there.
            let future = unsafe { &mut *stage.cast::<F>() };
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
    /// The stage is the caller's, and holds nothing.
    pub(crate) unsafe fn put(&self, future: F) {
        self.stage.with_mut(|stage| {
            // SAFETY: the stage is the caller's, and nothing is in it that would have to be dropped.
            unsafe { stage.cast::<F>().write(future) }
        });
    }

    /// Drops the future, in place. Nothing is left.
    ///
    /// # Safety
    ///
    /// The stage is the caller's, and holds the future.
    pub(crate) unsafe fn drop_future(&self) {
        self.stage.with_mut(|stage| {
            contain(|| {
                // SAFETY: by the caller's word; nobody looks at what is left of it, panic or not.
                unsafe { stage.cast::<F>().drop_in_place() }
            });
        });
    }

    /// Drops the future, in place, and puts `outcome` there: `Life::complete` says why it is of that type.
    ///
    /// # Safety
    ///
    /// As [`drop_future`](Self::drop_future).
    #[inline(always)]
    pub(crate) unsafe fn end(&self, outcome: ManuallyDrop<Result<F::Output, JoinError>>) {
        // SAFETY: by the caller's word.
        unsafe { self.drop_future() };
        self.stage.with_mut(|stage| {
            // SAFETY: the stage is the caller's, its content was dropped.
            unsafe { stage.cast::<ManuallyDrop<Result<F::Output, JoinError>>>().write(outcome) }
        });
    }

    /// The outcome. Nothing is left.
    ///
    /// # Safety
    ///
    /// The stage is the caller's, and holds the outcome.
    pub(crate) unsafe fn take_outcome(&self) -> Result<F::Output, JoinError> {
        self.stage.with_mut(|stage| {
            // SAFETY: by the caller's word; this is the only time that it is read.
            unsafe { stage.cast::<Result<F::Output, JoinError>>().read() }
        })
    }
}
