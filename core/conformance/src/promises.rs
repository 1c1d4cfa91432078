//! Regions that are promised, and whose bodies their holders poll first: what ends there costs nothing more, and
//! what does not is a region as if it had been one from the beginning.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use asupersync_core::channel::oneshot;
use asupersync_core::region::{Builder, CloseReport, LazyCx, PromisedRegion, Spare};
use asupersync_core::{Cx, Failure, Outcome, Region, Time};

use crate::probe::{Log, breathe};
use crate::runner::Runner;

crate::cases![
    one_that_ends_early_counts,
    memory_that_somebody_has_is_not_used_again,
    one_whose_body_waits_goes_on,
    one_that_was_opened_is_driven_to_its_end,
    one_that_is_open_before_its_body_is_not_polled_early,
    its_early_panic_is_an_outcome,
    without_a_body_it_closes,
];

fn builder() -> Arc<Builder> {
    Arc::new(Region::builder("promised"))
}

fn same<T>(outcome: Outcome<T>, _: &dyn Fn() -> CloseReport) -> Outcome<T> {
    outcome
}

/// One poll of the body, which ends in it.
async fn early<T>(
    promised: &mut PromisedRegion,
    body: impl Future<Output = Outcome<T>>,
) -> Poll<Option<Outcome<T>>> {
    let mut body = Some(Box::pin(body));
    poll_fn(|task| Poll::Ready(promised.poll_body(&mut body, task))).await
}

fn one_that_ends_early_counts(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (outcome, report) = Region::builder("parent")
            .open_with_report(cx, async |cx: &Cx| {
                let (builder, mut spare) = (builder(), None::<Spare>);
                for n in 0..3 {
                    let mut promised = builder.promise_with(cx, Some(Time::ZERO), spare)?;
                    let polled = early(&mut promised, async { Ok(n) }).await;
                    assert!(matches!(polled, Poll::Ready(Some(Ok(m))) if m == n), "{polled:?}");
                    assert!(!promised.cx().is_open());
                    spare = Some(promised.spare());
                    assert!(promised.end().is_ok());
                }
                Ok(())
            })
            .await;
        outcome?;
        assert_eq!((report.totals.regions, report.totals.tasks), (4, 0), "{report}");
        Ok(())
    });
}

fn memory_that_somebody_has_is_not_used_again(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let builder = builder();
        let first = builder.promise(cx, None)?;
        let (kept, spare): (LazyCx, _) = (first.cx(), first.spare());
        assert!(first.end().is_ok());
        let second = builder.promise_with(cx, None, Some(spare))?;
        assert_eq!(second.cx().path(), format!("{}/promised", cx.path()));
        // It is another's, and closed.
        assert!(!kept.is_open() && kept.checkpoint().is_err());
        assert!(second.end().is_err(), "it was opened");
        // Another parent's memory is no use either, although nobody has it.
        let spare = builder.promise(cx, None)?.spare();
        let path = Region::open(cx, "other", async |cx: &Cx| {
            Ok(builder.promise_with(cx, None, Some(spare))?.cx().path())
        });
        assert_eq!(path.await?, format!("{}/other/promised", cx.path()));
        Ok(())
    });
}

fn one_whose_body_waits_goes_on(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let mut promised = builder().promise(cx, None)?;
        let (given, (go, mut gate)) = (promised.cx(), oneshot::channel::<u32>());
        let around = cx.path();
        let mut body = Some(Box::pin(async move {
            breathe().await;
            let number = gate.recv(&given).await?;
            Ok((number, given.path()))
        }));
        let polled = poll_fn(|task| Poll::Ready(promised.poll_body(&mut body, task))).await;
        assert!(polled.is_pending() && body.is_some());
        let region = promised.inline(body.take().expect("it waits"), same);
        drop(go.send(7));
        assert_eq!(region.await?, (7, format!("{around}/promised")));
        Ok(())
    });
}

fn one_that_was_opened_is_driven_to_its_end(host: &dyn Runner) {
    let log = Log::new();
    let inner = log.clone();
    host.ok(async move |cx: &Cx| {
        let mut promised = builder().promise(cx, None)?;
        let (given, child) = (promised.cx(), inner.clone());
        let polled = early(&mut promised, async move {
            drop(given.spawn("child", async move |cx: &Cx| {
                cx.cancelled().await;
                child.push("child stopped");
            }));
            Ok(())
        });
        assert!(matches!(polled.await, Poll::Ready(Some(Ok(())))));
        let Err(promised) = promised.end() else { panic!("it is open") };
        promised.inline(async { Ok(()) }, same).await?;
        inner.push("closed");
        Ok(())
    });
    assert_eq!(log.take(), ["child stopped", "closed"]);
}

fn one_that_is_open_before_its_body_is_not_polled_early(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let mut promised = builder().promise(cx, None)?;
        let path = promised.cx().path();
        let given = promised.cx();
        let mut body = Some(Box::pin(async move { Ok(given.path()) }));
        let polled = poll_fn(|task| Poll::Ready(promised.poll_body(&mut body, task))).await;
        assert!(matches!(polled, Poll::Ready(None)) && body.is_some());
        assert_eq!(promised.inline(body.take().expect("it was not polled"), same).await?, path);
        Ok(())
    });
}

fn its_early_panic_is_an_outcome(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let mut promised = builder().promise(cx, None)?;
        let polled = early(&mut promised, async { panic!("early") as Outcome }).await;
        let Poll::Ready(Some(Err(Failure::Panicked(panic)))) = polled else { panic!("{polled:?}") };
        assert_eq!(panic.message(), "early");
        assert!(promised.end().is_ok());
        Ok(())
    });
}

fn without_a_body_it_closes(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (outcome, report) = Region::builder("parent")
            .open_with_report(cx, async |cx: &Cx| {
                drop(builder().promise(cx, None)?);
                let opened = builder().promise(cx, None)?;
                assert!(!opened.cx().is_cancelled());
                drop(opened);
                Ok(())
            })
            .await;
        outcome?;
        assert_eq!(report.totals.regions, 3, "{report}");
        Ok(())
    });
}
