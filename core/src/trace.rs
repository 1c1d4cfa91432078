//! Spans: what a task takes over from its spawner, and what consoles see of it.
//!
//! A task is polled, and its future dropped, inside two spans of `tracing`:
//!
//! | span | what it is | when there is one |
//! |---|---|---|
//! | the task span, outermost | `runtime.spawn` with target `tokio::task`, at TRACE: what `console-subscriber` reads | a subscriber asks for it |
//! | the inherited span, innermost | the spawner's current span, so that events in the task are told in its context | the spawner was in one |
//!
//! Invariants:
//! 1. A task span has no children: what a task opens is a child of its inherited span, or of
//!    `runtime.task`, which stands in for that where there is a task span only. An open span keeps
//!    its parent open, so else a task would seem to live on in what others inherited from it.
//! 2. No task inherits the task span of another, for the same reason, and because to be in that
//!    span is to be polled.
//! 3. Only what is polled holds spans; handles and wakers, which outlive it, know a number. So the
//!    task span closes when the future is gone.
//!
//! Where nobody subscribes, a task holds nothing of this; without the feature `tracing`, it has no
//! room for it either.

use std::fmt::Display;
use std::future::Future;
use std::panic::Location;
use std::time::Duration;

use asupersync_task::WakerUse;

use crate::id::TaskId;

#[cfg(feature = "tracing")]
use {
    pin_project_lite::pin_project,
    std::num::NonZeroU64,
    std::pin::Pin,
    std::task::{Context, Poll},
    tracing::{Level, Span, event_enabled, level_filters::LevelFilter, trace, trace_span, warn},
};

/// What consoles are told of a task.
#[cfg_attr(not(feature = "tracing"), expect(dead_code, reason = "nobody is told"))]
pub(crate) struct Who<'a> {
    pub(crate) id: TaskId,
    pub(crate) name: &'a str,
    pub(crate) site: &'static Location<'static>,
    /// It runs a job that may block.
    pub(crate) blocking: bool,
    /// Bytes of its future.
    pub(crate) size: usize,
    /// Makes the path of its region.
    pub(crate) region: &'a dyn Fn() -> String,
}

