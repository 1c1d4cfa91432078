//! An outline of Tokio: the types and signatures that rules are about, and
//! those through which they are reached. Nothing here is compiled.

pub use task::spawn;
pub use tokio__sync::sync;

pub mod task {
    pub use coop::unconstrained;
    pub fn spawn<F: Future>(future: F) -> JoinHandle<F::Output> {}
    pub fn spawn_local<F: Future>(future: F) -> JoinHandle<F::Output> {}
    pub fn spawn_blocking<T, F: FnOnce() -> T>(f: F) -> JoinHandle<T> {}
    pub fn block_in_place<T, F: FnOnce() -> T>(f: F) -> T {}
    pub fn yield_now() -> impl Future<Output = ()> {}
    pub fn id() -> Id {}
    pub fn try_id() -> Option<Id> {}
    pub struct Id {}

    pub mod coop {
        pub fn unconstrained<F: Future>(future: F) -> impl Future<Output = F::Output> {}
        pub fn consume_budget() -> impl Future<Output = ()> {}
    }
    pub mod futures {}
    pub mod join_set {
        pub use super::JoinSet;
        pub struct Builder<T> {
            value: T,
        }
        impl<T> Builder<T> {
            pub fn name(self, n: &str) -> Builder<T> {}
            pub fn spawn<F: Future>(self, f: F) -> std::io::Result<super::AbortHandle> {}
            pub fn spawn_on<F: Future>(
                self,
                f: F,
                h: &crate::runtime::Handle,
            ) -> std::io::Result<super::AbortHandle> {
            }
            pub fn spawn_local<F: Future>(self, f: F) -> std::io::Result<super::AbortHandle> {}
            pub fn spawn_blocking<F: FnOnce() -> T>(self, f: F) -> std::io::Result<super::AbortHandle> {}
            pub fn spawn_blocking_on<F: FnOnce() -> T>(
                self,
                f: F,
                h: &crate::runtime::Handle,
            ) -> std::io::Result<super::AbortHandle> {
            }
        }
    }

    pub struct JoinHandle<T> {
        output: T,
    }
    impl<T> JoinHandle<T> {
        pub fn abort(&self) {}
        pub fn abort_handle(&self) -> AbortHandle {}
        pub fn is_finished(&self) -> bool {}
        pub fn id(&self) -> Id {}
    }
    impl<T> std::future::Future for JoinHandle<T> {
        type Output = Result<T, JoinError>;
    }
    pub struct AbortHandle {}
    impl AbortHandle {
        pub fn abort(&self) {}
        pub fn is_finished(&self) -> bool {}
        pub fn clone(&self) -> AbortHandle {}
    }
    pub struct JoinError {}
    impl JoinError {
        pub fn is_panic(&self) -> bool {}
        pub fn is_cancelled(&self) -> bool {}
    }

    pub struct JoinSet<T> {
        output: T,
    }
    impl<T> JoinSet<T> {
        pub fn new() -> JoinSet<T> {}
        pub fn spawn<F: Future>(&mut self, f: F) -> AbortHandle {}
        pub fn spawn_on<F: Future>(&mut self, f: F, h: &crate::runtime::Handle) -> AbortHandle {}
        pub fn spawn_local<F: Future>(&mut self, f: F) -> AbortHandle {}
        pub fn spawn_local_on<F: Future>(&mut self, f: F, l: &LocalSet) -> AbortHandle {}
        pub fn spawn_blocking<F: FnOnce() -> T>(&mut self, f: F) -> AbortHandle {}
        pub fn spawn_blocking_on<F: FnOnce() -> T>(&mut self, f: F, h: &crate::runtime::Handle) -> AbortHandle {}
        pub fn build_task(&mut self) -> join_set::Builder<T> {}
        pub async fn join_next(&mut self) -> Option<Result<T, JoinError>> {}
        pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {}
        pub async fn join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {}
        pub async fn join_all(self) -> Vec<T> {}
        pub async fn shutdown(&mut self) {}
        pub fn abort_all(&mut self) {}
        pub fn detach_all(&mut self) {}
        pub fn len(&self) -> usize {}
        pub fn is_empty(&self) -> bool {}
    }

