//! Things under keys that stay theirs, in as little memory as a list of them takes.
//!
//! A slab whose free places are listed apart: one that is taken has room for the thing and nothing else. That is
//! half of what it is where each place may hold the next free one instead, if the thing is a pointer.

use std::ops::Range;

/// A list whose places are used again.
pub(super) struct List<T> {
    places: Vec<Option<T>>,
    /// Each place that is free, the one that is taken next at the end.
    free: Vec<usize>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        List { places: Vec::new(), free: Vec::new() }
    }
}

impl<T> List<T> {
    /// Enters what `make` makes, under the key that it is given.
    #[inline]
    pub(super) fn enter(&mut self, make: impl FnOnce(usize) -> T) {
        match self.free.pop() {
            Some(key) => self.places[key] = Some(make(key)),
            None => {
                has_room(&mut self.places);
                self.places.push(Some(make(self.places.len())));
            }
        }
    }

    pub(super) fn get(&self, key: usize) -> Option<&T> {
        self.places.get(key)?.as_ref()
    }

    /// Strikes what is there, if it is the one.
    #[inline]
    pub(super) fn remove_if(&mut self, key: usize, is_it: impl FnOnce(&mut T) -> bool) -> Option<T> {
        let gone = self.places.get_mut(key)?.take_if(is_it)?;
        if key + 1 == self.places.len() {
            self.places.pop();
        } else {
            has_room(&mut self.free);
            self.free.push(key);
        }
        Some(gone)
    }

    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.places.iter().flatten()
    }

    /// Those under these keys.
    pub(super) fn part(&self, keys: Range<usize>) -> impl Iterator<Item = &T> {
        self.places.iter().take(keys.end).skip(keys.start).flatten()
    }

    /// All keys are below this one.
    pub(super) fn end(&self) -> usize {
        self.places.len()
    }
}

/// Of the few that most lists have none is moved for the next.
#[inline]
fn has_room<T>(list: &mut Vec<T>) {
    if list.capacity() == 0 {
        list.reserve(8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_under_its_key_until_it_goes() {
        let (mut list, mut random) = (List::<Box<u32>>::default(), fastrand::Rng::with_seed(7));
        let mut here: Vec<(usize, Box<u32>)> = Vec::new();
        for n in 0..10_000 {
            // Up to some hundred, and down again.
            if random.usize(..200) < here.len() {
                let (key, thing) = here.swap_remove(random.usize(..here.len()));
                assert_eq!(list.remove_if(key, |_| false), None);
                assert_eq!(list.remove_if(key, |here| **here == *thing), Some(thing));
                assert_eq!(list.remove_if(key, |_| true), None);
                assert_eq!(list.get(key), None);
            } else {
                list.enter(|key| {
                    here.push((key, Box::new(n)));
                    Box::new(n)
                });
            }
            assert_eq!((list.len(), list.is_empty()), (here.len(), here.is_empty()));
            assert!(list.end() <= 200 && here.iter().all(|(key, thing)| list.get(*key) == Some(thing)));
        }
        assert_eq!(list.iter().count(), here.len());
        let above = here.iter().filter(|(key, _)| *key >= 50).count();
        assert_eq!(list.part(50..usize::MAX).count(), above);
        assert_eq!(list.get(list.end()), None);
        assert_eq!(list.remove_if(usize::MAX, |_| true), None);
    }

    #[test]
    fn a_place_is_as_large_as_what_is_there() {
        assert_eq!(size_of::<Option<crate::host::TaskRef>>(), size_of::<usize>());
    }

    #[test]
    fn a_region_is_no_large_object() {
        // glibc keeps what is freed at hand for the thread up to this size, and gathers all small pieces together
        // before it gives out a larger one: a tenth of what a region costs.
        let counts = 2 * size_of::<usize>();
        // What observes steps is in tests alone: in the locks of the region and of its tasks.
        let observed = 2 * (size_of::<crate::lock::Mutex<u64>>() - size_of::<std::sync::Mutex<u64>>());
        assert!(size_of::<crate::region::Node>() - observed + counts <= 1032);
    }
}
