//! hyper's `rt::Read` and `rt::Write`.
//!
//! hyper's buffer cannot be advanced over bytes read in place without `unsafe`, so bytes are read
//! into a scratch buffer of the thread and copied once; small writes are gathered there. It belongs to
//! the thread and not to the connection: an idle connection holds no buffer.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};

use super::{ByteStream, wrapper};

wrapper!(Hyper, "Gives hyper's `rt::Read` and `rt::Write` to a [`ByteStream`], such as our `TcpStream`.");
wrapper!(FromHyper, "Makes a [`ByteStream`] of what has hyper's `rt::Read` and `rt::Write`.");

const SCRATCH: usize = 64 * 1024;
const SMALL: usize = 1024;

thread_local! {
    static SCRATCH_BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH].into());
}

impl<T: ByteStream + Unpin> Read for Hyper<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let mut read = |scratch: &mut [u8]| {
            let room = buf.remaining().min(scratch.len());
            let n = ready!(self.inner.poll_read(task, &mut scratch[..room]))?;
            buf.put_slice(&scratch[..n]);
            Poll::Ready(Ok(()))
        };
        SCRATCH_BUFFER.with(|scratch| match scratch.try_borrow_mut() {
            Ok(mut scratch) => read(&mut scratch),
            // A stream that is itself read through hyper's traits.
            Err(_) => read(&mut [0; 4096]),
        })
    }
}

impl<T: ByteStream + Unpin> Write for Hyper<T> {
    fn poll_write(mut self: Pin<&mut Self>, task: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.inner.poll_write(task, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // A small head and its small body are copied sooner than the system takes two buffers.
        if bufs.len() > 1 && bufs.iter().map(|buf| buf.len()).sum::<usize>() <= SMALL {
            let gathered = SCRATCH_BUFFER.with(|scratch| {
                let mut scratch = scratch.try_borrow_mut().ok()?;
                let mut end = 0;
                for buf in bufs {
                    scratch[end..end + buf.len()].copy_from_slice(buf);
                    end += buf.len();
                }
                Some(self.inner.poll_write(task, &scratch[..end]))
            });
            if let Some(written) = gathered {
                return written;
            }
        }
        self.inner.poll_write_vectored(task, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_flush(task)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_shutdown(task)
    }
}

impl<T: Read + Write + Unpin> ByteStream for FromHyper<T> {
    fn poll_read(&mut self, task: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buf = ReadBuf::new(buf);
        ready!(Pin::new(&mut self.inner).poll_read(task, buf.unfilled()))?;
        Poll::Ready(Ok(buf.filled().len()))
    }

    fn poll_write(&mut self, task: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(task, buf)
    }

    fn poll_write_vectored(
        &mut self,
        task: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(task, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(&mut self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(task)
    }

    fn poll_shutdown(&mut self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(task)
    }
}
