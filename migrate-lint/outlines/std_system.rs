//! The part of the outline of the standard library that is about threads,
//! locks, files and the network. Nothing here is compiled.

pub mod sync {
    pub struct Arc<T> {
        value: T,
    }
    impl<T> Arc<T> {
        pub fn new(value: T) -> Arc<T> {}
        pub fn clone(&self) -> Arc<T> {}
        pub fn downgrade(this: &Arc<T>) -> Weak<T> {}
        pub fn new_cyclic<F>(f: F) -> Arc<T> {}
    }
    impl<T> std::ops::Deref for Arc<T> {
        type Target = T;
    }
    pub struct Weak<T> {
        value: T,
    }
    impl<T> Weak<T> {
        pub fn upgrade(&self) -> std::option::Option<Arc<T>> {}
        pub fn clone(&self) -> Weak<T> {}
    }
    pub struct Mutex<T> {
        value: T,
    }
    impl<T> Mutex<T> {
        pub fn new(v: T) -> Mutex<T> {}
        pub fn lock(&self) -> std::result::Result<MutexGuard<T>, PoisonError<MutexGuard<T>>> {}
        pub fn try_lock(&self) -> std::result::Result<MutexGuard<T>, TryLockError> {}
        pub fn get_mut(&mut self) -> std::result::Result<&mut T, PoisonError<T>> {}
        pub fn into_inner(self) -> std::result::Result<T, PoisonError<T>> {}
    }
    pub struct MutexGuard<T> {
        value: T,
    }
    impl<T> std::ops::Deref for MutexGuard<T> {
        type Target = T;
    }
    pub struct PoisonError<G> {
        guard: G,
    }
    impl<G> PoisonError<G> {
        pub fn into_inner(self) -> G {}
        pub fn get_ref(&self) -> &G {}
    }
    pub struct TryLockError {}
    pub struct RwLock<T> {
        value: T,
    }
    impl<T> RwLock<T> {
        pub fn new(v: T) -> RwLock<T> {}
        pub fn read(&self) -> std::result::Result<RwLockReadGuard<T>, PoisonError<RwLockReadGuard<T>>> {}
        pub fn write(&self) -> std::result::Result<RwLockWriteGuard<T>, PoisonError<RwLockWriteGuard<T>>> {}
        pub fn try_read(&self) -> std::result::Result<RwLockReadGuard<T>, TryLockError> {}
        pub fn try_write(&self) -> std::result::Result<RwLockWriteGuard<T>, TryLockError> {}
    }
    pub struct RwLockReadGuard<T> {
        value: T,
    }
    impl<T> std::ops::Deref for RwLockReadGuard<T> {
        type Target = T;
    }
    pub struct RwLockWriteGuard<T> {
        value: T,
    }
    impl<T> std::ops::Deref for RwLockWriteGuard<T> {
        type Target = T;
    }
    pub struct OnceLock<T> {
        value: T,
    }
    impl<T> OnceLock<T> {
        pub fn new() -> OnceLock<T> {}
        pub fn get(&self) -> std::option::Option<&T> {}
        pub fn get_or_init<F: FnOnce() -> T>(&self, f: F) -> &T {}
        pub fn set(&self, v: T) -> std::result::Result<(), T> {}
    }
    pub struct LazyLock<T> {
        value: T,
    }
    impl<T> LazyLock<T> {
        pub fn new<F: FnOnce() -> T>(f: F) -> LazyLock<T> {}
        pub fn force(this: &LazyLock<T>) -> &T {}
    }
    impl<T> std::ops::Deref for LazyLock<T> {
        type Target = T;
    }
    pub mod mpsc {
        pub fn channel<T>() -> (Sender<T>, Receiver<T>) {}
        pub fn sync_channel<T>(n: usize) -> (SyncSender<T>, Receiver<T>) {}
        pub struct Sender<T> {
            item: T,
        }
        impl<T> Sender<T> {
            pub fn send(&self, v: T) -> std::result::Result<(), SendError<T>> {}
            pub fn clone(&self) -> Sender<T> {}
        }
        pub struct SyncSender<T> {
            item: T,
        }
        impl<T> SyncSender<T> {
            pub fn send(&self, v: T) -> std::result::Result<(), SendError<T>> {}
            pub fn clone(&self) -> SyncSender<T> {}
        }
        pub struct SendError<T> {
            item: T,
        }
        pub struct RecvError {}
        pub struct Receiver<T> {
            item: T,
        }
        impl<T> Receiver<T> {
            pub fn recv(&self) -> std::result::Result<T, RecvError> {}
            pub fn recv_timeout(&self, d: crate::time::Duration) -> std::result::Result<T, RecvError> {}
            pub fn iter(&self) -> std::iter::Map<T> {}
        }
    }
}

pub mod thread {
    pub fn spawn<T, F: FnOnce() -> T>(f: F) -> JoinHandle<T> {}
    pub fn scope<T, F: FnOnce(&Scope) -> T>(f: F) -> T {}
    pub fn sleep(d: crate::time::Duration) {}
    pub fn park() {}
    pub struct Scope {}
    impl Scope {
        pub fn spawn<T, F: FnOnce() -> T>(&self, f: F) -> ScopedJoinHandle<T> {}
    }
    pub struct ScopedJoinHandle<T> {
        value: T,
    }
    impl<T> ScopedJoinHandle<T> {
        pub fn join(self) -> std::result::Result<T, ()> {}
    }
    pub struct JoinHandle<T> {
        value: T,
    }
    impl<T> JoinHandle<T> {
        pub fn join(self) -> std::result::Result<T, ()> {}
        pub fn is_finished(&self) -> bool {}
    }
    pub struct Builder {}
    impl Builder {
        pub fn new() -> Builder {}
        pub fn name(self, n: String) -> Builder {}
        pub fn stack_size(self, n: usize) -> Builder {}
        pub fn spawn<T, F: FnOnce() -> T>(self, f: F) -> crate::io::Result<JoinHandle<T>> {}
        pub fn spawn_scoped<T, F: FnOnce() -> T>(
            self,
            s: &Scope,
            f: F,
        ) -> crate::io::Result<ScopedJoinHandle<T>> {
        }
    }
}

