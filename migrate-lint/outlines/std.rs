//! An outline of the standard library: the types and signatures through which
//! values of interest pass. Bodies are empty; nothing here is compiled.

pub use std__system::{env, fs, io, net, process, sync, thread, time};

pub mod prelude {
    pub use crate::boxed::Box;
    pub use crate::future::{Future, IntoFuture};
    pub use crate::iter::{Extend, FromIterator, IntoIterator, Iterator};
    pub use crate::mem::drop;
    pub use crate::ops::{Drop, Fn, FnMut, FnOnce};
    pub use crate::option::Option::{self, None, Some};
    pub use crate::result::Result::{self, Err, Ok};
    pub use crate::string::{String, ToString};
    pub use crate::vec::Vec;
    pub use crate::clone::Clone;
    pub use crate::convert::{AsMut, AsRef, From, Into};
    pub use crate::default::Default;
    pub mod v1 {
        pub use super::*;
    }
}

pub mod clone {
    pub trait Clone {
        fn clone(&self) -> Self {}
    }
}
pub mod convert {
    pub trait AsRef<T> {
        fn as_ref(&self) -> &T {}
    }
    pub trait AsMut<T> {
        fn as_mut(&mut self) -> &mut T {}
    }
    pub trait From<T> {
        fn from(value: T) -> Self {}
    }
    pub trait Into<T> {
        fn into(self) -> T {}
    }
}
pub mod default {
    pub trait Default {
        fn default() -> Self {}
    }
}

pub mod option {
    pub enum Option<T> {
        None,
        Some(T),
    }
    impl<T> Option<T> {
        pub fn unwrap(self) -> T {}
        pub fn expect(self, m: &str) -> T {}
        pub fn unwrap_or(self, d: T) -> T {}
        pub fn unwrap_or_else<F: FnOnce() -> T>(self, f: F) -> T {}
        pub fn unwrap_or_default(self) -> T {}
        pub fn as_ref(&self) -> Option<&T> {}
        pub fn as_mut(&mut self) -> Option<&mut T> {}
        pub fn as_deref(&self) -> Option<&T> {}
        pub fn as_deref_mut(&mut self) -> Option<&mut T> {}
        pub fn take(&mut self) -> Option<T> {}
        pub fn replace(&mut self, v: T) -> Option<T> {}
        pub fn insert(&mut self, v: T) -> &mut T {}
        pub fn get_or_insert(&mut self, v: T) -> &mut T {}
        pub fn get_or_insert_with<F: FnOnce() -> T>(&mut self, f: F) -> &mut T {}
        pub fn cloned(self) -> Option<T> {}
        pub fn copied(self) -> Option<T> {}
        pub fn clone(&self) -> Option<T> {}
        pub fn map<U, F: FnOnce(T) -> U>(self, f: F) -> Option<U> {}
        pub fn and_then<U, F: FnOnce(T) -> Option<U>>(self, f: F) -> Option<U> {}
        pub fn or(self, o: Option<T>) -> Option<T> {}
        pub fn or_else<F: FnOnce() -> Option<T>>(self, f: F) -> Option<T> {}
        pub fn filter<F: FnOnce(&T) -> bool>(self, f: F) -> Option<T> {}
        pub fn ok_or<E>(self, e: E) -> crate::result::Result<T, E> {}
        pub fn ok_or_else<E, F: FnOnce() -> E>(self, f: F) -> crate::result::Result<T, E> {}
        pub fn zip<U>(self, o: Option<U>) -> Option<(T, U)> {}
        pub fn iter(&self) -> crate::slice::Iter<T> {}
        pub fn is_some(&self) -> bool {}
        pub fn is_none(&self) -> bool {}
        pub fn is_some_and<F: FnOnce(T) -> bool>(self, f: F) -> bool {}
    }
    impl<T> crate::iter::IntoIterator for Option<T> {
        type Item = T;
    }
}

pub mod result {
    pub enum Result<T, E> {
        Ok(T),
        Err(E),
    }
    impl<T, E> Result<T, E> {
        pub fn unwrap(self) -> T {}
        pub fn expect(self, m: &str) -> T {}
        pub fn unwrap_or(self, d: T) -> T {}
        pub fn unwrap_or_else<F: FnOnce(E) -> T>(self, f: F) -> T {}
        pub fn unwrap_or_default(self) -> T {}
        pub fn unwrap_err(self) -> E {}
        pub fn expect_err(self, m: &str) -> E {}
        pub fn ok(self) -> crate::option::Option<T> {}
        pub fn err(self) -> crate::option::Option<E> {}
        pub fn as_ref(&self) -> Result<&T, &E> {}
        pub fn as_mut(&mut self) -> Result<&mut T, &mut E> {}
        pub fn map<U, F: FnOnce(T) -> U>(self, f: F) -> Result<U, E> {}
        pub fn map_err<U, F: FnOnce(E) -> U>(self, f: F) -> Result<T, U> {}
        pub fn and_then<U, F: FnOnce(T) -> Result<U, E>>(self, f: F) -> Result<U, E> {}
        pub fn or_else<U, F: FnOnce(E) -> Result<T, U>>(self, f: F) -> Result<T, U> {}
        pub fn inspect_err<F: FnOnce(&E)>(self, f: F) -> Result<T, E> {}
        pub fn is_ok(&self) -> bool {}
        pub fn is_err(&self) -> bool {}
    }
}

