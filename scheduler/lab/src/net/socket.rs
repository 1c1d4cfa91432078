//! The simulated sockets behind core's `Sockets`.

use std::io::{self, ErrorKind, IoSlice};
use std::net::{self, IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use asupersync_core::Time;
use asupersync_core::io::{Datagrams, Direction, Listener, Sockets, Stream};

use super::conn::{CLIENT, SERVER, Side};
use super::world::{ConnId, World};

/// The network of one run, shared by its sockets.
#[derive(Clone)]
pub(crate) struct SimNet(Arc<Mutex<World>>);

impl SimNet {
    /// `explored`: a schedule decides all orders.
    pub(crate) fn new(seed: u64, explored: bool) -> Self {
        SimNet(Arc::new(Mutex::new(World::new(seed, explored))))
    }

    /// Does something to it, and then wakes whom that concerns.
    pub(super) fn with<R>(&self, f: impl FnOnce(&mut World) -> R) -> R {
        let mut world = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let result = f(&mut world);
        let (woken, stale) = (std::mem::take(&mut world.woken), std::mem::take(&mut world.stale));
        drop(world);
        woken.into_iter().for_each(Waker::wake);
        drop(stale);
        result
    }

    /// When something happens next by itself.
    pub(crate) fn next(&self) -> Time {
        self.with(|world| world.next()).map_or(Time::MAX, Time::from_nanos)
    }

    /// Time goes on.
    pub(crate) fn advance(&self, now: u64) {
        self.with(|world| world.advance(now));
    }

    /// The run is over.
    pub(crate) fn close(&self) {
        self.with(World::clear);
    }
}

impl Sockets for SimNet {
    fn tcp_bind(&self, addr: SocketAddr) -> io::Result<Box<dyn Listener>> {
        let addr = self.with(|world| world.bind(addr))?;
        Ok(Box::new(SimListener { net: self.clone(), addr }))
    }

    fn tcp_connect(&self, addr: SocketAddr) -> io::Result<Box<dyn Stream>> {
        let id = self.with(|world| world.connect(addr))?;
        Ok(Box::new(SimStream { net: self.clone(), id, side: CLIENT }))
    }

    fn udp_bind(&self, addr: SocketAddr) -> io::Result<Box<dyn Datagrams>> {
        let addr = self.with(|world| world.udp_bind(addr))?;
        Ok(Box::new(SimDatagrams { net: self.clone(), addr }))
    }

    fn udp_adopt(&self, _: net::UdpSocket) -> io::Result<Box<dyn Datagrams>> {
        Err(no_system())
    }

    fn resolve(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let found = self.with(|world| {
            world.read_rules();
            world.names.get(name).cloned()
        });
        let found = match found {
            None if name == "localhost" => {
                vec![IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()]
            }
            None => {
                let text = format!("the lab knows no machine `{name}`; `Net::name` gives it an address");
                return Err(io::Error::new(ErrorKind::NotFound, text));
            }
            Some(found) => found,
        };
        Ok(found.into_iter().map(|ip| SocketAddr::new(ip, port)).collect())
    }

    fn boxed(&self) -> Box<dyn Sockets> {
        Box::new(self.clone())
    }
}

struct SimListener {
    net: SimNet,
    addr: SocketAddr,
}

impl SimListener {
    fn stream(&self, (id, peer): (ConnId, SocketAddr)) -> (Box<dyn Stream>, SocketAddr) {
        (Box::new(SimStream { net: self.net.clone(), id, side: SERVER }), peer)
    }
}

impl Listener for SimListener {
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(Box<dyn Stream>, SocketAddr)>> {
        let accepted = self.net.with(|world| {
            let accepted = world.accept(self.addr);
            if accepted.is_none()
                && let Some(bound) = world.listeners.get_mut(&self.addr)
            {
                world.stale.extend(bound.accepter.replace(cx.waker().clone()));
            }
            accepted
        });
        accepted.map_or(Poll::Pending, |accepted| Poll::Ready(Ok(self.stream(accepted))))
    }

    fn accept_queued(&self) -> io::Result<(Box<dyn Stream>, SocketAddr)> {
        let accepted = self.net.with(|world| world.accept(self.addr)).ok_or(ErrorKind::WouldBlock)?;
        Ok(self.stream(accepted))
    }

    fn stop_queueing(&self) -> io::Result<()> {
        self.net.with(|world| world.stop_queueing(self.addr));
        Ok(())
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.addr)
    }
}

impl Drop for SimListener {
    fn drop(&mut self) {
        self.net.with(|world| world.unbind(self.addr));
    }
}

/// One end of a connection.
struct SimStream {
    net: SimNet,
    id: ConnId,
    side: Side,
}

impl Stream for SimStream {
    fn poll_connected(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.net.with(|world| world.poll_connected(self.id, self.side, cx))
    }

    fn poll_read(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.net.with(|world| world.poll_read(self.id, self.side, cx, buf))
    }

    fn poll_write(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(&self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.net.with(|world| world.poll_write(self.id, self.side, cx, bufs))
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.net.with(|world| world.shutdown(self.id, self.side, how))
    }

    /// What is written is on its way at once, whatever this says.
    fn set_nodelay(&self, _: bool) -> io::Result<()> {
        Ok(())
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.net.with(|world| Ok(world.conn(self.id)?.addrs[self.side]))
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.net.with(|world| Ok(world.conn(self.id)?.addrs[1 - self.side]))
    }
}

impl Drop for SimStream {
    fn drop(&mut self) {
        self.net.with(|world| world.leave(self.id, self.side));
    }
}

struct SimDatagrams {
    net: SimNet,
    /// As it was bound.
    addr: SocketAddr,
}

impl Datagrams for SimDatagrams {
    fn connect(&self, addr: SocketAddr) -> io::Result<()> {
        self.net.with(|world| world.udp_connect(self.addr, addr))
    }

    fn poll_recv_from(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        self.net.with(|world| world.poll_receive(self.addr, cx, buf))
    }

    fn poll_send_to(
        &self,
        _: &mut Context<'_>,
        buf: &[u8],
        to: Option<SocketAddr>,
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.net.with(|world| world.udp_send(self.addr, buf, to)))
    }

    /// There is always room to send, and nothing of the system's that could be attempted to be read.
    fn poll_io(
        &self,
        _: &mut Context<'_>,
        direction: Direction,
        attempt: &mut dyn FnMut() -> io::Result<()>,
    ) -> Poll<io::Result<()>> {
        Poll::Ready(match direction {
            Direction::Read => Err(no_system()),
            Direction::Write => attempt(),
        })
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.net.with(|world| Ok(world.mailbox(self.addr)?.local_addr(self.addr)))
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.net.with(|world| world.mailbox(self.addr)?.peer.ok_or_else(|| ErrorKind::NotConnected.into()))
    }

    fn system(&self) -> io::Result<net::UdpSocket> {
        Err(no_system())
    }
}

impl Drop for SimDatagrams {
    fn drop(&mut self) {
        self.net.with(|world| world.udp_unbind(self.addr));
    }
}

fn no_system() -> io::Error {
    io::Error::new(ErrorKind::Unsupported, "the lab has no sockets of the system's, only simulated ones")
}
