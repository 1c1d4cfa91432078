//! The conformance suite on an existing Tokio runtime: multi-thread with 1, 2 and 4 workers, and
//! current-thread. `REPEAT`, `CASE` and `FULL` are those of the native host's test.

use std::sync::{Arc, mpsc};
use std::time::Duration;
use std::{panic, thread};

use asupersync_compat::hosted::Builder;
use asupersync_conformance::runner::Main;
use asupersync_conformance::{Capability, Case, Ran, Runner, Settings, THEMES};
use asupersync_core::Cx;
use tokio::runtime;

/// No case takes that long; one that does hangs.
const HANGS: Duration = Duration::from_secs(40);

/// A Tokio runtime for each run; 0 workers is current-thread.
#[derive(Clone, Copy)]
struct OnTokio {
    workers: usize,
}

impl Runner for OnTokio {
    fn run_main(&self, settings: Settings, main: Main) -> Ran<()> {
        let mut builder = match self.workers {
            0 => runtime::Builder::new_current_thread(),
            _ => runtime::Builder::new_multi_thread(),
        };
        let runtime = builder.worker_threads(self.workers.max(1)).enable_all().build().expect("a runtime");
        let root = Builder::default().drain(settings.drain).finalize(settings.finalize);
        let (outcome, report) =
            runtime.block_on(root.run_with_report(async move |cx: &Cx| main(cx.clone()).await));
        // Jobs that block may outlast their region; the suite does not wait for them.
        runtime.shutdown_background();
        Ran { outcome, report: Some(report) }
    }

    fn is_virtual(&self) -> bool {
        false
    }

    fn has(&self, capability: Capability) -> bool {
        match capability {
            Capability::Sockets | Capability::BlockingThreads | Capability::ForeignThreads => true,
            Capability::StuckPoll => self.workers > 1,
            // As many stuck polls as workers stop somebody else's runtime: there is no stand-in.
            Capability::StuckPolls => false,
            Capability::Nested => true,
            Capability::OneAtATime => self.workers < 2,
        }
    }

    fn scale(&self) -> usize {
        if std::env::var_os("FULL").is_some() { 1 } else { 100 }
    }

    fn another(&self) -> Option<Arc<dyn Runner + Send>> {
        Some(Arc::new(*self))
    }
}

/// Runs a case on a thread of its own, so that one that hangs is named.
fn run(case: &'static Case, host: OnTokio) -> Result<(), String> {
    let (tell, told) = mpsc::channel();
    let thread = thread::spawn(move || {
        let passed = panic::catch_unwind(|| (case.run)(&host)).is_ok();
        tell.send(passed).ok();
    });
    drop(thread);
    match told.recv_timeout(HANGS) {
        Ok(true) => Ok(()),
        Ok(false) => Err(format!("{} failed", case.name)),
        Err(_) => Err(format!("{} hangs", case.name)),
    }
}

fn suite(workers: usize) {
    let repeat = std::env::var("REPEAT").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let only = std::env::var("CASE").unwrap_or_default();
    let host = OnTokio { workers };
    let cases = THEMES.iter().flat_map(|theme| theme.cases);
    let cases: Vec<_> = cases.filter(|case| case.name.contains(&only) && case.fits(&host)).collect();
    let fails = |case: &'static Case| {
        (0..repeat).find_map(|round| Some(format!("{} in round {round} of {repeat}", run(case, host).err()?)))
    };
    let failed: Vec<_> = cases.iter().copied().filter_map(fails).collect();
    assert!(failed.is_empty(), "with {workers} workers:\n{}", failed.join("\n"));
    assert!(!only.is_empty() || cases.len() > 100, "only {} cases ran", cases.len());
}

#[test]
fn on_a_current_thread_runtime() {
    suite(0);
}

#[test]
fn with_1_worker() {
    suite(1);
}

#[test]
fn with_2_workers() {
    suite(2);
}

#[test]
fn with_4_workers() {
    suite(4);
}