pub mod boxed {
    pub struct Box<T> {
        value: T,
    }
    impl<T> Box<T> {
        pub fn new(value: T) -> Box<T> {}
        pub fn pin(value: T) -> crate::pin::Pin<Box<T>> {}
        pub fn leak(b: Box<T>) -> &mut T {}
    }
    impl<T> crate::ops::Deref for Box<T> {
        type Target = T;
    }
}
pub mod rc {
    pub struct Rc<T> {
        value: T,
    }
    impl<T> Rc<T> {
        pub fn new(value: T) -> Rc<T> {}
        pub fn clone(&self) -> Rc<T> {}
        pub fn downgrade(this: &Rc<T>) -> Weak<T> {}
    }
    impl<T> crate::ops::Deref for Rc<T> {
        type Target = T;
    }
    pub struct Weak<T> {
        value: T,
    }
    impl<T> Weak<T> {
        pub fn upgrade(&self) -> crate::option::Option<Rc<T>> {}
    }
}
pub mod pin {
    pub struct Pin<P> {
        pointer: P,
    }
    impl<P> Pin<P> {
        pub fn new(pointer: P) -> Pin<P> {}
        pub fn get_mut(self) -> P {}
        pub fn as_mut(&mut self) -> Pin<P> {}
        pub fn into_inner(this: Pin<P>) -> P {}
    }
    impl<P> crate::ops::Deref for Pin<P> {
        type Target = P;
    }
}
pub mod borrow {
    pub enum Cow<T> {
        Borrowed(T),
        Owned(T),
    }
}

pub mod ops {
    pub trait Deref {
        fn deref(&self) -> &Self::Target {}
    }
    pub trait DerefMut {
        fn deref_mut(&mut self) -> &mut Self::Target {}
    }
    pub trait Drop {
        fn drop(&mut self) {}
    }
    pub trait FnOnce<A> {}
    pub trait FnMut<A> {}
    pub trait Fn<A> {}
    pub trait AsyncFnOnce<A> {}
    pub trait AsyncFnMut<A> {}
    pub trait AsyncFn<A> {}
}

pub mod future {
    pub trait Future {
        fn poll(self: Pin<&mut Self>, cx: &mut crate::task::Context) -> crate::task::Poll<Self::Output> {}
    }
    pub trait IntoFuture {
        fn into_future(self) -> Self::IntoFuture {}
    }
    pub fn ready<T>(value: T) -> impl Future<Output = T> {}
    pub fn pending<T>() -> impl Future<Output = T> {}
    pub fn poll_fn<T, F: FnMut(&mut crate::task::Context) -> crate::task::Poll<T>>(
        f: F,
    ) -> impl Future<Output = T> {
    }
}
pub mod task {
    pub struct Context {}
    impl Context {
        pub fn waker(&self) -> &Waker {}
    }
    pub struct Waker {}
    impl Waker {
        pub fn wake(self) {}
        pub fn wake_by_ref(&self) {}
        pub fn clone(&self) -> Waker {}
    }
    pub enum Poll<T> {
        Ready(T),
        Pending,
    }
}

pub mod iter {
    pub trait IntoIterator {}
    pub trait FromIterator<T> {}
    pub trait Extend<T> {
        fn extend<I>(&mut self, iter: I) {}
    }
    pub trait Iterator {
        fn next(&mut self) -> crate::option::Option<Self::Item> {}
        fn map<U, F: FnMut(Self::Item) -> U>(self, f: F) -> Map<U> {}
        fn filter<F: FnMut(&Self::Item) -> bool>(self, f: F) -> Map<Self::Item> {}
        fn filter_map<U, F: FnMut(Self::Item) -> crate::option::Option<U>>(self, f: F) -> Map<U> {}
        fn for_each<F: FnMut(Self::Item)>(self, f: F) {}
        fn enumerate(self) -> Map<(usize, Self::Item)> {}
        fn rev(self) -> Map<Self::Item> {}
        fn skip(self, n: usize) -> Map<Self::Item> {}
        fn take(self, n: usize) -> Map<Self::Item> {}
        fn cloned(self) -> Map<Self::Item> {}
        fn copied(self) -> Map<Self::Item> {}
        fn last(self) -> crate::option::Option<Self::Item> {}
        fn nth(&mut self, n: usize) -> crate::option::Option<Self::Item> {}
        fn find<F: FnMut(&Self::Item) -> bool>(&mut self, f: F) -> crate::option::Option<Self::Item> {}
        fn peekable(self) -> Map<Self::Item> {}
        fn chain<I>(self, other: I) -> Map<Self::Item> {}
        fn zip<I>(self, other: I) -> Map<(Self::Item, I::Item)> {}
        fn into_iter(self) -> Map<Self::Item> {}
    }
    pub struct Map<T> {
        item: T,
    }
    impl<T> Iterator for Map<T> {
        type Item = T;
    }
    pub fn repeat<T>(value: T) -> Map<T> {}
    pub fn once<T>(value: T) -> Map<T> {}
}

