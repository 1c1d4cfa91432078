//! Work for threads that may block, owned by a region like any other task.
//!
//! A job that has not started when its scope is requested never starts. One that has started
//! cannot be stopped from outside: its task drains until the job ends or the budget is spent; after
//! that the region closes without it, and the thread goes on by itself.

use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::body::TaskOutput;
use crate::cancel::{Level, Note};
use crate::caps::{Effect, HasBlocking, HasSpawn, NoCaps};
use crate::channel::{RecvError, oneshot};
use crate::cx::Cx;
use crate::lock::{Mutex, lock};
use crate::outcome::{Failure, Outcome, Panic};
use crate::spawn::Handle;
use crate::trace::Spans;

impl<C> Cx<C> {
    /// Runs `job` on a thread that may block, as a task of this region.
    ///
    /// ```
    /// # use asupersync::{Cx, Outcome};
    /// # #[asupersync::main]
    /// # async fn main(cx: &Cx) -> Outcome<()> {
    /// let sum = cx.spawn_blocking("sum", || Ok((1..=100).sum::<u32>()));
    /// assert_eq!(sum.join().await?, 5050);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_blocking<R: TaskOutput<Ok: 'static> + 'static>(
        &self,
        name: &str,
        job: impl FnOnce() -> R + Send + 'static,
    ) -> Handle<R::Ok>
    where
        C: HasBlocking + HasSpawn,
    {
        let effects = [Effect::Spawn, Effect::Blocking];
        self.start(&effects, name, Location::caller(), |cx: Cx<C>, spans| {
            let spans = spans.clone();
            async move { cx.blocking(spans, job).await }
        })
    }

    /// Runs `job` on a thread that may block, and waits for it. Other than
    /// [`spawn_blocking`](Self::spawn_blocking) it starts no task, so it works in a finalizer, too.
    ///
    /// ```
    /// # use asupersync::{Cx, Outcome};
    /// # #[asupersync::main]
    /// # async fn main(cx: &Cx) -> Outcome<()> {
    /// cx.defer(async |cx| cx.run_blocking("tidy", || Ok(println!("last of all"))).await)?;
    /// assert_eq!(cx.run_blocking("sum", || Ok((1..=100).sum::<u32>())).await?, 5050);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The job's; [`Denied`](crate::caps::Denied) if jobs that block were taken away; `Cancelled` at
    /// Request, unless the job has begun: that is waited for until the drain budget is spent.
    ///
    /// # Cancel safety
    /// Dropped before the job has begun, it never will. Dropped later, the job runs to its end, and
    /// the region waits for that, as for a task called `name`; what it returns is dropped.
    #[track_caller]
    pub fn run_blocking<'a, R: TaskOutput<Ok: 'static> + 'static>(
        &'a self,
        name: &'a str,
        job: impl FnOnce() -> R + Send + 'static,
    ) -> impl Future<Output = Outcome<R::Ok>> + Send
    where
        C: HasBlocking,
    {
        let site = Location::caller();
        async move {
            self.checkpoint()?;
            self.check(Effect::Blocking)?;
            self.blocking_owned(name, site, job).await
        }
    }

    /// Runs `job` inside of `spans` on a thread that may block, and waits for it. A waiter that leaves
    /// while it runs leaves it to itself.
    pub(crate) async fn blocking<R: TaskOutput<Ok: 'static> + 'static>(
        &self,
        spans: Spans,
        job: impl FnOnce() -> R + Send + 'static,
    ) -> Outcome<R::Ok> {
        self.bare().wait_for_job(spans, None, job).await
    }

    /// As [`blocking`](Self::blocking), but a job that is left is the region's to wait for, as a task
    /// of this name. It is none before, so that finalizers can run jobs, too.
    pub(crate) async fn blocking_owned<R: TaskOutput<Ok: 'static> + 'static>(
        &self,
        name: &str,
        site: &'static Location<'static>,
        job: impl FnOnce() -> R + Send + 'static,
    ) -> Outcome<R::Ok> {
        self.bare().wait_for_job(Spans::current(), Some((name, site)), job).await
    }
}

