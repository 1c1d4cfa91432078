//! The stream under one connection, which may leave it with an upgrade.
//!
//! [`Wire`] is what hyper holds, and gives to whoever takes an upgrade; the connection's task keeps the
//! [`Keeper`]. So it knows when the stream was let go of, and can [cut](Keeper::cut) it wherever it is.
//!
//! The first bytes say which HTTP is spoken; they are read here, and given to hyper again.

use std::io::{self, ErrorKind, IoSlice};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use asupersync_core::channel::watch;
use asupersync_core::io::TcpStream;

use crate::io::ByteStream;

/// What a client of HTTP/2 sends first.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// How much of that hyper gets at first. Its buffer is as large as what it asks for next, so that each request
/// that is in it makes it too small; a second read of one makes it twice as large, for good.
const FIRST_GIVEN: usize = 1;
/// How much is read to find that out.
const FIRST_READ: usize = 4096;

/// The version of HTTP that a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    One,
    Two,
}

struct Shared {
    stream: TcpStream,
    /// hyper has bytes that the system does not take. Written and read by whoever polls the connection.
    blocked: AtomicBool,
}

/// The stream, as hyper and upgrades hold it.
pub(super) struct Wire {
    shared: Arc<Shared>,
    /// Read already, and not yet given on: `first[given..]`.
    first: Vec<u8>,
    given: usize,
    /// Dropped with it.
    _held: watch::Sender<()>,
}

/// The stream, as the task of its connection keeps it.
pub(super) struct Keeper {
    shared: Arc<Shared>,
    held: Held,
}

/// Tells when nobody holds the [`Wire`] any more. In the extensions of requests that ask for an upgrade.
#[derive(Clone)]
pub(crate) struct Held(watch::Receiver<()>);

impl Held {
    pub(crate) fn poll_let_go(&mut self, task: &mut Context<'_>) -> Poll<()> {
        // Nothing is ever sent: it ends with its sender.
        self.0.poll_changed(task).map(drop)
    }
}

impl Wire {
    pub(super) fn new(stream: TcpStream) -> (Wire, Keeper) {
        let (sender, held) = watch::channel(());
        let shared = Arc::new(Shared { stream, blocked: AtomicBool::new(false) });
        let keeper = Keeper { shared: shared.clone(), held: Held(held) };
        (Wire { shared, first: Vec::new(), given: 0, _held: sender }, keeper)
    }

    /// Reads until it is plain which HTTP this is. A client that ends its sending before that is
    /// hyper's to judge.
    ///
    /// # Errors
    /// The stream's.
    pub(super) fn poll_version(&mut self, task: &mut Context<'_>) -> Poll<io::Result<Version>> {
        let mut bytes = [0; FIRST_READ];
        loop {
            let n = ready!(self.shared.stream.poll_read(task, &mut bytes))?;
            self.first.extend_from_slice(&bytes[..n]);
            match version(&self.first) {
                Some(version) => return Poll::Ready(Ok(version)),
                None if n == 0 => return Poll::Ready(Ok(Version::One)),
                None => {}
            }
        }
    }

    /// Something was read.
    pub(super) fn has_begun(&self) -> bool {
        !self.first.is_empty()
    }

    fn noting<T>(&self, polled: Poll<T>) -> Poll<T> {
        self.shared.blocked.store(polled.is_pending(), Ordering::Relaxed);
        polled
    }
}

/// `None` while these first bytes may be either.
fn version(first: &[u8]) -> Option<Version> {
    if first.starts_with(PREFACE) {
        return Some(Version::Two);
    }
    (!PREFACE.starts_with(first)).then_some(Version::One)
}

impl Keeper {
    pub(super) fn held(&self) -> Held {
        self.held.clone()
    }

    pub(super) fn poll_let_go(&mut self, task: &mut Context<'_>) -> Poll<()> {
        self.held.poll_let_go(task)
    }

    /// hyper waits for the system to take what it wrote.
    pub(super) fn is_blocked(&self) -> bool {
        self.shared.blocked.load(Ordering::Relaxed)
    }

    /// Ends the stream, wherever it is.
    fn cut(&self) {
        // An error says that it has ended.
        drop(self.shared.stream.cut());
    }

    /// Takes what has arrived and will not be answered. Closing a socket that holds such data resets
    /// the connection, and where the reset overtakes the response the peer never sees it.
    pub(super) fn discard(&self, task: &mut Context<'_>) {
        let mut bytes = [0; 4096];
        for _ in 0..64 {
            match self.shared.stream.poll_read(task, &mut bytes) {
                Poll::Ready(Ok(1..)) => {}
                _ => break,
            }
        }
    }
}

impl Drop for Keeper {
    /// Its task is dropped at the end of the drain budget: an upgrade does not outlive that.
    fn drop(&mut self) {
        if Arc::strong_count(&self.shared) > 1 {
            self.cut();
        }
    }
}

impl ByteStream for Wire {
    fn poll_read(&mut self, task: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let first = &self.first[self.given..];
        if first.is_empty() {
            return self.shared.stream.poll_read(task, buf);
        }
        let most = if self.given == 0 { FIRST_GIVEN } else { usize::MAX };
        let n = first.len().min(buf.len()).min(most);
        buf[..n].copy_from_slice(&first[..n]);
        self.given += n;
        if self.given == self.first.len() {
            (self.first, self.given) = (Vec::new(), 0);
        }
        Poll::Ready(Ok(n))
    }

    fn poll_write(&mut self, task: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = self.shared.stream.poll_write(task, buf);
        self.noting(polled)
    }

    fn poll_write_vectored(
        &mut self,
        task: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = self.shared.stream.poll_write_vectored(task, bufs);
        self.noting(polled)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(&mut self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shared.stream.poll_shutdown(task)
    }
}

/// The client was silent for too long.
pub(super) fn silent() -> io::Error {
    io::Error::new(ErrorKind::TimedOut, "no request came in time")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_known_at_the_first_byte_that_differs() {
        for end in 0..PREFACE.len() {
            assert_eq!(version(&PREFACE[..end]), None);
            let mut other = PREFACE[..=end].to_vec();
            other[end] ^= 1;
            assert_eq!(version(&other), Some(Version::One));
        }
        assert_eq!(version(PREFACE), Some(Version::Two));
        assert_eq!(version(b"POST / HTTP/1.1\r\n"), Some(Version::One));
        assert_eq!(version(&[PREFACE, b"more"].concat()), Some(Version::Two));
    }
}
