//! Settings of a runtime.

use std::io;
use std::thread;
use std::time::Duration;

use asupersync_core::Budget;

use crate::runtime::Runtime;

/// Settings of a [`Runtime`]. Every one has a default.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct Builder {
    pub(crate) workers: usize,
    pub(crate) blocking_limit: usize,
    pub(crate) drain: Budget,
    pub(crate) finalize: Budget,
    pub(crate) signals: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Builder {
            workers: thread::available_parallelism().map_or(1, usize::from),
            blocking_limit: 512,
            drain: Budget::timeout(Duration::from_secs(10)),
            finalize: Budget::timeout(Duration::from_secs(5)),
            signals: false,
        }
    }
}

impl Builder {
    /// How many threads poll tasks. Default: one for each core. 0 counts as 1.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers.max(1);
        self
    }

    /// How many threads may block at once. Default: 512. 0 counts as 1.
    pub fn blocking_limit(mut self, threads: usize) -> Self {
        self.blocking_limit = threads.max(1);
        self
    }

    /// How long work in flight may go on once the runtime, or any region in it, is asked to close.
    /// Default: 10 seconds.
    pub fn drain(mut self, budget: Budget) -> Self {
        self.drain = budget;
        self
    }

    /// How long the finalizers of a region may take together, after its drain. Default: 5 seconds.
    ///
    /// `block_on` returns at most drain + finalize + 250 ms after the request to close.
    pub fn finalize(mut self, budget: Budget) -> Self {
        self.finalize = budget;
        self
    }

    /// Whether SIGINT and SIGTERM ask the runtime to close. Default: no;
    /// `#[asupersync::main]` turns it on.
    pub fn signals(mut self, on: bool) -> Self {
        self.signals = on;
        self
    }

    /// The runtime.
    ///
    /// # Errors
    /// None at present: what the system must give is asked for in [`Runtime::block_on`].
    pub fn build(self) -> io::Result<Runtime> {
        Ok(Runtime { settings: self })
    }
}
