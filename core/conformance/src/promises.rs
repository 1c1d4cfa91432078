//! Regions that are promised, and whose bodies their holders poll first: what ends there costs nothing more, and
//! what does not is a region as if it had been one from the beginning.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Wake, Waker};

use asupersync_core::channel::oneshot;
use asupersync_core::region::{Builder, CloseReport, LazyCx, PromisedRegion};
use asupersync_core::{Cx, Failure, Outcome, Reason, ReasonKind, Region, Time};

use crate::probe::{Log, breathe};
use crate::runner::Runner;

crate::cases![
    one_that_ends_early_counts,
    a_place_that_somebody_could_open_is_not_the_next_ones,
    a_place_is_for_one_kind_of_region,
    a_request_takes_a_place_away,
    a_request_to_one_that_rests_is_heard,
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

fn nobody() -> Waker {
    Waker::noop().clone()
}

fn one_that_ends_early_counts(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (outcome, report) = Region::builder("parent")
            .open_with_report(cx, async |cx: &Cx| {
                let builder = builder();
                let (mut standing, mut promised) = builder.stand(cx, Some(Time::ZERO), nobody())?;
                for n in 0..3 {
                    let polled = early(&mut promised, async { Ok(n) }).await;
                    assert!(matches!(polled, Poll::Ready(Some(Ok(m))) if m == n), "{polled:?}");
                    assert!(!promised.cx().is_open());
                    assert!(promised.end().is_ok());
                    promised = standing.promise(&builder, cx, None).expect("it is vacant")?;
                }
                // It gives its place up, whether its body has begun or not.
                drop(promised);
                assert!(standing.promise(&builder, cx, None).is_none());
                assert!(builder.promise(cx, None)?.end().is_ok());
                Ok(())
            })
            .await;
        outcome?;
        assert_eq!((report.totals.regions, report.totals.tasks), (6, 0), "{report}");
        Ok(())
    });
}

fn a_place_that_somebody_could_open_is_not_the_next_ones(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let builder = builder();
        let (mut standing, first) = builder.stand(cx, None, nobody())?;
        let kept: LazyCx = first.cx();
        assert!(first.end().is_ok());
        assert!(standing.promise(&builder, cx, None).is_none());
        // It is another's, and closed.
        assert!(!kept.is_open() && kept.checkpoint().is_err());
        // One that was opened is driven to its end, and has nothing to leave.
        let (mut standing, opened) = builder.stand(cx, None, nobody())?;
        assert_eq!(opened.cx().path(), format!("{}/promised", cx.path()));
        assert!(standing.promise(&builder, cx, None).is_none());
        let Err(opened) = opened.end() else { panic!("it is open") };
        opened.inline(async { Ok(()) }, same).await?;
        assert!(standing.promise(&builder, cx, None).is_none());
        // Nor has one whose body had to wait: whoever polled that would hear of a request.
        let (mut standing, mut waits) = builder.stand(cx, None, nobody())?;
        let mut body = Some(Box::pin(async {
            breathe().await;
            Ok(())
        }));
        drop(poll_fn(|task| waits.poll_body(&mut body, task)).await);
        assert!(waits.end().is_ok());
        assert!(standing.promise(&builder, cx, None).is_none());
        Ok(())
    });
}

fn a_place_is_for_one_kind_of_region(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (one, other) = (builder(), Arc::new(Region::builder("other")));
        let (mut standing, first) = one.stand(cx, None, nobody())?;
        assert!(first.end().is_ok());
        assert!(standing.promise(&other, cx, None).is_none());
        let (standing, path) = Region::open(cx, "around", async |cx: &Cx| {
            assert!(standing.promise(&one, cx, None).is_none());
            let path = one.promise(cx, None)?.cx().path();
            Ok((standing, path))
        })
        .await?;
        assert_eq!(path, format!("{}/around/promised", cx.path()));
        drop(standing);
        Ok(())
    });
}

/// Whoever keeps the place need not hear of it: the region is closed before that lets go of it.
fn a_request_takes_a_place_away(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let builder = Arc::new(Region::builder("promised").in_flight());
        let mut parent = Region::builder("parent").inline(cx, async move |cx| {
            let (mut standing, first) = builder.stand(cx, None, nobody())?;
            assert!(first.end().is_ok());
            cx.cancelled().await;
            assert!(standing.promise(&builder, cx, None).is_none());
            Ok(standing)
        });
        poll_fn(|task| Poll::Ready(Pin::new(&mut parent).poll(task).is_pending())).await;
        parent.request_close(Reason::new(ReasonKind::UserRequest));
        let standing = parent.await?;
        drop(standing);
        Ok(())
    });
}

#[derive(Default)]
struct Heard(AtomicBool);

impl Wake for Heard {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn a_request_to_one_that_rests_is_heard(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let heard: [Arc<Heard>; 2] = Default::default();
        let (first, next) = (heard[0].clone(), heard[1].clone());
        let mut parent = Region::builder("parent").inline(cx, async move |cx| {
            let builder = builder();
            let (_standing, mut promised) = builder.stand(cx, None, first.into())?;
            drop(early(&mut promised, async { Ok(()) }).await);
            // The same in the place of another.
            let (mut standing, one) = builder.stand(cx, None, next.into())?;
            assert!(one.end().is_ok());
            let mut other = standing.promise(&builder, cx, None).expect("it is vacant")?;
            drop(early(&mut other, async { Ok(()) }).await);
            cx.cancelled().await;
            for region in [promised, other] {
                let Err(region) = region.end() else { panic!("the request has opened it") };
                assert!(region.cx().is_cancelled());
                region.inline(async { Ok(()) }, same).await?;
            }
            Ok(())
        });
        poll_fn(|task| Poll::Ready(Pin::new(&mut parent).poll(task).is_pending())).await;
        parent.request_close(Reason::new(ReasonKind::UserRequest));
        assert!(heard.iter().all(|heard| heard.0.load(Ordering::SeqCst)));
        parent.await
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
