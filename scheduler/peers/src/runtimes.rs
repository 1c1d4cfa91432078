//! The runtimes, each on one thread and with its io_uring.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// Bytes that a connection reads at most at a time.
pub(crate) const BUFFER: usize = 4096;

/// What the workloads need of a runtime.
pub(crate) trait Local: 'static {
    /// Starts the runtime, runs a future on it, and stops it.
    fn run<F: Future + 'static>(future: F) -> io::Result<F::Output>;
    /// Spawns a task on this thread; the future is its result.
    fn spawn<F: Future + 'static>(future: F) -> impl Future<Output = F::Output> + 'static;
    fn sleep(duration: Duration) -> impl Future;

    type Listener;
    type Stream: 'static;

    fn bind() -> impl Future<Output = (Self::Listener, SocketAddr)>;
    fn accept(listener: &Self::Listener) -> impl Future<Output = Self::Stream>;
    /// Sends back what comes until the other side has closed.
    fn echo(stream: Self::Stream) -> impl Future<Output = ()>;
}

pub(crate) struct Monoio;

impl Local for Monoio {
    fn run<F: Future + 'static>(future: F) -> io::Result<F::Output> {
        let builder = monoio::RuntimeBuilder::<monoio::IoUringDriver>::new();
        let mut runtime = builder.enable_timer().build()?;
        Ok(runtime.block_on(async { monoio::spawn(future).await }))
    }

    fn spawn<F: Future + 'static>(future: F) -> impl Future<Output = F::Output> + 'static {
        monoio::spawn(future)
    }

    fn sleep(duration: Duration) -> impl Future {
        monoio::time::sleep(duration)
    }

    type Listener = monoio::net::TcpListener;
    type Stream = monoio::net::TcpStream;

    async fn bind() -> (Self::Listener, SocketAddr) {
        let listener = monoio::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let addr = listener.local_addr().expect("an address");
        (listener, addr)
    }

    async fn accept(listener: &Self::Listener) -> Self::Stream {
        let (stream, _) = listener.accept().await.expect("a connection");
        stream.set_nodelay(true).expect("TCP has this option");
        stream
    }

    async fn echo(mut stream: Self::Stream) {
        use monoio::io::{AsyncReadRent, AsyncWriteRentExt};
        let mut buf = Vec::with_capacity(BUFFER);
        loop {
            let (read, back) = stream.read(buf).await;
            if !read.is_ok_and(|n| n > 0) {
                return;
            }
            let (written, back) = stream.write_all(back).await;
            written.expect("the client reads");
            buf = back;
            buf.clear();
        }
    }
}

pub(crate) struct Compio;

impl Local for Compio {
    fn run<F: Future + 'static>(future: F) -> io::Result<F::Output> {
        let runtime = compio::runtime::Runtime::new()?;
        Ok(runtime.block_on(async { Self::spawn(future).await }))
    }

    fn spawn<F: Future + 'static>(future: F) -> impl Future<Output = F::Output> + 'static {
        let task = compio::runtime::spawn(future);
        async { task.await.expect("no workload panics") }
    }

    fn sleep(duration: Duration) -> impl Future {
        compio::time::sleep(duration)
    }

    type Listener = compio::net::TcpListener;
    type Stream = compio::net::TcpStream;

    async fn bind() -> (Self::Listener, SocketAddr) {
        let listener = compio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let addr = listener.local_addr().expect("an address");
        (listener, addr)
    }

    async fn accept(listener: &Self::Listener) -> Self::Stream {
        let (stream, _) = listener.accept().await.expect("a connection");
        stream.set_nodelay(true).expect("TCP has this option");
        stream
    }

    async fn echo(mut stream: Self::Stream) {
        use compio::io::{AsyncRead, AsyncWriteExt};
        let mut buf = Vec::with_capacity(BUFFER);
        loop {
            let compio::BufResult(read, back) = stream.read(buf).await;
            if !read.is_ok_and(|n| n > 0) {
                return;
            }
            let compio::BufResult(written, back) = stream.write_all(back).await;
            written.expect("the client reads");
            buf = back;
            buf.clear();
        }
    }
}

pub(crate) struct Glommio;

impl Local for Glommio {
    fn run<F: Future + 'static>(future: F) -> io::Result<F::Output> {
        let executor = glommio::LocalExecutorBuilder::default().make();
        let executor = executor.map_err(|error| io::Error::other(error.to_string()))?;
        Ok(executor.run(async { Self::spawn(future).await }))
    }

    fn spawn<F: Future + 'static>(future: F) -> impl Future<Output = F::Output> + 'static {
        glommio::spawn_local(future)
    }

    fn sleep(duration: Duration) -> impl Future {
        glommio::timer::Timer::new(duration)
    }

    type Listener = glommio::net::TcpListener;
    type Stream = glommio::net::TcpStream;

    async fn bind() -> (Self::Listener, SocketAddr) {
        let listener = glommio::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let addr = listener.local_addr().expect("an address");
        (listener, addr)
    }

    async fn accept(listener: &Self::Listener) -> Self::Stream {
        let stream = listener.accept().await.expect("a connection");
        stream.set_nodelay(true).expect("TCP has this option");
        stream
    }

    async fn echo(mut stream: Self::Stream) {
        use futures_lite::{AsyncReadExt, AsyncWriteExt};
        let mut buf = [0; BUFFER];
        while let Ok(n @ 1..) = stream.read(&mut buf).await {
            stream.write_all(&buf[..n]).await.expect("the client reads");
        }
    }
}