impl Cx<NoCaps> {
    async fn wait_for_job<R: TaskOutput<Ok: 'static> + 'static>(
        &self,
        spans: Spans,
        heir: Option<(&str, &'static Location<'static>)>,
        job: impl FnOnce() -> R + Send + 'static,
    ) -> Outcome<R::Ok> {
        // Whoever takes it first, the thread or the waiter that leaves, decides whether the job runs.
        let unbegun = Unbegun::new(job);
        let (tell, told) = oneshot::channel();
        let (job, scope) = (unbegun.clone(), self.scope().clone());
        self.host().spawn_blocking(Box::new(move || {
            // A request may have come that the waiter has not seen yet.
            if scope.level() >= Level::Requested {
                return;
            }
            let Some(job) = job.take() else { return };
            let outcome = match catch_unwind(AssertUnwindSafe(move || spans.run(job))) {
                Ok(output) => output.into_outcome(),
                Err(payload) => Err(Failure::Panicked(Panic::new(payload))),
            };
            // Nobody waits any more if the budget was spent.
            drop(tell.send(outcome));
        }));
        let mut wait = Wait { cx: self, unbegun, told: Some(told), heir };
        let mut mine = false;
        let told = self.op(Level::Spent, Note::JOB, |task| {
            if !mine && self.is_cancelled() {
                mine = wait.unbegun.take().is_some();
            }
            if mine {
                return Poll::Ready(Err(RecvError::from(self.scope().cancelled())));
            }
            wait.poll(task)
        });
        match told.await {
            Ok(outcome) => outcome,
            // The host dropped the job unrun: it is shutting down.
            Err(RecvError::Closed) => Err(self.node().refusal().into()),
            Err(RecvError::Cancelled(source)) => Err(source.cancelled().clone().into()),
        }
    }
}

/// The wait for a job. A job that is left before it has begun never does.
struct Wait<'a, T: Send + 'static, F> {
    cx: &'a Cx<NoCaps>,
    unbegun: Unbegun<F>,
    /// Until it has told.
    told: Option<oneshot::Receiver<Outcome<T>>>,
    /// The task that waits on when this is dropped.
    heir: Option<(&'a str, &'static Location<'static>)>,
}

impl<T: Send + 'static, F> Wait<'_, T, F> {
    fn poll(&mut self, task: &mut Context<'_>) -> Poll<Result<Outcome<T>, RecvError>> {
        let Some(told) = &mut self.told else { return Poll::Ready(Err(RecvError::Closed)) };
        told.poll_recv(task).map(|ended| {
            self.told = None;
            ended
        })
    }
}

impl<T: Send + 'static, F> Drop for Wait<'_, T, F> {
    fn drop(&mut self) {
        let unbegun = self.unbegun.take().is_some();
        let (Some(mut told), Some((name, site))) = (self.told.take(), self.heir) else { return };
        if !unbegun {
            // Refused once the region's own budget is spent: then the job is left to itself.
            let region = self.cx.of_region().in_flight();
            drop(region.start(&[], name, site, |cx, _| async move {
                drop(cx.op(Level::Spent, Note::JOB, |task| told.poll_recv(task)).await);
                Ok(())
            }));
        }
    }
}

/// A job until it begins. Taken once, by the thread that runs it or by whoever sees to it that none does:
/// what it captured is then gone, and not only when a thread comes to it.
struct Unbegun<F>(Arc<Mutex<Option<F>>>);

impl<F> Unbegun<F> {
    fn new(job: F) -> Self {
        Unbegun(Arc::new(Mutex::new(Some(job))))
    }

    fn take(&self) -> Option<F> {
        lock(&self.0).take()
    }
}

impl<F> Clone for Unbegun<F> {
    fn clone(&self) -> Self {
        Unbegun(self.0.clone())
    }
}
