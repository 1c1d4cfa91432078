//! The runtimes that are compared, each in its best configuration for two cores.
//!
//! | peer | what |
//! |---|---|
//! | `ours` | this runtime, 2 workers |
//! | `tokio` | Tokio, multi-thread, 2 workers |
//! | `tokio-ct` | Tokio, current-thread |
//! | `smol` | async-executor's `Executor` on 2 threads, async-io |
//! | `smol-static` | its `StaticExecutor`, likewise |
//! | `kanal`, `flume` | these channels, on Tokio multi-thread |
//! | `monoio`, `compio`, `glommio` | these, on one thread, with io_uring; see [`apart`](crate::apart) |
//! | `one-lane` | this runtime built without its lanes; likewise |
//! | `raw` | one thread around epoll, without a runtime: a floor, not a peer |

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use asupersync::{Cx, Outcome, Runtime, TaskFn};
use async_executor::{Executor, StaticExecutor};
use futures_lite::future::block_on;

/// Worker threads of each runtime that takes a number: one for each core that this process may use, and
/// no more than two.
pub(crate) fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(2)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Ours,
    Tokio,
    TokioCt,
    Smol,
    SmolStatic,
    Kanal,
    Flume,
    Monoio,
    Compio,
    Glommio,
    OneLane,
    Raw,
}

/// Every runtime whose tasks may run on any of its threads.
pub(crate) const ALL: &[Peer] = &[Peer::Tokio, Peer::TokioCt, Peer::Smol, Peer::SmolStatic];

/// Those, and the ones whose tasks may not.
pub(crate) const ALL_AND_LOCAL: &[Peer] =
    &[Peer::Tokio, Peer::TokioCt, Peer::Smol, Peer::SmolStatic, Peer::Monoio, Peer::Compio, Peer::Glommio];

impl Peer {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Peer::Ours => "ours",
            Peer::Tokio => "tokio",
            Peer::TokioCt => "tokio-ct",
            Peer::Smol => "smol",
            Peer::SmolStatic => "smol-static",
            Peer::Kanal => "kanal",
            Peer::Flume => "flume",
            Peer::Monoio => "monoio",
            Peer::Compio => "compio",
            Peer::Glommio => "glommio",
            Peer::OneLane => "one-lane",
            Peer::Raw => "raw",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Peer> {
        use Peer::*;
        [Ours, Tokio, TokioCt, Smol, SmolStatic, Kanal, Flume, Monoio, Compio, Glommio, OneLane, Raw]
            .into_iter()
            .find(|peer| peer.name() == name)
    }

    /// Its tasks stay on the thread that spawned them, and need not be `Send`: no count of references in them
    /// is atomic, and no other core helps. It is shown, and no target is beside it.
    pub(crate) fn is_local(self) -> bool {
        matches!(self, Peer::Monoio | Peer::Compio | Peer::Glommio)
    }
}

/// Runs `body` as a task of our runtime.
pub(crate) fn ours<T, F>(body: F) -> T
where
    T: Send + 'static,
    F: for<'a> TaskFn<&'a Cx, Outcome<T>, Fut: Send> + Send + 'static,
{
    let runtime = Runtime::builder().workers(workers()).build().expect("a runtime");
    runtime.block_on(body).expect("the workload succeeds")
}

/// What the workloads need of another runtime.
pub(crate) trait Foreign: Copy + Send + Sync + 'static {
    /// Starts the runtime, runs a body as a task of it, and stops it.
    fn run<T, F>(body: impl FnOnce(Self) -> F + Send + 'static) -> T
    where
        T: Send + 'static,
        F: Future<Output = T> + Send;

    /// Spawns a task; the future is its result. Works on any thread.
    fn spawn<F>(self, future: F) -> impl Future<Output = F::Output> + Send + Unpin + 'static
    where
        F: Future<Output: Send> + Send + 'static;

    /// Spawns a task that nobody waits for.
    fn detach<F>(self, future: F)
    where
        F: Future<Output: Send> + Send + 'static;

    /// Spawns a task that can be cancelled by what is returned.
    fn abortable<F>(self, future: F) -> impl Abort
    where
        F: Future<Output: Send> + Send + 'static;

    fn yield_now() -> impl Future<Output = ()> + Send;
    fn sleep(duration: Duration) -> impl Future + Send;
    fn sleep_until(deadline: Instant) -> impl Future + Send;

    type Listener: Send + Sync + 'static;
    type Stream: Send + 'static;

    fn bind() -> impl Future<Output = (Self::Listener, SocketAddr)> + Send;
    fn accept(listener: &Self::Listener) -> impl Future<Output = Self::Stream> + Send;
    fn read(stream: &mut Self::Stream, buf: &mut [u8]) -> impl Future<Output = usize> + Send;
    fn write_all(stream: &mut Self::Stream, bytes: &[u8]) -> impl Future<Output = ()> + Send;
}

