//! The conformance suite on the native host, with 1, 2 and 4 workers.
//!
//! | variable | what |
//! |---|---|
//! | `REPEAT` | runs each case so often; default 1 |
//! | `CASE` | runs only cases whose name contains this |
//! | `FULL` | real sizes of heavy cases; else a hundredth |

mod native;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use asupersync_conformance::runner::Main;
use asupersync_conformance::{Capability, Case, Ran, Runner, Settings, THEMES};

/// No case takes that long; one that does hangs.
const HANGS: Duration = Duration::from_secs(40);

#[derive(Clone, Copy)]
struct Native {
    workers: usize,
}

impl Runner for Native {
    fn run_main(&self, settings: Settings, main: Main) -> Ran<()> {
        native::run_main(self.workers, settings, main)
    }

    fn is_virtual(&self) -> bool {
        false
    }

    fn has(&self, capability: Capability) -> bool {
        capability != Capability::OneAtATime || self.workers == 1
    }

    fn scale(&self) -> usize {
        if std::env::var_os("FULL").is_some() { 1 } else { 100 }
    }

    fn another(&self) -> Option<Arc<dyn Runner + Send>> {
        Some(Arc::new(*self))
    }
}

/// Runs a case on a thread of its own, so that one that hangs is named.
fn run(case: &'static Case, host: Native) -> Result<(), String> {
    let (tell, told) = mpsc::channel();
    let thread = thread::Builder::new().name(case.name.into());
    let thread = thread.spawn(move || {
        let passed = catch_unwind(AssertUnwindSafe(|| (case.run)(&host))).is_ok();
        tell.send(passed).ok();
    });
    drop(thread.expect("a thread"));
    match told.recv_timeout(HANGS) {
        Ok(true) => Ok(()),
        Ok(false) => Err(format!("{} failed", case.name)),
        Err(_) => Err(format!("{} hangs", case.name)),
    }
}

fn theme(name: &str, workers: usize) {
    let repeat = std::env::var("REPEAT").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let only = std::env::var("CASE").unwrap_or_default();
    let host = Native { workers };
    let theme = THEMES.iter().find(|theme| theme.name == name).expect("a theme of the suite");
    let mut failed = Vec::new();
    for case in theme.cases.iter().filter(|case| case.name.contains(&only) && case.fits(&host)) {
        let begin = Instant::now();
        for round in 0..repeat {
            if let Err(error) = run(case, host) {
                failed.push(format!("{error} in round {round} of {repeat}"));
                break;
            }
        }
        println!("{name}/{} with {workers}: {:?}", case.name, begin.elapsed());
    }
    assert!(failed.is_empty(), "{name} with {workers} workers:\n{}", failed.join("\n"));
}

macro_rules! themes {
    ($($theme:ident)*) => {
        $(mod $theme {
            #[test]
            fn with_1_worker() {
                super::theme(stringify!($theme), 1);
            }
            #[test]
            fn with_2_workers() {
                super::theme(stringify!($theme), 2);
            }
            #[test]
            fn with_4_workers() {
                super::theme(stringify!($theme), 4);
            }
        })*

        #[test]
        fn every_theme_is_run() {
            let listed = [$(stringify!($theme)),*];
            assert_eq!(THEMES.iter().map(|theme| theme.name).collect::<Vec<_>>(), listed);
        }
    };
}

themes! {
    life orphans closing failures finalizers finalizer_budgets reports leftovers dumps waits scale
    sporks inlines lazies promises locals local_closing protocol scopes budgets turns combinators selects joins wakers reasons
    channels producers locks obligations blocking foreign misuse stuck tcp tcp_errors udp
    capabilities objects spans task_spans
    attacked_waits attacked_owners attacked_services attacked_io
}
