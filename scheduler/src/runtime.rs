//! A runtime: threads, from the start of a main body until the root region is Closed.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use asupersync_core::host::Runnable;
use asupersync_core::region::dump::Dump;
use asupersync_core::region::{CloseReport, Root, Roots};
use asupersync_core::{Cancelled, Cx, Exit, Outcome, Reason, ReasonKind, TaskFn, TaskOutput};
use asupersync_queue::Local;

use crate::builder::Builder;
use crate::dumper::Dumper;
use crate::primitive::{AtomicBool, SeqCst};
use crate::shared::Shared;
use crate::signal::Signals;
use crate::watchdog::Watchdog;
use crate::{monitor, worker};

/// How long worker threads may take to end; one in a poll that does not return is left behind.
const LAST_WAIT: Duration = Duration::from_millis(100);

/// The native runtime.
///
/// ```
/// use asupersync::{Cx, Runtime};
///
/// let runtime = Runtime::builder().workers(2).build()?;
/// let outcome = runtime.block_on(async |cx: &Cx| {
///     let task = cx.spawn("answer", async |_| Ok(42));
///     task.join().await
/// });
/// assert_eq!(outcome.unwrap(), 42);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Runtime {
    settings: Builder,
    roots: Roots,
}

/// How one `block_on` ended.
pub(crate) struct Ended<T> {
    pub(crate) outcome: Outcome<T>,
    pub(crate) report: CloseReport,
    pub(crate) signalled: bool,
}

impl Runtime {
    /// A runtime with the default settings.
    ///
    /// # Errors
    /// As [`Builder::build`].
    pub fn new() -> io::Result<Runtime> {
        Builder::default().build()
    }

