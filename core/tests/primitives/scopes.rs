//! Requests that race with the end of what they reach.

use std::sync::atomic::{AtomicUsize, Ordering};

use asupersync_core::Cx;

use crate::hand::World;

/// Waits so that both go on at the same moment, if there is a processor for each.
fn until(done: impl Fn() -> bool) {
    for spins in 0_u32.. {
        if done() {
            return;
        }
        if spins % 1000 == 999 {
            std::thread::yield_now();
        }
    }
}

/// A request passes by work in flight. If that ends in just this moment, the request holds the last
/// reference to its scope, and must not drop it under the lock that the drop takes.
#[test]
fn a_request_may_meet_work_in_flight_that_ends() {
    let world = World::new();
    let go = AtomicUsize::new(0);
    let (hand, handed) = std::sync::mpsc::channel::<Vec<Cx>>();
    std::thread::scope(|threads| {
        threads.spawn(|| {
            for flights in handed {
                go.fetch_add(1, Ordering::SeqCst);
                until(|| go.load(Ordering::SeqCst) & 1 == 0);
                drop(flights);
            }
        });
        for round in 0..20_000 {
            let party = world.party();
            hand.send((0..32).map(|_| party.cx.in_flight()).collect()).expect("the thread runs");
            until(|| go.load(Ordering::SeqCst) & 1 == 1);
            go.fetch_add(1, Ordering::SeqCst);
            (0..round % 64).for_each(|_| std::hint::spin_loop());
            party.cancel();
        }
        drop(hand);
    });
}
