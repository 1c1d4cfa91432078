//! Supervisors: whom they start again, and in which order they stop.

use std::sync::Arc;
use std::time::Duration;

use asupersync_core::supervise::{Backoff, ChildSpec, Restart, Strategy, Supervisor};
use asupersync_core::sync::Notify;
use asupersync_core::{Cx, Error, Failure, Outcome};
use asupersync_lab::{Shared, pause};

use crate::{Log, stop, whole};

fn fails() -> Outcome {
    Err(Failure::Err(Error::msg("no")))
}

/// A child that fails at its first start, and is done at its second, of which it tells.
fn fails_once(name: &'static str, log: &Log, again: &Arc<Notify>) -> ChildSpec {
    let (log, again, starts) = (log.clone(), again.clone(), Arc::new(Shared::new(0)));
    let child = ChildSpec::new(name, async move |_: &Cx| {
        log.tell(name);
        *starts.lock() += 1;
        if *starts.read() == 1 {
            return fails();
        }
        again.notify_one();
        Ok(())
    });
    child.restart(Restart::Transient)
}

/// A child that waits until it is stopped, and tells of that.
fn waits(name: &'static str, stopped: &'static str, log: &Log) -> ChildSpec {
    let log = log.clone();
    ChildSpec::new(name, async move |cx: &Cx| {
        log.tell(name);
        cx.cancelled().await;
        log.tell(stopped);
    })
}

#[test]
fn one_for_one_starts_one_again() {
    whole("supervisor: one for one", "2 children, 1 restart", async |cx: &Cx| {
        let (log, again) = (Log::default(), Arc::default());
        let done = ChildSpec::new("done", async |_: &Cx| ()).restart(Restart::Transient);
        Supervisor::new(Strategy::OneForOne)
            .child(fails_once("fails", &log, &again))
            .child(done)
            .run(cx)
            .await?;
        assert_eq!(log.told(), ["fails", "fails"]);
        Ok(())
    });
}

#[test]
fn one_for_all_starts_all_again() {
    whole("supervisor: one for all", "2 children, 1 restart", async |cx: &Cx| {
        let (log, again) = (Log::default(), Arc::new(Notify::new()));
        let supervisor = Supervisor::new(Strategy::OneForAll)
            .child(waits("waits", "stopped", &log))
            .child(fails_once("fails", &log, &again));
        let run = cx.spawn("supervisor", async move |cx| supervisor.run(cx).await);
        again.notified(cx).await?;
        run.request_cancel(stop());
        drop(run.join().await);
        Ok(log.told())
    });
}

#[test]
fn rest_for_one_leaves_those_before() {
    whole("supervisor: rest for one", "3 children, 1 restart", async |cx: &Cx| {
        let (log, again) = (Log::default(), Arc::new(Notify::new()));
        let supervisor = Supervisor::new(Strategy::RestForOne)
            .child(waits("before", "before stopped", &log))
            .child(fails_once("fails", &log, &again))
            .child(waits("after", "after stopped", &log));
        let run = cx.spawn("supervisor", async move |cx| supervisor.run(cx).await);
        again.notified(cx).await?;
        assert!(!log.told().contains(&"before stopped"));
        pause().await;
        run.request_cancel(stop());
        drop(run.join().await);
        Ok(log.told())
    });
}

#[test]
fn children_stop_last_started_first() {
    whole("supervisor: stops in reverse", "2 children", async |cx: &Cx| {
        let log = Log::default();
        let supervisor = Supervisor::new(Strategy::OneForOne)
            .child(waits("first", "first stopped", &log))
            .child(waits("second", "second stopped", &log));
        let run = cx.spawn("supervisor", async move |cx| supervisor.run(cx).await);
        pause().await;
        run.request_cancel(stop());
        drop(run.join().await);
        let told = log.told();
        let place = |what| told.iter().position(|other| *other == what);
        if let (Some(first), Some(second)) = (place("first stopped"), place("second stopped")) {
            assert!(second < first, "{told:?}");
        }
        Ok(told)
    });
}

#[test]
fn one_restart_too_many() {
    whole("supervisor: gives up, and stops the others", "2 children, no restart", async |cx: &Cx| {
        let log = Log::default();
        let supervisor = Supervisor::new(Strategy::OneForOne)
            .intensity(0, Duration::from_secs(5))
            .child(waits("waits", "stopped", &log))
            .child(ChildSpec::new("fails", async |_: &Cx| fails()));
        let failure = supervisor.run(cx).await.expect_err("it gives up").to_string();
        assert!(failure.contains("fails"), "{failure}");
        Ok(log.told())
    });
}

#[test]
fn a_tree_of_two_escalates() {
    whole("supervisors: one is the child of another, and gives up", "depth 2, 1 child", async |cx: &Cx| {
        let inner = ChildSpec::new("inner", async |cx: &Cx| {
            let supervisor = Supervisor::new(Strategy::OneForOne).intensity(0, Duration::from_secs(5));
            supervisor.child(ChildSpec::new("fails", async |_: &Cx| fails())).run(cx).await
        });
        let outer = Supervisor::new(Strategy::OneForOne).intensity(1, Duration::from_secs(5)).child(inner);
        Ok(outer.run(cx).await.expect_err("it gives up").to_string())
    });
}

#[test]
fn a_restart_waits_for_its_back_off() {
    whole("supervisor: backs off in virtual time", "2 children, 2 restarts", async |cx: &Cx| {
        let (log, again, begin) = (Log::default(), Arc::default(), cx.now());
        let second = Duration::from_secs(1);
        Supervisor::new(Strategy::OneForOne)
            .intensity(2, Duration::from_secs(60))
            .backoff(Backoff::exponential(second, 8 * second))
            .child(fails_once("one", &log, &again))
            .child(fails_once("two", &log, &again))
            .run(cx)
            .await?;
        let took = cx.now() - begin;
        assert!(took >= second && took < 2 * second, "{took:?}");
        Ok(log.told())
    });
}

#[test]
fn children_come_and_go() {
    whole("supervisor: a child added and removed by handle", "1 child", async |cx: &Cx| {
        let log = Log::default();
        let mut pool = Supervisor::new(Strategy::SimpleOneForOne);
        let handle = pool.handle();
        let run = cx.spawn("pool", async move |cx| pool.run(cx).await);
        let child = handle.start_child(cx, waits("child", "stopped", &log)).await;
        let child = child.map_err(|failure| Failure::Err(Error::msg(failure.to_string())))?;
        let removed = handle.terminate_child(cx, child).await;
        removed.map_err(|failure| Failure::Err(Error::msg(failure.to_string())))?;
        drop(handle);
        run.join().await?;
        Ok(log.told())
    });
}
