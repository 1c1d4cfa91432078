//! An outline of futures. Nothing here is compiled.

pub use future::{Future, FutureExt, TryFutureExt};
pub use sink::{Sink, SinkExt};
pub use stream::{Stream, StreamExt, TryStreamExt};

pub mod prelude {
    pub use crate::{Future, FutureExt, Sink, SinkExt, Stream, StreamExt, TryFutureExt, TryStreamExt};
    pub use crate::io::{AsyncReadExt, AsyncWriteExt};
}
pub mod executor {
    pub fn block_on<F: Future>(f: F) -> F::Output {}
}
pub mod future {
    pub use std::future::Future;
    pub fn ready<T>(v: T) -> impl Future<Output = T> {}
    pub fn pending<T>() -> impl Future<Output = T> {}
    pub fn join_all<I>(i: I) -> impl Future<Output = Vec<()>> {}
    pub fn try_join_all<I>(i: I) -> impl Future<Output = Vec<()>> {}
    pub fn select_all<I>(i: I) -> impl Future<Output = ()> {}
    pub fn select_ok<I>(i: I) -> impl Future<Output = ()> {}
    pub fn select<A, B>(a: A, b: B) -> impl Future<Output = ()> {}
    pub fn try_select<A, B>(a: A, b: B) -> impl Future<Output = ()> {}
    pub fn join<A: Future, B: Future>(a: A, b: B) -> impl Future<Output = (A::Output, B::Output)> {}
    pub fn try_join<A, B>(a: A, b: B) -> impl Future<Output = ()> {}
    pub fn abortable<F: Future>(f: F) -> (Abortable<F>, AbortHandle) {}
    pub struct Abortable<F> {
        future: F,
    }
    pub struct AbortHandle {}
    impl AbortHandle {
        pub fn abort(&self) {}
    }
    pub type BoxFuture<T> = std::pin::Pin<std::boxed::Box<dyn Future<Output = T>>>;
    pub type LocalBoxFuture<T> = std::pin::Pin<std::boxed::Box<dyn Future<Output = T>>>;
    pub trait FutureExt {
        fn now_or_never(self) -> Option<Self::Output> {}
        fn boxed(self) -> BoxFuture<Self::Output> {}
    }
    pub trait TryFutureExt {}
}
pub mod stream {
    pub trait Stream {}
    pub trait StreamExt {
        async fn next(&mut self) -> Option<Self::Item> {}
    }
    pub trait TryStreamExt {}
    pub struct FuturesUnordered<T> {
        future: T,
    }
    impl<T> FuturesUnordered<T> {
        pub fn new() -> FuturesUnordered<T> {}
        pub fn push(&self, f: T) {}
    }
    pub struct FuturesOrdered<T> {
        future: T,
    }
    impl<T> FuturesOrdered<T> {
        pub fn new() -> FuturesOrdered<T> {}
        pub fn push_back(&mut self, f: T) {}
    }
}
pub mod sink {
    pub trait Sink<T> {}
    pub trait SinkExt<T> {
        async fn send(&mut self, v: T) -> Result<(), ()> {}
        async fn send_all<S>(&mut self, s: &mut S) -> Result<(), ()> {}
        async fn feed(&mut self, v: T) -> Result<(), ()> {}
        async fn flush(&mut self) -> Result<(), ()> {}
        async fn close(&mut self) -> Result<(), ()> {}
    }
}
pub mod channel {
    pub mod mpsc {
        pub fn unbounded<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {}
        pub struct UnboundedSender<T> {
            item: T,
        }
        pub struct UnboundedReceiver<T> {
            item: T,
        }
    }
}
pub mod lock {
    pub struct Mutex<T> {
        value: T,
    }
    impl<T> Mutex<T> {
        pub fn new(v: T) -> Mutex<T> {}
        pub async fn lock(&self) -> MutexGuard<T> {}
    }
    pub struct MutexGuard<T> {
        value: T,
    }
    impl<T> std::ops::Deref for MutexGuard<T> {
        type Target = T;
    }
}
pub mod io {
    pub trait AsyncReadExt {
        async fn read_exact(&mut self, b: &mut [u8]) -> std::io::Result<()> {}
    }
    pub trait AsyncWriteExt {
        async fn write_all(&mut self, b: &[u8]) -> std::io::Result<()> {}
        async fn flush(&mut self) -> std::io::Result<()> {}
    }
}
pub mod task {}
