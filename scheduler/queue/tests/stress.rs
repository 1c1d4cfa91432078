//! Real threads, many items: each comes out exactly once, whoever takes it.
#![cfg(not(loom))]

use asupersync_queue::{Injector, Local, Stealer};
use std::{
    sync::{
        Barrier,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
    thread,
};

const ITEMS: usize = if cfg!(debug_assertions) { 200_000 } else { 2_000_000 };

/// Counts how often each number was taken.
struct Ledger {
    taken: Vec<AtomicU8>,
    total: AtomicUsize,
}

impl Ledger {
    fn new(items: usize) -> Self {
        Self { taken: (0..items).map(|_| AtomicU8::new(0)).collect(), total: AtomicUsize::new(0) }
    }

    /// The item is boxed, so a double read would also be a double free.
    #[expect(clippy::boxed_local, reason = "the box is what is under test")]
    fn record(&self, item: Box<usize>) {
        self.taken[*item].fetch_add(1, Ordering::Relaxed);
        self.total.fetch_add(1, Ordering::Release);
    }

    fn complete(&self) -> bool {
        self.total.load(Ordering::Acquire) >= self.taken.len()
    }

    fn check(&self) {
        for (item, taken) in self.taken.iter().enumerate() {
            assert_eq!(taken.load(Ordering::Relaxed), 1, "item {item}");
        }
        assert_eq!(self.total.load(Ordering::Relaxed), self.taken.len());
    }
}

fn steal_until_complete(victims: &[Stealer<Box<usize>>], overflow: &Injector<Box<usize>>, ledger: &Ledger) {
    let mine = Local::new();
    while !ledger.complete() {
        let found = victims
            .iter()
            .find_map(|victim| victim.steal_into(&mine))
            .or_else(|| overflow.pop_batch_into(&mine, 16));
        match found {
            Some(item) => ledger.record(item),
            None => thread::yield_now(),
        }
        while let Some(item) = mine.pop() {
            ledger.record(item);
        }
    }
}

#[test]
fn one_owner_three_thieves() {
    let (local, overflow, ledger) = (Local::new(), Injector::new(), Ledger::new(ITEMS));
    let victims = [local.stealer()];
    let start = Barrier::new(4);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                start.wait();
                steal_until_complete(&victims, &overflow, &ledger);
            });
        }
        start.wait();
        for item in 0..ITEMS {
            local.push_or_overflow(Box::new(item), &overflow);
            if item % 3 == 0
                && let Some(item) = local.pop()
            {
                ledger.record(item);
            }
        }
        while let Some(item) = local.pop() {
            ledger.record(item);
        }
        steal_until_complete(&[], &overflow, &ledger);
    });
    ledger.check();
}

#[test]
fn owners_that_steal_from_each_other() {
    const OWNERS: usize = 3;
    let overflow = Injector::new();
    let ledger = Ledger::new(ITEMS / OWNERS * OWNERS);
    let locals: Vec<_> = (0..OWNERS).map(|_| Local::new()).collect();
    let stealers: Vec<_> = locals.iter().map(Local::stealer).collect();
    thread::scope(|scope| {
        for (me, local) in locals.into_iter().enumerate() {
            let (stealers, overflow, ledger) = (&stealers, &overflow, &ledger);
            scope.spawn(move || {
                // A burst that overfills the ring now and then, then a search: the shape of a worker.
                let mut items = (0..ITEMS / OWNERS).map(|i| i * OWNERS + me);
                let mut burst = 1;
                while !ledger.complete() {
                    for item in items.by_ref().take(burst) {
                        local.push_or_overflow(Box::new(item), overflow);
                    }
                    burst = burst * 5 % 389;
                    while let Some(item) = local.pop() {
                        ledger.record(item);
                    }
                    // Its own stealer is among them and must yield nothing.
                    let found = stealers.iter().find_map(|victim| victim.steal_into(&local));
                    match found.or_else(|| overflow.pop_batch_into(&local, 64)) {
                        Some(item) => ledger.record(item),
                        None => thread::yield_now(),
                    }
                }
            });
        }
    });
    ledger.check();
}

#[test]
fn injector_many_to_many() {
    let (queue, ledger) = (Injector::new(), Ledger::new(ITEMS / 2));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| steal_until_complete(&[], &queue, &ledger));
        }
        for half in 0..2 {
            let queue = &queue;
            scope.spawn(move || {
                let mut items = (0..ITEMS / 4).map(|i| Box::new(i * 2 + half));
                while let Some(item) = items.next() {
                    queue.push(item);
                    queue.push_batch(items.by_ref().take(7));
                }
            });
        }
    });
    ledger.check();
}
