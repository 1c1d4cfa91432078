//! The steps of a model, dropped at every poll.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use asupersync_lab::Explore;
use asupersync_lab::model::Program;

/// Drops what `step` makes unpolled, and while it waits for its turn: there are no other polls.
fn at_every_poll<F: Future>(step: impl Fn() -> F) {
    drop(step());
    let waits = pin!(step()).poll(&mut Context::from_waker(Waker::noop())).is_pending();
    assert!(waits, "each step waits for its turn");
}

#[test]
fn a_step_that_is_dropped_is_not_done() {
    let found = Explore::optimal().model(|program: &mut Program| {
        let (x, lock) = (program.var(1), program.lock());
        for _ in 0..2 {
            program.task(async move |t| {
                at_every_poll(|| t.read(x));
                at_every_poll(|| t.write(x, 7));
                at_every_poll(|| t.fetch_add(x, 7));
                at_every_poll(|| t.compare_exchange(x, 1, 7));
                at_every_poll(|| t.lock(lock));
                // One that nobody holds: to be done would panic.
                at_every_poll(|| t.unlock(lock));
                t.lock(lock).await;
                let seen = t.read(x).await;
                t.write(x, seen + 1).await;
                t.unlock(lock).await;
            });
        }
        program.at_end(move |end| assert_eq!(end.value(x), 3));
    });
    assert!(found.failure.is_none(), "{:?}", found.failure);
}
