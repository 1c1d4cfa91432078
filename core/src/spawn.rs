//! Tasks: how they start, how their ends are told, and the handle to wait for one.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use asupersync_task::{JoinError, JoinHandle};
use pin_project_lite::pin_project;

use crate::body::{TaskFn, TaskOutput};
use crate::budget::Budget;
use crate::cancel::{Level, Note, Notes, Reason, ReasonKind, Scope, Waits};
use crate::caps::{Effect, HasSpawn};
use crate::cx::Cx;
use crate::host::{Owner, Place, Runnable, TaskInfo, TaskMeta, TaskRef};
use crate::id::TaskId;
use crate::observe::{Object, is_recording};
use crate::outcome::{Failure, Outcome, Panic};
use crate::region::{Node, Verdict, request_scope};
use crate::time::Time;
use crate::trace::{Spans, TaskSpan, Who};

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
        let node = self.node();
        if let Err(failure) = self.may_start(effects) {
            return Handle::refused(node, failure);
        }
        let scope = node.scope.task_child();
        let blocking = effects.contains(&Effect::Blocking);
        let make = |spans: &Spans| make(self.inside(scope.clone()), spans);
        launch(node, &scope, &scope, name, site, blocking, make)
    }

    fn may_start(&self, effects: &[Effect]) -> Outcome {
        self.checkpoint()?;
        effects.iter().try_for_each(|effect| Ok(self.check(*effect)?))
    }
}

/// Starts what `make` makes, as a task of the region `node` in `scope`. Its lane, and what its handle
/// asks, are those of `inside`: a scope within, if all of its work is done there.
pub(crate) fn launch<T, Fut>(
    node: &Arc<Node>,
    scope: &Arc<Scope>,
    inside: &Arc<Scope>,
    name: &str,
    site: &'static Location<'static>,
    blocking: bool,
    make: impl FnOnce(&Spans) -> Fut,
) -> Handle<T>
where
    T: Send + 'static,
    Fut: Future<Output = Outcome<T>> + Send + 'static,
{
    let (id, size) = (node.next_task(), size_of::<Fut>());
    let spans = Spans::of_task(&Who { id, name, site, blocking, size, region: &|| node.path() });
    let span = spans.task_span();
    let future = make(&spans);
    let future = spans.around(future);
    let spawned_at = node.tree.host.now();
    let admitted = node.admit(|place| {
        let info = TaskInfo { id, name: name.into(), site, spawned_at };
        let end = End {
            node: node.clone(),
            scope: scope.clone(),
            place,
            info: info.clone(),
            verdict: Verdict::Dropped(None),
        };
        let (runnable, join) = new_task(node, inside, Some(place), info, span, Run::new(future, end));
        (join.task(), (runnable, join))
    });
    match admitted {
        Ok((runnable, join)) => {
            runnable.0.schedule();
            Handle { node: node.clone(), state: State::Started(join) }
        }
        Err(cancelled) => Handle::refused(node, cancelled.into()),
    }
}

fn new_task<Fut>(
    node: &Arc<Node>,
    scope: &Arc<Scope>,
    place: Option<Place>,
    info: TaskInfo,
    span: TaskSpan,
    future: Fut,
) -> (Runnable, JoinHandle<Fut::Output, TaskMeta>)
where
    Fut: Future<Output: Send + 'static> + Send + 'static,
{
    let (host, urgency) = (node.tree.host.clone(), scope.urgency());
    let owner = place.map(|place| (node.clone() as Arc<dyn Owner>, place));
    let joiner = AtomicUsize::new(0);
    let (told, followed) = (Object::new(), span.is_some() || is_recording());
    let meta = TaskMeta { host, scope: scope.clone(), urgency, owner, joiner, told, followed, info, span };
    let (runnable, join) = asupersync_task::new(future, meta);
    scope.set_home(runnable.task().promote_waker());
    (Runnable(runnable), join)
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
    /// However the future ends: the scope holds the task through its waker, and the task the scope.
    struct End(Arc<Scope>);
    impl Drop for End {
        fn drop(&mut self) {
            self.0.clear_home();
        }
    }
    let scope = Scope::root();
    let end = End(scope.clone());
    let future = Spans::inherited().around(future);
    let (runnable, _) = new_task(node, &scope, None, info, TaskSpan::default(), async move {
        let _end = end;
        future.await;
    });
    let task = runnable.0.task();
    runnable.0.schedule();
    task
}

/// Tells the region of the task's end, after the task's future is gone.
struct End {
    node: Arc<Node>,
    scope: Arc<Scope>,
    place: Place,
    info: TaskInfo,
    verdict: Verdict,
}

impl Drop for End {
    fn drop(&mut self) {
        // The scope holds the task's memory through its waker, and the task the scope.
        if let Some(timer) = self.scope.end() {
            self.node.tree.host.cancel_timer(timer);
        }
        let verdict = std::mem::replace(&mut self.verdict, Verdict::Dropped(None));
        self.node.task_ended(self.place, &self.info, verdict);
    }
}

pin_project! {
    /// A task's body, and what tells of its end. No `async fn`: that would have room for the body twice.
    struct Run<F> {
        #[pin]
        body: Option<F>,
        begun: bool,
        // After the body, of whose end it tells.
        end: Option<End>,
    }
}

