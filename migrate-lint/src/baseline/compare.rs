//! Which findings are accepted ones.
//!
//! Each entry stands for one finding. In turn, a finding uses up an entry
//!
//! 1. that is the same in everything,
//! 2. that is the same but for the function around: it was edited in place,
//!    and for a rule of no less weight: it is better than it was, or no worse,
//! 3. whose function is the same, word for word, and stood elsewhere: it was
//!    moved or renamed,
//! 4. that is the same but for the file and the function's words: it was moved
//!    to another file, and edited.
//!
//! Something has moved only if it is no longer where it was: 3 and 4 take
//! entries only of items that are gone. So mending one function and writing
//! the same offence into another is a new finding, even in the same file. A
//! statement that moves into another function is one too, for nothing tells
//! it from that.

use super::{Entry, file_name};
use crate::rule::Level;
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

/// What became of findings and entries.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Comparison {
    /// For each finding, the entry it uses.
    pub uses: Vec<Option<usize>>,
    /// Entries that no finding uses.
    pub unused: Vec<usize>,
}

/// Compares what is found now with what was accepted. `is_there` tells whether
/// a file still has an item of this name, `level` how much a rule matters.
pub fn compare(
    now: &[Entry],
    accepted: &[Entry],
    is_there: &dyn Fn(&Path, &str) -> bool,
    level: &dyn Fn(&str) -> Option<Level>,
) -> Comparison {
    let mut uses = vec![None; now.len()];
    let mut free = vec![true; accepted.len()];
    pass(now, accepted, &mut uses, &mut free, |e| Some(e.clone()), |_| true);
    let in_place = |e: &Entry| Some((e.file.clone(), e.item.clone(), e.rule.clone(), e.identity.head));
    pass(now, accepted, &mut uses, &mut free, in_place, |_| true);
    // a task that nobody stops may now be one that ends, or be awaited after all
    for weight in [Level::Deny, Level::Warn, Level::Info] {
        let of_weight = |e: &Entry| {
            let same = (e.file.clone(), e.item.clone(), e.identity.head);
            level(&e.rule).filter(|level| *level >= weight).map(|_| same)
        };
        pass(now, accepted, &mut uses, &mut free, of_weight, |i| level(&accepted[i].rule) == Some(weight));
    }
    let is_gone: Vec<bool> = (accepted.iter().zip(&free))
        .map(|(entry, free)| *free && !is_there(&entry.file, &entry.item))
        .collect();
    let as_it_was = |e: &Entry| Some((e.rule.clone(), e.identity));
    pass(now, accepted, &mut uses, &mut free, as_it_was, |i| is_gone[i]);
    let by_name =
        |e: &Entry| (e.item != file_name("")).then(|| (e.item.clone(), e.rule.clone(), e.identity.head));
    pass(now, accepted, &mut uses, &mut free, by_name, |i| is_gone[i]);
    let unused = (0..accepted.len()).filter(|&i| free[i]).collect();
    Comparison { uses, unused }
}

/// Pairs what is left on both sides and has the same key, in order.
fn pass<K: Ord>(
    now: &[Entry],
    accepted: &[Entry],
    uses: &mut [Option<usize>],
    free: &mut [bool],
    key: impl Fn(&Entry) -> Option<K>,
    may: impl Fn(usize) -> bool,
) {
    let mut left: BTreeMap<K, VecDeque<usize>> = BTreeMap::new();
    for (i, entry) in accepted.iter().enumerate() {
        if free[i]
            && may(i)
            && let Some(key) = key(entry)
        {
            left.entry(key).or_default().push_back(i);
        }
    }
    for (found, used) in now.iter().zip(uses).filter(|(_, used)| used.is_none()) {
        let same = key(found).and_then(|key| left.get_mut(&key));
        if let Some(i) = same.and_then(VecDeque::pop_front) {
            *used = Some(i);
            free[i] = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identity;

    fn entry(file: &str, item: &str, head: u32, body: u32) -> Entry {
        Entry { file: file.into(), item: item.into(), rule: "r".into(), identity: Identity { head, body } }
    }

    fn level(rule: &str) -> Option<Level> {
        match rule {
            "heavy" => Some(Level::Deny),
            "r" | "s" => Some(Level::Warn),
            _ => None,
        }
    }

    fn of_rule(rule: &str, file: &str, item: &str, head: u32) -> Entry {
        Entry { rule: rule.into(), ..entry(file, item, head, 1) }
    }

    /// How many of `now` are new, and how many of `accepted` unused.
    fn left(now: &[Entry], accepted: &[Entry], there: &[(&str, &str)]) -> (usize, usize) {
        let is_there =
            |file: &Path, item: &str| there.iter().any(|(f, i)| file == Path::new(f) && item == *i);
        let found = compare(now, accepted, &is_there, &level);
        (found.uses.iter().filter(|used| used.is_none()).count(), found.unused.len())
    }

    #[test]
    fn the_same_and_edited_in_place() {
        let old = [entry("a", "f", 1, 1), entry("a", "f", 1, 2)];
        assert_eq!(left(&old, &old, &[("a", "f")]), (0, 0));
        assert_eq!(left(&[entry("a", "f", 1, 9)], &old, &[("a", "f")]), (0, 1));
        let three = [entry("a", "f", 1, 1), entry("a", "f", 1, 1), entry("a", "f", 1, 1)];
        assert_eq!(left(&three, &old, &[("a", "f")]), (1, 0));
    }

    #[test]
    fn the_same_place_under_another_rule_only_if_it_is_no_worse() {
        let one = |from: &str, to: &str| {
            left(&[of_rule(to, "a", "f", 1)], &[of_rule(from, "a", "f", 1)], &[("a", "f")]).0
        };
        assert_eq!((one("heavy", "r"), one("r", "s"), one("r", "heavy")), (0, 0, 1));
        assert_eq!((one("gone", "r"), one("heavy", "gone")), (1, 1));
        let elsewhere = [of_rule("r", "a", "g", 1), of_rule("r", "b", "f", 1), of_rule("r", "a", "f", 2)];
        assert_eq!(left(&elsewhere, &[of_rule("heavy", "a", "f", 1)], &[("a", "f")]), (3, 1));
    }

    #[test]
    fn moved_or_renamed_only_if_gone() {
        let old = [entry("a", "f", 1, 1)];
        for moved in
            [entry("a", "g", 1, 1), entry("b", "f", 1, 1), entry("b", "m.g", 1, 1), entry("b", "f", 1, 9)]
        {
            assert_eq!(left(std::slice::from_ref(&moved), &old, &[]), (0, 0), "{moved:?}");
            assert_eq!(left(&[moved], &old, &[("a", "f")]), (1, 1));
        }
        assert_eq!(
            left(&[entry("a", "g", 1, 9)], &old, &[]),
            (1, 1),
            "another function, and not the same words"
        );
    }

    #[test]
    fn a_fix_does_not_pay_for_a_new_offence() {
        assert_eq!(
            left(&[entry("a", "g", 1, 1)], &[entry("a", "f", 1, 1)], &[("a", "f"), ("a", "g")]),
            (1, 1)
        );
        assert_eq!(left(&[entry("a", "f", 2, 1)], &[entry("a", "f", 1, 1)], &[("a", "f")]), (1, 1));
    }

    #[test]
    fn exact_entries_are_used_first() {
        let old = [entry("a", "f", 1, 1), entry("a", "f", 1, 2)];
        let found = compare(&[entry("a", "f", 1, 2), entry("a", "f", 1, 3)], &old, &|_, _| true, &level);
        assert_eq!(found.uses, [Some(1), Some(0)]);
    }
}
