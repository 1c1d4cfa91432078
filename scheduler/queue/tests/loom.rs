//! Every interleaving of small programs on a ring of four slots. Run with
//! `RUSTFLAGS="--cfg loom" cargo test -p asupersync-queue --release --test loom`.
//!
//! Items are boxed numbers: a lost or doubled item fails the final comparison, a slot touched by
//! two threads fails loom's cell check. Positions start below the wrap, so all of these cross it.
#![cfg(loom)]

use asupersync_queue::{Idle, Injector, Local, Stealer};
use loom::{
    sync::{Arc, Condvar, Mutex},
    thread,
};

type Item = Box<u32>;

/// Short programs are explored without a bound; longer ones, and those with three threads, with at
/// most this many involuntary switches.
const PREEMPTIONS: usize = 3;

fn check(preemptions: Option<usize>, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.check(model);
}

fn drain(queue: &Local<Item>, into: &mut Vec<u32>) {
    while let Some(item) = queue.pop() {
        into.push(*item);
    }
}

/// One theft into a fresh ring; what it brought, in order.
fn steal(victim: &Stealer<Item>) -> Vec<u32> {
    let mine = Local::new();
    let mut got: Vec<u32> = victim.steal_into(&mine).map(|item| *item).into_iter().collect();
    drain(&mine, &mut got);
    got
}

fn assert_each_once(mut got: Vec<u32>, items: u32) {
    got.sort_unstable();
    assert_eq!(got, (0..items).collect::<Vec<_>>());
}

fn assert_ascending(got: &[u32]) {
    assert!(got.is_sorted(), "out of order: {got:?}");
}

#[test]
fn owner_against_one_thief() {
    check(Some(PREEMPTIONS), || {
        let local = Local::new();
        let victim = local.stealer();
        let thief = thread::spawn(move || {
            let mut got = steal(&victim);
            got.extend(steal(&victim));
            got
        });
        let mut mine = Vec::new();
        for item in 0..2 {
            local.push(Box::new(item)).unwrap();
        }
        mine.extend(local.pop().map(|item| *item));
        for item in 2..4 {
            local.push(Box::new(item)).unwrap();
        }
        drain(&local, &mut mine);
        let stolen = thief.join().unwrap();
        assert_ascending(&mine);
        assert_ascending(&stolen);
        drain(&local, &mut mine);
        mine.extend(stolen);
        assert_each_once(mine, 4);
    });
}

#[test]
fn reuse_of_slots_a_thief_still_copies() {
    check(None, || {
        let local = Local::new();
        for item in 0..4 {
            local.push(Box::new(item)).unwrap();
        }
        let victim = local.stealer();
        let thief = thread::spawn(move || steal(&victim));
        let (mut mine, mut pushed) = (Vec::new(), 4);
        for _ in 0..3 {
            mine.extend(local.pop().map(|item| *item));
            if local.push(Box::new(pushed)).is_ok() {
                pushed += 1;
            }
        }
        mine.extend(thief.join().unwrap());
        drain(&local, &mut mine);
        assert_each_once(mine, pushed);
    });
}

#[test]
fn owner_against_two_thieves() {
    check(Some(PREEMPTIONS), || {
        let local = Local::new();
        for item in 0..3 {
            local.push(Box::new(item)).unwrap();
        }
        let thieves = [local.stealer(), local.stealer()].map(|victim| thread::spawn(move || steal(&victim)));
        let mut mine = Vec::new();
        mine.extend(local.pop().map(|item| *item));
        local.push(Box::new(3)).unwrap();
        for thief in thieves {
            mine.extend(thief.join().unwrap());
        }
        drain(&local, &mut mine);
        assert_each_once(mine, 4);
    });
}

// In the next two, the thread that may only *load* a head (a push, the room of a thief) is started
// last: loom tries an access before the latest one it conflicts with, not before an older load.

#[test]
fn a_second_thief_does_not_free_the_firsts_slots() {
    check(Some(PREEMPTIONS), || {
        let local = Local::new();
        for item in 0..4 {
            local.push(Box::new(item)).unwrap();
        }
        let (first, second) = (local.stealer(), local.stealer());
        let second = thread::spawn(move || steal(&second));
        let owner = thread::spawn(move || {
            let mut pushed = 4;
            for _ in 0..3 {
                pushed += u32::from(local.push(Box::new(pushed)).is_ok());
            }
            (local, pushed)
        });
        let mut got = steal(&first);
        got.extend(second.join().unwrap());
        let (local, pushed) = owner.join().unwrap();
        drain(&local, &mut got);
        assert_each_once(got, pushed);
    });
}

#[test]
fn a_thiefs_own_full_ring_is_robbed_meanwhile() {
    check(None, || {
        let (victim, mine) = (Local::new(), Local::new());
        for item in 0..4 {
            victim.push(Box::new(item)).unwrap();
            mine.push(Box::new(item + 4)).unwrap();
        }
        let from_mine = mine.stealer();
        let thief = thread::spawn(move || {
            let mut got = Vec::new();
            got.extend(victim.stealer().steal_into(&mine).map(|item| *item));
            drain(&mine, &mut got);
            drain(&victim, &mut got);
            got
        });
        let mut got = steal(&from_mine);
        got.extend(thief.join().unwrap());
        assert_each_once(got, 8);
    });
}

