//! The conformance suite in the lab: each case under several seeds, `SEEDS` of them if that
//! is set. `FULL` gives heavy cases their real sizes.

use std::panic::catch_unwind;
use std::sync::Arc;

use asupersync_conformance::runner::Main;
use asupersync_conformance::{Capability, Ran, Runner, Settings, THEMES};
use asupersync_core::Cx;
use asupersync_lab::Lab;

fn seeds() -> u64 {
    std::env::var("SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(16)
}

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

    fn has(&self, capability: Capability) -> bool {
        // One thread, and one lab on it: a poll or a job that does not return stops all.
        matches!(capability, Capability::OneAtATime | Capability::Sockets)
    }

    fn scale(&self) -> usize {
        if std::env::var_os("FULL").is_some() { 1 } else { 100 }
    }

    fn another(&self) -> Option<Arc<dyn Runner + Send>> {
        Some(Arc::new(InLab { seed: self.seed }))
    }
}

#[test]
fn every_case_that_fits_passes_under_every_seed() {
    let (seeds, mut ran, mut failed) = (seeds(), 0, Vec::new());
    for theme in THEMES {
        for case in theme.cases.iter().filter(|case| case.fits(&InLab { seed: 0 })) {
            for seed in 0..seeds {
                ran += 1;
                if catch_unwind(|| (case.run)(&InLab { seed })).is_err() {
                    failed.push(format!("{}/{} with seed {seed}", theme.name, case.name));
                    break;
                }
            }
        }
    }
    assert!(failed.is_empty(), "\n{}", failed.join("\n"));
    assert!(ran > 100 * seeds, "only {ran} runs");
}
