//! Local scopes: children that borrow.
//!
//! A local scope is a region whose children live in the region's own future, beside its body, and not in
//! tasks. So they may borrow what outlives that future, which a task cannot: whoever owns it could
//! forget it, and free what a task on another thread still reads. Body and children take turns, on the
//! thread that polls the region.
//!
//! Apart from where they live they are children as any: counted in the region's state, with a scope of
//! their own in the region's, judged by its policies, contained, told of in reports and dumps, and awaited
//! by its closing. `crew` polls them.

use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::crew::{Crew, Door, Slot};
use super::open::Opened;
use super::report::CloseReport;
use super::tree::{Local, Node, Plan};
use super::{Builder, Region, inside, refused, request_scope};
use crate::body::{ItemFn, TaskFn, TaskOutput};
use crate::budget::Budget;
use crate::cancel::{Note, Reason, ReasonKind};
use crate::caps::{All, CapSet};
use crate::cx::Cx;
use crate::host::TaskInfo;
use crate::outcome::Outcome;
use crate::spawn::contain;

impl<C> Cx<C> {
    /// Opens a region whose children may borrow: they live in this future, beside the body, and are
    /// gone when it returns. For other policies see [`Builder::local`].
    ///
    /// Body and children take turns and never run at the same time; for that, [`spawn`](Self::spawn).
    /// Otherwise it is a region: when the body returns, children that still run are cancelled and
    /// awaited; one that fails cancels the others; tasks may be spawned in it too.
    ///
    /// # Errors
    /// As [`Region::open`].
    ///
    /// # Cancel safety
    /// A request to the caller reaches body and children, which are drained. Dropped half-way, they are
    /// dropped where they wait; what tasks they started is left to the enclosing region, as for
    /// [`Region::open`].
    ///
    /// ```
    /// # use asupersync::{Cx, Outcome};
    /// # use std::time::Duration;
    /// # #[asupersync::main]
    /// # async fn main(cx: &Cx) -> Outcome<()> {
    /// let mut pieces = vec![1, 2, 3];
    /// let factor = 10;
    /// let sum = cx.local(async |_, scope| {
    ///     let mut products = Vec::new();
    ///     for piece in &mut pieces {
    ///         products.push(scope.spawn("piece", async |cx| {
    ///             cx.sleep(Duration::from_millis(1)).await?;
    ///             *piece *= factor;
    ///             Ok(*piece)
    ///         }));
    ///     }
    ///     let mut sum = 0;
    ///     for product in products {
    ///         sum += product.join().await?;
    ///     }
    ///     Ok(sum)
    /// });
    /// assert_eq!(sum.await?, 60);
    /// assert_eq!(pieces, [10, 20, 30]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn local<'s, 'e, R, F>(
        &'s self,
        body: F,
    ) -> impl Future<Output = Outcome<R::Ok>> + Send + use<'s, 'e, C, R, F>
    where
        C: CapSet,
        R: TaskOutput<Ok: 'e> + 'e,
        F: for<'a> ItemFn<&'a Cx<C>, LocalScope<'e, C>, R> + Send + 'e,
    {
        Region::builder("local").local(self, body)
    }
}

impl Builder {
    /// As [`Cx::local`], with these policies and budgets.
    ///
    /// # Errors
    /// As [`Region::open`].
    ///
    /// # Cancel safety
    /// As [`Cx::local`].
    ///
    /// ```
    /// # use asupersync::region::Close;
    /// # use asupersync::{Cx, Outcome, Region};
    /// # use std::cell::Cell;
    /// # #[asupersync::main]
    /// # async fn main(cx: &Cx) -> Outcome<()> {
    /// # use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    /// let done = AtomicU32::new(0);
    /// let jobs = Region::builder("jobs").close(Close::Join).local(cx, async |_, scope| {
    ///     for _ in 0..3 {
    ///         scope.spawn("job", async |cx| {
    ///             cx.yield_now().await?;
    ///             done.fetch_add(1, Relaxed);
    ///             Ok(())
    ///         });
    ///     }
    ///     Ok(())
    /// });
    /// jobs.await?;
    /// assert_eq!(done.into_inner(), 3);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn local<'s, 'e, C, R, F>(
        self,
        cx: &'s Cx<C>,
        body: F,
    ) -> impl Future<Output = Outcome<R::Ok>> + Send + use<'s, 'e, C, R, F>
    where
        C: CapSet,
        R: TaskOutput<Ok: 'e> + 'e,
        F: for<'a> ItemFn<&'a Cx<C>, LocalScope<'e, C>, R> + Send + 'e,
    {
        let local = self.local_with_report(cx, body);
        async move { local.await.0 }
    }

    /// As [`local`](Self::local), and tells how the region ended. Its children count as tasks.
    ///
    /// # Cancel safety
    /// As [`Cx::local`].
    #[track_caller]
    pub fn local_with_report<'s, 'e, C, R, F>(
        self,
        cx: &'s Cx<C>,
        body: F,
    ) -> impl Future<Output = (Outcome<R::Ok>, CloseReport)> + Send + use<'s, 'e, C, R, F>
    where
        C: CapSet,
        R: TaskOutput<Ok: 'e> + 'e,
        F: for<'a> ItemFn<&'a Cx<C>, LocalScope<'e, C>, R> + Send + 'e,
    {
        let site = Location::caller();
        async move {
            let Builder { name, until, authority, policy, since } = self;
            // One whose body does not wait, opened in a loop.
            cx.take_turn().await;
            let mut opened = match Opened::new(
                &cx.share_node(),
                cx.scope(),
                until,
                Plan { name: &name, policy, site, since },
                false,
            ) {
                Ok(opened) => opened,
                Err(cancelled) => return refused(cx, &name, site, cancelled.into()),
            };
            let inside = inside(cx, &opened.node, authority);
            let ended = Arc::new(Slot::default());
            let told = ended.clone();
            let mut crew = Crew::new(&opened.node.clone(), |door| async move {
                let scope = LocalScope { cx: inside.clone(), door };
                let mut body = pin!(Some(async { body(&inside, scope).await.into_outcome() }));
                told.fill(contain(inside.scope(), body.as_mut()).await);
            });
            let node = opened.node.clone();
            let mut run = pin!(opened.run(cx.scope(), poll_fn(|task| ended.poll(task))));
            let outcome = poll_fn(|task| {
                crew.poll(task);
                run.as_mut().poll(task)
            });
            (outcome.await, node.report())
        }
    }
}

