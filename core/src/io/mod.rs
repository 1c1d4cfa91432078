//! Sockets and files as core sees them: what a host provides ([`Sockets`]), and what users hold ([`Net`],
//! [`TcpListener`], [`TcpStream`], [`UdpSocket`]), with the two operation classes of the cancel protocol.
//!
//! | begins new work: fails at Request | finishes work in flight: fails at the end of the budget |
//! |---|---|
//! | `bind`, `connect`, `accept`, `read`, `recv` | `write`, `write_all`, `send`, `shutdown`, anything inside [`Cx::finish`](crate::Cx::finish) |
//!
//! The `poll_*` methods know no scope: adapters for foreign libraries use them, and turn Request
//! into that library's own graceful shutdown.

mod acceptor;
mod addr;
mod fs;
mod net;
mod tcp;
mod udp;

use std::io;
use std::net::{Shutdown, SocketAddr};
use std::task::{Context, Poll};

pub use acceptor::Acceptor;
pub use addr::ToAddr;
pub use fs::Fs;
pub use net::Net;
pub use tcp::{TcpListener, TcpStream};
pub use udp::UdpSocket;

/// A host's sockets.
pub trait Sockets: Send + Sync {
    /// Opens a listening TCP socket.
    fn tcp_bind(&self, addr: SocketAddr) -> io::Result<Box<dyn Listener>>;

    /// Starts a TCP connection; [`Stream::poll_connected`] tells when it stands.
    fn tcp_connect(&self, addr: SocketAddr) -> io::Result<Box<dyn Stream>>;

    /// Opens a socket for datagrams.
    fn udp_bind(&self, addr: SocketAddr) -> io::Result<Box<dyn Datagrams>>;

    /// Takes over a socket of the system's, with the options it has; `Unsupported` where there is no system.
    fn udp_adopt(&self, socket: std::net::UdpSocket) -> io::Result<Box<dyn Datagrams>>;

    /// Looks a name up. May block: core calls it on a thread that may.
    fn resolve(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>>;

    /// Another handle on the same sockets, for a blocking thread.
    fn boxed(&self) -> Box<dyn Sockets>;
}

/// A listening socket of a host. One task at a time may wait on it.
pub trait Listener: Send + Sync {
    /// Takes the next connection.
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(Box<dyn Stream>, SocketAddr)>>;

    /// Takes a connection that the system has accepted already; `WouldBlock` if there is none. Asks the system itself,
    /// which may know of more than its readiness queue has told yet.
    fn accept_queued(&self) -> io::Result<(Box<dyn Stream>, SocketAddr)>;

    /// Has the system accept no more. Who connects then is not answered, and refused once this is closed.
    fn stop_queueing(&self) -> io::Result<()>;

    /// The address it listens on.
    fn local_addr(&self) -> io::Result<SocketAddr>;
}

/// A connected socket of a host. One task at a time may wait to read, and one to write.
pub trait Stream: Send + Sync {
    /// Waits until the connection stands, or failed.
    fn poll_connected(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Reads what is there; 0 is the end of the stream (unless `buf` is empty).
    fn poll_read(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Writes what fits.
    fn poll_write(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>>;

    /// Writes what fits of several buffers.
    fn poll_write_vectored(&self, cx: &mut Context<'_>, bufs: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>>;

    /// Shuts one or both directions down.
    fn shutdown(&self, how: Shutdown) -> io::Result<()>;

    /// Sends small writes at once instead of gathering them (`TCP_NODELAY`).
    fn set_nodelay(&self, on: bool) -> io::Result<()>;

    /// This end's address.
    fn local_addr(&self) -> io::Result<SocketAddr>;

    /// The peer's address.
    fn peer_addr(&self) -> io::Result<SocketAddr>;
}

/// One of a socket's two directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// What comes in.
    Read,
    /// What goes out.
    Write,
}

/// A socket for datagrams of a host. One task at a time may wait to receive, and one to send.
pub trait Datagrams: Send + Sync {
    /// From now on it receives from `addr` only, and sends there unless told otherwise.
    fn connect(&self, addr: SocketAddr) -> io::Result<()>;

    /// Takes the next datagram, as much of it as fits, and tells who sent it.
    fn poll_recv_from(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>>;

    /// Sends one datagram, whole, to `to` or else to the peer it is connected to.
    fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        to: Option<SocketAddr>,
    ) -> Poll<io::Result<usize>>;

    /// Tries `attempt` whenever the direction may be ready, until it fails with something else than
    /// `WouldBlock`, or succeeds.
    fn poll_io(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        attempt: &mut dyn FnMut() -> io::Result<()>,
    ) -> Poll<io::Result<()>>;

    /// This end's address.
    fn local_addr(&self) -> io::Result<SocketAddr>;

    /// The peer it is connected to.
    fn peer_addr(&self) -> io::Result<SocketAddr>;

    /// Another handle on the system's socket; `Unsupported` where there is none.
    fn system(&self) -> io::Result<std::net::UdpSocket>;
}
