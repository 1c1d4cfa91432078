//! UDP with cancel-correct operations.

use std::io;
use std::net::{SocketAddr, UdpSocket as SystemSocket};
use std::task::{Context, Poll};

use super::{Datagrams, Direction, Net, ToAddr};
use crate::cancel::{Level, Note, Streak, Use};
use crate::caps::{HasNet, NetUse, NoCaps};
use crate::cx::Cx;

/// A socket for datagrams, from [`Cx::udp_bind`]. Closed when dropped.
///
/// A datagram arrives whole or not at all, may arrive late or twice, and is lost where a socket has no room
/// for it. Receiving and sending take `&self`, so one task may receive while another sends; two tasks
/// waiting in the same direction would steal each other's wake-ups.
///
/// ```
/// use asupersync::net::UdpSocket;
/// use asupersync::{Cx, Outcome};
///
/// /// Sends back what comes in, until it is asked to stop. What has come in it still answers.
/// async fn echo(cx: &Cx, socket: UdpSocket) -> Outcome {
///     let mut buf = [0; 1500];
///     loop {
///         let (len, peer) = socket.recv_from(cx, &mut buf).await?;
///         socket.send_to(cx, &buf[..len], peer).await?;
///     }
/// }
///
/// #[asupersync::main]
/// async fn main(cx: &Cx) -> Outcome {
///     let server = cx.udp_bind("127.0.0.1:0").await?;
///     let addr = server.local_addr()?;
///     drop(cx.spawn("echo", async move |cx| echo(cx, server).await));
///
///     let client = cx.udp_bind("127.0.0.1:0").await?;
///     client.connect(cx, addr).await?;
///     client.send(cx, b"hello").await?;
///     let mut buf = [0; 16];
///     let len = client.recv(cx, &mut buf).await?;
///     assert_eq!(&buf[..len], b"hello");
///     Ok(())
/// }
/// ```
pub struct UdpSocket {
    socket: Box<dyn Datagrams>,
    net: Net,
    cx: Cx<NoCaps>,
    reads: Streak,
    writes: Streak,
}

impl UdpSocket {
    fn new<C>(socket: Box<dyn Datagrams>, net: &Net, cx: &Cx<C>) -> Self {
        let (reads, writes) = (Streak::default(), Streak::default());
        UdpSocket { socket, net: net.clone(), cx: cx.of_region(), reads, writes }
    }

    /// The region in which it was opened.
    pub fn cx(&self) -> &Cx<NoCaps> {
        &self.cx
    }

    /// From now on it receives from `addr` only, and [`send`](Self::send) sends there. Nothing is sent for
    /// that; of the addresses of a name the first that the system takes is used.
    ///
    /// # Errors
    /// As [`Net::tcp_connect`], but that nobody has to listen there.
    ///
    /// # Cancel safety
    /// A dropped call changes nothing.
    pub async fn connect<C>(&self, cx: &Cx<C>, addr: impl ToAddr) -> io::Result<()> {
        let connect = |addr| {
            self.net.check(&self.cx, NetUse::Connect, addr)?;
            self.socket.connect(addr)
        };
        self.net.first(cx, addr, NetUse::Connect, "cannot connect to", connect).await
    }

    /// Takes the next datagram, and tells how long it is and who sent it. What does not fit into `buf` is
    /// lost.
    ///
    /// # Errors
    /// The system's: a connected socket is told `ConnectionRefused` where nobody listens for what it sent.
    /// A cancellation at Request, since this waits for a *new* message; one that belongs to work in flight
    /// goes inside [`Cx::finish`].
    ///
    /// # Cancel safety
    /// A datagram is taken from the socket only when it is returned.
    pub async fn recv_from<C>(&self, cx: &Cx<C>, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        cx.op(Level::Requested, Note::on(Use::SocketRead, &*self.socket), |task| {
            self.socket.poll_recv_from(task, buf)
        })
        .await
    }

    /// [`recv_from`](Self::recv_from) for who knows the sender.
    ///
    /// # Errors
    /// As [`recv_from`](Self::recv_from).
    ///
    /// # Cancel safety
    /// As [`recv_from`](Self::recv_from).
    pub async fn recv<C>(&self, cx: &Cx<C>, buf: &mut [u8]) -> io::Result<usize> {
        Ok(self.recv_from(cx, buf).await?.0)
    }

    /// Sends `buf` as one datagram to `to`, and tells its length.
    ///
    /// # Errors
    /// The system's, also for what is too long; `PermissionDenied` with a [`Denied`](crate::caps::Denied)
    /// inside for an address that may not be used here, or where the socket was opened; a cancellation
    /// once the drain budget is spent.
    ///
    /// # Cancel safety
    /// Goes on through Request. A datagram is sent only if the call returns.
    pub async fn send_to<C>(&self, cx: &Cx<C>, buf: &[u8], to: SocketAddr) -> io::Result<usize> {
        self.net.check(cx, NetUse::Send, to)?;
        self.may_send(to)?;
        self.send_it(cx, buf, Some(to)).await
    }

    /// Sends `buf` as one datagram to the peer this is [connected](Self::connect) to, and tells its length.
    ///
    /// # Errors
    /// As [`send_to`](Self::send_to), but that the address was checked by [`connect`](Self::connect);
    /// `ConnectionRefused` where nobody listens for what was sent before; `NotConnected` without a peer.
    ///
    /// # Cancel safety
    /// As [`send_to`](Self::send_to).
    pub async fn send<C>(&self, cx: &Cx<C>, buf: &[u8]) -> io::Result<usize> {
        self.send_it(cx, buf, None).await
    }

