//! Children added and removed while the supervisor runs.

use std::sync::Arc;

use asupersync::channel::oneshot;
use asupersync::supervise::{
    Backoff, ChildError, ChildSpec, Restart, Strategy, Supervisor, SupervisorHandle,
};
use asupersync::sync::Notify;
use asupersync::{Budget, Cx, Failure, Handle, Outcome, Reason, ReasonKind};

use crate::{End, HOUR, Log, ends, idle, run, wait_children};

fn start(cx: &Cx, mut supervisor: Supervisor) -> (SupervisorHandle, Handle<()>) {
    let handle = supervisor.handle();
    (handle, cx.spawn("s", async move |cx| supervisor.run(cx).await))
}

fn refused<T>(outcome: Outcome<T, ChildError>) -> ChildError {
    match outcome {
        Err(Failure::Err(error)) => error,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("granted"),
    }
}

#[test]
fn children_come_and_go() {
    run(async |cx: &Cx| {
        for strategy in [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne] {
            let log = Log::default();
            let (handle, supervisor) = start(cx, Supervisor::new(strategy).child(idle("a", &log)));
            let b = handle.start_child(cx, idle("b", &log)).await?;
            let c = handle.start_child(cx, idle("c", &log)).await?;
            assert!(b < c);
            wait_children(cx, &handle, "a Up, b Up, c Up").await?;
            log.wait(cx, "b up", 1).await?;
            handle.terminate_child(cx, b).await?;
            assert_eq!((log.count("b asked: UserRequest"), log.count("b closed")), (1, 1));
            assert_eq!(refused(handle.terminate_child(cx, b).await), ChildError::NotFound(b));
            wait_children(cx, &handle, "a Up, c Up").await?;
            log.wait(cx, "a up", 1).await?;
            log.wait(cx, "c up", 1).await?;
            assert_eq!((log.count("a closed"), log.count("c closed")), (0, 0));
            assert!(supervisor.cancel(Budget::UNLIMITED).await.is_err());
            assert_eq!(refused(handle.start_child(cx, idle("d", &log)).await), ChildError::Stopped);
            assert_eq!(refused(handle.terminate_child(cx, c).await), ChildError::Stopped);
            assert_eq!(refused(handle.which_children(cx).await), ChildError::Stopped);
            assert_eq!(log.count("d up"), 0);
        }
        Ok(())
    });
}

#[test]
fn an_added_child_is_supervised_like_any_other() {
    run(async |cx: &Cx| {
        let log = Log::default();
        let (handle, supervisor) = start(cx, Supervisor::new(Strategy::RestForOne).child(idle("a", &log)));
        handle.start_child(cx, ends("b", End::Panics, 1, &log, &["a"])).await?;
        let c = handle.start_child(cx, idle("c", &log)).await?;
        log.wait(cx, "b up", 2).await?;
        wait_children(cx, &handle, "a Up, b Up, c Up").await?;
        log.wait(cx, "a up", 1).await?;
        let restarts =
            handle.which_children(cx).await?.iter().map(|child| child.restarts).collect::<Vec<_>>();
        assert_eq!(restarts, [0, 1, 0]);
        // Its own reason, not that of the restart before.
        log.wait(cx, "c up", 1).await?;
        handle.terminate_child(cx, c).await?;
        assert_eq!(
            log.all().iter().rev().find(|said| said.starts_with("c asked")).unwrap(),
            "c asked: UserRequest"
        );
        assert!(supervisor.cancel(Budget::UNLIMITED).await.is_err());
        Ok(())
    });
}

#[test]
fn it_ends_when_the_last_child_and_the_last_handle_are_gone() {
    run(async |cx: &Cx| {
        let log = Log::default();
        let (handle, supervisor) = start(cx, Supervisor::new(Strategy::SimpleOneForOne));
        let child = handle.start_child(cx, idle("a", &log)).await?;
        log.wait(cx, "a up", 1).await?;
        let other = handle.clone();
        drop(handle);
        other.terminate_child(cx, child).await?;
        wait_children(cx, &other, "").await?;
        assert!(!supervisor.is_finished());
        drop(other);
        supervisor.join().await
    });
}