/// How a peer cancels a task.
pub(crate) trait Abort: Send + 'static {
    /// Asks for it, and does not wait.
    fn abort(&self);
    /// Asks for it, of all of these, and waits until none is left.
    fn drain(tasks: Vec<Self>) -> impl Future<Output = ()> + Send
    where
        Self: Sized;
}

/// Calls a generic function with the peer's type; `None` for what is no runtime.
macro_rules! on {
    ($peer:expr, ours: $ours:expr, $foreign:ident($($arg:expr),*)) => {
        match $peer {
            $crate::peer::Peer::Ours => $ours,
            $crate::peer::Peer::Tokio => $foreign::<$crate::peer::TokioMt>($($arg),*),
            $crate::peer::Peer::TokioCt => $foreign::<$crate::peer::TokioCt>($($arg),*),
            $crate::peer::Peer::Smol => $foreign::<$crate::peer::Smol>($($arg),*),
            $crate::peer::Peer::SmolStatic => $foreign::<$crate::peer::SmolStatic>($($arg),*),
            other => unreachable!("no row runs {} here", other.name()),
        }
    };
}
pub(crate) use on;

macro_rules! tokio_peer {
    ($peer:ident, $build:expr) => {
        #[derive(Clone, Copy)]
        pub(crate) struct $peer(&'static tokio::runtime::Handle);

        impl Foreign for $peer {
            fn run<T, F>(body: impl FnOnce(Self) -> F + Send + 'static) -> T
            where
                T: Send + 'static,
                F: Future<Output = T> + Send,
            {
                let runtime: tokio::runtime::Runtime = $build.expect("a runtime");
                let handle = Box::leak(Box::new(runtime.handle().clone()));
                // In a task, as on our side: the thread that blocks is none of the workers.
                runtime
                    .block_on(runtime.spawn(async { body($peer(handle)).await }))
                    .expect("the workload succeeds")
            }

            fn spawn<F>(self, future: F) -> impl Future<Output = F::Output> + Send + Unpin + 'static
            where
                F: Future<Output: Send> + Send + 'static,
            {
                Joined(self.0.spawn(future))
            }

            fn detach<F>(self, future: F)
            where
                F: Future<Output: Send> + Send + 'static,
            {
                drop(self.0.spawn(future));
            }

            fn abortable<F>(self, future: F) -> impl Abort
            where
                F: Future<Output: Send> + Send + 'static,
            {
                self.0.spawn(future)
            }

            fn yield_now() -> impl Future<Output = ()> + Send {
                tokio::task::yield_now()
            }

            fn sleep(duration: Duration) -> impl Future + Send {
                tokio::time::sleep(duration)
            }

            fn sleep_until(deadline: Instant) -> impl Future + Send {
                tokio::time::sleep_until(deadline.into())
            }

            type Listener = tokio::net::TcpListener;
            type Stream = tokio::net::TcpStream;

            async fn bind() -> (Self::Listener, SocketAddr) {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
                let addr = listener.local_addr().expect("an address");
                (listener, addr)
            }

            async fn accept(listener: &Self::Listener) -> Self::Stream {
                let (stream, _) = listener.accept().await.expect("a connection");
                stream.set_nodelay(true).expect("TCP has this option");
                stream
            }

            async fn read(stream: &mut Self::Stream, buf: &mut [u8]) -> usize {
                tokio::io::AsyncReadExt::read(stream, buf).await.unwrap_or(0)
            }

            async fn write_all(stream: &mut Self::Stream, bytes: &[u8]) {
                tokio::io::AsyncWriteExt::write_all(stream, bytes).await.expect("the client reads");
            }
        }
    };
}

tokio_peer!(
    TokioMt,
    tokio::runtime::Builder::new_multi_thread().worker_threads(workers()).enable_all().build()
);
tokio_peer!(TokioCt, tokio::runtime::Builder::new_current_thread().enable_all().build());

/// Tokio's handle, without its error: no workload panics or aborts what it joins.
struct Joined<T>(tokio::task::JoinHandle<T>);

impl<T> Future for Joined<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<T> {
        Pin::new(&mut self.0).poll(task).map(|joined| joined.expect("the task ends"))
    }
}

impl<T: Send + 'static> Abort for tokio::task::JoinHandle<T> {
    fn abort(&self) {
        tokio::task::JoinHandle::abort(self);
    }

    async fn drain(tasks: Vec<Self>) {
        tasks.iter().for_each(Abort::abort);
        for task in tasks {
            assert!(task.await.is_err_and(|error| error.is_cancelled()));
        }
    }
}

