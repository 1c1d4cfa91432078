//! Tasks: how they start, how their ends are told, and the handle to wait for one.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use asupersync_task::{JoinError, JoinHandle, Runnable, Schedule, Wake, Work};
use pin_project_lite::pin_project;

use crate::body::{TaskFn, TaskOutput};
use crate::budget::Budget;
use crate::cancel::{Level, Note, Notes, Reason, ReasonKind, Scope, ScopeRef, Waits};
use crate::caps::{Effect, HasSpawn};
use crate::cx::Cx;
use crate::host::{Mark, Rare, TaskInfo, TaskMeta, TaskRef, inside_of, scope_of};
use crate::id::TaskId;
use crate::outcome::{Failure, Outcome, Panic};
use crate::region::Node;
use crate::trace::{Spans, Who};
use crate::verdict::Verdict;

impl<C> Cx<C> {
    /// Starts a task in this region. Its body gets a `Cx` of its own.
    ///
    /// The region owns the task: it does not close before the task ended, whether the handle is
    /// kept or dropped. Under Request, of this scope or of the region, nothing starts: the handle's
    /// join tells `Cancelled`. A task that work in flight needs is spawned inside of
    /// [`finish`](Cx::finish).
    ///
    /// The task runs in the span of `tracing` that is current here, as do jobs and finalizers in
    /// that of whoever starts or registers them. One that is to be traced apart brings a root span
    /// of its own (`parent: None`).
    ///
    /// ```
    /// # use asupersync::{Cx, Outcome};
    /// # #[asupersync::main]
    /// # async fn main(cx: &Cx) -> Outcome<()> {
    /// let answer = cx.spawn("answer", async |cx| {
    ///     cx.checkpoint()?;
    ///     Ok(42)
    /// });
    /// assert_eq!(answer.join().await?, 42);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn<F, R>(&self, name: &str, body: F) -> Handle<R::Ok>
    where
        C: HasSpawn,
        F: for<'a> TaskFn<&'a Cx<C>, R, Fut: Send> + Send + 'static,
        R: TaskOutput<Ok: 'static> + 'static,
    {
        let make = |cx: Cx<C>, _: &Spans| async move { body(&cx).await.into_outcome() };
        self.start(&[Effect::Spawn], name, Location::caller(), make)
    }

    /// Starts a future as a task of this region. It has no `Cx`, so it hears nothing of Request:
    /// it goes on until it ends or the drain budget is spent.
    #[track_caller]
    pub fn spawn_future<F>(&self, name: &str, future: F) -> Handle<<F::Output as TaskOutput>::Ok>
    where
        C: HasSpawn,
        F: Future<Output: TaskOutput<Ok: 'static> + 'static> + Send + 'static,
    {
        let make = |_: Cx<C>, _: &Spans| async move { future.await.into_outcome() };
        self.start(&[Effect::Spawn], name, Location::caller(), make)
    }

    /// Starts what `make` makes of the task's `Cx` and spans, if it may have `effects`. Whatever `C`
    /// is: whoever calls it has asked for what is needed.
    pub(crate) fn start<T, Fut>(
        &self,
        effects: &[Effect],
        name: &str,
        site: &'static Location<'static>,
        make: impl FnOnce(Cx<C>, &Spans) -> Fut,
    ) -> Handle<T>
    where
        T: Send + 'static,
        Fut: Future<Output = Outcome<T>> + Send + 'static,
    {
        if let Err(failure) = self.may_start(effects) {
            return Handle::refused(failure);
        }
        let blocking = effects.contains(&Effect::Blocking);
        let make = |scope, spans: &Spans| make(self.of_task(scope), spans);
        launch(self.node(), None, name, site, blocking, make)
    }

    #[inline]
    fn may_start(&self, effects: &[Effect]) -> Outcome {
        // Mostly nothing was asked, and nothing taken away.
        if self.is_cancelled() || self.authority().is_some() { self.check_start(effects) } else { Ok(()) }
    }

    #[cold]
    fn check_start(&self, effects: &[Effect]) -> Outcome {
        self.checkpoint()?;
        effects.iter().try_for_each(|effect| Ok(self.check(*effect)?))
    }
}

