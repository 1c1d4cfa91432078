//! Files as a capability: who has an [`Fs`] may use them.
//!
//! Core opens no file. What it has is the right to, and a way to wait for a call that blocks: on a
//! thread that may, and so that the region does not close before it ended. Which files is for an object
//! above this to say, such as a directory that nothing leads out of.

use std::fmt;
use std::future::Future;
use std::io;
use std::panic::Location;
use std::sync::Arc;

use crate::caps::{Authority, Effect, HasFs};
use crate::cx::Cx;
use crate::outcome::Failure;

/// The right to use files; from [`Cx::fs`].
///
/// ```
/// use asupersync::{Cx, Outcome};
///
/// #[asupersync::main]
/// async fn main(cx: &Cx) -> Outcome {
///     let manifest = cx.fs().run(cx, "manifest", || std::fs::read_to_string("Cargo.toml")).await?;
///     assert!(manifest.contains("[package]"));
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Fs {
    authority: Option<Arc<Authority>>,
}

impl Fs {
    /// Fails unless this object and `cx` both allow the use of files.
    ///
    /// # Errors
    /// `PermissionDenied` with a [`Denied`](crate::caps::Denied) inside.
    pub fn check<C>(&self, cx: &Cx<C>) -> io::Result<()> {
        cx.check(Effect::Fs)?;
        match &self.authority {
            Some(authority) => Ok(authority.check(Effect::Fs, || cx.path())?),
            None => Ok(()),
        }
    }

    /// Runs `job` on a thread that may block, and waits for it. It needs no other right than this one.
    /// In a finalizer it does what it does elsewhere.
    ///
    /// # Errors
    /// The job's; `PermissionDenied` if files may not be used; a cancellation at Request, unless the
    /// job has begun: that is waited for until the drain budget is spent. A panic of the job is an
    /// error of kind `Other`.
    ///
    /// # Cancel safety
    /// Dropped before the job has begun, it never will. Dropped later, the job runs to its end, and
    /// the region waits for that, as for a task called `name`; what it returns is dropped.
    #[track_caller]
    pub fn run<'a, C, T>(
        &'a self,
        cx: &'a Cx<C>,
        name: &'a str,
        job: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> impl Future<Output = io::Result<T>> + Send
    where
        T: Send + 'static,
    {
        let site = Location::caller();
        async move {
            cx.checkpoint()?;
            self.check(cx)?;
            match cx.blocking_owned(name, site, move || Ok(job())).await {
                Ok(result) => result,
                Err(Failure::Cancelled(cancelled)) => Err(cancelled.into()),
                Err(failure) => Err(io::Error::other(format!("`{name}` {failure}"))),
            }
        }
    }
}

impl fmt::Debug for Fs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fs").field("authority", &self.authority).finish()
    }
}

impl<C> Cx<C> {
    /// The right to use files, as an object to be handed on.
    pub fn fs(&self) -> Fs
    where
        C: HasFs,
    {
        Fs { authority: self.authority().cloned() }
    }
}
