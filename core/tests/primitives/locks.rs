//! RwLock, barrier and once cell.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};

use asupersync_core::sync::{Barrier, OnceCell, RwLock};
use asupersync_core::{Cx, Error, Failure, Outcome};

use crate::hand::{Census, World, op, ready};

#[test]
fn readers_share_and_a_writer_is_alone() {
    let (world, lock) = (World::new(), RwLock::new(1));
    let cx = world.cx();
    let (one, another) = (ready(lock.read(&cx)).unwrap(), ready(lock.read(&cx)).unwrap());
    assert_eq!(*one + *another, 2);
    let mut write = op(lock.write(&cx));
    write.waits();
    drop(one);
    assert!(!write.rings());
    drop(another);
    let mut writer = write.woken().unwrap();
    *writer = 5;
    assert!(lock.try_read().is_none() && lock.try_write().is_none());
    assert_eq!(format!("{lock:?}"), "RwLock { value: <locked> }");
    drop(writer);
    assert_eq!(format!("{lock:?}"), "RwLock { value: 5 }");
    assert_eq!(lock.into_inner(), 5);
}

#[test]
fn readers_and_writers_enter_in_the_order_in_which_they_came() {
    let (world, lock) = (World::new(), RwLock::new(()));
    let cx = world.cx();
    let held = ready(lock.read(&cx)).unwrap();
    let mut write = op(lock.write(&cx));
    write.waits();
    let (mut r1, mut r2, mut second_write, mut r3) =
        (op(lock.read(&cx)), op(lock.read(&cx)), op(lock.write(&cx)), op(lock.read(&cx)));
    r1.waits();
    r2.waits();
    second_write.waits();
    r3.waits();
    assert!(lock.try_read().is_none(), "a reader barged past a writer");
    drop(held);
    let writer = write.woken().unwrap();
    assert!(!r1.rings() && !r2.rings());
    drop(writer);
    assert!(r1.rings() && r2.rings() && !second_write.rings() && !r3.rings());
    let (g1, g2) = (r1.woken().unwrap(), r2.woken().unwrap());
    drop(g1);
    assert!(!second_write.rings());
    drop(g2);
    drop(second_write.woken().unwrap());
    drop(r3.woken().unwrap());
}

#[test]
fn readers_behind_a_writer_that_leaves_enter() {
    let (world, lock) = (World::new(), RwLock::new(()));
    let (cx, party) = (world.cx(), world.party());
    let held = ready(lock.read(&cx)).unwrap();
    let mut write = op(lock.write(&party.cx));
    let (mut r1, mut r2) = (op(lock.read(&cx)), op(lock.read(&cx)));
    write.waits();
    r1.waits();
    r2.waits();
    party.cancel();
    assert!(write.woken().is_err());
    let _guards = (r1.woken().unwrap(), r2.woken().unwrap(), held);
}

#[test]
fn a_granted_writer_that_leaves_passes_the_lock_on() {
    let (world, lock) = (World::new(), RwLock::new(()));
    let cx = world.cx();
    let held = ready(lock.write(&cx)).unwrap();
    let (mut write, mut read) = (op(lock.write(&cx)), op(lock.read(&cx)));
    write.waits();
    read.waits();
    drop(held);
    assert!(write.rings());
    drop(write);
    drop(read.woken().unwrap());
    assert!(lock.try_write().is_some());
}

/// A task that runs on the stack of whoever wakes it.
struct RunsWhenWoken(Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>);

impl Wake for RunsWhenWoken {
    fn wake(self: Arc<Self>) {
        let mut future = self.0.lock().unwrap().take().expect("woken once");
        assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
    }
}

#[test]
fn a_writer_that_runs_as_soon_as_it_is_woken_is_alone() {
    let (world, lock) = (World::new(), Arc::new(RwLock::new(1)));
    let reader = lock.try_read().unwrap();
    let (cx, same) = (world.cx(), lock.clone());
    let mut write: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
        *same.write(&cx).await.unwrap() = 2;
    });
    let task = Arc::new(RunsWhenWoken(Mutex::new(None)));
    let waker = Waker::from(task.clone());
    assert!(write.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    *task.0.lock().unwrap() = Some(write);
    drop(reader);
    assert_eq!(*lock.try_read().unwrap(), 2);
}