#[test]
fn a_thief_is_robbed_of_what_it_stole() {
    check(Some(PREEMPTIONS), || {
        let (first, second) = (Local::new(), Local::new());
        for item in 0..4 {
            first.push(Box::new(item)).unwrap();
        }
        let (from_first, from_second) = (first.stealer(), second.stealer());
        let middle = thread::spawn(move || {
            let mut got: Vec<u32> = Vec::new();
            got.extend(from_first.steal_into(&second).map(|item| *item));
            got.extend(second.pop().map(|item| *item));
            (got, second)
        });
        let last = thread::spawn(move || steal(&from_second));
        let mut got = Vec::new();
        drain(&first, &mut got);
        got.extend(last.join().unwrap());
        let (stolen, second) = middle.join().unwrap();
        got.extend(stolen);
        drain(&second, &mut got);
        assert_each_once(got, 4);
    });
}

#[test]
fn overflow_against_a_thief() {
    check(None, || {
        let local = Local::new();
        let overflow = Injector::new();
        for item in 0..4 {
            local.push(Box::new(item)).unwrap();
        }
        let victim = local.stealer();
        let thief = thread::spawn(move || steal(&victim));
        for item in 4..6 {
            local.push_or_overflow(Box::new(item), &overflow);
        }
        let mut got = thief.join().unwrap();
        drain(&local, &mut got);
        while let Some(item) = overflow.pop() {
            got.push(*item);
        }
        assert_each_once(got, 6);
    });
}

#[test]
fn two_owners_steal_from_each_other() {
    check(None, || {
        let (left, right) = (Local::new(), Local::new());
        for item in 0..2 {
            left.push(Box::new(item)).unwrap();
            right.push(Box::new(item + 2)).unwrap();
        }
        let (from_left, from_right) = (left.stealer(), right.stealer());
        let other = thread::spawn(move || {
            let mut got: Vec<u32> = from_left.steal_into(&right).map(|i| *i).into_iter().collect();
            drain(&right, &mut got);
            got
        });
        let mut got: Vec<u32> = from_right.steal_into(&left).map(|i| *i).into_iter().collect();
        drain(&left, &mut got);
        got.extend(other.join().unwrap());
        assert_each_once(got, 4);
    });
}

#[test]
fn the_local_goes_while_a_thief_copies() {
    check(None, || {
        // Loom reports an `Arc` that is never dropped, and one that is dropped twice.
        let item = Arc::new(());
        let local = Local::new();
        for _ in 0..4 {
            local.push(Arc::clone(&item)).unwrap();
        }
        let victim = local.stealer();
        let thief = thread::spawn(move || {
            let mine = Local::new();
            drop(victim.steal_into(&mine));
        });
        drop(local);
        thief.join().unwrap();
        assert_eq!(Arc::strong_count(&item), 1);
    });
}

#[test]
fn injector_batches_against_pops() {
    check(None, || {
        let queue = Arc::new(Injector::new());
        let producer = thread::spawn({
            let queue = Arc::clone(&queue);
            move || {
                queue.push(Box::new(0));
                queue.push_batch((1..3).map(Box::new));
            }
        });
        let mine = Local::new();
        let mut got: Vec<u32> = queue.pop_batch_into(&mine, 2).map(|i| *i).into_iter().collect();
        got.extend(queue.pop().map(|item| *item));
        producer.join().unwrap();
        assert_eq!(queue.len() + mine.len() + got.len(), 3);
        while let Some(item) = queue.pop() {
            got.push(*item);
        }
        drain(&mine, &mut got);
        assert_each_once(got, 3);
    });
}

/// Workers that look for one item each, and sleep as the scheduler's do; loom tells of one that sleeps for
/// ever, since then nobody can go on.
struct Crew {
    idle: Idle,
    queue: Injector<Item>,
    beds: Vec<(Mutex<bool>, Condvar)>,
}

impl Crew {
    fn new(workers: usize) -> Arc<Self> {
        let beds = (0..workers).map(|_| (Mutex::new(false), Condvar::new())).collect();
        Arc::new(Crew { idle: Idle::new(), queue: Injector::new(), beds })
    }

    fn push(&self, item: u32) {
        self.queue.push(Box::new(item));
        self.notify();
    }

    fn notify(&self) {
        if let Some(worker) = self.idle.worker_to_notify() {
            let (token, bell) = &self.beds[worker];
            *token.lock().unwrap() = true;
            bell.notify_one();
        }
    }

    fn park(&self, index: usize) {
        let (token, bell) = &self.beds[index];
        let mut token = token.lock().unwrap();
        while !*token {
            token = bell.wait(token).unwrap();
        }
        *token = false;
    }

    /// Takes an item; then it is in a poll that does not end.
    fn work(&self, index: usize) -> u32 {
        self.idle.begin_search();
        loop {
            if let Some(item) = self.queue.pop() {
                if self.idle.end_search() && !self.queue.is_empty() {
                    self.notify();
                }
                return *item;
            }
            self.idle.begin_sleep(index, true);
            if self.queue.is_empty() {
                self.park(index);
            }
            if !self.idle.end_sleep(index) {
                self.idle.begin_search();
            }
        }
    }
}

#[test]
fn no_worker_sleeps_while_there_is_an_item() {
    check(None, || {
        let crew = Crew::new(1);
        let pushing = thread::spawn({
            let crew = Arc::clone(&crew);
            move || crew.push(0)
        });
        assert_eq!(crew.work(0), 0);
        pushing.join().unwrap();
        assert_eq!(crew.idle.sleeping(), 0);
    });
}

#[test]
fn who_finds_one_of_several_wakes_another() {
    check(Some(2), || {
        let crew = Crew::new(2);
        let other = thread::spawn({
            let crew = Arc::clone(&crew);
            move || crew.work(1)
        });
        let pushing = thread::spawn({
            let crew = Arc::clone(&crew);
            move || {
                crew.push(0);
                crew.push(1);
            }
        });
        let mine = crew.work(0);
        pushing.join().unwrap();
        assert_each_once(vec![mine, other.join().unwrap()], 2);
    });
}
