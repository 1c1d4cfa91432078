//! Tokens: a Request that others hear, and others' cancellations that become a Request.

use std::future::{Future, poll_fn};
use std::ops::Deref;
use std::pin::pin;
use std::task::Poll;

use asupersync_core::caps::HasSpawn;
use asupersync_core::{ChildRegion, Cx, Outcome, Reason, ReasonKind, TaskFn, TaskOutput};
use tokio_util::sync::{CancellationToken, DropGuard};

/// A token that is cancelled when a region gets Request, or when this is dropped.
///
/// ```
/// use asupersync_compat::tokio_util::RegionToken;
/// use asupersync_core::{Cx, Outcome, Region};
///
/// # let runtime = asupersync_scheduler::Runtime::builder().build().unwrap();
/// # let outcome: Outcome = runtime.block_on(async |cx: &Cx| {
/// Region::open(cx, "service", async |cx: &Cx| {
///     let stop = RegionToken::new(cx);
///     let heard = stop.clone();
///     // What knows tokens only, and ends when its token is cancelled.
///     drop(cx.spawn_future("legacy", async move { heard.cancelled().await }));
///     Outcome::Ok(())
/// })
/// .await
/// # });
/// # outcome.unwrap();
/// ```
#[must_use = "dropped, it cancels the token"]
pub struct RegionToken {
    token: CancellationToken,
    _kept: DropGuard,
}

impl RegionToken {
    /// A token for the region of `cx`; cancelled already if that is under Request, or may not start tasks.
    #[track_caller]
    pub fn new<C: HasSpawn>(cx: &Cx<C>) -> Self {
        let (token, kept) = (CancellationToken::new(), CancellationToken::new());
        // Dropped, and so cancelled, also if the task is refused.
        let (cancels, until) = (token.clone().drop_guard(), kept.clone());
        drop(cx.spawn("token", async move |cx: &Cx<C>| {
            let _cancels = cancels;
            drop(cx.or_cancel(until.cancelled()).await);
        }));
        RegionToken { token, _kept: kept.drop_guard() }
    }
}

impl Deref for RegionToken {
    type Target = CancellationToken;

    fn deref(&self) -> &CancellationToken {
        &self.token
    }
}

/// Runs `body` in a child region, which gets Request when `token` is cancelled, and returns when that region
/// is Closed.
///
/// ```
/// use asupersync_compat::tokio_util::until_cancelled;
/// use asupersync_core::{Cx, Outcome};
/// use tokio_util::sync::CancellationToken;
///
/// # let runtime = asupersync_scheduler::Runtime::builder().build().unwrap();
/// # let outcome = runtime.block_on(async |cx: &Cx| {
/// let token = CancellationToken::new();
/// token.cancel();
/// let seen = until_cancelled(cx, &token, "job", async |cx: &Cx| {
///     cx.cancelled().await;
///     Outcome::Ok("cleaned up")
/// });
/// seen.await
/// # });
/// # assert_eq!(outcome.unwrap(), "cleaned up");
/// ```
///
/// # Errors
/// As [`Region::open`](asupersync_core::Region::open); the reason is `UserRequest` if it was the token.
///
/// # Cancel safety
/// Dropped, the child region gets Request with reason `HandleDropped`, and the region of `cx` awaits it.
#[track_caller]
pub fn until_cancelled<'a, C, R, F>(
    cx: &'a Cx<C>,
    token: &'a CancellationToken,
    name: &str,
    body: F,
) -> impl Future<Output = Outcome<R::Ok>> + use<'a, C, R, F>
where
    C: HasSpawn,
    F: for<'b> TaskFn<&'b Cx<C>, R, Fut: Send> + Send + 'static,
    R: TaskOutput<Ok: 'static> + 'static,
{
    let ended = CancellationToken::new();
    let ends = ended.clone().drop_guard();
    let child = cx.spork(name, async move |cx: &Cx<C>| {
        let _ends = ends;
        body(cx).await
    });
    let mut child = Asked(Some(child));
    async move {
        let (mut cancelled, mut ended) = (pin!(token.cancelled()), pin!(ended.cancelled()));
        let asked = poll_fn(|task| {
            if ended.as_mut().poll(task).is_ready() {
                return Poll::Ready(false);
            }
            cancelled.as_mut().poll(task).map(|()| true)
        });
        let asked = asked.await;
        let Some(child) = child.0.take() else { unreachable!("it is taken once") };
        if asked {
            child.request_close(Reason::new(ReasonKind::UserRequest).with_message("its token was cancelled"));
        }
        child.join().await
    }
}

/// Asks the region to close when nobody waits for it any more.
struct Asked<T>(Option<ChildRegion<T>>);

impl<T> Drop for Asked<T> {
    fn drop(&mut self) {
        if let Some(child) = &self.0 {
            child.request_close(Reason::new(ReasonKind::HandleDropped));
        }
    }
}