#[test]
fn a_downgrade_lets_readers_in_and_no_writer() {
    let (world, lock) = (World::new(), RwLock::new(0));
    let cx = world.cx();
    let mut writer = ready(lock.write(&cx)).unwrap();
    let (mut read, mut write) = (op(lock.read(&cx)), op(lock.write(&cx)));
    read.waits();
    write.waits();
    *writer = 1;
    let reader = writer.downgrade();
    assert_eq!((*reader, *read.woken().unwrap()), (1, 1));
    assert!(!write.rings());
    drop(reader);
    *write.woken().unwrap() += 1;
    assert_eq!(lock.into_inner(), 2);
}

#[test]
fn a_forgotten_reader_keeps_writers_out_for_ever_and_nothing_panics() {
    let (world, lock) = (World::new(), RwLock::new(1));
    let (cx, party) = (world.cx(), world.party());
    std::mem::forget(ready(lock.read(&cx)).unwrap());
    assert!(lock.try_write().is_none());
    let mut write = op(lock.write(&party.cx));
    write.waits();
    party.cancel();
    assert!(write.woken().is_err());
    assert_eq!(*ready(lock.read(&cx)).unwrap(), 1);
}

#[test]
fn a_forgotten_writer_keeps_everybody_out_and_nothing_panics() {
    let (world, lock) = (World::new(), RwLock::new(1));
    let cx = world.cx();
    std::mem::forget(ready(lock.write(&cx)).unwrap());
    assert!(lock.try_write().is_none() && lock.try_read().is_none());
    op(lock.read(&cx)).waits();
    assert_eq!(format!("{lock:?}"), "RwLock { value: <locked> }");
}

#[test]
fn a_panic_of_a_writer_frees_the_lock() {
    let (world, lock) = (World::new(), RwLock::new(1));
    let cx = world.cx();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let mut writer = ready(lock.write(&cx)).unwrap();
        *writer = 2;
        panic!("on purpose");
    }));
    assert!(panicked.is_err());
    assert_eq!(*ready(lock.read(&cx)).unwrap(), 2);
}

#[test]
fn guards_are_send_and_the_value_is_dropped_once() {
    fn send<T: Send + Sync>(_: &T) {}
    let census = Census::default();
    let lock = RwLock::new(census.token(1));
    send(&lock.try_read().unwrap());
    let mut writer = lock.try_write().unwrap();
    send(&writer);
    *writer = census.token(2);
    assert_eq!(census.alive(), 1);
    drop(writer.downgrade());
    drop(lock);
    assert_eq!(census.alive(), 0);
}

#[test]
fn a_barrier_opens_for_all_at_once_and_again() {
    let (world, barrier) = (World::new(), Barrier::new(3));
    let cx = world.cx();
    for _ in 0..3 {
        let (mut one, mut two) = (op(barrier.wait(&cx)), op(barrier.wait(&cx)));
        one.waits();
        two.waits();
        one.waits();
        assert!(ready(barrier.wait(&cx)).unwrap().is_leader());
        // A party of the next round does not take the place of one that has not looked yet.
        let mut next = op(barrier.wait(&cx));
        next.waits();
        assert!(!one.woken().unwrap().is_leader() && !two.woken().unwrap().is_leader());
        assert!(!next.rings());
    }
}

#[test]
fn a_party_that_leaves_is_not_counted() {
    let (world, barrier) = (World::new(), Barrier::new(2));
    let (cx, party) = (world.cx(), world.party());
    let mut gone = op(barrier.wait(&party.cx));
    gone.waits();
    party.cancel();
    assert!(gone.woken().is_err());
    assert!(ready(barrier.wait(&party.cx)).is_err(), "under Request");
    let mut dropped = op(barrier.wait(&cx));
    dropped.waits();
    drop(dropped);
    let mut first = op(barrier.wait(&cx));
    first.waits();
    assert!(ready(barrier.wait(&cx)).unwrap().is_leader());
    first.woken().unwrap();
    assert!(ready(Barrier::new(1).wait(&cx)).unwrap().is_leader());
}

#[test]
fn a_party_that_leaves_after_the_barrier_opened_was_counted() {
    let (world, barrier) = (World::new(), Barrier::new(2));
    let cx = world.cx();
    let mut first = op(barrier.wait(&cx));
    first.waits();
    ready(barrier.wait(&cx)).unwrap();
    drop(first);
    op(barrier.wait(&cx)).waits();
    assert_eq!(format!("{barrier:?}"), "Barrier { parties: 2, waiting: 0 }");
}

#[test]
#[should_panic(expected = "at least one party")]
fn a_barrier_for_nobody_is_refused() {
    let _ = Barrier::new(0);
}

async fn forever(_: &Cx) -> Outcome<u32> {
    std::future::pending().await
}

