//! Each transition from each state it can meet.

use super::*;

/// The bits and the count.
fn parts(state: &State) -> (usize, usize) {
    let now = state.0.load(Ordering::SeqCst);
    (now & (REF_ONE - 1), now / REF_ONE)
}

fn at(bits: usize, count: usize) -> State {
    State(AtomicUsize::new(bits | (count * REF_ONE)))
}

#[test]
fn a_new_task_runs_until_it_is_made_and_has_two_references() {
    let state = State::new(0);
    assert_eq!(parts(&state), (RUNNING | JOIN_INTEREST, 2));
    assert_eq!(state.transition_to_made(), Made::Queued);
    assert_eq!(parts(&state), (NOTIFIED | JOIN_INTEREST, 2));
    assert!(!state.is_running() && !state.is_complete());
}

#[test]
fn what_was_shut_down_while_it_was_made_is_the_makers() {
    let state = State::new(0);
    assert_eq!(state.transition_to_notified(), Notify::Nothing);
    assert_eq!(state.transition_to_shutdown(), Claim::Running);
    assert_eq!(state.transition_to_made(), Made::Shutdown);
    assert!(state.is_running());
}

#[test]
fn notified_counts_a_reference_if_it_schedules() {
    let cases = [
        (0, NOTIFIED, Notify::Schedule, 1),
        (NOTIFIED, NOTIFIED, Notify::Nothing, 0),
        (RUNNING, RUNNING | NOTIFIED, Notify::Nothing, 0),
        (RUNNING | SHUTDOWN, RUNNING | SHUTDOWN | NOTIFIED, Notify::Nothing, 0),
        (COMPLETE, COMPLETE | NOTIFIED, Notify::Nothing, 0),
    ];
    for (before, after, answer, more) in cases {
        let state = at(before, 3);
        assert_eq!(state.transition_to_notified(), answer, "{before:#b}");
        assert_eq!(parts(&state), (after, 3 + more), "{before:#b}");
    }
}

#[test]
fn promoted_differs_only_for_a_queued_task() {
    let cases = [
        (0, NOTIFIED, Notify::Schedule, 1),
        (NOTIFIED, NOTIFIED, Notify::ScheduleSecond, 1),
        (RUNNING, RUNNING | NOTIFIED, Notify::Nothing, 0),
        (RUNNING | NOTIFIED, RUNNING | NOTIFIED, Notify::Nothing, 0),
        (COMPLETE, COMPLETE | NOTIFIED, Notify::Nothing, 0),
    ];
    for (before, after, answer, more) in cases {
        let state = at(before, 3);
        assert_eq!(state.transition_to_promoted(), answer, "{before:#b}");
        assert_eq!(parts(&state), (after, 3 + more), "{before:#b}");
    }
}

#[test]
fn only_a_queued_task_is_entered() {
    let stale = [0, RUNNING, RUNNING | NOTIFIED, COMPLETE, COMPLETE | NOTIFIED];
    for bits in stale {
        let state = at(bits, 1);
        assert_eq!(state.transition_to_running(), Enter::Stale, "{bits:#b}");
        assert_eq!(state.transition_to_abandoned(), Enter::Stale, "{bits:#b}");
        assert_eq!(parts(&state), (bits, 1));
    }
    let state = at(NOTIFIED | JOIN_INTEREST, 1);
    assert_eq!(state.transition_to_running(), Enter::Run);
    assert_eq!(parts(&state), (RUNNING | JOIN_INTEREST, 1));
    let state = at(NOTIFIED, 1);
    assert_eq!(state.transition_to_abandoned(), Enter::Run);
    assert_eq!(parts(&state), (RUNNING | SHUTDOWN, 1));
}

#[test]
fn leaving_a_poll() {
    let cases = [
        (RUNNING, 2, Leave::Idle, 0, 1),
        (RUNNING, 1, Leave::IdleAndLast, 0, 0),
        (RUNNING | NOTIFIED, 1, Leave::Queued, NOTIFIED, 2),
        (RUNNING | SHUTDOWN, 1, Leave::Shutdown, RUNNING | SHUTDOWN, 1),
        (RUNNING | SHUTDOWN | NOTIFIED, 1, Leave::Shutdown, RUNNING | SHUTDOWN | NOTIFIED, 1),
    ];
    for (before, count, answer, after, left) in cases {
        let state = at(before, count);
        assert_eq!(state.transition_to_idle(), answer, "{before:#b}");
        assert_eq!(parts(&state), (after, left), "{before:#b}");
    }
}

