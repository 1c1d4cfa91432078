//! Trackers: tasks that others own, and that a region waits for.

use asupersync_core::Cx;
use asupersync_core::caps::HasSpawn;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// Makes a `TaskTracker` part of a region's drain: at Request, or when this is dropped, the tracker is
/// closed, and the region does not close before the tracker's tasks have ended or the drain budget is spent.
///
/// ```
/// use asupersync_compat::tokio_util::Tracked;
/// use asupersync_core::{Cx, Outcome, Region};
/// use tokio_util::task::TaskTracker;
///
/// #[tokio::main]
/// async fn main() {
///     let tracker = TaskTracker::new();
///     let outcome: Outcome = asupersync_compat::hosted::run(async move |cx: &Cx| {
///         let _tracked = Tracked::new(cx, &tracker);
///         tracker.spawn(async { println!("of Tokio's, and awaited") });
///         Ok(())
///     })
///     .await;
///     outcome.unwrap();
/// }
/// ```
#[must_use = "dropped, the tracker is closed"]
pub struct Tracked {
    _kept: DropGuard,
}

impl Tracked {
    /// The region of `cx` waits for `tracker`; not if it is under Request already, or may not start tasks:
    /// then the tracker is only closed.
    #[track_caller]
    pub fn new<C: HasSpawn>(cx: &Cx<C>, tracker: &TaskTracker) -> Self {
        /// Closes it, also if the task is refused.
        struct Closes(TaskTracker);
        impl Drop for Closes {
            fn drop(&mut self) {
                self.0.close();
            }
        }
        let (kept, closes) = (CancellationToken::new(), Closes(tracker.clone()));
        let until = kept.clone();
        drop(cx.spawn("tracker", async move |cx: &Cx<C>| {
            // Either way it closes now.
            drop(cx.or_cancel(until.cancelled()).await);
            closes.0.close();
            // Whoever tracks them is told nothing if the budget is spent: they are not the region's.
            drop(cx.or_spent(closes.0.wait()).await);
        }));
        Tracked { _kept: kept.drop_guard() }
    }
}
