//! Instruments: counters of drops and polls, a scope to cancel at will, logs.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use asupersync_core::channel::oneshot;
use asupersync_core::{Budget, Cancelled, Cx, Failure, Handle, Outcome, Reason, ReasonKind};

/// Counts what is alive, and what was dropped.
#[derive(Clone, Debug, Default)]
pub(crate) struct Count(Arc<(AtomicUsize, AtomicUsize)>);

/// One that is counted.
#[derive(Debug)]
pub(crate) struct Counted(Count);

impl Count {
    pub(crate) fn one(&self) -> Counted {
        self.0.0.fetch_add(1, SeqCst);
        Counted(self.clone())
    }

    pub(crate) fn alive(&self) -> usize {
        self.0.0.load(SeqCst)
    }

    pub(crate) fn dropped(&self) -> usize {
        self.0.1.load(SeqCst)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.0.fetch_sub(1, SeqCst);
        self.0.0.1.fetch_add(1, SeqCst);
    }
}

/// A list of what happened, in order.
#[derive(Debug)]
pub(crate) struct Log<T>(Arc<Mutex<Vec<T>>>);

impl<T> Log<T> {
    pub(crate) fn new() -> Self {
        Log(Arc::default())
    }

    pub(crate) fn push(&self, entry: T) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }

    pub(crate) fn take(&self) -> Vec<T> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T> Clone for Log<T> {
    fn clone(&self) -> Self {
        Log(self.0.clone())
    }
}

/// A task that lends its `Cx` and then waits to be cancelled: a scope to try operations in.
pub(crate) struct Victim {
    pub(crate) cx: Cx,
    handle: Handle<()>,
    /// Its task ends when this is dropped.
    keep: oneshot::Sender<()>,
}

impl Victim {
    pub(crate) async fn new(cx: &Cx) -> Victim {
        let ((tell, mut told), (keep, mut kept)) = (oneshot::channel(), oneshot::channel());
        let handle = cx.spawn("victim", async move |cx: &Cx| {
            drop(tell.send(cx.clone()));
            cx.cancelled().await;
            // In the way of work in flight, so that the scope lives on under Request.
            cx.finish(async |cx: &Cx| {
                drop(kept.recv(cx).await);
            })
            .await
        });
        let cx = told.recv(cx).await.expect("the victim tells of itself");
        Victim { cx, handle, keep }
    }

    /// Request, which stands when this returns.
    pub(crate) fn request(&self) {
        self.handle.request_cancel(Reason::new(ReasonKind::UserRequest));
        assert!(self.cx.is_cancelled());
    }

    /// Request and the end of the drain budget, which stand when this returns.
    pub(crate) async fn spend(self) -> Cx {
        drop(self.handle.cancel(Budget::timeout(Duration::ZERO)).await);
        drop(self.keep);
        self.cx
    }
}

/// Polls once, with a waker that nobody hears.
pub(crate) fn poll_now<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls a future to its end if that takes one poll.
pub(crate) fn now_or_never<F: Future>(future: F) -> Option<F::Output> {
    match poll_now(pin!(future)) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// Polls what `play` makes of a `Cx`, once undisturbed, and once for each poll of that: before it the
/// `Cx` is put under Request, or the future is dropped. `gone` is called when it is, each time. Tells
/// what the undisturbed run returned, and those that were requested.
///
/// It must come to its end by polls alone: no timers, no other tasks.
pub(crate) async fn at_every_poll<T>(
    cx: &Cx,
    play: impl Fn(Cx) -> Pin<Box<dyn Future<Output = T> + Send>>,
    gone: impl Fn(),
) -> (T, Vec<T>) {
    const MOST: usize = 1000;
    let end = |mut future: Pin<Box<dyn Future<Output = T> + Send>>| {
        for polls in 1..MOST {
            if let Poll::Ready(value) = poll_now(future.as_mut()) {
                drop(future);
                gone();
                return (value, polls);
            }
        }
        panic!("{MOST} polls did not end it");
    };
    let (whole, polls) = end(play(cx.clone()));
    let mut requested = Vec::new();
    for at in 0..polls {
        let victim = Victim::new(cx).await;
        let mut future = play(victim.cx.clone());
        assert!((0..at).all(|_| poll_now(future.as_mut()).is_pending()));
        victim.request();
        requested.push(end(future).0);

        let mut future = play(cx.clone());
        assert!((0..at).all(|_| poll_now(future.as_mut()).is_pending()));
        drop(future);
        gone();
    }
    (whole, requested)
}

/// Never ready, counts its polls, and knows no `Cx`.
pub(crate) async fn stubborn(polls: Arc<AtomicUsize>) -> std::convert::Infallible {
    poll_fn(|_| {
        polls.fetch_add(1, SeqCst);
        Poll::Pending
    })
    .await
}

/// Awaits a future, and counts its polls.
pub(crate) async fn counted<F: Future>(polls: &AtomicUsize, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|task| {
        let polled = future.as_mut().poll(task);
        polls.fetch_add(1, SeqCst);
        polled
    })
    .await
}

/// What a case asks a region to close with.
pub(crate) fn asked() -> Reason {
    Reason::new(ReasonKind::UserRequest)
}

/// Polls it once, under the task's own waker, and finds that it waits.
pub(crate) async fn begin(future: &mut (impl Future + Unpin)) {
    poll_fn(|task| {
        assert!(Pin::new(&mut *future).poll(task).is_pending());
        Poll::Ready(())
    })
    .await;
}

/// Ready at the next poll after the first, which wakes at once: a step that no scope ends.
pub(crate) async fn breathe() {
    let mut breathed = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut breathed, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// A cancellation's kind.
pub(crate) fn kind(cancelled: &Cancelled) -> ReasonKind {
    cancelled.reason().kind()
}

/// The kind of the cancellation that an outcome is.
#[track_caller]
pub(crate) fn cancelled_kind<T>(outcome: &Outcome<T>) -> ReasonKind {
    match outcome {
        Err(Failure::Cancelled(cancelled)) => kind(cancelled),
        Err(other) => panic!("not cancelled, but {other:?}"),
        Ok(_) => panic!("not cancelled, but a value"),
    }
}

/// Waits until `done`, letting others run.
pub(crate) async fn until(mut done: impl FnMut() -> bool) {
    while !done() {
        breathe().await;
    }
}

pub(crate) const MS: fn(u64) -> Duration = Duration::from_millis;

/// Longer than any run.
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