    pub struct LocalSet {}
    impl LocalSet {
        pub fn new() -> LocalSet {}
        pub fn spawn_local<F: Future>(&self, f: F) -> JoinHandle<F::Output> {}
        pub fn block_on<F: Future>(&self, rt: &crate::runtime::Runtime, f: F) -> F::Output {}
        pub async fn run_until<F: Future>(&self, f: F) -> F::Output {}
        pub fn enter(&self) -> LocalEnterGuard {}
    }
    impl std::future::Future for LocalSet {
        type Output = ();
    }
    pub struct LocalEnterGuard {}

    pub struct Builder {}
    impl Builder {
        pub fn new() -> Builder {}
        pub fn name(self, n: &str) -> Builder {}
        pub fn spawn<F: Future>(self, f: F) -> std::io::Result<JoinHandle<F::Output>> {}
        pub fn spawn_on<F: Future>(
            self,
            f: F,
            h: &crate::runtime::Handle,
        ) -> std::io::Result<JoinHandle<F::Output>> {
        }
        pub fn spawn_local<F: Future>(self, f: F) -> std::io::Result<JoinHandle<F::Output>> {}
        pub fn spawn_local_on<F: Future>(self, f: F, l: &LocalSet) -> std::io::Result<JoinHandle<F::Output>> {}
        pub fn spawn_blocking<T, F: FnOnce() -> T>(self, f: F) -> std::io::Result<JoinHandle<T>> {}
        pub fn spawn_blocking_on<T, F: FnOnce() -> T>(
            self,
            f: F,
            h: &crate::runtime::Handle,
        ) -> std::io::Result<JoinHandle<T>> {
        }
    }
}

pub mod runtime {
    pub struct Handle {}
    impl Handle {
        pub fn current() -> Handle {}
        pub fn try_current() -> Result<Handle, TryCurrentError> {}
        pub fn spawn<F: Future>(&self, f: F) -> crate::task::JoinHandle<F::Output> {}
        pub fn spawn_blocking<T, F: FnOnce() -> T>(&self, f: F) -> crate::task::JoinHandle<T> {}
        pub fn block_on<F: Future>(&self, f: F) -> F::Output {}
        pub fn enter(&self) -> EnterGuard {}
        pub fn clone(&self) -> Handle {}
        pub fn metrics(&self) -> RuntimeMetrics {}
    }
    pub struct TryCurrentError {}
    pub struct EnterGuard {}
    pub struct RuntimeMetrics {}
    pub struct Runtime {}
    impl Runtime {
        pub fn new() -> std::io::Result<Runtime> {}
        pub fn handle(&self) -> &Handle {}
        pub fn spawn<F: Future>(&self, f: F) -> crate::task::JoinHandle<F::Output> {}
        pub fn spawn_blocking<T, F: FnOnce() -> T>(&self, f: F) -> crate::task::JoinHandle<T> {}
        pub fn block_on<F: Future>(&self, f: F) -> F::Output {}
        pub fn enter(&self) -> EnterGuard {}
        pub fn shutdown_timeout(self, d: std::time::Duration) {}
        pub fn shutdown_background(self) {}
        pub fn metrics(&self) -> RuntimeMetrics {}
    }
    pub struct LocalRuntime {}
    impl LocalRuntime {
        pub fn new() -> std::io::Result<LocalRuntime> {}
        pub fn handle(&self) -> &Handle {}
        pub fn spawn_local<F: Future>(&self, f: F) -> crate::task::JoinHandle<F::Output> {}
        pub fn spawn_blocking<T, F: FnOnce() -> T>(&self, f: F) -> crate::task::JoinHandle<T> {}
        pub fn block_on<F: Future>(&self, f: F) -> F::Output {}
    }
    pub struct Builder {}
    impl Builder {
        pub fn new_current_thread() -> Builder {}
        pub fn new_multi_thread() -> Builder {}
        pub fn enable_all(&mut self) -> &mut Builder {}
        pub fn enable_io(&mut self) -> &mut Builder {}
        pub fn enable_time(&mut self) -> &mut Builder {}
        pub fn worker_threads(&mut self, n: usize) -> &mut Builder {}
        pub fn max_blocking_threads(&mut self, n: usize) -> &mut Builder {}
        pub fn thread_name<S>(&mut self, n: S) -> &mut Builder {}
        pub fn thread_stack_size(&mut self, n: usize) -> &mut Builder {}
        pub fn thread_keep_alive(&mut self, n: std::time::Duration) -> &mut Builder {}
        pub fn start_paused(&mut self, b: bool) -> &mut Builder {}
        pub fn on_thread_start<F>(&mut self, f: F) -> &mut Builder {}
        pub fn on_thread_stop<F>(&mut self, f: F) -> &mut Builder {}
        pub fn event_interval(&mut self, n: u32) -> &mut Builder {}
        pub fn global_queue_interval(&mut self, n: u32) -> &mut Builder {}
        pub fn build(&mut self) -> std::io::Result<Runtime> {}
        pub fn build_local(&mut self, o: LocalOptions) -> std::io::Result<LocalRuntime> {}
    }
    pub struct LocalOptions {}
}

