//! Why: reasons strengthen, keep their cause, and name their origin.

use asupersync_core::channel::oneshot;
use asupersync_core::{Cx, Failure, Outcome, Reason, ReasonKind, Region};

use crate::probe::{HOUR, Victim, kind};
use crate::runner::Runner;

crate::cases![
    reasons_strengthen_and_never_weaken,
    a_weaker_reason_becomes_the_cause,
    a_reason_names_its_origin,
    a_regions_close_names_the_line_that_opened_it,
    a_siblings_failure_names_it,
    a_reason_travels_through_foreign_errors,
    a_user_request_reaches_regions_below,
];

fn reasons_strengthen_and_never_weaken(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        use ReasonKind::*;
        let (tell, mut ready) = oneshot::channel();
        let (lend, mut lent) = oneshot::channel();
        let task = cx.spawn("task", async move |cx: &Cx| {
            drop(lend.send(cx.clone()));
            drop(tell.send(()));
            std::future::pending::<()>().await;
        });
        ready.recv(cx).await?;
        let scope = lent.recv(cx).await?;
        let mut strongest = RaceLost;
        for asked in [HandleDropped, RaceLost, UserRequest, ClientDisconnected, SiblingFailed, Deadline] {
            task.request_cancel(Reason::new(asked));
            strongest = strongest.max(asked);
            assert_eq!(kind(&scope.cancelled().await), strongest, "after {asked:?}");
        }
        drop(task.cancel(asupersync_core::Budget::timeout(crate::probe::MS(0))).await);
        Ok(())
    });
}

fn a_weaker_reason_becomes_the_cause(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tell, mut ready) = oneshot::channel();
        let (go, mut may_go) = oneshot::channel::<()>();
        let task = cx.spawn("task", async move |cx: &Cx| {
            drop(tell.send(()));
            cx.finish(async |cx: &Cx| Ok(may_go.recv(cx).await?)).await?;
            Ok(cx.cancelled().await.into_reason())
        });
        ready.recv(cx).await?;
        task.request_cancel(Reason::new(ReasonKind::RaceLost));
        task.request_cancel(Reason::new(ReasonKind::Shutdown).with_message("all go"));
        drop(go.send(()));
        let reason = task.join().await?;
        assert_eq!(reason.kind(), ReasonKind::Shutdown);
        assert_eq!(reason.cause().expect("what came first").kind(), ReasonKind::RaceLost);
        assert!(reason.involves(ReasonKind::RaceLost) && !reason.involves(ReasonKind::Deadline));
        Ok(())
    });
}

fn a_reason_names_its_origin(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let reason = Region::open(cx, "where", async |cx: &Cx| {
            let victim = Victim::new(cx).await;
            victim.request();
            let reason = victim.cx.cancelled().await.into_reason();
            Ok(reason)
        })
        .await?;
        assert_eq!(reason.region(), Some("where"));
        assert!(reason.at().expect("a time") <= cx.now());
        assert!(reason.site().file().ends_with("probe.rs"), "{}", reason.site());
        Ok(())
    });
}

fn a_regions_close_names_the_line_that_opened_it(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tell, mut told) = oneshot::channel();
        Region::open(cx, "r", async |cx: &Cx| {
            let (ready, mut is_ready) = oneshot::channel();
            drop(cx.spawn("child", async move |cx: &Cx| {
                drop(ready.send(()));
                drop(tell.send(cx.cancelled().await.into_reason()));
            }));
            is_ready.recv(cx).await?;
            Ok(())
        })
        .await?;
        let reason = told.recv(cx).await?;
        assert_eq!((reason.kind(), reason.region()), (ReasonKind::ParentClosed, Some("r")));
        assert!(reason.site().file().ends_with("reasons.rs"), "{}", reason.site());
        Ok(())
    });
}

fn a_siblings_failure_names_it(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tell, mut told) = oneshot::channel();
        let outcome = Region::open(cx, "r", async |cx: &Cx| {
            drop(cx.spawn("culprit", async |_: &Cx| -> Outcome { panic!("no") }));
            drop(tell.send(cx.cancelled().await.into_reason()));
            Ok(())
        })
        .await;
        assert!(matches!(outcome, Err(Failure::Panicked(_))));
        let reason = told.recv(cx).await?;
        assert_eq!(reason.kind(), ReasonKind::SiblingFailed);
        assert!(reason.to_string().contains("culprit"), "{reason}");
        assert!(reason.site().file().ends_with("reasons.rs"), "{}", reason.site());
        Ok(())
    });
}

fn a_reason_travels_through_foreign_errors(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let victim = Victim::new(cx).await;
        victim.request();
        let foreign = async |cx: &Cx| -> std::io::Result<()> {
            cx.sleep(HOUR).await?;
            Ok(())
        };
        let error = foreign(&victim.cx).await.unwrap_err();
        assert_ne!(error.kind(), std::io::ErrorKind::Interrupted);
        let failure: Failure = std::io::Error::other(error).into();
        assert_eq!(kind(failure.as_cancelled().expect("found again")), ReasonKind::UserRequest);
        Ok(())
    });
}

fn a_user_request_reaches_regions_below(host: &dyn Runner) {
    host.ok(async |cx: &Cx| {
        let (tell, mut ready) = oneshot::channel();
        let task = cx.spawn("opener", async move |cx: &Cx| {
            Region::open(cx, "r", async |cx: &Cx| {
                let child = cx.spawn("child", async move |cx: &Cx| {
                    drop(tell.send(()));
                    Ok(cx.cancelled().await.into_reason())
                });
                child.join().await
            })
            .await
        });
        ready.recv(cx).await?;
        task.request_cancel(Reason::new(ReasonKind::UserRequest).with_message("mind the gap"));
        let reason = task.join().await?;
        assert_eq!(reason.message(), Some("mind the gap"));
        Ok(())
    });
}
