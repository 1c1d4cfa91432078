//! Random region trees on the native host, with 1, 2 and 4 workers in turn, round after round: nothing
//! hangs, nothing is run twice or forgotten, and memory stays flat.
//!
//! The variables are those of [`stress::soak`]. One test in a process of its own, since it looks at
//! the whole process's memory.

mod native;

use std::alloc::System;

use asupersync_conformance::runner::Main;
use asupersync_conformance::{Capability, Ran, Runner, Settings, stress};
use cap::Cap;

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

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
