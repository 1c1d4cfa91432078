//! Our own streams as [`ByteStream`]s.

use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use asupersync_core::io::TcpStream;

use super::ByteStream;

/// For one task that reads and another that writes.
impl ByteStream for &TcpStream {
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

impl ByteStream for TcpStream {
    fn poll_read(&mut self, task: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        ByteStream::poll_read(&mut &*self, task, buf)
    }

    fn poll_write(&mut self, task: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        ByteStream::poll_write(&mut &*self, task, buf)
    }

    fn poll_write_vectored(
        &mut self,
        task: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ByteStream::poll_write_vectored(&mut &*self, task, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(&mut self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        ByteStream::poll_flush(&mut &*self, task)
    }

    fn poll_shutdown(&mut self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        ByteStream::poll_shutdown(&mut &*self, task)
    }
}
