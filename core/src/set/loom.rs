//! Bells that ring while the set is polled, in every order. A member that is not polled again after what it
//! waits for has happened shows as a set that nobody can wake any more.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Poll, Wake};

use loom::future::block_on;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use loom::thread;

use super::Set;

type Member = Pin<Box<dyn Future<Output = ()>>>;

/// Ready once `seen` is at least `need`. What it sees comes by the bell alone: there is no other order.
fn member(seen: &Arc<AtomicUsize>, need: usize) -> Member {
    let seen = seen.clone();
    Box::pin(poll_fn(move |_| if seen.load(Relaxed) >= need { Poll::Ready(()) } else { Poll::Pending }))
}

/// Polls the set until all have ended.
fn drive(set: &mut Set<dyn Future<Output = ()>>) {
    block_on(poll_fn(|cx| {
        set.gather(cx.waker());
        set.poll(cx.waker(), false, |_, ()| {});
        if set.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    }));
}

fn check(preemptions: Option<usize>, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.check(model);
}

#[test]
fn no_ring_is_lost() {
    check(Some(3), || {
        let (mut set, seen) = (Set::new(), Arc::new(AtomicUsize::new(0)));
        let bell = set.tower().bell();
        set.insert(bell.clone(), member(&seen, 2));
        let ringing = thread::spawn(move || {
            for _ in 0..2 {
                seen.fetch_add(1, Relaxed);
                bell.wake_by_ref();
            }
        });
        drive(&mut set);
        ringing.join().unwrap();
    });
}

/// Only the first ring of a bell enters its number: the poll that this brings sees what the others did.
#[test]
fn a_ring_that_another_one_answers_is_not_lost() {
    check(Some(3), || {
        let (mut set, seen) = (Set::new(), Arc::new(AtomicUsize::new(0)));
        let bell = set.tower().bell();
        set.insert(bell.clone(), member(&seen, 2));
        let ringing = [(); 2].map(|()| {
            let (bell, seen) = (bell.clone(), seen.clone());
            thread::spawn(move || {
                seen.fetch_add(1, Relaxed);
                bell.wake();
            })
        });
        drive(&mut set);
        ringing.into_iter().for_each(|ringing| ringing.join().unwrap());
    });
}

#[test]
fn two_bells_wake_two_members() {
    check(Some(3), || {
        let mut set = Set::new();
        let ringing = [(); 2].map(|()| {
            let (bell, seen) = (set.tower().bell(), Arc::new(AtomicUsize::new(0)));
            set.insert(bell.clone(), member(&seen, 1));
            thread::spawn(move || {
                seen.store(1, Relaxed);
                bell.wake();
            })
        });
        drive(&mut set);
        ringing.into_iter().for_each(|ringing| ringing.join().unwrap());
    });
}
