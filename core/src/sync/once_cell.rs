//! A value that is made once, by an asynchronous initialiser.
//!
//! Protocol: the one permit of `turn` is the right to make the value. Whoever ends without having
//! made it, in whatever way, gives the permit to the next in the queue. Once the value is there, as
//! many permits as anybody could want are added, and nobody waits for anybody any more.

use std::fmt;
use std::sync::OnceLock;

use super::semaphore::Semaphore;
use crate::body::TaskOutput;
use crate::cancel::Use;
use crate::cx::Cx;
use crate::outcome::Outcome;

/// A cell that is filled once.
///
/// FIFO: if an initialiser fails, panics or is cancelled, the first that waits runs its own.
///
/// ```
/// # use asupersync::{Cx, Outcome, sync::OnceCell};
/// # #[asupersync::main]
/// # async fn main(cx: &Cx) -> Outcome<()> {
/// static LIMIT: OnceCell<u32> = OnceCell::const_new();
/// let limit = LIMIT.get_or_init(cx, async |cx| {
///     cx.yield_now().await?;
///     Ok(7)
/// });
/// assert_eq!(*limit.await?, 7);
/// assert_eq!(LIMIT.get(), Some(&7));
/// # Ok(())
/// # }
/// ```
pub struct OnceCell<T> {
    turn: Semaphore,
    value: OnceLock<T>,
}

impl<T> OnceCell<T> {
    /// An empty cell.
    pub fn new() -> Self {
        OnceCell { turn: Semaphore::new(1), value: OnceLock::new() }
    }

    /// The same in a constant, for statics.
    #[cfg(not(loom))]
    pub const fn const_new() -> Self {
        OnceCell { turn: Semaphore::const_new(1), value: OnceLock::new() }
    }

    /// The value, if it is there.
    pub fn get(&self) -> Option<&T> {
        self.turn.object().read();
        self.value.get()
    }

    /// The value; if it is not there, `init` makes it, or is waited for where it is being made.
    /// `init` must not ask this cell for the value: it would wait for itself.
    ///
    /// # Errors
    /// That of `init`, if it is this one that ran; the cell stays empty then. `Cancelled` at
    /// Request, unless the value is there.
    ///
    /// # Cancel safety
    /// A waiter that leaves loses its place. An initialiser is dropped where it waits, and the next
    /// waiter runs its own.
    pub async fn get_or_init<C, R, F>(&self, cx: &Cx<C>, init: F) -> Outcome<&T>
    where
        R: TaskOutput<Ok = T>,
        F: AsyncFnOnce(&Cx<C>) -> R,
    {
        if let Some(value) = self.get() {
            return Ok(value);
        }
        let _turn = self.turn.acquire_as(Use::OnceCell, cx, 1).await?;
        if let Some(value) = self.get() {
            return Ok(value);
        }
        let value = init(cx).await.into_outcome()?;
        Ok(self.fill(value))
    }

    /// Fills the cell.
    ///
    /// # Errors
    /// The value, if there is one already, or if one is being made.
    pub fn set(&self, value: T) -> Result<(), T> {
        match self.turn.try_acquire(1) {
            Some(_turn) if self.get().is_none() => {
                self.fill(value);
                Ok(())
            }
            _ => Err(value),
        }
    }

    /// For whoever has the turn and found the cell empty.
    fn fill(&self, value: T) -> &T {
        self.turn.object().write();
        let value = self.value.get_or_init(|| value);
        self.turn.release(usize::MAX >> 1);
        value
    }

    /// The value, if it was there.
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }
}

impl<T> Default for OnceCell<T> {
    fn default() -> Self {
        OnceCell::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut cell = f.debug_tuple("OnceCell");
        match self.get() {
            Some(value) => cell.field(value),
            None => cell.field(&format_args!("<empty>")),
        };
        cell.finish()
    }
}
