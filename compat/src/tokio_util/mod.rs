//! Between regions and tokio-util's tokens and trackers, both ways, and a set of tasks in the shape of
//! Tokio's `JoinSet`. No Tokio runtime is needed: these are only data.
//!
//! | from | to | with |
//! |---|---|---|
//! | a region's Request | a cancelled `CancellationToken` | [`RegionToken`] |
//! | a cancelled `CancellationToken` | a region's Request | [`until_cancelled`] |
//! | the tasks of a `TaskTracker` | a region's drain | [`Tracked`] |
//! | a region's tasks | a `TaskTracker` that waits for them | `cx.spawn_future(name, tracker.track_future(..))` |
//! | a `JoinSet` | tasks of a region | [`JoinSet`] |
//! | a codec | a stream of ours | `Framed::new(Tokio::new(stream), ..)`, with [`io::Tokio`](crate::io::Tokio) |
//!
//! What listens for a Request is a task of the region. A region with
//! [`Close::Join`](asupersync_core::region::Close::Join) waits for its tasks, so there the guard that this
//! returns must be dropped before the region can end.

mod join_set;
mod token;
mod tracker;

pub use join_set::JoinSet;
pub use token::{RegionToken, until_cancelled};
pub use tracker::Tracked;