pub mod slice {
    pub struct Iter<T> {
        item: T,
    }
    impl<T> crate::iter::Iterator for Iter<T> {
        type Item = &T;
    }
}

pub mod vec {
    pub struct Vec<T> {
        item: T,
    }
    impl<T> Vec<T> {
        pub fn new() -> Vec<T> {}
        pub fn with_capacity(n: usize) -> Vec<T> {}
        pub fn push(&mut self, v: T) {}
        pub fn pop(&mut self) -> crate::option::Option<T> {}
        pub fn remove(&mut self, i: usize) -> T {}
        pub fn swap_remove(&mut self, i: usize) -> T {}
        pub fn insert(&mut self, i: usize, v: T) {}
        pub fn drain<R>(&mut self, r: R) -> crate::iter::Map<T> {}
        pub fn iter(&self) -> crate::slice::Iter<T> {}
        pub fn iter_mut(&mut self) -> crate::slice::Iter<T> {}
        pub fn into_iter(self) -> crate::iter::Map<T> {}
        pub fn first(&self) -> crate::option::Option<&T> {}
        pub fn last(&self) -> crate::option::Option<&T> {}
        pub fn last_mut(&mut self) -> crate::option::Option<&mut T> {}
        pub fn first_mut(&mut self) -> crate::option::Option<&mut T> {}
        pub fn get(&self, i: usize) -> crate::option::Option<&T> {}
        pub fn get_mut(&mut self, i: usize) -> crate::option::Option<&mut T> {}
        pub fn clone(&self) -> Vec<T> {}
        pub fn len(&self) -> usize {}
        pub fn is_empty(&self) -> bool {}
    }
    impl<T> crate::iter::IntoIterator for Vec<T> {
        type Item = T;
    }
}

