//! Cancel-correct synchronisation: FIFO, a cancelled waiter loses nothing and blocks nobody.

mod mutex;
mod notify;
mod semaphore;
pub(crate) mod waiters;

pub use mutex::{Mutex, MutexGuard};
pub use notify::Notify;
pub use semaphore::{Permit, Semaphore};