    /// Settings to choose.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn with(settings: Builder) -> Runtime {
        Runtime { settings, roots: Roots::default() }
    }

    /// What runs in it: a region tree for each [`block_on`](Self::block_on) that has not returned, of
    /// this runtime or a clone of it. It tells who owns whom, how far each has gone, and what it waits
    /// for.
    ///
    /// Any thread may ask, also while every worker is stuck: nobody is polled or stopped for it.
    ///
    /// ```
    /// use asupersync::{Cx, Runtime};
    /// use std::{process, thread, time::Duration};
    ///
    /// let runtime = Runtime::new()?;
    /// let watched = runtime.clone();
    /// thread::spawn(move || {
    ///     thread::sleep(Duration::from_secs(60));
    ///     // This program is done after a minute, or it hangs.
    ///     watched.dump().iter().for_each(|dump| eprint!("{dump}"));
    ///     process::exit(1)
    /// });
    /// let answer = runtime.block_on(async |cx: &Cx| cx.spawn("answer", async |_| Ok(42)).join().await);
    /// assert_eq!(answer.unwrap(), 42);
    /// assert!(runtime.dump().is_empty());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn dump(&self) -> Vec<Dump> {
        self.roots.dump()
    }

    /// Runs `main` in the root region, and closes that. Returns when everything in it is gone, or
    /// when its close budget is spent; then what is left is dropped and listed on stderr.
    ///
    /// # Errors
    /// The gravest of the body's and the root's children's outcomes; the system's error when it
    /// gives no threads or no readiness queue.
    ///
    /// # Panics
    /// On a worker thread: it would block the tasks of that worker, this one among them. Use
    /// [`Cx::spawn`](asupersync_core::Cx::spawn) there.
    #[track_caller]
    pub fn block_on<F, R>(&self, main: F) -> Outcome<R::Ok>
    where
        F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Send + 'static,
        R: TaskOutput<Ok: 'static> + 'static,
    {
        let (outcome, report) = self.block_on_with_report(main);
        report.iter().for_each(tell_leftovers);
        outcome
    }

    /// As [`block_on`](Self::block_on), and tells how the root region closed, instead of listing on
    /// stderr what was left.
    ///
    /// # Errors
    /// As [`block_on`](Self::block_on); the report is then that of a region that never opened.
    ///
    /// # Panics
    /// As [`block_on`](Self::block_on).
    #[track_caller]
    pub fn block_on_with_report<F, R>(&self, main: F) -> (Outcome<R::Ok>, Option<CloseReport>)
    where
        F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Send + 'static,
        R: TaskOutput<Ok: 'static> + 'static,
    {
        match self.run(main) {
            Ok(ended) => (ended.outcome, Some(ended.report)),
            Err(error) => (Err(error.into()), None),
        }
    }

    /// Runs `main` as a process's own, and tells what it exits with.
    #[track_caller]
    pub(crate) fn run_process<F, R>(&self, main: F) -> Exit
    where
        F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Send + 'static,
        R: TaskOutput<Ok: 'static> + 'static,
    {
        match self.run(main) {
            Ok(ended) => {
                tell_leftovers(&ended.report);
                Exit::new(ended.outcome, ended.signalled)
            }
            Err(error) => Exit::new::<()>(Err(error.into()), false),
        }
    }

    #[track_caller]
    fn run<F, R>(&self, main: F) -> io::Result<Ended<R::Ok>>
    where
        F: for<'a> TaskFn<&'a Cx, R, Fut: Send> + Send + 'static,
        R: TaskOutput<Ok: 'static> + 'static,
    {
        assert!(
            !worker::is_worker_thread(),
            "block_on on a worker thread would block the tasks of that worker; spawn a task instead"
        );
        let settings = &self.settings;
        let mut rings: Vec<Local<Runnable>> = (0..=settings.workers).map(|_| Local::new()).collect();
        let shared = Shared::new(rings.iter().map(Local::stealer).collect(), settings.blocking_limit)?;
        let spare = rings.pop().unwrap_or_default();
        let root = Root::new(shared.clone(), "root", settings.drain, settings.finalize);
        let listed = self.roots.list(&root);
        let dumper = if settings.dump_on_sigusr1 { Some(Dumper::new(&root)?) } else { None };
        let signals = if settings.signals { Some(Arc::new(Signals::new(&shared.driver)?)) } else { None };
        let attendant = signals.clone().map(|signals| {
            let root = root.clone();
            root.clone().attend("signals", async move {
                loop {
                    root.signal(signals.next().await);
                }
            })
        });
        for (index, ring) in rings.into_iter().enumerate() {
            if let Err(error) = worker::start(&shared, ring, index) {
                shared.close();
                return Err(error);
            }
        }

        let ended = Arc::new(Mutex::new(None));
        let done = Arc::new(AtomicBool::new(false));
        let (tell, told, host) = (ended.clone(), done.clone(), shared.clone());
        root.start(main, move |outcome, report| {
            *tell.lock().unwrap_or_else(PoisonError::into_inner) = Some((outcome, report));
            told.store(true, SeqCst);
            host.alarm.ring();
        });
        let watchdog = Watchdog::new(settings.long_poll, settings.on_long_poll.clone());
        let forced = monitor::watch(&shared, &root, &done, spare, watchdog);
        let signalled = root.is_signalled();

        shared.close();
        drop(attendant);
        let patience = Instant::now() + LAST_WAIT;
        while shared.alive.load(SeqCst) > 0 && Instant::now() < patience {
            shared.alarm.wait(Duration::from_millis(1));
        }
        shared.clear();
        drop((signals, dumper, listed));
        let ended = ended.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(match (forced, ended) {
            (None, Some((outcome, report))) => Ended { outcome, report, signalled },
            (Some(report), _) => Ended { outcome: Err(out_of_budget().into()), report, signalled },
            (None, None) => unreachable!("the root told that it is closed before it told how"),
        })
    }
}

/// Lists on stderr what did not end by itself.
fn tell_leftovers(report: &CloseReport) {
    for leftover in &report.leftovers {
        eprintln!("asupersync: {leftover}");
    }
}

fn out_of_budget() -> Cancelled {
    Cancelled::new(Reason::new(ReasonKind::Deadline).with_message("the close budget of the runtime is spent"))
}