pub mod collections {
    pub use self::hash_map::HashMap;
    pub struct VecDeque<T> {
        item: T,
    }
    impl<T> VecDeque<T> {
        pub fn new() -> VecDeque<T> {}
        pub fn with_capacity(n: usize) -> VecDeque<T> {}
        pub fn push_back(&mut self, v: T) {}
        pub fn push_front(&mut self, v: T) {}
        pub fn pop_front(&mut self) -> crate::option::Option<T> {}
        pub fn pop_back(&mut self) -> crate::option::Option<T> {}
        pub fn drain<R>(&mut self, r: R) -> crate::iter::Map<T> {}
        pub fn iter(&self) -> crate::slice::Iter<T> {}
        pub fn iter_mut(&mut self) -> crate::slice::Iter<T> {}
        pub fn front(&self) -> crate::option::Option<&T> {}
        pub fn back(&self) -> crate::option::Option<&T> {}
        pub fn get(&self, i: usize) -> crate::option::Option<&T> {}
        pub fn get_mut(&mut self, i: usize) -> crate::option::Option<&mut T> {}
    }
    impl<T> crate::iter::IntoIterator for VecDeque<T> {
        type Item = T;
    }
    pub mod hash_map {
        pub struct HashMap<K, V> {
            key: K,
            value: V,
        }
        impl<K, V> HashMap<K, V> {
            pub fn new() -> HashMap<K, V> {}
            pub fn with_capacity(n: usize) -> HashMap<K, V> {}
            pub fn insert(&mut self, k: K, v: V) -> crate::option::Option<V> {}
            pub fn remove(&mut self, k: &K) -> crate::option::Option<V> {}
            pub fn get(&self, k: &K) -> crate::option::Option<&V> {}
            pub fn get_mut(&mut self, k: &K) -> crate::option::Option<&mut V> {}
            pub fn values(&self) -> crate::iter::Map<&V> {}
            pub fn values_mut(&mut self) -> crate::iter::Map<&mut V> {}
            pub fn into_values(self) -> crate::iter::Map<V> {}
            pub fn keys(&self) -> crate::iter::Map<&K> {}
            pub fn iter(&self) -> crate::iter::Map<(&K, &V)> {}
            pub fn iter_mut(&mut self) -> crate::iter::Map<(&K, &mut V)> {}
            pub fn drain(&mut self) -> crate::iter::Map<(K, V)> {}
            pub fn entry(&mut self, k: K) -> Entry<V> {}
        }
        impl<K, V> crate::iter::IntoIterator for HashMap<K, V> {
            type Item = (K, V);
        }
        pub enum Entry<V> {
            Occupied(OccupiedEntry<V>),
            Vacant(VacantEntry<V>),
        }
        impl<V> Entry<V> {
            pub fn or_insert(self, v: V) -> &mut V {}
            pub fn or_insert_with<F: FnOnce() -> V>(self, f: F) -> &mut V {}
            pub fn or_default(self) -> &mut V {}
        }
        pub struct OccupiedEntry<V> {
            value: V,
        }
        impl<V> OccupiedEntry<V> {
            pub fn get(&self) -> &V {}
            pub fn get_mut(&mut self) -> &mut V {}
            pub fn remove(self) -> V {}
        }
        pub struct VacantEntry<V> {
            value: V,
        }
        impl<V> VacantEntry<V> {
            pub fn insert(self, v: V) -> &mut V {}
        }
    }
    pub struct BTreeMap<K, V> {
        key: K,
        value: V,
    }
    impl<K, V> BTreeMap<K, V> {
        pub fn new() -> BTreeMap<K, V> {}
        pub fn insert(&mut self, k: K, v: V) -> crate::option::Option<V> {}
        pub fn remove(&mut self, k: &K) -> crate::option::Option<V> {}
        pub fn get(&self, k: &K) -> crate::option::Option<&V> {}
        pub fn get_mut(&mut self, k: &K) -> crate::option::Option<&mut V> {}
        pub fn values(&self) -> crate::iter::Map<&V> {}
        pub fn values_mut(&mut self) -> crate::iter::Map<&mut V> {}
        pub fn iter(&self) -> crate::iter::Map<(&K, &V)> {}
    }
    impl<K, V> crate::iter::IntoIterator for BTreeMap<K, V> {
        type Item = (K, V);
    }
    pub struct HashSet<T> {
        item: T,
    }
    impl<T> HashSet<T> {
        pub fn new() -> HashSet<T> {}
        pub fn iter(&self) -> crate::slice::Iter<T> {}
    }
    impl<T> crate::iter::IntoIterator for HashSet<T> {
        type Item = T;
    }
}

pub mod cell {
    pub struct RefCell<T> {
        value: T,
    }
    impl<T> RefCell<T> {
        pub fn new(v: T) -> RefCell<T> {}
        pub fn borrow(&self) -> Ref<T> {}
        pub fn borrow_mut(&self) -> RefMut<T> {}
        pub fn take(&self) -> T {}
        pub fn replace(&self, v: T) -> T {}
    }
    pub struct Ref<T> {
        value: T,
    }
    impl<T> crate::ops::Deref for Ref<T> {
        type Target = T;
    }
    pub struct RefMut<T> {
        value: T,
    }
    impl<T> crate::ops::Deref for RefMut<T> {
        type Target = T;
    }
    pub struct Cell<T> {
        value: T,
    }
    impl<T> Cell<T> {
        pub fn new(v: T) -> Cell<T> {}
        pub fn get(&self) -> T {}
        pub fn take(&self) -> T {}
        pub fn set(&self, v: T) {}
    }
    pub struct OnceCell<T> {
        value: T,
    }
    impl<T> OnceCell<T> {
        pub fn new() -> OnceCell<T> {}
        pub fn get(&self) -> crate::option::Option<&T> {}
        pub fn get_or_init<F: FnOnce() -> T>(&self, f: F) -> &T {}
        pub fn set(&self, v: T) -> crate::result::Result<(), T> {}
    }
    pub struct LazyCell<T> {
        value: T,
    }
    impl<T> crate::ops::Deref for LazyCell<T> {
        type Target = T;
    }
}

pub mod mem {
    pub fn drop<T>(value: T) {}
    pub fn forget<T>(value: T) {}
    pub fn take<T>(place: &mut T) -> T {}
    pub fn replace<T>(place: &mut T, value: T) -> T {}
    pub struct ManuallyDrop<T> {
        value: T,
    }
    impl<T> ManuallyDrop<T> {
        pub fn new(value: T) -> ManuallyDrop<T> {}
    }
    impl<T> crate::ops::Deref for ManuallyDrop<T> {
        type Target = T;
    }
}

pub mod string {
    pub struct String {}
    impl String {
        pub fn new() -> String {}
        pub fn clone(&self) -> String {}
    }
    pub trait ToString {
        fn to_string(&self) -> String {}
    }
}
