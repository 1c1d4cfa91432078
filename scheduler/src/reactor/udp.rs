//! The native sockets for datagrams behind core's `Datagrams`.

use std::io;
use std::net::{self, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};

use asupersync_core::io::{Datagrams, Direction};
use mio::Interest;
use mio::net::UdpSocket;

use super::source::Source;
use crate::driver::Driver;

/// A socket of the system's that does not block.
pub(super) struct NativeDatagrams(Source<UdpSocket>);

impl NativeDatagrams {
    pub(super) fn new(driver: &Arc<Driver>, socket: UdpSocket) -> io::Result<Self> {
        Ok(NativeDatagrams(Source::new(driver, socket, Interest::READABLE | Interest::WRITABLE)?))
    }
}

impl Datagrams for NativeDatagrams {
    fn connect(&self, addr: SocketAddr) -> io::Result<()> {
        self.0.get().connect(addr)
    }

    fn poll_recv_from(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        self.0.readiness.read.poll(cx, || self.0.get().recv_from(buf), |_| false)
    }

    fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        to: Option<SocketAddr>,
    ) -> Poll<io::Result<usize>> {
        let send = || match to {
            Some(to) => self.0.get().send_to(buf, to),
            None => self.0.get().send(buf),
        };
        self.0.readiness.write.poll(cx, send, |_| false)
    }

    fn poll_io(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        attempt: &mut dyn FnMut() -> io::Result<()>,
    ) -> Poll<io::Result<()>> {
        let direction = match direction {
            Direction::Read => &self.0.readiness.read,
            Direction::Write => &self.0.readiness.write,
        };
        direction.poll(cx, || self.0.get().try_io(&mut *attempt), |()| false)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.get().local_addr()
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.get().peer_addr()
    }

    #[cfg(unix)]
    fn system(&self) -> io::Result<net::UdpSocket> {
        use std::os::fd::AsFd;
        Ok(self.0.get().as_fd().try_clone_to_owned()?.into())
    }

    #[cfg(not(unix))]
    fn system(&self) -> io::Result<net::UdpSocket> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "no second handle on a socket on this system"))
    }
}
