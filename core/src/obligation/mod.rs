//! Obligations: what is reserved must be resolved.
//!
//! Room in a channel, a loan, a message that is being worked on, a caller who waits: each is
//! something that was taken from somebody, and must be committed or given back. Four kinds:
//!
//! | kind | as promised | otherwise | where |
//! |---|---|---|---|
//! | permit | `send` | `abort` | [`mpsc`], [`oneshot`] |
//! | lease | `complete` | `abort` | [`Lease`] |
//! | delivery | `ack` | `nack` | [`delivery`] |
//! | reply | `answer` | `abort` | [`call`] |
//!
//! # Protocol
//! 1. **Hold.** `with_permit`, [`hold`], or with `?` in it `try_with_permit`, [`try_hold`], gives a
//!    closure the obligation as a [`Held`]. The closure can return only with a [`Done`], and only
//!    resolving *this* obligation makes one: a path that forgets it does not compile.
//! 2. **Resolve**, or leave by force: a cancel, a panic or a drop of the future aborts.
//! 3. **Detach**, to let something else resolve it: [`Held::detach`] gives a [`Detached`] that owns
//!    itself and may go anywhere, and enters it into the ledger of the region.
//! 4. **Settle.** When the region closes, its finalizers may still resolve what was detached in it.
//!    What is left after them is aborted, the last detached first, and reported with its kind and
//!    the line that detached it.
//!
//! ```
//! use asupersync::{Cx, Outcome, Region, channel::mpsc};
//!
//! #[asupersync::main]
//! async fn main(cx: &Cx) -> Outcome<()> {
//!     let (tx, mut rx) = mpsc::channel(4);
//!     let opened = Region::builder("work").open_with_report(cx, async |cx| {
//!         // Every path ends with a receipt.
//!         tx.with_permit(cx, async |permit| {
//!             if cx.is_cancelled() {
//!                 return permit.abort();
//!             }
//!             permit.send("work")
//!         })
//!         .await?;
//!         // Reserved now, sent at the very end.
//!         let goodbye = tx
//!             .with_permit(cx, async |permit| {
//!                 let (permit, done) = permit.detach();
//!                 done.with(permit)
//!             })
//!             .await?;
//!         cx.defer(async move |_| Ok(goodbye.send("goodbye")?))?;
//!         Ok(())
//!     });
//!     let (outcome, report) = opened.await;
//!     assert_eq!((report.totals.obligations, report.totals.obligations_committed), (1, 1));
//!     assert_eq!((rx.try_recv(), rx.try_recv()), (Some("work"), Some("goodbye")));
//!     outcome
//! }
//! ```
//!
//! # Invariants
//! 1. A [`Done`] exists only after its obligation was committed, aborted or detached, once. It
//!    carries the brand of its call, so no other call accepts it.
//! 2. An obligation that is held lives in the frame of its call, not in the [`Held`]: forgetting the
//!    [`Held`] cannot leak it.
//! 3. One that is detached is resolved exactly once: whoever takes it out of the cell that it shares
//!    with the ledger commits or aborts it. Its entry is struck after that.
//! 4. A region's ledger is empty when the region is Closed. Nothing is entered once it finalizes.
//!
//! # Why finalizers come first
//! Finalizers are where the last word is said: one that was registered with a detached permit must
//! find it usable. The other order would abort every such permit, and a finalizer could hold nothing.
//! The price is that a finalizer cannot wait for an unresolved obligation to come back; a drain can,
//! so what must come back before the finalizers belongs to a task of the region.
//!
//! # When it does not compile
//! - *expected `Done`, found `()`*: a path ends without a receipt. At an early `return;` rustc adds
//!   a misleading hint, to remove a semicolon or to give the closure another return type: return
//!   `held.abort()` instead.
//! - *use of moved value*: it is resolved twice, or in a loop that does not leave after it.
//! - *the `?` operator can only be used in ..*: use the `try_` form, and `held.or_abort(result)?`.
//! - *`?` couldn't convert the error to `Aborted`*: the same bridge, for this `?` too.
//! - *lifetime may not live long enough*, *borrowed data escapes*: it is kept or sent away, or the
//!   receipt of another call is returned: [`detach`](Held::detach) it.
//! - *`..` cannot be sent between threads safely*: the body holds something that is not `Send` while
//!   it waits.
//!
//! # What the compiler cannot see
//! A body that never ends (`loop` without a way out, `pending().await`) needs no receipt; it holds
//! the obligation until it is cancelled, which aborts. `mem::forget` of a [`Detached`] leaks it until
//! its region closes. A future that is itself forgotten half-way (`mem::forget(tx.with_permit(..))`,
//! polled) leaks its obligation for good: such a future is on nobody's account.
//!
//! [`mpsc`]: crate::channel::mpsc::Sender::with_permit
//! [`oneshot`]: crate::channel::oneshot::Sender::with_permit
//! [`delivery`]: crate::channel::delivery
//! [`call`]: crate::channel::call

mod detached;
mod held;
pub mod kind;
mod lease;
mod receipt;

pub use detached::{Detached, Expired};
pub use held::{Held, Obligation, PermitFn, TryPermitFn, hold, try_hold};
pub use kind::{Kind, Resolution};
pub use lease::Lease;
pub use receipt::{Aborted, Done};
