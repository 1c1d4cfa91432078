//! TCP with cancel-correct operations.

use std::future::poll_fn;
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::task::{Context, Poll};

use super::{Listener, Stream};
use crate::cancel::{Level, Note, Streak, Use};
use crate::caps::NoCaps;
use crate::cx::Cx;

/// A listening TCP socket.
pub struct TcpListener {
    listener: Box<dyn Listener>,
}

impl TcpListener {
    /// Takes the next connection.
    ///
    /// # Errors
    /// The system's; a cancellation at Request.
    ///
    /// # Cancel safety
    /// No connection is lost: one that was not returned stays in the backlog.
    pub async fn accept<C>(&self, cx: &Cx<C>) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, peer) = cx
            .op(Level::Requested, Note::on(Use::Accept, &*self.listener), |task| {
                self.listener.poll_accept(task)
            })
            .await?;
        Ok((TcpStream::new(stream, cx.of_region()), peer))
    }

    /// Takes a connection that the system has accepted already, Request or not; `None` if there is
    /// none. Closing the listener would reset those: see [`stop_queueing`](Self::stop_queueing).
    ///
    /// # Errors
    /// The system's.
    ///
    /// # Cancel safety
    /// Does not wait.
    pub async fn accept_queued<C>(&self, cx: &Cx<C>) -> io::Result<Option<(TcpStream, SocketAddr)>> {
        match self.listener.accept_queued() {
            Ok((stream, peer)) => Ok(Some((TcpStream::new(stream, cx.of_region()), peer))),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Has the system accept no more connections for this listener, which is about to be closed. What
    /// [`accept_queued`](Self::accept_queued) still yields is then all there is, and nobody's connection is
    /// reset who was let in between the last of it and the end. Whoever connects from now on is not answered;
    /// the system tries again, after a second mostly, and is refused if the listener is closed by then, so that
    /// a proxy asks another server.
    ///
    /// On Linux a filter on the socket drops what would begin a connection; elsewhere nothing happens.
    ///
    /// # Errors
    /// The system's, if it allows no filter. Accepting goes on as before.
    pub fn stop_queueing(&self) -> io::Result<()> {
        self.listener.stop_queueing()
    }

    /// The address it listens on; tells the port when port 0 was asked for.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// For a host's wrappers: a listener that records, delays or fails on purpose.
impl From<Box<dyn Listener>> for TcpListener {
    fn from(listener: Box<dyn Listener>) -> Self {
        TcpListener { listener }
    }
}

impl From<TcpListener> for Box<dyn Listener> {
    fn from(listener: TcpListener) -> Self {
        listener.listener
    }
}

/// A TCP connection. Closed when dropped.
///
/// Reads and writes take `&self`, so one task may read while another writes; two tasks waiting in
/// the same direction would steal each other's wake-ups.
pub struct TcpStream {
    stream: Box<dyn Stream>,
    cx: Cx<NoCaps>,
    reads: Streak,
    writes: Streak,
}

impl TcpStream {
    pub(super) fn new(stream: Box<dyn Stream>, cx: Cx<NoCaps>) -> Self {
        TcpStream { stream, cx, reads: Streak::default(), writes: Streak::default() }
    }

    /// The region in which it was accepted or connected: a connection that is handled without a
    /// `Cx` of its own hears of that region's closing here.
    pub fn cx(&self) -> &Cx<NoCaps> {
        &self.cx
    }

    /// Reads what has arrived; 0 is the end of the stream.
    ///
    /// # Errors
    /// The system's; a cancellation at Request, since a read waits for a *new* message. A read that
    /// belongs to work in flight goes inside [`Cx::finish`].
    ///
    /// # Cancel safety
    /// Bytes are taken from the socket only when they are returned.
    pub async fn read<C>(&self, cx: &Cx<C>, buf: &mut [u8]) -> io::Result<usize> {
        cx.op(Level::Requested, Note::on(Use::SocketRead, &*self.stream), |task| {
            self.stream.poll_read(task, buf)
        })
        .await
    }

    /// Writes what fits now and tells how much that was.
    ///
    /// # Errors
    /// The system's; a cancellation once the drain budget is spent.
    ///
    /// # Cancel safety
    /// Bytes count as written only when the call returns.
    pub async fn write<C>(&self, cx: &Cx<C>, buf: &[u8]) -> io::Result<usize> {
        cx.op(Level::Spent, Note::on(Use::SocketWrite, &*self.stream), |task| {
            self.stream.poll_write(task, buf)
        })
        .await
    }

    /// Writes all of `buf`.
    ///
    /// # Errors
    /// As [`write`](Self::write); `WriteZero` if the system takes no more.
    ///
    /// # Cancel safety
    /// Goes on through Request. Dropped, or at the end of the drain budget, part of `buf` may be
    /// sent: the connection is then good for nothing but closing.
    pub async fn write_all<C>(&self, cx: &Cx<C>, mut buf: &[u8]) -> io::Result<()> {
        while !buf.is_empty() {
            match self.write(cx, buf).await? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                n => buf = &buf[n..],
            }
        }
        Ok(())
    }

    /// Ends the sending direction: the peer reads the end of the stream.
    ///
    /// # Errors
    /// The system's, but for `NotConnected`, which says that it is over already.
    ///
    /// # Cancel safety
    /// Does not wait.
    pub async fn shutdown<C>(&self, _cx: &Cx<C>) -> io::Result<()> {
        poll_fn(|task| self.poll_shutdown(task)).await
    }

    /// [`read`](Self::read) without a scope. After many in a row that were ready, one lets other
    /// tasks run first: it wakes `task` and is not ready.
    pub fn poll_read(&self, task: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.reads.pace(task, |task| self.stream.poll_read(task, buf))
    }

    /// [`write`](Self::write) without a scope; lets other tasks run as [`poll_read`](Self::poll_read)
    /// does.
    pub fn poll_write(&self, task: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.writes.pace(task, |task| self.stream.poll_write(task, buf))
    }

    /// Writes what fits of several buffers, as [`poll_write`](Self::poll_write).
    pub fn poll_write_vectored(
        &self,
        task: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.writes.pace(task, |task| self.stream.poll_write_vectored(task, bufs))
    }

    /// [`shutdown`](Self::shutdown) without a scope. Always ready.
    pub fn poll_shutdown(&self, _task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(over_is_well(self.stream.shutdown(Shutdown::Write)))
    }

    /// Ends both directions at once, whoever holds them: a task that waits to read hears of the end,
    /// and nothing more is sent.
    ///
    /// # Errors
    /// As [`shutdown`](Self::shutdown).
    pub fn cut(&self) -> io::Result<()> {
        over_is_well(self.stream.shutdown(Shutdown::Both))
    }

    /// Sends small writes at once instead of gathering them (`TCP_NODELAY`).
    pub fn set_nodelay(&self, on: bool) -> io::Result<()> {
        self.stream.set_nodelay(on)
    }

    /// This end's address.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.stream.local_addr()
    }

    /// The peer's address.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

/// A direction that has ended already needs no end.
fn over_is_well(ended: io::Result<()>) -> io::Result<()> {
    match ended {
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
        other => other,
    }
}