#[test]
fn a_cell_is_filled_once_and_all_waiters_get_the_value_at_once() {
    let (world, cell) = (World::new(), OnceCell::new());
    let cx = world.cx();
    let (notify, census) = (asupersync_core::sync::Notify::new(), Census::default());
    let mut init = op(cell.get_or_init(&cx, async |cx| {
        notify.notified(cx).await?;
        Ok(census.token(1))
    }));
    init.waits();
    let mut waiters: Vec<_> =
        (0..3).map(|_| op(cell.get_or_init(&cx, async |_| -> Outcome<_> { panic!("twice") }))).collect();
    waiters.iter_mut().for_each(|waiter| waiter.waits());
    assert!(cell.set(census.token(2)).is_err());
    assert!(waiters.iter().all(|waiter| !waiter.rings()));
    notify.notify_one();
    assert_eq!(init.woken().unwrap().0, 1);
    // All before the first of them is polled.
    assert!(waiters.iter().all(|waiter| waiter.rings()));
    for waiter in waiters {
        assert_eq!(waiter.woken().unwrap().0, 1);
    }
    assert!(cell.set(census.token(2)).is_err());
    assert_eq!(census.alive(), 1);
    let party = world.party();
    party.cancel();
    assert!(ready(cell.get_or_init(&party.cx, async |_| Ok(census.token(3)))).is_ok());
    drop(cell.into_inner());
    assert_eq!(census.alive(), 0);
}

#[test]
fn whatever_happens_to_an_initialiser_the_next_waiter_takes_over() {
    let world = World::new();
    let (cx, party) = (world.cx(), world.party());
    // Each way to end, and whether the one that ends it is polled for that.
    let ways: [fn(&OnceCell<u32>, &Cx, &crate::hand::Party); 4] = [
        |cell, cx, _| {
            let mut init = op(cell.get_or_init(cx, forever));
            init.waits();
            let mut next = op(cell.get_or_init(cx, async |_| Ok(1)));
            next.waits();
            drop(init);
            assert_eq!(next.woken().unwrap(), &1);
        },
        |cell, cx, party| {
            let mut init = op(cell.get_or_init(&party.cx, async |cx: &Cx| {
                cx.cancelled().await;
                cx.checkpoint()?;
                Ok(0)
            }));
            init.waits();
            let mut next = op(cell.get_or_init(cx, async |_| Ok(1)));
            next.waits();
            party.cancel();
            assert!(matches!(init.woken(), Err(Failure::Cancelled(_))));
            assert_eq!(next.woken().unwrap(), &1);
        },
        |cell, cx, _| {
            let fail = async |cx: &Cx| -> Outcome<u32> {
                let _ = cx.yield_now().await;
                Err(Failure::Err(Error::msg("no")))
            };
            let mut init = op(cell.get_or_init(cx, fail));
            init.waits();
            let mut next = op(cell.get_or_init(cx, async |_| Ok(1)));
            next.waits();
            assert!(matches!(init.woken(), Err(Failure::Err(_))));
            assert_eq!(next.woken().unwrap(), &1);
        },
        |cell, cx, _| {
            let fail = async |cx: &Cx| -> Outcome<u32> {
                let _ = cx.yield_now().await;
                panic!("on purpose")
            };
            let mut init = op(cell.get_or_init(cx, fail));
            init.waits();
            let mut next = op(cell.get_or_init(cx, async |_| Ok(1)));
            next.waits();
            assert!(catch_unwind(AssertUnwindSafe(|| init.woken().is_ok())).is_err());
            assert_eq!(next.woken().unwrap(), &1);
        },
    ];
    for way in ways {
        let cell = OnceCell::new();
        way(&cell, &cx, &party);
        assert_eq!(cell.get(), Some(&1));
    }
}

#[test]
fn a_cell_can_be_set_by_hand() {
    let cell = OnceCell::new();
    assert_eq!(format!("{cell:?}"), "OnceCell(<empty>)");
    assert_eq!((cell.set(1), cell.set(2)), (Ok(()), Err(2)));
    assert_eq!(format!("{cell:?}"), "OnceCell(1)");
    assert_eq!(cell.into_inner(), Some(1));
}

#[test]
fn the_futures_can_be_sent() {
    fn send(_: impl Send) {}
    let world = World::new();
    let cx = world.cx();
    let (lock, cell) = (Arc::new(RwLock::new(1)), Arc::new(OnceCell::<u32>::new()));
    send(lock.read(&cx));
    send(lock.write(&cx));
    drop(cx.spawn("task", async move |cx| {
        let value = *cell.get_or_init(cx, async |_| Ok(3)).await?;
        *lock.write(cx).await? = value;
        Ok(())
    }));
}
