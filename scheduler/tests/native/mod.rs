//! How the suite runs a main body on the native host.

use asupersync_conformance::runner::Main;
use asupersync_conformance::{Ran, Settings};
use asupersync_core::Cx;
use asupersync_scheduler::Runtime;

pub(crate) fn run_main(workers: usize, settings: Settings, main: Main) -> Ran<()> {
    let runtime = Runtime::builder()
        .workers(workers)
        .drain(settings.drain)
        .finalize(settings.finalize)
        .build()
        .expect("a runtime");
    let (outcome, report) = runtime.block_on_with_report(async move |cx: &Cx| main(cx.clone()).await);
    Ran { outcome, report }
}
