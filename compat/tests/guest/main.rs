//! Enclaves: what becomes of guests when their region closes, on the native host and on a Tokio runtime, with
//! both flavours of the private one.
#![cfg(all(feature = "guest", feature = "hosted"))]

mod calls;
mod ends;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use asupersync_compat::guest::{Builder, Enclave};
use asupersync_compat::hosted;
use asupersync_core::region::CloseReport;
use asupersync_core::{Budget, Cx, Outcome, Region, TaskFn};
use asupersync_scheduler::Runtime;
use tokio::sync::oneshot;

/// Runs each of these functions on each host, with each flavour.
macro_rules! cases {
    ($($name:ident,)*) => { $(
        #[test]
        fn $name() {
            for host in [crate::native as fn(_), crate::on_tokio] {
                for enclaves in [crate::many(), crate::one()] {
                    let case = async move |cx: asupersync_core::Cx| super::$name(&cx, enclaves).await;
                    host(Box::new(|cx| Box::pin(case(cx))));
                }
            }
        }
    )* };
}
pub(crate) use cases;

type Case = Box<dyn FnOnce(Cx) -> std::pin::Pin<Box<dyn Future<Output = Outcome> + Send>> + Send>;

pub(crate) fn many() -> Builder {
    Enclave::builder()
}

pub(crate) fn one() -> Builder {
    Enclave::builder().current_thread()
}

pub(crate) fn native(case: Case) {
    let runtime = Runtime::builder().workers(2).build().expect("a runtime");
    let ended = runtime.block_on(async move |cx: &Cx| case(cx.clone()).await);
    ended.unwrap_or_else(|failure| panic!("{failure:?}"));
}

pub(crate) fn on_tokio(case: Case) {
    let mut tokio = tokio::runtime::Builder::new_multi_thread();
    let tokio = tokio.worker_threads(2).enable_all().build().expect("a runtime");
    let ended = tokio.block_on(hosted::run(async move |cx: &Cx| case(cx.clone()).await));
    ended.unwrap_or_else(|failure| panic!("{failure:?}"));
}

/// Opens a region with a short drain, and runs `body` in it.
pub(crate) async fn short<F>(cx: &Cx, body: F) -> CloseReport
where
    F: for<'a> TaskFn<&'a Cx, Outcome, Fut: Send> + Send,
{
    let region = Region::builder("short").drain(Budget::timeout(Duration::from_millis(5)));
    let (outcome, report) = region.open_with_report(cx, async |cx: &Cx| body(cx).await).await;
    outcome.unwrap_or_else(|failure| panic!("{failure:?}"));
    report
}

/// Never ready; tells when it is first polled, and when it is dropped.
pub(crate) struct Stuck {
    begun: Option<oneshot::Sender<()>>,
    gone: Flag,
}

impl Stuck {
    /// With the word that it has begun, and that it is gone.
    pub(crate) fn new() -> (Stuck, oneshot::Receiver<()>, Flag) {
        let (begun, begins) = oneshot::channel();
        let gone = Flag::default();
        (Stuck { begun: Some(begun), gone: gone.clone() }, begins, gone)
    }
}

impl Future for Stuck {
    type Output = ();

    fn poll(mut self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<()> {
        if let Some(begun) = self.begun.take() {
            let _ = begun.send(());
        }
        std::task::Poll::Pending
    }
}

impl Drop for Stuck {
    fn drop(&mut self) {
        self.gone.set();
    }
}

/// Something that has happened.
#[derive(Clone, Default)]
pub(crate) struct Flag(Arc<AtomicBool>);

impl Flag {
    pub(crate) fn set(&self) {
        self.0.store(true, SeqCst);
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(SeqCst)
    }
}
