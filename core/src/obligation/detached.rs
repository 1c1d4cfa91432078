//! A detached obligation: owned, free to move, and on its region's account.
//!
//! The thing itself is in a cell shared with the region's ledger, so that the region can abort it
//! when this value was forgotten, leaked, or is still about. Taking it out of the cell is the right
//! to resolve it: it is committed or aborted exactly once, and the ledger's entry is struck when
//! that is over.

use std::error::Error as StdError;
use std::fmt;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::{Arc, Weak};

use super::held::Obligation;
use super::kind::{self, Resolution, Verbs};
use crate::lock::{Mutex, lock};
use crate::region::{Abort, Aborting, Node};

/// An obligation to be resolved elsewhere; made by [`Held::detach`](super::Held::detach). Dropped,
/// it is aborted; leaked, its region aborts and reports it.
///
/// Its verbs are those of the held form. They fail if the region was faster.
#[must_use = "dropped, it is aborted"]
pub struct Detached<O: Obligation> {
    cell: Arc<Cell<O>>,
    /// Weak, or an obligation that is leaked would keep its region's memory.
    node: Weak<Node>,
    number: u64,
}

struct Cell<O>(Mutex<Option<O>>);

impl<O: Obligation> Abort for Cell<O> {
    fn abort(&self) -> Aborting {
        let taken = lock(&self.0).take();
        match taken.map(|obligation| catch_unwind(AssertUnwindSafe(|| drop(obligation)))) {
            None => Aborting::Taken,
            Some(Ok(())) => Aborting::Done,
            Some(Err(_)) => Aborting::Panicked,
        }
    }
}

/// Strikes the entry when the resolution is over, however it ends.
struct Settling<'a> {
    node: &'a Weak<Node>,
    number: u64,
    how: Resolution,
}

impl Drop for Settling<'_> {
    fn drop(&mut self) {
        if let Some(node) = self.node.upgrade() {
            node.resolved(self.number, self.how);
        }
    }
}

impl<O: Obligation> Detached<O> {
    pub(super) fn new(obligation: O, node: &Arc<Node>, site: &'static Location<'static>) -> Self {
        let cell = Arc::new(Cell(Mutex::new(Some(obligation))));
        match node.reserve(O::Kind::KIND, site, cell.clone()) {
            Some(number) => Detached { cell, node: Arc::downgrade(node), number },
            None => {
                let refused = lock(&cell.0).take();
                drop(refused);
                Detached { cell, node: Weak::new(), number: 0 }
            }
        }
    }

    /// The region has aborted it, or it was refused.
    ///
    /// ```
    /// # use asupersync::{Cx, Outcome, Region, channel::oneshot, obligation::hold};
    /// # #[asupersync::main]
    /// # async fn main(cx: &Cx) -> Outcome<()> {
    /// let permit = Region::open(cx, "short", async |cx| {
    ///     let (tx, _rx) = oneshot::channel::<u8>();
    ///     let permit = hold(cx, tx, async |permit| {
    ///         let (permit, done) = permit.detach();
    ///         done.with(permit)
    ///     })
    ///     .await;
    ///     assert!(!permit.is_expired());
    ///     Ok(permit)
    /// })
    /// .await?;
    /// assert!(permit.is_expired());
    /// assert_eq!(permit.send(7).unwrap_err().into_input(), 7);
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_expired(&self) -> bool {
        lock(&self.cell.0).is_none()
    }

    fn commit(self, input: O::Input) -> Result<O::Output, Expired<O::Input>> {
        let taken = lock(&self.cell.0).take();
        let Some(obligation) = taken else { return Err(Expired { input }) };
        let mut settling = Settling { node: &self.node, number: self.number, how: Resolution::Aborted };
        let output = obligation.commit(input);
        settling.how = Resolution::Committed;
        drop(settling);
        Ok(output)
    }

    /// Withdraws it, as a drop does.
    pub fn abort(self) {
        drop(self);
    }
}

impl<O: Obligation> Drop for Detached<O> {
    fn drop(&mut self) {
        let taken = lock(&self.cell.0).take();
        if let Some(obligation) = taken {
            let _settling = Settling { node: &self.node, number: self.number, how: Resolution::Aborted };
            drop(obligation);
        }
    }
}

impl<O: Obligation<Kind = kind::Permit>> Detached<O> {
    /// Sends.
    ///
    /// # Errors
    /// [`Expired`], with the value, if the region has aborted it.
    pub fn send(self, value: O::Input) -> Result<O::Output, Expired<O::Input>> {
        self.commit(value)
    }
}

impl<O: Obligation<Kind = kind::Lease, Input = ()>> Detached<O> {
    /// Gives it back, used as promised.
    ///
    /// # Errors
    /// [`Expired`] if the region has aborted it.
    pub fn complete(self) -> Result<O::Output, Expired<()>> {
        self.commit(())
    }
}

impl<O: Obligation<Kind = kind::Delivery, Input = ()>> Detached<O> {
    /// The message is dealt with.
    ///
    /// # Errors
    /// [`Expired`] if the region has aborted it, so that the message is delivered again.
    pub fn ack(self) -> Result<O::Output, Expired<()>> {
        self.commit(())
    }

    /// The message goes back, to be delivered again.
    pub fn nack(self) {
        self.abort();
    }
}

impl<O: Obligation<Kind = kind::Reply>> Detached<O> {
    /// Answers.
    ///
    /// # Errors
    /// [`Expired`], with the answer, if the region has aborted it.
    pub fn answer(self, answer: O::Input) -> Result<O::Output, Expired<O::Input>> {
        self.commit(answer)
    }
}

/// A detached obligation was not resolved: its region closed first, and aborted it.
pub struct Expired<I = ()> {
    input: I,
}

impl<I> Expired<I> {
    /// The value that was not sent, or the answer that was not given.
    pub fn into_input(self) -> I {
        self.input
    }
}

impl<I> fmt::Debug for Expired<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Expired(..)")
    }
}

impl<I> fmt::Display for Expired<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too late: the region that the obligation belongs to closed, and aborted it")
    }
}

impl<I> StdError for Expired<I> {}
