//! Byte streams between families of traits.
//!
//! [`ByteStream`] is the one shape in the middle: our [`TcpStream`] has it, `From*` wrappers give it
//! to objects of another family, and `Tokio`, `Futures` and `Hyper` give that family's traits to
//! whatever has it. So each family is translated once in each direction, and wrappers combine:
//! `Hyper<FromTokio<TlsStream>>` serves HTTP over somebody else's TLS.
//!
//! The `poll_*` methods know no scope. [`ByteStreamExt`] has the operations of the cancel protocol:
//! reading begins new work and fails at Request; writing finishes work in flight and fails at the
//! end of the drain budget.

#[cfg(feature = "futures")]
mod futures;
#[cfg(feature = "hyper")]
mod hyper;
#[cfg(feature = "tokio")]
mod tokio;

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use asupersync_core::Cx;
use asupersync_core::io::TcpStream;

#[cfg(feature = "futures")]
pub use self::futures::{FromFutures, Futures};
#[cfg(feature = "hyper")]
pub use self::hyper::{FromHyper, Hyper};
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

impl ByteStream for TcpStream {
    fn poll_read(&mut self, task: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        TcpStream::poll_read(self, task, buf)
    }

    fn poll_write(&mut self, task: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        TcpStream::poll_write(self, task, buf)
    }

    fn poll_write_vectored(
        &mut self,
        task: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        TcpStream::poll_write_vectored(self, task, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(&mut self, _task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(&mut self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        TcpStream::poll_shutdown(self, task)
    }
}

/// The operations of the cancel protocol, over any [`ByteStream`].
pub trait ByteStreamExt: ByteStream + Send {
    /// Reads what has arrived; 0 is the end of the stream.
    ///
    /// # Errors
    /// The stream's; a cancellation at Request, since a read waits for a *new* message. A read that
    /// belongs to work in flight goes inside [`Cx::finish`].
    ///
    /// # Cancel safety
    /// Bytes are taken from the stream only when they are returned.
    fn read<C>(&mut self, cx: &Cx<C>, buf: &mut [u8]) -> impl Future<Output = io::Result<usize>> + Send {
        async move { cx.or_cancel(poll_fn(|task| self.poll_read(task, buf))).await? }
    }

    /// Writes all of `buf`. What it was given may wait in the stream until [`flush`](Self::flush).
    ///
    /// # Errors
    /// The stream's, `WriteZero` if it takes no more; a cancellation once the drain budget is spent.
    ///
    /// # Cancel safety
    /// Goes on through Request. Dropped, part of `buf` may be sent: the stream is then good for
    /// nothing but closing.
    fn write_all<C>(&mut self, cx: &Cx<C>, buf: &[u8]) -> impl Future<Output = io::Result<()>> + Send {
        async move {
            let mut rest = buf;
            while !rest.is_empty() {
                match cx.or_spent(poll_fn(|task| self.poll_write(task, rest))).await?? {
                    0 => return Err(io::ErrorKind::WriteZero.into()),
                    n => rest = &rest[n..],
                }
            }
            Ok(())
        }
    }

    /// Passes on everything written so far.
    ///
    /// # Errors
    /// The stream's; a cancellation once the drain budget is spent.
    ///
    /// # Cancel safety
    /// Goes on through Request. Dropped, it can be called again.
    fn flush<C>(&mut self, cx: &Cx<C>) -> impl Future<Output = io::Result<()>> + Send {
        async move { cx.or_spent(poll_fn(|task| self.poll_flush(task))).await? }
    }

    /// Flushes, and ends the sending direction: the peer reads the end of the stream.
    ///
    /// # Errors
    /// The stream's; a cancellation once the drain budget is spent.
    ///
    /// # Cancel safety
    /// Goes on through Request. Dropped, it can be called again.
    fn shutdown<C>(&mut self, cx: &Cx<C>) -> impl Future<Output = io::Result<()>> + Send {
        async move { cx.or_spent(poll_fn(|task| self.poll_shutdown(task))).await? }
    }
}

impl<S: ByteStream + Send + ?Sized> ByteStreamExt for S {}

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