pub mod time {
    pub use std::time::Duration;
    pub fn timeout<F: Future>(d: Duration, f: F) -> Timeout<F> {}
    pub fn timeout_at<F: Future>(d: Instant, f: F) -> Timeout<F> {}
    pub fn sleep(d: Duration) -> Sleep {}
    pub fn sleep_until(d: Instant) -> Sleep {}
    pub fn interval(d: Duration) -> Interval {}
    pub fn interval_at(i: Instant, d: Duration) -> Interval {}
    pub struct Sleep {}
    impl std::future::Future for Sleep {
        type Output = ();
    }
    pub struct Timeout<F> {
        future: F,
    }
    impl<F: Future> std::future::Future for Timeout<F> {
        type Output = Result<F::Output, error::Elapsed>;
    }
    pub struct Interval {}
    impl Interval {
        pub async fn tick(&mut self) -> Instant {}
    }
    pub struct Instant {}
    impl Instant {
        pub fn now() -> Instant {}
    }
    pub mod error {
        pub struct Elapsed {}
    }
}

pub mod io {
    pub trait AsyncRead {}
    pub trait AsyncWrite {}
    pub trait AsyncBufRead {}
    pub trait AsyncReadExt {
        async fn read(&mut self, b: &mut [u8]) -> std::io::Result<usize> {}
        async fn read_buf<B>(&mut self, b: &mut B) -> std::io::Result<usize> {}
        async fn read_exact(&mut self, b: &mut [u8]) -> std::io::Result<usize> {}
        async fn read_to_end(&mut self, b: &mut Vec<u8>) -> std::io::Result<usize> {}
        async fn read_to_string(&mut self, b: &mut String) -> std::io::Result<usize> {}
        async fn read_u8(&mut self) -> std::io::Result<u8> {}
        async fn read_u16(&mut self) -> std::io::Result<u16> {}
        async fn read_u16_le(&mut self) -> std::io::Result<u16> {}
        async fn read_u32(&mut self) -> std::io::Result<u32> {}
        async fn read_u32_le(&mut self) -> std::io::Result<u32> {}
        async fn read_u64(&mut self) -> std::io::Result<u64> {}
        async fn read_u64_le(&mut self) -> std::io::Result<u64> {}
        async fn read_u128(&mut self) -> std::io::Result<u128> {}
        async fn read_u128_le(&mut self) -> std::io::Result<u128> {}
        async fn read_i16(&mut self) -> std::io::Result<i16> {}
        async fn read_i16_le(&mut self) -> std::io::Result<i16> {}
        async fn read_i32(&mut self) -> std::io::Result<i32> {}
        async fn read_i32_le(&mut self) -> std::io::Result<i32> {}
        async fn read_i64(&mut self) -> std::io::Result<i64> {}
        async fn read_i64_le(&mut self) -> std::io::Result<i64> {}
        async fn read_i128(&mut self) -> std::io::Result<i128> {}
        async fn read_i128_le(&mut self) -> std::io::Result<i128> {}
        async fn read_f32(&mut self) -> std::io::Result<f32> {}
        async fn read_f32_le(&mut self) -> std::io::Result<f32> {}
        async fn read_f64(&mut self) -> std::io::Result<f64> {}
        async fn read_f64_le(&mut self) -> std::io::Result<f64> {}
    }
    pub trait AsyncWriteExt {
        async fn write(&mut self, b: &[u8]) -> std::io::Result<usize> {}
        async fn write_buf<B>(&mut self, b: &mut B) -> std::io::Result<usize> {}
        async fn write_all(&mut self, b: &[u8]) -> std::io::Result<()> {}
        async fn write_all_buf<B>(&mut self, b: &mut B) -> std::io::Result<()> {}
        async fn flush(&mut self) -> std::io::Result<()> {}
        async fn shutdown(&mut self) -> std::io::Result<()> {}
        async fn write_u8(&mut self, n: u8) -> std::io::Result<()> {}
        async fn write_u16(&mut self, n: u16) -> std::io::Result<()> {}
        async fn write_u16_le(&mut self, n: u16) -> std::io::Result<()> {}
        async fn write_u32(&mut self, n: u32) -> std::io::Result<()> {}
        async fn write_u32_le(&mut self, n: u32) -> std::io::Result<()> {}
        async fn write_u64(&mut self, n: u64) -> std::io::Result<()> {}
        async fn write_u64_le(&mut self, n: u64) -> std::io::Result<()> {}
        async fn write_u128(&mut self, n: u128) -> std::io::Result<()> {}
        async fn write_u128_le(&mut self, n: u128) -> std::io::Result<()> {}
        async fn write_i16(&mut self, n: i16) -> std::io::Result<()> {}
        async fn write_i16_le(&mut self, n: i16) -> std::io::Result<()> {}
        async fn write_i32(&mut self, n: i32) -> std::io::Result<()> {}
        async fn write_i32_le(&mut self, n: i32) -> std::io::Result<()> {}
        async fn write_i64(&mut self, n: i64) -> std::io::Result<()> {}
        async fn write_i64_le(&mut self, n: i64) -> std::io::Result<()> {}
        async fn write_i128(&mut self, n: i128) -> std::io::Result<()> {}
        async fn write_i128_le(&mut self, n: i128) -> std::io::Result<()> {}
        async fn write_f32(&mut self, n: f32) -> std::io::Result<()> {}
        async fn write_f32_le(&mut self, n: f32) -> std::io::Result<()> {}
        async fn write_f64(&mut self, n: f64) -> std::io::Result<()> {}
        async fn write_f64_le(&mut self, n: f64) -> std::io::Result<()> {}
    }
    pub trait AsyncBufReadExt {
        async fn read_line(&mut self, b: &mut String) -> std::io::Result<usize> {}
        async fn read_until(&mut self, c: u8, b: &mut Vec<u8>) -> std::io::Result<usize> {}
        fn lines(self) -> Lines<Self> {}
    }
    pub struct Lines<R> {
        reader: R,
    }
    impl<R> Lines<R> {
        pub async fn next_line(&mut self) -> std::io::Result<Option<String>> {}
    }
    pub async fn copy<R, W>(r: &mut R, w: &mut W) -> std::io::Result<u64> {}
    pub async fn copy_buf<R, W>(r: &mut R, w: &mut W) -> std::io::Result<u64> {}
    pub async fn copy_bidirectional<A, B>(a: &mut A, b: &mut B) -> std::io::Result<(u64, u64)> {}
    pub fn split<T>(t: T) -> (ReadHalf<T>, WriteHalf<T>) {}
    pub fn duplex(n: usize) -> (DuplexStream, DuplexStream) {}
    pub struct DuplexStream {}
    pub struct ReadHalf<T> {
        stream: T,
    }
    pub struct WriteHalf<T> {
        stream: T,
    }
    pub struct BufReader<R> {
        inner: R,
    }
    impl<R> BufReader<R> {
        pub fn new(r: R) -> BufReader<R> {}
    }
    pub struct BufWriter<W> {
        inner: W,
    }
    impl<W> BufWriter<W> {
        pub fn new(w: W) -> BufWriter<W> {}
    }
    pub struct BufStream<S> {
        inner: S,
    }
    impl<S> BufStream<S> {
        pub fn new(s: S) -> BufStream<S> {}
    }
}

