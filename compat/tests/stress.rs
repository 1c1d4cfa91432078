//! Random region trees on Tokio, current-thread and with 2 workers in turn, round after round: nothing
//! hangs, nothing is run twice or forgotten, and memory stays flat.
//!
//! The variables are those of [`stress::soak`]. One test in a process of its own, since it looks at
//! the whole process's memory.

use std::alloc::System;
use std::sync::Arc;

use asupersync_compat::hosted::Builder;
use asupersync_conformance::runner::Main;
use asupersync_conformance::{Capability, Ran, Runner, Settings, stress};
use asupersync_core::Cx;
use cap::Cap;
use tokio::runtime::{self, Runtime};

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

struct OnTokio {
    runtime: Arc<Runtime>,
}

impl Runner for OnTokio {
    fn run_main(&self, settings: Settings, main: Main) -> Ran<()> {
        let root = Builder::default().drain(settings.drain).finalize(settings.finalize);
        let (outcome, report) =
            self.runtime.block_on(root.run_with_report(async move |cx: &Cx| main(cx.clone()).await));
        Ran { outcome, report: Some(report) }
    }

    fn is_virtual(&self) -> bool {
        false
    }

    fn has(&self, _: Capability) -> bool {
        true
    }

    fn scale(&self) -> usize {
        1
    }
}

#[test]
fn nothing_hangs_or_leaks() {
    let (mut one, mut two) = (runtime::Builder::new_current_thread(), runtime::Builder::new_multi_thread());
    let builders = [one.enable_all(), two.worker_threads(2).enable_all()];
    let runtimes = builders.map(|builder| Arc::new(builder.build().expect("a runtime")));
    let host = |seed: u64| OnTokio { runtime: runtimes[seed as usize % 2].clone() };
    stress::soak(host, || HEAP.allocated());
}
