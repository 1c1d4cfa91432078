//! Mutex, semaphore, notify, oneshot and bounded mpsc.

use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::task::Poll;

use asupersync_core::channel::{SendError, mpsc, oneshot};
use asupersync_core::sync::{Mutex, Notify, Semaphore};
use asupersync_core::{Cancelled, Failure, Outcome};

use crate::hand::{Census, World, op, poll_with, ready};

#[test]
fn a_semaphore_serves_in_order_and_a_large_demand_is_not_overtaken() {
    let (world, slots) = (World::new(), Semaphore::new(2));
    let cx = world.cx();
    let held = ready(slots.acquire(&cx, 1)).unwrap();
    let mut both = op(slots.acquire(&cx, 2));
    let mut one = op(slots.acquire(&cx, 1));
    both.waits();
    one.waits();
    assert!(slots.try_acquire(1).is_none(), "it barged past");
    drop(held);
    assert!(!one.rings());
    let both = both.woken().unwrap();
    one.waits();
    drop(both);
    drop(one.woken().unwrap());
    assert_eq!(slots.available(), 2);
}

#[test]
fn a_large_demand_that_leaves_lets_the_small_ones_behind_it_pass() {
    let (world, slots) = (World::new(), Semaphore::new(1));
    let cx = world.cx();
    let mut both = op(slots.acquire(&cx, 2));
    let mut one = op(slots.acquire(&cx, 1));
    both.waits();
    one.waits();
    drop(both);
    drop(one.woken().unwrap());
}

#[test]
fn a_lock_granted_to_one_that_leaves_goes_to_the_next() {
    let (world, mutex) = (World::new(), Mutex::new(0));
    let party = world.party();
    let cx = world.cx();
    let guard = mutex.try_lock().unwrap();
    let mut first = op(mutex.lock(&party.cx));
    let mut second = op(mutex.lock(&cx));
    first.waits();
    second.waits();
    drop(guard);
    assert!(first.rings());
    party.cancel();
    assert!(first.woken().is_err());
    *second.woken().unwrap() += 1;
    assert_eq!(mutex.into_inner(), 1);
}

/// Prints the mutex that it is in.
struct Inside(Weak<Mutex<Inside>>);

impl fmt::Debug for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0.upgrade().expect("alive"))
    }
}

#[test]
fn a_value_may_print_the_mutex_around_it() {
    let mutex = Arc::new_cyclic(|mutex| Mutex::new(Inside(mutex.clone())));
    assert!(format!("{mutex:?}").contains("<locked>"));
}

#[test]
fn a_notification_for_one_is_passed_on_by_a_waiter_that_leaves() {
    let (world, notify) = (World::new(), Notify::new());
    let cx = world.cx();
    let (mut first, mut second) = (op(notify.notified(&cx)), op(notify.notified(&cx)));
    first.waits();
    second.waits();
    notify.notify_one();
    assert!(first.rings() && !second.rings());
    drop(first);
    second.woken().unwrap();
    op(notify.notified(&cx)).waits();
}

#[test]
fn a_notification_for_all_is_not_passed_on_to_who_comes_later() {
    let (world, notify) = (World::new(), Notify::new());
    let cx = world.cx();
    let (mut first, mut second) = (op(notify.notified(&cx)), op(notify.notified(&cx)));
    first.waits();
    second.waits();
    notify.notify_waiters();
    drop(first);
    op(notify.notified(&cx)).waits();
    second.woken().unwrap();
    op(notify.notified(&cx)).waits();
}

#[test]
fn under_request_nothing_is_acquired_sent_or_received_and_nothing_is_lost() {
    let world = World::new();
    let party = world.party();
    party.cancel();
    let cx = &party.cx;
    let census = Census::default();
    let slots = Semaphore::new(1);
    assert!(ready(slots.acquire(cx, 1)).is_err());
    assert_eq!(slots.available(), 1);
    let (tx, mut rx) = mpsc::channel(1);
    let Err(refused) = ready(tx.send(cx, census.token(1))) else { panic!("it was sent") };
    assert!(matches!(refused, SendError::Cancelled(..)));
    tx.try_send(refused.into_value()).ok().unwrap();
    assert!(ready(rx.recv(cx)).is_err());
    assert_eq!(rx.try_recv().unwrap().0, 1);
    let (tx, mut rx) = oneshot::channel();
    tx.send(census.token(2)).unwrap();
    assert!(ready(rx.recv(cx)).is_err());
    assert_eq!(rx.try_recv().unwrap().0, 2);
    assert_eq!(census.alive(), 0);
}

#[test]
fn a_question_mark_finds_the_cancellation_in_an_error() {
    let world = World::new();
    let party = world.party();
    party.cancel();
    let (tx, _rx) = mpsc::channel(1);
    let outcome: Outcome<()> = ready(async {
        tx.send(&party.cx, 1).await?;
        Ok(())
    });
    assert!(matches!(outcome, Err(Failure::Cancelled(_))));
    let (_tx, mut rx) = oneshot::channel::<()>();
    let outcome: Outcome<()> = ready(async { Ok(rx.recv(&party.cx).await?) });
    assert!(matches!(outcome, Err(Failure::Cancelled(_))));
    let _: &dyn Fn(Cancelled) -> Failure = &|cancelled| cancelled.into();
}

#[test]
fn senders_that_wait_hear_of_the_receivers_end() {
    let world = World::new();
    let cx = world.cx();
    let (tx, rx) = mpsc::channel(1);
    tx.try_send(1).unwrap();
    let mut send = op(tx.send(&cx, 2));
    send.waits();
    drop(rx);
    assert!(matches!(send.woken(), Err(SendError::Closed(2))));
}

#[test]
fn room_reserved_or_granted_and_given_up_goes_to_the_next_sender() {
    let world = World::new();
    let cx = world.cx();
    let (tx, mut rx) = mpsc::channel(1);
    let permit = ready(tx.reserve(&cx)).unwrap();
    let (mut first, mut second) = (op(tx.reserve(&cx)), op(tx.send(&cx, 7)));
    first.waits();
    second.waits();
    drop(permit);
    assert!(first.rings() && !second.rings());
    drop(first);
    second.woken().unwrap();
    assert_eq!(rx.try_recv(), Some(7));
    assert_eq!(tx.try_send(8), Ok(()));
}

/// The task behind a waker may own an end of the very channel that keeps the waker.
#[test]
fn a_waker_is_dropped_with_no_lock_held() {
    let world = World::new();
    let cx = world.cx();
    let slots = Arc::new(Semaphore::new(0));
    {
        let mut acquire = pin!(slots.acquire(&cx, 1));
        for _ in 0..3 {
            let look = slots.clone();
            assert!(poll_with(acquire.as_mut(), move || assert_eq!(look.available(), 0)).is_pending());
        }
    }
    let (tx, mut rx) = mpsc::channel::<u8>(1);
    for _ in 0..3 {
        let other = tx.clone();
        assert!(poll_with(pin!(rx.recv(&cx)), move || assert!(!other.is_closed())).is_pending());
    }
    tx.try_send(1).unwrap();
    {
        let mut reserve = pin!(tx.reserve(&cx));
        for _ in 0..3 {
            let other = tx.clone();
            assert!(poll_with(reserve.as_mut(), move || assert!(!other.is_closed())).is_pending());
        }
    }
    let party = world.party();
    let mut cancelled = pin!(party.cx.cancelled());
    for _ in 0..3 {
        let scope = party.cx.clone();
        // A scope is made and linked under the lock that keeps the waker.
        assert!(matches!(poll_with(cancelled.as_mut(), move || drop(scope.in_flight())), Poll::Pending));
    }
}
