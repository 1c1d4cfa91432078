//! Cancel-correct synchronisation: FIFO, a cancelled waiter loses nothing and blocks nobody.

mod barrier;
pub(crate) mod crowd;
mod mutex;
mod notify;
mod once_cell;
mod rwlock;
mod semaphore;
pub(crate) mod waiters;

pub use barrier::{Barrier, BarrierWaitResult};
pub use mutex::{Mutex, MutexGuard};
pub use notify::Notify;
pub use once_cell::OnceCell;
pub use rwlock::{ReadGuard, RwLock, WriteGuard};
pub use semaphore::{Permit, Semaphore};