/// Starts what `make` makes, as a task of the region `node`. If it has scopes apart, they stand for the task's: its
/// lane, and what its handle asks, are those of the one within.
pub(crate) fn launch<T, Fut>(
    node: &Arc<Node>,
    mut rare: Option<Box<Rare>>,
    name: &str,
    site: &'static Location<'static>,
    blocking: bool,
    make: impl FnOnce(ScopeRef, &Spans) -> Fut,
) -> Handle<T>
where
    T: Send + 'static,
    Fut: Future<Output = Outcome<T>> + Send + 'static,
{
    let (id, size) = (node.next_task(), size_of::<Fut>());
    let spans = Spans::of_task(&Who { id, name, site, blocking, size, region: &|| node.path() });
    let span = spans.task_span();
    if span.is_some() {
        rare.get_or_insert_default().span = span;
    }
    let spawned_at = node.tree.host.recent();
    // Made where it stays: see `Name`.
    let info = || TaskInfo { id, name: name.into(), site, spawned_at };
    let make = |scope| {
        let future = make(scope, &spans);
        Run { body: Some(spans.around(future)) }
    };
    let (runnable, join, task) =
        new_task(|| TaskMeta::new(Some(node.clone()), Some(&node.scope), rare, info), make);
    match node.admit(task) {
        Ok(()) => {
            // What comes from here on finds the task; what came before is there.
            if node.scope.is_to_follow() {
                scope_of(join.task()).catch_up_with(&node.scope);
            }
            join.meta().schedule_in(Some(node), runnable, Wake::Spawn);
            Handle(State::Started(join))
        }
        Err(cancelled) => Handle::refused(cancelled.into()),
    }
}

#[inline]
fn new_task<W>(
    meta: impl FnOnce() -> TaskMeta,
    make: impl FnOnce(ScopeRef) -> W,
) -> (Runnable<TaskMeta>, JoinHandle<W::Output, TaskMeta>, TaskRef)
where
    W: Work<TaskMeta, Output: Send + 'static> + Send + 'static,
{
    let (runnable, join, [task]) = asupersync_task::new_cyclic(meta, |[task]| {
        let meta = task.meta();
        if let Some(apart) = meta.apart() {
            apart.inside.set_home(task.promote_waker());
        }
        make(scope_of(task))
    });
    (runnable, join, task)
}

/// Runs a future that no region counts: the driver of a region's own end.
pub(crate) fn submit_system(
    node: &Arc<Node>,
    name: &str,
    future: impl Future<Output = ()> + Send + 'static,
) -> TaskRef {
    let info = TaskInfo {
        id: TaskId(u64::MAX),
        name: name.into(),
        site: Location::caller(),
        spawned_at: node.tree.host.now(),
    };
    let future = Spans::inherited().around(future);
    // The region may hold this task, and must not be held by it when the future is gone.
    let rare = Rare { host: Some(node.tree.host.clone()), ..Rare::default() };
    let (runnable, _, task) =
        new_task(|| TaskMeta::new(None, None, Some(Box::new(rare)), || info), |_| future);
    task.meta().schedule(runnable, Wake::Spawn);
    task
}

pin_project! {
    /// A task's body, whose end it tells once that is gone. No `async fn`: that would have room for the body
    /// twice.
    struct Run<F> {
        #[pin]
        body: Option<F>,
    }
}

impl<T, F: Future<Output = Outcome<T>>> Work<TaskMeta> for Run<F> {
    type Output = Outcome<T>;

    fn poll_with(self: Pin<&mut Self>, task: &TaskRef, cx: &mut Context<'_>) -> Poll<Outcome<T>> {
        let (mut this, meta) = (self.project(), task.meta());
        let scope = meta.scope();
        let begins = !meta.mark.has(Mark::BEGUN);
        meta.mark.set(Mark::BEGUN);
        if begins && scope.level() == Level::Spent {
            // What has not begun has nothing to clean up.
            this.body.set(None);
            meta.end(Verdict::Dropped(None));
            return Poll::Ready(Err(scope.cancelled().into()));
        }
        let (outcome, dropped) = ready!(poll_contained(scope, || scope_of(task.clone()), this.body, cx));
        match &outcome {
            Ok(_) => meta.end_well(),
            Err(_) => meta.end(Verdict::of(&outcome, dropped)),
        }
        Poll::Ready(outcome)
    }
}

/// Polls a body under its scope: a panic, also of what drops it, becomes an outcome, and once the drain
/// budget is spent the body gets one more poll, in which all it awaits returns `Cancelled`, and then is
/// dropped, unless something inside has a limit of its own. It then tells what the body awaited.
///
/// The body stays where the caller has it: bodies are within bodies, and each copy would double.
pub(crate) fn contain<T>(
    scope: &ScopeRef,
    mut body: Pin<&mut Option<impl Future<Output = Outcome<T>>>>,
) -> impl Future<Output = Contained<T>> {
    poll_fn(move |cx| poll_contained(scope, || scope.clone(), body.as_mut(), cx))
}

/// A body's outcome, and what it awaited if it was dropped.
type Contained<T> = (Outcome<T>, Option<Waits>);

