//! A held obligation: linear, because the only way out of the closure that holds it is a receipt.
//!
//! The thing itself stays in the frame of [`hold`]; what the closure has is the right to resolve it.
//! So wherever the closure ends without having used that right, by a cancel, a panic, a drop, even
//! after a `mem::forget`, the frame's end aborts it.
//!
//! The argument of the closure names no lifetime but `'id`, and the future's `Send` is part of
//! [`PermitFn`]: otherwise a closure inside a `Send` task is refused with "implementation is not
//! general enough". The functions are no `async fn`, so that their signatures promise `Send`.

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::Location;

use super::detached::Detached;
use super::kind::{self, Verbs};
use super::receipt::{Aborted, Brand, Done};
use crate::caps::NoCaps;
use crate::cx::Cx;
use crate::outcome::{Failure, Outcome};

/// Something reserved that must be resolved: committed with an input, or, dropped, aborted.
///
/// A channel of your own takes part by implementing this for the room that it reserves, and
/// calling [`hold`].
///
/// # What an implementation must do
/// Dropping the value aborts it; [`commit`](Self::commit) does not. Neither waits.
///
/// ```
/// use asupersync::obligation::{Obligation, hold, kind};
/// use asupersync::{Cx, Outcome};
/// use std::sync::{Arc, Mutex};
///
/// /// A line of a log, which says so if it is never written.
/// struct Line(Option<Arc<Mutex<Vec<String>>>>);
///
/// impl Obligation for Line {
///     type Kind = kind::Permit;
///     type Input = &'static str;
///     type Output = ();
///     fn commit(mut self, text: &'static str) {
///         let log = self.0.take().expect("nobody else takes it");
///         log.lock().unwrap().push(text.to_owned());
///     }
/// }
///
/// impl Drop for Line {
///     fn drop(&mut self) {
///         if let Some(log) = &self.0 {
///             log.lock().unwrap().push("never written".to_owned());
///         }
///     }
/// }
///
/// #[asupersync::main]
/// async fn main(cx: &Cx) -> Outcome<()> {
///     let log = Arc::new(Mutex::new(Vec::new()));
///     hold(cx, Line(Some(log.clone())), async |line| line.send("hello")).await;
///     hold(cx, Line(Some(log.clone())), async |line| line.abort()).await;
///     assert_eq!(*log.lock().unwrap(), ["hello", "never written"]);
///     Ok(())
/// }
/// ```
pub trait Obligation: Sized + Send + 'static {
    /// Which verbs it has.
    type Kind: Verbs;
    /// What it is committed with: the value to send, the answer.
    type Input;
    /// What committing it returns.
    type Output: Send;
    /// Resolves it as promised.
    fn commit(self, input: Self::Input) -> Self::Output;
}

/// The right, and the duty, to resolve the obligation `O` of one call. Dropped, it is aborted.
///
/// | kind | as promised | otherwise |
/// |---|---|---|
/// | permit | [`send`](Held::send) | [`abort`](Held::abort) |
/// | lease | [`complete`](Held::complete) | [`abort`](Held::abort) |
/// | delivery | [`ack`](Held::ack) | [`nack`](Held::nack) |
/// | reply | [`answer`](Held::answer) | [`abort`](Held::abort) |
/// | any, to resolve it elsewhere | [`detach`](Held::detach) | |
#[must_use = "resolve it: the closure can end only with the receipt that this gives"]
pub struct Held<'id, O: Obligation> {
    /// Full for as long as this exists.
    slot: &'id mut Option<O>,
    cx: &'id Cx<NoCaps>,
    brand: Brand<'id>,
}

impl<'id, O: Obligation> Held<'id, O> {
    fn take(&mut self) -> O {
        self.slot.take().expect("a held obligation is taken once, by the method that consumes it")
    }

    /// What is held, for what its module adds to the verbs.
    pub(crate) fn obligation(&self) -> &O {
        self.slot.as_ref().expect("full for as long as this exists")
    }