impl<F> Run<F> {
    fn new(body: F, end: End) -> Self {
        Run { body: Some(body), begun: false, end: Some(end) }
    }
}

impl<T, F: Future<Output = Outcome<T>>> Future for Run<F> {
    type Output = Outcome<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome<T>> {
        let mut this = self.project();
        let Some(end) = this.end else { return Poll::Pending };
        let begins = !std::mem::replace(this.begun, true);
        let outcome = if begins && end.scope.level() == Level::Spent {
            // What has not begun has nothing to clean up.
            this.body.set(None);
            Err(end.scope.cancelled().into())
        } else {
            let (outcome, dropped) = ready!(poll_contained(&end.scope, this.body, cx));
            end.verdict = Verdict::of(&outcome, dropped);
            outcome
        };
        *this.end = None;
        Poll::Ready(outcome)
    }
}

/// Polls a body under its scope: a panic, also of what drops it, becomes an outcome, and once the drain
/// budget is spent the body gets one more poll, in which all it awaits returns `Cancelled`, and then is
/// dropped, unless something inside has a limit of its own. It then tells what the body awaited.
///
/// The body stays where the caller has it: bodies are within bodies, and each copy would double.
pub(crate) fn contain<T>(
    scope: &Arc<Scope>,
    mut body: Pin<&mut Option<impl Future<Output = Outcome<T>>>>,
) -> impl Future<Output = Contained<T>> {
    poll_fn(move |cx| poll_contained(scope, body.as_mut(), cx))
}

/// A body's outcome, and what it awaited if it was dropped.
type Contained<T> = (Outcome<T>, Option<Waits>);

fn poll_contained<T>(
    scope: &Arc<Scope>,
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
    scope.charge_poll();
    match polled {
        Ok(Poll::Ready(outcome)) => Poll::Ready((outcome, None)),
        Ok(Poll::Pending) if spent && !scope.is_kept() => {
            let awaited = scope.waits(asupersync_task::note(cx.waker())).of_idle();
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
pub struct Handle<T> {
    node: Arc<Node>,
    state: State<T>,
}

enum State<T> {
    Started(JoinHandle<Outcome<T>, TaskMeta>),
    Refused(Failure),
}

impl<T> Handle<T> {
    /// The handle of a task that `node` did not take.
    pub(crate) fn refused(node: &Arc<Node>, failure: Failure) -> Self {
        Handle { node: node.clone(), state: State::Refused(failure) }
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
    pub async fn join(self) -> Outcome<T> {
        match self.state {
            State::Refused(failure) => Err(failure),
            State::Started(join) => {
                let scope = join.meta().scope.clone();
                let note = Note::task(join.meta().info.id);
                match (Joining { join, note, noted: false }).await {
                    Ok(outcome) => outcome,
                    Err(JoinError::Panicked(payload)) => Err(Failure::Panicked(Panic::new(payload))),
                    Err(JoinError::Shutdown) => Err(scope.cancelled().into()),
                }
            }
        }
    }

    /// Asks the task to stop, and does not wait. Its drain budget is its region's.
    pub fn request_cancel(&self, reason: Reason) {
        if let State::Started(join) = &self.state {
            request_scope(&self.node, &join.meta().scope, reason, Budget::UNLIMITED);
        }
    }

    /// Asks a task to stop that sees to its own drain budget, as one that is a region does.
    pub(crate) fn request_open_ended(&self, reason: Reason) {
        if let State::Started(join) = &self.state {
            let node = &self.node;
            join.meta().scope.request(reason.stamp(&node.name, node.tree.host.now()), Time::MAX);
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
            if let State::Started(join) = &self.state {
                request_scope(&self.node, &join.meta().scope, reason, drain);
            }
            self.join().await
        }
    }

    /// The task has ended.
    pub fn is_finished(&self) -> bool {
        match &self.state {
            State::Started(join) => {
                join.meta().told.read();
                join.is_finished()
            }
            State::Refused(_) => true,
        }
    }
}

/// Waits for a task. Whoever does so notes that, and so does the task.
struct Joining<T> {
    join: JoinHandle<Outcome<T>, TaskMeta>,
    note: Note,
    noted: bool,
}

impl<T> Future for Joining<T> {
    type Output = Result<Outcome<T>, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.join.meta().told.read();
        let joined = Pin::new(&mut self.join).poll(cx);
        let waiter = asupersync_task::note(cx.waker());
        if joined.is_pending() {
            self.join.meta().joiner.store(cx.waker().data() as usize, Ordering::Relaxed);
            waiter.into_iter().for_each(|waiter| waiter.begin(self.note));
        } else if self.noted {
            waiter.into_iter().for_each(|waiter| waiter.end(self.note));
        }
        self.noted = joined.is_pending();
        joined
    }
}

impl<T> Drop for Joining<T> {
    fn drop(&mut self) {
        if !self.noted {
            return;
        }
        self.join.meta().joiner.store(0, Ordering::Relaxed);
        // Without a waker the task is gone, which ends the wait as well.
        if let Some(waker) = self.join.take_waker()
            && let Some(waiter) = asupersync_task::note(&waker)
        {
            waiter.end(self.note);
        }
    }
}
