//! Giving up, and what a child's panic may not do.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use asupersync::supervise::{ChildSpec, Restart, Strategy, Supervisor, TooManyRestarts};
use asupersync::{Cx, Failure, Severity};

use crate::{ENDS, End, HOUR, Log, gave_up, idle, run};

fn always(name: &'static str, end: End, log: &Log, others: &'static [&str]) -> ChildSpec {
    crate::ends(name, end, u32::MAX, log, others)
}

#[test]
fn one_restart_too_many_stops_all_in_reverse_and_tells_which_and_why() {
    run(async |cx: &Cx| {
        for end in ENDS {
            let log = Log::default();
            let outcome = Supervisor::new(Strategy::OneForOne)
                .intensity(2, HOUR)
                .child(idle("a", &log))
                .child(idle("b", &log))
                .child(always("bad", end, &log, &["a", "b"]))
                .run(cx)
                .await;
            let error = gave_up(&outcome);
            assert_eq!((error.child(), error.restarts(), error.intensity()), ("bad", 2, 2));
            assert_eq!(log.count("bad up"), 3);
            let severity = error.last().as_ref().map_or_else(Failure::severity, |()| Severity::Ok);
            let wanted = match end {
                End::Returns => Severity::Ok,
                End::Fails => Severity::Err,
                End::Panics => Severity::Panicked,
                End::Cancelled(_) => Severity::Cancelled,
            };
            assert_eq!(severity, wanted);
            assert_eq!(error.source().is_some(), end == End::Fails);
            let closes: Vec<String> = log.all().into_iter().filter(|said| said.ends_with("closed")).collect();
            assert_eq!(closes, ["b closed", "a closed"]);
        }
        Ok(())
    });
}

#[test]
fn intensity_zero_allows_no_restart() {
    run(async |cx: &Cx| {
        let log = Log::default();
        let outcome = Supervisor::new(Strategy::RestForOne)
            .intensity(0, HOUR)
            .child(always("bad", End::Panics, &log, &[]))
            .run(cx)
            .await;
        assert_eq!(gave_up(&outcome).restarts(), 0);
        assert_eq!(log.count("bad up"), 1);
        Ok(())
    });
}

#[test]
fn giving_up_climbs_the_tree_and_keeps_the_chain() {
    run(async |cx: &Cx| {
        let log = Log::default();
        let inner = log.clone();
        let sub = ChildSpec::new("sub", async move |cx: &Cx| {
            Supervisor::new(Strategy::OneForOne)
                .name("inner")
                .intensity(1, HOUR)
                .child(idle("sibling", &inner))
                .child(always("leaf", End::Fails, &inner, &["sibling", "other"]))
                .run(cx)
                .await
        });
        let top = Supervisor::new(Strategy::OneForOne).intensity(2, HOUR).child(idle("other", &log));
        let outcome = top.child(sub).run(cx).await;
        let top = gave_up(&outcome);
        assert_eq!((top.child(), top.restarts()), ("sub", 2));
        let below = top.source().unwrap().downcast_ref::<TooManyRestarts>().unwrap();
        assert_eq!((below.child(), below.restarts()), ("leaf", 1));
        assert_eq!(below.source().unwrap().to_string(), "it failed");
        let Err(Failure::Err(error)) = &outcome else { unreachable!() };
        let chain = format!("{error:?}");
        assert!(chain.find("`sub`") < chain.find("`leaf`") && chain.ends_with("it failed"), "{chain}");
        assert_eq!((log.count("leaf up"), log.count("other up")), (6, 1));
        assert_eq!(log.count("sibling closed"), log.count("sibling up"));
        Ok(())
    });
}

#[test]
fn the_supervisor_above_starts_the_one_below_again() {
    run(async |cx: &Cx| {
        let log = Log::default();
        let inner = log.clone();
        let sub = ChildSpec::new("sub", async move |cx: &Cx| {
            inner.add("sub up");
            let end = if inner.count("sub up") < 3 { End::Panics } else { End::Returns };
            let leaf = always("leaf", end, &inner, &[]).restart(Restart::Transient);
            Supervisor::new(Strategy::OneForOne).intensity(1, HOUR).child(leaf).run(cx).await
        });
        let top = Supervisor::new(Strategy::OneForOne).intensity(2, HOUR);
        top.child(sub.restart(Restart::Transient)).run(cx).await?;
        assert_eq!((log.count("sub up"), log.count("leaf up")), (3, 5));
        Ok(())
    });
}

/// Panics when it is cloned or dropped, the second time on.
struct Bomb {
    clones: Arc<AtomicU32>,
    in_drop: bool,
}

impl Clone for Bomb {
    fn clone(&self) -> Self {
        let clones = self.clones.fetch_add(1, Ordering::SeqCst);
        assert!(self.in_drop || clones == 0, "no clone");
        Bomb { clones: self.clones.clone(), in_drop: self.in_drop }
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(!self.in_drop || std::thread::panicking(), "no drop");
    }
}

#[test]
fn what_a_body_captured_may_panic_too() {
    run(async |cx: &Cx| {
        for in_drop in [false, true] {
            let log = Log::default();
            let bomb = Bomb { clones: Arc::default(), in_drop };
            let others = log.clone();
            let child = ChildSpec::new("bomb", async move |cx: &Cx| {
                let _bomb = &bomb;
                others.wait(cx, "other up", 1).await?;
                End::Returns.come()
            });
            let outcome = Supervisor::new(Strategy::OneForOne)
                .intensity(2, HOUR)
                .child(idle("other", &log))
                .child(child)
                .run(cx)
                .await;
            let error = gave_up(&outcome);
            assert_eq!(error.child(), "bomb");
            let Err(Failure::Panicked(panic)) = error.last() else { panic!("{error:?}") };
            assert_eq!(panic.message(), if in_drop { "no drop" } else { "no clone" });
            assert_eq!(log.count("other closed"), 1);
        }
        Ok(())
    });
}