    fn commit(mut self, input: O::Input) -> Done<'id, O::Output> {
        Done::new(self.take().commit(input))
    }

    /// Withdraws it.
    pub fn abort(self) -> Done<'id> {
        drop(self);
        Done::new(())
    }

    /// Withdraws it because of a failure, which [`try_hold`] returns.
    pub fn abort_with(self, failure: impl Into<Failure>) -> Aborted<'id> {
        drop(self);
        Aborted::new(failure.into())
    }

    /// The bridge of `?`: keeps the obligation if `result` has a value, else aborts it and leaves
    /// with the failure.
    ///
    /// # Errors
    /// That of `result`, with the proof that the obligation is aborted.
    ///
    /// ```
    /// # use asupersync::{Cx, Outcome, channel::mpsc};
    /// # #[asupersync::main]
    /// # async fn main(cx: &Cx) -> Outcome<()> {
    /// let (tx, mut rx) = mpsc::channel(1);
    /// let parse = async |text: &str| {
    ///     tx.try_with_permit(cx, async |permit| {
    ///         let (permit, number) = permit.or_abort(text.parse::<u8>())?;
    ///         Ok(permit.send(number))
    ///     })
    ///     .await
    /// };
    /// assert!(parse("no number").await.is_err());
    /// parse("7").await?;
    /// assert_eq!(rx.try_recv(), Some(7));
    /// # Ok(())
    /// # }
    /// ```
    pub fn or_abort<T, E: Into<Failure>>(self, result: Result<T, E>) -> Result<(Self, T), Aborted<'id>> {
        match result {
            Ok(value) => Ok((self, value)),
            Err(failure) => Err(self.abort_with(failure)),
        }
    }

    /// Takes it out of this call, to be resolved elsewhere: by another task, or a finalizer. From
    /// here on the region of the call's `Cx` keeps account of it: what is unresolved after the
    /// region's finalizers is aborted then, and named in the [`CloseReport`] with this line.
    ///
    /// A region that is finalizing takes no more: then the obligation is aborted at once, and
    /// whoever resolves it is told that it [expired](super::Expired).
    ///
    /// [`CloseReport`]: crate::region::CloseReport
    ///
    /// ```
    /// # use asupersync::{Cx, Outcome, channel::mpsc};
    /// # #[asupersync::main]
    /// # async fn main(cx: &Cx) -> Outcome<()> {
    /// let (tx, mut rx) = mpsc::channel(1);
    /// let permit = tx.with_permit(cx, async |permit| {
    ///     let (permit, done) = permit.detach();
    ///     done.with(permit)
    /// }).await?;
    /// cx.spawn("elsewhere", async move |_| Ok(permit.send(5)?)).join().await?;
    /// assert_eq!(rx.recv(cx).await?, Some(5));
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn detach(mut self) -> (Detached<O>, Done<'id>) {
        let obligation = self.take();
        (Detached::new(obligation, &self.cx.share_node(), Location::caller()), Done::new(()))
    }
}

impl<O: Obligation> Drop for Held<'_, O> {
    fn drop(&mut self) {
        let unresolved = self.slot.take();
        drop(unresolved);
    }
}

impl<'id, O: Obligation<Kind = kind::Permit>> Held<'id, O> {
    /// Sends.
    pub fn send(self, value: O::Input) -> Done<'id, O::Output> {
        self.commit(value)
    }
}

impl<'id, O: Obligation<Kind = kind::Lease, Input = ()>> Held<'id, O> {
    /// Gives it back, used as promised.
    pub fn complete(self) -> Done<'id, O::Output> {
        self.commit(())
    }
}

impl<'id, O: Obligation<Kind = kind::Delivery, Input = ()>> Held<'id, O> {
    /// The message is dealt with.
    pub fn ack(self) -> Done<'id, O::Output> {
        self.commit(())
    }

    /// The message goes back, to be delivered again.
    pub fn nack(self) -> Done<'id> {
        self.abort()
    }
}

impl<'id, O: Obligation<Kind = kind::Reply>> Held<'id, O> {
    /// Answers.
    pub fn answer(self, answer: O::Input) -> Done<'id, O::Output> {
        self.commit(answer)
    }
}

/// To what is held: the message of a delivery, the value of a lease.
impl<O: Obligation + Deref> Deref for Held<'_, O> {
    type Target = O::Target;
    fn deref(&self) -> &O::Target {
        self.obligation()
    }
}

impl<O: Obligation + DerefMut> DerefMut for Held<'_, O> {
    fn deref_mut(&mut self) -> &mut O::Target {
        self.slot.as_mut().expect("full for as long as this exists")
    }
}

