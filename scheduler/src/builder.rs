//! Settings of a runtime.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use asupersync_core::Budget;
use asupersync_core::region::LongPoll;

use crate::runtime::Runtime;
use crate::watchdog::Hook;

/// Settings of a [`Runtime`]. Every one has a default.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct Builder {
    pub(crate) workers: usize,
    pub(crate) blocking_limit: usize,
    pub(crate) drain: Budget,
    pub(crate) finalize: Budget,
    pub(crate) signals: bool,
    pub(crate) dump_on_sigusr1: bool,
    pub(crate) long_poll: Duration,
    pub(crate) on_long_poll: Hook,
}

impl Default for Builder {
    fn default() -> Self {
        Builder {
            workers: thread::available_parallelism().map_or(1, usize::from),
            blocking_limit: 512,
            drain: Budget::timeout(Duration::from_secs(10)),
            finalize: Budget::timeout(Duration::from_secs(5)),
            signals: false,
            dump_on_sigusr1: false,
            long_poll: Duration::from_secs(1),
            on_long_poll: Hook::default(),
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

    /// Whether SIGUSR1 prints on stderr what the region tree looks like ([`Runtime::dump`]). Default: no;
    /// `#[asupersync::main]` turns it on.
    ///
    /// A thread of its own answers, which else sleeps; so it does though every worker is in a poll
    /// that never returns. Handlers that others have registered for the signal run as before. Without
    /// any, SIGUSR1 ends a process; one that has listened to it once ignores it afterwards.
    pub fn dump_on_sigusr1(mut self, on: bool) -> Self {
        self.dump_on_sigusr1 = on;
        self
    }

    /// How long one poll of a task or a finalizer may take before it is reported, once, whether it ever
    /// returns or not. Default: 1 second. [`Duration::MAX`]: polls are not watched.
    ///
    /// It is a limit for reports only: nothing is stopped. The runtime looks every 10 ms or so, so a
    /// limit below that is as good as one of 10 ms.
    pub fn long_poll(mut self, limit: Duration) -> Self {
        self.long_poll = limit;
        self
    }

    /// Who takes the reports of [`long_poll`](Self::long_poll). Default: an event of `tracing` at WARN,
    /// target `asupersync`, and, where nobody takes that, a line on stderr.
    ///
    /// `hook` runs on a thread of its own, and may block.
    ///
    /// ```
    /// use asupersync::{Cx, Outcome, Runtime};
    /// use std::sync::mpsc;
    /// use std::time::Duration;
    ///
    /// let (tell, told) = mpsc::channel();
    /// let runtime = Runtime::builder()
    ///     .long_poll(Duration::from_millis(20))
    ///     .on_long_poll(move |poll| drop(tell.send(poll.clone())))
    ///     .build()?;
    /// let outcome: Outcome<()> = runtime.block_on(async move |cx: &Cx| {
    ///     cx.spawn("blocks", async move |_: &Cx| {
    ///         // No await in here, so its worker does nothing else.
    ///         let poll = told.recv()?;
    ///         assert_eq!(&*poll.name, "blocks");
    ///         Ok(println!("{poll}"))
    ///     })
    ///     .join()
    ///     .await
    /// });
    /// outcome.unwrap();
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn on_long_poll(mut self, hook: impl Fn(&LongPoll) + Send + Sync + 'static) -> Self {
        self.on_long_poll = Hook(Some(Arc::new(hook)));
        self
    }

    /// The runtime.
    ///
    /// # Errors
    /// None at present: what the system must give is asked for in [`Runtime::block_on`].
    pub fn build(self) -> io::Result<Runtime> {
        Ok(Runtime::with(self))
    }
}
