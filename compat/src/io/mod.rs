//! Byte streams between families of traits.
//!
//! [`ByteStream`] is the one shape in the middle: our `TcpStream` has it, `From*` wrappers give it
//! to objects of another family, and `Tokio`, `Futures` and `Hyper` give that family's traits to
//! whatever has it. So each family is translated once in each direction, and wrappers combine:
//! `Hyper<FromTokio<TlsStream>>` serves HTTP over somebody else's TLS.
//!
//! TLS natively is tokio-rustls over [`Tokio`], which needs no runtime of Tokio's, with [`FromTokio`] around
//! its stream: `FromTokio::new(acceptor.accept(Tokio::new(stream)).await?)`. `shutdown` then sends
//! `close_notify`, also under Request; a stream that is only dropped looks cut to its peer.
//!
//! The `poll_*` methods know no scope. [`ByteStreamExt`] has the operations of the cancel protocol:
//! reading begins new work and fails at Request; writing finishes work in flight and fails at the
//! end of the drain budget.

#[cfg(feature = "futures")]
mod futures;
#[cfg(feature = "hyper")]
mod hyper;
mod ops;
mod ours;
#[cfg(feature = "tokio")]
mod tokio;

use std::io::{self, IoSlice};
use std::task::{Context, Poll};

#[cfg(feature = "futures")]
pub use self::futures::{FromFutures, Futures};
#[cfg(feature = "hyper")]
pub use self::hyper::{FromHyper, Hyper};
pub use self::ops::ByteStreamExt;
#[cfg(feature = "tokio")]
pub use self::tokio::{FromTokio, Tokio};

/// A stream of bytes in both directions, as something to poll.
///
/// `Pending` means that the waker was kept; 0 bytes read into a buffer that is not empty mean the
/// end of the stream.
pub trait ByteStream {
    /// Reads what has arrived.
    ///
    /// # Errors
    /// The stream's.
    fn poll_read(&mut self, task: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Takes what fits of `buf`.
    ///
    /// # Errors
    /// The stream's.
    fn poll_write(&mut self, task: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>>;

    /// Takes what fits of several buffers.
    ///
    /// # Errors
    /// The stream's.
    fn poll_write_vectored(
        &mut self,
        task: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = bufs.iter().find(|buf| !buf.is_empty());
        self.poll_write(task, first.map_or(&[], |buf| buf))
    }

    /// Writing several buffers is better than writing them one by one.
    fn is_write_vectored(&self) -> bool {
        false
    }

    /// Passes on everything taken so far.
    ///
    /// # Errors
    /// The stream's.
    fn poll_flush(&mut self, task: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Flushes, and ends the sending direction.
    ///
    /// # Errors
    /// The stream's.
    fn poll_shutdown(&mut self, task: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// What every wrapper offers.
#[cfg(any(feature = "futures", feature = "hyper", feature = "tokio"))]
macro_rules! wrapper {
    ($name:ident, $what:literal) => {
        #[doc = $what]
        #[derive(Debug)]
        pub struct $name<T> {
            inner: T,
        }

        impl<T> $name<T> {
            /// Wraps `inner`.
            pub fn new(inner: T) -> Self {
                $name { inner }
            }

            /// What is wrapped.
            pub fn inner(&self) -> &T {
                &self.inner
            }

            /// What is wrapped.
            pub fn inner_mut(&mut self) -> &mut T {
                &mut self.inner
            }

            /// What was wrapped.
            pub fn into_inner(self) -> T {
                self.inner
            }
        }
    };
}
#[cfg(any(feature = "futures", feature = "hyper", feature = "tokio"))]
use wrapper;
