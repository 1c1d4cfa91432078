//! The wheel against a sorted map, and its edges one by one.

use super::*;
use std::collections::BTreeMap;

fn due(wheel: &mut Wheel<u64>, now_ns: u64) -> Vec<(u64, u64)> {
    let mut due = Vec::new();
    wheel.advance(now_ns, &mut due);
    due
}

/// Marsaglia's xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// Of any magnitude up to `2^bits`.
    fn scaled(&mut self, bits: u64) -> u64 {
        let shift = 64 - self.below(bits + 1).max(1);
        self.next() >> shift
    }
}

/// When the wheel yields an entry: its deadline rounded up; `None` for never.
fn fires_at(deadline: u64) -> Option<u64> {
    deadline.checked_next_multiple_of(TICK_NS)
}

/// The reference: entries sorted by deadline, then by order of insertion.
#[derive(Default)]
struct Model {
    entries: BTreeMap<(u64, u64), Key>,
    /// By order of insertion, of entries present and gone.
    keys: Vec<Key>,
    now: u64,
}

impl Model {
    fn advance(&mut self, now: u64) -> Vec<(u64, u64)> {
        self.now = self.now.max(now / TICK_NS * TICK_NS);
        let mut due = Vec::new();
        while let Some(entry) = self.entries.first_entry() {
            if fires_at(entry.key().0).is_none_or(|at| at > self.now) {
                break;
            }
            due.push(*entry.key());
            entry.remove();
        }
        due
    }

    fn next(&self) -> Option<u64> {
        let (&(deadline, _), _) = self.entries.first_key_value()?;
        Some(fires_at(deadline)?.max(self.now))
    }
}

/// `ops` random operations, with times of up to `2^bits` ns between them.
fn compare(seed: u64, ops: u32, bits: u64) {
    let mut random = Random(seed);
    let start = random.scaled(62);
    let mut wheel = Wheel::new(start);
    let mut model = Model { now: start / TICK_NS * TICK_NS, ..Model::default() };
    let mut gone = Vec::new();
    let mut cancelled = false; // since then `next_deadline` is a bound only
    for _ in 0..ops {
        match random.below(8) {
            0..=3 => {
                let deadline = match random.below(16) {
                    0 => model.now.saturating_sub(random.scaled(bits)),
                    1 => u64::MAX - random.scaled(bits),
                    _ => model.now.saturating_add(random.scaled(bits)),
                };
                let id = model.keys.len() as u64;
                let key = wheel.insert(deadline, id);
                model.entries.insert((deadline, id), key);
                model.keys.push(key);
            }
            4..=5 => {
                let from = (model.now.saturating_add(random.scaled(bits)), 0);
                let found = model.entries.range(from..).next();
                if let Some((&(deadline, id), &key)) = found {
                    assert_eq!(wheel.cancel(key), Some(id));
                    model.entries.remove(&(deadline, id));
                    gone.push(key);
                    cancelled = true;
                }
                if let Some(&key) = gone.get(random.below(gone.len() as u64 + 1) as usize) {
                    assert_eq!(wheel.cancel(key), None);
                }
            }
            kind => {
                let now = match wheel.next_deadline() {
                    Some(wake) if kind == 6 => wake,
                    _ => model.now.saturating_add(random.scaled(bits)),
                };
                let expected = model.advance(now);
                assert_eq!(due(&mut wheel, now), expected);
                gone.extend(expected.iter().map(|&(_, id)| model.keys[id as usize]));
            }
        }
        assert_eq!(wheel.len(), model.entries.len());
        cancelled &= !wheel.is_empty();
        match (wheel.next_deadline(), model.next()) {
            (bound, exact) if !cancelled => assert_eq!(bound, exact),
            (Some(bound), Some(exact)) => assert!(bound <= exact),
            (bound, exact) => assert_eq!(bound, exact),
        }
    }
    // Sleeping until each bound reaches every entry, in a bounded number of wake-ups.
    let mut wakes = 0;
    while let Some(wake) = wheel.next_deadline() {
        let expected = model.advance(wake);
        assert_eq!(due(&mut wheel, wake), expected);
        wakes += 1;
        assert!(wakes <= 8 * ops);
    }
    assert!(model.entries.keys().all(|&(deadline, _)| fires_at(deadline).is_none()));
}

