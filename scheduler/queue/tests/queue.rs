//! What each queue promises, on one thread. Concurrency is in `stress.rs` and `loom.rs`.
#![cfg(not(loom))]

use asupersync_queue::{Injector, Local, Stealer};
use std::{panic, rc::Rc, sync::Arc};

fn drain<T>(queue: &Local<T>) -> Vec<T> {
    std::iter::from_fn(|| queue.pop()).collect()
}

fn filled(items: std::ops::Range<usize>) -> Local<usize> {
    let queue = Local::new();
    for i in items {
        queue.push(i).unwrap();
    }
    queue
}

#[test]
fn local_is_fifo_and_bounded() {
    let queue = Local::new();
    assert!(queue.is_empty() && queue.pop().is_none());
    for i in 0..queue.capacity() {
        assert_eq!(queue.len(), i);
        queue.push(i).unwrap();
    }
    assert_eq!(queue.push(999), Err(999));
    assert_eq!(drain(&queue), (0..queue.capacity()).collect::<Vec<_>>());
    assert!(queue.is_empty());
}

#[test]
fn positions_wrap() {
    let queue = Local::new();
    for i in 0..10 * queue.capacity() {
        queue.push(i).unwrap();
        queue.push(i).unwrap();
        assert_eq!((queue.pop(), queue.pop()), (Some(i), Some(i)));
    }
}

#[test]
fn overflow_sheds_the_older_half_in_one_batch() {
    let queue = filled(0..1024);
    let overflow = Injector::new();
    assert!(queue.push_or_overflow(1024, &overflow));
    assert_eq!((queue.len(), overflow.len()), (513, 512));
    assert!(!queue.push_or_overflow(1025, &overflow));
    let shed: Vec<_> = std::iter::from_fn(|| overflow.pop()).collect();
    assert_eq!(shed, (0..512).collect::<Vec<_>>());
    assert_eq!(drain(&queue), (512..1026).collect::<Vec<_>>());
}

#[test]
fn steal_takes_the_older_half_rounded_up() {
    for n in 0..=1024 {
        let (victim, mine) = (filled(0..n), Local::new());
        let first = victim.stealer().steal_into(&mine);
        assert_eq!(first, (n > 0).then_some(0));
        let half = n.div_ceil(2);
        assert_eq!(drain(&mine), (1..half).collect::<Vec<_>>());
        assert_eq!(drain(&victim), (half..n).collect::<Vec<_>>());
    }
}

#[test]
fn steal_respects_the_thiefs_room() {
    let (victim, mine) = (filled(0..200), filled(1000..2022));
    assert_eq!(victim.stealer().steal_into(&mine), Some(0));
    assert_eq!((mine.len(), victim.len()), (1024, 197));
    assert_eq!(victim.stealer().steal_into(&mine), Some(3)); // no room: one to run, none to keep
    assert_eq!(drain(&mine)[1021..], [2021, 1, 2]);
}

#[test]
fn a_ring_cannot_steal_from_itself() {
    let queue = filled(0..4);
    assert_eq!(queue.stealer().steal_into(&queue), None);
    assert_eq!(queue.len(), 4);
}

#[test]
fn dropping_the_local_drops_what_waits_even_while_thieves_remain() {
    let item = Rc::new(());
    let queue = Local::new();
    let thief: Stealer<_> = queue.stealer();
    for _ in 0..100 {
        queue.push(Rc::clone(&item)).unwrap();
    }
    drop(queue);
    assert_eq!(Rc::strong_count(&item), 1);
    assert!(thief.is_empty() && thief.clone().steal_into(&Local::new()).is_none());
}

#[test]
fn a_panicking_drop_does_not_leak_the_rest() {
    struct Bomb(#[expect(dead_code, reason = "counted")] Arc<()>, bool);
    impl Drop for Bomb {
        fn drop(&mut self) {
            assert!(!self.1, "armed");
        }
    }
    let item = Arc::new(());
    let queue = Local::new();
    for i in 0..10 {
        assert!(queue.push(Bomb(Arc::clone(&item), i == 3)).is_ok());
    }
    assert!(panic::catch_unwind(panic::AssertUnwindSafe(|| drop(queue))).is_err());
    assert_eq!(Arc::strong_count(&item), 1);
}

#[test]
fn zero_sized_and_large_items() {
    let units = Local::new();
    assert!((0..1024).all(|_| units.push(()).is_ok()) && units.push(()).is_err());
    assert_eq!(drain(&units).len(), 1024);
    let large = Local::new();
    large.push([7_u64; 512]).unwrap();
    assert_eq!(large.stealer().steal_into(&Local::new()), Some([7; 512]));
}

#[test]
fn injector_is_fifo_and_counts() {
    let queue = Injector::new();
    assert!(queue.is_empty() && queue.pop().is_none());
    queue.push(0);
    queue.push_batch(1..5);
    queue.push(5);
    assert_eq!(queue.len(), 6);
    assert!((0..6).all(|i| queue.pop() == Some(i)));
    assert!(queue.is_empty());
}

#[test]
fn batches_stop_at_max_at_the_end_and_at_a_full_ring() {
    let queue = Injector::new();
    queue.push_batch(0..1100);
    let mine = Local::new();
    assert_eq!(queue.pop_batch_into(&mine, 0), None);
    assert_eq!(queue.pop_batch_into(&mine, 1), Some(0));
    assert_eq!((mine.len(), queue.len()), (0, 1099));
    assert_eq!(queue.pop_batch_into(&mine, usize::MAX), Some(1));
    assert_eq!((mine.len(), queue.len()), (1024, 74));
    assert_eq!(queue.pop(), Some(1026));
    assert_eq!(drain(&mine), (2..1026).collect::<Vec<_>>());
    assert_eq!(queue.pop_batch_into(&mine, 100), Some(1027));
    assert_eq!((mine.len(), queue.len()), (72, 0));
}

#[test]
fn a_panicking_iterator_leaves_the_injector_consistent() {
    let queue = Injector::new();
    let feed = (0..5).inspect(|&i| assert!(i < 3, "no more"));
    assert!(panic::catch_unwind(panic::AssertUnwindSafe(|| queue.push_batch(feed))).is_err());
    assert_eq!(queue.len(), 3);
    queue.push(9);
    assert!([0, 1, 2, 9].into_iter().all(|i| queue.pop() == Some(i)));
}

#[test]
fn the_ends_cross_threads() {
    fn send<T: Send>() {}
    fn sync<T: Sync>() {}
    send::<Local<std::cell::Cell<u8>>>();
    send::<Stealer<std::cell::Cell<u8>>>();
    sync::<Stealer<std::cell::Cell<u8>>>();
    sync::<Injector<std::cell::Cell<u8>>>();
}
