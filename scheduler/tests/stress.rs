//! Random region trees on the native host, with 1, 2 and 4 workers in turn, round after round: nothing
//! hangs, nothing is run twice or forgotten, and memory stays flat.
//!
//! The variables are those of [`stress::soak`]. One test in a process of its own, since it looks at
//! the whole process's memory.

use std::alloc::System;

use asupersync_conformance::runner::Main;
use asupersync_conformance::{Capability, Ran, Runner, Settings, stress};
use asupersync_core::Cx;
use asupersync_scheduler::Runtime;
use cap::Cap;

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

struct Native {
    workers: usize,
}

impl Runner for Native {
    fn run_main(&self, settings: Settings, main: Main) -> Ran<()> {
        let runtime = Runtime::builder()
            .workers(self.workers)
            .drain(settings.drain)
            .finalize(settings.finalize)
            .build()
            .expect("a runtime");
        let (outcome, report) = runtime.block_on_with_report(async move |cx: &Cx| main(cx.clone()).await);
        Ran { outcome, report }
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
    stress::soak(|seed| Native { workers: [1, 2, 4][seed as usize % 3] }, || HEAP.allocated());
}
