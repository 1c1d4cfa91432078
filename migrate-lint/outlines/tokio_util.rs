//! An outline of tokio-util. Nothing here is compiled.

pub mod task {
    pub use task_tracker::TaskTracker;
    pub use join_map::JoinMap;
    pub mod task_tracker {
        pub struct TaskTracker {}
        impl TaskTracker {
            pub fn new() -> TaskTracker {}
            pub fn spawn<F: Future>(&self, f: F) -> tokio::task::JoinHandle<F::Output> {}
            pub fn spawn_on<F: Future>(
                &self,
                f: F,
                h: &tokio::runtime::Handle,
            ) -> tokio::task::JoinHandle<F::Output> {
            }
            pub fn spawn_local<F: Future>(&self, f: F) -> tokio::task::JoinHandle<F::Output> {}
            pub fn spawn_local_on<F: Future>(
                &self,
                f: F,
                l: &tokio::task::LocalSet,
            ) -> tokio::task::JoinHandle<F::Output> {
            }
            pub fn spawn_blocking<T, F: FnOnce() -> T>(&self, f: F) -> tokio::task::JoinHandle<T> {}
            pub fn spawn_blocking_on<T, F: FnOnce() -> T>(
                &self,
                f: F,
                h: &tokio::runtime::Handle,
            ) -> tokio::task::JoinHandle<T> {
            }
            pub fn track_future<F: Future>(&self, f: F) -> TrackedFuture<F> {}
            pub async fn wait(&self) {}
            pub fn close(&self) -> bool {}
            pub fn clone(&self) -> TaskTracker {}
            pub fn token(&self) -> TaskTrackerToken {}
        }
        pub struct TaskTrackerToken {}
        pub struct TrackedFuture<F> {
            future: F,
        }
    }
    pub mod join_map {
        pub struct JoinMap<K, V> {
            key: K,
            value: V,
        }
        impl<K, V> JoinMap<K, V> {
            pub fn new() -> JoinMap<K, V> {}
            pub fn spawn<F: Future>(&mut self, k: K, f: F) {}
            pub fn spawn_on<F: Future>(&mut self, k: K, f: F, h: &tokio::runtime::Handle) {}
            pub fn spawn_local<F: Future>(&mut self, k: K, f: F) {}
            pub fn spawn_local_on<F: Future>(&mut self, k: K, f: F, l: &tokio::task::LocalSet) {}
            pub fn spawn_blocking<F: FnOnce() -> V>(&mut self, k: K, f: F) {}
            pub fn spawn_blocking_on<F: FnOnce() -> V>(&mut self, k: K, f: F, h: &tokio::runtime::Handle) {}
            pub async fn join_next(&mut self) -> Option<(K, Result<V, tokio::task::JoinError>)> {}
        }
    }
    pub struct AbortOnDropHandle<T> {
        output: T,
    }
    impl<T> AbortOnDropHandle<T> {
        pub fn new(h: tokio::task::JoinHandle<T>) -> AbortOnDropHandle<T> {}
        pub fn abort(&self) {}
        pub fn detach(self) -> tokio::task::JoinHandle<T> {}
        pub fn is_finished(&self) -> bool {}
    }
    impl<T> std::future::Future for AbortOnDropHandle<T> {
        type Output = Result<T, tokio::task::JoinError>;
    }
    impl<T> std::ops::Drop for AbortOnDropHandle<T> {
        fn drop(&mut self) {
            self.abort();
        }
    }
    pub struct LocalPoolHandle {}
    impl LocalPoolHandle {
        pub fn new(n: usize) -> LocalPoolHandle {}
        pub fn spawn_pinned<F>(&self, f: F) -> tokio::task::JoinHandle<()> {}
        pub fn spawn_pinned_by_idx<F>(&self, f: F, n: usize) -> tokio::task::JoinHandle<()> {}
        pub fn clone(&self) -> LocalPoolHandle {}
    }
}

pub mod sync {
    pub struct CancellationToken {}
    impl CancellationToken {
        pub fn new() -> CancellationToken {}
        pub fn cancel(&self) {}
        pub async fn cancelled(&self) {}
        pub async fn cancelled_owned(self) {}
        pub fn is_cancelled(&self) -> bool {}
        pub fn child_token(&self) -> CancellationToken {}
        pub fn clone(&self) -> CancellationToken {}
        pub fn drop_guard(self) -> DropGuard {}
        pub async fn run_until_cancelled<F: Future>(&self, f: F) -> Option<F::Output> {}
    }
    pub struct DropGuard {}
}

pub mod codec {
    pub struct Framed<T, U> {
        stream: T,
        codec: U,
    }
    impl<T, U> Framed<T, U> {
        pub fn new(t: T, u: U) -> Framed<T, U> {}
        pub fn get_mut(&mut self) -> &mut T {}
    }
    pub struct FramedRead<T, U> {
        stream: T,
        codec: U,
    }
    impl<T, U> FramedRead<T, U> {
        pub fn new(t: T, u: U) -> FramedRead<T, U> {}
    }
    pub struct FramedWrite<T, U> {
        stream: T,
        codec: U,
    }
    impl<T, U> FramedWrite<T, U> {
        pub fn new(t: T, u: U) -> FramedWrite<T, U> {}
    }
}