/// A closure that holds an obligation: `async |held| ..`, ending with the receipt of `held`.
///
/// Implemented for every such closure; nobody implements it by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot hold an obligation",
    label = "not an `async |held| ..` that ends with a receipt and whose future is `Send`",
    note = "end every path with what `send`, `abort` and their kin return; keep nothing across an `.await` that is not `Send`"
)]
pub trait PermitFn<'id, O: Obligation, R>:
    AsyncFnOnce(Held<'id, O>) -> Done<'id, R> + FnOnce(Held<'id, O>) -> <Self as PermitFn<'id, O, R>>::Fut
{
    /// What the closure returns.
    type Fut: Future<Output = Done<'id, R>> + Send;
}

impl<'id, O, R, F, Fut> PermitFn<'id, O, R> for F
where
    O: Obligation,
    F: AsyncFnOnce(Held<'id, O>) -> Done<'id, R> + FnOnce(Held<'id, O>) -> Fut,
    Fut: Future<Output = Done<'id, R>> + Send,
{
    type Fut = Fut;
}

/// A closure that holds an obligation and may fail: ends with a receipt, or with the proof that the
/// obligation is aborted.
///
/// Implemented for every such closure; nobody implements it by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot hold an obligation",
    label = "not an `async |held| ..` that ends with `Ok(receipt)` or an `Aborted`, and whose future is `Send`",
    note = "write `async |held| {{ let (held, value) = held.or_abort(result)?; Ok(held.send(value)) }}`; keep nothing across an `.await` that is not `Send`"
)]
pub trait TryPermitFn<'id, O: Obligation, R>:
    AsyncFnOnce(Held<'id, O>) -> Result<Done<'id, R>, Aborted<'id>>
    + FnOnce(Held<'id, O>) -> <Self as TryPermitFn<'id, O, R>>::Fut
{
    /// What the closure returns.
    type Fut: Future<Output = Result<Done<'id, R>, Aborted<'id>>> + Send;
}

impl<'id, O, R, F, Fut> TryPermitFn<'id, O, R> for F
where
    O: Obligation,
    F: AsyncFnOnce(Held<'id, O>) -> Result<Done<'id, R>, Aborted<'id>> + FnOnce(Held<'id, O>) -> Fut,
    Fut: Future<Output = Result<Done<'id, R>, Aborted<'id>>> + Send,
{
    type Fut = Fut;
}

/// Runs `body` with an obligation that it must resolve: it can end only with a receipt.
///
/// This does not itself heed a request: what `body` awaits does.
///
/// # Cancel safety
/// Dropped, `body` is dropped and the obligation aborted.
///
/// ```
/// # use asupersync::{Cx, Outcome, channel::oneshot, obligation::hold};
/// # #[asupersync::main]
/// # async fn main(cx: &Cx) -> Outcome<()> {
/// // The sender of a oneshot channel is a permit that needs no waiting.
/// let (tx, mut rx) = oneshot::channel();
/// hold(cx, tx, async |permit| permit.send(7)).await;
/// assert_eq!(rx.recv(cx).await?, 7);
/// # Ok(())
/// # }
/// ```
pub fn hold<'s, C, O, R, F>(cx: &'s Cx<C>, obligation: O, body: F) -> impl Future<Output = R> + Send + 's
where
    C: 's,
    O: Obligation,
    R: Send + 's,
    F: for<'id> PermitFn<'id, O, R> + Send + 's,
{
    let cx = cx.bare();
    async move {
        let mut slot = Some(obligation);
        let held = Held { slot: &mut slot, cx, brand: PhantomData };
        body(held).await.into_value()
    }
}

/// [`hold`] for a `body` with `?` in it.
///
/// # Errors
/// The body's, which went through [`Held::or_abort`] or [`Held::abort_with`].
///
/// # Cancel safety
/// As [`hold`].
///
/// ```
/// # use asupersync::{Cx, Outcome, channel::oneshot, obligation::try_hold};
/// # #[asupersync::main]
/// # async fn main(cx: &Cx) -> Outcome<()> {
/// let (tx, mut rx) = oneshot::channel::<u8>();
/// let tried = try_hold(cx, tx, async |permit| {
///     let (permit, number) = permit.or_abort("no number".parse())?;
///     Ok(permit.send(number))
/// });
/// assert!(tried.await.is_err());
/// assert!(rx.recv(cx).await.is_err());
/// # Ok(())
/// # }
/// ```
pub fn try_hold<'s, C, O, R, F>(
    cx: &'s Cx<C>,
    obligation: O,
    body: F,
) -> impl Future<Output = Outcome<R>> + Send + 's
where
    C: 's,
    O: Obligation,
    R: Send + 's,
    F: for<'id> TryPermitFn<'id, O, R> + Send + 's,
{
    let cx = cx.bare();
    async move {
        let mut slot = Some(obligation);
        let held = Held { slot: &mut slot, cx, brand: PhantomData };
        body(held).await.map(Done::into_value).map_err(Aborted::into_failure)
    }
}
