//! The two operation classes of the cancel protocol, over any [`ByteStream`].

use std::future::poll_fn;
use std::io;

use asupersync_core::Cx;

use super::ByteStream;

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