pub mod net {
    pub struct TcpStream {}
    impl TcpStream {
        pub async fn connect<A>(a: A) -> std::io::Result<TcpStream> {}
        pub fn split(&mut self) -> (tcp::ReadHalf, tcp::WriteHalf) {}
        pub fn into_split(self) -> (tcp::OwnedReadHalf, tcp::OwnedWriteHalf) {}
        pub async fn readable(&self) -> std::io::Result<()> {}
        pub async fn writable(&self) -> std::io::Result<()> {}
    }
    pub mod tcp {
        pub struct ReadHalf {}
        pub struct WriteHalf {}
        pub struct OwnedReadHalf {}
        pub struct OwnedWriteHalf {}
    }
    pub struct TcpListener {}
    impl TcpListener {
        pub async fn bind<A>(a: A) -> std::io::Result<TcpListener> {}
        pub async fn accept(&self) -> std::io::Result<(TcpStream, std::net::SocketAddr)> {}
        pub fn local_addr(&self) -> std::io::Result<std::net::SocketAddr> {}
        pub fn from_std(l: std::net::TcpListener) -> std::io::Result<TcpListener> {}
    }
    pub struct UdpSocket {}
    impl UdpSocket {
        pub async fn bind<A>(a: A) -> std::io::Result<UdpSocket> {}
        pub async fn send_to<A>(&self, b: &[u8], a: A) -> std::io::Result<usize> {}
        pub async fn recv_from(&self, b: &mut [u8]) -> std::io::Result<(usize, std::net::SocketAddr)> {}
    }
    pub struct UnixStream {}
    impl UnixStream {
        pub async fn connect<A>(a: A) -> std::io::Result<UnixStream> {}
    }
    pub struct UnixListener {}
    impl UnixListener {
        pub fn bind<A>(a: A) -> std::io::Result<UnixListener> {}
        pub async fn accept(&self) -> std::io::Result<(UnixStream, ())> {}
    }
}