#[test]
fn agrees_with_a_sorted_map() {
    for (seed, bits) in (1..).zip([12, 18, 24, 30, 36, 42, 50, 58, 63, 64]) {
        compare(seed, 10_000, bits);
    }
}

#[test]
fn never_early_and_at_most_a_tick_late() {
    for deadline in [1, TICK_NS - 1, TICK_NS, TICK_NS + 1, 1 << 40, (1 << 40) + 1] {
        let mut wheel = Wheel::new(0);
        wheel.insert(deadline, 7);
        let wake = wheel.next_deadline().unwrap();
        assert!((deadline..deadline + TICK_NS).contains(&wake), "{deadline}");
        assert_eq!(due(&mut wheel, wake - 1), []);
        assert_eq!(due(&mut wheel, wake), [(deadline, 7)]);
    }
}

#[test]
fn past_deadlines_fire_at_the_next_advance() {
    let start = 1 << 30;
    let mut wheel = Wheel::new(start);
    for deadline in [start, 5, 0, 5] {
        wheel.insert(deadline, wheel.len() as u64);
    }
    let cancelled = wheel.insert(3, 9);
    assert_eq!(wheel.next_deadline(), Some(start));
    assert_eq!(wheel.cancel(cancelled), Some(9));
    // Even if time stands still or runs backwards.
    assert_eq!(due(&mut wheel, 0), [(0, 2), (5, 1), (5, 3), (start, 0)]);
    assert_eq!(wheel.next_deadline(), None);
}

#[test]
fn the_end_of_time_is_never() {
    let mut wheel = Wheel::new(u64::MAX - 1);
    let never = wheel.insert(u64::MAX, 1);
    assert_eq!((wheel.len(), wheel.next_deadline()), (1, None));
    assert_eq!(due(&mut wheel, u64::MAX), []);
    assert_eq!((wheel.cancel(never), wheel.cancel(never)), (Some(1), None));
    assert!(wheel.is_empty());

    let last = u64::MAX / TICK_NS * TICK_NS;
    let mut wheel = Wheel::new(0);
    wheel.insert(last, 2);
    assert_eq!(wheel.next_deadline(), Some(last));
    assert_eq!(due(&mut wheel, u64::MAX), [(last, 2)]);
}

#[test]
fn a_lone_far_entry_takes_one_wake_up() {
    let mut wheel = Wheel::new(12_345);
    let day = 86_400_000_000_000;
    wheel.insert(400 * day, 1);
    let wake = wheel.next_deadline().unwrap();
    assert_eq!(due(&mut wheel, wake), [(400 * day, 1)]);
}

#[test]
fn one_leap_over_all_levels_yields_in_order() {
    let mut wheel = Wheel::new(0);
    let deadlines: Vec<u64> = (0..60).rev().map(|bit| 3 << bit).collect();
    for (id, &deadline) in (0..).zip(&deadlines) {
        wheel.insert(deadline, id);
    }
    let fired: Vec<u64> = due(&mut wheel, u64::MAX).iter().map(|entry| entry.0).collect();
    assert_eq!(fired, deadlines.into_iter().rev().collect::<Vec<_>>());
}

#[test]
fn a_cancelled_earliest_leaves_a_bound_that_corrects_itself() {
    let mut wheel = Wheel::new(0);
    let far = 1000 * TICK_NS;
    let earliest = wheel.insert(far, 1);
    wheel.insert(far + 5 * TICK_NS, 2);
    wheel.cancel(earliest);
    assert_eq!(wheel.next_deadline(), Some(far));
    assert_eq!(due(&mut wheel, far), []);
    assert_eq!(wheel.next_deadline(), Some(far + 5 * TICK_NS));
}

#[test]
fn values_are_freed_at_once_on_cancel_and_with_the_wheel() {
    let value = std::rc::Rc::new(());
    let mut wheel = Wheel::new(0);
    let keys = [1, 1 << 40, u64::MAX].map(|at| wheel.insert(at, value.clone()));
    drop(wheel.cancel(keys[1]));
    assert_eq!(std::rc::Rc::strong_count(&value), 3);
    drop(wheel);
    assert_eq!(std::rc::Rc::strong_count(&value), 1);
}
