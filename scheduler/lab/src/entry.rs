//! What `#[asupersync::lab_test]` expands to: [`Explore::check`] of the annotated function.

use asupersync_core::{Cx, TaskFn, TaskOutput};

use crate::Explore;

/// Explores a test, and fails if a run of it does.
///
/// # Panics
/// As [`Explore::check`].
#[track_caller]
pub fn test<F, R>(explore: Explore, test: F)
where
    F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Clone + Send + 'static,
    R: TaskOutput<Ok: 'static> + 'static,
{
    explore.check(test);
}

/// [`test()`] for a body that takes no `Cx`.
///
/// # Panics
/// As [`Explore::check`].
#[track_caller]
pub fn test0<F, Fut>(explore: Explore, body: F)
where
    F: FnOnce() -> Fut + Clone + Send + 'static,
    Fut: Future<Output: TaskOutput<Ok: 'static> + 'static> + Send + 'static,
{
    test(explore, async move |_: &Cx| body().await.into_outcome());
}