pub mod signal {
    pub async fn ctrl_c() -> std::io::Result<()> {}
    pub mod unix {}
}
pub mod process {
    pub struct Command {}
    impl Command {
        pub fn new<S>(program: S) -> Command {}
        pub fn arg<S>(&mut self, arg: S) -> &mut Command {}
        pub fn args<S>(&mut self, args: S) -> &mut Command {}
        pub fn env<K, V>(&mut self, k: K, v: V) -> &mut Command {}
        pub fn stdin<T>(&mut self, t: T) -> &mut Command {}
        pub fn stdout<T>(&mut self, t: T) -> &mut Command {}
        pub fn stderr<T>(&mut self, t: T) -> &mut Command {}
        pub fn kill_on_drop(&mut self, b: bool) -> &mut Command {}
        pub fn current_dir<P>(&mut self, p: P) -> &mut Command {}
        pub fn spawn(&mut self) -> std::io::Result<Child> {}
        pub async fn output(&mut self) -> std::io::Result<std::process::Output> {}
        pub async fn status(&mut self) -> std::io::Result<std::process::ExitStatus> {}
    }
    pub struct Child {}
    impl Child {
        pub async fn wait(&mut self) -> std::io::Result<std::process::ExitStatus> {}
    }
}
pub mod fs {
    pub struct File {}
    impl File {
        pub async fn open<P>(p: P) -> std::io::Result<File> {}
        pub async fn create<P>(p: P) -> std::io::Result<File> {}
    }
    pub async fn read<P>(p: P) -> std::io::Result<Vec<u8>> {}
    pub async fn write<P, C>(p: P, c: C) -> std::io::Result<()> {}
    pub async fn read_to_string<P>(p: P) -> std::io::Result<String> {}
    pub async fn remove_file<P>(p: P) -> std::io::Result<()> {}
    pub async fn create_dir_all<P>(p: P) -> std::io::Result<()> {}
}
pub mod stream {}
