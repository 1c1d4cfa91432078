//! Random region trees in the lab, each under a schedule of its own, which is the same for the same
//! seed; nothing is run twice or forgotten, and memory stays flat.
//!
//! The variables are those of [`stress::soak`].

use std::alloc::System;

use asupersync_conformance::runner::Main;
use asupersync_conformance::{Capability, Ran, Runner, Settings, stress};
use asupersync_core::Cx;
use asupersync_lab::Lab;
use cap::Cap;

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

struct InLab {
    seed: u64,
}

impl Runner for InLab {
    fn run_main(&self, settings: Settings, main: Main) -> Ran<()> {
        let lab = Lab::builder(self.seed).drain(settings.drain).finalize(settings.finalize).build();
        let (outcome, report) = lab.run_with_report(async move |cx: &Cx| main(cx.clone()).await);
        Ran { outcome, report: Some(report) }
    }

    fn is_virtual(&self) -> bool {
        true
    }

    fn has(&self, _: Capability) -> bool {
        false
    }

    fn scale(&self) -> usize {
        1
    }
}

#[test]
fn nothing_leaks_and_a_seed_gives_the_same_round() {
    stress::soak(|seed| InLab { seed }, || HEAP.allocated());
}