/// The spans that something runs in.
#[derive(Clone, Default)]
pub(crate) struct Spans(#[cfg(feature = "tracing")] Option<Box<Both>>);

#[cfg(feature = "tracing")]
#[derive(Clone)]
struct Both {
    task: Span,
    inherited: Span,
}

/// The number of a task span, if there is one.
#[derive(Clone, Copy, Default)]
pub(crate) struct TaskSpan(#[cfg(feature = "tracing")] Option<NonZeroU64>);

/// Where `console-subscriber` looks for tasks; Tokio's own are there too.
#[cfg(feature = "tracing")]
const TARGET: &str = "tokio::task";

impl Spans {
    /// The current span of whoever calls this, unless that is a task span.
    pub(crate) fn inherited() -> Spans {
        #[cfg(feature = "tracing")]
        return if nobody_listens() { Spans(None) } else { Spans::new(Span::none(), inherited()) };
        #[cfg(not(feature = "tracing"))]
        return Spans();
    }

    /// The current span, whatever it is: for a part of the same task that runs elsewhere.
    pub(crate) fn current() -> Spans {
        #[cfg(feature = "tracing")]
        return if nobody_listens() { Spans(None) } else { Spans::new(Span::none(), Span::current()) };
        #[cfg(not(feature = "tracing"))]
        return Spans();
    }

    /// The spans of a new task.
    #[cfg_attr(not(feature = "tracing"), expect(unused_variables, reason = "nobody is told"))]
    pub(crate) fn of_task(who: &Who<'_>) -> Spans {
        #[cfg(feature = "tracing")]
        return if nobody_listens() { Spans(None) } else { of_task(who) };
        #[cfg(not(feature = "tracing"))]
        return Spans();
    }

    #[cfg(feature = "tracing")]
    fn new(task: Span, inherited: Span) -> Spans {
        let none = task.is_disabled() && inherited.is_disabled();
        Spans(if none { None } else { Some(Box::new(Both { task, inherited })) })
    }

    /// Runs `f` inside.
    pub(crate) fn run<R>(&self, f: impl FnOnce() -> R) -> R {
        #[cfg(feature = "tracing")]
        let _entered = self.0.as_deref().map(|both| {
            let task = both.task.enter();
            // The first to be left.
            (both.inherited.enter(), task)
        });
        f()
    }

    /// A future that is polled and dropped inside.
    pub(crate) fn around<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        #[cfg(feature = "tracing")]
        return Inside { future: Some(future), spans: self };
        #[cfg(not(feature = "tracing"))]
        return future;
    }

    /// The number that stands for the task span.
    pub(crate) fn task_span(&self) -> TaskSpan {
        #[cfg(feature = "tracing")]
        return TaskSpan(self.0.as_ref().and_then(|both| Some(both.task.id()?.into_non_zero_u64())));
        #[cfg(not(feature = "tracing"))]
        return TaskSpan();
    }
}

/// Tells of a poll that does not return; `false` if nobody takes that.
#[cfg_attr(not(feature = "tracing"), expect(unused_variables, reason = "nobody is told"))]
pub(crate) fn warn_of_poll(
    what: &dyn Display,
    name: &str,
    region: &str,
    site: &'static Location<'static>,
    lasting: Duration,
) -> bool {
    #[cfg(feature = "tracing")]
    if event_enabled!(target: "asupersync", Level::WARN) {
        warn!(
            target: "asupersync",
            region,
            task.name = name,
            loc.file = site.file(),
            loc.line = site.line(),
            loc.col = site.column(),
            lasting_ms = u64::try_from(lasting.as_millis()).unwrap_or(u64::MAX),
            "{what}",
        );
        return true;
    }
    false
}

/// One load.
#[cfg(feature = "tracing")]
fn nobody_listens() -> bool {
    LevelFilter::current() == LevelFilter::OFF
}

#[cfg(feature = "tracing")]
fn inherited() -> Span {
    let current = Span::current();
    match current.metadata() {
        Some(metadata) if metadata.target().starts_with(TARGET) => Span::none(),
        _ => current,
    }
}

#[cfg(feature = "tracing")]
fn of_task(who: &Who<'_>) -> Spans {
    let mut inherited = inherited();
    let task = trace_span!(
        target: TARGET,
        parent: &inherited,
        "runtime.spawn",
        kind = if who.blocking { "blocking" } else { "task" },
        task.name = who.name,
        task.id = who.id.get(),
        region = (who.region)(),
        size.bytes = who.size,
        loc.file = who.site.file(),
        loc.line = who.site.line(),
        loc.col = who.site.column(),
    );
    if !task.is_disabled() && inherited.is_disabled() {
        inherited = trace_span!(
            target: TARGET,
            parent: None,
            "runtime.task",
            task.name = who.name,
            region = (who.region)(),
        );
    }
    let spans = Spans::new(task, inherited);
    // Its region can wake it at any time. A console that counts no waker says that nobody can.
    spans.task_span().tell(WakerUse::Clone);
    spans
}

impl TaskSpan {
    pub(crate) fn is_some(self) -> bool {
        #[cfg(feature = "tracing")]
        return self.0.is_some();
        #[cfg(not(feature = "tracing"))]
        return false;
    }

    /// Tells what is done with a waker of the task.
    #[cfg_attr(not(feature = "tracing"), expect(unused_variables, reason = "nobody is told"))]
    pub(crate) fn tell(self, what: WakerUse) {
        #[cfg(feature = "tracing")]
        if let Some(id) = self.0 {
            let op = match what {
                WakerUse::Clone => "waker.clone",
                WakerUse::Wake => "waker.wake",
                WakerUse::WakeByRef => "waker.wake_by_ref",
                WakerUse::Drop => "waker.drop",
            };
            trace!(target: "tokio::task::waker", op, task.id = id.get());
        }
    }
}

#[cfg(feature = "tracing")]
pin_project! {
    struct Inside<F> {
        // Taken out, inside the spans, by the drop.
        #[pin]
        future: Option<F>,
        spans: Spans,
    }

    impl<F> PinnedDrop for Inside<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            this.spans.run(|| this.future.set(None));
        }
    }
}

#[cfg(feature = "tracing")]
impl<F: Future> Future for Inside<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let future = this.future.as_pin_mut().expect("it is there until the drop");
        this.spans.run(|| future.poll(cx))
    }
}
