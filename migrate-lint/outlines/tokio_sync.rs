//! The part of the outline of Tokio that is about locks and channels. Nothing
//! here is compiled.

pub mod sync {
    pub struct Mutex<T> {
        value: T,
    }
    impl<T> Mutex<T> {
        pub fn new(v: T) -> Mutex<T> {}
        pub fn const_new(v: T) -> Mutex<T> {}
        pub async fn lock(&self) -> MutexGuard<T> {}
        pub async fn lock_owned(self) -> OwnedMutexGuard<T> {}
        pub fn blocking_lock(&self) -> MutexGuard<T> {}
        pub fn try_lock(&self) -> Result<MutexGuard<T>, TryLockError> {}
        pub fn try_lock_owned(self) -> Result<OwnedMutexGuard<T>, TryLockError> {}
    }
    pub struct TryLockError {}
    pub struct MutexGuard<T> {
        value: T,
    }
    impl<T> std::ops::Deref for MutexGuard<T> {
        type Target = T;
    }
    pub struct OwnedMutexGuard<T> {
        value: T,
    }
    impl<T> std::ops::Deref for OwnedMutexGuard<T> {
        type Target = T;
    }
    pub struct RwLock<T> {
        value: T,
    }
    impl<T> RwLock<T> {
        pub fn new(v: T) -> RwLock<T> {}
        pub async fn read(&self) -> RwLockReadGuard<T> {}
        pub async fn write(&self) -> RwLockWriteGuard<T> {}
        pub async fn read_owned(self) -> OwnedRwLockReadGuard<T> {}
        pub async fn write_owned(self) -> OwnedRwLockWriteGuard<T> {}
        pub fn blocking_read(&self) -> RwLockReadGuard<T> {}
        pub fn blocking_write(&self) -> RwLockWriteGuard<T> {}
        pub fn try_read(&self) -> Result<RwLockReadGuard<T>, TryLockError> {}
        pub fn try_write(&self) -> Result<RwLockWriteGuard<T>, TryLockError> {}
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
    pub struct OwnedRwLockReadGuard<T> {
        value: T,
    }
    impl<T> std::ops::Deref for OwnedRwLockReadGuard<T> {
        type Target = T;
    }
    pub struct OwnedRwLockWriteGuard<T> {
        value: T,
    }
    impl<T> std::ops::Deref for OwnedRwLockWriteGuard<T> {
        type Target = T;
    }
    pub struct Semaphore {}
    impl Semaphore {
        pub fn new(n: usize) -> Semaphore {}
        pub async fn acquire(&self) -> Result<SemaphorePermit, AcquireError> {}
        pub async fn acquire_many(&self, n: u32) -> Result<SemaphorePermit, AcquireError> {}
        pub async fn acquire_owned(self) -> Result<OwnedSemaphorePermit, AcquireError> {}
        pub async fn acquire_many_owned(self, n: u32) -> Result<OwnedSemaphorePermit, AcquireError> {}
        pub fn try_acquire(&self) -> Result<SemaphorePermit, AcquireError> {}
        pub fn try_acquire_owned(self) -> Result<OwnedSemaphorePermit, AcquireError> {}
    }
    pub struct AcquireError {}
    pub struct SemaphorePermit {}
    impl SemaphorePermit {
        pub fn forget(self) {}
    }
    pub struct OwnedSemaphorePermit {}
    impl OwnedSemaphorePermit {
        pub fn forget(self) {}
    }
    pub struct Notify {}
    impl Notify {
        pub fn new() -> Notify {}
        pub async fn notified(&self) {}
        pub fn notify_one(&self) {}
        pub fn notify_waiters(&self) {}
    }
    pub struct Barrier {}
    impl Barrier {
        pub fn new(n: usize) -> Barrier {}
        pub async fn wait(&self) -> BarrierWaitResult {}
    }
    pub struct BarrierWaitResult {}
    pub struct OnceCell<T> {
        value: T,
    }
    impl<T> OnceCell<T> {
        pub fn new() -> OnceCell<T> {}
        pub fn get(&self) -> Option<&T> {}
        pub fn set(&self, v: T) -> Result<(), T> {}
    }
    pub mod mpsc {
        pub fn channel<T>(n: usize) -> (Sender<T>, Receiver<T>) {}
        pub fn unbounded_channel<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {}
        pub struct Sender<T> {
            item: T,
        }
        impl<T> Sender<T> {
            pub async fn send(&self, v: T) -> Result<(), error::SendError<T>> {}
            pub fn try_send(&self, v: T) -> Result<(), error::SendError<T>> {}
            pub fn blocking_send(&self, v: T) -> Result<(), error::SendError<T>> {}
            pub async fn reserve(&self) -> Result<Permit<T>, error::SendError<()>> {}
            pub async fn reserve_owned(self) -> Result<OwnedPermit<T>, error::SendError<()>> {}
            pub async fn closed(&self) {}
            pub fn is_closed(&self) -> bool {}
            pub fn clone(&self) -> Sender<T> {}
        }
        pub struct Permit<T> {
            item: T,
        }
        impl<T> Permit<T> {
            pub fn send(self, v: T) {}
        }
        pub struct OwnedPermit<T> {
            item: T,
        }
        impl<T> OwnedPermit<T> {
            pub fn send(self, v: T) -> Sender<T> {}
        }
        pub struct Receiver<T> {
            item: T,
        }
        impl<T> Receiver<T> {
            pub async fn recv(&mut self) -> Option<T> {}
            pub async fn recv_many(&mut self, b: &mut Vec<T>, n: usize) -> usize {}
            pub fn try_recv(&mut self) -> Result<T, error::TryRecvError> {}
            pub fn blocking_recv(&mut self) -> Option<T> {}
            pub fn close(&mut self) {}
        }
        pub struct UnboundedSender<T> {
            item: T,
        }
        impl<T> UnboundedSender<T> {
            pub fn send(&self, v: T) -> Result<(), error::SendError<T>> {}
            pub fn clone(&self) -> UnboundedSender<T> {}
            pub async fn closed(&self) {}
        }
        pub struct UnboundedReceiver<T> {
            item: T,
        }
        impl<T> UnboundedReceiver<T> {
            pub async fn recv(&mut self) -> Option<T> {}
            pub fn try_recv(&mut self) -> Result<T, error::TryRecvError> {}
            pub fn close(&mut self) {}
        }
        pub mod error {
            pub struct SendError<T>(pub T);
            pub struct TryRecvError {}
        }
    }
    pub mod oneshot {
        pub fn channel<T>() -> (Sender<T>, Receiver<T>) {}
        pub struct Sender<T> {
            item: T,
        }
        impl<T> Sender<T> {
            pub fn send(self, v: T) -> Result<(), T> {}
            pub async fn closed(&mut self) {}
        }
        pub struct Receiver<T> {
            item: T,
        }
        impl<T> Receiver<T> {
            pub fn try_recv(&mut self) -> Result<T, error::RecvError> {}
            pub fn blocking_recv(self) -> Result<T, error::RecvError> {}
            pub fn close(&mut self) {}
        }
        impl<T> std::future::Future for Receiver<T> {
            type Output = Result<T, error::RecvError>;
        }
        pub mod error {
            pub struct RecvError {}
        }
    }
    pub mod broadcast {
        pub fn channel<T>(n: usize) -> (Sender<T>, Receiver<T>) {}
        pub struct Sender<T> {
            item: T,
        }
        impl<T> Sender<T> {
            pub fn new(n: usize) -> Sender<T> {}
            pub fn send(&self, v: T) -> Result<usize, error::SendError<T>> {}
            pub fn subscribe(&self) -> Receiver<T> {}
            pub fn clone(&self) -> Sender<T> {}
        }
        pub struct Receiver<T> {
            item: T,
        }
        impl<T> Receiver<T> {
            pub async fn recv(&mut self) -> Result<T, error::RecvError> {}
            pub fn resubscribe(&self) -> Receiver<T> {}
        }
        pub mod error {
            pub struct SendError<T>(pub T);
            pub struct RecvError {}
        }
    }
    pub mod watch {
        pub fn channel<T>(v: T) -> (Sender<T>, Receiver<T>) {}
        pub struct Sender<T> {
            item: T,
        }
        impl<T> Sender<T> {
            pub fn new(v: T) -> Sender<T> {}
            pub fn send(&self, v: T) -> Result<(), error::SendError<T>> {}
            pub fn send_replace(&self, v: T) -> T {}
            pub fn borrow(&self) -> Ref<T> {}
            pub fn subscribe(&self) -> Receiver<T> {}
            pub async fn closed(&self) {}
        }
        pub struct Receiver<T> {
            item: T,
        }
        impl<T> Receiver<T> {
            pub async fn changed(&mut self) -> Result<(), error::RecvError> {}
            pub async fn wait_for<F>(&mut self, f: F) -> Result<Ref<T>, error::RecvError> {}
            pub fn borrow(&self) -> Ref<T> {}
            pub fn borrow_and_update(&mut self) -> Ref<T> {}
            pub fn clone(&self) -> Receiver<T> {}
        }
        pub struct Ref<T> {
            value: T,
        }
        impl<T> std::ops::Deref for Ref<T> {
            type Target = T;
        }
        pub mod error {
            pub struct SendError<T>(pub T);
            pub struct RecvError {}
        }
    }
}