#[test]
fn shutdown_claims_what_nobody_is_at() {
    let cases = [
        (0, Claim::Claimed, RUNNING | SHUTDOWN),
        (NOTIFIED, Claim::Claimed, RUNNING | SHUTDOWN),
        (RUNNING, Claim::Running, RUNNING | SHUTDOWN),
        (RUNNING | NOTIFIED, Claim::Running, RUNNING | NOTIFIED | SHUTDOWN),
        (COMPLETE, Claim::Complete, COMPLETE),
    ];
    for (before, answer, after) in cases {
        let state = at(before, 1);
        assert_eq!(state.transition_to_shutdown(), answer, "{before:#b}");
        assert_eq!(parts(&state).0, after, "{before:#b}");
    }
}

#[test]
fn completing_says_whose_the_output_and_the_waker_are() {
    let cases = [
        (RUNNING, Completed::Detached),
        (RUNNING | JOIN_INTEREST, Completed::Joined),
        (RUNNING | JOIN_INTEREST | JOIN_WAKER, Completed::JoinedWithWaker),
    ];
    for (before, answer) in cases {
        let state = at(before, 1);
        assert_eq!(state.transition_to_complete(), answer);
        assert!(state.is_complete() && !state.is_running());
    }
}

#[test]
fn detaching_says_whose_the_output_and_the_waker_are() {
    let cases = [
        (JOIN_INTEREST, false, true),
        (JOIN_INTEREST | JOIN_WAKER, false, true),
        (JOIN_INTEREST | COMPLETE, true, true),
        (JOIN_INTEREST | JOIN_WAKER | COMPLETE, true, false),
    ];
    for (before, owns_output, owns_waker) in cases {
        let state = at(before, 1);
        let detach = state.transition_to_detached();
        assert_eq!(detach, Detach { owns_output, owns_waker }, "{before:#b}");
        assert_eq!(parts(&state).0 & JOIN_INTEREST, 0);
    }
}

#[test]
fn the_waker_is_lent_until_complete() {
    let state = at(JOIN_INTEREST, 1);
    assert_eq!(state.reclaim_join_waker(), Ok(()));
    assert_eq!(state.lend_join_waker(), Ok(()));
    assert_eq!(parts(&state).0, JOIN_INTEREST | JOIN_WAKER);
    assert_eq!(state.reclaim_join_waker(), Ok(()));
    assert_eq!(parts(&state).0, JOIN_INTEREST);
    for bits in [COMPLETE | JOIN_INTEREST, COMPLETE | JOIN_INTEREST | JOIN_WAKER] {
        let state = at(bits, 1);
        assert_eq!(state.reclaim_join_waker(), Err(Complete));
        assert_eq!(state.lend_join_waker(), Err(Complete));
        assert_eq!(parts(&state).0, bits);
    }
}

#[test]
fn the_last_reference_is_told() {
    let state = at(COMPLETE | NOTIFIED, 1);
    state.ref_inc();
    assert!(!state.ref_dec());
    assert!(state.ref_dec());
}

/// In a process of its own, since it ends that process.
#[test]
#[cfg_attr(miri, ignore = "starts a process")]
fn too_many_references_abort() {
    const NAME: &str = "state::tests::too_many_references_abort";
    const WHICH: &str = "ASUPERSYNC_TASK_TEST_OVERFLOW";
    let state = State(AtomicUsize::new(MAX + 1));
    match std::env::var(WHICH).as_deref() {
        Ok("ref_inc") => state.ref_inc(),
        Ok(_) => drop(state.transition_to_notified()),
        Err(_) => {
            for which in ["ref_inc", "notified"] {
                let this = std::env::current_exe().unwrap();
                let mut run = std::process::Command::new(this);
                let output = run.args(["--exact", NAME]).env(WHICH, which).output().unwrap();
                assert_eq!(output.status.code(), None, "{which}: {output:?}");
            }
        }
    }
}