pub mod process {
    pub struct Command {}
    impl Command {
        pub fn new<S>(program: S) -> Command {}
        pub fn arg<S>(&mut self, arg: S) -> &mut Command {}
        pub fn args<S>(&mut self, args: S) -> &mut Command {}
        pub fn env<K, V>(&mut self, k: K, v: V) -> &mut Command {}
        pub fn envs<I>(&mut self, i: I) -> &mut Command {}
        pub fn current_dir<P>(&mut self, p: P) -> &mut Command {}
        pub fn stdin<T>(&mut self, t: T) -> &mut Command {}
        pub fn stdout<T>(&mut self, t: T) -> &mut Command {}
        pub fn stderr<T>(&mut self, t: T) -> &mut Command {}
        pub fn spawn(&mut self) -> crate::io::Result<Child> {}
        pub fn output(&mut self) -> crate::io::Result<Output> {}
        pub fn status(&mut self) -> crate::io::Result<ExitStatus> {}
    }
    pub struct Child {}
    pub struct Output {}
    pub struct ExitStatus {}
    pub fn exit(code: i32) {}
    pub fn abort() {}
}

pub mod io {
    pub type Result<T> = std::result::Result<T, Error>;
    pub struct Error {}
    pub trait Read {
        fn read(&mut self, b: &mut [u8]) -> Result<usize> {}
        fn read_exact(&mut self, b: &mut [u8]) -> Result<()> {}
        fn read_to_end(&mut self, b: &mut Vec<u8>) -> Result<usize> {}
        fn read_to_string(&mut self, b: &mut String) -> Result<usize> {}
    }
    pub trait Write {
        fn write(&mut self, b: &[u8]) -> Result<usize> {}
        fn write_all(&mut self, b: &[u8]) -> Result<()> {}
        fn flush(&mut self) -> Result<()> {}
    }
}

pub mod net {
    pub struct TcpStream {}
    impl TcpStream {
        pub fn connect<A>(a: A) -> crate::io::Result<TcpStream> {}
    }
    pub struct TcpListener {}
    impl TcpListener {
        pub fn bind<A>(a: A) -> crate::io::Result<TcpListener> {}
        pub fn accept(&self) -> crate::io::Result<(TcpStream, SocketAddr)> {}
        pub fn local_addr(&self) -> crate::io::Result<SocketAddr> {}
    }
    pub struct UdpSocket {}
    impl UdpSocket {
        pub fn bind<A>(a: A) -> crate::io::Result<UdpSocket> {}
    }
    pub enum SocketAddr {
        V4(SocketAddrV4),
        V6(SocketAddrV6),
    }
    pub struct SocketAddrV4 {}
    pub struct SocketAddrV6 {}
}

pub mod time {
    pub struct Duration {}
    impl Duration {
        pub fn from_secs(n: u64) -> Duration {}
        pub fn from_millis(n: u64) -> Duration {}
    }
    pub struct Instant {}
    impl Instant {
        pub fn now() -> Instant {}
        pub fn elapsed(&self) -> Duration {}
    }
    pub struct SystemTime {}
    impl SystemTime {
        pub fn now() -> SystemTime {}
    }
}

pub mod fs {
    pub struct File {}
    impl File {
        pub fn open<P>(p: P) -> crate::io::Result<File> {}
        pub fn create<P>(p: P) -> crate::io::Result<File> {}
    }
    pub struct OpenOptions {}
    impl OpenOptions {
        pub fn new() -> OpenOptions {}
        pub fn open<P>(&self, p: P) -> crate::io::Result<File> {}
    }
    pub fn read<P>(p: P) -> crate::io::Result<Vec<u8>> {}
    pub fn read_to_string<P>(p: P) -> crate::io::Result<String> {}
    pub fn write<P, C>(p: P, c: C) -> crate::io::Result<()> {}
    pub fn remove_file<P>(p: P) -> crate::io::Result<()> {}
    pub fn remove_dir_all<P>(p: P) -> crate::io::Result<()> {}
    pub fn create_dir<P>(p: P) -> crate::io::Result<()> {}
    pub fn create_dir_all<P>(p: P) -> crate::io::Result<()> {}
    pub fn rename<P, Q>(p: P, q: Q) -> crate::io::Result<()> {}
    pub fn copy<P, Q>(p: P, q: Q) -> crate::io::Result<u64> {}
    pub fn metadata<P>(p: P) -> crate::io::Result<Metadata> {}
    pub fn read_dir<P>(p: P) -> crate::io::Result<ReadDir> {}
    pub struct Metadata {}
    pub struct ReadDir {}
}

pub mod env {
    pub fn var<K>(k: K) -> std::result::Result<String, VarError> {}
    pub fn vars() -> Vars {}
    pub fn args() -> Args {}
    pub struct VarError {}
    pub struct Vars {}
    pub struct Args {}
}