fn poll_contained<T>(
    scope: &Scope,
    to_keep: impl Fn() -> ScopeRef,
    mut body: Pin<&mut Option<impl Future<Output = Outcome<T>>>>,
    cx: &mut Context<'_>,
) -> Poll<Contained<T>> {
    let panicked = |payload| (Err(Failure::Panicked(Panic::new(payload))), None);
    let spent = scope.is_due();
    scope.begin_poll();
    let polled = catch_unwind(AssertUnwindSafe(|| {
        let polled = body.as_mut().as_pin_mut().map_or(Poll::Pending, |body| body.poll(cx));
        if polled.is_ready() {
            body.set(None);
        }
        polled
    }));
    if scope.is_metered() {
        to_keep().charge_poll();
    }
    match polled {
        Ok(Poll::Ready(outcome)) => Poll::Ready((outcome, None)),
        Ok(Poll::Pending) if spent && !scope.is_kept() => {
            let awaited = to_keep().waits(asupersync_task::note(cx.waker())).of_idle();
            Poll::Ready(match catch_unwind(AssertUnwindSafe(|| body.set(None))) {
                Ok(()) => (Err(scope.cancelled().into()), Some(awaited)),
                Err(payload) => panicked(payload),
            })
        }
        Ok(Poll::Pending) => {
            // Spent by this very poll: the one more comes from whoever polls here.
            if !spent && scope.is_due() {
                cx.waker().wake_by_ref();
            }
            Poll::Pending
        }
        Err(payload) => Poll::Ready(panicked(payload)),
    }
}

/// Waits for a task, or asks it to stop. Dropping it does neither: the task stays in its region.
pub struct Handle<T>(State<T>);

enum State<T> {
    Started(JoinHandle<Outcome<T>, TaskMeta>),
    Refused(Failure),
}

impl<T> Handle<T> {
    /// The handle of a task that its region did not take.
    pub(crate) fn refused(failure: Failure) -> Self {
        Handle(State::Refused(failure))
    }

    /// Waits for the task's outcome.
    ///
    /// # Errors
    /// The task's own. Of one that was refused, `Cancelled` because it was spawned under Request, or
    /// [`Denied`](crate::caps::Denied) because that may not be done here.
    ///
    /// # Cancel safety
    /// A dropped call loses the outcome, not the task. It finishes work in flight: a request to the
    /// caller does not end it.
    pub fn join(self) -> impl Future<Output = Outcome<T>> {
        Joining { state: self.0, noted: false }
    }

    /// Asks the task to stop, and does not wait. Its drain budget is its region's.
    pub fn request_cancel(&self, reason: Reason) {
        self.request_within(reason, Budget::UNLIMITED);
    }

    /// Asks a task to stop that sees to its own drain budget, as one that is a region does.
    pub(crate) fn request_open_ended(&self, reason: Reason) {
        if let State::Started(join) = &self.0
            && let Some(node) = join.meta().node()
        {
            node.request_open_ended(&inside_of(join.task()), reason);
        }
    }

    fn request_within(&self, reason: Reason, drain: Budget) {
        if let State::Started(join) = &self.0 {
            join.meta().request(&join.task(), reason, drain);
        }
    }

    /// Asks the task to stop, gives its work in flight `drain` (and no more than its region has),
    /// and waits for its outcome.
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
            self.request_within(reason, drain);
            self.join().await
        }
    }

    /// The task has ended.
    pub fn is_finished(&self) -> bool {
        match &self.0 {
            State::Started(join) => {
                join.meta().told.read();
                join.is_finished()
            }
            State::Refused(_) => true,
        }
    }
}

/// Waits for a task. Whoever does so notes that, and so does the task. No `async fn`: that would move the handle
/// twice, and have room for both.
struct Joining<T> {
    state: State<T>,
    noted: bool,
}

impl<T> Future for Joining<T> {
    type Output = Outcome<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome<T>> {
        let Joining { state, noted } = &mut *self;
        let join = match state {
            State::Started(join) => join,
            State::Refused(failure) => return Poll::Ready(Err(failure.clone())),
        };
        join.meta().told.read();
        let joined = Pin::new(&mut *join).poll(cx);
        if joined.is_pending() || *noted {
            *noted = joined.is_pending();
            note_join(join.meta(), cx.waker(), *noted);
        }
        joined.map(|ended| match ended {
            Ok(outcome) => outcome,
            Err(JoinError::Panicked(payload)) => Err(Failure::Panicked(Panic::new(payload))),
            Err(JoinError::Shutdown) => Err(join.meta().inside().cancelled().into()),
        })
    }
}

/// Whoever has this waker waits for the task, or does so no more.
fn note_join(task: &TaskMeta, waiter: &Waker, waits: bool) {
    let note = Note::task(task.info.id);
    match asupersync_task::note(waiter) {
        Some(waiter) if waits => waiter.begin(note),
        Some(waiter) => waiter.end(note),
        None => {}
    }
}

impl<T> Drop for Joining<T> {
    #[inline]
    fn drop(&mut self) {
        if let Joining { state: State::Started(join), noted: true } = self
            // Without a waker the task is gone, which ends the wait as well.
            && let Some(waker) = join.take_waker()
        {
            note_join(join.meta(), &waker, false);
        }
    }
}
