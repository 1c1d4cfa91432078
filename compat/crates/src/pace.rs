//! How far an operation goes before it waits, and for what.

use std::sync::Arc;

use asupersync_compat::guest::Enclave;
use asupersync_core::{Cx, Outcome};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::BoxError;

/// Where a row's operation runs.
#[derive(Clone)]
pub struct Place {
    /// The task that runs it.
    pub cx: Cx,
    /// The enclave of its region.
    pub tokio: Enclave,
    /// What it waits for.
    pub pace: Pace,
}

impl Place {
    /// Runs `operation` inside of the enclave.
    ///
    /// # Errors
    /// Its own, and those of the call.
    pub async fn inside<F>(&self, operation: F) -> Result<(), BoxError>
    where
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        plain(self.tokio.run(&self.cx, operation).await)?
    }
}

/// An outcome as an error of the usual kind.
pub(crate) fn plain<T>(outcome: Outcome<T>) -> Result<T, BoxError> {
    outcome.map_err(|failure| failure.to_string().into())
}

/// When an operation goes on that has come to its middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    Now,
    AfterRequest,
    Never,
}

/// What an operation waits for in its middle, on whichever side of it.
#[derive(Clone)]
pub struct Pace {
    pub(crate) when: When,
    pub(crate) request: CancellationToken,
    pub(crate) begun: Arc<Notify>,
}

impl Pace {
    /// The operation is in its middle: waits until it is to go on.
    pub async fn middle(&self) {
        self.begun.notify_one();
        match self.when {
            When::Now => {}
            When::AfterRequest => self.request.cancelled().await,
            When::Never => std::future::pending().await,
        }
    }

    /// As [`middle`](Self::middle), on a thread that may block. It does return in the end, so that the test
    /// can go on, but only when everybody has given up on it.
    pub fn block(&self) {
        self.begun.notify_one();
        match self.when {
            When::Now => {}
            When::AfterRequest => futures::executor::block_on(self.request.cancelled()),
            // a wait, not a synchronisation: longer than the budgets and the count take
            When::Never => std::thread::sleep(std::time::Duration::from_secs(4)),
        }
    }

    /// The operation is to wait for ever: for those whose other side cannot wait for us.
    pub fn is_endless(&self) -> bool {
        self.when == When::Never
    }
}