/// smol's task: dropped is cancelled.
struct SmolTask<T>(Mutex<Option<async_executor::Task<T>>>);

impl<T: Send + 'static> SmolTask<T> {
    fn into_inner(self) -> Option<async_executor::Task<T>> {
        self.0.into_inner().expect("nobody panics here")
    }
}

impl<T: Send + 'static> Abort for SmolTask<T> {
    fn abort(&self) {
        drop(self.0.lock().expect("nobody panics here").take());
    }

    async fn drain(tasks: Vec<Self>) {
        // The first poll of each asks; all are asked before any is waited for.
        let tasks = tasks.into_iter().filter_map(SmolTask::into_inner);
        let mut asked: Vec<_> = tasks.map(|task| Box::pin(task.cancel())).collect();
        let mut done = vec![false; asked.len()];
        poll_fn(|context| {
            for (task, done) in asked.iter_mut().zip(&mut done) {
                *done = task.as_mut().poll(context).is_ready();
            }
            Poll::Ready(())
        })
        .await;
        for (task, done) in asked.into_iter().zip(done) {
            if !done {
                assert!(task.await.is_none(), "it was cancelled");
            }
        }
    }
}

macro_rules! smol_peer {
    ($peer:ident, $executor:ty) => {
        #[derive(Clone, Copy)]
        pub(crate) struct $peer(&'static $executor);

        impl Foreign for $peer {
            fn run<T, F>(body: impl FnOnce(Self) -> F + Send + 'static) -> T
            where
                T: Send + 'static,
                F: Future<Output = T> + Send,
            {
                static EXECUTOR: $executor = <$executor>::new();
                for _ in 0..workers() {
                    std::thread::spawn(|| {
                        async_io::block_on(EXECUTOR.run(std::future::pending::<()>()));
                    });
                }
                block_on(EXECUTOR.spawn(async { body($peer(&EXECUTOR)).await }))
            }

            fn spawn<F>(self, future: F) -> impl Future<Output = F::Output> + Send + Unpin + 'static
            where
                F: Future<Output: Send> + Send + 'static,
            {
                self.0.spawn(future)
            }

            fn detach<F>(self, future: F)
            where
                F: Future<Output: Send> + Send + 'static,
            {
                self.0.spawn(future).detach();
            }

            fn abortable<F>(self, future: F) -> impl Abort
            where
                F: Future<Output: Send> + Send + 'static,
            {
                SmolTask(Mutex::new(Some(self.0.spawn(future))))
            }

            fn yield_now() -> impl Future<Output = ()> + Send {
                futures_lite::future::yield_now()
            }

            fn sleep(duration: Duration) -> impl Future + Send {
                async_io::Timer::after(duration)
            }

            fn sleep_until(deadline: Instant) -> impl Future + Send {
                async_io::Timer::at(deadline)
            }

            type Listener = async_io::Async<std::net::TcpListener>;
            type Stream = async_io::Async<std::net::TcpStream>;

            async fn bind() -> (Self::Listener, SocketAddr) {
                let listener =
                    async_io::Async::<std::net::TcpListener>::bind(([127, 0, 0, 1], 0)).expect("a port");
                let addr = listener.get_ref().local_addr().expect("an address");
                (listener, addr)
            }

            async fn accept(listener: &Self::Listener) -> Self::Stream {
                let (stream, _) = listener.accept().await.expect("a connection");
                stream.get_ref().set_nodelay(true).expect("TCP has this option");
                stream
            }

            async fn read(stream: &mut Self::Stream, buf: &mut [u8]) -> usize {
                futures_lite::AsyncReadExt::read(stream, buf).await.unwrap_or(0)
            }

            async fn write_all(stream: &mut Self::Stream, bytes: &[u8]) {
                futures_lite::AsyncWriteExt::write_all(stream, bytes).await.expect("the client reads");
            }
        }
    };
}

smol_peer!(Smol, Executor<'static>);
smol_peer!(SmolStatic, StaticExecutor);
