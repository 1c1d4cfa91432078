//! A set of tasks with the methods of Tokio's `JoinSet`, whose tasks a region owns.

use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, poll_fn};

use asupersync_core::caps::HasSpawn;
use asupersync_core::channel::mpsc::{self, Receiver, UnboundedSender};
use asupersync_core::{All, Cancelled, Cx, Handle, Outcome, Reason, ReasonKind, TaskFn, TaskOutput};

/// Tasks of one region, to be joined in the order in which they end.
///
/// As with Tokio's, a set that is dropped asks its tasks to stop; other than there, they are asked through the
/// cancel protocol, and the region awaits them. A task that fails is a failed child of its region: one whose
/// siblings should go on is spawned in a region with
/// [`OnFailure::Collect`](asupersync_core::region::OnFailure::Collect).
///
/// ```
/// use asupersync_compat::tokio_util::JoinSet;
/// use asupersync_core::{Cx, Outcome};
///
/// # let runtime = asupersync_scheduler::Runtime::builder().build().unwrap();
/// # let outcome = runtime.block_on(async |cx: &Cx| {
/// let mut set = JoinSet::new(cx);
/// for n in 0..10 {
///     set.spawn("square", async move |_: &Cx| Ok(n * n));
/// }
/// let mut sum = 0;
/// while let Some(square) = set.join_next(cx).await {
///     sum += square?;
/// }
/// # Ok(sum)
/// # });
/// # assert_eq!(outcome.unwrap(), 285);
/// ```
pub struct JoinSet<T, C = All> {
    cx: Cx<C>,
    next: u64,
    tasks: BTreeMap<u64, Handle<T>>,
    tell: UnboundedSender<u64>,
    /// The numbers of those that have ended.
    ended: Receiver<u64>,
}

/// Tells that a task has ended, however it does.
struct Ended(u64, UnboundedSender<u64>);

impl Drop for Ended {
    fn drop(&mut self) {
        // Nobody asks any more if the set is gone.
        drop(self.1.send(self.0));
    }
}

impl<T, C> fmt::Debug for JoinSet<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinSet").field("len", &self.tasks.len()).finish_non_exhaustive()
    }
}

impl<T: Send + 'static, C: HasSpawn> JoinSet<T, C> {
    /// An empty set, whose tasks will be of the region of `cx`.
    pub fn new(cx: &Cx<C>) -> Self {
        let (tell, ended) = mpsc::unbounded();
        JoinSet { cx: cx.clone(), next: 0, tasks: BTreeMap::new(), tell, ended }
    }

    /// Starts a task, as [`Cx::spawn`]; one that is refused is joined as `Cancelled`.
    #[track_caller]
    pub fn spawn<F, R>(&mut self, name: &str, body: F)
    where
        F: for<'a> TaskFn<&'a Cx<C>, R, Fut: Send> + Send + 'static,
        R: TaskOutput<Ok = T> + 'static,
    {
        let ended = self.enter();
        let number = ended.0;
        let task = self.cx.spawn(name, async move |cx: &Cx<C>| {
            let _ended = ended;
            body(cx).await
        });
        self.tasks.insert(number, task);
    }

    /// Starts a future as a task, as [`Cx::spawn_future`].
    #[track_caller]
    pub fn spawn_future<F>(&mut self, name: &str, future: F)
    where
        F: Future<Output: TaskOutput<Ok = T> + 'static> + Send + 'static,
    {
        let ended = self.enter();
        let number = ended.0;
        let task = self.cx.spawn_future(name, async move {
            let _ended = ended;
            future.await
        });
        self.tasks.insert(number, task);
    }

    fn enter(&mut self) -> Ended {
        self.next += 1;
        Ended(self.next, self.tell.clone())
    }

    /// How many tasks were not joined yet.
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// All tasks were joined.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Waits for the next task that ends, and tells its outcome; `None` if the set is empty. It finishes work
    /// in flight: a Request does not end it, the end of the drain budget of `cx` does, with `Cancelled`.
    ///
    /// # Cancel safety
    /// Nothing is lost: who has ended is joined by the next call.
    pub async fn join_next<D>(&mut self, cx: &Cx<D>) -> Option<Outcome<T>> {
        match self.next_ended(cx).await {
            Ok(task) => Some(task?.join().await),
            Err(cancelled) => Some(Err(cancelled.into())),
        }
    }

    /// The next task that has ended, but for what its host still does with it.
    async fn next_ended<D>(&mut self, cx: &Cx<D>) -> Result<Option<Handle<T>>, Cancelled> {
        if self.tasks.is_empty() {
            return Ok(None);
        }
        let ended = &mut self.ended;
        let number = cx.or_spent(poll_fn(|task| ended.poll_recv(task))).await?;
        Ok(number.and_then(|number| self.tasks.remove(&number)))
    }

    /// Asks all tasks to stop, and does not wait.
    pub fn abort_all(&mut self) {
        self.request(ReasonKind::UserRequest);
    }

    /// Asks all tasks to stop, and waits until they have, or the drain budget of `cx` is spent.
    ///
    /// # Cancel safety
    /// The requests stand; the rest is joined by the next call.
    pub async fn shutdown<D>(&mut self, cx: &Cx<D>) {
        self.abort_all();
        while let Ok(Some(task)) = self.next_ended(cx).await {
            drop(task.join().await);
        }
    }

    /// Takes the tasks out of the set, and leaves them to the region.
    pub fn detach_all(&mut self) {
        self.tasks.clear();
    }
}

impl<T, C> JoinSet<T, C> {
    fn request(&self, why: ReasonKind) {
        self.tasks.values().for_each(|task| task.request_cancel(Reason::new(why)));
    }
}

impl<T, C> Drop for JoinSet<T, C> {
    fn drop(&mut self) {
        self.request(ReasonKind::HandleDropped);
    }
}