    async fn send_it<C>(&self, cx: &Cx<C>, buf: &[u8], to: Option<SocketAddr>) -> io::Result<usize> {
        let note = Note::on(Use::SocketWrite, &*self.socket);
        let sent = cx.op(Level::Spent, note, |task| self.socket.poll_send_to(task, buf, to)).await;
        sent.map_err(|error| self.explain(error, to))
    }

    /// A system's word for a missing peer is hard to understand.
    fn explain(&self, error: io::Error, to: Option<SocketAddr>) -> io::Error {
        match to.is_none() && error.raw_os_error().is_some() && self.peer_addr().is_err() {
            true => io::Error::new(
                io::ErrorKind::NotConnected,
                format!("the socket has no peer; use `send_to`, or `connect` it first: {error}"),
            ),
            false => error,
        }
    }

    /// Fails unless a datagram may go to this address by the right of whoever opened this: to be asked by who
    /// sends through [`poll_io`](Self::poll_io).
    ///
    /// # Errors
    /// `PermissionDenied` with a [`Denied`](crate::caps::Denied) inside.
    pub fn may_send(&self, to: SocketAddr) -> io::Result<()> {
        self.net.check(&self.cx, NetUse::Send, to)
    }

    /// [`recv_from`](Self::recv_from) without a scope. After many in a row that were ready, one lets other
    /// tasks run first: it wakes `task` and is not ready.
    pub fn poll_recv_from(
        &self,
        task: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        self.reads.pace(task, |task| self.socket.poll_recv_from(task, buf))
    }

    /// [`send_to`](Self::send_to) without a scope, by the right of whoever opened this; lets other tasks
    /// run as [`poll_recv_from`](Self::poll_recv_from) does.
    pub fn poll_send_to(
        &self,
        task: &mut Context<'_>,
        buf: &[u8],
        to: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        self.may_send(to)?;
        self.writes.pace(task, |task| self.socket.poll_send_to(task, buf, Some(to)))
    }

    /// [`send`](Self::send) without a scope, as [`poll_send_to`](Self::poll_send_to).
    pub fn poll_send(&self, task: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let sent = self.writes.pace(task, |task| self.socket.poll_send_to(task, buf, None));
        sent.map_err(|error| self.explain(error, None))
    }

    /// For what this type has no method for: tries `attempt`, which does something with the
    /// [system's socket](Self::system), whenever the direction may be ready, until it returns something
    /// else than `WouldBlock`. Lets other tasks run as [`poll_recv_from`](Self::poll_recv_from) does.
    pub fn poll_io<T>(
        &self,
        task: &mut Context<'_>,
        direction: Direction,
        mut attempt: impl FnMut() -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        let streak = match direction {
            Direction::Read => &self.reads,
            Direction::Write => &self.writes,
        };
        let mut value = None;
        let polled = streak.pace(task, |task| {
            self.socket.poll_io(task, direction, &mut || attempt().map(|done| value = Some(done)))
        });
        // A host that says it is done has run the attempt to its end.
        polled.map(|done| done.and_then(|()| value.ok_or_else(|| io::ErrorKind::Other.into())))
    }

    /// Another handle on the system's socket: for options and for calls that this type has no method for,
    /// the latter inside [`poll_io`](Self::poll_io). It does not block.
    ///
    /// # Errors
    /// The system's; `Unsupported` where there is no such socket, as in the lab.
    pub fn system(&self) -> io::Result<SystemSocket> {
        self.socket.system()
    }

    /// This end's address; tells the port when port 0 was asked for.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// The peer this is [connected](Self::connect) to.
    ///
    /// # Errors
    /// `NotConnected` without one.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.peer_addr()
    }
}

impl Net {
    /// Opens a socket for datagrams on `addr`: a `SocketAddr`, `"127.0.0.1:8080"` or `"localhost:8080"`;
    /// port 0 for any.
    ///
    /// # Errors
    /// As [`tcp_bind`](Self::tcp_bind).
    ///
    /// # Cancel safety
    /// A dropped call leaves no socket behind.
    pub async fn udp_bind<C>(&self, cx: &Cx<C>, addr: impl ToAddr) -> io::Result<UdpSocket> {
        let open = |addr| self.sockets().udp_bind(addr);
        let socket = self.first(cx, addr, NetUse::Bind, "cannot bind", open).await?;
        Ok(UdpSocket::new(socket, self, cx))
    }

    /// Takes over a socket of the system's that has options of its own, such as broadcast or multicast. From
    /// then on it does not block.
    ///
    /// # Errors
    /// The system's; `PermissionDenied` with a [`Denied`](crate::caps::Denied) inside for an address that
    /// may not be bound here; `Unsupported` in the lab, which has no such sockets.
    pub fn udp_adopt<C>(&self, cx: &Cx<C>, socket: SystemSocket) -> io::Result<UdpSocket> {
        let socket = self.sockets().udp_adopt(socket)?;
        self.check(cx, NetUse::Bind, socket.local_addr()?)?;
        Ok(UdpSocket::new(socket, self, cx))
    }
}

impl<C> Cx<C> {
    /// [`Net::udp_bind`] of [`net`](Self::net).
    ///
    /// # Errors
    /// As [`Net::udp_bind`].
    ///
    /// # Cancel safety
    /// As [`Net::udp_bind`].
    pub async fn udp_bind(&self, addr: impl ToAddr) -> io::Result<UdpSocket>
    where
        C: HasNet,
    {
        self.net().udp_bind(self, addr).await
    }
}
