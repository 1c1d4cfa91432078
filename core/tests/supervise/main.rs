//! Supervisors on the native host: what is started again, how it stops, and who may ask.

mod dynamic;
mod failure;
mod restart;
mod stop;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use asupersync::supervise::{ChildSpec, Restart, SupervisorHandle, TooManyRestarts};
use asupersync::{Cancelled, Cx, Error, Failure, Outcome, Reason, ReasonKind, Runtime, TaskFn};

/// An hour: what no test waits for.
const HOUR: Duration = Duration::from_secs(3600);

/// Runs a test's body. One that hangs fails after a while.
fn run<F>(body: F)
where
    F: for<'a> TaskFn<&'a Cx, Outcome, Fut: Send> + Send + 'static,
{
    let runtime = Runtime::builder().workers(2).build().unwrap();
    let outcome = runtime.block_on(async move |cx: &Cx| {
        let test = cx.spawn("test", body);
        cx.timeout(Duration::from_secs(30), async |cx: &Cx| cx.or_cancel(test.join()).await?).await
    });
    outcome.unwrap();
}

/// What happened, in order, and how often.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn count(&self, what: &str) -> usize {
        self.0.lock().unwrap().iter().filter(|said| *said == what).count()
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// Lets others run until `what` happened `times` times.
    async fn wait(&self, cx: &Cx, what: &str, times: usize) -> Outcome {
        while self.count(what) < times {
            cx.yield_now().await?;
        }
        Ok(())
    }
}

/// A child that logs its start, the request to stop and why, and its close.
fn idle(name: &'static str, log: &Log) -> ChildSpec {
    let log = log.clone();
    ChildSpec::new(name, async move |cx: &Cx| {
        let end = log.clone();
        cx.defer(async move |_: &Cx| end.add(format!("{name} closed")))?;
        log.add(format!("{name} up"));
        let cancelled = cx.cancelled().await;
        log.add(format!("{name} asked: {:?}", cancelled.reason().kind()));
        Err::<(), Failure>(cancelled.into())
    })
}

/// How a child can end by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Returns,
    Fails,
    Panics,
    Cancelled(ReasonKind),
}

const ENDS: [End; 5] = [
    End::Returns,
    End::Fails,
    End::Panics,
    End::Cancelled(ReasonKind::Deadline),
    End::Cancelled(ReasonKind::UserRequest),
];

impl End {
    fn come(self) -> Outcome {
        match self {
            End::Returns => Ok(()),
            End::Fails => Err(Failure::Err(Error::msg("it failed"))),
            End::Panics => panic!("it panicked"),
            End::Cancelled(kind) => Err(Cancelled::new(Reason::new(kind)).into()),
        }
    }

    fn is_abnormal(self) -> bool {
        !matches!(self, End::Returns | End::Cancelled(ReasonKind::UserRequest))
    }
}

/// A child that ends so the first `times` times, each after all of `others` were up once, and is
/// idle after that.
fn ends(name: &'static str, end: End, times: u32, log: &Log, others: &'static [&str]) -> ChildSpec {
    let (log, left) = (log.clone(), Arc::new(AtomicU32::new(times)));
    ChildSpec::new(name, async move |cx: &Cx| {
        log.add(format!("{name} up"));
        for other in others {
            log.wait(cx, &format!("{other} up"), 1).await?;
        }
        if left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return end.come();
        }
        Err(cx.cancelled().await.into())
    })
}

/// Lets others run until the children are `wanted`, by name and status.
async fn wait_children(cx: &Cx, handle: &SupervisorHandle, wanted: &str) -> Outcome {
    loop {
        let children = handle.which_children(cx).await?;
        let told: Vec<String> =
            children.iter().map(|child| format!("{} {:?}", child.name, child.status)).collect();
        if told.join(", ") == wanted {
            return Ok(());
        }
        cx.yield_now().await?;
    }
}

/// The error with which a supervisor gave up.
fn gave_up<T>(outcome: &Outcome<T>) -> &TooManyRestarts {
    match outcome {
        Err(Failure::Err(error)) => error.downcast_ref().expect("another error"),
        Err(other) => panic!("ended with {other:?}"),
        Ok(_) => panic!("ended well"),
    }
}

fn cancelled_by<T>(outcome: &Outcome<T>) -> ReasonKind {
    match outcome {
        Err(failure) => failure.as_cancelled().expect("not a cancellation").reason().kind(),
        Ok(_) => panic!("ended well"),
    }
}

const KINDS: [Restart; 3] = [Restart::Permanent, Restart::Transient, Restart::Temporary];