/// Where children that borrow are started; given to the body of [`Cx::local`].
///
/// Children outlive the body's variables, and borrow only what outlives the whole scope, `'e`. A child that
/// starts others has a clone of this:
///
/// ```
/// # use asupersync::{Cx, Outcome};
/// # #[asupersync::main]
/// # async fn main(cx: &Cx) -> Outcome<()> {
/// let words = ["a", "b"].map(String::from);
/// # let words = &words;
/// let length = cx.local(async |_, scope| {
///     let inner = scope.clone();
///     let outer = scope.spawn("outer", async move |_| {
///         let inner = inner.spawn("inner", async |_| Ok(words[1].len()));
///         Ok(words[0].len() + inner.join().await?)
///     });
///     outer.join().await
/// });
/// assert_eq!(length.await?, 2);
/// # Ok(())
/// # }
/// ```
pub struct LocalScope<'e, C = All> {
    cx: Cx<C>,
    door: Arc<Door<'e>>,
}

impl<C> Clone for LocalScope<'_, C> {
    fn clone(&self) -> Self {
        LocalScope { cx: self.cx.clone(), door: self.door.clone() }
    }
}

impl<'e, C: CapSet> LocalScope<'e, C> {
    /// Starts a child beside the body. Under Request nothing starts: the handle's join tells
    /// `Cancelled`.
    #[track_caller]
    pub fn spawn<F, R>(&self, name: &str, body: F) -> LocalHandle<R::Ok>
    where
        F: for<'a> TaskFn<&'a Cx<C>, R, Fut: Send> + Send + 'e,
        R: TaskOutput<Ok: 'e> + 'e,
    {
        let node = self.cx.node();
        let (id, site, spawned_at) = (node.next_task(), Location::caller(), node.tree.host.now());
        let info = TaskInfo { id, name: name.into(), site, spawned_at };
        let (scope, joiner) = (node.scope.local_child(), AtomicUsize::new(0));
        let cx = self.cx.inside(scope.clone());
        let local = Arc::new(Local { info, scope, bell: self.door.bell(), joiner });
        let slot = Arc::new(Slot::default());
        let handle = LocalHandle { node: self.cx.share_node(), local: local.clone(), slot: slot.clone() };
        let body = async move { body(&cx).await.into_outcome() };
        if let Err(failure) = self.door.admit(&self.cx, local, slot, body) {
            // Nothing ran in it: whoever asks it to stop arms no timer.
            let timer = handle.local.scope.end();
            debug_assert!(timer.is_none());
            handle.slot.fill(Err(failure));
        }
        handle
    }
}

/// Waits for a child of a local scope, or asks it to stop. Dropping it does neither.
pub struct LocalHandle<T> {
    node: Arc<Node>,
    local: Arc<Local>,
    slot: Arc<Slot<Outcome<T>>>,
}

impl<T> LocalHandle<T> {
    /// Waits for the child's outcome.
    ///
    /// # Errors
    /// The child's own; `Cancelled` if it was spawned under Request, and so refused.
    ///
    /// # Cancel safety
    /// A dropped call loses the outcome, not the child. It finishes work in flight: a request to the
    /// caller does not end it.
    pub async fn join(self) -> Outcome<T> {
        poll_fn(|task| {
            let joined = self.slot.poll(task);
            if joined.is_pending() {
                self.local.joiner.store(task.waker().data() as usize, Ordering::Relaxed);
                self.node.scope.begin_at_home(self.note(), task.waker());
            }
            joined
        })
        .await
    }

    fn note(&self) -> Note {
        Note::task(self.local.info.id)
    }

    /// Asks the child to stop, and does not wait. Its drain budget is its region's.
    pub fn request_cancel(&self, reason: Reason) {
        request_scope(&self.node, &self.local.scope, reason, Budget::UNLIMITED);
    }

    /// Asks the child to stop, gives its work in flight `drain` (and no more than its region has), and
    /// waits for its outcome.
    ///
    /// # Errors
    /// As [`join`](Self::join).
    ///
    /// # Cancel safety
    /// The first poll asks, and the request stands even if this is dropped after that.
    #[track_caller]
    pub fn cancel(self, drain: Budget) -> impl Future<Output = Outcome<T>> {
        let reason = Reason::new(ReasonKind::UserRequest);
        async move {
            request_scope(&self.node, &self.local.scope, reason, drain);
            self.join().await
        }
    }

    /// The child has ended.
    pub fn is_finished(&self) -> bool {
        self.slot.is_filled()
    }
}

impl<T> Drop for LocalHandle<T> {
    fn drop(&mut self) {
        // A join is over.
        self.local.joiner.store(0, Ordering::Relaxed);
        self.node.scope.end_at_home(self.note());
    }
}