#[test]
fn a_full_supervisor_takes_no_more() {
    run(async |cx: &Cx| {
        let log = Log::default();
        let pool = Supervisor::new(Strategy::SimpleOneForOne).max_children(2).child(idle("a", &log));
        let (handle, supervisor) = start(cx, pool);
        let b = handle.start_child(cx, idle("b", &log)).await?;
        assert_eq!(refused(handle.start_child(cx, idle("c", &log)).await), ChildError::MaxChildren(2));
        handle.terminate_child(cx, b).await?;
        handle.start_child(cx, idle("d", &log)).await?;
        assert!(supervisor.cancel(Budget::UNLIMITED).await.is_err());
        assert_eq!(log.count("c up"), 0);
        Ok(())
    });
}

#[test]
fn a_child_can_be_removed_while_it_waits_and_by_itself() {
    run(async |cx: &Cx| {
        let log = Log::default();
        let supervisor = Supervisor::new(Strategy::OneForOne).backoff(Backoff::exponential(HOUR, HOUR));
        let (handle, supervisor) = start(cx, supervisor);
        let waits = handle.start_child(cx, ends("waits", End::Fails, 1, &log, &[])).await?;
        wait_children(cx, &handle, "waits Waiting").await?;
        handle.terminate_child(cx, waits).await?;
        let (tell, id) = oneshot::channel();
        let (told, id) = (Arc::new(std::sync::Mutex::new(Some(id))), tell);
        let suicide = {
            let (handle, log) = (handle.clone(), log.clone());
            ChildSpec::new("self", async move |cx: &Cx| {
                let mut me = told.lock().unwrap().take().unwrap();
                let me = me.recv(cx).await?;
                let outcome = handle.terminate_child(cx, me).await;
                log.add(format!("self: {}", outcome.is_err()));
                outcome.map_err(Failure::err_into::<ChildError>)?;
                Ok(())
            })
        };
        let me = handle.start_child(cx, suicide).await?;
        id.send(me).unwrap();
        wait_children(cx, &handle, "").await?;
        assert_eq!(log.count("self: true"), 1);
        drop(handle);
        supervisor.join().await
    });
}

#[test]
fn one_that_stops_refuses_at_once() {
    run(async |cx: &Cx| {
        let log = Log::default();
        let drained = Arc::new(Notify::new());
        let slow = {
            let (log, drained) = (log.clone(), drained.clone());
            ChildSpec::new("slow", async move |cx: &Cx| {
                log.add("up");
                drop(cx.cancelled().await);
                log.add("asked");
                cx.finish(async |cx: &Cx| drained.notified(cx).await.map_err(Into::into)).await
            })
        };
        let (handle, supervisor) = start(cx, Supervisor::new(Strategy::OneForOne).child(slow));
        log.wait(cx, "up", 1).await?;
        supervisor.request_cancel(Reason::new(ReasonKind::UserRequest));
        log.wait(cx, "asked", 1).await?;
        assert_eq!(refused(handle.start_child(cx, idle("late", &log)).await), ChildError::Stopped);
        assert!(!supervisor.is_finished());
        drained.notify_one();
        assert!(supervisor.join().await.is_err());
        Ok(())
    });
}

#[test]
fn a_pool_forgets_those_that_are_done() {
    run(async |cx: &Cx| {
        let log = Log::default();
        let (handle, supervisor) = start(cx, Supervisor::new(Strategy::SimpleOneForOne));
        for n in 0..2000 {
            let end = if n % 2 == 0 { End::Returns } else { End::Fails };
            let restart = if n % 2 == 0 { Restart::Transient } else { Restart::Temporary };
            handle.start_child(cx, ends("job", end, 1, &log, &[]).restart(restart)).await?;
        }
        wait_children(cx, &handle, "").await?;
        assert_eq!(log.count("job up"), 2000);
        drop(handle);
        supervisor.join().await
    });
}
