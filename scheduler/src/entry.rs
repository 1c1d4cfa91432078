//! What the attribute macros expand to. Not for use by hand.

use std::process::Termination;

use asupersync_core::{Cx, Failure, TaskFn, TaskOutput};

use crate::{Builder, Runtime};

/// The settings a macro starts from.
pub fn config() -> Builder {
    Runtime::builder()
}

/// Runs `main` as the process's own: signals ask it to close, and how it is.
#[track_caller]
pub fn main<F, R>(settings: Builder, main: F) -> impl Termination
where
    F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Send + 'static,
    R: TaskOutput<Ok: 'static> + 'static,
{
    Runtime::with(settings.signals(true).dump_on_sigusr1(true)).run_process(main)
}

/// [`main`] for a body that takes no `Cx`.
#[track_caller]
pub fn main0<F, Fut>(settings: Builder, body: F) -> impl Termination
where
    F: FnOnce() -> Fut + Send + 'static,
    Fut: Future<Output: TaskOutput<Ok: 'static> + 'static> + Send + 'static,
{
    main(settings, async move |_: &Cx| body().await.into_outcome())
}

/// Runs a test: fails it unless the body succeeds.
///
/// # Panics
/// With the body's own panic, or with its failure.
#[track_caller]
pub fn test<F, R>(settings: Builder, test: F)
where
    F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Send + 'static,
    R: TaskOutput<Ok: 'static> + 'static,
{
    match Runtime::with(settings).block_on(test) {
        Ok(_) => {}
        Err(Failure::Panicked(panic)) => match panic.take_payload() {
            Some(payload) => std::panic::resume_unwind(payload),
            None => panic!("{}", panic.message()),
        },
        Err(failure) => panic!("the test failed: {failure:?}"),
    }
}

/// [`test()`] for a body that takes no `Cx`.
///
/// # Panics
/// As [`test()`].
#[track_caller]
pub fn test0<F, Fut>(settings: Builder, body: F)
where
    F: FnOnce() -> Fut + Send + 'static,
    Fut: Future<Output: TaskOutput<Ok: 'static> + 'static> + Send + 'static,
{
    test(settings, async move |_: &Cx| body().await.into_outcome());
}
